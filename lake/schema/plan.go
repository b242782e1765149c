package schema

import "slices"

// node is a column with what is needed to shred values into its leaves.
type node struct {
	name   string // the column, also of the leaves of a list; "element" or "value"
	kind   Kind
	lo, hi int32 // its leaves are lo <= leaf < hi
	def    uint8 // definition level of a value that is present; one less is null
	rep    uint8 // repetition level of the items after the first (List, Map)

	fields []node            // Struct
	index  map[string]target // Struct: the payload's keys known beforehand
	item   *node             // List: element; Map: value
}

// target is the field a key goes to.
type target struct {
	field   int
	renamed bool // the key is not the column's own name
}

// plan is how a payload becomes a row of one table.
type plan struct {
	table   *Table
	system  []systemLeaf
	root    node // a Struct of the payload's columns
	rest    int32
	builder builderPool
}

// systemLeaf is a leaf filled from an attribute.
type systemLeaf struct {
	leaf      int32
	kind      Kind
	def       uint8
	attribute string
}

// newPlan numbers the leaves of a table made of pingColumns(payload).
func newPlan(table *Table, payload int) *plan {
	p := &plan{table: table}
	first := len(table.Columns) - payload - 1
	var next int32
	for _, c := range table.Columns[:first] {
		next = newNode(c, next, 0, 0).hi
	}
	for i, leaf := range table.Leaves()[:next] {
		p.system = append(p.system, systemLeaf{int32(i), leaf.Kind, leaf.MaxDef, systemAttribute(leaf.Path)})
	}
	p.root = node{kind: Struct, lo: next}
	for _, c := range table.Columns[first : first+payload] {
		field := newNode(c, next, 0, 0)
		p.root.fields = append(p.root.fields, field)
		next = field.hi
	}
	p.root.hi = next
	p.root.index = fieldIndex(table.Columns[first : first+payload])
	p.rest = next
	p.builder.leaves = len(table.Leaves())
	return p
}

func newNode(c *Column, leaf int32, def, rep uint8) node {
	n := node{name: c.Name, kind: c.Kind, lo: leaf, def: def + 1}
	switch c.Kind {
	case Struct:
		for _, f := range c.Fields {
			field := newNode(f, leaf, n.def, rep)
			n.fields = append(n.fields, field)
			leaf = field.hi
		}
		n.hi = leaf
		n.index = fieldIndex(c.Fields)
	case List:
		n.rep = rep + 1
		item := newNode(c.Fields[0], leaf, n.def+1, n.rep)
		if item.isLeaf() {
			item.name = n.name // what a text of the column is called, see useCounter
		}
		n.item, n.hi = &item, item.hi
	case Map:
		n.rep = rep + 1
		item := newNode(c.Fields[1], leaf+1, n.def+1, n.rep)
		n.item, n.hi = &item, item.hi
	default:
		n.hi = leaf + 1
	}
	return n
}

// fieldIndex knows the columns' own names, their sources and the renamed Glean
// metric types.
func fieldIndex(columns []*Column) map[string]target {
	index := make(map[string]target, 2*len(columns))
	for i, c := range columns {
		if c.Source != "" {
			index[c.Source] = target{i, true}
		}
	}
	for i, c := range columns {
		index[c.Name] = target{i, false}
	}
	for i, c := range columns {
		if short := c.Name[:len(c.Name)-1]; c.Name == short+"2" && slices.Contains(renamedMetrics, short) {
			index[short] = target{i, true}
		}
	}
	return index
}

// find is the field of a Struct that a key goes to.
func (n *node) find(key string) (target, bool) {
	if to, ok := n.index[key]; ok {
		return to, true
	}
	name := ColumnName(key)
	if name == key {
		return target{}, false
	}
	to, ok := n.index[name]
	if ok && n.fields[to.field].name != name {
		// A key such as Text, beside a column text2: only the key text goes there.
		to.field = slices.IndexFunc(n.fields, func(f node) bool { return f.name == name })
		ok = to.field >= 0
	}
	return target{to.field, true}, ok
}
