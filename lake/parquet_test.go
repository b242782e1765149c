package lake

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/parquet-go/parquet-go"

	"pinglake/lake/schema"
)

// everyKind has each kind, and each nesting of list, map and struct.
func everyKind() *schema.Table {
	return schema.NewTable("app_live", "every_v1", []*schema.Column{
		column("zeta", schema.Bool), // columns keep their order
		column("alpha", schema.Int64),
		column("ratio", schema.Float64),
		column("text", schema.String),
		column("raw", schema.Bytes),
		column("at", schema.Timestamp),
		column("day", schema.Date),
		column("info", schema.Struct, column("os", schema.String), column("deep", schema.Struct, column("n", schema.Int64), column("b", schema.Bool))),
		listOf("list", column("", schema.Int64)),
		listOf("events", column("", schema.Struct, column("name", schema.String), mapOf("extra", column("", schema.String)))),
		mapOf("counters", column("", schema.Int64)),
		mapOf("labeled", mapOf("", column("", schema.Int64))),
		listOf("matrix", listOf("", column("", schema.Float64))),
	})
}

func TestParquetSchemaKeepsOrderAndNesting(t *testing.T) {
	y, err := newLayout(everyKind())
	if err != nil {
		t.Fatal(err)
	}
	want := strings.TrimSpace(`
message every_v1 {
	optional boolean zeta;
	optional int64 alpha (INT(64,true));
	optional double ratio;
	optional binary text (STRING);
	optional binary raw;
	optional int64 at (TIMESTAMP(isAdjustedToUTC=false,unit=MICROS));
	optional int32 day (DATE);
	optional group info {
		optional binary os (STRING);
		optional group deep {
			optional int64 n (INT(64,true));
			optional boolean b;
		}
	}
	optional group list (LIST) {
		repeated group list {
			optional int64 element (INT(64,true));
		}
	}
	optional group events (LIST) {
		repeated group list {
			optional group element {
				optional binary name (STRING);
				optional group extra (MAP) {
					repeated group key_value {
						required binary key (STRING);
						optional binary value (STRING);
					}
				}
			}
		}
	}
	optional group counters (MAP) {
		repeated group key_value {
			required binary key (STRING);
			optional int64 value (INT(64,true));
		}
	}
	optional group labeled (MAP) {
		repeated group key_value {
			required binary key (STRING);
			optional group value (MAP) {
				repeated group key_value {
					required binary key (STRING);
					optional int64 value (INT(64,true));
				}
			}
		}
	}
	optional group matrix (LIST) {
		repeated group list {
			optional group element (LIST) {
				repeated group list {
					optional double element;
				}
			}
		}
	}
}`)
	if diff := cmp.Diff(want, y.parquet.String()); diff != "" {
		t.Error(diff)
	}
	for i, path := range y.parquet.Columns() {
		leaf := y.leaves[i]
		if got, want := strings.Join(path, "."), strings.Join(leaf.Path, "."); got != want {
			t.Errorf("leaf %d is %s in Parquet and %s in the table", i, got, want)
		}
		column, _ := y.parquet.Lookup(path...)
		if column.ColumnIndex != i {
			t.Errorf("%v is column %d in Parquet and leaf %d in the table", path, column.ColumnIndex, i)
		}
	}
}

func TestLayoutRefusesWhatParquetCannotKeep(t *testing.T) {
	cases := []struct {
		name    string
		columns []*schema.Column
		want    string
	}{
		{"no columns", nil, "a.t: the table has no members: Parquet cannot keep it"},
		{"empty struct", []*schema.Column{listOf("l", column("", schema.Struct))}, "a.t: l.element has no members: Parquet cannot keep it"},
		{"same name twice", []*schema.Column{column("s", schema.Struct, column("x", schema.Bool), column("x", schema.Date))}, `a.t: column "s.x": its name is empty or taken`},
		{"map without a string key", []*schema.Column{column("m", schema.Map, column("", schema.Int64), column("", schema.Int64))}, "a.t: map m needs a string key and a value"},
		{"unknown kind", []*schema.Column{column("k", schema.Map+1)}, "a.t: column k has the unknown kind 10"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			_, err := newLayout(&schema.Table{Dataset: "a", Name: "t", Columns: c.columns})
			if err == nil || err.Error() != c.want {
				t.Errorf("error %v, want %s", err, c.want)
			}
		})
	}
}

// TestRowsComeBackAsTheyWere pins the levels of every nesting: r is the
// repetition level, d the definition level, ~ a null.
func TestRowsComeBackAsTheyWere(t *testing.T) {
	cases := []struct {
		name string
		row  object
		want string // the leaves that are not one null of level 0
	}{
		{"nothing", object{}, ``},
		{"leaves", object{"zeta": true, "alpha": -5, "ratio": 0.5, "text": "é", "raw": "\x00\xff", "at": 1_763_000_000_000_001, "day": 20000}, `
zeta  r0 d1 true
alpha  r0 d1 -5
ratio  r0 d1 0.5
text  r0 d1 é
raw  r0 d1 "\x00\xff"
at  r0 d1 1763000000000001
day  r0 d1 20000`},
		{"zero values are not null", object{"zeta": false, "alpha": 0, "ratio": 0.0, "text": "", "raw": ""}, `
zeta  r0 d1 false
alpha  r0 d1 0
ratio  r0 d1 0
text  r0 d1 ""
raw  r0 d1 ""`},
		{"struct without a member", object{"info": object{"os": "Linux"}}, `
info.os  r0 d2 Linux
info.deep.n  r0 d1 ~
info.deep.b  r0 d1 ~`},
		{"struct of nulls", object{"info": object{"deep": object{}}}, `
info.os  r0 d1 ~
info.deep.n  r0 d2 ~
info.deep.b  r0 d2 ~`},
		{"empty list", object{"list": []any{}}, `
list.list.element  r0 d1 ~`},
		{"list with a null", object{"list": []any{1, nil, 3}}, `
list.list.element  r0 d3 1  r1 d2 ~  r1 d3 3`},
		{"list of structs with maps", object{"events": []any{object{"name": "a", "extra": pairs{{"k", "v"}, {"l", nil}}}, nil, object{"extra": pairs{}}}}, `
events.list.element.name  r0 d4 a  r1 d2 ~  r1 d3 ~
events.list.element.extra.key_value.key  r0 d5 k  r2 d5 l  r1 d2 ~  r1 d4 ~
events.list.element.extra.key_value.value  r0 d6 v  r2 d5 ~  r1 d2 ~  r1 d4 ~`},
		{"map", object{"counters": pairs{{"b", 2}, {"a", nil}}}, `
counters.key_value.key  r0 d2 b  r1 d2 a
counters.key_value.value  r0 d3 2  r1 d2 ~`},
		{"map of maps", object{"labeled": pairs{{"x", pairs{{"p", 1}, {"q", 2}}}, {"y", pairs{}}, {"z", nil}}}, `
labeled.key_value.key  r0 d2 x  r1 d2 y  r1 d2 z
labeled.key_value.value.key_value.key  r0 d4 p  r2 d4 q  r1 d3 ~  r1 d2 ~
labeled.key_value.value.key_value.value  r0 d5 1  r2 d5 2  r1 d3 ~  r1 d2 ~`},
		{"list of lists", object{"matrix": []any{[]any{1.5, nil}, []any{}, nil, []any{2.5}}}, `
matrix.list.element.list.element  r0 d5 1.5  r2 d4 ~  r1 d3 ~  r1 d2 ~  r1 d5 2.5`},
	}
	table := everyKind()
	y, err := newLayout(table)
	if err != nil {
		t.Fatal(err)
	}
	l := testLake(t, Options{})
	all := newTableFile(y, l.codec)
	for _, c := range cases {
		row := shred(table, 20000, c.row)
		if err := y.check.row(row.Cells); err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		if _, err := all.add(&row); err != nil {
			t.Fatal(err)
		}
	}
	var file bytes.Buffer
	if err := all.finish(&file); err != nil {
		t.Fatal(err)
	}
	got := readRows(t, bytes.NewReader(file.Bytes()), int64(file.Len()))
	for i, c := range cases {
		if diff := cmp.Diff(strings.TrimSpace(c.want), got[i]); diff != "" {
			t.Errorf("%s: (-want +got)\n%s", c.name, diff)
		}
	}
}

// readRows are the rows of a Parquet file as text.
func readRows(t testing.TB, r io.ReaderAt, size int64) []string {
	t.Helper()
	file, err := parquet.OpenFile(r, size)
	if err != nil {
		t.Fatal(err)
	}
	reader := parquet.NewReader(file)
	defer func() { _ = reader.Close() }()
	var texts []string
	rows := make([]parquet.Row, 10)
	for {
		n, err := reader.ReadRows(rows)
		for _, row := range rows[:n] {
			texts = append(texts, rowText(file.Schema().Columns(), row))
		}
		if errors.Is(err, io.EOF) {
			return texts
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

func rowText(columns [][]string, row parquet.Row) string {
	var lines []string
	for i, values := range row.Range {
		if len(values) == 1 && values[0].DefinitionLevel() == 0 {
			continue
		}
		line := strings.Join(columns[i], ".")
		for _, v := range values {
			line += fmt.Sprintf("  r%d d%d %s", v.RepetitionLevel(), v.DefinitionLevel(), valueText(v))
		}
		lines = append(lines, line)
	}
	return strings.Join(lines, "\n")
}

func valueText(v parquet.Value) string {
	if v.IsNull() {
		return "~"
	}
	text := v.String()
	if quoted := fmt.Sprintf("%q", text); text == "" || strings.Contains(quoted, `\`) {
		return quoted
	}
	return text
}

func readFile(t testing.TB, path string) []string {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return readRows(t, bytes.NewReader(content), int64(len(content)))
}

func TestRowsWhoseLeavesContradictEachOtherAreRefused(t *testing.T) {
	table := everyKind()
	leaf := map[string]int32{}
	for i, l := range table.Leaves() {
		leaf[strings.Join(l.Path, ".")] = int32(i)
	}
	cases := []struct {
		name  string
		cells []schema.Cell
		want  string
	}{
		{"a struct with a member that says nothing", []schema.Cell{{Leaf: leaf["info.os"], Def: 2}},
			"info is there, but only 1 of its 3 leaves have cells"},
		{"a struct that one member calls null", []schema.Cell{{Leaf: leaf["info.os"], Def: 2}, {Leaf: leaf["info.deep.n"]}, {Leaf: leaf["info.deep.b"], Def: 1}},
			"info: its leaves disagree at info.deep.n"},
		{"a map with more keys than values", []schema.Cell{
			{Leaf: leaf["counters.key_value.key"], Def: 2}, {Leaf: leaf["counters.key_value.key"], Rep: 1, Def: 2}, {Leaf: leaf["counters.key_value.value"], Def: 3}},
			"counters: its leaves disagree at counters.key_value.value"},
		{"leaves out of order", []schema.Cell{{Leaf: 1, Def: 1}, {Leaf: 0, Def: 1}}, "cell 1 is of leaf 0: after leaf 1, of 20"},
		{"a leaf that is not there", []schema.Cell{{Leaf: 99, Def: 1}}, "cell 0 is of leaf 99: after leaf -1, of 20"},
		{"two values of a leaf", []schema.Cell{{Leaf: 1, Def: 1}, {Leaf: 1, Def: 1}}, "alpha: cell 1 has levels r0 d1, of r0 d1"},
		{"too deep", []schema.Cell{{Leaf: 1, Def: 2}}, "alpha: cell 0 has levels r0 d2, of r0 d1"},
		{"an absent struct may say so", []schema.Cell{{Leaf: leaf["info.os"]}}, "<nil>"},
	}
	check := newRowCheck(table)
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			if got := fmt.Sprint(check.row(c.cells)); got != c.want {
				t.Errorf("%s, want %s", got, c.want)
			}
			fine := shred(table, 20000, object{"info": object{}, "counters": pairs{{"a", 1}}})
			if err := check.row(fine.Cells); err != nil {
				t.Errorf("the next row: %v", err)
			}
		})
	}
}

func TestFooterDoesNotRepeatPayloads(t *testing.T) {
	table := schema.NewTable("payload_bytes_error", "structured", []*schema.Column{column("payload", schema.Bytes), column("additional_properties", schema.String)})
	y, err := newLayout(table)
	if err != nil {
		t.Fatal(err)
	}
	l := testLake(t, Options{})
	f := newTableFile(y, l.codec)
	row := shred(table, 20000, object{"payload": strings.Repeat("secret", 1000), "additional_properties": strings.Repeat("extra", 1000)})
	if _, err := f.add(&row); err != nil {
		t.Fatal(err)
	}
	var file bytes.Buffer
	if err := f.finish(&file); err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{"secretsecret", "extraextra"} {
		// Compressed, the repeated text shows up at most once.
		if n := strings.Count(file.String(), text); n > 1 {
			t.Errorf("%s is in the file %d times", text, n)
		}
	}
}
