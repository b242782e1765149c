package query

import (
	"bufio"
	"context"
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/duckdb/duckdb-go/v2"

	"pinglake/lake"
)

// tree is a lake folder written by DuckDB itself.
type tree struct {
	t   testing.TB
	dir string
	db  *sql.DB
}

func newTree(t testing.TB) *tree {
	t.Helper()
	connector, err := duckdb.NewConnector("", nil)
	if err != nil {
		t.Fatal(err)
	}
	db := sql.OpenDB(connector)
	db.SetMaxOpenConns(1)
	t.Cleanup(func() { _ = db.Close() })
	dir := filepath.Join(t.TempDir(), "lake")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	return &tree{t, dir, db}
}

// table writes the zero-row file of dataset.table with the columns of a query.
func (r *tree) table(name, columns string) {
	r.t.Helper()
	r.write(name, schemaDay, "schema", "SELECT * FROM ("+columns+") LIMIT 0")
}

func (r *tree) write(name, day, file, query string) {
	r.t.Helper()
	dataset, table, _ := strings.Cut(name, ".")
	folder := filepath.Join(r.dir, dataset, table, "submission_date="+day)
	if err := os.MkdirAll(folder, 0o755); err != nil {
		r.t.Fatal(err)
	}
	if _, err := r.db.Exec("COPY (" + query + ") TO " + quoteText(filepath.Join(folder, file+".parquet"))); err != nil {
		r.t.Fatal(err)
	}
}

func (r *tree) lake() *lake.Lake {
	r.t.Helper()
	if _, err := lake.Open(lake.Options{Dir: r.dir, Staging: r.t.TempDir()}); err != nil { // makes it a lake
		r.t.Fatal(err)
	}
	l, err := lake.OpenReadOnly(r.dir)
	if err != nil {
		r.t.Fatal(err)
	}
	return l
}

func (r *tree) session() *Session {
	r.t.Helper()
	return openSession(r.t, r.lake())
}

func openSession(t testing.TB, l *lake.Lake) *Session {
	t.Helper()
	s, err := Open(t.Context(), l, Options{Memory: "500MB", Threads: 2, TempDir: filepath.Join(t.TempDir(), "spill")})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

type querier interface {
	Query(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}

// ask is the answer as text: a line a row, columns separated by a blank.
func ask(t *testing.T, q querier, query string, args ...any) string {
	t.Helper()
	rows, err := q.Query(t.Context(), query, args...)
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return text(t, rows)
}

func text(t *testing.T, rows *sql.Rows) string {
	t.Helper()
	defer rows.Close()
	columns, err := rows.Columns()
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	for rows.Next() {
		values, into := make([]any, len(columns)), make([]any, len(columns))
		for i := range values {
			into[i] = &values[i]
		}
		if err := rows.Scan(into...); err != nil {
			t.Fatal(err)
		}
		cells := make([]string, len(columns))
		for i, v := range values {
			cells[i] = fmt.Sprint(v)
			if v == nil {
				cells[i] = "NULL"
			} else if at, ok := v.(time.Time); ok {
				cells[i] = at.Format(time.DateOnly)
			}
		}
		lines = append(lines, strings.Join(cells, " "))
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return strings.Join(lines, "\n")
}

func expect(t *testing.T, what, got, want string) {
	t.Helper()
	if want = strings.TrimSpace(want); got != want {
		t.Errorf("%s:\n%s\nwant:\n%s", what, got, want)
	}
}

func TestMacrosGiveTheReferencesAnswers(t *testing.T) {
	s := newTree(t).session()
	file, err := os.Open("testdata/macros.txt")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	lines := bufio.NewScanner(file)
	for n := 1; lines.Scan(); n++ {
		expression, want, ok := strings.Cut(lines.Text(), " => ")
		if !ok || strings.HasPrefix(expression, "#") {
			continue
		}
		var got sql.NullString
		rows, err := s.Query(t.Context(), "SELECT ("+expression+")::VARCHAR")
		if err == nil {
			rows.Next()
			err = rows.Scan(&got)
			_ = rows.Close()
		}
		message, wantsError := strings.CutPrefix(want, "error: ")
		switch {
		case wantsError && (err == nil || !strings.Contains(err.Error(), message)):
			t.Errorf("line %d: %s: %q, %v; want an error with %q", n, expression, got.String, err, message)
		case !wantsError && err != nil:
			t.Errorf("line %d: %s: %v", n, expression, err)
		case !wantsError && got.Valid && got.String != want, !wantsError && !got.Valid && want != "NULL":
			t.Errorf("line %d: %s = %q (valid %v), want %s", n, expression, got.String, got.Valid, want)
		}
	}
}

// Constants are folded before they run; columns are not, and CASE must still
// keep a bad argument's branch from being computed for the others.
func TestMacrosOverColumns(t *testing.T) {
	s := newTree(t).session()
	expect(t, "columns", ask(t, s, `SELECT bits28.to_string(b), bits28.days_since_seen(b), bits28.range(b, o, n) FROM (VALUES
		(8256, -13, 7), (1, 0, 1), (0, -27, 28), (NULL, -1, 1)) AS v(b, o, n)`), `
0000000000000010000001000000 6 64
0000000000000000000000000001 0 1
0000000000000000000000000000 NULL 0
NULL NULL NULL`)
	expect(t, "strings", ask(t, s, `SELECT bits28.from_string(s) FROM (VALUES ('101'), ('1')) AS v(s)`), "5\n1")
	if rows, err := s.Query(t.Context(), `SELECT bits28.from_string(s) FROM (VALUES ('101'), ('2')) AS v(s)`); err == nil {
		_ = rows.Close()
		t.Error("a bad string in the second row went through")
	}
}
