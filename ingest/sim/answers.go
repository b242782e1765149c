package sim

import (
	"time"

	"pinglake/ingest"
)

// Answers are what must be found once all messages of the period went through.
type Answers struct {
	// Days are the answers of each day of the period, in order.
	Days []DayAnswers
	// Retention has one entry for each submission date that has 13 days of the
	// period before it, in order.
	Retention []Retention
}

// DayAnswers are the answers of one submission_date. Only the first arrival of a
// ping counts, on the day on which the server got it. Users are distinct clients
// with a baseline ping in the last 1, 7 or 28 days of the period, DAU, WAU and
// MAU those of them with a baseline ping of a duration above zero. Clients that
// asked for deletion count like any other.
type DayAnswers struct {
	Date                                  time.Time
	DailyUsers, WeeklyUsers, MonthlyUsers int
	DAU, WAU, MAU                         int
	NewClients                            int                   // whose first baseline ping came that day
	Pings                                 map[string]int        // first arrivals by doctype
	LatePings                             int                   // of them, made on an earlier day
	DuplicatesSameDay                     int                   // second copies, the first having come that day
	DuplicatesLaterDay                    int                   // second copies, the first having come earlier
	Rejects                               map[ingest.Reason]int // malformed submissions; duplicates are not among them
}

// Duplicates is the number of second copies that came on the day.
func (a DayAnswers) Duplicates() int { return a.DuplicatesSameDay + a.DuplicatesLaterDay }

// Messages is the number of submissions of the day.
func (a DayAnswers) Messages() int { return a.ValidPings() + a.Duplicates() + a.Malformed() }

// ValidPings is the number of first arrivals of the day.
func (a DayAnswers) ValidPings() int { return sum(a.Pings) }

// Malformed is the number of malformed submissions of the day.
func (a DayAnswers) Malformed() int { return sum(a.Rejects) }

// Retention is one-week retention as seen from a submission date: of the clients
// seen in the week that ends 7 days before it, how many were seen in the week that
// ends on it.
type Retention struct {
	SubmissionDate time.Time
	MetricDate     time.Time // SubmissionDate - 13 days
	Active         int       // seen on days -13 to -7
	Retained       int       // of them, seen on days -6 to 0
}

// Answers counts the facts of the whole period. It needs some 4 bytes for each
// client and active day.
func (p *Population) Answers() Answers {
	var answers Answers
	seen := make([][]int32, p.Days)   // the clients with a baseline ping, by day
	active := make([][]int32, p.Days) // with one of a duration above zero
	ever := p.noClients()
	for day := range p.Days {
		a, facts := p.countDay(day)
		seenToday, activeToday := p.noClients(), p.noClients()
		for _, f := range facts {
			if seenToday.add(f.client) {
				seen[day] = append(seen[day], f.client)
			}
			if f.duration > 0 && activeToday.add(f.client) {
				active[day] = append(active[day], f.client)
			}
			if ever.add(f.client) {
				a.NewClients++
			}
		}
		a.DailyUsers, a.WeeklyUsers, a.MonthlyUsers = p.distinct(seen, day, 1), p.distinct(seen, day, 7), p.distinct(seen, day, 28)
		a.DAU, a.WAU, a.MAU = p.distinct(active, day, 1), p.distinct(active, day, 7), p.distinct(active, day, 28)
		answers.Days = append(answers.Days, a)
		if day >= 13 {
			answers.Retention = append(answers.Retention, p.retention(seen, day))
		}
	}
	return answers
}

// countDay counts what does not need other days, and gives the baseline pings
// that first came that day.
func (p *Population) countDay(day int) (DayAnswers, []ping) {
	a := DayAnswers{Date: p.Date(day), Pings: map[string]int{}, Rejects: map[ingest.Reason]int{}}
	from, until := p.Date(day).UnixMicro(), p.Date(day+1).UnixMicro()
	within := func(at int64) bool { return from <= at && at < until }
	var baselines []ping
	for s := range p.pingsAround(day) {
		if within(s.at) {
			a.Pings[s.doctype.String()]++
			if int(s.made) < day {
				a.LatePings++
			}
			if s.doctype == baseline {
				baselines = append(baselines, *s)
			}
		}
		if within(s.again) {
			if within(s.at) {
				a.DuplicatesSameDay++
			} else {
				a.DuplicatesLaterDay++
			}
		}
		if within(s.faultAt) {
			a.Rejects[s.fault.reason()]++
		}
	}
	return a, baselines
}

func (p *Population) retention(seen [][]int32, day int) Retention {
	r := Retention{SubmissionDate: p.Date(day), MetricDate: p.Date(day - 13)}
	first := p.union(seen[day-13 : day-6])
	second := p.union(seen[day-6 : day+1])
	r.Active = first.size
	for c, in := range first.in {
		if in && second.in[c] {
			r.Retained++
		}
	}
	return r
}

// distinct is the number of clients on the n days that end with day.
func (p *Population) distinct(byDay [][]int32, day, n int) int {
	return p.union(byDay[max(0, day-n+1) : day+1]).size
}

func (p *Population) union(days [][]int32) *clientSet {
	all := p.noClients()
	for _, clients := range days {
		for _, c := range clients {
			all.add(c)
		}
	}
	return all
}

// clientSet is a plain set of clients of a population.
type clientSet struct {
	in   []bool // by client
	size int
}

func (p *Population) noClients() *clientSet { return &clientSet{in: make([]bool, p.Clients)} }

// add is true if the client was not in the set before.
func (s *clientSet) add(c int32) bool {
	if s.in[c] {
		return false
	}
	s.in[c] = true
	s.size++
	return true
}

func sum[K comparable](counts map[K]int) int {
	n := 0
	for _, count := range counts {
		n += count
	}
	return n
}
