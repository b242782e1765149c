package sim

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"pinglake/ingest"
)

// seenPing is what the recount reads from a message, knowing nothing of how it was
// made.
type seenPing struct {
	doctype  string
	id       ingest.DocumentID
	client   string
	duration float64 // seconds
	firstRun string
}

// judge reads a message the way a decoder that knows the app's pings would.
func judge(raw ingest.Raw) (seenPing, ingest.Reason) {
	parts := strings.Split(strings.TrimPrefix(raw.URI, "/submit/"), "/")
	if len(parts) != 4 {
		return seenPing{}, ingest.PathElements
	}
	id, ok := ingest.ParseDocumentID(parts[3])
	if !ok {
		return seenPing{}, ingest.InvalidDocumentID
	}
	body := raw.Body
	if plain, ok := gunzip(body); ok {
		body = plain
	}
	var value any
	if !utf8.Valid(body) || json.Unmarshal(body, &value) != nil {
		return seenPing{}, ingest.InvalidJSON
	}
	if _, ok := value.(map[string]any); !ok {
		return seenPing{}, ingest.NotAnObject
	}
	known := map[string]bool{"baseline": true, "metrics": true, "events": true, "shopping": true, "deletion-request": true}
	if parts[0] != "my-app" || !known[parts[1]] {
		return seenPing{}, ingest.UnknownDoctype
	}
	if parts[2] != "1" {
		return seenPing{}, ingest.UnknownVersion
	}
	var p struct {
		Client *struct{} `json:"client"`
		Info   struct {
			Seq     *int   `json:"seq"`
			EndTime string `json:"end_time"`
		} `json:"ping_info"`
		ClientInfo struct {
			ID       string `json:"client_id"`
			SDK      string `json:"telemetry_sdk_build"`
			FirstRun string `json:"first_run_date"`
		} `json:"client_info"`
		Metrics struct {
			Timespan map[string]struct {
				Unit  string `json:"time_unit"`
				Value int64  `json:"value"`
			} `json:"timespan"`
		} `json:"metrics"`
	}
	if json.Unmarshal(body, &p) != nil || p.Client != nil || p.Info.Seq == nil || p.ClientInfo.SDK == "" {
		return seenPing{}, ingest.SchemaViolation
	}
	span := p.Metrics.Timespan["glean.baseline.duration"]
	units := map[string]float64{"second": 1, "millisecond": 0.001}
	return seenPing{
		doctype: parts[1], id: id, client: strings.ToLower(p.ClientInfo.ID),
		duration: float64(span.Value) * units[span.Unit], firstRun: p.ClientInfo.FirstRun,
	}, ""
}

type idKey struct {
	doctype string
	id      ingest.DocumentID
}

// recount computes the answers from the messages alone, the naive way.
func recount(p *Population) Answers {
	var answers Answers
	firstDay := map[idKey]int{}
	seen := make([]map[string]bool, p.Days)
	active := make([]map[string]bool, p.Days)
	known := map[string]bool{}
	for day := range p.Days {
		a := DayAnswers{Date: p.Date(day), Pings: map[string]int{}, Rejects: map[ingest.Reason]int{}}
		seen[day], active[day] = map[string]bool{}, map[string]bool{}
		for raw := range p.Day(day) {
			ping, reason := judge(raw)
			if reason != "" {
				a.Rejects[reason]++
				continue
			}
			key := idKey{ping.doctype, ping.id}
			if first, again := firstDay[key]; again {
				if first == day {
					a.DuplicatesSameDay++
				} else {
					a.DuplicatesLaterDay++
				}
				continue
			}
			firstDay[key] = day
			a.Pings[ping.doctype]++
			if ping.doctype != "baseline" {
				continue
			}
			seen[day][ping.client] = true
			if ping.duration > 0 {
				active[day][ping.client] = true
			}
			if !known[ping.client] {
				known[ping.client] = true
				a.NewClients++
			}
		}
		within := func(days []map[string]bool, n int) int {
			clients := map[string]bool{}
			for back := range n {
				if day-back >= 0 {
					for c := range days[day-back] {
						clients[c] = true
					}
				}
			}
			return len(clients)
		}
		a.DailyUsers, a.WeeklyUsers, a.MonthlyUsers = within(seen, 1), within(seen, 7), within(seen, 28)
		a.DAU, a.WAU, a.MAU = within(active, 1), within(active, 7), within(active, 28)
		answers.Days = append(answers.Days, a)
		if day < 13 {
			continue
		}
		r := Retention{SubmissionDate: p.Date(day), MetricDate: p.Date(day - 13)}
		for c := range known {
			var first, second bool
			for back := range 14 {
				if seen[day-back][c] {
					first = first || back >= 7
					second = second || back < 7
				}
			}
			if first {
				r.Active++
			}
			if first && second {
				r.Retained++
			}
		}
		answers.Retention = append(answers.Retention, r)
	}
	return answers
}

func TestAnswersAreWhatTheMessagesSay(t *testing.T) {
	for _, o := range []Options{
		{Seed: 1, Clients: 150, Days: 32, DuplicateRatio: 0.08, MalformedRatio: 0.06},
		{Seed: 2, Clients: 60, Days: 3, DuplicateRatio: 1, MalformedRatio: 1},
		{Seed: 3, Clients: 50, Days: 14},
		{Seed: 4, Clients: 20, Days: 1, DuplicateRatio: 0.5},
	} {
		t.Run(fmt.Sprintf("seed %d", o.Seed), func(t *testing.T) {
			o.End = testEnd
			p := New(o)
			want := recount(p)
			got := p.Answers()
			for i := range got.Days {
				got.Days[i].LatePings = 0 // the server can not tell
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestEveryFaultIsMadeAndRefusedForItsReason(t *testing.T) {
	p := New(Options{Seed: 5, Clients: 200, Days: 3, End: testEnd, MalformedRatio: 1})
	w := newWriter(p)
	met := map[fault]int{}
	for day := range p.Days {
		for _, a := range p.arrivals(day) {
			if a.kind != malformed {
				continue
			}
			f := w.faultOf(a)
			met[f]++
			raw := w.raw(a)
			if _, got := judge(raw); got != f.reason() {
				t.Fatalf("fault %d of %s: refused for %q, want %q", f, raw.URI, got, f.reason())
			}
		}
	}
	for f := noFault + 1; f < faults; f++ {
		if met[f] == 0 {
			t.Errorf("fault %d was never made", f)
		}
	}
}

func TestThePopulationLooksLikeOne(t *testing.T) {
	p := New(Options{Seed: 42, Clients: 3000, Days: 42, End: testEnd, DuplicateRatio: 0.03, MalformedRatio: 0.02})
	answers := p.Answers()
	var pings, duplicates, later, rejects, late, baselines, newcomers int
	byWeekday := map[bool][]int{}
	for _, a := range answers.Days {
		pings += a.ValidPings()
		duplicates += a.Duplicates()
		later += a.DuplicatesLaterDay
		rejects += a.Malformed()
		late += a.LatePings
		baselines += a.Pings["baseline"]
		newcomers += a.NewClients
		weekend := a.Date.Weekday() == time.Saturday || a.Date.Weekday() == time.Sunday
		byWeekday[weekend] = append(byWeekday[weekend], a.DailyUsers)
	}
	last := answers.Days[len(answers.Days)-1]
	week := answers.Retention[len(answers.Retention)-1]
	for _, check := range []struct {
		what     string
		got      float64
		from, to float64
	}{
		{"duplicates per ping", ratio(duplicates, pings), 0.027, 0.033},
		{"duplicates on a later day", ratio(later, duplicates), 0.18, 0.28},
		{"malformed per ping", ratio(rejects, pings), 0.018, 0.022},
		{"late pings", ratio(late, pings), 0.015, 0.035},
		{"baseline pings", ratio(baselines, pings), 0.65, 0.80},
		{"clients that ever came", ratio(newcomers, p.Clients), 0.80, 1},
		{"DAU / daily users", ratio(last.DAU, last.DailyUsers), 0.80, 0.97},
		{"DAU / MAU", ratio(last.DAU, last.MAU), 0.20, 0.45},
		{"WAU / MAU", ratio(last.WAU, last.MAU), 0.50, 0.85},
		{"one-week retention", ratio(week.Retained, week.Active), 0.70, 0.93},
		{"weekend / weekday", mean(byWeekday[true]) / mean(byWeekday[false]), 0.60, 0.95},
	} {
		t.Logf("%-26s %.3f", check.what, check.got)
		if check.got < check.from || check.got > check.to {
			t.Errorf("%s: %.3f is not within %.3f..%.3f", check.what, check.got, check.from, check.to)
		}
	}
}

func ratio(a, b int) float64 { return float64(a) / float64(b) }

func mean(of []int) float64 {
	n := 0
	for _, v := range of {
		n += v
	}
	return ratio(n, len(of))
}

// A seq that has a hole or comes twice would look like a lost or repeated ping.
func TestSeqCountsTheClientsPingsWithoutHoles(t *testing.T) {
	p := New(Options{Seed: 7, Clients: 120, Days: 30, End: testEnd, DuplicateRatio: 0.05})
	seqs := map[[2]string]map[int]bool{}
	for raw := range p.Messages() {
		ping, reason := judge(raw)
		if reason != "" {
			continue
		}
		body := raw.Body
		if plain, ok := gunzip(body); ok {
			body = plain
		}
		var info struct {
			Info struct{ Seq int } `json:"ping_info"`
		}
		if err := json.Unmarshal(body, &info); err != nil {
			t.Fatal(err)
		}
		key := [2]string{ping.client, ping.doctype}
		if seqs[key] == nil {
			seqs[key] = map[int]bool{}
		}
		seqs[key][info.Info.Seq] = true
	}
	holes, all := 0, 0
	for _, of := range seqs {
		low, high := 1<<30, 0
		for seq := range of {
			low, high = min(low, seq), max(high, seq)
		}
		holes += high - low + 1 - len(of)
		all += len(of)
	}
	// What a client that opted out never sent, and what is late at the end.
	if float64(holes) > 0.02*float64(all) {
		t.Errorf("%d holes in %d pings", holes, all)
	}
}

func TestNobodySendsAfterItsDeletionRequest(t *testing.T) {
	p := New(Options{Seed: 11, Clients: 30_000, Days: 30, End: testEnd, DuplicateRatio: 0.2})
	d := newDice(p.Seed)
	gone := 0
	for i := range p.Clients {
		c := p.client(d, int32(i))
		var last, deleted int64
		for made := max(c.arrived, 0); made <= min(c.last, int32(p.Days-1)); made++ {
			for _, s := range p.plan(d, &c, made, nil) {
				if s.doctype == deletion {
					deleted = s.at
					continue
				}
				last = max(last, s.at, s.again)
			}
		}
		if deleted == 0 {
			continue
		}
		gone++
		if last > deleted {
			t.Errorf("client %d sends at %s, but opted out at %s", i, time.UnixMicro(last).UTC(), time.UnixMicro(deleted).UTC())
		}
	}
	if gone < 100 {
		t.Errorf("only %d clients opted out", gone)
	}
}

func TestDocumentIDsAreUnique(t *testing.T) {
	p := smallPopulation()
	ids := map[ingest.DocumentID]bool{}
	d := newDice(p.Seed)
	for i := range p.Clients {
		c := p.client(d, int32(i))
		for made := max(c.arrived, 0); made <= min(c.last, int32(p.Days-1)); made++ {
			for _, s := range p.plan(d, &c, made, nil) {
				id := documentID(d, &s)
				if ids[id] {
					t.Fatalf("%s comes twice", id)
				}
				ids[id] = true
			}
		}
	}
	if len(ids) < 1000 {
		t.Errorf("only %d pings", len(ids))
	}
}

func BenchmarkDay(b *testing.B) {
	p := New(Options{Seed: 1, Clients: 5000, Days: 30, End: testEnd, DuplicateRatio: 0.02, MalformedRatio: 0.01})
	n := 0
	for b.Loop() {
		for range p.Day(20) {
			n++
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(n), "ns/message")
}
