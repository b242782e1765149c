package lake

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"pinglake/lake/schema"
)

// columnsText is a column tree as text.
func columnsText(columns []*schema.Column) string {
	var parts []string
	for _, c := range columns {
		text := strings.TrimSpace(c.Name + " " + kindText(c.Kind))
		if len(c.Fields) > 0 {
			text += "(" + columnsText(c.Fields) + ")"
		}
		parts = append(parts, text)
	}
	return strings.Join(parts, ", ")
}

func TestEnsureTableMergesColumns(t *testing.T) {
	i, s := schema.Int64, schema.String
	have := []*schema.Column{
		column("a", i),
		column("info", schema.Struct, column("os", s), column("deep", schema.Struct, column("x", i))),
		listOf("events", column("", schema.Struct, column("name", s))),
		mapOf("m", column("", schema.Struct, column("v", i))),
	}
	const same = "a BIGINT, info STRUCT(os VARCHAR, deep STRUCT(x BIGINT)), events LIST(STRUCT(name VARCHAR)), m MAP(key VARCHAR, STRUCT(v BIGINT))"
	cases := []struct {
		name string
		want []*schema.Column
		text string // of the merged columns, or the error
	}{
		{"the same", have, same},
		{"columns gone", have[:1], same},
		{"another order", []*schema.Column{have[2], have[0]}, same},
		{"a new column", []*schema.Column{column("b", schema.Date)}, same + ", b DATE"},
		{"in a struct", []*schema.Column{column("info", schema.Struct, column("arch", s))},
			"a BIGINT, info STRUCT(os VARCHAR, deep STRUCT(x BIGINT), arch VARCHAR), events LIST(STRUCT(name VARCHAR)), m MAP(key VARCHAR, STRUCT(v BIGINT))"},
		{"deeper", []*schema.Column{column("info", schema.Struct, column("deep", schema.Struct, column("y", i)))},
			"a BIGINT, info STRUCT(os VARCHAR, deep STRUCT(x BIGINT, y BIGINT)), events LIST(STRUCT(name VARCHAR)), m MAP(key VARCHAR, STRUCT(v BIGINT))"},
		{"in a list", []*schema.Column{listOf("events", column("", schema.Struct, column("at", i)))},
			"a BIGINT, info STRUCT(os VARCHAR, deep STRUCT(x BIGINT)), events LIST(STRUCT(name VARCHAR, at BIGINT)), m MAP(key VARCHAR, STRUCT(v BIGINT))"},
		{"in a map", []*schema.Column{mapOf("m", column("", schema.Struct, column("w", s)))},
			"a BIGINT, info STRUCT(os VARCHAR, deep STRUCT(x BIGINT)), events LIST(STRUCT(name VARCHAR)), m MAP(key VARCHAR, STRUCT(v BIGINT, w VARCHAR))"},
		{"another kind", []*schema.Column{column("a", s)},
			"ensure table app_live.t_v1: incompatible columns: column a is BIGINT in the lake and VARCHAR in the schema"},
		{"another kind, deeper", []*schema.Column{column("b", i), mapOf("m", column("", schema.Struct, column("v", schema.Bool)))},
			"ensure table app_live.t_v1: incompatible columns: column m.value.v is BIGINT in the lake and BOOLEAN in the schema"},
		{"a leaf that becomes a struct", []*schema.Column{column("a", schema.Struct, column("x", i))},
			"ensure table app_live.t_v1: incompatible columns: column a is BIGINT in the lake and STRUCT in the schema"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			var told []string
			options := Options{OnTable: func(t *schema.Table) { told = append(told, columnsText(t.Columns)) }}
			l := testLake(t, options)
			if err := l.EnsureTable(schema.NewTable("app_live", "t_v1", have)); err != nil {
				t.Fatal(err)
			}
			options.Dir, options.Staging = l.dir, l.staging
			reopened, err := Open(options)
			if err != nil {
				t.Fatal(err)
			}
			told = nil
			err = reopened.EnsureTable(schema.NewTable("app_live", "t_v1", c.want))
			if strings.HasPrefix(c.text, "ensure table") {
				if err == nil || err.Error() != c.text || !errors.Is(err, ErrIncompatible) {
					t.Errorf("error %v\nwant %s", err, c.text)
				}
				c.text = same
			} else if err != nil {
				t.Fatal(err)
			}
			columns, err := reopened.readColumns(TableRef{"app_live", "t_v1"})
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.text, columnsText(columns)); diff != "" {
				t.Error(diff)
			}
			var want []string
			if c.text != same {
				want = []string{c.text}
			}
			if diff := cmp.Diff(want, told); diff != "" {
				t.Errorf("OnTable: %s", diff)
			}
		})
	}
}

func TestEnsureTableWritesOnlyWhatChanged(t *testing.T) {
	l := testLake(t, Options{})
	writes := 0
	l.disk.before = func(op, path string) error {
		if op == "create" {
			writes++
		}
		return nil
	}
	a := schema.NewTable("app_live", "t_v1", []*schema.Column{column("a", schema.Int64), column("b", schema.Int64)})
	described := schema.NewTable("app_live", "t_v1", []*schema.Column{{Name: "a", Kind: schema.Int64, Description: "now described"}})
	for range 2 {
		for _, table := range []*schema.Table{a, described} {
			if err := l.EnsureTable(table); err != nil {
				t.Fatal(err)
			}
		}
	}
	if writes != 1 {
		t.Errorf("%d zero-row files written, want 1", writes)
	}
}

func TestRowsOfOldAndNewColumnsGoToFilesOfTheirOwn(t *testing.T) {
	l := testLake(t, Options{})
	narrow := numbers("t_v1")
	wider := schema.NewTable(narrow.Dataset, narrow.Name, []*schema.Column{column("s", schema.String), column("n", schema.Int64)})
	publish(t, stage(t, l, 3, 4, number(narrow, testDate, 1), shred(wider, testDate, object{"s": "x", "n": 2}), number(narrow, testDate, 3)))
	files, err := l.Files(refOf(narrow), testDate)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, file := range files {
		got = append(got, filepath.Base(file)+": "+strings.Join(readFile(t, file), "; "))
	}
	if len(got) != 2 {
		t.Fatalf("files %v", got)
	}
	text := strings.Join(got, "\n")
	for _, want := range []string{
		"00-00000000000000000003-00000000000000000004.parquet: ", "00-00000000000000000003-00000000000000000004-1.parquet: ",
		"n  r0 d1 1; n  r0 d1 3", "s  r0 d1 x\nn  r0 d1 2",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is not in\n%s", want, text)
		}
	}
}

func TestADamagedZeroRowFileIsCorrupt(t *testing.T) {
	l := testLake(t, Options{})
	path := l.SchemaFile(TableRef{"app_live", "a_v1"})
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte("not parquet at all"), 0o644); err != nil {
		t.Fatal(err)
	}
	err := l.EnsureTable(numbers("a_v1"))
	if !errors.Is(err, ErrCorrupt) {
		t.Errorf("%v is not ErrCorrupt", err)
	}
	wantError(t, err, "ensure table app_live.a_v1: read metadata: lake is corrupt: "+path)
}

func TestABatchKeepsItsMemoryBounded(t *testing.T) {
	l := testLake(t, Options{})
	b := l.NewBatch()
	b.maxHeld = 1 << 20
	table := schema.NewTable("app_live", "t_v1", []*schema.Column{column("n", schema.Int64), column("text", schema.String)})
	const rows, dates = 2000, 40
	for i := range rows {
		if err := b.Add(shred(table, testDate+int32(i%dates), object{"n": i, "text": strings.Repeat("x", 5000)})); err != nil {
			t.Fatal(err)
		}
		held := int64(0)
		for _, f := range b.open {
			held += f.held
		}
		if held != b.held || held > b.maxHeld {
			t.Fatalf("after %d rows %d bytes are held, the batch counts %d", i+1, held, b.held)
		}
	}
	if b.Rows() != rows || b.Bytes() < rows*5000 {
		t.Errorf("%d rows, %d bytes", b.Rows(), b.Bytes())
	}
	s, err := b.Stage(t.Context(), 1, 1)
	if err != nil {
		t.Fatal(err)
	}
	publish(t, s)
	found := 0
	for date := range int32(dates) {
		files, err := l.Files(refOf(table), testDate+date)
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			found += len(readFile(t, file))
		}
	}
	if found != rows {
		t.Errorf("%d rows in the lake, want %d", found, rows)
	}
}

func TestStageReplacesALeftoverOfTheSameSpan(t *testing.T) {
	l := testLake(t, Options{})
	table := numbers("a_v1")
	stage(t, l, 1, 2, number(table, testDate, 1))
	again := l.NewBatch()
	if err := again.Add(number(table, testDate, 2)); err != nil {
		t.Fatal(err)
	}
	// The span that is there was never committed: its caller stages it again.
	second, err := again.Stage(t.Context(), 1, 2)
	if err != nil {
		t.Fatal(err)
	}
	publish(t, second)
	if diff := cmp.Diff("app_live.a_v1/2026-11-21: 2", contents(t, l)); diff != "" {
		t.Error(diff)
	}
}

func TestPublishingReplacesNothing(t *testing.T) {
	l := testLake(t, Options{})
	table := numbers("a_v1")
	publish(t, stage(t, l, 1, 2, number(table, testDate, 1)))
	// The same span again, as after an index was lost and positions began anew.
	err := stage(t, l, 1, 2, number(table, testDate, 5)).Publish()
	if !errors.Is(err, ErrCorrupt) {
		t.Errorf("got %v", err)
	}
	if diff := cmp.Diff("app_live.a_v1/2026-11-21: 1", contents(t, l)); diff != "" {
		t.Error(diff)
	}
	if first, last, err := l.LastSpan(); err != nil || first != 1 || last != 2 {
		t.Errorf("the last span is %d-%d, %v", first, last, err)
	}
}
