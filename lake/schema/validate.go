package schema

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/santhosh-tekuri/jsonschema/v6/kind"
	"github.com/valyala/fastjson"
)

// validator checks payloads against one compiled JSON Schema.
type validator struct{ schema *jsonschema.Schema }

// decodeSchema reads a schema document with its numbers as they are written.
func decodeSchema(data []byte) (any, error) {
	document, err := jsonschema.UnmarshalJSON(bytes.NewReader(data))
	if err != nil {
		return nil, fmt.Errorf("not JSON: %w", err)
	}
	return document, nil
}

// newValidator compiles a schema of draft 4 (if it does not say), 6, 7 or later.
// It must be one document: nothing is loaded from elsewhere.
func newValidator(document any) (*validator, error) {
	const location = "pinglake:///schema.json"
	compiler := jsonschema.NewCompiler()
	compiler.DefaultDraft(jsonschema.Draft4)
	compiler.UseLoader(noLoader{})
	compiler.UseRegexpEngine(compilePattern)
	compiler.RegisterVocabulary(&jsonschema.Vocabulary{URL: strictIntegers, Compile: compileIntegers})
	if err := compiler.AddResource(location, document); err != nil {
		return nil, fmt.Errorf("not a JSON Schema: %w", err)
	}
	compiled, err := compiler.Compile(location)
	if err != nil {
		return nil, fmt.Errorf("not a JSON Schema: %s", clip(err.Error()))
	}
	return &validator{compiled}, nil
}

// validate says what is wrong with a payload, or nil.
func (v *validator) validate(payload *fastjson.Value) error {
	err := v.schema.Validate(toAny(payload))
	if err == nil {
		return nil
	}
	var violation *jsonschema.ValidationError
	if !errors.As(err, &violation) {
		return errors.New(clip("#: " + err.Error()))
	}
	return describe(violation)
}

// describe is the first cause by place in the payload.
func describe(violation *jsonschema.ValidationError) error {
	for len(violation.Causes) > 0 && !isWhole(violation) {
		first := violation.Causes[0]
		for _, cause := range violation.Causes[1:] {
			if pointer(cause.InstanceLocation) < pointer(first.InstanceLocation) {
				first = cause
			}
		}
		violation = first
	}
	alone := &jsonschema.ValidationError{SchemaURL: violation.SchemaURL, ErrorKind: violation.ErrorKind}
	text := alone.DetailedOutput().Error.String()
	return errors.New(clip("#" + pointer(violation.InstanceLocation) + ": " + text))
}

// isWhole says that the violation's causes would mislead: of alternatives none of
// which fits, and of a key that is refused, whose causes have no place.
func isWhole(violation *jsonschema.ValidationError) bool {
	switch violation.ErrorKind.(type) {
	case *kind.AnyOf, *kind.OneOf:
		return len(violation.Causes) > 1
	case *kind.PropertyNames:
		return true
	}
	return false
}

func pointer(location []string) string {
	var b strings.Builder
	for _, token := range location {
		b.WriteByte('/')
		b.WriteString(strings.ReplaceAll(strings.ReplaceAll(token, "~", "~0"), "/", "~1"))
	}
	return b.String()
}

// clip is s as one line of valid text, at most 300 bytes.
func clip(s string) string { return strings.ToValidUTF8(oneLine(s), "") }

// toAny is the form the JSON Schema library reads.
func toAny(v *fastjson.Value) any {
	switch v.Type() {
	case fastjson.TypeObject:
		object, _ := v.Object()
		members := make(map[string]any, object.Len())
		object.Visit(func(key []byte, member *fastjson.Value) { members[unsafeString(key)] = toAny(member) })
		return members
	case fastjson.TypeArray:
		elements, _ := v.Array()
		list := make([]any, len(elements))
		for i, element := range elements {
			list[i] = toAny(element)
		}
		return list
	case fastjson.TypeString:
		s, _ := v.StringBytes()
		return unsafeString(s)
	case fastjson.TypeNumber:
		return json.Number(numberText(v))
	case fastjson.TypeTrue:
		return true
	case fastjson.TypeFalse:
		return false
	}
	return nil
}

// noLoader refuses references to other documents.
type noLoader struct{}

func (noLoader) Load(url string) (any, error) {
	return nil, fmt.Errorf("reference to another document: %s", url)
}

// strictIntegers is the vocabulary that reads "integer" as the reference does: a
// number written with a fraction or an exponent (1.0, 1e3) is none.
const strictIntegers = "pinglake:strict-integers"

type integersOnly struct{}

func compileIntegers(_ *jsonschema.CompilerContext, object map[string]any) (jsonschema.SchemaExt, error) {
	names, ok := object["type"].([]any)
	if !ok {
		names = []any{object["type"]}
	}
	integer := false
	for _, name := range names {
		switch name {
		case "number":
			return nil, nil
		case "integer":
			integer = true
		}
	}
	if !integer {
		return nil, nil
	}
	return integersOnly{}, nil
}

func (integersOnly) Validate(context *jsonschema.ValidatorContext, v any) {
	if number, ok := v.(json.Number); ok && strings.ContainsAny(string(number), ".eE") {
		context.AddError(&kind.Type{Got: "number", Want: []string{"integer"}})
	}
}
