package schema

import (
	"slices"

	"github.com/valyala/fastjson"
)

// members are the properties that a schema declares, as far as splitting cares.
type members struct {
	nested map[string]*members // of those that are objects
	plain  map[string]bool     // the others
}

// membersOf reads the properties of an object schema.
func membersOf(schema map[string]any) *members {
	m := &members{nested: map[string]*members{}, plain: map[string]bool{}}
	properties, _ := schema["properties"].(map[string]any)
	for key, property := range properties {
		if object, ok := property.(map[string]any); ok && isObjectSchema(object) {
			m.nested[key] = membersOf(object)
			continue
		}
		m.plain[key] = true
	}
	return m
}

// isObjectSchema says whether a schema is of objects and nothing else, by its own
// words: a reference or a choice is not.
func isObjectSchema(schema map[string]any) bool {
	if kind, ok := schema["type"]; ok {
		return kind == "object"
	}
	for _, keyword := range []string{"$ref", "oneOf", "anyOf", "allOf", "enum"} {
		if _, ok := schema[keyword]; ok {
			return false
		}
	}
	_, properties := schema["properties"]
	_, additional := schema["additionalProperties"]
	return properties || additional
}

// ofAllParts are the root's keys that each part of a ping has, and no part takes.
var ofAllParts = []string{"clientId", "client_id", "client_info"}

// Take divides a document in what the schema declares and the rest, by the
// reference's rules: an object is taken member by member and stays, perhaps empty,
// any other declared value goes as it is; free keys stay. The ids of the client go
// and stay. Both are new values; the work is linear in the document's size.
func (d *Doctype) Take(document *fastjson.Value) (subset, rest *fastjson.Value) {
	object, err := document.Object()
	if err != nil {
		return document, document
	}
	var t taking
	t.subset.open()
	t.rest.open()
	for _, key := range ofAllParts {
		if v := object.Get(key); v != nil && d.file.members.nested[key] == nil {
			t.subset.member(key, v)
		}
	}
	t.object(d.file.members, object, ofAllParts)
	return fastjson.MustParseBytes(t.subset.close()), fastjson.MustParseBytes(t.rest.close())
}

// taking writes the two documents.
type taking struct{ subset, rest objectWriter }

// object writes the members of an object to where they go; kept ones only stay.
func (t *taking) object(m *members, object *fastjson.Object, kept []string) {
	object.Visit(func(key []byte, v *fastjson.Value) {
		name := unsafeString(key)
		nested := m.nested[name]
		inner, err := v.Object()
		switch {
		case nested != nil && err == nil:
			t.subset.key(name)
			t.rest.key(name)
			t.subset.open()
			t.rest.open()
			t.object(nested, inner, nil)
			t.subset.close()
			t.rest.close()
		case m.plain[name] && !slices.Contains(kept, name):
			t.subset.member(name, v)
		default:
			t.rest.member(name, v)
		}
	})
}

// objectWriter writes nested objects as JSON.
type objectWriter struct{ text []byte }

func (w *objectWriter) open() { w.text = append(w.text, '{') }

// close ends the object and gives the text so far.
func (w *objectWriter) close() []byte {
	w.text = append(w.text, '}')
	return w.text
}

func (w *objectWriter) key(name string) {
	if w.text[len(w.text)-1] != '{' {
		w.text = append(w.text, ',')
	}
	w.text = append(appendJSONString(w.text, name), ':')
}

func (w *objectWriter) member(name string, v *fastjson.Value) {
	w.key(name)
	w.text = AppendJSON(w.text, v)
}
