package lake

import (
	"fmt"
	"math"
	"reflect"
	"strings"

	"github.com/parquet-go/parquet-go"

	"pinglake/lake/schema"
)

// layout is what writing a table needs, worked out once.
type layout struct {
	table   *schema.Table
	parquet *parquet.Schema
	leaves  []schema.Leaf
	check   *rowCheck
	noStats []schema.Leaf // leaves whose smallest and largest value stay out of the footer
}

func newLayout(t *schema.Table) (*layout, error) {
	root, err := groupNode(t.Columns, "")
	if err != nil {
		return nil, fmt.Errorf("%s: %w", t, err)
	}
	y := &layout{table: t, parquet: parquet.NewSchema(t.Name, root), leaves: t.Leaves(), check: newRowCheck(t)}
	for _, leaf := range y.leaves {
		// Both would be whole values: a payload twice more in every footer.
		if leaf.Kind == schema.Bytes || leaf.Path[0] == "additional_properties" {
			y.noStats = append(y.noStats, leaf)
		}
	}
	return y, nil
}

// groupNode is the group of the columns, in their order.
func groupNode(columns []*schema.Column, path string) (parquet.Node, error) {
	if len(columns) == 0 {
		return nil, fmt.Errorf("%s has no members: Parquet cannot keep it", or(path, "the table"))
	}
	group := &orderedGroup{}
	seen := map[string]bool{}
	for _, c := range columns {
		at := join(path, c.Name)
		if c.Name == "" || seen[c.Name] {
			return nil, fmt.Errorf("column %q: its name is empty or taken", at)
		}
		seen[c.Name] = true
		node, err := columnNode(c, at)
		if err != nil {
			return nil, err
		}
		group.fields = append(group.fields, &orderedField{Node: parquet.Optional(node), name: c.Name})
	}
	return group, nil
}

// columnNode is the node of a column, before the optional around it.
func columnNode(c *schema.Column, path string) (parquet.Node, error) {
	switch c.Kind {
	case schema.Struct:
		return groupNode(c.Fields, path)
	case schema.List:
		if len(c.Fields) != 1 {
			return nil, fmt.Errorf("list %s has %d elements, not 1", path, len(c.Fields))
		}
		element, err := columnNode(c.Fields[0], join(path, "element"))
		if err != nil {
			return nil, err
		}
		return parquet.List(parquet.Optional(element)), nil
	case schema.Map:
		if len(c.Fields) != 2 || c.Fields[0].Kind != schema.String {
			return nil, fmt.Errorf("map %s needs a string key and a value", path)
		}
		value, err := columnNode(c.Fields[1], join(path, "value"))
		if err != nil {
			return nil, err
		}
		return parquet.Map(leafNode(schema.String), parquet.Optional(value)), nil
	}
	if c.Kind > schema.Map {
		return nil, fmt.Errorf("column %s has the unknown kind %d", path, c.Kind)
	}
	return leafNode(c.Kind), nil
}

func leafNode(kind schema.Kind) parquet.Node {
	switch kind {
	case schema.Bool:
		return parquet.Leaf(parquet.BooleanType)
	case schema.Int64:
		return parquet.Leaf(parquet.Int64Type)
	case schema.Float64:
		return parquet.Leaf(parquet.DoubleType)
	case schema.Timestamp:
		// Not adjusted to UTC, or DuckDB shows it in the session's time zone. It is UTC.
		return parquet.TimestampAdjusted(parquet.Microsecond, false)
	case schema.Date:
		return parquet.Date()
	case schema.Bytes:
		return parquet.Leaf(parquet.ByteArrayType)
	}
	return parquet.String()
}

// value is the Parquet value of a cell.
func value(kind schema.Kind, maxDef uint8, c *schema.Cell) parquet.Value {
	var v parquet.Value
	if c.Def == maxDef {
		v = presentValue(kind, c)
	}
	return v.Level(int(c.Rep), int(c.Def), int(c.Leaf))
}

func presentValue(kind schema.Kind, c *schema.Cell) parquet.Value {
	switch kind {
	case schema.Bool:
		return parquet.BooleanValue(c.Num != 0)
	case schema.Int64, schema.Timestamp:
		return parquet.Int64Value(int64(c.Num))
	case schema.Float64:
		return parquet.DoubleValue(math.Float64frombits(c.Num))
	case schema.Date:
		return parquet.Int32Value(int32(int64(c.Num)))
	}
	return parquet.ByteArrayValue(c.Bytes)
}

// orderedGroup is a group whose members keep their order: parquet.Group sorts
// them by name. It takes everything else from an empty one.
type orderedGroup struct {
	parquet.Group
	fields []parquet.Field
}

// Fields are the members in declared order.
func (g *orderedGroup) Fields() []parquet.Field { return g.fields }

// GoType is never asked for: rows are written as values.
func (g *orderedGroup) GoType() reflect.Type { return reflect.TypeFor[struct{}]() }

// String is the group in Parquet's own notation.
func (g *orderedGroup) String() string {
	var text strings.Builder
	if err := parquet.PrintSchema(&text, "", g); err != nil {
		return err.Error()
	}
	return text.String()
}

type orderedField struct {
	parquet.Node
	name string
}

// Name is the member's.
func (f *orderedField) Name() string { return f.name }

// Value is never asked for: rows are written as values.
func (f *orderedField) Value(reflect.Value) reflect.Value { return reflect.Value{} }

func join(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}

func or(text, otherwise string) string {
	if text == "" {
		return otherwise
	}
	return text
}
