package schema

import (
	"slices"

	"github.com/valyala/fastjson"
)

// choice is the value that a field of a Struct gets, and the key it came with.
type choice struct {
	value   *fastjson.Value
	key     string
	renamed bool // the key is not the column's own name
}

// choose pushes a frame of choices, one a field, for the members of an object or
// the places of a tuple. What has no field is added to left.
func (b *builder) choose(n *node, v *fastjson.Value, left *rest) (base int) {
	base = len(b.choices)
	for range n.fields {
		b.choices = append(b.choices, choice{})
	}
	if v.Type() == fastjson.TypeArray {
		places, _ := v.Array()
		for i, place := range places {
			b.take(n, base, choice{value: place, key: tupleName(i)}, left)
		}
		return base
	}
	object, _ := v.Object()
	object.Visit(func(key []byte, member *fastjson.Value) {
		b.take(n, base, choice{value: member, key: unsafeString(key)}, left)
	})
	return base
}

// take gives a member to its field.
//
// Of two members for one field the one that had to be renamed stays, of two renamed
// ones the later, unless the column can hold nothing of it. The other is dropped if
// the column could hold all of it, as in the reference, which also drops what such a
// member leaves over, in one of the two orders; here it is left over whole.
func (b *builder) take(n *node, base int, c choice, left *rest) {
	to, ok := n.find(c.key)
	if !ok {
		left.add(c.key, whole(c.value))
		return
	}
	if c.value.Type() == fastjson.TypeNull {
		return
	}
	c.renamed = to.renamed
	field, current := &n.fields[to.field], &b.choices[base+to.field]
	if current.value == nil {
		*current = c
		return
	}
	loser := c
	if field.holdsSome(c.value) && (c.renamed || !field.holdsSome(current.value)) {
		loser, *current = *current, c
	}
	if _, all := field.holds(loser.value); !all {
		left.add(loser.key, whole(loser.value))
	}
}

func (n *node) holdsSome(v *fastjson.Value) bool {
	some, _ := n.holds(v)
	return some
}

// holds says whether the column would hold some of v, and all of it. Its cost is
// linear in v: nothing is written.
func (n *node) holds(v *fastjson.Value) (some, all bool) {
	if v.Type() == fastjson.TypeNull {
		return false, true
	}
	switch n.kind {
	case Struct:
		return n.holdsMembers(v)
	case Map:
		object, err := v.Object()
		if err != nil {
			return false, false
		}
		all = true
		object.Visit(func(_ []byte, value *fastjson.Value) {
			_, a := n.item.holds(value)
			all = all && a
		})
		return true, all
	case List:
		return n.holdsList(v)
	}
	ok := n.fits(v)
	return ok, ok
}

func (n *node) holdsMembers(v *fastjson.Value) (some, all bool) {
	all = true
	member := func(key string, value *fastjson.Value) {
		var s, a bool
		if to, ok := n.find(key); ok {
			s, a = n.fields[to.field].holds(value)
		}
		some, all = some || s, all && a
	}
	switch v.Type() {
	case fastjson.TypeObject:
		object, _ := v.Object()
		object.Visit(func(key []byte, value *fastjson.Value) { member(unsafeString(key), value) })
	case fastjson.TypeArray:
		places, _ := v.Array()
		for i, place := range places {
			member(tupleName(i), place)
		}
	default:
		return false, false
	}
	return some, all
}

func (n *node) holdsList(v *fastjson.Value) (some, all bool) {
	elements, err := v.Array()
	if err != nil {
		return false, false
	}
	if n.item.isLeaf() {
		fit := !slices.ContainsFunc(elements, func(element *fastjson.Value) bool { return !n.item.fits(element) })
		return fit && len(elements) > 0, fit
	}
	kind := structsOf(elements)
	all = true
	for _, element := range elements {
		var a bool
		if n.item.kind != Struct || element.Type() == kind {
			_, a = n.item.holds(element)
		}
		all = all && a
	}
	return len(elements) > 0, all
}

// fits says that a leaf can hold v.
func (n *node) fits(v *fastjson.Value) bool {
	if n.kind == String {
		return true
	}
	_, ok := new(builder).coerce(n, v)
	return ok
}
