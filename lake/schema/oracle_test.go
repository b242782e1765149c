package schema

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/santhosh-tekuri/jsonschema/v6/kind"
	"github.com/valyala/fastjson"
	"pgregory.net/rapid"
)

// The oracle is the JSON Schema library's own validation, taught that a number
// written with a fraction or an exponent is no integer.

func oracle(t testing.TB, schema []byte) *jsonschema.Schema {
	t.Helper()
	document, err := decodeSchema(schema)
	if err != nil {
		t.Fatal(err)
	}
	compiled, err := compile(document, &jsonschema.Vocabulary{URL: "test:integers", Compile: compileIntegers})
	if err != nil {
		t.Fatal(err)
	}
	return compiled
}

type integersOnly struct{}

func compileIntegers(_ *jsonschema.CompilerContext, object map[string]any) (jsonschema.SchemaExt, error) {
	names, ok := object["type"].([]any)
	if !ok {
		names = []any{object["type"]}
	}
	var ext jsonschema.SchemaExt
	for _, name := range names {
		switch name {
		case "number":
			return nil, nil
		case "integer":
			ext = integersOnly{}
		}
	}
	return ext, nil
}

func (integersOnly) Validate(context *jsonschema.ValidatorContext, v any) {
	if number, ok := v.(json.Number); ok && strings.ContainsAny(string(number), ".eE") {
		context.AddError(&kind.Type{Got: "number", Want: []string{"integer"}})
	}
}

// everyKeyword uses each keyword of draft 7.
const everyKeyword = `{"$schema":"http://json-schema.org/draft-07/schema#","type":"object","minProperties":1,"maxProperties":6,
	"required":["a"],"propertyNames":{"maxLength":6},"patternProperties":{"^n":{"minimum":-1},"2$":{"type":["integer","null"]}},
	"additionalProperties":{"type":["string","object","array","integer"]},
	"dependencies":{"b":["c"],"c":{"properties":{"a":{"minimum":0}}}},
	"properties":{
		"a":{"type":["integer","null","string"],"exclusiveMinimum":-7,"exclusiveMaximum":9223372036854775808,"maxLength":1,"pattern":"^x?$"},
		"b":{"multipleOf":0.5,"maximum":2.5},
		"c":{"type":"array","items":[{"type":"integer"},{"enum":[null,1,"x",[1],{"a":1}]}],"additionalItems":{"type":"string"},"uniqueItems":true},
		"d":{"items":{"not":{"type":"string"}},"contains":{"type":"number"},"minItems":1,"maxItems":2},
		"e":{"oneOf":[{"type":"integer"},{"minimum":2},{"const":[]}]},
		"f":{"anyOf":[{"type":"boolean"},{"$ref":"#/definitions/tree"}]},
		"g":{"if":{"type":"number"},"then":{"minimum":1},"else":{"type":["string","null"]}},
		"h":{"allOf":[{"minLength":1},{"format":"date-time"}]},
		"i":{"items":[true,false]},
		"j":{"items":[{"type":"null"}],"additionalItems":false},
		"k":false},
	"definitions":{"tree":{"type":"object","properties":{"a":{"$ref":"#/definitions/tree"}},"additionalProperties":false}}}`

func TestValidationAgreesWithTheLibrary(t *testing.T) {
	d := doctypeOf(t, everyKeyword)
	library := oracle(t, []byte(everyKeyword))
	keys := []string{"a", "a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "n", "n2", "m2", "too-long", "o"}
	valid := 0
	one := func(t *rapid.T) {
		payload := any(drawObject(t, 3, keys))
		if rapid.IntRange(0, 20).Draw(t, "whole") == 0 {
			payload = drawValue(t, 2)
		}
		text, err := json.Marshal(payload)
		if err != nil {
			t.Fatal(err)
		}
		got, want := d.Validate(fastjson.MustParseBytes(text)), library.Validate(payload)
		if (got == nil) != (want == nil) {
			t.Fatalf("%s:\nours    %v\nlibrary %v", text, got, want)
		}
		if got == nil {
			valid++
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		for range 30 { // valid ones are few
			one(t)
		}
	})
	if valid == 0 {
		t.Error("no valid payload was drawn")
	}
}

// TestValidationAgreesWithTheLibraryOnRealPings breaks real pings in one place at
// a time.
func TestValidationAgreesWithTheLibraryOnRealPings(t *testing.T) {
	shared := sharedFolder(t, "fixtures/mozilla-pipeline-schemas")
	names, err := filepath.Glob(filepath.Join(shared, "validation", "*", "*.pass.json"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if len(data) > 40_000 {
			continue
		}
		parts := strings.Split(filepath.Base(name), ".")
		schema, err := os.ReadFile(filepath.Join(shared, "schemas", filepath.Base(filepath.Dir(name)), parts[0],
			parts[0]+"."+parts[1]+schemaSuffix))
		if err != nil {
			t.Fatal(err)
		}
		d, library := doctypeOf(t, string(schema)), oracle(t, schema)
		broken := 0
		mutate(t, data, func(payload any, what string) {
			text, err := json.Marshal(payload)
			if err != nil {
				t.Fatal(err)
			}
			got, want := d.Validate(fastjson.MustParseBytes(text)), library.Validate(payload)
			if (got == nil) != (want == nil) {
				t.Errorf("%s, %s:\nours    %v\nlibrary %v", filepath.Base(name), what, got, want)
			}
			if got != nil {
				broken++
			}
		})
		if broken == 0 {
			t.Logf("%s: nothing breaks it", filepath.Base(name))
		}
	}
}

// mutate calls try with the document changed at one place after another, at most
// 150 times.
func mutate(t testing.TB, data []byte, try func(payload any, what string)) {
	t.Helper()
	var payload any
	decoder := json.NewDecoder(strings.NewReader(string(data)))
	decoder.UseNumber()
	if err := decoder.Decode(&payload); err != nil {
		t.Fatal(err)
	}
	left := 150
	var walk func(at any, path string)
	walk = func(at any, path string) {
		switch at := at.(type) {
		case map[string]any:
			for key, was := range at {
				for _, now := range []any{nil, json.Number("-1"), json.Number("1.0"), "", []any{}, map[string]any{}, true} {
					if left--; left < 0 {
						return
					}
					at[key] = now
					try(payload, path+"/"+key)
				}
				delete(at, key)
				try(payload, path+"/"+key+" deleted")
				at[key] = was
				walk(was, path+"/"+key)
			}
		case []any:
			for i, was := range at {
				if i > 2 {
					return
				}
				at[i] = json.Number("7")
				try(payload, path+"/#")
				at[i] = was
				walk(was, path+"/#")
			}
		}
	}
	walk(payload, "")
}
