package lake

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"pinglake/lake/schema"
)

const testDate = 20778 // 2026-11-21

func testLake(t testing.TB, options Options) *Lake {
	t.Helper()
	root := t.TempDir()
	options.Dir, options.Staging = filepath.Join(root, "lake"), filepath.Join(root, "staging")
	l, err := Open(options)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// quickly spares a lake the wait for the disk.
func quickly(l *Lake) *Lake {
	l.disk.flush = func(*os.File) error { return nil }
	return l
}

// numbers is a table of one column.
func numbers(name string) *schema.Table {
	return schema.NewTable("app_live", name, []*schema.Column{column("n", schema.Int64)})
}

func number(t *schema.Table, date int32, n int) schema.Row { return shred(t, date, object{"n": n}) }

func stage(t testing.TB, l *Lake, first, last uint64, rows ...schema.Row) *Staged {
	t.Helper()
	b := l.NewBatch()
	for _, row := range rows {
		if err := b.Add(row); err != nil {
			t.Fatal(err)
		}
	}
	s, err := b.Stage(context.Background(), first, last)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func publish(t testing.TB, s *Staged) {
	t.Helper()
	if err := s.Publish(); err != nil {
		t.Fatal(err)
	}
}

// tree lists the files below a folder, relative to it.
func tree(t testing.TB, dir string) string {
	t.Helper()
	var names []string
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		name, err := filepath.Rel(dir, path)
		names = append(names, name)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(names)
	return strings.Join(names, "\n")
}

func wantTree(t testing.TB, dir, want string) {
	t.Helper()
	if diff := cmp.Diff(strings.TrimSpace(want), tree(t, dir)); diff != "" {
		t.Errorf("%s (-want +got):\n%s", filepath.Base(dir), diff)
	}
}

func wantError(t testing.TB, err error, want string) {
	t.Helper()
	if err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("error %v, want %q in it", err, want)
	}
}

func TestASpanAppearsInItsPartitions(t *testing.T) {
	l := testLake(t, Options{})
	a, b := numbers("a_v1"), numbers("b_v1")
	s := stage(t, l, 7, 12, number(a, testDate, 1), number(b, testDate, 2), number(a, testDate+1, 3), number(a, testDate, 4))
	wantTree(t, l.dir, `
app_live/a_v1/submission_date=1970-01-01/schema.parquet
app_live/b_v1/submission_date=1970-01-01/schema.parquet
format.json`)
	wantTree(t, l.staging, `
00000000000000000007-00000000000000000012/app_live.a_v1.2026-11-21.00-00000000000000000007-00000000000000000012.parquet
00000000000000000007-00000000000000000012/app_live.a_v1.2026-11-22.00-00000000000000000007-00000000000000000012.parquet
00000000000000000007-00000000000000000012/app_live.b_v1.2026-11-21.00-00000000000000000007-00000000000000000012.parquet`)

	publish(t, s)
	publish(t, s) // once more changes nothing
	wantTree(t, l.dir, `
app_live/a_v1/submission_date=1970-01-01/schema.parquet
app_live/a_v1/submission_date=2026-11-21/00-00000000000000000007-00000000000000000012.parquet
app_live/a_v1/submission_date=2026-11-22/00-00000000000000000007-00000000000000000012.parquet
app_live/b_v1/submission_date=1970-01-01/schema.parquet
app_live/b_v1/submission_date=2026-11-21/00-00000000000000000007-00000000000000000012.parquet
format.json`)
	wantTree(t, l.staging, ``)

	ref := TableRef{"app_live", "a_v1"}
	files, err := l.Files(ref, testDate)
	if err != nil || len(files) != 1 {
		t.Fatalf("files %v, %v", files, err)
	}
	if diff := cmp.Diff([]string{"n  r0 d1 1", "n  r0 d1 4"}, readFile(t, files[0])); diff != "" {
		t.Error(diff)
	}
	metadata, err := l.FileMetadata(files[0])
	if err != nil || metadata["pinglake.format"] != "1" {
		t.Errorf("metadata %v, %v", metadata, err)
	}
	if rows := readFile(t, l.SchemaFile(ref)); len(rows) != 0 {
		t.Errorf("the zero-row file has rows: %v", rows)
	}
}

func TestTheTreeIsTheCatalog(t *testing.T) {
	l := testLake(t, Options{})
	table := numbers("a_v1")
	ref := refOf(table)
	publish(t, stage(t, l, 1, 5, number(table, testDate, 1)))
	publish(t, stage(t, l, 6, 9, number(table, testDate, 2), number(table, testDate-1, 2)))
	for _, dir := range []string{
		"app_live/half_v1/submission_date=1970-01-01", // a crash before the zero-row file
		"app_live/a_v1/submission_date=2026-11-25",    // a crash before the file
		"app_live/a_v1/notes", ".hidden/x",
	} {
		if err := os.MkdirAll(filepath.Join(l.dir, dir), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	readOnly, err := OpenReadOnly(l.dir)
	if err != nil {
		t.Fatal(err)
	}
	tables, err := readOnly.Tables()
	if diff := cmp.Diff([]TableRef{ref}, tables); err != nil || diff != "" {
		t.Errorf("tables: %v %s", err, diff)
	}
	dates, err := readOnly.Partitions(ref)
	if diff := cmp.Diff([]int32{testDate - 1, testDate}, dates); err != nil || diff != "" {
		t.Errorf("partitions: %v %s", err, diff)
	}
	for _, c := range []struct {
		date int32
		want uint64
		ok   bool
	}{{testDate, 9, true}, {testDate - 1, 9, true}, {testDate + 9, 0, false}} {
		if last, ok, err := readOnly.LastPosition(ref, c.date); last != c.want || ok != c.ok || err != nil {
			t.Errorf("last position of %d is %d, %v, %v", c.date, last, ok, err)
		}
	}
	if dates, err := readOnly.Partitions(TableRef{"no", "table"}); len(dates) != 0 || err != nil {
		t.Errorf("partitions of no table: %v, %v", dates, err)
	}
}

func TestNamesReadBack(t *testing.T) {
	cases := []struct {
		name string
		want spanFile
		ok   bool
	}{
		{"00-00000000000000000001-00000000000000000009.parquet", spanFile{0, 1, 9, 0}, true},
		{"42-00000000000000000009-18446744073709551615-7.parquet", spanFile{42, 9, 1<<64 - 1, 7}, true},
		{"00.parquet", spanFile{}, false},
		{"schema.parquet", spanFile{}, false},
		{"00-00000000000000000009-00000000000000000001.parquet", spanFile{}, false},
		{"00-00000000000000000001-00000000000000000009-0.parquet", spanFile{}, false},
		{"00-00000000000000000001-00000000000000000009-07.parquet", spanFile{}, false},
		{"00-00000000000000000001-00000000000000000009x.parquet", spanFile{}, false},
		{"00-00000000000000000001-00000000000000000009.parquet.tmp", spanFile{}, false},
		{"0a-00000000000000000001-00000000000000000009.parquet", spanFile{}, false},
		{"00-+0000000000000000001-00000000000000000009.parquet", spanFile{}, false},
		{"00-00000000000000000001-99999999999999999999.parquet", spanFile{}, false},
	}
	for _, c := range cases {
		got, ok := parseSpanFile(c.name)
		if ok != c.ok || ok && (got != c.want || got.name() != c.name) {
			t.Errorf("%s: %+v, %v", c.name, got, ok)
		}
	}
}

func TestOpenSaysWhatIsWrong(t *testing.T) {
	root := t.TempDir()
	at := func(name string) string { return filepath.Join(root, name) }
	write := func(name, text string) string {
		if err := os.MkdirAll(at(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(at(name), "format.json"), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		return at(name)
	}
	cases := []struct {
		name    string
		options Options
		want    string
	}{
		{"no staging", Options{Dir: at("a")}, "needs a folder and a staging folder"},
		{"staging in the lake", Options{Dir: at("b"), Staging: at("b/staging")}, "lie in each other"},
		{"lake in staging", Options{Dir: at("c/lake"), Staging: at("c")}, "lie in each other"},
		{"shard", Options{Dir: at("d"), Staging: at("ds"), Shard: 100}, "shard 100 is outside 0 to 99"},
		{"newer", Options{Dir: write("e", `{"format":2}`), Staging: at("es")}, "layout has format 2, this pinglake knows up to 1: use the newer pinglake"},
		{"damaged", Options{Dir: write("f", `{"for`), Staging: at("fs")}, "lake is corrupt: " + at("f") + "/format.json: it does not say the format"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			_, err := Open(c.options)
			wantError(t, err, "open lake "+c.options.Dir)
			wantError(t, err, c.want)
		})
	}
	if _, err := Open(cases[5].options); !errors.Is(err, ErrCorrupt) {
		t.Errorf("%v is not ErrCorrupt", err)
	}
	_, err := OpenReadOnly(at("nowhere"))
	wantError(t, err, "nowhere: no such file or directory")
	_, err = OpenReadOnly(root)
	wantError(t, err, "no lake there")
}

func TestAReadOnlyLakeIsNotWritten(t *testing.T) {
	written := testLake(t, Options{})
	table := numbers("a_v1")
	publish(t, stage(t, written, 1, 1, number(table, testDate, 1)))
	before := tree(t, filepath.Dir(written.dir))
	l, err := OpenReadOnly(written.dir)
	if err != nil {
		t.Fatal(err)
	}
	for name, err := range map[string]error{
		"add":     l.NewBatch().Add(number(table, testDate, 1)),
		"ensure":  l.EnsureTable(numbers("b_v1")),
		"recover": l.Recover(1, 1),
		"replace": l.Replace(refOf(table), testDate, "x"),
		"schema":  l.ReplaceSchema(refOf(table), "x"),
		"drop":    l.DropPartition(refOf(table), testDate),
	} {
		if !errors.Is(err, errReadOnly) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if diff := cmp.Diff(before, tree(t, filepath.Dir(written.dir))); diff != "" {
		t.Error(diff)
	}
}

func TestAddRefusesWhatHasNoPartition(t *testing.T) {
	l := testLake(t, Options{})
	cases := []struct {
		name string
		row  schema.Row
		want string
	}{
		{"the date of the zero-row file", number(numbers("a_v1"), 0, 1), "add row to app_live.a_v1/1970-01-01: row is refused: submission_date 1970-01-01 is outside"},
		{"before it", number(numbers("a_v1"), -1, 1), "submission_date 1969-12-31 is outside"},
		{"past four digits", number(numbers("a_v1"), lastDate+1, 1), "submission_date 10000-01-01 is outside"},
		{"a name that leaves the tree", number(numbers("../a"), testDate, 1), `"../a" is no name of a dataset or table`},
		{"a name with a dot", number(numbers("a.b"), testDate, 1), `"a.b" is no name`},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) { wantError(t, l.NewBatch().Add(c.row), c.want) })
	}
}
