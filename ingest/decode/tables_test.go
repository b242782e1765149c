package decode

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestUserAgentFollowsTheReferenceTable(t *testing.T) {
	for _, c := range []struct{ agent, browser, version, os string }{
		{"Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:109.0) Gecko/20100101 Firefox/115.0", "Firefox", "115", "Windows 10"},
		{"Mozilla/5.0 (X11; Linux x86_64; rv:85.0) Gecko/20100101 Firefox/85.0", "Firefox", "85", "Linux"},
		{"Mozilla/5.0 (Linux; Android 10; SM-G960U) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/90.0.4430.91 Mobile Safari/537.36", "Chrome", "90", "Android"},
		{"Mozilla/5.0 (iPhone; CPU iPhone OS 14_4 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/14.0.3 Mobile/15E148 Safari/604.1", "Safari", "604", "iPhone"},
		{"Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/42.0.2311.135 Safari/537.36 Edge/12.246", "Edge", "12", "Windows 10"},
		{"Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/90.0 Safari/537.36 Edg/90.0", "Chrome", "90", "Windows 10"},
		{"Mozilla/5.0 (Windows NT 6.1; WOW64; Trident/7.0; rv:11.0) like Gecko", "MSIE", "11", "Windows 7"},
		{"Mozilla/5.0 (compatible; MSIE 10.0; Windows NT 6.2; Trident/6.0)", "MSIE", "10", "Windows 8"},
		{"Opera/9.80 (Windows NT 6.1; WOW64) Presto/2.12.388 Version/12.18", "Opera", "12", "Windows 7"},
		{"Firefox AndroidSync 1.54.0.1.0 (Firefox)", "FxSync", "1", "Android"},
		{"Firefox-iOS-Sync/30.0b1 (iPhone; iPhone OS 14.4) (Firefox)", "FxSync", "30", "iOS"},
		{"Mozilla/5.0 (Mobile; rv:26.0) Gecko/26.0 Firefox/26.0", "Firefox", "26", "FirefoxOS"},
		{"Dalvik/2.1.0 (Linux; U; Android 9)", "", "", "Android"},
		{"pingsender/1.0", "", "", ""},
		{"Glean/33.9.1 (Rust on Windows)", "", "", ""},
		{"FxiOS/8.1.1b4948", "", "", ""},
		{"", "", "", ""},
	} {
		browser, version, os := UserAgent(c.agent)
		if browser != c.browser || version != c.version || os != c.os {
			t.Errorf("%s\n got %q %q %q\nwant %q %q %q", c.agent, browser, version, os, c.browser, c.version, c.os)
		}
	}
}

func TestNormalization(t *testing.T) {
	for _, c := range []struct {
		rule     func(string) string
		in, want string
	}{
		{normalizeChannel, "release", "release"},
		{normalizeChannel, "nightly-cck-ubuntu", "nightly"},
		{normalizeChannel, "beta-cdntest", "beta"},
		{normalizeChannel, "betastop", "beta"},
		{normalizeChannel, "esr52", "Other"},
		{normalizeChannel, "Release", "Other"},
		{normalizeOS, "WINNT", "Windows"},
		{normalizeOS, "Windows_NT", "Windows"},
		{normalizeOS, "Darwin", "Mac"},
		{normalizeOS, "GNU/kFreeBSD", "Linux"},
		{normalizeOS, "SunOS", "Linux"},
		{normalizeOS, "All the iPhones", "iOS"},
		{normalizeOS, "All the iOSes", "Other"},
		{normalizeOS, "IOS", "Other"},
		{normalizeOS, "iOS?", "iOS"},
		{normalizeOS, "AIX", "Other"},
		{normalizeOS, "All the Androids", "Other"},
		{normalizeOSVersion, "10.10.3.4.1", "10.10.3"},
		{normalizeOSVersion, "3.10.0-957.el7.x86_644.15.0", "3.10.0"},
		{normalizeOSVersion, "hi-13.1.3", ""},
		{normalizeOSVersion, "10.", "10"},
		{normalizeOSVersion, ".1", ""},
		{normalizeOSVersion, "10.0\nx", ""},
		{normalizeAppName, "Fennec-x", "Fennec"},
		{normalizeAppName, "Focus-TV", "Focus-TV"},
		{normalizeAppName, "Netscape", "Other"},
		{normalizeCountry, "fi", "FI"},
		{normalizeCountry, "FII", "Other"},
	} {
		if got := c.rule(c.in); got != c.want {
			t.Errorf("%q: got %q, want %q", c.in, got, c.want)
		}
	}
}

func TestSampleIDVectors(t *testing.T) {
	for id, want := range map[string]int{
		"2907648d-711b-4e9f-94b5-52a2b40a44b1": 67,
		"90210716-99f8-0a4f-8119-9bfc16cd68a3": 17,
		"":                                     0,
		"0e085f25-dd1c-412a-86c7-177d1b5aa5eb": 12,
		"73f5ae86-90f8-46a3-9ccc-bca902a175bf": 8,
		"c0ffeec0-ffee-c0ff-eec0-ffeec0ffeec0": 33,
		"00000000-0000-0000-0000-000000000000": 25,
		"2c3a0767-d84a-4d02-8a92-fa54a3376049": 50,
		"859c8a32-0b73-b547-a5e7-8ef4ed9c4c2d": 55,
	} {
		if got := SampleID(id); got != want {
			t.Errorf("%s: got %d, want %d", id, got, want)
		}
	}
}

func TestSplitPathSplitsLikeJava(t *testing.T) {
	for _, c := range []struct {
		path string
		want []string
	}{
		{"", []string{""}},
		{"a/", []string{"a"}},
		{"a//", []string{"a"}},
		{"/a", []string{"", "a"}},
		{"a//b/", []string{"a", "", "b"}},
		{"/", []string{}},
		{"//", []string{}},
	} {
		if diff := cmp.Diff(c.want, splitPath(c.path)); diff != "" {
			t.Errorf("%q: %s", c.path, diff)
		}
	}
}

func TestScanValueIsStrict(t *testing.T) {
	for _, c := range []struct {
		in   string
		end  int    // of the first value, when there is one
		want string // the fault, when there is one
	}{
		{`{}`, 2, ""},
		{` {"a":[1,-0.5e+3,true,null,"\u00e9\n"]} `, 39, ""},
		{`{} trailing`, 2, ""},
		{`0`, 1, ""},
		{``, 0, "json value is not an object"},
		{`  `, 0, "json value is not an object"},
		{`{"a":01}`, 0, "byte 6 is '1' where the end of a number is expected"},
		{`{"a":1.}`, 0, "byte 7 is '}' where a digit is expected"},
		{`{"a":.5}`, 0, "byte 5 is '.' where a value is expected"},
		{`{"a":nan}`, 0, "byte 6 is 'a' where null is expected"},
		{`{"a":Infinity}`, 0, "byte 5 is 'I' where a value is expected"},
		{`{"a" 1}`, 0, "byte 5 is '1' where ':' is expected"},
		{`{"a":1,}`, 0, "byte 7 is '}' where a key is expected"},
		{`[1,]`, 0, "byte 3 is ']' where a value is expected"},
		{`{"a":1`, 0, "the JSON ends at byte 6 where ',' or '}' is expected"},
		{`{"a":"x`, 0, "the JSON ends at byte 7 where '\"' is expected"},
		{"{\"a\":\"\x01\"}", 0, "byte 6 is '\\x01' where an escape is expected"},
		{`{"a":"\q"}`, 0, "byte 7 is 'q' where an escape is expected"},
		{`{"a":"\u00g0"}`, 0, "byte 10 is 'g' where a hexadecimal digit is expected"},
		{strings.Repeat("1", 1000), 1000, ""},
		{strings.Repeat("1", 1001), 0, "byte 1000 is '1' where the end of a number of 1000 characters is expected"},
		{strings.Repeat("[", 256) + strings.Repeat("]", 256), 512, ""},
		{strings.Repeat("[", 258) + strings.Repeat("]", 258), 0, "byte 257 is '[' where nothing deeper than 256 levels is expected"},
	} {
		end, err := scanValue([]byte(c.in))
		got := ""
		if err != nil {
			got = err.Error()
		}
		if end != c.end || got != c.want {
			t.Errorf("%.40q: got %d %q, want %d %q", c.in, end, got, c.end, c.want)
		}
	}
}

func TestOfRepeatedKeysTheLastCounts(t *testing.T) {
	for in, want := range map[string]string{
		`{"a":1,"a":2}`:                   `{"a":2}`,
		`{"a":1,"b":0,"a":{"c":1,"c":2}}`: `{"b":0,"a":{"c":2}}`,
		`{"a":1,"a":2,"a":3}`:             `{"a":3}`,
		`{"x":[{"a":1,"\u0061":2}]}`:      `{"x":[{"a":2}]}`,
		`{"a":1,"b":2,"c":3,"d":4,"e":5,"f":6,"g":7,"h":8,"i":9,"a":10}`: `{"b":2,"c":3,"d":4,"e":5,"f":6,"g":7,"h":8,"i":9,"a":10}`,
	} {
		document, err := parseDocument([]byte(in))
		if err != nil {
			t.Fatal(err)
		}
		if got := document.String(); got != want {
			t.Errorf("%s: got %s, want %s", in, got, want)
		}
	}
}

func TestRepeatedKeysCostLittle(t *testing.T) {
	for _, c := range []struct {
		what    string
		repeats int
		refused bool
	}{
		{"some", 900, false},
		{"a payload of nothing else", 500_000, true},
	} {
		_, err := parseDocument([]byte("{" + strings.Repeat(`"a":1,`, c.repeats) + `"a":2}`))
		if (err != nil) != c.refused {
			t.Errorf("%s: %v", c.what, err)
		}
	}
}
