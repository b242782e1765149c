package schema

import (
	"bytes"
	"fmt"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/valyala/fastjson"
)

// validator checks payloads against one JSON Schema. The library reads the schema
// (drafts, references, patterns, formats); the checking is ours: it stops at the
// first fault, bounds what numbers cost and needs no other form of the payload.
type validator struct{ root *rule }

// decodeSchema reads a schema document with its numbers as they are written.
func decodeSchema(data []byte) (any, error) {
	document, err := jsonschema.UnmarshalJSON(bytes.NewReader(data))
	if err != nil {
		return nil, fmt.Errorf("not JSON: %w", err)
	}
	return document, nil
}

// newValidator compiles a schema of draft 4 (if it does not say), 6 or 7. It must
// be one document: nothing is loaded from elsewhere.
func newValidator(document any) (*validator, error) {
	compiled, err := compile(document)
	if err != nil {
		return nil, fmt.Errorf("not a JSON Schema: %s", clip(err.Error()))
	}
	root, err := newRule(compiled)
	if err != nil {
		return nil, err
	}
	return &validator{root}, nil
}

func compile(document any, vocabularies ...*jsonschema.Vocabulary) (*jsonschema.Schema, error) {
	const location = "pinglake:///schema.json"
	compiler := jsonschema.NewCompiler()
	compiler.DefaultDraft(jsonschema.Draft4)
	compiler.UseLoader(noLoader{})
	compiler.UseRegexpEngine(compilePattern)
	for _, vocabulary := range vocabularies {
		compiler.RegisterVocabulary(vocabulary)
	}
	if err := compiler.AddResource(location, document); err != nil {
		return nil, err
	}
	return compiler.Compile(location)
}

// validate says what is wrong with a payload, or nil.
func (v *validator) validate(payload *fastjson.Value) error {
	if bad := v.root.check(payload); bad != nil {
		return bad
	}
	return nil
}

// noLoader refuses references to other documents.
type noLoader struct{}

func (noLoader) Load(url string) (any, error) {
	return nil, fmt.Errorf("reference to another document: %s", url)
}
