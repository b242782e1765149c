package decode

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/valyala/fastjson"
)

const exampleScrubRules = "testdata/scrub/example.toml"

func loadScrubber(t testing.TB, path string) *Scrubber {
	t.Helper()
	s, err := LoadScrubber(path)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// scrubberOf is a Scrubber of the rules in text.
func scrubberOf(t testing.TB, text string) *Scrubber {
	t.Helper()
	s, err := parseScrubRules("rules", "testdata/scrub", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// attributesIn reads "namespace/doctype name=value ...", with short names for
// those of the telemetry URI. "-" is a namespace or doctype that is missing.
func attributesIn(text string) map[string]string {
	short := map[string]string{"app": "app_name", "v": "app_version", "channel": "app_update_channel", "build": "app_build_id"}
	fields := strings.Fields(text)
	attributes := map[string]string{}
	namespace, doctype, _ := strings.Cut(fields[0], "/")
	if namespace != "-" {
		attributes["document_namespace"] = namespace
	}
	if doctype != "-" {
		attributes["document_type"] = doctype
	}
	for _, field := range fields[1:] {
		name, value, _ := strings.Cut(field, "=")
		if long, ok := short[name]; ok {
			name = long
		}
		attributes[name] = value
	}
	return attributes
}

// said is a verdict as text: what becomes of the ping, and all hits if there are
// others than the one.
func said(v verdict) string {
	text := map[scrubKind]string{scrubKeep: "keep", scrubDrop: "drop", scrubUnwanted: "unwanted", scrubBug: "bug"}[v.kind]
	if v.id != "" {
		text += " " + v.id
	}
	if v.id == "" && len(v.hits) > 0 || len(v.hits) > 1 {
		text += fmt.Sprint(" ", v.hits)
	}
	return text
}

func scrubDocument(t testing.TB, payload string) *fastjson.Value {
	t.Helper()
	document, err := parseDocument([]byte(payload))
	if err != nil {
		t.Fatalf("%s: %v", payload, err)
	}
	return document
}

// jsonOf writes v as JSON, keys in their order.
func jsonOf(t testing.TB, v *fastjson.Value) string {
	t.Helper()
	quote := func(b []byte) string {
		text, err := json.Marshal(string(b))
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	switch v.Type() {
	case fastjson.TypeObject:
		var members []string
		v.GetObject().Visit(func(key []byte, member *fastjson.Value) {
			members = append(members, quote(key)+":"+jsonOf(t, member))
		})
		return "{" + strings.Join(members, ",") + "}"
	case fastjson.TypeArray:
		var elements []string
		for _, element := range v.GetArray() {
			elements = append(elements, jsonOf(t, element))
		}
		return "[" + strings.Join(elements, ",") + "]"
	case fastjson.TypeString:
		return quote(v.GetStringBytes())
	}
	return v.String()
}

func TestReferenceRules(t *testing.T) {
	s := loadScrubber(t, exampleScrubRules)
	const (
		glean    = " user_agent=Glean/33.9.1"
		isolated = `"webIsolated=https://example.org"`
		crash    = `{"payload":{"metadata":{"RemoteType":` + isolated + `}}}`
		reason   = `{"payload":{"metadata":{"MozCrashReason":"with quoted page text inside"}}}`
		hang     = `{"payload":{"hangs":[{"remoteType":"web"},{},7,{"remoteType":` + isolated + `}]}}`
		canary   = `c0ffeec0-ffee-c0ff-eec0-ffeec0ffeec0`
		someone  = `2907648d-711b-4e9f-94b5-52a2b40a44b1`
	)
	for _, c := range []struct{ attributes, payload, want string }{
		// Rule 1.
		{"telemetry/crash channel=nightly build=20190719094503", reason, "drop 1567596"},
		{"telemetry/crash channel=nightly build=20190719094504", reason, "keep"},
		{"telemetry/crash channel=beta build=20190719094503", reason, "keep"},
		{"telemetry/crash channel=nightly build=20190719094503", crash, "keep"},
		{"telemetry/crash channel=nightly", reason, "keep"},
		// Rule 2.
		{"telemetry/crash channel=nightly v=68.0a1", crash, "drop 1562011"},
		{"telemetry/crash channel=nightly v=69.0a1", crash, "drop 1562011"},
		{"telemetry/crash channel=beta v=68.0b3", crash, "drop 1562011"},
		{"telemetry/crash channel=beta v=69.0", crash, "keep"},
		{"telemetry/crash channel=nightly v=70.0a1", crash, "keep"},
		{"telemetry/crash channel=release v=68.0", crash, "keep"},
		{"telemetry/crash channel=nightly", crash, "keep"},
		{"telemetry/crash v=68.0", crash, "keep"},
		{"my-app/crash channel=nightly v=68.0a1", crash, "keep"},
		{"telemetry/crash channel=nightly v=68.0a1", `{"payload":{"metadata":{"RemoteType":"web"}}}`, "keep"},
		{"telemetry/crash channel=nightly v=68.0a1", `{"payload":{"metadata":{"RemoteType":{}}}}`, "keep"},
		{"telemetry/crash channel=nightly v=68.0a1", `{"payload":[]}`, "keep"},
		// Rule 3.
		{"telemetry/bhr v=68.0", hang, "drop 1562011"},
		{"telemetry/bhr v=69.1", hang, "drop 1562011"},
		{"telemetry/bhr v=67.0", hang, "keep"},
		{"telemetry/bhr", hang, "keep"},
		{"telemetry/bhr v=68.0", `{"payload":{"hangs":[{"remoteType":"web"}]}}`, "keep"},
		{"telemetry/bhr v=68.0", `{"payload":{"hangs":{"remoteType":` + isolated + `}}}`, "keep"},
		// Rule 4.
		{"firefox-accounts/account-ecosystem", `{}`, "drop 1697602"},
		{"-/account-ecosystem", `{}`, "drop 1697602"},
		{"firefox-accounts/account-ecosystem-2", `{}`, "keep"},
		// Rule 5.
		{"firefox-desktop/background-update" + glean, `{}`, "drop 1784911"},
		{"firefox-desktop-2/background-update", `{}`, "keep"},
		// Rule 6.
		{"firefox-desktop-background-update/new-metric-capture-emulation", `{}`, "drop 1817821"},
		{"firefox-desktop-background-update/background-update", `{}`, "keep"},
		// Rule 7.
		{"contextual-services/quicksuggest-impression", `{"search_query":"where is"}`, "drop 1712850"},
		{"contextual-services/quicksuggest-impression", `{"matched_keywords":""}`, "drop 1712850"},
		{"contextual-services/quicksuggest-impression", `{"search_query":null,"matched_keywords":["a"]}`, "drop 1712850"},
		{"contextual-services/quicksuggest-impression", `{"search_query":null,"matched_keywords":null}`, "keep"},
		{"contextual-services/quicksuggest-impression", `{}`, "keep"},
		{"contextual-services/quicksuggest-click", `{"search_query":"where is"}`, "keep"},
		// Rule 8.
		{"org-example-fork/baseline", `{}`, "unwanted 2000001"},
		{"org-example-other/metrics", `{}`, "unwanted 2000002"},
		{"org-example-fork-2/baseline", `{}`, "keep"},
		// Rule 9.
		{"com-feifan/baseline", `{}`, "unwanted 2010623"},
		{"com-feifan-browser/baseline", `{}`, "unwanted 2010623"},
		{"org-global-gx/baseline", `{}`, "unwanted 2024379"},
		{"org-global-wxc/baseline", `{}`, "unwanted 2037560"},
		{"com-xiaobei-browser/baseline", `{}`, "unwanted 2039427"},
		{"org-global-wx/baseline", `{}`, "keep"},
		{"x-com-feifan/baseline", `{}`, "keep"},
		{"-/baseline", `{}`, "keep"},
		// Rule 10.
		{"telemetry/pioneer-study", `{}`, "unwanted 1631849"},
		{"telemetry/frecency-update", `{}`, "unwanted 1633525"},
		{"telemetry/saved-session", `{}`, "unwanted 1656910"},
		{"telemetry/modules app=Firefox", `{}`, "unwanted DENG-8496"},
		{"my-app/modules", `{}`, "keep"},
		// Rule 11.
		{"telemetry/ftu app=FirefoxOS", `{}`, "unwanted 1618684"},
		{"telemetry/ftu app=firefoxos", `{}`, "keep"},
		// Rule 12.
		{"telemetry/main app=Waterfox", `{}`, "unwanted 1592010"},
		{"telemetry/main", `{}`, "unwanted 1592010"},
		{"telemetry/event app=Waterfox", `{}`, "unwanted 1592010"},
		{"telemetry/main app=Firefox", `{}`, "keep"},
		{"telemetry/event app=Firefox", `{}`, "keep"},
		{"telemetry/crash app=Waterfox", `{}`, "keep"},
		// Rule 13.
		{"firefox-desktop/metrics", `{}`, "unwanted 1684980"},
		{"firefox-desktop/metrics user_agent=curl/8 x_telemetry_agent=glean", `{}`, "unwanted 1684980"},
		{"firefox-desktop/metrics user_agent=Mozilla/5.0 x_telemetry_agent=Glean/50.0", `{}`, "keep"},
		{"firefox-desktop/metrics" + glean, `{}`, "keep"},
		{"firefox-desktop-2/metrics", `{}`, "keep"},
		// Rule 14.
		{"my-app/pageload-domain", `{}`, "drop DENG-9045"},
		{"my-app/pageload", `{}`, "keep"},
		// Rule 15.
		{"my-app/baseline", `{"client_info":{"client_id":"` + canary + `"}}`, "bug 1489560"},
		{"my-app/baseline", `{"client_id":"` + canary + `"}`, "bug 1489560"},
		{"my-app/baseline", `{"clientId":"{C0FFEEC0-FFEE-C0FF-EEC0-FFEEC0FFEEC0}"}`, "bug 1489560"},
		{"my-app/baseline", `{"client_id":"n/a","clientId":"` + canary + `"}`, "bug 1489560"},
		{"my-app/baseline", `{"client_info":{"client_id":"` + someone + `"},"client_id":"` + canary + `"}`, "keep"},
		{"my-app/baseline", `{"client_id":"` + someone + `"}`, "keep"},
		{"my-app/baseline", `{"client_id":{"client_id":"` + canary + `"}}`, "keep"},
		// Rule 16.
		{"default-browser-agent/1", `{}`, "unwanted 1626020"},
		{"default-browser-agent/default-browser", `{}`, "keep"},
		{"telemetry/1", `{}`, "keep"},
		// Rule 22.
		{"mozillavpn/main", `{"client_info":{"telemetry_sdk_build":"0.16.1"}}`, "bug 1733118"},
		{"mozillavpn/main", `{"client_info":{"telemetry_sdk_build":"0.0.5"}}`, "bug 1733118"},
		{"mozillavpn/main", `{"client_info":{"telemetry_sdk_build":"0.17.0"}}`, "keep"},
		{"mozillavpn/main", `{"client_info":{"telemetry_sdk_build":"10.1.0"}}`, "keep"},
		{"mozillavpn/main", `{"client_info":{"telemetry_sdk_build":0.16}}`, "keep"},
		{"mozillavpn/session", `{"client_info":{"telemetry_sdk_build":"0.16.1"}}`, "keep"},
	} {
		document := scrubDocument(t, c.payload)
		if got := said(s.scrub(attributesIn(c.attributes), document)); got != c.want {
			t.Errorf("%s %s: got %s, want %s", c.attributes, c.payload, got, c.want)
		}
	}
}

func TestReferenceRedactions(t *testing.T) {
	s := loadScrubber(t, exampleScrubRules)
	const (
		event    = `[1,"a","b","c",null,{"fxauid":"f00","x":1}]`
		eventOut = `[1,"a","b","c",null,{"fxauid":null,"x":1}]`
		sync     = `{"payload":{"syncs":[{"engines":[{"name":"a","outgoing":[1]},{"name":"b"}]},{},{"engines":[{"outgoing":{}}]}]}}`
		syncOut  = `{"payload":{"syncs":[{"engines":[{"name":"a"},{"name":"b"}]},{},{"engines":[{}]}]}}`
		slow     = `{"payload":{"a":1,"slowSQL":{"mainThread":{}},"b":2}}`
		slowOut  = `{"payload":{"a":1,"b":2}}`
		main     = "telemetry/main app=Firefox v=96.0"
	)
	counts := func(members string) string {
		return `{"payload":{"keyedHistograms":{"SEARCH_COUNTS":{` + members + `}}}}`
	}
	scalars := func(name, members string) string {
		return `{"payload":{"processes":{"parent":{"keyedScalars":{"` + name + `":{` + members + `}}}}}}`
	}
	labels := func(name, members string) string {
		return `{"metrics":{"labeled_counter":{"` + name + `":{` + members + `}}}}`
	}
	for _, c := range []struct{ attributes, payload, want, redacted string }{ // redacted: "" for unchanged
		// Rule 15 rewrites what it looks at.
		{"my-app/baseline", `{"clientId":"{2907648D-711B-4E9F-94B5-52A2B40A44B1}"}`, "keep", `{"clientId":"2907648d-711b-4e9f-94b5-52a2b40a44b1"}`},
		{"my-app/baseline", `{"clientId":"N/A"}`, "keep", ""},
		// Rule 17.
		{"telemetry/focus-event app=Lockbox v=1.7.0", `{"events":[` + event + `,` + event + `]}`, "keep [1602844]", `{"events":[` + eventOut + `,` + eventOut + `]}`},
		{"telemetry/focus-event app=Lockbox v=1.6.3", `{"events":[` + event + `]}`, "keep [1602844]", `{"events":[` + eventOut + `]}`},
		{"telemetry/focus-event app=Lockbox v=1.7.1", `{"events":[` + event + `]}`, "keep", ""},
		{"telemetry/focus-event app=Focus v=1.7.0", `{"events":[` + event + `]}`, "keep", ""},
		{"telemetry/focus-event app=Lockbox v=1.7.0", `{"events":[[1,2,3,4,5,{"x":1}],[1,2],7,[1,2,3,4,5,"x"]]}`, "keep", ""},
		{"telemetry/focus-event app=Lockbox v=1.7.0", `{"events":[` + eventOut + `]}`, "keep", ""},
		// Rule 18.
		{"telemetry/main app=Firefox v=39.0.1", slow, "keep [1162183]", slowOut},
		{"telemetry/main app=Firefox v=40.0", slow, "keep [1162183]", slowOut},
		{"telemetry/first-shutdown v=41.0", slow, "keep [1162183]", slowOut},
		{"telemetry/main app=Firefox v=42.0", slow, "keep", ""},
		{"telemetry/main app=Firefox v=3.6", slow, "keep", ""},
		{"telemetry/main app=Firefox", slow, "keep", ""},
		{"telemetry/main app=Firefox v=39.0", `{"slowSQL":{},"payload":{}}`, "keep", ""},
		// Rule 19.
		{"telemetry/sync v=27.0", sync, "keep [1642386]", syncOut},
		{"telemetry/sync v=9.0", sync, "keep [1642386]", syncOut},
		{"telemetry/sync v=17.0", sync, "keep [1642386]", syncOut},
		{"telemetry/sync v=18.0", sync, "keep", ""},
		{"telemetry/sync v=19.0", sync, "keep", ""},
		{"telemetry/sync v=28.0", sync, "keep", ""},
		{"telemetry/sync v=77.0", sync, "keep", ""},
		{"telemetry/sync v=27", sync, "keep", ""},
		// Rule 20.
		{main, counts(`"lake.in-content:sap:none":1,"lake.in-content:sap:mine":2,"lake.urlbar":3`), "keep [1751753]",
			counts(`"lake.in-content:sap:none":1,"lake.urlbar":3,"lake.in-content:sap:other.scrubbed":2`)},
		{main, counts(`"lake.in-content.organic:x:y":1`), "keep [1751753]", counts(`"lake.in-content.organic:other.scrubbed":1`)},
		{main, counts(`"lake.in-content:sap:a":{"sum":1},"lake.in-content:sap:b":{"sum":2}`), "keep [1751753]", counts(`"lake.in-content:sap:other.scrubbed":{"sum":2}`)},
		{main, counts(`"lake.in-content:sap:":1`), "keep [1751753]", counts(`"lake.in-content:sap:other.scrubbed":1`)},
		{main, counts(`"lake.in-content:sap:Lake-B-D":1,"lake.in-content:sap:other.scrubbed":1`), "keep", ""},
		{main, counts(`"lake.in-content:sap:lake-b-d":1`), "keep [1751753]", counts(`"lake.in-content:sap:other.scrubbed":1`)},
		{main, counts(`"\"lake\\\n\u0001.in-content:sap:x\u0022\ny":1,"\u00e9\ttail":2`), "keep [1751753]",
			counts(`"é\ttail":2,"\"lake\\\n\u0001.in-content:sap:other.scrubbed":1`)},
		{main, counts(``), "keep", ""},
		{main, `{"payload":{"keyedHistograms":{"SEARCH_COUNTS":["lake.in-content:sap:mine"]}}}`, "keep", ""},
		{"telemetry/first-shutdown", counts(`"lake.in-content:sap:mine":2`), "keep", ""},
		{main, scalars("browser.search.content.urlbar", `"lake:tagged:mine":1,"lake:tagged:4pond":2`), "keep [1751753]",
			scalars("browser.search.content.urlbar", `"lake:tagged:4pond":2,"lake:tagged:other.scrubbed":1`)},
		{main, scalars("browser.search.withads", `"lake:tagged:mine":1`), "keep", ""},
		// Rule 21.
		{"my-browser/metrics", labels("browser.search.in_content", `"lake.in-content.sap.mine":1,"lake.in-content.sap.mine.ts":2`), "keep [1751955]",
			labels("browser.search.in_content", `"lake.in-content.sap.other-scrubbed":2`)},
		{"my-browser/metrics", labels("browser.search.in_content", `"lake.in-content.sap.lake-b-d":1,"lake.in-content.sap._4pond.ts":2,"lake.organic":3`), "keep", ""},
		{"my-browser/metrics", labels("browser.search.in_content", `"lake.in-content.sap.none":1,"lake.in-content.sap._4pond.mine":2`), "keep [1751955]",
			labels("browser.search.in_content", `"lake.in-content.sap.none":1,"lake.in-content.sap._4pond":2`)},
		{"my-browser/metrics", labels("browser.search.in_content", `"lake.in-content.sap.none.mine":1,"a":0,"lake.in-content.sap.none":2,"b":0`), "keep [1751955]",
			labels("browser.search.in_content", `"a":0,"lake.in-content.sap.none":1,"b":0`)},
		{"my-browser/metrics", labels("browser.search.in_content", `"lake.in-content.sap.mine.mine":1,"lake.in-content.sap.mine":2`), "keep [1751955]",
			labels("browser.search.in_content", `"lake.in-content.sap.other-scrubbed":2`)},
		{"my-browser/metrics", labels("browser.search.in_content", `"lake.in-content.sap.4pond":1`), "keep [1751955]", labels("browser.search.in_content", `"lake.in-content.sap.other-scrubbed":1`)},
		{"my-browser/metrics", labels("browser.searches", `"lake.in-content.sap.mine":1`), "keep", ""},
		{"my-browser/baseline", labels("browser.search.in_content", `"lake.in-content.sap.mine":1`), "keep", ""},
		{"my-app/metrics", labels("browser.search.in_content", `"lake.in-content.sap.mine":1`), "keep", ""},
		// Two rules on one ping.
		{"telemetry/main app=Firefox v=39.0", `{"payload":{"slowSQL":1,"keyedHistograms":{"SEARCH_COUNTS":{"lake.in-content:sap:mine":2}}}}`, "keep [1162183 1751753]",
			counts(`"lake.in-content:sap:other.scrubbed":2`)},
	} {
		document := scrubDocument(t, c.payload)
		want := c.redacted
		if want == "" {
			want = jsonOf(t, scrubDocument(t, c.payload))
		} else {
			want = jsonOf(t, scrubDocument(t, want))
		}
		if got := said(s.scrub(attributesIn(c.attributes), document)); got != c.want {
			t.Errorf("%s %s: got %s, want %s", c.attributes, c.payload, got, c.want)
		}
		if got := jsonOf(t, document); got != want {
			t.Errorf("%s %s\n got %s\nwant %s", c.attributes, c.payload, got, want)
		}
	}
}

func TestRulesAreJudgedInOrder(t *testing.T) {
	rule := func(id, kind, rest string) string {
		return fmt.Sprintf("[[rule]]\nid = %q\nkind = %q\n%s\n", id, kind, rest)
	}
	const (
		fork      = "[[rule]]\nkind = 'unwanted'\nnamespaces = { telemetry = 'fork' }\n"
		everyApp  = "[rule.match]\napp_name = 'A'"
		doctype   = "[rule.match]\ndocument_type = 'a'"
		telemetry = "[rule.match]\ndocument_namespace = 'telemetry'"
		remove    = "[[rule.redact]]\nremove = 'x'"
		hasX      = "[rule.match_payload]\nx = { exists = true }"
	)
	for _, c := range []struct{ rules, attributes, want string }{
		{rule("1", "unwanted", doctype) + rule("2", "drop", telemetry), "telemetry/a", "unwanted 1"},
		{rule("2", "drop", telemetry) + rule("1", "unwanted", doctype), "telemetry/a", "drop 2"},
		{rule("1", "unwanted", doctype) + fork, "telemetry/a", "unwanted 1"},
		{fork + rule("1", "unwanted", doctype), "telemetry/a", "unwanted fork"},
		{rule("1", "bug", everyApp) + rule("2", "drop", doctype), "telemetry/a app=A", "bug 1"},
		{rule("2", "drop", doctype) + rule("1", "bug", everyApp), "telemetry/a app=A", "drop 2"},
		{rule("1", "redact", remove) + rule("2", "drop", hasX), "telemetry/a", "keep [1]"},
		{rule("2", "drop", hasX) + rule("1", "redact", remove), "telemetry/a", "drop 2"},
		{rule("1", "redact", remove) + rule("2", "drop", doctype) + rule("3", "bug", doctype), "telemetry/a", "drop 2 [1 2]"},
		{rule("1", "redact", remove) + rule("1", "redact", remove), "telemetry/a", "keep [1]"},
	} {
		s := scrubberOf(t, c.rules)
		if got := said(s.scrub(attributesIn(c.attributes), scrubDocument(t, `{"x":1}`))); got != c.want {
			t.Errorf("%s\n%s: got %s, want %s", c.rules, c.attributes, got, c.want)
		}
	}

	s := loadScrubber(t, "")
	for _, c := range []struct{ attributes, want string }{
		{"telemetry/modules app=Waterfox", "unwanted DENG-8496"},
		{"telemetry/saved-session v=39.0", "unwanted 1656910"},
		{"telemetry/main app=FirefoxOS", "unwanted 1618684"},
		{"firefox-desktop/pageload-domain", "unwanted 1684980"},
		{"firefox-desktop/pageload-domain user_agent=Glean/1", "drop DENG-9045"},
		{"firefox-desktop/background-update", "drop 1784911"},
	} {
		if got := said(s.scrub(attributesIn(c.attributes), scrubDocument(t, `{"payload":{"slowSQL":{}}}`))); got != c.want {
			t.Errorf("%s: got %s, want %s", c.attributes, got, c.want)
		}
	}
}

func TestURIRulesAreJudgedBeforeThePayload(t *testing.T) {
	s := loadScrubber(t, "")
	for _, c := range []struct{ uri, want string }{
		{"/submit/sslreports", "unwanted 1585144"},
		{"/submit/sslreports/", "unwanted 1585144"},
		{"/submit/sslreports//", "keep"},
		{"/submit/sslreports/x", "keep"},
		{"/submit/", "keep"},
	} {
		if got := said(s.scrubURI(map[string]string{"uri": c.uri})); got != c.want {
			t.Errorf("%s: got %s, want %s", c.uri, got, c.want)
		}
		if got := said(s.scrub(map[string]string{"uri": c.uri}, scrubDocument(t, `{}`))); got != "keep" {
			t.Errorf("%s with its payload: got %s", c.uri, got)
		}
	}
	if got := said(s.scrubURI(map[string]string{})); got != "keep" {
		t.Errorf("no uri: got %s", got)
	}
}

func TestConditions(t *testing.T) {
	const payload = `{"a":"one","b":null,"n":7,"list":["x1","y2",["z3"]],"o":{"k.1":"u","k.2":"v","m":"w"},"empty":[],"dup\u0065":"esc\u0061pe"}`
	for _, c := range []struct{ attributes, payload, want string }{ // conditions
		{`app_name = "A"`, ``, "hit"},
		{`app_name = ["B", "A"]`, ``, "hit"},
		{`app_name = "a"`, ``, ""},
		{`app_name = ""`, ``, ""},
		{`app_build_id = ""`, ``, "hit"},
		{`dnt = ""`, ``, ""},
		{`app_name = { not = "B" }`, ``, "hit"},
		{`app_name = { not = ["B", "A"] }`, ``, ""},
		{`dnt = { not = "1" }`, ``, "hit"},
		{`document_type = { not = "x" }`, ``, "hit"},
		{`document_namespace = { not = ["m", "n"] }`, ``, ""},
		{`app_version = { prefix = "68" }`, ``, "hit"},
		{`app_version = { prefix = ["7", "68."] }`, ``, "hit"},
		{`app_version = { prefix = "8" }`, ``, ""},
		{`dnt = { prefix = "1" }`, ``, ""},
		{`app_version = { not_prefix = ["7", "68"] }`, ``, ""},
		{`dnt = { not_prefix = "1" }`, ``, "hit"},
		{`app_version = { contains = [".0", "x"] }`, ``, "hit"},
		{`app_version = { contains = "x" }`, ``, ""},
		{`app_version = { matches = '6.\..*' }`, ``, "hit"},
		{`app_version = { matches = '6.' }`, ``, ""},
		{`app_version = { matches = 'x|68' }`, ``, ""},
		{`app_version = { exists = true }`, ``, "hit"},
		{`app_build_id = { exists = true }`, ``, "hit"},
		{`dnt = { exists = true }`, ``, ""},
		{`dnt = { exists = false }`, ``, "hit"},
		{`app_version = { exists = false }`, ``, ""},
		{`app_version = { prefix = "68", not = "68.0b1" }`, ``, ""},
		{"app_name = \"A\"\ndnt = \"1\"", ``, ""},
		{``, `a = "one"`, "hit"},
		{``, `a = ["two", "one"]`, "hit"},
		{``, `n = "7"`, ""},
		{``, `"list[]" = "y2"`, "hit"},
		{``, `"list[]" = "z3"`, ""},
		{``, `"list[][]" = "z3"`, "hit"},
		{``, `"list[1]" = "y2"`, "hit"},
		{``, `"list[2][0]" = "z3"`, "hit"},
		{``, `"list[3]" = { exists = true }`, ""},
		{``, `"list[9]" = { exists = true }`, ""},
		{``, `list = "y2"`, ""},
		{``, `'o."k.2"' = "v"`, "hit"},
		{``, `'o."k."*' = "v"`, "hit"},
		{``, `'o.k*' = "w"`, ""},
		{``, `'o.*' = "w"`, "hit"},
		{``, `'*' = "one"`, "hit"},
		{``, `"o[]" = { exists = true }`, ""},
		{``, `"list.0" = "x1"`, ""},
		{``, `dupe = { contains = "cap" }`, "hit"},
		{``, `a = { exists = true }`, "hit"},
		{``, `b = { exists = true }`, ""},
		{``, `b = { exists = false }`, "hit"},
		{``, `missing = { exists = false }`, "hit"},
		{``, `n = { exists = true }`, "hit"},
		{``, `"empty[]" = { exists = true }`, ""},
		{``, `n = { not = "7" }`, "hit"},
		{``, `"list[]" = { not = "y2" }`, ""},
		{``, `"list[]" = { not_prefix = "q" }`, "hit"},
		{``, `"list[]" = { matches = '\w\d' }`, "hit"},
		{``, `"list[]" = { matches = '\d' }`, ""},
		{`app_name = "A"`, `a = "two"`, ""},
	} {
		s := scrubberOf(t, "[[rule]]\nid = '1'\nkind = 'bug'\n[rule.match]\n"+c.attributes+"\n[rule.match_payload]\n"+c.payload)
		v := s.scrub(attributesIn("n/d app=A v=68.0b1 build="), scrubDocument(t, payload))
		if got := map[bool]string{true: "hit"}[v.kind == scrubBug]; got != c.want {
			t.Errorf("%s %s: got %q, want %q", c.attributes, c.payload, got, c.want)
		}
	}
}

func TestTheLongestPrefixSaysTheID(t *testing.T) {
	s := scrubberOf(t, "[[rule]]\nkind = 'unwanted'\nnamespace_prefixes = { a = '1', a-b = '2', a-b-c = '3' }")
	for _, c := range []struct{ attributes, want string }{
		{"a/x", "unwanted 1"},
		{"a-bc/x", "unwanted 2"},
		{"a-b-c/x", "unwanted 3"},
		{"b/x", "keep"},
	} {
		if got := said(s.scrub(attributesIn(c.attributes), scrubDocument(t, `{}`))); got != c.want {
			t.Errorf("%s: got %s, want %s", c.attributes, got, c.want)
		}
	}
}

func TestAnIDWithAMapStillHasConditions(t *testing.T) {
	s := scrubberOf(t, "[[rule]]\nkind = 'unwanted'\nreason = 'why'\nnamespaces = { a = '1', b = '2' }\nmatch = { document_namespace = ['b', 'c'], document_type = 'x' }")
	for _, c := range []struct{ attributes, want string }{
		{"a/x", "keep"},
		{"b/x", "unwanted 2"},
		{"b/y", "keep"},
		{"c/x", "keep"},
	} {
		v := s.scrub(attributesIn(c.attributes), scrubDocument(t, `{}`))
		if got := said(v); got != c.want || (v.reason == "why") != (v.kind == scrubUnwanted) {
			t.Errorf("%s: got %s %q, want %s", c.attributes, got, v.reason, c.want)
		}
	}
}

func TestNoRulesKeepEverything(t *testing.T) {
	const payload = `{"clientId":"{C0FFEEC0-FFEE-C0FF-EEC0-FFEEC0FFEEC0}"}`
	for name, s := range map[string]*Scrubber{"nil": nil, "none": loadScrubber(t, "none"), "empty": scrubberOf(t, "")} {
		document := scrubDocument(t, payload)
		attributes := map[string]string{"uri": "/submit/sslreports", "document_type": "pageload-domain"}
		if got := said(s.scrubURI(attributes)) + " " + said(s.scrub(attributes, document)); got != "keep keep" || jsonOf(t, document) != payload {
			t.Errorf("%s: got %s %s", name, got, document)
		}
		if ids := s.IDs(); len(ids) != 0 {
			t.Errorf("%s: ids %v", name, ids)
		}
	}
}

func TestManyKeysAreRewrittenInOneGo(t *testing.T) {
	const n = 300_000
	var b strings.Builder
	b.WriteString(`{"metrics":{"labeled_counter":{"browser.search.x":{"first":0`)
	for i := range n {
		b.WriteString(`,"p` + strconv.Itoa(i) + `.in-content.sap.mine":` + strconv.Itoa(i))
	}
	b.WriteString(`}}}}`)
	document := scrubDocument(t, b.String())
	s := loadScrubber(t, exampleScrubRules)
	if got := said(s.scrub(attributesIn("my-browser/metrics"), document)); got != "keep [1751955]" {
		t.Fatalf("got %s", got)
	}
	object := document.GetObject("metrics", "labeled_counter", "browser.search.x")
	i := -1
	object.Visit(func(key []byte, v *fastjson.Value) {
		if i >= 0 && (string(key) != "p"+strconv.Itoa(i)+".in-content.sap.other-scrubbed" || v.GetInt() != i) {
			t.Fatalf("member %d is %q: %s", i, key, v)
		}
		i++
	})
	if i != n {
		t.Errorf("%d members", i)
	}
}

func TestNothingIsAllocatedForAPingThatNoRuleHits(t *testing.T) {
	s := loadScrubber(t, exampleScrubRules)
	for _, c := range []struct{ attributes, payload string }{
		{"my-app/baseline user_agent=Glean/1", good},
		{"my-browser/metrics", `{"metrics":{"labeled_counter":{"browser.search.x":{"lake.organic":1},"other":{"x":1}}}}`},
		{"telemetry/crash channel=nightly v=68.0a1", `{"payload":{"metadata":{"RemoteType":"web"}}}`},
		{"telemetry/bhr v=68.0", `{"payload":{"hangs":[{"remoteType":"web"},{"remoteType":"privileged"}]}}`},
		{"contextual-services/quicksuggest-impression", `{"a":1}`},
		{"unknown-namespace/unknown", `{"clientId":"2907648d-711b-4e9f-94b5-52a2b40a44b1"}`},
		{"-/-", `{}`},
	} {
		attributes, document := attributesIn(c.attributes), scrubDocument(t, c.payload)
		attributes["uri"] = baseline
		allocs := testing.AllocsPerRun(100, func() {
			if v := s.scrubURI(attributes); v.hits != nil {
				t.Fatalf("%s: %s", c.attributes, said(v))
			}
			if v := s.scrub(attributes, document); v.hits != nil {
				t.Fatalf("%s: %s", c.attributes, said(v))
			}
		})
		if allocs != 0 {
			t.Errorf("%s: %g allocations", c.attributes, allocs)
		}
	}
}
