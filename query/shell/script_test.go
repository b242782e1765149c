package shell

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/reeflective/readline"
)

func expect(t *testing.T, what, got, want string) {
	t.Helper()
	if want = strings.TrimPrefix(want, "\n"); got != want {
		t.Errorf("%s:\n%s\nwant:\n%s", what, got, want)
	}
}

func TestScriptStopsAtTheFirstError(t *testing.T) {
	out, err := run(t, Options{Mode: CSV, NoHeader: true}, "SELECT 1; SELECT nowhere; SELECT 2;\nSELECT 3")
	if err == nil || !strings.Contains(err.Error(), `Referenced column "nowhere" was not found`) {
		t.Error(err)
	}
	expect(t, "output", out, "1\r\n")
}

func TestScriptGoesOnWithBailOff(t *testing.T) {
	var complaints bytes.Buffer
	out, err := run(t, Options{Mode: CSV, NoHeader: true, Bail: BailOff, Err: &complaints}, "SELECT 1; SELECT nowhere; SELECT 2;\n.nothing\nSELECT 3")
	if !errors.Is(err, ErrStatements) {
		t.Error(err)
	}
	expect(t, "output", out, "1\r\n2\r\n3\r\n")
	if text := complaints.String(); !strings.Contains(text, "nowhere") || !strings.Contains(text, "no command .nothing") {
		t.Error(text)
	}
}

// DuckDB says where: the caret must stand under the fault of the statement as it
// was written.
func TestErrorsPointAtThePlace(t *testing.T) {
	_, err := run(t, Options{}, "SELECT 1;\nSELEC 2;")
	if err == nil || !strings.Contains(err.Error(), "LINE 1: SELEC 2\n        ^") {
		t.Error(err)
	}
}

func TestErrorsWhileRunning(t *testing.T) {
	for _, mode := range Modes() {
		if _, err := run(t, Options{Mode: mode}, "SELECT CASE WHEN i = 9000 THEN error('row 9000') ELSE 'x' END FROM range(10000) AS r(i)"); err == nil || !strings.Contains(err.Error(), "row 9000") {
			t.Errorf("%s: %v", mode, err)
		}
	}
}

func TestStatementsShareAConnection(t *testing.T) {
	out := mustRun(t, Options{Mode: List, NoHeader: true}, `
CREATE TEMP TABLE t AS SELECT 1 AS i;
BEGIN;
INSERT INTO t VALUES (2);
ROLLBACK;
SET VARIABLE v = 7;
SELECT count(*), getvariable('v') FROM t;
SELECT 'a
;b'; -- over two lines
`)
	expect(t, "output", out, "1|7\na\n;b\n")
	if _, err := run(t, Options{}, "SELECT * FROM t"); err == nil {
		t.Error("a temporary table outlived its shell")
	}
}

func TestPrintOptions(t *testing.T) {
	empty := ""
	for _, c := range []struct {
		what string
		o    Options
		want string
	}{
		{"csv", Options{Mode: CSV, NoHeader: true, NullValue: &empty, Separator: ";"}, "1;;\"a;b\"\r\n"},
		{"list", Options{Mode: List, Separator: "\t"}, "i\tn\ts\n1\tNULL\ta;b\n"},
		{"json has null only", Options{Mode: JSON, NullValue: &empty}, "[{\"i\":1,\"n\":null,\"s\":\"a;b\"}]\n"},
		{"box", Options{Mode: Box, NoHeader: true, NullValue: &empty}, "┌───┬──┬─────┐\n│ 1 │  │ a;b │\n└───┴──┴─────┘\n"},
		{"trash", Options{Mode: Trash}, ""},
	} {
		expect(t, c.what, mustRun(t, c.o, "SELECT 1 AS i, NULL AS n, 'a;b' AS s"), c.want)
	}
	if _, err := Open(t.Context(), Options{Session: session, Mode: "paper"}); err == nil {
		t.Error("mode paper was taken")
	}
}

func TestLongResultsAreCut(t *testing.T) {
	expect(t, "rows", mustRun(t, Options{MaxRows: 4}, "SELECT i, 'row ' || i AS s FROM range(1234) AS r(i)"), `
┌───────┬──────────┐
│   i   │    s     │
│ int64 │ varchar  │
├───────┼──────────┤
│     0 │ row 0    │
│     1 │ row 1    │
│     · │   ·      │
│     · │   ·      │
│     · │   ·      │
│  1232 │ row 1232 │
│  1233 │ row 1233 │
└───────┴──────────┘
     1234 rows
     (4 shown)
`)
	for n, want := range map[string]int{"43": 43, "44": 40 + slackRows} {
		if got := strings.Count(mustRun(t, Options{}, "SELECT i FROM range("+n+") AS r(i)"), "\n│") - 2; got != want {
			t.Errorf("%s rows: %d lines", n, got)
		}
	}
	if got := strings.Count(mustRun(t, Options{MaxRows: -1}, "SELECT i FROM range(500) AS r(i)"), "\n│") - 2; got != 500 {
		t.Errorf("all of 500 rows: %d lines", got)
	}
	expect(t, "width", mustRun(t, Options{MaxWidth: 60}, "SELECT repeat('abc', 40) AS long, 2 AS n"), `
┌──────────────────────────────────────────────────┬───────┐
│                       long                       │   n   │
│                     varchar                      │ int32 │
├──────────────────────────────────────────────────┼───────┤
│ abcabcabcabcabcabcabcabcabcabcabcabcabcabcabcab… │     2 │
└──────────────────────────────────────────────────┴───────┘
`)
	expect(t, "columns", mustRun(t, Options{MaxWidth: 40}, "SELECT 1 AS first_of_them, 2 AS second_of_them, 3 AS third_of_them, 4 AS fourth"), `
┌───────────────┬───┬────────┐
│ first_of_them │ … │ fourth │
│     int32     │ … │ int32  │
├───────────────┼───┼────────┤
│             1 │ … │      4 │
└───────────────┴───┴────────┘
  1 rows 4 columns (2 shown)
`)
}

func TestDotCommands(t *testing.T) {
	file := filepath.Join(t.TempDir(), "it's.sql")
	if err := os.WriteFile(file, []byte("SELECT 'read';\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	out := mustRun(t, Options{}, `.mode csv
.headers off
SELECT 1, NULL;
.nullvalue "-"
.separator ";"
SELECT 1, NULL;
.mode
.print a  'b  c'
CREATE SCHEMA dots; CREATE VIEW dots.v AS SELECT 1 AS one; CREATE VIEW dots.w AS SELECT 2;
.tables dots.%
.schema v
.read "`+file+`"
SELECT '
.mode json
';
DROP SCHEMA dots CASCADE;
.q
SELECT 'never';
`)
	expect(t, "output", out, "1,NULL\r\n1;-\r\ncurrent output mode: csv\na b  c\ndots.v\ndots.w\nCREATE VIEW dots.v AS SELECT 1 AS one;\nread\r\n\"\n.mode json\n\"\r\n")
	for line, want := range map[string]string{
		".mode paper":   "duckbox, box,",
		".m csv":        ".m may be .maxrows or .maxwidth",
		".maxrows many": `"many" is not a number`,
		".headers":      "usage: .headers on|off",
		".print 'a":     "no closing quote",
		".":             ".help",
	} {
		if _, err := run(t, Options{}, line); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", line, err)
		}
	}
	if help := mustRun(t, Options{}, ".help"); strings.Count(help, "\n") < len(commands()) {
		t.Error(help)
	}
}

// typist is an editor whose lines are written beforehand. An error may stand in
// for a line.
type typist struct{ lines []any }

func (e *typist) Readline() (string, error) {
	if len(e.lines) == 0 {
		return "", io.EOF
	}
	line := e.lines[0]
	e.lines = e.lines[1:]
	if err, ok := line.(error); ok {
		return "", err
	}
	return line.(string), nil
}

func TestPrompt(t *testing.T) {
	var out, complaints bytes.Buffer
	s, err := Open(t.Context(), Options{Session: session, Out: &out, Err: &complaints, Mode: List, NoHeader: true})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	err = s.converse(t.Context(), &typist{[]any{"SELECT 1;", readline.ErrInterrupt, "SELECT nowhere; SELECT 'not after an error';", "", ".mode csv", "SELECT 2;\nSELECT 'x' -- no end", ".quit", "SELECT 'never';"}})
	if err != nil {
		t.Error(err)
	}
	expect(t, "output", out.String(), "1\n2\r\nx\r\n")
	if text := complaints.String(); !strings.Contains(text, "nowhere") {
		t.Error(text)
	}
	if err := s.converse(t.Context(), &typist{}); err != nil {
		t.Error("end of input:", err)
	}
}

func TestCancelStopsAStatement(t *testing.T) {
	var out bytes.Buffer
	s, err := Open(t.Context(), Options{Session: session, Out: &out, Mode: List, NoHeader: true})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	start := time.Now()
	err = s.statement(ctx, "SELECT count(*) FROM range(1000000) AS a, range(1000000) AS b WHERE hash(a.range, b.range) = 1")
	if !errors.Is(err, context.DeadlineExceeded) || time.Since(start) > 20*time.Second {
		t.Errorf("%v after %v", err, time.Since(start))
	}
	if err := s.statement(t.Context(), "SELECT 'alive'"); err != nil || out.String() != "alive\n" {
		t.Error(err, out.String())
	}
}

// A reader who goes away ends the work.
func TestOutputErrorsEndAStatement(t *testing.T) {
	r, w := io.Pipe()
	_ = r.Close()
	s, err := Open(t.Context(), Options{Session: session, Out: w, Mode: CSV})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if err := s.Script(t.Context(), strings.NewReader("SELECT i FROM range(100000) AS r(i)")); !errors.Is(err, io.ErrClosedPipe) {
		t.Error(err)
	}
}

func TestCompletion(t *testing.T) {
	suggestions, start, err := session.Complete(t.Context(), "SELECT bits28.to_string(1) FRO")
	if err != nil || len(suggestions) == 0 || strings.TrimSpace(suggestions[0]) != "FROM" || start != len("SELECT bits28.to_string(1) ") {
		t.Error(suggestions, start, err)
	}
}

func TestHistoryFileIsMadePrivate(t *testing.T) {
	file := filepath.Join(t.TempDir(), "new", "history")
	history, err := openHistory(file)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := history.Write("SELECT 1;\nSELECT 2;"); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
		t.Error(info, err)
	}
	again, err := openHistory(file)
	if err != nil {
		t.Fatal(err)
	}
	if line, err := again.GetLine(0); err != nil || line != "SELECT 1;\nSELECT 2;" {
		t.Errorf("%q, %v", line, err)
	}
}
