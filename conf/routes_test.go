package conf

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParseRoutes(t *testing.T) {
	both := []string{"POST", "PUT"}
	for _, c := range []struct {
		name, text string
		want       Routes
		written    string // "" when as text
	}{
		{"usual methods", `[["/submit","ingestion"]]`, Routes{{"/submit", "ingestion", both}}, ""},
		{"suffix", `[["/submit/<suffix:path>","structured"]]`, Routes{{"/submit/<suffix:path>", "structured", both}}, ""},
		{"everything", `[["/<suffix:path>","telemetry"]]`, Routes{{"/<suffix:path>", "telemetry", both}}, ""},
		{"methods in any case", `[["/stub","stub_installer",["get","Post"]]]`, Routes{{"/stub", "stub_installer", []string{"GET", "POST"}}}, `[["/stub","stub_installer",["GET","POST"]]]`},
		{"usual methods written out", `[ ["/a", "telemetry", ["POST","put"]] ]`, Routes{{"/a", "telemetry", both}}, `[["/a","telemetry"]]`},
		{"topic with its project", `[["/a","projects/p/topics/telemetry"]]`, Routes{{"/a", "projects/p/topics/telemetry", both}}, ""},
		{"order is kept", `[["/b","telemetry"],["/a","telemetry"],["/b","telemetry"]]`, Routes{{"/b", "telemetry", both}, {"/a", "telemetry", both}, {"/b", "telemetry", both}}, ""},
		{"percent-encoded", `[["/a%2Fb","telemetry"]]`, Routes{{"/a%2Fb", "telemetry", both}}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := ParseRoutes(c.text)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Error(diff)
			}
			if c.written == "" {
				c.written = c.text
			}
			if got.String() != c.written {
				t.Errorf("written as %s, want %s", got, c.written)
			}
			if again, err := ParseRoutes(got.String()); err != nil || !cmp.Equal(got, again) {
				t.Errorf("%s is read back as %s, %v", got, again, err)
			}
		})
	}
}

func TestRouteFaults(t *testing.T) {
	const (
		topics  = "want one of ingestion, structured, stub_installer, telemetry, tls_error_reports"
		path    = "want a path such as /submit/<suffix:path>"
		methods = "want a list of DELETE, GET, HEAD, PATCH, POST, PUT"
		line    = "want [pattern, topic, methods]"
	)
	for _, c := range []struct{ name, text, want string }{
		{"not JSON", `/submit`, "want a JSON list of [pattern, topic, methods]: invalid character '/' looking for beginning of value"},
		{"not a list", `{"/a":"telemetry"}`, "want a JSON list of [pattern, topic, methods]: json: cannot unmarshal object into Go value of type []json.RawMessage"},
		{"two lists", `[] []`, "want a JSON list of [pattern, topic, methods]: invalid character '[' after top-level value"},
		{"no routes", `[]`, "want at least one route"},
		{"null", `null`, "want at least one route"},
		{"no topic", `[["/a"]]`, `route 1: ["/a"]: ` + line},
		{"too much", `[["/a","telemetry",["PUT"],1]]`, `route 1: ["/a","telemetry",["PUT"],1]: ` + line},
		{"a route that is no list", `["/a"]`, `route 1: "/a": ` + line},
		{"pattern is no text", `[[7,"telemetry"]]`, "route 1: pattern 7: " + path},
		{"pattern not from the root", `[["submit","telemetry"]]`, `route 1: pattern "submit": ` + path},
		{"empty pattern", `[["","telemetry"]]`, `route 1: pattern "": ` + path},
		{"another parameter", `[["/submit/<namespace>","telemetry"]]`, `route 1: pattern "/submit/<namespace>": ` + path},
		{"suffix inside", `[["/<suffix:path>/a","telemetry"]]`, `route 1: pattern "/<suffix:path>/a": ` + path},
		{"suffix is no part", `[["/a<suffix:path>","telemetry"]]`, `route 1: pattern "/a<suffix:path>": ` + path},
		{"suffix twice", `[["/<suffix:path>/<suffix:path>","telemetry"]]`, `route 1: pattern "/<suffix:path>/<suffix:path>": ` + path},
		{"query", `[["/a?b","telemetry"]]`, `route 1: pattern "/a?b": ` + path},
		{"space", `[["/a b","telemetry"]]`, `route 1: pattern "/a b": ` + path},
		{"not ASCII", `[["/é","telemetry"]]`, `route 1: pattern "/é": ` + path},
		{"unknown topic", `[["/a","landfill"]]`, `route 1: topic "landfill": ` + topics},
		{"topic is no text", `[["/a",null]]`, `route 1: topic null: ` + topics},
		{"unknown method", `[["/a","telemetry",["POST","FETCH"]]]`, `route 1: methods ["POST","FETCH"]: ` + methods},
		{"OPTIONS", `[["/a","telemetry",["OPTIONS"]]]`, `route 1: methods ["OPTIONS"]: ` + methods},
		{"no methods", `[["/a","telemetry",[]]]`, `route 1: methods []: ` + methods},
		{"methods are no list", `[["/a","telemetry","POST"]]`, `route 1: methods "POST": ` + methods},
		{"all at once", `[["a","x",[]],["/b","telemetry"],["c","telemetry"]]`,
			`route 1: pattern "a": ` + path + `, topic "x": ` + topics + `, methods []: ` + methods + `; route 3: pattern "c": ` + path},
	} {
		t.Run(c.name, func(t *testing.T) {
			routes, err := ParseRoutes(c.text)
			if err == nil || routes != nil {
				t.Fatalf("%s was read as %v", c.text, routes)
			}
			if diff := cmp.Diff(c.want, err.Error()); diff != "" {
				t.Error(diff)
			}
		})
	}
}
