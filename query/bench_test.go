package query

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
)

// A lake of 60 tables with 100 days each: opening must not look at the days.
func BenchmarkOpen(b *testing.B) {
	s := bigLake(b, 60, 100)
	for b.Loop() {
		session, err := Open(b.Context(), s.lake, Options{})
		if err != nil {
			b.Fatal(err)
		}
		if err := session.Close(); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkRefreshWithoutChange(b *testing.B) {
	s := bigLake(b, 60, 1)
	for b.Loop() {
		if err := s.Refresh(b.Context()); err != nil {
			b.Fatal(err)
		}
	}
}

// One day of a table with 2,000 files: what a view costs before the first row.
func BenchmarkOneDayOfManyFiles(b *testing.B) {
	s := bigLake(b, 1, 2000)
	var n int
	for b.Loop() {
		if err := s.db.QueryRowContext(b.Context(), "SELECT count(n) FROM app0.ping WHERE submission_date = DATE '2020-03-01'").Scan(&n); err != nil || n != 5 {
			b.Fatal(n, err)
		}
	}
}

func bigLake(b *testing.B, tables, days int) *Session {
	b.Helper()
	r := newTree(b)
	r.table("app0_live.ping_v1", pings)
	r.write("app0_live.ping_v1", "2020-03-01", "00", rowsOf("5"))
	read := func(parts ...string) []byte {
		content, err := os.ReadFile(filepath.Join(append([]string{r.dir, "app0_live", "ping_v1"}, parts...)...))
		if err != nil {
			b.Fatal(err)
		}
		return content
	}
	empty, day := read("submission_date="+schemaDay, "schema.parquet"), read("submission_date=2020-03-01", "00.parquet")
	put := func(content []byte, table int, date, file string) {
		folder := filepath.Join(r.dir, fmt.Sprintf("app%d_live", table), "ping_v1", "submission_date="+date)
		if err := os.MkdirAll(folder, 0o755); err != nil {
			b.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(folder, file), content, 0o644); err != nil {
			b.Fatal(err)
		}
	}
	for t := range tables {
		put(empty, t, schemaDay, "schema.parquet")
		for d := range days {
			put(day, t, fmt.Sprintf("20%02d-%02d-%02d", 21+d/336, 1+d/28%12, 1+d%28), "00.parquet")
		}
	}
	return r.session()
}
