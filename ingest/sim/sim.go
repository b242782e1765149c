// Package sim makes a population of simulated Glean clients whose answers (DAU,
// WAU, MAU, retention, duplicates, rejects) are known.
//
// Nothing is remembered between clients or days: everything about a client, and
// everything it does on a day, is drawn from dice seeded with (seed, client, day).
// So any day can be made alone, in any order and in bounded memory, and the
// answers are counted from the same facts that the messages are written from,
// without reading the messages.
package sim

import (
	"iter"
	"slices"
	"time"

	"pinglake/ingest"
)

// Options say what population to make. The zero value of a field means its
// default; ratios are cut to 0..1.
type Options struct {
	// Seed names the population: the same options give the same bytes.
	Seed uint64
	// Clients is the size of the population, including clients that arrive
	// during the period. Default 1000.
	Clients int
	// Days is the length of the period. Default 28.
	Days int
	// End is the first instant after the last day. Cut to midnight UTC. Default
	// 2026-01-01.
	End time.Time
	// Namespace is the app's document_namespace. Default my-app.
	Namespace string
	// DuplicateRatio is the part of the valid pings that is sent twice.
	DuplicateRatio float64
	// MalformedRatio is the number of malformed submissions for each valid ping.
	MalformedRatio float64
}

func (o Options) withDefaults() Options {
	if o.Clients <= 0 {
		o.Clients = 1000
	}
	if o.Days <= 0 {
		o.Days = 28
	}
	if o.End.IsZero() {
		o.End = time.Date(2026, time.January, 1, 0, 0, 0, 0, time.UTC)
	}
	o.End = o.End.UTC().Truncate(24 * time.Hour)
	if o.Namespace == "" {
		o.Namespace = "my-app"
	}
	o.DuplicateRatio = min(max(o.DuplicateRatio, 0), 1)
	o.MalformedRatio = min(max(o.MalformedRatio, 0), 1)
	return o
}

// Population is a set of clients over a period. It holds no state of the
// clients, so its methods may be called at the same time.
type Population struct {
	Options
	start time.Time // midnight UTC of day 0
}

// New is the population that the options describe.
func New(o Options) *Population {
	o = o.withDefaults()
	return &Population{Options: o, start: o.End.AddDate(0, 0, -o.Days)}
}

// Date is midnight UTC of a day of the period. The first day is 0.
func (p *Population) Date(day int) time.Time { return p.start.AddDate(0, 0, day) }

// Messages are all submissions of the period in the order of their
// submission_timestamp.
func (p *Population) Messages() iter.Seq[ingest.Raw] {
	return func(yield func(ingest.Raw) bool) {
		for day := range p.Days {
			for raw := range p.Day(day) {
				if !yield(raw) {
					return
				}
			}
		}
	}
}

// Day are the submissions that the server received on a day of the period, in the
// order of their submission_timestamp. It keeps about 24 bytes for each of them;
// bodies are made one at a time.
func (p *Population) Day(day int) iter.Seq[ingest.Raw] {
	return func(yield func(ingest.Raw) bool) {
		if day < 0 || day >= p.Days {
			return
		}
		w := newWriter(p)
		for _, a := range p.arrivals(day) {
			if !yield(w.raw(a)) {
				return
			}
		}
	}
}

// copyKind says what an arrival is to the ping it belongs to.
type copyKind uint8

const (
	firstCopy copyKind = iota
	againCopy          // the same document_id once more
	malformed          // a broken submission that was sent beside the ping
)

// arrival is one submission as a fact: when it comes and what it is.
type arrival struct {
	at     int64 // microseconds since 1970
	client int32
	made   int32 // the day on which the client made the ping
	index  uint8 // among the client's pings of that day
	kind   copyKind
}

// reach is how many days after it was made a ping, or its second copy, may come.
const reach = maxDelay + maxGap

// arrivals are the facts of one day, in the order in which the server gets them.
func (p *Population) arrivals(day int) []arrival {
	from := p.Date(day).UnixMicro()
	until := p.Date(day + 1).UnixMicro()
	var found []arrival
	for s := range p.pingsAround(day) {
		for kind, at := range [...]int64{firstCopy: s.at, againCopy: s.again, malformed: s.faultAt} {
			if from <= at && at < until {
				found = append(found, arrival{at: at, client: s.client, made: s.made, index: s.index, kind: copyKind(kind)})
			}
		}
	}
	slices.SortFunc(found, compareArrivals)
	return found
}

// pingsAround are the pings that could have an arrival on a day. A ping is good until the
// next is asked for.
func (p *Population) pingsAround(day int) iter.Seq[*ping] {
	return func(yield func(*ping) bool) {
		d := newDice(p.Seed)
		var plan []ping
		for i := range p.Clients {
			c := p.client(d, int32(i))
			for made := max(c.arrived, 0, int32(day-reach)); made <= min(c.last, int32(day)); made++ {
				plan = p.plan(d, &c, made, plan[:0])
				for k := range plan {
					if !yield(&plan[k]) {
						return
					}
				}
			}
		}
	}
}

func compareArrivals(a, b arrival) int {
	for _, d := range [...]int64{
		a.at - b.at,
		int64(a.client) - int64(b.client),
		int64(a.made) - int64(b.made),
		int64(a.index) - int64(b.index),
		int64(a.kind) - int64(b.kind),
	} {
		if d < 0 {
			return -1
		}
		if d > 0 {
			return 1
		}
	}
	return 0
}
