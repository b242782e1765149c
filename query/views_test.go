package query

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const pings = "SELECT TIMESTAMP '2026-11-18 01:00:00' AS submission_timestamp, 'a' AS document_id, 1::BIGINT AS n"

func rowsOf(n string) string {
	return "SELECT TIMESTAMP '2026-11-18 01:00:00' AS submission_timestamp, 'd' || i AS document_id, i AS n FROM range(" + n + ") AS r(i)"
}

// app is a namespace with three live days, of which stable has two.
func app(t *testing.T) *tree {
	r := newTree(t)
	r.table("app_live.baseline_v1", pings)
	r.write("app_live.baseline_v1", "2026-11-18", "00-1-2", rowsOf("10"))
	r.write("app_live.baseline_v1", "2026-11-18", "00-3-4", rowsOf("5"))
	r.write("app_live.baseline_v1", "2026-11-19", "00-5-6", rowsOf("7"))
	r.write("app_live.baseline_v1", "2026-11-20", "00-7-8", rowsOf("3"))
	r.table("app_stable.baseline_v1", pings)
	r.write("app_stable.baseline_v1", "2026-11-17", "00", rowsOf("1"))
	r.write("app_stable.baseline_v1", "2026-11-18", "00", rowsOf("12"))
	return r
}

const byDay = "SELECT submission_date, count(*) FROM %s GROUP BY 1 ORDER BY 1"

func perDay(view string) string { return strings.Replace(byDay, "%s", view, 1) }

func TestUserViewTakesEachDayOnce(t *testing.T) {
	r := app(t)
	s := r.session()
	expect(t, "live", ask(t, s, perDay("app_live.baseline_v1")), "2026-11-18 15\n2026-11-19 7\n2026-11-20 3")
	expect(t, "user view", ask(t, s, perDay("app.baseline")), "2026-11-17 1\n2026-11-18 12\n2026-11-19 7\n2026-11-20 3")

	// The nightly closes a day while the session is open.
	r.write("app_stable.baseline_v1", "2026-11-19", "00", rowsOf("6"))
	expect(t, "after the nightly", ask(t, s, perDay("app.baseline")), "2026-11-17 1\n2026-11-18 12\n2026-11-19 6\n2026-11-20 3")

	// A day whose pings were all dropped is closed too.
	r.write("app_stable.baseline_v1", "2026-11-20", "00", rowsOf("0"))
	expect(t, "an empty stable day", ask(t, s, perDay("app.baseline")), "2026-11-17 1\n2026-11-18 12\n2026-11-19 6")
}

func TestUserViewOpensOnlyTheFilesItNeeds(t *testing.T) {
	s := app(t).session()
	explain := func(query string) string {
		return ask(t, s, "EXPLAIN ANALYZE "+query)
	}
	one := explain("SELECT n FROM app.baseline WHERE submission_date = DATE '2026-11-19'")
	for _, want := range []string{"Scanning Files: 0/3", "Scanning Files: 1/5"} { // stable, live
		if !strings.Contains(one, want) {
			t.Errorf("one day: no %q in\n%s", want, one)
		}
	}
	closed := explain("SELECT n FROM app.baseline WHERE submission_date = DATE '2026-11-18'")
	if !strings.Contains(closed, "Scanning Files: 1/3") {
		t.Errorf("a closed day: not one stable file in\n%s", closed)
	}
	all := explain("SELECT n FROM app.baseline")
	if strings.Contains(all, "00-1-2") || strings.Contains(all, "00-3-4") || !strings.Contains(all, "00-5-6") {
		t.Errorf("live files of closed days are opened:\n%s", all)
	}
}

func TestViewsOverEmptyTables(t *testing.T) {
	r := newTree(t)
	r.table("app_live.baseline_v1", pings)
	r.table("app_stable.baseline_v1", pings)
	r.table("payload_bytes_error.structured", "SELECT 'a' AS error_type, 'b'::BLOB AS payload")
	s := r.session()
	for _, view := range []string{"app_live.baseline_v1", "app_stable.baseline_v1", "app.baseline", "payload_bytes_error.structured"} {
		expect(t, view, ask(t, s, "SELECT count(*), count(submission_date) FROM "+view), "0 0")
	}
	expect(t, "columns of the error view", ask(t, s, "SELECT column_name FROM (DESCRIBE monitoring.payload_bytes_error_structured)"), "error_type\nsubmission_date")
	if faults := s.Faults(); len(faults) > 0 {
		t.Error(faults)
	}
}

func TestUserViewIsOfTheNewestVersion(t *testing.T) {
	r := newTree(t)
	for _, name := range []string{"app_live.ping_v2", "app_live.ping_v9", "app_live.ping_v10", "app_stable.ping_v9", "app_stable.old_v1", "app_live.noversion", "order_live.select_v1", "app_live.v1_v1"} {
		r.table(name, "SELECT '"+strings.ReplaceAll(name, "'", "")+"' AS origin")
		r.write(name, "2026-11-20", "00", "SELECT '"+name+"' AS origin")
	}
	s := r.session()
	for view, want := range map[string]string{
		`app.ping`:         "app_live.ping_v10",
		`app.old`:          "app_stable.old_v1",
		`app.noversion`:    "app_live.noversion",
		`"order"."select"`: "order_live.select_v1", // names that SQL keeps for itself
		`app."v1"`:         "app_live.v1_v1",
	} {
		expect(t, view, ask(t, s, "SELECT origin FROM "+view), want)
	}
	if faults := s.Faults(); len(faults) > 0 {
		t.Error(faults)
	}
}

func TestRefreshFollowsTheTree(t *testing.T) {
	r := newTree(t)
	r.table("app_live.baseline_v1", pings)
	s := r.session()

	r.table("app_live.events_v1", pings)
	r.write("app_live.events_v1", "2026-11-20", "00-1-1", rowsOf("2"))
	r.table("app_live.baseline_v1", pings+", 'new' AS added")
	if err := s.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	expect(t, "new table", ask(t, s, "SELECT count(*) FROM app.events"), "2")
	expect(t, "new column", ask(t, s, "SELECT count(added) FROM app.baseline"), "0")
	expect(t, "the catalog knows the column", ask(t, s, "SELECT count(*) FROM duckdb_columns() WHERE table_name = 'baseline_v1' AND column_name = 'added'"), "1")

	if err := os.RemoveAll(filepath.Join(r.dir, "app_live", "events_v1")); err != nil {
		t.Fatal(err)
	}
	if err := s.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	expect(t, "views left", ask(t, s, "SELECT schema_name, view_name FROM duckdb_views() WHERE NOT internal ORDER BY ALL"), "app baseline\napp_live baseline_v1")
}

// Files written before and after a column came are one table.
func TestOldFilesLackNewColumns(t *testing.T) {
	r := newTree(t)
	r.write("app_live.p_v1", "2026-11-19", "00-1-1", "SELECT {'a': 1} AS s, 1 AS n")
	r.write("app_live.p_v1", "2026-11-20", "00-2-2", "SELECT {'a': 2, 'b': 'x'} AS s, 2 AS n, 'y' AS extra")
	r.table("app_live.p_v1", "SELECT {'a': 2, 'b': 'x'} AS s, 2 AS n, 'y' AS extra")
	expect(t, "rows", ask(t, r.session(), "SELECT s.a, s.b, n, extra FROM app.p ORDER BY n"), "1 NULL 1 NULL\n2 x 2 y")
}

func TestADamagedTableHidesOnlyItself(t *testing.T) {
	r := app(t)
	r.table("bad_live.p_v1", pings)
	damaged := filepath.Join(r.dir, "bad_live", "p_v1", "submission_date="+schemaDay, "schema.parquet")
	if err := os.WriteFile(damaged, []byte("PAR1 no"), 0o644); err != nil {
		t.Fatal(err)
	}
	s := r.session()
	expect(t, "others", ask(t, s, "SELECT count(*) FROM app.baseline"), "23")
	if faults := s.Faults(); len(faults) != 2 || !strings.Contains(faults[0].Error(), "making view bad_live.p_v1") {
		t.Errorf("faults %v", faults)
	}
	r.table("bad_live.p_v1", pings)
	if err := s.Refresh(t.Context()); err != nil || len(s.Faults()) > 0 {
		t.Error(err, s.Faults())
	}
	expect(t, "healed", ask(t, s, "SELECT count(*) FROM bad.p"), "0")
}

func TestFolderNamesAreNotPatterns(t *testing.T) {
	r := newTree(t)
	r.dir = filepath.Join(t.TempDir(), "it's [a]*b %zz", "lake")
	r.table("app_live.p_v1", pings)
	r.table("app_stable.p_v1", pings)
	r.write("app_live.p_v1", "2026-11-20", "00-1-1", rowsOf("4"))
	r.write("app_stable.p_v1", "2026-11-19", "00", rowsOf("3"))
	expect(t, "rows", ask(t, r.session(), perDay("app.p")), "2026-11-19 3\n2026-11-20 4")
	if err := WriteCatalog(t.Context(), r.lake()); err != nil {
		t.Fatal(err)
	}
}

// lastSeen writes one day of a last_seen table: "client seen active" a line.
func (r *tree) lastSeen(day string, clients ...string) {
	r.t.Helper()
	const columns = "NULL::VARCHAR AS client_id, 7::BIGINT AS sample_id, 0::BIGINT AS days_seen_bits, 0::BIGINT AS days_active_bits"
	const more = ", 0::BIGINT AS days_created_profile_bits, 0::BIGINT AS days_seen_session_start_bits, 0::BIGINT AS days_seen_session_end_bits, 0::BIGINT AS days_visited_1_uri_bits, DATE '2026-11-01' AS first_seen_date, false AS is_new_profile"
	r.table("app_derived."+lastSeenTable, "SELECT "+columns+more)
	if day == "" {
		return
	}
	values := make([]string, len(clients))
	for i, c := range clients {
		f := strings.Fields(c)
		values[i] = "('" + f[0] + "', " + f[1] + ", " + f[2] + ")"
	}
	r.write("app_derived."+lastSeenTable, day, "00",
		"SELECT c AS client_id, 7::BIGINT AS sample_id, s::BIGINT AS days_seen_bits, a::BIGINT AS days_active_bits"+more+" FROM (VALUES "+strings.Join(values, ", ")+") AS v(c, s, a)")
}

func TestUsageViews(t *testing.T) {
	r := newTree(t)
	r.lastSeen("2026-11-20",
		"today-active 1 1",
		"today-idle 1 0",
		"week-active 64 64",  // seen 6 days ago
		"older 128 128",      // 7 days ago: week 0 of the metric date, not retained
		"retained 8256 8192", // 13 and 6 days ago
		"month 134217728 0",  // 27 days ago
	)
	r.lastSeen("2026-11-21", "alone 1 1")
	s := r.session()
	expect(t, "usage", ask(t, s, "SELECT submission_date, dau, wau, mau, daily_users, weekly_users, monthly_users FROM app.active_users_aggregates ORDER BY 1"), `
2026-11-20 1 2 4 2 4 6
2026-11-21 1 1 1 1 1 1`)
	expect(t, "retention", ask(t, s, "SELECT metric_date, clients, retained, retention FROM app.retention_1w ORDER BY 1"), `
2026-11-07 2 1 0.5
2026-11-08 0 0 NULL`)
	expect(t, "days since", ask(t, s, "SELECT client_id, days_since_seen, days_since_active, days_since_created_profile FROM app.baseline_clients_last_seen WHERE submission_date = '2026-11-20' ORDER BY 1"), `
month 27 NULL NULL
older 7 7 NULL
retained 6 13 NULL
today-active 0 0 NULL
today-idle 0 NULL NULL
week-active 6 6 NULL`)
}

func TestUsageViewsReadOneDay(t *testing.T) {
	r := newTree(t)
	r.lastSeen("2026-11-20", "a 1 1")
	r.lastSeen("2026-11-21", "a 3 3")
	s := r.session()
	for _, view := range []string{"active_users_aggregates", "retention_1w", "baseline_clients_last_seen"} {
		plan := ask(t, s, "EXPLAIN ANALYZE SELECT * FROM app."+view+" WHERE submission_date = DATE '2026-11-21'")
		if !strings.Contains(plan, "Scanning Files: 1/3") {
			t.Errorf("%s reads more than a day:\n%s", view, plan)
		}
	}
}

func TestNamesAreGivenOnce(t *testing.T) {
	r := newTree(t)
	r.lastSeen("")
	r.table("app_live.active_users_aggregates_v1", "SELECT 'doctype' AS origin")
	r.table("app_derived.retention_1w_v1", "SELECT 'derived' AS origin")
	r.table("app_derived.baseline_clients_daily_v1", "SELECT 'daily' AS origin")
	r.table("app_derived.mine_v1", "SELECT 'v1' AS one")
	r.table("app_derived.mine_v2", "SELECT 'v2' AS two")
	s := r.session()
	for view, column := range map[string]string{
		"active_users_aggregates":    "origin", // a document type goes first
		"retention_1w":               "origin", // then a derived table
		"baseline_clients_daily":     "origin",
		"baseline_clients_last_seen": "days_since_seen",
		"mine":                       "two",
	} {
		expect(t, view, ask(t, s, "SELECT count(*) FROM (DESCRIBE app."+view+") WHERE column_name = '"+column+"'"), "1")
	}
	if faults := s.Faults(); len(faults) > 0 {
		t.Error(faults)
	}
}
