package schema

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/valyala/fastjson"
)

// meetingSchema has few columns, so that many keys mean the same one.
const meetingSchema = `{"type":"object","properties":{
	"a":{"type":"integer"},
	"a_b":{"type":"object","properties":{"a":{"type":"array","items":{"type":"object","properties":{"a":{"type":"string"},"b":{"type":"number"}}}},
		"a_b":{"type":"object","additionalProperties":{"type":"array","items":{"type":"array","items":{"type":"boolean"}}}}}},
	"url":{"type":"string"},"url2":{"type":"array","items":[{"type":"integer"},{"type":"object","properties":{"text2":{"type":"string"}}}],"additionalItems":false}}}`

// fuzzPayload reads what a decoder would hand on: one JSON object in UTF-8 that
// repeats no key. Anything else must not do harm either, but has no right answer.
func fuzzPayload(data []byte) (payload *fastjson.Value, exact bool) {
	payload, err := fastjson.ParseBytes(data)
	if err != nil || payload.Type() != fastjson.TypeObject {
		return nil, false
	}
	_, unrepeated := treeOf(payload)
	return payload, unrepeated && json.Valid(data) && utf8.Valid(data)
}

func FuzzRow(f *testing.F) {
	glean, err := open(f, "").Lookup("my-app", "metrics", "1")
	if err != nil {
		f.Fatal(err)
	}
	doctypes := []*Doctype{doctypeOf(f, richSchema), doctypeOf(f, meetingSchema), glean}
	f.Fuzz(func(t *testing.T, which byte, data []byte) {
		payload, exact := fuzzPayload(data)
		if payload == nil {
			return
		}
		d := doctypes[int(which)%len(doctypes)]
		if exact {
			var again any
			if err := decodeNumbers(string(AppendJSON(nil, payload)), &again); err != nil {
				t.Fatal(err)
			}
			if tree, _ := treeOf(payload); !reflect.DeepEqual(again, tree) {
				t.Fatalf("written as %s", AppendJSON(nil, payload))
			}
			if err := accountFor(d, payload); err != nil {
				t.Fatal(err)
			}
			return
		}
		row, err := d.Row(Document{Payload: payload, Submitted: submitted})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := assemble(row); err != nil {
			t.Fatal(err)
		}
	})
}

// draftFour uses the keywords that draft 4 writes otherwise, and real patterns.
const draftFour = `{"type":"object","properties":{
	"a":{"type":"number","minimum":0,"exclusiveMinimum":true,"maximum":5,"exclusiveMaximum":true},
	"b":{"type":"string","pattern":"^[0-9]{2,3}\\."},
	"c":{"type":"string","pattern":"^((?!data)([a-zA-Z][a-zA-Z0-9-\\+\\.]*):(.*))$"},
	"d":{"type":"array","items":{"$ref":"#"},"minItems":1,"uniqueItems":true},
	"e":{"patternProperties":{"^x$":{"type":"integer"}},"additionalProperties":{"enum":["a",1,null,{"a":[1.0]}]}}},
	"additionalProperties":false,"maxProperties":3}`

func FuzzValidate(f *testing.F) {
	var ours []*Doctype
	var library []*jsonschema.Schema
	for _, schema := range []string{everyKeyword, draftFour} {
		ours, library = append(ours, doctypeOf(f, schema)), append(library, oracle(f, []byte(schema)))
	}
	f.Add(byte(1), []byte(`{"a":1,"b":"153.7","d":[{"e":{"x":1}}]}`))
	f.Fuzz(func(t *testing.T, which byte, data []byte) {
		payload, exact := fuzzPayload(data)
		if payload == nil {
			return
		}
		tree, _ := treeOf(payload)
		i := int(which) % len(ours)
		got := ours[i].Validate(payload)
		if !exact || hasLongNumber(tree) {
			return
		}
		if want := library[i].Validate(tree); (got == nil) != (want == nil) {
			t.Fatalf("%s:\nours    %v\nlibrary %v", data, got, want)
		}
		if got != nil && (len(got.Error()) > 300 || !utf8.ValidString(got.Error()) || strings.ContainsAny(got.Error(), "\r\n")) {
			t.Fatalf("text %q", got)
		}
	})
}

// hasLongNumber finds numbers that the library would unfold digit by digit.
func hasLongNumber(tree any) bool {
	switch tree := tree.(type) {
	case json.Number:
		_, ok := exact(string(tree))
		return !ok
	case []any:
		for _, element := range tree {
			if hasLongNumber(element) {
				return true
			}
		}
	case map[string]any:
		for _, value := range tree {
			if hasLongNumber(value) {
				return true
			}
		}
	}
	return false
}
