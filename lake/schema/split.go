package schema

import (
	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/valyala/fastjson"
)

// sharedKeys are the root's members that every part of a split submission has.
var sharedKeys = []string{"clientId", "client_id", "client_info"}

// Take moves out of a submission what the schema of d, a target of its split,
// declares, and gives it as the payload of d. Both keep the submission's order.
//
// clientId, client_id and client_info at the root are copied first. Then each
// declared property that is there is moved. One whose schema is an object schema
// is divided by the same rule: its object stays, possibly emptied, and the part
// gets one of the same name; any value but an object stays where it is. As in the
// reference, that goes for client_info too, whose declared members then leave the
// submission.
//
// The document must be an object without repeated keys. It is changed: values got
// from it before are not to be used any more. Document and part share memory, also
// the arena's. The cost is linear in the members of the objects divided.
func (d *Doctype) Take(document *fastjson.Value, arena *fastjson.Arena) *fastjson.Value {
	var shared []member
	for _, key := range sharedKeys {
		if value := document.Get(key); value != nil {
			shared = append(shared, member{key, value})
		}
	}
	s := splitter{arena}
	taken, left := s.divide(d.file.check.root, document, shared)
	if left != document {
		source, target := left.GetObject(), document.GetObject()
		*target = *source
	}
	return taken
}

// splitter divides the objects of one submission.
type splitter struct{ arena *fastjson.Arena }

type member struct {
	key   string
	value *fastjson.Value
}

// divide gives the declared members of an object, behind those shared, and the
// object without them: itself if it loses none. No object is changed, so that a
// shared one stays whole in the parts that have it already.
func (s splitter) divide(r *rule, object *fastjson.Value, shared []member) (taken, left *fastjson.Value) {
	moved := shared
	var kept []member
	lost := false
	object.GetObject().Visit(func(name []byte, value *fastjson.Value) {
		key := unsafeString(name)
		declared, ok := r.properties[key]
		switch {
		case ok && declared.object:
			if value.Type() == fastjson.TypeObject {
				part, rest := s.divide(declared, value, nil)
				moved = put(moved, len(shared), member{key, part})
				lost = lost || rest != value
				value = rest
			}
		case ok && !isShared(shared, key):
			moved = append(moved, member{key, value})
			lost = true
			return
		}
		kept = append(kept, member{key, value})
	})
	taken = s.object(moved)
	if !lost {
		return taken, object
	}
	return taken, s.object(kept)
}

// put adds a member, or replaces the shared one of its key.
func put(members []member, shared int, m member) []member {
	for i := range members[:shared] {
		if members[i].key == m.key {
			members[i] = m
			return members
		}
	}
	return append(members, m)
}

func isShared(shared []member, key string) bool {
	for _, m := range shared {
		if m.key == key {
			return true
		}
	}
	return false
}

// fewMembers is how many members are set one by one, each after a search of those
// before it.
const fewMembers = 64

// object makes an object. fastjson has no way to add a member to an object without
// a search for its key, so the keys of a large one are parsed and its values put in
// place.
func (s splitter) object(members []member) *fastjson.Value {
	made := s.arena.NewObject()
	if len(members) <= fewMembers {
		for _, m := range members {
			made.Set(m.key, m.value)
		}
		return made
	}
	text := []byte{'{'}
	for i, m := range members {
		if i > 0 {
			text = append(text, ',')
		}
		text = append(appendJSONString(text, m.key), ":0"...)
	}
	frame, err := fastjson.ParseBytes(append(text, '}'))
	if err != nil {
		panic(err) // the text is JSON
	}
	at := 0
	frame.GetObject().Visit(func(_ []byte, value *fastjson.Value) {
		*value = *members[at].value
		at++
	})
	return frame
}

// isObjectSchema says that a schema declares the type object, or no type and only
// keywords of objects. One that refers elsewhere, lists values or combines other
// schemas is none.
func isObjectSchema(s *jsonschema.Schema) bool {
	switch {
	case s.Ref != nil, s.Enum != nil, s.Const != nil, s.Not != nil, s.If != nil,
		s.AllOf != nil, s.AnyOf != nil, s.OneOf != nil:
		return false
	case s.Types != nil:
		types := s.Types.ToStrings()
		return len(types) == 1 && types[0] == "object"
	case s.MinLength != nil, s.MaxLength != nil, s.Pattern != nil, s.Format != nil,
		s.Minimum != nil, s.Maximum != nil, s.ExclusiveMinimum != nil, s.ExclusiveMaximum != nil, s.MultipleOf != nil,
		s.Items != nil, s.AdditionalItems != nil, s.MinItems != nil, s.MaxItems != nil, s.UniqueItems, s.Contains != nil:
		return false
	}
	return s.Properties != nil || s.PatternProperties != nil || s.AdditionalProperties != nil || s.PropertyNames != nil ||
		s.Required != nil || s.Dependencies != nil || s.MinProperties != nil || s.MaxProperties != nil
}
