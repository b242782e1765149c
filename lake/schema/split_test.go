package schema

import (
	"fmt"
	"strings"
	"testing"

	"github.com/valyala/fastjson"
)

const splitSchema = `{"type":"object","properties":{
	"payload":{"type":"object","properties":{"int":{"type":"integer"},"inner":{"type":"object","properties":{"a":{}}},"choice":{"type":["object","null"],"properties":{"b":{}}}}},
	"implied":{"properties":{"c":{}}},
	"free":{"type":"object","additionalProperties":{"type":"integer"}},
	"list":{"type":"array"},"test_int":{"type":"integer"},"clientId":{"type":"string"},"any":{}}}`

func TestTakeDividesADocument(t *testing.T) {
	d := doctypeOf(t, splitSchema)
	for _, c := range []struct{ name, document, subset, rest string }{
		{"declared members go, their parent stays", `{"payload":{"int":1,"string":"str1"},"test_int":2,"test_string":"str2"}`,
			`{"payload":{"int":1},"test_int":2}`, `{"payload":{"string":"str1"},"test_string":"str2"}`},
		{"an emptied parent stays", `{"payload":{"int":1}}`, `{"payload":{"int":1}}`, `{"payload":{}}`},
		{"an object without declared members goes empty", `{"payload":{"x":1}}`, `{"payload":{}}`, `{"payload":{"x":1}}`},
		{"an object's place held by another value stays", `{"payload":7}`, `{}`, `{"payload":7}`},
		{"deeper", `{"payload":{"inner":{"a":[1],"z":2}}}`, `{"payload":{"inner":{"a":[1]}}}`, `{"payload":{"inner":{"z":2}}}`},
		{"a choice of kinds goes whole", `{"payload":{"choice":{"b":1,"z":2}}}`, `{"payload":{"choice":{"b":1,"z":2}}}`, `{"payload":{}}`},
		{"an object by its keywords", `{"implied":{"c":1,"z":2}}`, `{"implied":{"c":1}}`, `{"implied":{"z":2}}`},
		{"free keys stay", `{"free":{"x":1}}`, `{"free":{}}`, `{"free":{"x":1}}`},
		{"lists and anything go whole", `{"list":[{"x":1}],"any":{"y":null}}`, `{"list":[{"x":1}],"any":{"y":null}}`, `{}`},
		{"the client's ids go first, and stay", `{"test_int":1,"client_info":{"client_id":"b"},"client_id":"c","clientId":"a"}`,
			`{"clientId":"a","client_id":"c","client_info":{"client_id":"b"},"test_int":1}`, `{"client_info":{"client_id":"b"},"client_id":"c","clientId":"a"}`},
		{"numbers and text as they were written", `{"test_int":1.50e3,"any":"\u00e9\n\"","x":10000000000000000000}`,
			`{"test_int":1.50e3,"any":"é\n\""}`, `{"x":10000000000000000000}`},
		{"nothing", `{}`, `{}`, `{}`},
	} {
		document := fastjson.MustParse(c.document)
		subset, rest := d.Take(document)
		if got := string(AppendJSON(nil, subset)); got != c.subset {
			t.Errorf("%s: subset\n got %s\nwant %s", c.name, got, c.subset)
		}
		if got := string(AppendJSON(nil, rest)); got != c.rest {
			t.Errorf("%s: rest\n got %s\nwant %s", c.name, got, c.rest)
		}
	}
}

// The reference takes a declared client_info apart like any other object.
func TestTakeMovesWhatADeclaredClientInfoDeclares(t *testing.T) {
	d := doctypeOf(t, `{"type":"object","properties":{"client_info":{"type":"object","properties":{"os":{"type":"string"}}}}}`)
	subset, rest := d.Take(fastjson.MustParse(`{"client_info":{"os":"x","client_id":"y"}}`))
	if got := subset.String() + " " + rest.String(); got != `{"client_info":{"os":"x"}} {"client_info":{"client_id":"y"}}` {
		t.Error(got)
	}
}

func TestTakeIsLinear(t *testing.T) {
	var declared, document strings.Builder
	for i := range 2000 {
		fmt.Fprintf(&declared, `,"d%d":{}`, i)
	}
	for i := range 200_000 {
		fmt.Fprintf(&document, `"x%d":0,`, i)
	}
	for i := range 2000 {
		fmt.Fprintf(&document, `"d%d":0,`, i)
	}
	d := doctypeOf(t, `{"type":"object","properties":{"a":{}`+declared.String()+`}}`)
	subset, rest := d.Take(fastjson.MustParse("{" + strings.TrimSuffix(document.String(), ",") + "}"))
	if a, b := subset.GetObject().Len(), rest.GetObject().Len(); a != 2000 || b != 200_000 {
		t.Errorf("%d and %d members", a, b)
	}
}

func TestPipelineMetadataFaultsAreAllTold(t *testing.T) {
	for _, c := range []struct{ metadata, want string }{
		{`{"submission_timestamp_granularity":"weeks"}`, "submission_timestamp_granularity weeks is none of millis, seconds, minutes, hours, days"},
		{`{"geoip_skip_entries":"one"}`, "geoip_skip_entries: cannot unmarshal string into Go value of type int"},
		{`{"split_config":{"subsets":[{"document_namespace":"a","document_type":"b"}]}}`, `split_config: ["a" "b" ""] is no namespace, doctype and version`},
		{`{"bq_table":7,"jwe_mappings":[],"include_client_id":false}`, ""},
	} {
		_, err := parseMetadata(metadataOf(t, c.metadata))
		got := ""
		if err != nil {
			got = err.Error()
		}
		if got != c.want {
			t.Errorf("%s:\n got %s\nwant %s", c.metadata, got, c.want)
		}
	}
}

func metadataOf(t *testing.T, text string) map[string]any {
	t.Helper()
	document, err := decodeSchema([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return document.(map[string]any)
}
