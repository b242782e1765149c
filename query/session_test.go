package query

import (
	"context"
	"database/sql"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

func TestConnectionsShareTheDatabase(t *testing.T) {
	s := app(t).session()
	if err := s.Exec(t.Context(), "CREATE TABLE mine AS SELECT 42 AS n"); err != nil {
		t.Fatal(err)
	}
	first, err := s.Query(t.Context(), "SELECT n FROM mine")
	if err != nil {
		t.Fatal(err)
	}
	defer first.Close()
	// first holds its connection: these take others.
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			var n, rows int
			if err := s.db.QueryRowContext(t.Context(), "SELECT n, (SELECT count(*) FROM app.baseline) FROM mine").Scan(&n, &rows); err != nil || n != 42 || rows != 23 {
				t.Errorf("%d, %d, %v", n, rows, err)
			}
		})
	}
	wg.Wait()
	if err := s.Refresh(t.Context()); err != nil {
		t.Error("refresh beside an open query:", err)
	}
}

func TestParametersByName(t *testing.T) {
	s := app(t).session()
	day := time.Date(2026, 11, 19, 0, 0, 0, 0, time.UTC)
	expect(t, "query", ask(t, s, "SELECT count(*) FROM app.baseline WHERE submission_date = $submission_date", sql.Named("submission_date", day)), "7")
	expect(t, "as text", ask(t, s, "SELECT count(*) FROM app.baseline WHERE submission_date = $submission_date", sql.Named("submission_date", "2026-11-19")), "7")
	expect(t, "a moment", ask(t, s, "SELECT typeof($at), $at - INTERVAL 1 HOUR = TIMESTAMP '2026-11-19 00:30:00'", sql.Named("at", day.Add(90*time.Minute))), "TIMESTAMP true")
	expect(t, "twice", ask(t, s, "SELECT count(*) FROM app.baseline WHERE submission_date IN ($d, $d - 1)", sql.Named("d", day)), "19")
}

func TestSettings(t *testing.T) {
	s := app(t).session()
	expect(t, "settings", ask(t, s, `SELECT current_setting('autoinstall_known_extensions'), current_setting('autoload_known_extensions'),
		current_setting('threads'), current_setting('memory_limit'), current_setting('TimeZone')`), "false false 2 476.8 MiB UTC")
	if _, err := Open(t.Context(), s.lake, Options{Memory: "plenty"}); err == nil {
		t.Error("a memory limit of plenty was taken")
	}
	if _, err := Open(t.Context(), s.lake, Options{Threads: -1}); err == nil {
		t.Error("-1 threads were taken")
	}
}

func TestCopyTo(t *testing.T) {
	s := app(t).session()
	file := filepath.Join(t.TempDir(), "it's.parquet")
	metadata := map[string]string{"pinglake.job": "x'y", "position": "12"}
	err := s.CopyTo(t.Context(), "SELECT n, $submission_date::DATE AS day FROM app.baseline WHERE submission_date = $submission_date ORDER BY n -- the end;", file,
		metadata, sql.Named("submission_date", time.Date(2026, 11, 20, 0, 0, 0, 0, time.UTC)))
	if err != nil {
		t.Fatal(err)
	}
	expect(t, "rows", ask(t, s, "SELECT n, day FROM "+quoteText(file)), "0 2026-11-20\n1 2026-11-20\n2 2026-11-20")
	expect(t, "metadata", ask(t, s, "SELECT decode(key), decode(value) FROM parquet_kv_metadata("+quoteText(file)+") ORDER BY 1"), "pinglake.job x'y\nposition 12")
	expect(t, "compression", ask(t, s, "SELECT DISTINCT compression FROM parquet_metadata("+quoteText(file)+")"), "ZSTD")
}

func TestCopyToLeavesNothingBehind(t *testing.T) {
	s := app(t).session()
	file := filepath.Join(t.TempDir(), "out.parquet")
	if err := s.CopyTo(t.Context(), "SELECT CASE WHEN i = 900000 THEN error('stop') ELSE i END FROM range(1000000) AS r(i)", file, nil); err == nil {
		t.Fatal("no error")
	}
	if _, err := os.Stat(file); !errors.Is(err, fs.ErrNotExist) {
		t.Error("after an error:", err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	start := time.Now()
	err := s.CopyTo(ctx, "SELECT count(*) FROM range(1000000) AS a, range(1000000) AS b WHERE hash(a.range, b.range) = 1", file, nil)
	if !errors.Is(err, context.DeadlineExceeded) || time.Since(start) > 20*time.Second {
		t.Errorf("cancelled: %v after %v", err, time.Since(start))
	}
	if _, err := os.Stat(file); !errors.Is(err, fs.ErrNotExist) {
		t.Error("after a cancel:", err)
	}
	expect(t, "the session lives", ask(t, s, "SELECT 1"), "1")
}

func TestConnWritesValuesAsDuckDBDoes(t *testing.T) {
	conn, err := app(t).session().Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	for _, c := range []struct {
		form            Form
		statement, want string
	}{
		{Text, "SELECT [1, NULL] AS l, {'a': 'x, y'} AS s", "l INTEGER[] | s STRUCT(a VARCHAR) / [1, NULL] | {'a': 'x, y'}"},
		{Text, "SELECT 1 AS a, 2 AS a -- comment", "a INTEGER | a INTEGER / 1 | 2"},
		{Text, "DESCRIBE SELECT 1 AS a", "column_name VARCHAR | column_type VARCHAR | null VARCHAR | key VARCHAR | default VARCHAR | extra VARCHAR / a | INTEGER | YES | NULL | NULL | NULL"},
		{Text, "CREATE TEMP TABLE t AS SELECT 1 AS i, 0.50 AS d, 1.0::DOUBLE AS f, DATE '2026-11-20' AS day, [1, NULL] AS l, '\\xAA'::BLOB AS b", ""},
		{Text, "INSERT INTO t SELECT * FROM t", ""},
		{Text, "UPDATE t SET i = 2 RETURNING i, d, f, day, l, b", "i INTEGER | d DECIMAL(3,2) | f DOUBLE | day DATE | l INTEGER[] | b BLOB / 2 | 0.50 | 1.0 | 2026-11-20 | [1, NULL] | \\xAA / 2 | 0.50 | 1.0 | 2026-11-20 | [1, NULL] | \\xAA"},
		{JSON, "SELECT 'NaN' AS s, 'nan'::DOUBLE AS n, [1.5, '-inf'::DOUBLE] AS l, 1::HUGEINT AS h, NULL AS z", `s VARCHAR | n DOUBLE | l DOUBLE[] | h HUGEINT | z INTEGER / "NaN" | null | [1.5,null] | "1" | NULL`},
		{JSON, "SELECT '{\"a\": 1.50}'::JSON AS j", `j JSON / {"a": 1.50}`},
		{Text, "PIVOT (VALUES ('x', 1), ('y', 2)) AS v(k, n) ON k USING sum(n)", "x HUGEINT | y HUGEINT / 1 | 2"},
		{Text, "SET threads = 1", ""},
		{Text, "SELECT max(i) FROM (SELECT i FROM range(3) AS r(i) ORDER BY i DESC)", "max(i) BIGINT / 2"},
	} {
		rows, err := conn.Run(t.Context(), c.statement, c.form)
		if err != nil {
			t.Errorf("%s: %v", c.statement, err)
			continue
		}
		var parts, cells []string
		for _, column := range rows.Columns {
			cells = append(cells, column.Name+" "+column.Type)
		}
		parts = append(parts, strings.Join(cells, " | "))
		for {
			row, err := rows.Next()
			if err != nil {
				t.Errorf("%s: %v", c.statement, err)
			}
			if row == nil {
				break
			}
			cells = nil
			for _, cell := range row {
				if !cell.Valid {
					cell.String = "NULL"
				}
				cells = append(cells, cell.String)
			}
			parts = append(parts, strings.Join(cells, " | "))
		}
		if err := rows.Close(); err != nil {
			t.Error(err)
		}
		expect(t, c.statement, strings.Join(parts, " / "), c.want)
	}
}

func TestConnKeepsTheOrderOfRows(t *testing.T) {
	conn, err := app(t).session().Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	rows, err := conn.Run(t.Context(), "SELECT hash(i) AS h FROM range(300000) AS r(i) ORDER BY h", Text)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	last := ""
	for n := 0; ; n++ {
		row, err := rows.Next()
		if err != nil {
			t.Fatal(err)
		}
		if row == nil {
			if n != 300000 {
				t.Errorf("%d rows", n)
			}
			return
		}
		h := row[0].String
		if len(h) < len(last) || (len(h) == len(last) && h < last) {
			t.Fatalf("row %d: %s after %s", n, h, last)
		}
		last = h
	}
}
