package schema

import (
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/valyala/fastjson"
)

// assemble turns a row's cells back into nested values: a struct is a
// map[string]any without its null members, a map is a map[string]any, a list is
// []any, null is nil. It knows nothing of the shredder but the levels that Column
// documents.
func assemble(row Row) (map[string]any, error) {
	leaves := row.Table.Leaves()
	streams := make([][]Cell, len(leaves))
	last := int32(-1)
	for _, cell := range row.Cells {
		if cell.Leaf < last || int(cell.Leaf) >= len(leaves) {
			return nil, fmt.Errorf("leaf %d after %d of %d", cell.Leaf, last, len(leaves))
		}
		if leaf := leaves[cell.Leaf]; cell.Def > leaf.MaxDef || cell.Rep > leaf.MaxRep {
			return nil, fmt.Errorf("levels %d, %d above those of %v", cell.Rep, cell.Def, leaf)
		}
		last = cell.Leaf
		streams[cell.Leaf] = append(streams[cell.Leaf], cell)
	}
	for i := range streams {
		if len(streams[i]) == 0 {
			streams[i] = []Cell{{Leaf: int32(i)}}
		}
		if streams[i][0].Rep != 0 {
			return nil, fmt.Errorf("leaf %v begins with repetition %d", leaves[i].Path, streams[i][0].Rep)
		}
	}
	a := &assembler{streams: streams}
	tree := map[string]any{}
	var leaf int
	for _, c := range row.Table.Columns {
		value, next, err := a.column(c, leaf, 0, 0)
		if err != nil {
			return nil, err
		}
		if value != nil {
			tree[c.Name] = value
		}
		leaf = next
	}
	for i, stream := range a.streams {
		if len(stream) > 0 {
			return nil, fmt.Errorf("leaf %v: %d cells too many", leaves[i].Path, len(stream))
		}
	}
	return tree, nil
}

type assembler struct{ streams [][]Cell }

// column reads one value of c from the streams of leaves lo and up. def is the
// level of c's parent.
func (a *assembler) column(c *Column, lo int, def, rep uint8) (any, int, error) {
	def++
	hi := lo + countLeaves(c)
	level, err := a.level(lo, hi, def)
	if err != nil {
		return nil, hi, fmt.Errorf("%s: %w", c.Name, err)
	}
	if level < def {
		a.drop(lo, hi)
		return nil, hi, nil
	}
	switch c.Kind {
	case Struct:
		members := map[string]any{}
		at := lo
		for _, f := range c.Fields {
			value, next, err := a.column(f, at, def, rep)
			if err != nil {
				return nil, hi, fmt.Errorf("%s.%w", c.Name, err)
			}
			if value != nil {
				members[f.Name] = value
			}
			at = next
		}
		return members, hi, nil
	case List:
		list := []any{}
		if level == def {
			a.drop(lo, hi)
			return list, hi, nil
		}
		for first := true; first || a.repeats(lo, rep+1); first = false {
			value, _, err := a.column(c.Fields[0], lo, def+1, rep+1)
			if err != nil {
				return nil, hi, fmt.Errorf("%s[].%w", c.Name, err)
			}
			list = append(list, value)
		}
		return list, hi, nil
	case Map:
		entries := map[string]any{}
		if level == def {
			a.drop(lo, hi)
			return entries, hi, nil
		}
		for first := true; first || a.repeats(lo, rep+1); first = false {
			key := string(a.next(lo).Bytes)
			value, _, err := a.column(c.Fields[1], lo+1, def+1, rep+1)
			if err != nil {
				return nil, hi, fmt.Errorf("%s{}.%w", c.Name, err)
			}
			entries[key] = value
		}
		return entries, hi, nil
	}
	return leafValue(c.Kind, a.next(lo)), hi, nil
}

// level is the definition level of the next cell of all leaves, as far as it says
// something at def: the leaves must agree.
func (a *assembler) level(lo, hi int, def uint8) (uint8, error) {
	var common uint8
	for i := lo; i < hi; i++ {
		if len(a.streams[i]) == 0 {
			return 0, fmt.Errorf("leaf %d has too few cells", i)
		}
		level := min(a.streams[i][0].Def, def+1)
		if i > lo && (min(level, def) != min(common, def)) {
			return 0, fmt.Errorf("leaf %d is at level %d, its siblings at %d", i, level, common)
		}
		common = max(common, level)
	}
	return common, nil
}

func (a *assembler) next(leaf int) Cell {
	cell := a.streams[leaf][0]
	a.streams[leaf] = a.streams[leaf][1:]
	return cell
}

func (a *assembler) drop(lo, hi int) {
	for i := lo; i < hi; i++ {
		a.next(i)
	}
}

func (a *assembler) repeats(leaf int, rep uint8) bool {
	return len(a.streams[leaf]) > 0 && a.streams[leaf][0].Rep == rep
}

func countLeaves(c *Column) int { return len(NewTable("", "", []*Column{c}).Leaves()) }

func leafValue(kind Kind, cell Cell) any {
	switch kind {
	case Bool:
		return cell.Num == 1
	case Int64:
		return int64(cell.Num)
	case Float64:
		return math.Float64frombits(cell.Num)
	case Timestamp:
		return time.UnixMicro(int64(cell.Num)).UTC()
	case Bytes:
		return cell.Bytes
	}
	return string(cell.Bytes)
}

// checkReassembles makes a row and says whether its cells are consistent and hold
// the payload: with what was left over, nothing may be missing.
func checkReassembles(t testing.TB, d *Doctype, document Document) map[string]any {
	t.Helper()
	row, err := d.Row(document)
	if err != nil {
		t.Fatal(err)
	}
	tree, err := assemble(row)
	if err != nil {
		t.Fatalf("cells: %v", err)
	}
	text, _ := tree[additionalProperties].(string)
	if _, isObject := decodeJSON(t, "additional_properties", text).(map[string]any); !isObject {
		t.Fatalf("additional_properties %q is no object", text)
	}
	return tree
}

// rowJSON is a payload's row as reviewable text: the payload's columns, then what
// is left over.
func rowJSON(t testing.TB, d *Doctype, payload string) (row, left string) {
	t.Helper()
	v, err := fastjson.Parse(payload)
	if err != nil {
		t.Fatal(err)
	}
	tree := checkReassembles(t, d, Document{Payload: v, Submitted: submitted})
	left, _ = tree[additionalProperties].(string)
	for name := range tree {
		if isSystemColumn(name) {
			delete(tree, name)
		}
	}
	text, err := json.Marshal(tree)
	if err != nil {
		t.Fatal(err)
	}
	return string(text), left
}

// decodeJSON reads text with its numbers as they are written.
func decodeJSON(t testing.TB, what, text string) any {
	t.Helper()
	var v any
	if err := decodeNumbers(text, &v); err != nil {
		t.Fatalf("%s: %q: %v", what, text, err)
	}
	return v
}

func decodeNumbers(text string, to any) error {
	decoder := json.NewDecoder(strings.NewReader(text))
	decoder.UseNumber()
	return decoder.Decode(to)
}

// sameJSON compares two JSON texts by meaning, but numbers by their text.
func sameJSON(t testing.TB, what, got, want string) {
	t.Helper()
	if diff := cmp.Diff(decodeJSON(t, what, want), decodeJSON(t, what, got)); diff != "" {
		t.Errorf("%s:\n got %s\nwant %s", what, got, want)
	}
}
