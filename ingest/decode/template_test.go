package decode

import "testing"

func TestTemplates(t *testing.T) {
	same := func(s string) string { return s }
	at := map[string]string{"submission_timestamp": "2018-03-12T21:02:18.123456Z", "host": "h", "empty": "", "trick": "${host}"}
	short := map[string]string{"submission_timestamp": "2018-03-12T"}
	own := map[string]string{"submission_timestamp": "2018-03-12T21", "submission_date": "my day"}
	for _, c := range []struct {
		text       string
		attributes map[string]string
		want       string // or the fault
	}{
		{"", at, ""},
		{"plain", at, "plain"},
		{"a/${host}/b", at, "a/h/b"},
		{"${host}${host}", at, "hh"},
		{"${host:-x}", at, "h"},
		{"${geo_city:-no_city}/out", at, "no_city/out"},
		{"${geo_city:-}/out", at, "/out"},
		{"${empty:-x}", at, ""},
		{"${trick}", at, `template "${trick}": an attribute holds a $: ${host}`},
		{"${nope:-d${host}}", at, `template "${nope:-d${host}}": the default of ${nope} has a $`},
		{"${submission_date}/${submission_hour}", at, "2018-03-12/21"},
		{"${submission_date}/${submission_hour:-none}", short, "2018-03-12/none"},
		{"${submission_date}/${submission_hour}", own, "my day/21"},
		{"${submission_date}", nil, `template "${submission_date}": the ping has no submission_date and there is no default`},
		{"${nobody}", at, `template "${nobody}": the ping has no nobody and there is no default`},
		{"a${host", at, `template "a${host": ${host is not closed`},
		{"${}", at, `template "${}": ${} names no attribute`},
		{"${:-x}", at, `template "${:-x}": ${:-x} names no attribute`},
		{"}{", at, "}{"},
	} {
		template, err := ParseTemplate(c.text)
		got := ""
		if err == nil {
			got, err = template.Expand(c.attributes, same)
		}
		if err != nil {
			got = err.Error()
		}
		if got != c.want {
			t.Errorf("%s:\n got %s\nwant %s", c.text, got, c.want)
		}
	}
}
