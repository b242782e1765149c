package schema

import (
	"fmt"
	"strconv"
	"time"

	"github.com/valyala/fastjson"
)

// Document is a validated ping on its way into its table.
type Document struct {
	Payload    *fastjson.Value   // an object
	Submitted  time.Time         // the server's clock
	Attributes map[string]string // what the pipeline knows, by attribute name
}

// Row shreds a document into a row of the doctype's table.
//
// Cells alias the payload's memory: its parser must not be reused. The payload is
// not changed (its strings may be unescaped in place, as any reading does), so it
// must not be read from two goroutines at once. Values without a place in the
// table are in additional_properties. The only error is a payload that is no
// object.
func (d *Doctype) Row(doc Document) (Row, error) {
	if doc.Payload == nil || doc.Payload.Type() != fastjson.TypeObject {
		return Row{}, fmt.Errorf("making a row of %s: payload is not an object", d)
	}
	p := d.plan
	b := p.builder.get()
	defer p.builder.put(b)
	for _, leaf := range p.system {
		b.system(leaf, doc)
	}
	rest := b.root(&p.root, doc.Payload)
	b.put(p.rest, Cell{Def: 1, Bytes: appendRest(nil, rest)})
	return Row{Table: p.table, Date: DateOf(doc.Submitted), Cells: b.flatten(), Coercions: b.takeCoercions()}, nil
}

// system fills a leaf from an attribute. The groups of metadata are always
// present, so a missing attribute is a null just below its leaf.
func (b *builder) system(leaf systemLeaf, doc Document) {
	cell := Cell{Def: leaf.def}
	value, ok := doc.Attributes[leaf.attribute]
	switch leaf.kind {
	case Timestamp:
		cell.Num = uint64(doc.Submitted.UnixMicro())
	case Int64:
		number, err := strconv.ParseInt(value, 10, 64)
		if err != nil {
			cell.Def--
		}
		cell.Num = uint64(number)
	default:
		if !ok {
			cell.Def--
			break
		}
		cell.Bytes = validText(value)
	}
	b.put(leaf.leaf, cell)
}

// root reads the payload itself. Columns that it does not have get no cells.
func (b *builder) root(n *node, payload *fastjson.Value) *rest {
	left := &rest{kind: restObject}
	base := b.choose(n, payload, left)
	for i := range n.fields {
		if chosen := b.choices[base+i]; chosen.value != nil {
			_, refused := b.write(&n.fields[i], chosen.value, 0)
			left.add(chosen.key, refused)
		}
	}
	b.choices = b.choices[:base]
	return left
}

// write shreds a value that is not absent into the leaves of n, each of which gets
// at least one cell. If present is false the column is null, with one cell in each
// leaf; refused is what found no place.
func (b *builder) write(n *node, v *fastjson.Value, rep uint8) (present bool, refused *rest) {
	if v.Type() == fastjson.TypeNull {
		b.null(n, rep)
		return false, nil
	}
	switch n.kind {
	case Struct:
		return b.writeStruct(n, v, rep)
	case List:
		return b.writeList(n, v, rep)
	case Map:
		return b.writeMap(n, v, rep)
	}
	cell, ok := b.coerce(n, v)
	if !ok {
		b.null(n, rep)
		return false, whole(v)
	}
	cell.Rep, cell.Def = rep, n.def
	b.put(n.lo, cell)
	return true, nil
}

// writeStruct reads an object by its keys and an array by its places. A struct of
// which nothing was written is null.
func (b *builder) writeStruct(n *node, v *fastjson.Value, rep uint8) (bool, *rest) {
	left := &rest{kind: restObject}
	switch v.Type() {
	case fastjson.TypeObject:
	case fastjson.TypeArray:
		places, _ := v.Array()
		left.kind, left.length = restTuple, len(places)
	default:
		b.null(n, rep)
		return false, whole(v)
	}
	base := b.choose(n, v, left)
	written := false
	for i := range n.fields {
		chosen := b.choices[base+i]
		if chosen.value == nil {
			b.null(&n.fields[i], rep)
			continue
		}
		present, refused := b.write(&n.fields[i], chosen.value, rep)
		left.add(chosen.key, refused)
		written = written || present
	}
	b.choices = b.choices[:base]
	if !written {
		b.lift(n, n.def-1)
	}
	return written, left.orNil()
}

// writeList reads an array. An empty one is null, as in the reference. An element
// that is no value of its kind leaves a null in its place.
func (b *builder) writeList(n *node, v *fastjson.Value, rep uint8) (bool, *rest) {
	elements, err := v.Array()
	if err != nil || len(elements) == 0 {
		b.null(n, rep)
		if err != nil {
			return false, whole(v)
		}
		return false, nil
	}
	if n.item.isLeaf() {
		return b.writeLeaves(n, v, elements, rep)
	}
	if n.item.kind == Struct {
		return true, b.writeStructs(n, elements, rep)
	}
	left := &rest{kind: restList, length: len(elements)}
	for i, element := range elements {
		_, refused := b.write(n.item, element, rep)
		if n.item.kind == List && isEmptyArray(element) {
			b.lift(n.item, n.item.def)
		}
		left.place(i, refused)
		rep = n.rep
	}
	return true, left.orNil()
}

// writeStructs reads a list of objects or, if all are arrays, of tuples. Another
// element, also null, leaves an empty struct in its place.
func (b *builder) writeStructs(n *node, elements []*fastjson.Value, rep uint8) *rest {
	kind := structsOf(elements)
	left := &rest{kind: restStructs, length: len(elements)}
	for i, element := range elements {
		var present bool
		var refused *rest
		if element.Type() == kind {
			present, refused = b.writeStruct(n.item, element, rep)
		} else {
			b.null(n.item, rep)
			refused = whole(element)
		}
		if !present {
			b.lift(n.item, n.item.def)
		}
		left.place(i, refused)
		rep = n.rep
	}
	return left.orNil()
}

// structsOf is the type that the elements of a list of structs are read as.
func structsOf(elements []*fastjson.Value) fastjson.Type {
	for _, element := range elements {
		if element.Type() != fastjson.TypeArray {
			return fastjson.TypeObject
		}
	}
	return fastjson.TypeArray
}

// writeLeaves reads a list of plain values. One refused element refuses the list.
func (b *builder) writeLeaves(n *node, v *fastjson.Value, elements []*fastjson.Value, rep uint8) (bool, *rest) {
	first, mark := rep, len(b.cells[n.lo])
	for _, element := range elements {
		cell, ok := b.coerce(n.item, element)
		if !ok {
			clear(b.cells[n.lo][mark:])
			b.cells[n.lo] = b.cells[n.lo][:mark]
			b.null(n, first)
			return false, whole(v)
		}
		cell.Rep, cell.Def = rep, n.item.def
		b.put(n.lo, cell)
		rep = n.rep
	}
	return true, nil
}

// writeMap reads an object. An empty one stays an empty map.
func (b *builder) writeMap(n *node, v *fastjson.Value, rep uint8) (bool, *rest) {
	object, err := v.Object()
	if err != nil {
		b.null(n, rep)
		return false, whole(v)
	}
	if object.Len() == 0 {
		b.null(n, rep)
		b.lift(n, n.def)
		return true, nil
	}
	left := &rest{kind: restObject}
	object.Visit(func(key []byte, value *fastjson.Value) {
		b.put(n.lo, Cell{Rep: rep, Def: n.def + 1, Bytes: key})
		_, refused := b.write(n.item, value, rep)
		left.add(unsafeString(key), refused)
		rep = n.rep
	})
	return true, left.orNil()
}

func (n *node) isLeaf() bool { return n.kind < Struct }

func isEmptyArray(v *fastjson.Value) bool {
	if v.Type() != fastjson.TypeArray {
		return false
	}
	elements, _ := v.Array()
	return len(elements) == 0
}
