package main

import (
	"context"
	"database/sql"
	"fmt"
	"io"
	"maps"
	"slices"
	"time"

	"pinglake/ingest"
	"pinglake/ingest/sim"
	"pinglake/lake/schema"
	"pinglake/query"
)

// demoCounts are the numbers that the simulator knows and the lake must give.
type demoCounts struct {
	days  []usageDay
	lines []countLine
}

// usageDay is one submission_date. Retention is of the clients of the week that
// began 13 days before it, once there are 13 days.
type usageDay struct {
	date                    int32
	dau, wau, mau           int64
	daily, weekly, monthly  int64
	newClients              int64
	retentionBase, retained int64
}

type countLine struct {
	name string
	n    int64
}

func (c demoCounts) line(name string) int64 {
	for _, l := range c.lines {
		if l.name == name {
			return l.n
		}
	}
	return 0
}

// knownDemoCounts are the simulator's answers.
func knownDemoCounts(answers sim.Answers) demoCounts {
	var known demoCounts
	retention := map[time.Time]sim.Retention{}
	for _, r := range answers.Retention {
		retention[r.SubmissionDate] = r
	}
	counts := map[string]int64{storedLine: 0, duplicatesLine: 0}
	for _, day := range answers.Days {
		r := retention[day.Date]
		known.days = append(known.days, usageDay{
			date: schema.DateOf(day.Date), dau: int64(day.DAU), wau: int64(day.WAU), mau: int64(day.MAU),
			daily: int64(day.DailyUsers), weekly: int64(day.WeeklyUsers), monthly: int64(day.MonthlyUsers),
			newClients: int64(day.NewClients), retentionBase: int64(r.Active), retained: int64(r.Retained),
		})
		counts[storedLine] += int64(day.ValidPings())
		counts[duplicatesLine] += int64(day.Duplicates())
		for reason, n := range day.Rejects {
			counts[rejectLine(reason)] += int64(n)
		}
	}
	known.lines = linesOf(counts)
	return known
}

// The names of the lines.
const (
	storedLine     = "stored"
	duplicatesLine = "duplicates"
)

func rejectLine(reason ingest.Reason) string {
	if reason == ingest.Duplicate {
		return duplicatesLine
	}
	return "rejected: " + string(reason)
}

// linesOf puts what was stored first, then what was not, by name.
func linesOf(counts map[string]int64) []countLine {
	lines := []countLine{{storedLine, counts[storedLine]}}
	for _, name := range slices.Sorted(maps.Keys(counts)) {
		if name != storedLine {
			lines = append(lines, countLine{name, counts[name]})
		}
	}
	return lines
}

// readDemoCounts reads the same numbers from the lake's views and tables.
func readDemoCounts(ctx context.Context, session *query.Session) (demoCounts, error) {
	var found demoCounts
	rows, err := session.Query(ctx, `
		SELECT a.submission_date, dau, wau, mau, daily_users, weekly_users, monthly_users,
		       coalesce(f.new_clients, 0), coalesce(r.clients, 0), coalesce(r.retained, 0)
		FROM my_app.active_users_aggregates a
		LEFT JOIN (SELECT first_seen_date, count(*) AS new_clients
		           FROM my_app.baseline_clients_first_seen GROUP BY ALL) f ON f.first_seen_date = a.submission_date
		LEFT JOIN (SELECT * FROM my_app.retention_1w
		           WHERE metric_date >= (SELECT min(submission_date) FROM my_app.active_users_aggregates)) r
		       ON r.submission_date = a.submission_date
		ORDER BY 1`)
	if err != nil {
		return found, err
	}
	defer rows.Close()
	for rows.Next() {
		var d usageDay
		var date time.Time
		if err := rows.Scan(&date, &d.dau, &d.wau, &d.mau, &d.daily, &d.weekly, &d.monthly, &d.newClients, &d.retentionBase, &d.retained); err != nil {
			return found, err
		}
		d.date = schema.DateOf(date)
		found.days = append(found.days, d)
	}
	if err := rows.Err(); err != nil {
		return found, err
	}
	found.lines, err = readDemoLines(ctx, session)
	return found, err
}

// readDemoLines counts the live rows, the duplicates and the rejects.
func readDemoLines(ctx context.Context, session *query.Session) ([]countLine, error) {
	var stored int64
	tables, err := texts(ctx, session, `
		SELECT format('SELECT count(*) AS n FROM {}.{}', table_schema, table_name)
		FROM information_schema.tables WHERE table_schema = 'my_app_live'`)
	if err != nil {
		return nil, err
	}
	for _, counting := range tables {
		var n int64
		if err := scanOne(ctx, session, counting, &n); err != nil {
			return nil, err
		}
		stored += n
	}
	rows, err := session.Query(ctx, "SELECT reason, count(*) FROM payload_bytes_error.structured GROUP BY reason")
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	counts := map[string]int64{storedLine: stored}
	for rows.Next() {
		var reason string
		var n int64
		if err := rows.Scan(&reason, &n); err != nil {
			return nil, err
		}
		counts[rejectLine(ingest.Reason(reason))] += n
	}
	return linesOf(counts), rows.Err()
}

func texts(ctx context.Context, session *query.Session, ask string) ([]string, error) {
	rows, err := session.Query(ctx, ask)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var all []string
	for rows.Next() {
		var text string
		if err := rows.Scan(&text); err != nil {
			return nil, err
		}
		all = append(all, text)
	}
	return all, rows.Err()
}

func scanOne(ctx context.Context, session *query.Session, ask string, into any) error {
	rows, err := session.Query(ctx, ask)
	if err != nil {
		return err
	}
	defer rows.Close()
	if !rows.Next() {
		if err := rows.Err(); err != nil {
			return err
		}
		return sql.ErrNoRows
	}
	return rows.Scan(into)
}

// compareDemo lists where the lake and the simulator differ.
func compareDemo(known, found demoCounts) []string {
	var faults []string
	if len(known.days) != len(found.days) {
		faults = append(faults, fmt.Sprintf("%d days are known, %d found", len(known.days), len(found.days)))
	}
	for i := range min(len(known.days), len(found.days)) {
		if known.days[i] != found.days[i] {
			faults = append(faults, fmt.Sprintf("%s: known %+v, found %+v", schema.FormatDate(known.days[i].date), known.days[i], found.days[i]))
		}
	}
	for _, l := range known.lines {
		if n := found.line(l.name); n != l.n {
			faults = append(faults, fmt.Sprintf("%s: sent %d, found %d", l.name, l.n, n))
		}
	}
	for _, l := range found.lines {
		if known.line(l.name) == 0 {
			faults = append(faults, fmt.Sprintf("%s: none sent, found %d", l.name, l.n))
		}
	}
	return faults
}

// writeUsageTable writes a line a day.
func writeUsageTable(to io.Writer, found demoCounts) {
	fmt.Fprintf(to, "%-12s %7s %7s %7s %8s   %s\n", "date", "DAU", "WAU", "MAU", "new", "one-week retention")
	for _, d := range found.days {
		retention := ""
		if d.retentionBase > 0 {
			retention = fmt.Sprintf("%5.1f%%  (%d of %d)", 100*float64(d.retained)/float64(d.retentionBase), d.retained, d.retentionBase)
		}
		fmt.Fprintf(to, "%-12s %7d %7d %7d %8d   %s\n", schema.FormatDate(d.date), d.dau, d.wau, d.mau, d.newClients, retention)
	}
}
