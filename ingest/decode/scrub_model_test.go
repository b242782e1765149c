package decode

import (
	"encoding/json"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/valyala/fastjson"
	"pgregory.net/rapid"
)

// TestRewrittenKeysFollowTheModel compares the rewriting in one go with taking each
// member out and putting it in again.
func TestRewrittenKeysFollowTheModel(t *testing.T) {
	form := func(pattern, replace string, allowed ...string) keyForm {
		p := regexp.MustCompile(`\A(?:` + pattern + `)\z`)
		return keyForm{p, p.SubexpIndex("code"), setOf(allowed), []byte(replace)}
	}
	// A key of the second form can become one of the first, and one that is there.
	action := rewriteKeys{parseTestPath(t, "o"), []keyForm{
		form(`a(?P<code>.*)`, `b`, "1", "2"),
		form(`b(?P<code>.+)`, `a${code}`, "1"),
	}}
	rapid.Check(t, func(t *rapid.T) {
		keys := rapid.SliceOfDistinct(rapid.StringMatching(`[abc][12"\\é\n]{0,2}`), rapid.ID).Draw(t, "keys")
		var want []objectMember
		text := []byte(`{"o":{`)
		for i, key := range keys {
			if i > 0 {
				text = append(text, ',')
			}
			quoted, err := json.Marshal(key)
			if err != nil {
				t.Fatal(err)
			}
			value := []string{`null`, `true`, `-1.50`, `"é\n"`, `[1,{"a":[]}]`, `{"a3":{"b":1}}`}[i%6]
			text = append(append(append(text, quoted...), ':'), value...)
			want = append(want, objectMember{key, fastjson.MustParse(value)})
		}
		text = append(text, "}}"...)

		changed := false
		for _, key := range keys {
			rewritten := modelRewrite(key)
			if rewritten == key {
				continue
			}
			changed = true
			at := slices.IndexFunc(want, func(m objectMember) bool { return m.key == key })
			value := want[at].value
			want = slices.Delete(want, at, at+1)
			if at = slices.IndexFunc(want, func(m objectMember) bool { return m.key == rewritten }); at >= 0 {
				want[at].value = value
			} else {
				want = append(want, objectMember{rewritten, value})
			}
		}

		document, err := parseDocument(text)
		if err != nil {
			t.Fatal(err)
		}
		if got := action.apply(document); got != changed {
			t.Errorf("changed %t, want %t", got, changed)
		}
		if diff := cmp.Diff(membersText(want), objectText(document.Get("o"))); diff != "" {
			t.Errorf("%s\n%s", text, diff)
		}
	})
}

func modelRewrite(key string) string {
	if strings.ContainsRune(key, '\n') {
		return key
	}
	switch {
	case key[0] == 'a' && key != "a1" && key != "a2":
		return "b"
	case key[0] == 'b' && len(key) > 1 && key != "b1":
		return "a" + key[1:]
	}
	return key
}

func objectText(v *fastjson.Value) []string {
	var members []objectMember
	v.GetObject().Visit(func(key []byte, member *fastjson.Value) {
		members = append(members, objectMember{string(key), member})
	})
	return membersText(members)
}

// membersText is a member a line.
func membersText(members []objectMember) []string {
	var lines []string
	for _, m := range members {
		lines = append(lines, m.key+": "+m.value.String())
	}
	return lines
}

func parseTestPath(t *testing.T, text string) payloadPath {
	t.Helper()
	path, err := parsePath(text)
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// fuzzScrubRules reach every condition and action with short payloads.
const fuzzScrubRules = `
include = "default"
[[rule]]
id = "keys"
kind = "redact"
match.app_name = { not = "B" }
[[rule.redact]]
rewrite_keys = "o.*"
[[rule.redact.form]]
pattern = '(?s)(?P<head>.?)(?P<code>.)(.*)'
allow = { code = ["a"] }
replace = '${head}${code}'
[[rule.redact]]
remove = "list[].*.r"
[[rule.redact]]
set_null = "list[0].a*.n"
[[rule]]
id = "text"
kind = "drop"
[[rule.any]]
match_payload = { "list[]" = { contains = "x", not = "y" }, "o.*" = { matches = ".[a-c]" } }
[[rule.any]]
match_payload = { "*" = { prefix = "p", not_prefix = "q" } }
match = { app_version = { matches = '6.*' }, dnt = { exists = false } }
`

func FuzzScrub(f *testing.F) {
	s := scrubberOf(f, fuzzScrubRules)
	example := loadScrubber(f, exampleScrubRules)
	for _, seed := range []struct{ attributes, payload string }{
		{`{"document_namespace":"telemetry","document_type":"main","app_name":"Firefox","app_version":"39.0"}`, `{"payload":{"slowSQL":1,"keyedHistograms":{"SEARCH_COUNTS":{"a.in-content:b:c":1,"a.in-content:b:d":[2]}}}}`},
		{`{"document_namespace":"my-browser","document_type":"metrics"}`, `{"metrics":{"labeled_counter":{"browser.search.x":{"a.in-content.b.c":1,"a.in-content.b.none.d":[2]}}}}`},
		{`{"document_namespace":"telemetry","document_type":"sync","app_version":"9.0"}`, `{"payload":{"syncs":[{"engines":[{"outgoing":[]}]}]}}`},
		{`{"document_namespace":"telemetry","document_type":"focus-event","app_name":"Lockbox","app_version":"1.7.0"}`, `{"events":[[0,1,2,3,4,{"fxauid":"a"}]]}`},
		{`{"app_name":"A","app_version":"68.0"}`, `{"o":{"x":{"ab":1,"b\"\\":null,"\u0001\ud83d":{"c":[]}}},"list":[{"a":{"n":1,"r":2}},"x"]}`},
		{`{"uri":"/submit/sslreports"}`, `{"client_info":{"client_id":"{C0FFEEC0-FFEE-C0FF-EEC0-FFEEC0FFEEC0}"}}`},
	} {
		f.Add(seed.attributes, []byte(seed.payload))
	}
	f.Fuzz(func(t *testing.T, attributesJSON string, payload []byte) {
		attributes := map[string]string{}
		if json.Unmarshal([]byte(attributesJSON), &attributes) != nil {
			return
		}
		for _, s := range []*Scrubber{s, example} {
			document, err := parseDocument(slices.Clone(payload))
			if err != nil {
				return
			}
			before := jsonOf(t, document)
			for _, v := range []verdict{s.scrubURI(attributes), s.scrub(attributes, document)} {
				if (v.kind == scrubKeep) != (v.id == "") || v.kind == scrubRedact || v.id != "" && v.id != v.hits[len(v.hits)-1] {
					t.Fatalf("verdict %+v", v)
				}
				for _, id := range v.hits {
					if _, known := slices.BinarySearch(s.IDs(), id); !known {
						t.Fatalf("unknown id %s", id)
					}
				}
			}
			after := jsonOf(t, document)
			again, err := parseDocument([]byte(after))
			if err != nil {
				t.Fatalf("%s became %s: %v", before, after, err)
			}
			if text := jsonOf(t, again); text != after {
				t.Fatalf("%s became %s, which is read as %s", before, after, text)
			}
			s.scrub(attributes, again)
		}
	})
}
