package batch

import (
	"errors"
	"os"
	"strings"
	"testing"
	"testing/fstest"

	"pinglake/lake"
)

const minimal = "friendly_name: x\n"

// definitions are job folders: path, metadata.yaml, query.sql, and so on.
func definitions(parts ...string) fstest.MapFS {
	files := fstest.MapFS{}
	for i := 0; i+2 < len(parts); i += 3 {
		files[parts[i]+"/metadata.yaml"] = &fstest.MapFile{Data: []byte(parts[i+1])}
		files[parts[i]+"/query.sql"] = &fstest.MapFile{Data: []byte(parts[i+2])}
	}
	return files
}

func selectFrom(table string) string {
	return "SELECT CAST($submission_date AS DATE) AS submission_date, count(*) AS n FROM " + table + " WHERE submission_date = $submission_date"
}

func TestFaultyDefinitionIsNamedAndStopsNoOtherJob(t *testing.T) {
	const good = "app_stable.baseline_v1"
	for _, c := range []struct {
		what  string
		files fstest.MapFS
		want  string // "" for none
	}{
		{"sound", definitions("x_derived/a_v1", minimal, selectFrom(good)), ""},
		{"sound, ends in a comment", definitions("x_derived/a_v1", minimal, selectFrom(good)+"\n-- done"), ""},
		{"sound, ends in a semicolon", definitions("x_derived/a_v1", minimal, selectFrom(good)+" ;\n"), ""},
		{"cycle", definitions("x_derived/a_v1", minimal, selectFrom("x_derived.b_v1"), "x_derived/b_v1", minimal, selectFrom("x_derived.a_v1")),
			"jobs read each other in a cycle: x_derived.a_v1 -> x_derived.b_v1 -> x_derived.a_v1"},
		{"reads itself", definitions("x_derived/a_v1", minimal, selectFrom(good+", x_derived.a_v1")),
			"jobs read each other in a cycle: x_derived.a_v1 -> x_derived.a_v1"},
		{"unknown table", definitions("x_derived/a_v1", minimal, selectFrom("x_stable.nothing_v1")),
			"x_derived.a_v1 reads x_stable.nothing_v1, which is no table of the lake and no job's"},
		{"same table twice", definitions("app_stable/baseline_v1", minimal, selectFrom("app_live.baseline_v1")),
			"two jobs write app_stable.baseline_v1"},
		{"no SQL", definitions("x_derived/a_v1", minimal, "SELEC 1"), `read job x_derived.a_v1: parse query.sql: syntax error at or near "SELEC"`},
		{"two statements", definitions("x_derived/a_v1", minimal, selectFrom(good)+"; SELECT 1"), "read job x_derived.a_v1: parse query.sql: 2 statements, want one SELECT"},
		{"only the past", definitions("x_derived/a_v1", "reads: {"+good+": previous}", selectFrom(good)),
			"read job x_derived.a_v1: the query reads no table at submission_date, so nothing says on which days to run"},
		{"window for a table not read", definitions("x_derived/a_v1", "reads: {app_stable.other_v1: until}", selectFrom(good)),
			"read job x_derived.a_v1: metadata.yaml: reads: query.sql does not read app_stable.other_v1"},
		{"past not declared", definitions("x_derived/a_v1", "reads: {x_derived.a_v1: before}", selectFrom(good+", x_derived.a_v1")),
			"read job x_derived.a_v1: metadata.yaml: depends_on_past is false, by its reads it must be true"},
		{"no columns to start from", definitions("x_derived/a_v1", "{depends_on_past: true, reads: {x_derived.a_v1: before}}", selectFrom(good+", x_derived.a_v1")),
			"read job x_derived.a_v1: a job that reads itself needs an init.sql with its columns"},
		{"no submission_date", definitions("x_derived/a_v1", minimal, "SELECT count(*) AS n FROM "+good),
			`a_v1 x_derived.a_v1/2026-11-21: Binder Error: Column "submission_date" in EXCLUDE list not found in FROM clause`},
		{"another day's row", definitions("x_derived/a_v1", minimal, "SELECT submission_date - 1 AS submission_date, 1 AS n FROM "+good+" WHERE submission_date = $submission_date"),
			"the query gave a row of another submission_date"},
	} {
		t.Run(c.what, func(t *testing.T) {
			h := newHouse(t, func(o *Options) { o.Definitions = c.files })
			h.land(t, lake.TableRef{Dataset: "app_live", Table: "baseline_v1"}, "2026-11-21", "1", pingsOf(t, "2026-11-21", "id=a at=01:00"))
			err := h.runner.Nightly(t.Context())
			if got := errText(err); c.want == "" && got != "" || !strings.Contains(got, c.want) {
				t.Errorf("nightly: %q, want %q", got, c.want)
			}
			if c.what == "same table twice" {
				return
			}
			if got := h.query(t, "SELECT count(*) FROM app_stable.baseline_v1"); got != "1\n" {
				t.Errorf("copied rows: %s", got)
			}
		})
	}
}

func TestOpenRefusesUnreadableDefinitions(t *testing.T) {
	for _, c := range []struct {
		what  string
		files fstest.MapFS
		want  string
	}{
		{"misspelt key", definitions("x_derived/a_v1", "frendly_name: x", "SELECT 1"), "field frendly_name not found"},
		{"unknown window", definitions("x_derived/a_v1", "reads: {a.b: tomorrow}", "SELECT 1"), `"tomorrow" is no window`},
		{"template of nothing", definitions("x_derived/a_v1", "for_each: baseline_v1", "SELECT 1"), "for_each needs a dataset folder that begins with glean_app_"},
		{"no query", fstest.MapFS{"x_derived/a_v1/metadata.yaml": {Data: []byte(minimal)}}, "query.sql"},
		{"column that is SQL", definitions("x_derived/a_v1", "clustering: ['a; DROP']", "SELECT 1"), "is no column name"},
		{"folder that is SQL", definitions("x-derived/a_v1", minimal, "SELECT 1"), "the folders' names must match"},
	} {
		t.Run(c.what, func(t *testing.T) {
			l, err := lake.Open(lake.Options{Dir: t.TempDir(), Staging: t.TempDir()})
			if err != nil {
				t.Fatal(err)
			}
			_, err = Open(Options{Lake: l, Definitions: c.files})
			if got := errText(err); !strings.Contains(got, c.want) {
				t.Errorf("open: %q, want %q", got, c.want)
			}
		})
	}
}

func TestTablesThatAreNotGleanHaveNoDerivedOnes(t *testing.T) {
	h := newHouse(t, nil)
	h.land(t, lake.TableRef{Dataset: "app_live", Table: "baseline_v1"}, "2026-11-21", "1",
		"SELECT 'a' AS document_id, TIMESTAMP '2026-11-21 01:00:00' AS submission_timestamp")
	if err := h.runner.Nightly(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got, want := h.list(t), "app_stable.baseline_v1: 1 partitions\n"; got != want {
		t.Errorf("jobs: %q, want %q", got, want)
	}
}

func TestErrorsCanBeToldApart(t *testing.T) {
	h := newHouse(t, nil)
	h.land(t, lake.TableRef{Dataset: "app_live", Table: "baseline_v1"}, "2026-11-21", "1", pingsOf(t, "2026-11-21", "id=a at=01:00"))
	for _, c := range []struct {
		date string
		job  string
		want error
	}{
		{"2026-11-22", "", ErrIncompleteDay},
		{"2026-11-20", "", ErrNoSource},
		{"2026-11-21", "nonsense", ErrUnknownJob},
	} {
		if err := h.runner.RunDate(t.Context(), date(t, c.date), RunOptions{Job: c.job}); !errors.Is(err, c.want) {
			t.Errorf("run %s %s: %v, want %v", c.date, c.job, err, c.want)
		}
	}
}

func errText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

func TestAFurtherFileOfASpanMakesTheDayStale(t *testing.T) {
	h := newHouse(t, nil)
	h.land(t, baseline, "2026-11-21", "5", population(t, "2026-11-21", 3, 1))
	if err := h.runner.Nightly(t.Context()); err != nil {
		t.Fatal(err)
	}
	before := h.query(t, "SELECT count(*) FROM app_stable.baseline_v1")
	// One span may have several files in a partition, renamed into it one by one.
	h.land(t, baseline, "2026-11-21", "6", population(t, "2026-11-21", 4, 2))
	second := h.livePath(baseline, "2026-11-21", "6")
	if err := os.Rename(second, strings.TrimSuffix(h.livePath(baseline, "2026-11-21", "5"), ".parquet")+"-1.parquet"); err != nil {
		t.Fatal(err)
	}
	if err := h.runner.Nightly(t.Context()); err != nil {
		t.Fatal(err)
	}
	if after := h.query(t, "SELECT count(*) FROM app_stable.baseline_v1"); after == before {
		t.Errorf("stable has %s rows before and after", strings.TrimSpace(after))
	}
}
