package lake

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"pinglake/lake/schema"
)

// jobFile writes a row to a TempFile, as a job does.
func jobFile(t testing.TB, l *Lake, row schema.Row) string {
	t.Helper()
	y, err := newLayout(row.Table)
	if err != nil {
		t.Fatal(err)
	}
	file := newTableFile(y, l.codec)
	if _, err := file.add(&row); err != nil {
		t.Fatal(err)
	}
	path := l.TempFile("test")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(file.finish(f), f.Close()); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestReplaceLeavesExactlyOneFile(t *testing.T) {
	l := testLake(t, Options{})
	table := numbers("a_v1")
	ref := refOf(table)
	for n := range 2 { // the second time it goes over the first
		if err := l.Replace(ref, testDate, jobFile(t, l, number(table, testDate, n))); err != nil {
			t.Fatal(err)
		}
		publish(t, stage(t, l, uint64(n)+1, uint64(n)+1, number(table, testDate, 100)))
	}
	wantTree(t, l.dir, `
app_live/a_v1/submission_date=1970-01-01/schema.parquet
app_live/a_v1/submission_date=2026-11-21/00-00000000000000000002-00000000000000000002.parquet
app_live/a_v1/submission_date=2026-11-21/00.parquet
format.json`)
	if err := l.Replace(ref, testDate, jobFile(t, l, number(table, testDate, 7))); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff("app_live.a_v1/2026-11-21: 7", contents(t, l)); diff != "" {
		t.Error(diff)
	}
	if _, ok, err := l.LastPosition(ref, testDate); ok || err != nil {
		t.Errorf("a replaced partition has a position: %v, %v", ok, err)
	}
	wantTree(t, l.staging, ``)
}

func TestAFailedReplaceLeavesThePartitionWhole(t *testing.T) {
	table := numbers("a_v1")
	for n := 1; ; n++ {
		l := testLake(t, Options{})
		if err := l.Replace(refOf(table), testDate, jobFile(t, l, number(table, testDate, 1))); err != nil {
			t.Fatal(err)
		}
		file := jobFile(t, l, number(table, testDate, 2))
		count := 0
		l.disk.before = func(op, path string) error {
			if count++; count == n {
				return errInjected
			}
			return nil
		}
		err := l.Replace(refOf(table), testDate, file)
		if err == nil {
			if n < 4 {
				t.Errorf("only %d operations", n)
			}
			return
		}
		wantError(t, err, "replace app_live.a_v1/2026-11-21: no space left on device")
		got := contents(t, l)
		if got != "app_live.a_v1/2026-11-21: 1" && got != "app_live.a_v1/2026-11-21: 2" {
			t.Errorf("after failing operation %d: %s", n, got)
		}
		if err := l.Replace(refOf(table), testDate, jobFile(t, l, number(table, testDate, 3))); err != nil {
			t.Errorf("second try: %v", err)
		}
	}
}

func TestReplaceRefusesAFileWithoutAFooter(t *testing.T) {
	l := testLake(t, Options{})
	path := l.TempFile("app_stable.a_v1/2026-11-21")
	if want := filepath.Join(l.staging, "jobs", "app_stable.a_v1_2026-11-21.tmp"); path != want {
		t.Errorf("temporary file %s, want %s", path, want)
	}
	if err := os.WriteFile(path, []byte("PAR1 half"), 0o644); err != nil {
		t.Fatal(err)
	}
	err := l.Replace(TableRef{"app_stable", "a_v1"}, testDate, path)
	wantError(t, err, "replace app_stable.a_v1/2026-11-21: read metadata: lake is corrupt: "+path+": it is no whole Parquet file")
	if err := l.Replace(TableRef{"app_stable", "a_v1"}, testDate, l.TempFile("gone")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a file that is not there: %v", err)
	}
	wantError(t, l.Replace(TableRef{"app_stable", "a_v1"}, 0, path), "submission_date 1970-01-01 is outside")
	wantTree(t, l.dir, "format.json")
}

func TestADerivedTableAppearsWithItsZeroRowFile(t *testing.T) {
	l := testLake(t, Options{})
	table := schema.NewTable("app_derived", "days_v1", []*schema.Column{column("n", schema.Int64)})
	if err := l.ReplaceSchema(refOf(table), jobFile(t, l, number(table, testDate, 1))); err != nil {
		t.Fatal(err)
	}
	tables, err := l.Tables()
	if diff := cmp.Diff([]TableRef{refOf(table)}, tables); err != nil || diff != "" {
		t.Errorf("%v %s", err, diff)
	}
	wantError(t, l.EnsureTable(table), "was written by a job")
}

func TestDropPartitionTakesTheWholeFolder(t *testing.T) {
	l := testLake(t, Options{})
	table := numbers("a_v1")
	publish(t, stage(t, l, 1, 1, number(table, testDate, 1), number(table, testDate+1, 2)))
	for range 2 { // the second time there is nothing to do
		if err := l.DropPartition(refOf(table), testDate); err != nil {
			t.Fatal(err)
		}
	}
	publish(t, stage(t, l, 2, 2, number(table, testDate+1, 3)))
	if diff := cmp.Diff("app_live.a_v1/2026-11-22: 2 3", contents(t, l)); diff != "" {
		t.Error(diff)
	}
	publish(t, stage(t, l, 3, 3, number(table, testDate, 4))) // and it may come back
	if diff := cmp.Diff("app_live.a_v1/2026-11-21: 4\napp_live.a_v1/2026-11-22: 2 3", contents(t, l)); diff != "" {
		t.Error(diff)
	}
	wantTree(t, l.staging, ``)
}
