package schema

import "time"

// Kind is the type of a column.
type Kind uint8

// The kinds. The first seven are leaves; a Struct has named members in Fields, a
// List one Field (its element), a Map two (key, value).
const (
	Bool      Kind = iota // BOOLEAN
	Int64                 // BIGINT
	Float64               // DOUBLE
	String                // VARCHAR, UTF-8
	Bytes                 // BLOB
	Timestamp             // TIMESTAMP, microseconds UTC since 1970
	Date                  // DATE, days since 1970
	Struct
	List
	Map
)

// Column is one column of a table, or one member of a nested column.
//
// In Parquet every column is optional, with these levels (each adds one to the
// definition level):
//
//	leaf    optional value
//	Struct  optional group
//	List    optional group (LIST) { repeated group list { optional element } }
//	Map     optional group (MAP) { repeated group key_value { required string key; optional value } }
//
// so an absent list has a lower level than an empty one, and an empty one a lower
// level than one whose element is null.
type Column struct {
	Name   string    `json:"name"`
	Kind   Kind      `json:"kind"`
	Fields []*Column `json:"fields,omitempty"`
	// Source is the key of this column in the payload, "" for a column that is
	// not read from the payload.
	Source string `json:"source,omitempty"`
	// Description is the JSON Schema's, for the catalog. One line.
	Description string `json:"description,omitempty"`
}

// Leaf is one physical column.
type Leaf struct {
	Path   []string // names from the root; list elements are "list","element", map parts "key_value","key" or "value"
	Kind   Kind
	MaxDef uint8 // definition level of a present value
	MaxRep uint8
}

// Table is the shape of a table: which dataset it is in and its columns, in
// order. A Table is immutable once built.
type Table struct {
	Dataset string // my_app_live
	Name    string // baseline_v1
	Columns []*Column
	leaves  []Leaf
}

// NewTable is a table with its leaves numbered: depth first, in column order.
func NewTable(dataset, name string, columns []*Column) *Table {
	t := &Table{Dataset: dataset, Name: name, Columns: columns}
	for _, c := range columns {
		t.leaves = appendLeaves(t.leaves, c, nil, 0, 0)
	}
	return t
}

// Leaves are the physical columns. The index into it is Cell.Leaf.
func (t *Table) Leaves() []Leaf { return t.leaves }

// String is dataset.name.
func (t *Table) String() string { return t.Dataset + "." + t.Name }

// In is the same table in another dataset (my_app_stable for my_app_live).
func (t *Table) In(dataset string) *Table {
	other := *t
	other.Dataset = dataset
	return &other
}

func appendLeaves(dst []Leaf, c *Column, path []string, def, rep uint8) []Leaf {
	at := append(append([]string(nil), path...), c.Name)
	def++ // every column is optional
	switch c.Kind {
	case Struct:
		for _, f := range c.Fields {
			dst = appendLeaves(dst, f, at, def, rep)
		}
	case List:
		element := *c.Fields[0]
		element.Name = "element"
		dst = appendLeaves(dst, &element, append(at, "list"), def+1, rep+1)
	case Map:
		at = append(at, "key_value")
		dst = append(dst, Leaf{Path: append(append([]string(nil), at...), "key"), Kind: String, MaxDef: def + 1, MaxRep: rep + 1})
		value := *c.Fields[1]
		value.Name = "value"
		dst = appendLeaves(dst, &value, at, def+1, rep+1)
	default:
		dst = append(dst, Leaf{Path: at, Kind: c.Kind, MaxDef: def, MaxRep: rep})
	}
	return dst
}

// Cell is one value of one leaf, with its Dremel levels. It is null when Def is
// below the leaf's MaxDef.
type Cell struct {
	Leaf     int32
	Rep, Def uint8
	Num      uint64 // Bool 0 or 1; Int64, Timestamp, Date as two's complement; Float64 as IEEE bits
	Bytes    []byte // String, Bytes
}

// Row is one row of a table, shredded.
//
// Cells are grouped by leaf in ascending order, and within a leaf in document
// order. A leaf without a cell is one null of definition level 0.
type Row struct {
	Table *Table
	Date  int32 // the partition: submission_date in days since 1970
	Cells []Cell
	// Coercions are how often values did not fit as they were. Nil: never.
	Coercions *Coercions
}

// DateOf is the UTC date of t in days since 1970.
func DateOf(t time.Time) int32 {
	days := t.Unix() / 86400
	if t.Unix()%86400 < 0 {
		days--
	}
	return int32(days)
}

// FormatDate writes days since 1970 as YYYY-MM-DD.
func FormatDate(days int32) string {
	return time.Unix(int64(days)*86400, 0).UTC().Format(time.DateOnly)
}
