package sim

import (
	"fmt"
	"math/bits"
	"time"

	"pinglake/ingest"
)

// Report is what a load sent, what was answered, and so what the lake must hold
// once the edge's stream is drained.
type Report struct {
	Sent     int64         // submissions
	OK       int64         // of them, answered 200
	ByStatus map[int]int64 // by HTTP status; 0 is no answer

	// Pings are the acknowledged first copies by doctype: as many rows are in the
	// live tables.
	Pings map[string]int64
	// Duplicates are the acknowledged second copies: as many error rows say
	// duplicate.
	Duplicates int64
	// Rejects are the acknowledged malformed submissions: as many error rows say so.
	Rejects map[ingest.Reason]int64
	// Clients is the number of distinct clients among the acknowledged baseline
	// pings.
	Clients int
	// Uncertain is the number of submissions without a 200. A lake may hold up to so
	// many rows more.
	Uncertain int64

	Elapsed       time.Duration
	Rate          float64 // submissions answered 200, a second
	P50, P99, Max time.Duration
}

// report adds up the shooters. It is an error if the edge never answered.
func (l *load) report(shooters []*shooter, elapsed time.Duration) (Report, error) {
	r := Report{
		Sent: l.sent.Load(), OK: l.ok.Load(), Elapsed: elapsed,
		ByStatus: map[int]int64{}, Pings: map[string]int64{}, Rejects: map[ingest.Reason]int64{},
	}
	var latency histogram
	var fault error
	for _, s := range shooters {
		for status, n := range s.tally.byStatus {
			r.ByStatus[status] += n
		}
		for kind, n := range s.tally.pings {
			if n > 0 {
				r.Pings[doctype(kind).String()] += n
			}
		}
		for reason, n := range s.tally.rejects {
			r.Rejects[reason] += n
		}
		r.Duplicates += s.tally.duplicates
		latency.merge(&s.tally.latency)
		if fault == nil {
			fault = s.tally.fault
		}
	}
	for i := range l.seen {
		if l.seen[i].Load() {
			r.Clients++
		}
	}
	r.Uncertain = r.Sent - r.OK
	r.Rate = float64(r.OK) / elapsed.Seconds()
	r.P50, r.P99, r.Max = latency.quantile(0.50), latency.quantile(0.99), latency.max
	if fault != nil && r.Sent > 0 && r.ByStatus[0] == r.Sent {
		return r, fmt.Errorf("load %s: no request was answered: %w", l.Edge, fault)
	}
	return r, nil
}

// histogram counts durations in buckets that are 1/32 of a power of two wide.
type histogram struct {
	buckets [64 * 32]int64
	count   int64
	max     time.Duration
}

func (h *histogram) add(d time.Duration) {
	h.buckets[bucketOf(d)]++
	h.count++
	h.max = max(h.max, d)
}

func (h *histogram) merge(other *histogram) {
	for i, n := range other.buckets {
		h.buckets[i] += n
	}
	h.count += other.count
	h.max = max(h.max, other.max)
}

// quantile is the lower bound of the bucket that holds the part q of all, at most
// 1/32 below the true value. 0 if nothing was counted.
func (h *histogram) quantile(q float64) time.Duration {
	rank := int64(q * float64(h.count))
	for i, n := range h.buckets {
		if rank -= n; rank < 0 {
			return bucketStart(i)
		}
	}
	return h.max
}

func bucketOf(d time.Duration) int {
	v := uint64(max(d, 0))
	power := max(bits.Len64(v)-6, 0) // v>>power is below 64
	return 32*power + int(v>>power)
}

func bucketStart(i int) time.Duration {
	if i < 64 {
		return time.Duration(i)
	}
	power := i/32 - 1
	return time.Duration(uint64(i-32*power) << power)
}
