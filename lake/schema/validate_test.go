package schema

import (
	"fmt"
	"strings"
	"testing"

	"github.com/valyala/fastjson"
)

// TestValidateSaysWhatIsWrongAndWhere has the reference's texts.
func TestValidateSaysWhatIsWrongAndWhere(t *testing.T) {
	for _, c := range []struct{ schema, payload, want string }{
		{`{"type":"object"}`, `{}`, ""},
		{`{"type":"object"}`, `[]`, "#: expected type: JSONObject, found: JSONArray"},
		{`{"required":["a","b"]}`, `{"a":null}`, "#: required key [b] not found"},
		{`{"properties":{"o":{"required":["a"]}}}`, `{"o":{}}`, "#/o: required key [a] not found"},
		{`{"properties":{"a":{}},"additionalProperties":false}`, `{"a":1,"b":2}`, "#: extraneous key [b] is not permitted"},
		{`{"properties":{"o":{"additionalProperties":false}}}`, `{"o":{"x":1}}`, "#/o: extraneous key [x] is not permitted"},
		{`{"additionalProperties":{"type":"integer"}}`, `{"x/y":{},"b":2}`, "#/x~1y: expected type: Integer, found: JSONObject"},
		{`{"patternProperties":{"~$":{"type":"integer"}}}`, `{"a~":"1"}`, "#/a~0: expected type: Integer, found: String"},
		{`{"propertyNames":{"maxLength":3}}`, `{"abc":1,"long":1}`, "#/long: expected maxLength: 3, actual: 4"},
		{`{"minProperties":1}`, `{}`, "#: minimum size: [1], found: [0]"},
		{`{"maxProperties":1}`, `{"a":1,"b":2}`, "#: maximum size: [1], found: [2]"},
		{`{"dependencies":{"a":["b"]}}`, `{"a":1}`, "#: property [b] is required"},
		{`{"dependencies":{"a":{"required":["c"]}}}`, `{"a":1}`, "#: required key [c] not found"},

		{`{"type":"string"}`, `7`, "#: expected type: String, found: Integer"},
		{`{"type":"string"}`, `7.5`, "#: expected type: String, found: Number"},
		{`{"type":"string"}`, `null`, "#: expected type: String, found: Null"},
		{`{"type":"number"}`, `"7"`, "#: expected type: Number, found: String"},
		{`{"type":"boolean"}`, `0`, "#: expected type: Boolean, found: Integer"},
		{`{"type":"array"}`, `{}`, "#: expected type: JSONArray, found: JSONObject"},
		{`{"type":"array"}`, `true`, "#: expected type: JSONArray, found: Boolean"},
		{`{"type":"null"}`, `""`, "#: expected: null, found: String"},
		{`{"type":["integer","boolean"]}`, `"x"`, "#: expected type: Boolean or Integer, found: String"},
		{`{"type":["integer","boolean"]}`, `true`, ""},

		{`{"enum":["a",1]}`, `"b"`, "#: b is not a valid enum value"},
		{`{"enum":["a",1]}`, `1.50`, "#: 1.50 is not a valid enum value"},
		{`{"enum":["a",1]}`, `true`, "#: true is not a valid enum value"},
		{`{"enum":["a",1]}`, `{"a":1}`, "#: JSONObject is not a valid enum value"},
		{`{"enum":["a",1]}`, `1.0`, ""},
		{`{"const":null}`, `0`, "#: 0 is not a valid enum value"},
		{`{"pattern":"^a+$"}`, `"ab"`, "#: string [ab] does not match pattern ^a+$"},
		{`{"minLength":3}`, `"ab"`, "#: expected minLength: 3, actual: 2"},
		{`{"maxLength":3}`, `"abcd"`, "#: expected maxLength: 3, actual: 4"},
		{`{"maxLength":2}`, `"é😀"`, ""},
		{`{"format":"date-time"}`, `"yesterday"`, "#: [yesterday] is not a valid date-time"},

		{`{"minimum":0}`, `-1`, "#: -1 is not greater or equal to 0"},
		{`{"maximum":10}`, `10.5`, "#: 10.5 is not less or equal to 10"},
		{`{"exclusiveMinimum":0}`, `0`, "#: 0 is not greater than 0"},
		{`{"exclusiveMaximum":1.5}`, `1.5`, "#: 1.5 is not less than 1.5"},
		{`{"multipleOf":0.5}`, `0.7`, "#: 0.7 is not a multiple of 0.5"},
		{`{"maximum":9223372036854775807}`, `9223372036854775808`, "#: 9223372036854775808 is not less or equal to 9.223372036854776e+18"},
		{`{"maximum":1}`, `1.00000000000000000000000000001`, "#: 1.00000000000000000000000000001 is not less or equal to 1"},
		{`{"maximum":1}`, `1e999999999`, "#: 1e999999999 is not less or equal to 1"},
		{`{"maximum":1}`, `-1e999999999`, ""},
		{`{"maximum":1}`, `1e-999999999`, ""},

		{`{"items":{"type":"string"}}`, `["x",3]`, "#/1: expected type: String, found: Integer"},
		{`{"items":[{"type":"string"}],"additionalItems":false}`, `["x","y"]`, "#: expected: [1] array items, found: [2]"},
		{`{"items":[{"type":"string"}],"additionalItems":{"type":"null"}}`, `["x",null,1]`, "#/2: expected: null, found: Integer"},
		{`{"minItems":2}`, `[1]`, "#: expected minimum item count: 2, found: 1"},
		{`{"maxItems":2}`, `[1,2,3]`, "#: expected maximum item count: 2, found: 3"},
		{`{"uniqueItems":true}`, `[{"a":1},{"a":1.0}]`, "#: array items are not unique"},
		{`{"contains":{"type":"string"}}`, `[1]`, "#: expected at least one array item to match 'contains' schema"},

		{`{"allOf":[{"type":"integer"},{"minimum":3}]}`, `2`, "#: 2 is not greater or equal to 3"},
		{`{"anyOf":[{"type":"integer"},{"type":"null"}]}`, `"x"`, "#: no subschema matched out of the total 2 subschemas"},
		{`{"anyOf":[{"type":"integer"}]}`, `"x"`, "#: expected type: Integer, found: String"},
		{`{"oneOf":[{"type":"integer"},{"type":"null"}]}`, `"x"`, "#: 0 subschemas matched instead of one"},
		{`{"oneOf":[{"type":"integer"},{"type":"number"}]}`, `1`, "#: 2 subschemas matched instead of one"},
		{`{"not":{"type":"integer"}}`, `1`, "#: subject must not be valid against schema"},
		{`{"if":{"type":"integer"},"then":{"minimum":1},"else":{"type":"string"}}`, `0`, "#: 0 is not greater or equal to 1"},
		{`{"if":{"type":"integer"},"then":{"minimum":1},"else":{"type":"string"}}`, `null`, "#: expected type: String, found: Null"},
		{`{"properties":{"a":false}}`, `{"a":1}`, "#/a: false schema always fails"},
		{`{"properties":{"a":{"$ref":"#/definitions/n"}},"definitions":{"n":{"minimum":0}}}`, `{"a":-1}`, "#/a: -1 is not greater or equal to 0"},
		{`{"properties":{"a":{"type":"string"}}}`, `{"b":1,"a":2,"c":3}`, "#/a: expected type: String, found: Integer"},
	} {
		d := doctypeOf(t, `{"$schema":"http://json-schema.org/draft-07/schema#",`+c.schema[1:])
		got := ""
		if err := d.Validate(fastjson.MustParse(c.payload)); err != nil {
			got = err.Error()
		}
		if got != c.want {
			t.Errorf("%s by %s:\n got %q\nwant %q", c.payload, c.schema, got, c.want)
		}
	}
}

// TestValidateWhereValidatorsDiffer has the cases in which the reference's validator
// differs from others.
func TestValidateWhereValidatorsDiffer(t *testing.T) {
	const noData = `"^((?!data)([a-zA-Z][a-zA-Z0-9-\\+\\.]*):(.*))$"`
	for _, c := range []struct {
		draft           int
		schema, payload string
		valid           bool
	}{
		// A number with a fraction or an exponent is no integer.
		{4, `{"type":"integer"}`, `1`, true},
		{4, `{"type":"integer"}`, `-0`, true},
		{4, `{"type":"integer"}`, `1.0`, false},
		{4, `{"type":"integer"}`, `1e3`, false},
		{4, `{"type":"integer"}`, `1E+3`, false},
		{6, `{"type":"integer"}`, `1.0`, false},
		{7, `{"type":"integer"}`, `1.0`, false},
		{7, `{"type":["integer","null"]}`, `1.0`, false},
		{7, `{"type":["integer","number"]}`, `1.0`, true},
		{7, `{"type":"number"}`, `1.0`, true},
		{7, `{"type":"integer"}`, `123456789012345678901234567890`, true},
		{7, `{"enum":[1]}`, `1.0`, true},

		// A pattern is found anywhere; $ lets a final newline be.
		{4, `{"pattern":"[a-f0-9]{4}"}`, `"zz12abzz"`, true},
		{4, `{"pattern":"^[0-9]+$"}`, `"12"`, true},
		{4, `{"pattern":"^[0-9]+$"}`, `"12\n"`, true},
		{4, `{"pattern":"^[0-9]+$"}`, `"12\n\n"`, false},
		{4, `{"pattern":"^[0-9]+$"}`, `"x12"`, false},
		{4, `{"patternProperties":{"b":{"type":"null"}},"additionalProperties":false}`, `{"abc":null}`, true},
		{4, `{"patternProperties":{"b":{"type":"null"}},"additionalProperties":false}`, `{"abc":1}`, false},
		{4, `{"patternProperties":{"b":{"type":"null"}},"additionalProperties":false}`, `{"ac":null}`, false},
		{4, `{"pattern":` + noData + `}`, `"https://example.com/"`, true},
		{4, `{"pattern":` + noData + `}`, `"database:x"`, false},
		{4, `{"pattern":` + noData + `}`, `"data:text/plain,x"`, false},
		{4, `{"pattern":` + noData + `}`, `"no colon"`, false},

		// Formats are asserted as far as the draft has them.
		{4, `{"format":"date-time"}`, `"2026-11-22T19:41:10Z"`, true},
		{4, `{"format":"date-time"}`, `"2026-11-22T19:41:10.436+01:00"`, true},
		{4, `{"format":"date-time"}`, `"2026-11-22T19:41-00:00"`, false},
		{4, `{"format":"date-time"}`, `"2026-11-22"`, false},
		{4, `{"format":"date-time"}`, `7`, true},
		{4, `{"format":"hostname"}`, `"a b"`, false},
		{4, `{"format":"uri"}`, `"no uri"`, false},
		{4, `{"format":"ipv4"}`, `"1.2.3"`, false},
		{4, `{"format":"ipv6"}`, `"1.2.3.4"`, false},
		{4, `{"format":"email"}`, `"nobody"`, false},
		{4, `{"format":"datetime"}`, `"any"`, true},
		{4, `{"format":"json"}`, `"{"`, true},
		{4, `{"format":"bytes"}`, `"!"`, true},
		{4, `{"format":"date"}`, `"any"`, true},
		{6, `{"format":"date"}`, `"any"`, true},
		{7, `{"format":"date"}`, `"any"`, false},
		{4, `{"format":"json-pointer"}`, `"any"`, true},
		{6, `{"format":"json-pointer"}`, `"any"`, false},
		{7, `{"format":"uuid"}`, `"any"`, true},
		{7, `{"format":"duration"}`, `"any"`, true},

		// Keywords are those of the draft; without one it is draft 4.
		{0, `{"maximum":1,"exclusiveMaximum":true}`, `1`, false},
		{4, `{"maximum":1,"exclusiveMaximum":true}`, `1`, false},
		{6, `{"exclusiveMaximum":1}`, `1`, false},
		{0, `{"const":1}`, `2`, true},
		{4, `{"const":1}`, `2`, true},
		{6, `{"const":1}`, `2`, false},
		{4, `{"propertyNames":{"maxLength":1}}`, `{"ab":1}`, true},
		{6, `{"propertyNames":{"maxLength":1}}`, `{"ab":1}`, false},
		{4, `{"contains":{"type":"null"}}`, `[1]`, true},
		{6, `{"contains":{"type":"null"}}`, `[1]`, false},
		{6, `{"if":true,"then":{"type":"null"}}`, `1`, true},
		{7, `{"if":true,"then":{"type":"null"}}`, `1`, false},
		{6, `{"properties":{"a":true,"b":false}}`, `{"a":1}`, true},
		{6, `{"properties":{"a":true,"b":false}}`, `{"b":1}`, false},
		{4, `{"definitions":{"n":{"type":"null"}},"properties":{"a":{"$ref":"#/definitions/n","type":"integer"}}}`, `{"a":null}`, true},

		// A present null is a value; a keyword of another type is passed over.
		{4, `{"required":["a"]}`, `{"a":null}`, true},
		{4, `{"properties":{"a":{"type":"string"}}}`, `{"a":null}`, false},
		{4, `{"minLength":3,"minimum":3,"minItems":3,"required":["a"]}`, `true`, true},
	} {
		head := "{"
		if c.draft > 0 {
			head = fmt.Sprintf(`{"$schema":"http://json-schema.org/draft-%02d/schema#",`, c.draft)
		}
		err := doctypeOf(t, head+c.schema[1:]).Validate(fastjson.MustParse(c.payload))
		if (err == nil) != c.valid {
			t.Errorf("draft %d: %s by %s: %v", c.draft, c.payload, c.schema, err)
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
	if !strings.HasSuffix(first.Error(), "...: expected type: String, found: Integer") {
		t.Errorf("a long key leaves no room for the cause: %v", first)
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
		{"a boolean schema in draft 4", `{"properties":{"a":true}}`, "not a JSON Schema"},
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
