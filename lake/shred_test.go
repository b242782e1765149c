package lake

import (
	"fmt"
	"math"

	"pinglake/lake/schema"
)

// The tests write rows as Go values: nil is null, object a struct, []any a list,
// pairs a map in its order.
type (
	object map[string]any
	pair   struct {
		key   string
		value any
	}
	pairs []pair
)

// column is a schema.Column in one line.
func column(name string, kind schema.Kind, fields ...*schema.Column) *schema.Column {
	return &schema.Column{Name: name, Kind: kind, Fields: fields}
}

func listOf(name string, element *schema.Column) *schema.Column {
	return column(name, schema.List, element)
}

func mapOf(name string, value *schema.Column) *schema.Column {
	return column(name, schema.Map, column("key", schema.String), value)
}

// shred makes the row of a table, by the plain reading of the levels that
// schema.Column documents.
func shred(t *schema.Table, date int32, values object) schema.Row {
	s := &shredder{cells: make([][]schema.Cell, len(t.Leaves()))}
	for _, c := range t.Columns {
		s.column(c, values[c.Name], 0, 0, 0)
	}
	row := schema.Row{Table: t, Date: date}
	for _, cells := range s.cells {
		if len(cells) == 1 && cells[0].Def == 0 {
			continue // may be left out
		}
		row.Cells = append(row.Cells, cells...)
	}
	return row
}

type shredder struct {
	cells [][]schema.Cell
	leaf  int
}

func (s *shredder) column(c *schema.Column, v any, rep, def, depth uint8) {
	if v != nil {
		def++
	}
	start := s.leaf
	switch c.Kind {
	case schema.Struct:
		members, _ := v.(object)
		for _, f := range c.Fields {
			s.column(f, members[f.Name], rep, def, depth)
		}
	case schema.List:
		elements, _ := v.([]any)
		s.repeated(len(elements), rep, def, depth, func(i int, rep, def uint8) {
			var element any
			if i >= 0 {
				element = elements[i]
			}
			s.leaf = start
			s.column(c.Fields[0], element, rep, def, depth+1)
		})
	case schema.Map:
		entries, _ := v.(pairs)
		s.repeated(len(entries), rep, def, depth, func(i int, rep, def uint8) {
			s.leaf = start
			if i < 0 {
				s.add(schema.Cell{Rep: rep, Def: def})
				s.column(c.Fields[1], nil, rep, def, depth+1)
				return
			}
			s.add(schema.Cell{Rep: rep, Def: def, Bytes: []byte(entries[i].key)})
			s.column(c.Fields[1], entries[i].value, rep, def, depth+1)
		})
	default:
		cell := cellOf(v)
		cell.Rep, cell.Def = rep, def
		s.add(cell)
	}
}

// repeated calls for each entry, or once with -1 for none.
func (s *shredder) repeated(n int, rep, def, depth uint8, entry func(i int, rep, def uint8)) {
	if n == 0 {
		entry(-1, rep, def)
		return
	}
	for i := range n {
		entry(i, rep, def+1)
		rep = depth + 1
	}
}

func (s *shredder) add(c schema.Cell) {
	c.Leaf = int32(s.leaf)
	s.cells[s.leaf] = append(s.cells[s.leaf], c)
	s.leaf++
}

func cellOf(v any) schema.Cell {
	switch v := v.(type) {
	case nil:
		return schema.Cell{}
	case bool:
		if v {
			return schema.Cell{Num: 1}
		}
		return schema.Cell{}
	case int:
		return schema.Cell{Num: uint64(v)}
	case float64:
		return schema.Cell{Num: math.Float64bits(v)}
	case string:
		return schema.Cell{Bytes: []byte(v)}
	}
	panic(fmt.Sprintf("no cell of %T", v))
}
