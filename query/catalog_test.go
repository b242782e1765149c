package query

import (
	"context"
	"database/sql"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/duckdb/duckdb-go/v2"
)

// reader is lake.duckdb opened by somebody else.
type reader struct{ *sql.DB }

func (r reader) Query(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	return r.QueryContext(ctx, query, args...)
}

func openCatalog(t *testing.T, file string) reader {
	t.Helper()
	connector, err := duckdb.NewConnector(file+"?access_mode=READ_ONLY", nil)
	if err != nil {
		t.Fatal(err)
	}
	db := sql.OpenDB(connector)
	t.Cleanup(func() { _ = db.Close() })
	return reader{db}
}

func writeCatalog(t *testing.T, r *tree) {
	t.Helper()
	if err := WriteCatalog(t.Context(), r.lake()); err != nil {
		t.Fatal(err)
	}
}

func TestCatalogFileWorksReadOnly(t *testing.T) {
	r := app(t)
	r.lastSeen("2026-11-20", "a 1 1")
	writeCatalog(t, r)
	file := filepath.Join(r.dir, catalogFile)
	if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o444 {
		t.Fatal(info, err)
	}
	entries, err := os.ReadDir(filepath.Dir(r.dir))
	if err != nil || len(entries) != 1 {
		t.Errorf("left beside the lake: %v, %v", entries, err)
	}
	db := openCatalog(t, file)
	expect(t, "view", ask(t, db, perDay("app.baseline")), "2026-11-17 1\n2026-11-18 12\n2026-11-19 7\n2026-11-20 3")
	expect(t, "usage", ask(t, db, "SELECT dau, mau FROM app.active_users_aggregates"), "1 1")
	expect(t, "macro", ask(t, db, "SELECT bits28.to_string(5), udf.shift_one_day(1)"), "0000000000000000000000000101 2")
	expect(t, "last seen", ask(t, db, "SELECT days_since_seen FROM app.baseline_clients_last_seen"), "0")

	// A reader that has the file open sees new days, and new columns.
	r.write("app_live.baseline_v1", "2026-11-21", "00-9-9", rowsOf("1"))
	expect(t, "a new day", ask(t, db, "SELECT count(*) FROM app.baseline WHERE submission_date = '2026-11-21'"), "1")
	r.table("app_live.baseline_v1", pings+", 'new' AS added")
	expect(t, "a new column", ask(t, db, "SELECT count(added) FROM app.baseline"), "0")
}

func TestCatalogIsWrittenOnlyWhenChanged(t *testing.T) {
	r := app(t)
	writeCatalog(t, r)
	stat := func(name string) os.FileInfo {
		info, err := os.Stat(filepath.Join(r.dir, name))
		if err != nil {
			t.Fatal(err)
		}
		return info
	}
	catalog, script := stat(catalogFile), stat(scriptFile)
	held := openCatalog(t, filepath.Join(r.dir, catalogFile))
	expect(t, "held", ask(t, held, "SELECT count(*) FROM app.baseline"), "23")

	r.write("app_live.baseline_v1", "2026-11-21", "00-9-9", rowsOf("1")) // data, not tables
	writeCatalog(t, r)
	if !os.SameFile(catalog, stat(catalogFile)) || !os.SameFile(script, stat(scriptFile)) {
		t.Error("written again though nothing changed")
	}
	r.table("app_live.baseline_v1", pings+", 'new' AS added")
	writeCatalog(t, r)
	if os.SameFile(catalog, stat(catalogFile)) || os.SameFile(script, stat(scriptFile)) {
		t.Error("not written though a column came")
	}
	expect(t, "the replaced file, still held", ask(t, held, "SELECT count(*) FROM app.baseline"), "24")

	if err := os.Remove(filepath.Join(r.dir, catalogFile)); err != nil {
		t.Fatal(err)
	}
	writeCatalog(t, r)
	stat(catalogFile)
}

func TestCatalogLeavesOutWhatCannotBeMade(t *testing.T) {
	r := app(t)
	r.table("bad_live.p_v1", pings)
	if err := os.WriteFile(filepath.Join(r.dir, "bad_live", "p_v1", "submission_date="+schemaDay, "schema.parquet"), []byte("no"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := WriteCatalog(t.Context(), r.lake()); err == nil || !strings.Contains(err.Error(), "bad_live.p_v1") {
		t.Fatal(err)
	}
	expect(t, "the rest", ask(t, openCatalog(t, filepath.Join(r.dir, catalogFile)), "SELECT count(*) FROM app.baseline"), "23")
	if script, err := os.ReadFile(filepath.Join(r.dir, scriptFile)); err != nil || strings.Contains(string(script), `"bad_live"."p_v1"`) {
		t.Error("init.sql has the view that cannot be made", err)
	}
}

func TestCatalogTextIsDeterministic(t *testing.T) {
	r := app(t)
	r.lastSeen("")
	first, err := plan(r.lake())
	if err != nil {
		t.Fatal(err)
	}
	for range 5 {
		again, err := plan(r.lake())
		if err != nil {
			t.Fatal(err)
		}
		a, _ := scriptText(first)
		b, _ := scriptText(again)
		if string(a) != string(b) {
			t.Fatal("two texts of one tree")
		}
	}
}

// The files are for the official shell, from any folder.
func TestOfficialShell(t *testing.T) {
	shell, err := exec.LookPath("duckdb")
	if err != nil {
		t.Skip("no duckdb on PATH: pip install duckdb-cli==1.5.6")
	}
	r := app(t)
	r.lastSeen("2026-11-20", "a 1 1")
	writeCatalog(t, r)
	run := func(args ...string) string {
		cmd := exec.Command(shell, args...)
		cmd.Dir = t.TempDir()
		var complaints strings.Builder
		cmd.Stderr = &complaints
		out, err := cmd.Output()
		if err != nil || strings.Contains(complaints.String(), "Error") {
			t.Errorf("duckdb %v: %v\n%s", args, err, complaints.String())
		}
		return strings.ReplaceAll(strings.TrimSpace(string(out)), "\r", "")
	}
	catalog, script := filepath.Join(r.dir, catalogFile), filepath.Join(r.dir, scriptFile)
	const q = "SELECT (SELECT count(*) FROM app.baseline), (SELECT dau FROM app.active_users_aggregates), bits28.range(8256, -13, 7)"
	expect(t, "lake.duckdb", run("-readonly", "-csv", "-noheader", catalog, "-c", q), "23,1,64")
	expect(t, "init.sql", run("-init", script, "-csv", "-noheader", "-c", q), "23,1,64")
	expect(t, "mozfun", run("-init", script, "-csv", "-noheader", "-c", "SELECT mozfun.bits28.to_string(1)"), "0000000000000000000000000001")
	expect(t, "attached", run("-csv", "-noheader", "-c", "ATTACH '"+catalog+"' AS l (READ_ONLY); USE l; "+q), "23,1,64")
	copied := filepath.Join(t.TempDir(), "other name.duckdb")
	content, err := os.ReadFile(catalog)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(copied, content, 0o444); err != nil {
		t.Fatal(err)
	}
	expect(t, "a copy", run("-readonly", "-csv", "-noheader", copied, "-c", q), "23,1,64")
}
