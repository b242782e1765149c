package schema

import (
	"strings"
	"testing"

	"github.com/valyala/fastjson"
)

func TestPatternsFindAndLetTheLastNewlineBe(t *testing.T) {
	const noData = `^((?!data)([a-zA-Z][a-zA-Z0-9-\+\.]*):(.*))$`
	for _, c := range []struct {
		pattern, text string
		want          bool
	}{
		{`^[0-9]+$`, "12", true},
		{`^[0-9]+$`, "12\n", true},
		{`^[0-9]+$`, "12\n\n", false},
		{`^[0-9]+$`, "12x", false},
		{`[a-f0-9]{4}`, "zz12abzz", true},
		{`^[0-9]{2,3}\.`, "153.7.0esr", true},
		{`^[a-z-_][a-z0-9-_]*$`, "my-ping_1", true},
		{`^a$|b`, "a\n", true},
		{`^\S+$`, "no space", false},
		{noData, "https://example.com/", true},
		{noData, "https://example.com/\n", true},
		{noData, "data:text/plain,x", false},
		{noData, "no colon", false},
	} {
		p, err := compilePattern(c.pattern)
		if err != nil {
			t.Fatal(err)
		}
		if got := p.MatchString(c.text); got != c.want {
			t.Errorf("%q in %q: %v", c.pattern, c.text, got)
		}
	}
	if _, err := compilePattern(`(unclosed`); err == nil {
		t.Error("a broken pattern compiles")
	}
}

func TestValidateSaysWhatIsWrongAndWhere(t *testing.T) {
	d := doctypeOf(t, `{"$schema":"http://json-schema.org/draft-07/schema#","type":"object","required":["a"],
		"properties":{
			"a":{"type":"integer","maximum":10},
			"b":{"type":"array","items":{"type":"string","maxLength":2}},
			"c":{"type":"object","properties":{"x/y":{"type":"boolean"}},"additionalProperties":false},
			"d":{"oneOf":[{"type":"string"},{"type":"null"}]},
			"e":{"type":["integer","boolean"]},
			"f":{"type":["integer","number"],"maximum":1},
			"g":{"type":"object","propertyNames":{"maxLength":3}},
			"h":{"type":"string","format":"date-time"},
			"i":{"$ref":"#/definitions/small"},
			"j":{"type":"string","format":"datetime"}},
		"definitions":{"small":{"type":"object","properties":{"n":{"type":"integer","minimum":0}}}}}`)
	for _, c := range []struct{ payload, want string }{
		{`{"a":1}`, ""},
		{`{}`, "#: required key [a] not found"},
		{`{"a":"1"}`, "#/a: expected type: Integer, found: String"},
		{`{"a":1.0}`, "#/a: expected type: Integer, found: BigDecimal"},
		{`{"a":1e0}`, "#/a: expected type: Integer, found: BigDecimal"},
		{`{"a":1.5}`, "#/a: expected type: Integer, found: BigDecimal"},
		{`{"a":11}`, "#/a: 11 is not less or equal to 10"},
		{`{"a":1,"b":["x","yyy",3]}`, "#/b/1: expected maxLength: 2, actual: 3"},
		{`{"a":1,"b":["é2"]}`, ""},
		{`{"a":1,"c":{"x/y":1}}`, "#/c/x~1y: expected type: Boolean, found: Integer"},
		{`{"a":1,"c":{"z":1}}`, "#/c: extraneous key [z] is not permitted"},
		{`{"a":1,"d":5}`, "#/d: 0 subschemas matched instead of one"},
		{`{"a":1,"e":1.0}`, "#/e: expected type: Boolean or Integer, found: BigDecimal"},
		{`{"a":1,"e":true}`, ""},
		{`{"a":1,"f":1.0}`, ""},
		{`{"a":1,"g":{"long":1}}`, "#/g: property name 'long': expected maxLength: 3, actual: 4"},
		{`{"a":1,"h":"2026-11-22T19:41:10Z","j":"2026-11-22T19:41-00:00"}`, ""},
		{`{"a":1,"h":"yesterday"}`, "#/h: [yesterday] is not a valid date-time"},
		{`{"a":1,"i":{"n":-1}}`, "#/i/n: -1 is not greater or equal to 0"},
		{`{"b":[1],"a":"x"}`, "#/b/0: expected type: String, found: Integer"},
		{`{"a":123456789012345678901234567890}`, "#/a: 123456789012345678901234567890 is not less or equal to 10"},
		{`{"a":1,"f":1e999999999}`, "#/f: 1e999999999 is not less or equal to 1"},
		{`{"a":1,"f":-1e999999999}`, ""},
		{`{"a":1,"f":1e-999999999}`, ""},
		{`{"a":1,"f":1.00000000000000000000000000001}`, "#/f: 1.00000000000000000000000000001 is not less or equal to 1"},
	} {
		err := d.Validate(fastjson.MustParse(c.payload))
		switch {
		case err == nil && c.want != "":
			t.Errorf("%s is valid", c.payload)
		case err != nil && (c.want == "" || !strings.HasPrefix(err.Error(), c.want)):
			t.Errorf("%s: %q, want %q", c.payload, err, c.want)
		}
	}
}

func TestViolationsAreShortAndAlwaysTheSame(t *testing.T) {
	d := doctypeOf(t, `{"type":"object","additionalProperties":{"type":"string","maxLength":3,"enum":["a"]}}`)
	payload := fastjson.MustParse(`{"` + strings.Repeat("k\\n", 500) + `":1,"b":"` + strings.Repeat("é", 2000) + `","c":{}}`)
	first := d.Validate(payload)
	if first == nil || len(first.Error()) > 300 || strings.ContainsAny(first.Error(), "\n\r") {
		t.Fatalf("%d bytes: %v", len(first.Error()), first)
	}
	for range 50 {
		if again := d.Validate(payload); again.Error() != first.Error() {
			t.Fatalf("%q and %q", first, again)
		}
	}
}

func TestSchemasThatAreRefused(t *testing.T) {
	for _, c := range []struct{ what, schema, want string }{
		{"no JSON", `{"type":`, "not JSON"},
		{"trailing text", `{} {}`, "not JSON"},
		{"unknown type", `{"type":"integre"}`, "not a JSON Schema"},
		{"broken pattern", `{"type":"string","pattern":"("}`, "not a JSON Schema"},
		{"another document", `{"$ref":"http://example.com/schema.json"}`, "another document"},
		{"another file", `{"$ref":"file:///etc/passwd"}`, "another document"},
		{"unknown draft", `{"$schema":"http://example.com/draft"}`, "another document"},
		{"reference to itself", `{"$ref":"#"}`, "without end"},
		{"reference to itself by choice", `{"definitions":{"a":{"anyOf":[{"type":"null"},{"$ref":"#/definitions/b"}]},"b":{"allOf":[{"$ref":"#/definitions/a"}]}},"properties":{"x":{"$ref":"#/definitions/a"}}}`, "without end"},
		{"draft 2020-12", `{"$schema":"https://json-schema.org/draft/2020-12/schema"}`, "drafts later than 7"},
		{"reference to nowhere", `{"$ref":"#/definitions/none"}`, "not a JSON Schema"},
		{"broken path expression", `{"mozPipelineMetadata":{"json_object_path_regex":"("}}`, "json_object_path_regex"},
	} {
		_, err := parseFile(source{own: true}, []byte(c.schema))
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", c.what, err)
		}
	}
}

func TestSchemaWithoutDraftIsDraftFour(t *testing.T) {
	// exclusiveMaximum is a boolean in draft 4 and a number later.
	d := doctypeOf(t, `{"type":"object","properties":{"a":{"type":"number","maximum":1,"exclusiveMaximum":true}}}`)
	if d.Validate(fastjson.MustParse(`{"a":1}`)) == nil {
		t.Error("1 is below 1")
	}
}

func TestMetadata(t *testing.T) {
	for _, c := range []struct {
		pipeline, attribute, path, through string
	}{
		{`{}`, "", "", "0001-01-01"},
		{`{"sample_id_source_uuid_attribute":"document_id","unknown":{"a":1}}`, "document_id", "", "0001-01-01"},
		{`{"sample_id_source_uuid_payload_path":["a","b"]}`, "", "a/b", "0001-01-01"},
		{`{"expiration_policy":{"delete_after_days":180,"collect_through_date":"2022-01-01"}}`, "", "", "2022-01-01"},
		{`{"expiration_policy":{"collect_through_date":"2022/03/01"}}`, "", "", "0001-01-01"},
		{`{"expiration_policy":7,"sample_id_source_uuid_attribute":7,"sample_id_source_uuid_payload_path":"a"}`, "", "", "0001-01-01"},
	} {
		m := doctypeOf(t, `{"mozPipelineMetadata":`+c.pipeline+`}`).Metadata()
		if m.SampleIDAttribute != c.attribute || strings.Join(m.SampleIDPath, "/") != c.path ||
			m.CollectThrough.Format("2006-01-02") != c.through {
			t.Errorf("%s: %+v", c.pipeline, m)
		}
	}
}
