package schema

import (
	"fmt"
	"strings"
	"testing"
)

// describeColumns writes columns in SQL's words, in one line.
func describeColumns(columns []*Column) string {
	var parts []string
	for _, c := range columns {
		parts = append(parts, c.Name+" "+describeType(c))
	}
	return strings.Join(parts, ", ")
}

func describeType(c *Column) string {
	switch c.Kind {
	case Struct:
		return "STRUCT(" + describeColumns(c.Fields) + ")"
	case List:
		return describeType(c.Fields[0]) + "[]"
	case Map:
		return "MAP(" + describeType(c.Fields[1]) + ")"
	}
	return c.Kind.String()
}

func columnsOf(t testing.TB, schema string) []*Column {
	t.Helper()
	f, err := parseFile(source{namespace: "test", own: true}, []byte(schema))
	if err != nil {
		t.Fatalf("%s: %v", schema, err)
	}
	return f.columns
}

func TestColumnsOfAProperty(t *testing.T) {
	for _, c := range []struct{ what, schema, want string }{
		{"boolean", `{"type":"boolean"}`, "x BOOLEAN"},
		{"integer", `{"type":"integer"}`, "x BIGINT"},
		{"number", `{"type":"number"}`, "x DOUBLE"},
		{"string", `{"type":"string"}`, "x VARCHAR"},
		{"date-time", `{"type":"string","format":"date-time"}`, "x TIMESTAMP"},
		{"unknown format", `{"type":"string","format":"datetime"}`, "x VARCHAR"},
		{"bytes", `{"type":"string","format":"bytes"}`, "x BLOB"},
		{"null alone", `{"type":"null"}`, ""},
		{"or null", `{"type":["null","string"]}`, "x VARCHAR"},
		{"integer or number", `{"type":["integer","number"]}`, "x DOUBLE"},
		{"integer or string", `{"type":["integer","string"]}`, ""},
		{"integer or boolean", `{"type":["integer","boolean"]}`, ""},
		{"anything", `{}`, ""},
		{"true", `{"description":"all"}`, ""},
		{"texts listed", `{"enum":["a","b",null]}`, "x VARCHAR"},
		{"mixed values listed", `{"enum":["a",1]}`, ""},
		{"record", `{"type":"object","properties":{"b":{"type":"string"},"a":{"type":"integer"}}}`, "x STRUCT(a BIGINT, b VARCHAR)"},
		{"record without saying object", `{"properties":{"a":{"type":"integer"}}}`, "x STRUCT(a BIGINT)"},
		{"record of nothing known", `{"type":"object","properties":{"a":{}}}`, ""},
		{"record, extra keys ignored", `{"type":"object","properties":{"a":{"type":"integer"}},"additionalProperties":{"type":"string"}}`, "x STRUCT(a BIGINT)"},
		{"map", `{"type":"object","additionalProperties":{"type":"integer"}}`, "x MAP(BIGINT)"},
		{"map by patterns", `{"type":"object","patternProperties":{"^a":{"type":"integer"},"^b":{"type":"number"}}}`, "x MAP(DOUBLE)"},
		{"map of patterns and the rest", `{"type":"object","additionalProperties":{"type":"integer"},"patternProperties":{"^b":{"type":"string"}}}`, ""},
		{"map of anything", `{"type":"object","additionalProperties":{}}`, ""},
		{"object that says nothing", `{"type":"object"}`, ""},
		{"map of maps", `{"type":"object","additionalProperties":{"type":"object","additionalProperties":{"type":"boolean"}}}`, "x MAP(MAP(BOOLEAN))"},
		{"list", `{"type":"array","items":{"type":"string"}}`, "x VARCHAR[]"},
		{"list of lists", `{"type":"array","items":{"type":"array","items":{"type":"integer"}}}`, "x BIGINT[][]"},
		{"list of records", `{"type":"array","items":{"type":"object","properties":{"a":{"type":"integer"}}}}`, "x STRUCT(a BIGINT)[]"},
		{"list of anything", `{"type":"array","items":{}}`, ""},
		{"list that says nothing", `{"type":"array"}`, ""},
		{"tuple", `{"type":"array","items":[{"type":"string"},{},{"type":"boolean"}],"additionalItems":false}`, "x STRUCT(f0_ VARCHAR, f2_ BOOLEAN)"},
		{"tuple filled up", `{"type":"array","items":[{"type":"string"}],"additionalItems":{"type":"integer"},"maxItems":3}`, "x STRUCT(f0_ VARCHAR, f1_ BIGINT, f2_ BIGINT)"},
		{"tuple without an end", `{"type":"array","items":[{"type":"string"}]}`, ""},
		{"oneOf one and null", `{"oneOf":[{"type":"null"},{"type":"string"}]}`, "x VARCHAR"},
		{"oneOf records", `{"oneOf":[{"type":"object","properties":{"a":{"type":"integer"}}},{"type":"object","properties":{"a":{"type":"number"},"b":{"type":"string"}}}]}`, "x STRUCT(a DOUBLE, b VARCHAR)"},
		{"oneOf records at odds", `{"oneOf":[{"type":"object","properties":{"a":{"type":"integer"}}},{"type":"object","properties":{"a":{"type":"string"},"b":{"type":"string"}}}]}`, ""},
		{"anyOf lists", `{"anyOf":[{"type":"array","items":{"type":"integer"}},{"type":"array","items":{"type":"number"}}]}`, "x DOUBLE[]"},
		{"anyOf list and record", `{"anyOf":[{"type":"array","items":{"type":"integer"}},{"type":"object","properties":{"a":{"type":"integer"}}}]}`, ""},
		{"anyOf beside properties", `{"type":"object","properties":{"a":{"type":"integer"}},"anyOf":[{"required":["a"]},{"required":["b"]}]}`, "x STRUCT(a BIGINT)"},
		{"allOf", `{"allOf":[{"type":"object","properties":{"a":{"type":"integer"}}}]}`, ""},
		{"reference", `{"$ref":"#/definitions/a~1b"}`, "x STRUCT(c BIGINT)"},
		{"reference to itself", `{"$ref":"#/definitions/loop"}`, "x STRUCT(name VARCHAR)"},
		{"reference to nowhere else", `{"type":"array","items":{"$ref":"#/definitions/a~1b/properties/c"}}`, "x BIGINT[]"},
	} {
		t.Run(c.what, func(t *testing.T) {
			schema := fmt.Sprintf(`{"$schema":"http://json-schema.org/draft-07/schema#","type":"object","properties":{"x":%s},"definitions":{
				"a/b":{"type":"object","properties":{"c":{"type":"integer"}}},
				"loop":{"type":"object","properties":{"name":{"type":"string"},"next":{"$ref":"#/definitions/loop"}}}}}`, c.schema)
			if got := describeColumns(columnsOf(t, schema)); got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
}

func TestColumnsOfAPayload(t *testing.T) {
	got := columnsOf(t, `{"type":"object","properties":{
		"zeta":{"type":"string","description":"Two\n lines."},
		"clientId":{"type":"string"},
		"64bit":{"type":"boolean"},
		"test.int":{"type":"string"}, "test_int":{"type":"integer"},
		"documentId":{"type":"string"}, "metadata":{"type":"object","properties":{"a":{"type":"string"}}},
		"----":{"type":"string"}}}`)
	if text, want := describeColumns(got), "_64bit BOOLEAN, client_id VARCHAR, test_int BIGINT, zeta VARCHAR"; text != want {
		t.Errorf("got  %s\nwant %s", text, want)
	}
	if got[1].Source != "clientId" || got[3].Description != "Two lines." {
		t.Errorf("source %q, description %q", got[1].Source, got[3].Description)
	}
}

func TestJSONObjectPathKeepsUnresolvedContentAsText(t *testing.T) {
	got := columnsOf(t, `{"mozPipelineMetadata":{"json_object_path_regex":"metrics\\.object\\..*"},"type":"object","properties":{
		"metrics":{"type":"object","properties":{"object":{"type":"object","additionalProperties":{"type":["object","array"]}},
		"other":{"type":"object","additionalProperties":{"type":["object","array"]}}}}}}`)
	if text, want := describeColumns(got), "metrics STRUCT(object MAP(VARCHAR))"; text != want {
		t.Errorf("got %s, want %s", text, want)
	}
}

func TestSchemaThatUnfoldsTooFarIsRefused(t *testing.T) {
	var definitions []string
	for i := range 20 {
		definitions = append(definitions, fmt.Sprintf(
			`"d%d":{"type":"object","properties":{"a":{"$ref":"#/definitions/d%d"},"b":{"$ref":"#/definitions/d%d"}}}`, i, i+1, i+1))
	}
	definitions = append(definitions, `"d20":{"type":"string"}`)
	schema := `{"type":"object","properties":{"x":{"$ref":"#/definitions/d0"}},"definitions":{` + strings.Join(definitions, ",") + `}}`
	if _, err := parseFile(source{own: true}, []byte(schema)); err == nil || !strings.Contains(err.Error(), "nested schemas") {
		t.Errorf("error %v", err)
	}
}

func TestGleanTable(t *testing.T) {
	r, err := Open(Options{})
	if err != nil {
		t.Fatal(err)
	}
	d, err := r.Lookup("my-app", "baseline", "1")
	if err != nil {
		t.Fatal(err)
	}
	table, err := d.Table()
	if err != nil {
		t.Fatal(err)
	}
	if table.String() != "my_app_live.baseline_v1" {
		t.Errorf("table %s", table)
	}
	got := strings.ReplaceAll(describeColumns(table.Columns), "), ", "),\n")
	const want = `submission_timestamp TIMESTAMP, document_id VARCHAR, sample_id BIGINT, normalized_app_name VARCHAR, normalized_channel VARCHAR, normalized_country_code VARCHAR, normalized_os VARCHAR, normalized_os_version VARCHAR, metadata STRUCT(geo STRUCT(city VARCHAR, country VARCHAR, db_version VARCHAR, dma_code VARCHAR, subdivision1 VARCHAR, subdivision2 VARCHAR),
isp STRUCT(db_version VARCHAR, name VARCHAR, organization VARCHAR),
header STRUCT(date VARCHAR, dnt VARCHAR, x_debug_id VARCHAR, x_foxsec_ip_reputation VARCHAR, x_lb_tags VARCHAR, x_pingsender_version VARCHAR, x_source_tags VARCHAR, x_telemetry_agent VARCHAR),
user_agent STRUCT(browser VARCHAR, os VARCHAR, version VARCHAR),
document_namespace VARCHAR, document_type VARCHAR, document_version VARCHAR),
client_info STRUCT(android_sdk_version VARCHAR, app_build VARCHAR, app_channel VARCHAR, app_display_version VARCHAR, architecture VARCHAR, attribution STRUCT(campaign VARCHAR, content VARCHAR, medium VARCHAR, source VARCHAR, term VARCHAR),
build_date VARCHAR, client_id VARCHAR, device_manufacturer VARCHAR, device_model VARCHAR, distribution STRUCT(name VARCHAR),
first_run_date VARCHAR, locale VARCHAR, os VARCHAR, os_version VARCHAR, session_count BIGINT, session_id VARCHAR, telemetry_sdk_build VARCHAR, windows_build_number BIGINT),
events STRUCT(category VARCHAR, extra MAP(VARCHAR),
name VARCHAR, session STRUCT(event_seq BIGINT, session_id VARCHAR, session_sample_rate DOUBLE, session_seq BIGINT, session_start_time VARCHAR),
timestamp BIGINT)[], metrics STRUCT(boolean MAP(BOOLEAN),
counter MAP(BIGINT),
custom_distribution MAP(STRUCT(count BIGINT, sum BIGINT, values MAP(BIGINT))),
datetime MAP(VARCHAR),
dual_labeled_counter MAP(MAP(MAP(BIGINT))),
jwe2 MAP(VARCHAR),
labeled_boolean MAP(MAP(BOOLEAN)),
labeled_counter MAP(MAP(BIGINT)),
labeled_custom_distribution MAP(MAP(STRUCT(count BIGINT, sum BIGINT, values MAP(BIGINT)))),
labeled_memory_distribution MAP(MAP(STRUCT(count BIGINT, sum BIGINT, values MAP(BIGINT)))),
labeled_quantity MAP(MAP(BIGINT)),
labeled_rate2 MAP(MAP(STRUCT(denominator BIGINT, numerator BIGINT))),
labeled_string MAP(MAP(VARCHAR)),
labeled_timing_distribution MAP(MAP(STRUCT(count BIGINT, sum BIGINT, values MAP(BIGINT)))),
memory_distribution MAP(STRUCT(count BIGINT, sum BIGINT, values MAP(BIGINT))),
object MAP(VARCHAR),
quantity MAP(BIGINT),
rate MAP(STRUCT(denominator BIGINT, numerator BIGINT)),
string MAP(VARCHAR),
string_list MAP(VARCHAR[]),
text2 MAP(VARCHAR),
timespan MAP(STRUCT(time_unit VARCHAR, value BIGINT)),
timing_distribution MAP(STRUCT(count BIGINT, sum BIGINT, values MAP(BIGINT))),
url2 MAP(VARCHAR),
uuid MAP(VARCHAR)),
ping_info STRUCT(end_time VARCHAR, experiments MAP(STRUCT(branch VARCHAR, extra MAP(VARCHAR))),
ping_type VARCHAR, reason VARCHAR, seq BIGINT, server_knobs_config STRUCT(event_threshold BIGINT, metrics_enabled MAP(BOOLEAN),
pings_enabled MAP(BOOLEAN),
session_sample_rate DOUBLE),
start_time VARCHAR),
additional_properties VARCHAR`
	if got != want {
		t.Errorf("got\n%s", got)
	}
}
