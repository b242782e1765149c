package batch

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/datadriven"

	"pinglake/lake"
	"pinglake/query"
)

// TestText runs testdata/*: pings land, jobs run, and tables are asked. A ping is a
// line of fields; those not given are null.
//
//	today=DATE retention=DAYS     the clock and LiveRetentionDays
//	land date=DATE span=N [table=T] [damaged]   pings as one live file; N is its position
//	bulk date=DATE span=N client=C pings=P      P pings of one client as one live file
//	expire date=DATE [table=T]    the live partition goes
//	spoil date=DATE table=T       the partition's one file is overwritten
//	column name=C [table=T]       the live table gets a column
//	nightly [count] | run date=DATE [job=J] [force] | backfill from=DATE to=DATE
//	list                          what a nightly would do
//	query                         SQL
func TestText(t *testing.T) {
	datadriven.Walk(t, "testdata", func(t *testing.T, path string) {
		h := newHouse(t, nil)
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string { return h.command(t, d) })
	})
}

// house is a lake, a runner over it, and a reader as a user has one.
type house struct {
	lake   *lake.Lake
	runner *Runner
	reader *query.Session
	today  time.Time
	events []string
	tables int
}

func newHouse(t testing.TB, change func(*Options)) *house {
	t.Helper()
	dir := t.TempDir()
	l, err := lake.Open(lake.Options{Dir: filepath.Join(dir, "lake"), Staging: filepath.Join(dir, "staging")})
	if err != nil {
		t.Fatal(err)
	}
	h := &house{lake: l, today: day(t, "2026-11-22")}
	o := Options{
		Lake:     l,
		Query:    query.Options{TempDir: filepath.Join(dir, "spill")},
		Now:      func() time.Time { return h.today.Add(90 * time.Minute) },
		OnTable:  func() { h.tables++ },
		Progress: h.progress,
		Logger:   slog.New(slog.NewTextHandler(t.Output(), nil)),
	}
	if change != nil {
		change(&o)
	}
	if h.runner, err = Open(o); err != nil {
		t.Fatal(err)
	}
	if h.reader, err = query.Open(t.Context(), l, o.Query); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		for _, close := range []func() error{h.runner.Close, h.reader.Close} {
			if err := close(); err != nil {
				t.Error(err)
			}
		}
	})
	return h
}

func (h *house) progress(e Event) {
	switch e.State {
	case Done:
		h.events = append(h.events, fmt.Sprintf("%s/%s: %d rows", e.Table, formatDate(e.Date), e.Rows))
	case Blocked, Failed:
		h.events = append(h.events, fmt.Sprintf("%s/%s: %s", e.Table, formatDate(e.Date), e.State))
	}
}

func (h *house) command(t *testing.T, d *datadriven.TestData) string {
	ctx := t.Context()
	arg := func(key string) string {
		value := ""
		d.MaybeScanArgs(t, key, &value)
		return value
	}
	table := lake.TableRef{Dataset: "app_live", Table: "baseline_v1"}
	if name := arg("table"); name != "" {
		table.Dataset, table.Table, _ = strings.Cut(name, ".")
	}
	o := RunOptions{Job: arg("job")}
	if d.HasArg("force") {
		o.Force = Forced
	}
	switch d.Cmd {
	case "today":
		h.today = day(t, d.CmdArgs[0].Vals[0])
		return ""
	case "retention":
		days, err := strconv.Atoi(d.CmdArgs[0].Vals[0])
		if err != nil {
			t.Fatal(err)
		}
		h.runner.options.LiveRetentionDays = days
		return ""
	case "land":
		if d.HasArg("damaged") {
			h.damage(t, table, arg("date"), arg("span"))
			return ""
		}
		h.land(t, table, arg("date"), arg("span"), pingsOf(t, arg("date"), d.Input))
		return ""
	case "bulk":
		one := pingsOf(t, arg("date"), "id="+arg("client")+" at=01:00 client="+arg("client"))
		h.land(t, table, arg("date"), arg("span"),
			"SELECT * REPLACE (document_id || i AS document_id) FROM ("+one+"), range("+arg("pings")+") AS n(i)")
		return ""
	case "expire":
		if err := os.RemoveAll(filepath.Dir(h.livePath(table, arg("date"), "1"))); err != nil {
			t.Fatal(err)
		}
		return ""
	case "column":
		h.addColumn(t, table, arg("name"))
		return ""
	case "spoil":
		files, err := h.lake.Files(table, date(t, arg("date")))
		if err != nil || len(files) != 1 {
			t.Fatal(files, err)
		}
		if err := os.WriteFile(files[0], []byte("not Parquet"), 0o644); err != nil {
			t.Fatal(err)
		}
		return ""
	case "nightly":
		err := h.runner.Nightly(ctx)
		if d.HasArg("count") {
			h.events = []string{fmt.Sprintf("%d partitions", len(h.events))}
		}
		return h.report(err)
	case "run":
		return h.report(h.runner.RunDate(ctx, date(t, arg("date")), o))
	case "backfill":
		return h.report(h.runner.Backfill(ctx, date(t, arg("from")), date(t, arg("to")), o))
	case "list":
		return h.list(t)
	case "query":
		return h.query(t, d.Input)
	}
	t.Fatalf("unknown command %s", d.Cmd)
	return ""
}

// report is what a run did: partitions made, then its error.
func (h *house) report(err error) string {
	lines := h.events
	h.events = nil
	if err != nil {
		lines = append(lines, h.errorText(err))
	}
	if len(lines) == 0 {
		return "nothing to do\n"
	}
	return strings.Join(lines, "\n") + "\n"
}

func (h *house) list(t *testing.T) string {
	list, err := h.runner.List(t.Context())
	var b strings.Builder
	for _, s := range list {
		fmt.Fprintf(&b, "%s: %d partitions", s.Table, s.Partitions)
		for _, days := range []struct {
			what  string
			dates []int32
		}{{"missing", s.Missing}, {"stale", s.Stale}, {"refused", s.Refused}} {
			for i, d := range days.dates {
				if i == 0 {
					fmt.Fprintf(&b, ", %s", days.what)
				}
				b.WriteString(" " + formatDate(d))
			}
		}
		b.WriteString("\n")
	}
	if err != nil {
		b.WriteString(h.errorText(err) + "\n")
	}
	return b.String()
}

func (h *house) errorText(err error) string {
	return strings.ReplaceAll("error: "+err.Error(), filepath.Dir(h.lake.Dir()), "<data>")
}

func (h *house) query(t testing.TB, sql string) string {
	t.Helper()
	if err := h.reader.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	rows, err := h.reader.Query(t.Context(), sql)
	if err != nil {
		return "error: " + err.Error() + "\n"
	}
	defer rows.Close()
	columns, err := rows.Columns()
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	values, into := make([]any, len(columns)), make([]any, len(columns))
	for i := range values {
		into[i] = &values[i]
	}
	for rows.Next() {
		if err := rows.Scan(into...); err != nil {
			t.Fatal(err)
		}
		for i, v := range values {
			if i > 0 {
				b.WriteString(" ")
			}
			if at, ok := v.(time.Time); ok {
				v = strings.TrimSuffix(at.UTC().Format("2006-01-02T15:04:05"), "T00:00:00")
			}
			if v == nil {
				v = "-"
			}
			fmt.Fprint(&b, v)
		}
		b.WriteString("\n")
	}
	if err := rows.Err(); err != nil {
		return "error: " + err.Error() + "\n"
	}
	if b.Len() == 0 {
		return "no rows\n"
	}
	return b.String()
}

func (h *house) livePath(table lake.TableRef, date, span string) string {
	name := fmt.Sprintf("00-%020s-%020s.parquet", span, span)
	return filepath.Join(h.lake.Dir(), table.Dataset, table.Table, "submission_date="+date, name)
}

// land writes a live file as the sink would have named it, and the zero-row file.
func (h *house) land(t testing.TB, table lake.TableRef, date, span, sql string) {
	t.Helper()
	schema := h.lake.SchemaFile(table)
	file := h.livePath(table, date, span)
	for _, f := range []string{schema, file} {
		if err := os.MkdirAll(filepath.Dir(f), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := os.Stat(schema); err != nil {
		h.copyTo(t, sql+" LIMIT 0", schema)
	}
	h.copyTo(t, sql, file)
}

func (h *house) addColumn(t testing.TB, table lake.TableRef, name string) {
	t.Helper()
	schema := h.lake.SchemaFile(table)
	h.copyTo(t, "SELECT *, NULL::VARCHAR AS "+name+" FROM read_parquet("+quoteText(schema)+", hive_partitioning = false)", schema+".tmp")
	if err := os.Rename(schema+".tmp", schema); err != nil {
		t.Fatal(err)
	}
}

func (h *house) copyTo(t testing.TB, sql, file string) {
	t.Helper()
	if err := h.reader.CopyTo(context.Background(), sql, file, nil); err != nil {
		t.Fatal(err)
	}
}

func (h *house) damage(t testing.TB, table lake.TableRef, date, span string) {
	t.Helper()
	file := h.livePath(table, date, span)
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte("PAR1 not Parquet PAR1"), 0o644); err != nil {
		t.Fatal(err)
	}
}

func day(t testing.TB, text string) time.Time {
	t.Helper()
	at, err := time.Parse(time.DateOnly, text)
	if err != nil {
		t.Fatal(err)
	}
	return at
}

func date(t testing.TB, text string) int32 { t.Helper(); return dateOf(day(t, text)) }
