package schema

import (
	"strconv"

	"github.com/valyala/fastjson"
)

// rest is what a value leaves over: additional_properties in the making. It keeps
// the payload's own names and, in arrays, the places.
type rest struct {
	kind   restKind
	value  *fastjson.Value // restValue
	keys   []string        // restObject
	parts  []*rest         // by key, or by place with nil for a placeholder
	length int             // places of an array
}

type restKind uint8

const (
	restValue   restKind = iota // the value itself
	restObject                  // some of an object's members
	restTuple                   // some of a tuple's places, null for the others
	restList                    // the same of a list
	restStructs                 // the same of a list of structs, {} for the others
)

func whole(v *fastjson.Value) *rest { return &rest{value: v} }

// add puts what is left of a member. In a tuple the key is the place's name.
func (r *rest) add(key string, part *rest) {
	if part == nil {
		return
	}
	if r.kind == restTuple {
		place, err := strconv.Atoi(key[1 : len(key)-1])
		if err == nil {
			r.place(place, part)
		}
		return
	}
	r.keys = append(r.keys, key)
	r.parts = append(r.parts, part)
}

// place puts what is left of the i-th element.
func (r *rest) place(i int, part *rest) {
	if part == nil {
		return
	}
	for len(r.parts) <= i {
		r.parts = append(r.parts, nil)
	}
	r.parts[i] = part
}

// orNil is nil if nothing is left.
func (r *rest) orNil() *rest {
	if len(r.parts) == 0 {
		return nil
	}
	return r
}

// appendRest writes r as compact JSON.
func appendRest(dst []byte, r *rest) []byte {
	switch r.kind {
	case restValue:
		return AppendJSON(dst, r.value)
	case restObject:
		dst = append(dst, '{')
		for i, key := range r.keys {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = append(appendJSONString(dst, key), ':')
			dst = appendRest(dst, r.parts[i])
		}
		return append(dst, '}')
	}
	placeholder := "null"
	if r.kind == restStructs {
		placeholder = "{}"
	}
	dst = append(dst, '[')
	for i := range r.length {
		if i > 0 {
			dst = append(dst, ',')
		}
		if i < len(r.parts) && r.parts[i] != nil {
			dst = appendRest(dst, r.parts[i])
		} else {
			dst = append(dst, placeholder...)
		}
	}
	return append(dst, ']')
}

// numberText is a number as it was written.
func numberText(v *fastjson.Value) string {
	var buffer [32]byte
	return string(v.MarshalTo(buffer[:0]))
}

// AppendJSON appends v as compact JSON: members in their order, numbers as they were
// written. fastjson's own writer quotes control characters as Go does, which is no
// JSON.
func AppendJSON(dst []byte, v *fastjson.Value) []byte {
	switch v.Type() {
	case fastjson.TypeString:
		s, _ := v.StringBytes()
		return appendJSONString(dst, unsafeString(s))
	case fastjson.TypeArray:
		elements, _ := v.Array()
		dst = append(dst, '[')
		for i, element := range elements {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = AppendJSON(dst, element)
		}
		return append(dst, ']')
	case fastjson.TypeObject:
		object, _ := v.Object()
		dst = append(dst, '{')
		first := true
		object.Visit(func(key []byte, member *fastjson.Value) {
			if !first {
				dst = append(dst, ',')
			}
			first = false
			dst = append(appendJSONString(dst, unsafeString(key)), ':')
			dst = AppendJSON(dst, member)
		})
		return append(dst, '}')
	}
	return v.MarshalTo(dst)
}

// appendJSONString quotes s, escaping only what JSON must.
func appendJSONString(dst []byte, s string) []byte {
	const hex = "0123456789abcdef"
	dst = append(dst, '"')
	from := 0
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c >= 0x20 && c != '"' && c != '\\' {
			continue
		}
		dst = append(dst, s[from:i]...)
		from = i + 1
		switch c {
		case '"', '\\':
			dst = append(dst, '\\', c)
		case '\n':
			dst = append(dst, '\\', 'n')
		case '\r':
			dst = append(dst, '\\', 'r')
		case '\t':
			dst = append(dst, '\\', 't')
		default:
			dst = append(dst, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
		}
	}
	dst = append(dst, s[from:]...)
	return append(dst, '"')
}
