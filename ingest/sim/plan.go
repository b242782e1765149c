package sim

import (
	"slices"
	"time"
)

// doctype is a kind of ping that the clients send.
type doctype uint8

const (
	baseline doctype = iota
	metrics
	events
	custom
	deletion
	doctypes // how many there are
)

var doctypeNames = [doctypes]string{"baseline", "metrics", "events", "shopping", "deletion-request"}

func (t doctype) String() string { return doctypeNames[t] }

const (
	maxDelay = 4 // days a ping may wait on the client
	maxGap   = 3 // days between two copies of a ping
)

const (
	second = int64(time.Second / time.Microsecond)
	hour   = 3600 * second
	wholeD = 24 * hour
)

// ping is one ping as a fact. Times are microseconds since 1970; 0 is never.
type ping struct {
	client   int32
	made     int32 // day on which the client made it
	index    uint8 // among the pings of that day
	doctype  doctype
	end      int64 // the client's clock when it was made
	at       int64 // first arrival
	duration int32 // seconds of use; 0 is no use at all
	again    int64 // arrival of the second copy
	upper    bool  // the second copy has its document_id in upper case
	fault    fault // what is wrong with the broken submission beside it
	faultAt  int64
}

// habit is what a client does on a day, before it is placed in time.
type habit struct {
	count [doctypes]uint8
	delay int32 // days until the pings reach the server
}

func (h habit) active() bool { return h.count[baseline] > 0 }

func weekend(t time.Time) bool { return t.Weekday() == time.Saturday || t.Weekday() == time.Sunday }

// habit draws what the client does on a day between its first and its last.
func (p *Population) habit(d *dice, c *client, day int32) habit {
	d.set(forHabit, c.index, day, 0)
	chance := c.propensity
	if weekend(p.Date(int(day))) {
		chance *= c.rhythm.weekend
	} else {
		chance *= c.rhythm.weekday
	}
	var h habit
	leaves := c.optsOut && day == c.last
	if !d.chance(min(chance, 0.97)) && day != c.arrived && !leaves {
		return h
	}
	h.count[baseline] = pickShare(d, []share[uint8]{{1, 60}, {2, 27}, {3, 13}})
	if d.chance(0.30) {
		h.count[metrics] = 1
	}
	if d.chance(0.25) {
		h.count[events] = 1
	}
	if d.chance(0.08) {
		h.count[custom] = 1
	}
	switch {
	case leaves:
		h.count[deletion] = 1
	case day != c.arrived && d.chance(0.025):
		h.delay = 1 + int32(d.IntN(maxDelay))
	}
	return h
}

// byHour is how likely an hour of the client's own day is.
var byHour = []share[int64]{
	{0, 2}, {1, 1}, {2, 1}, {3, 1}, {4, 1}, {5, 2}, {6, 4}, {7, 7}, {8, 9}, {9, 9}, {10, 8}, {11, 8},
	{12, 9}, {13, 8}, {14, 8}, {15, 8}, {16, 8}, {17, 8}, {18, 9}, {19, 10}, {20, 10}, {21, 9}, {22, 6}, {23, 4},
}

// moment draws a time of the UTC day, in microseconds.
func (c *client) moment(d *dice) int64 {
	at := pickShare(d, byHour)*hour + d.Int64N(hour) - int64(c.zone)*60*second
	return (at%wholeD + wholeD) % wholeD
}

// moments draws n times of the UTC day, ascending.
func (c *client) moments(d *dice, n int) []int64 {
	drawn := make([]int64, n)
	for i := range drawn {
		drawn[i] = c.moment(d)
	}
	slices.Sort(drawn)
	return drawn
}

// plan appends the pings that the client makes on a day: by doctype, and within
// a doctype in the order of time, the deletion request last. A ping that never reaches the server is left out.
func (p *Population) plan(d *dice, c *client, day int32, plan []ping) []ping {
	h := p.habit(d, c, day)
	if !h.active() || !p.reaches(c, day, h.delay) {
		return plan
	}
	d.set(forPings, c.index, day, 0)
	today := p.Date(int(day)).UnixMicro()
	arrives := p.Date(int(day + h.delay)).UnixMicro()
	burst := arrives + c.moment(d) // late pings come together
	first := len(plan)
	last := int64(0)
	for t := range deletion {
		for _, moment := range c.moments(d, int(h.count[t])) {
			s := ping{client: c.index, made: day, index: uint8(len(plan) - first), doctype: t}
			wait := second/5 + d.Int64N(30*second)
			s.at = today + moment
			s.end = s.at - wait
			if h.delay > 0 {
				s.at = min(burst+int64(s.index)*second/4, arrives+wholeD-1)
			}
			if t == baseline {
				s.duration = sessionSeconds(d)
			}
			p.repeat(d, c, &s)
			p.spoil(d, &s)
			plan = append(plan, s)
			last = max(last, s.at, min(s.again, today+wholeD-1))
		}
	}
	if h.count[deletion] > 0 {
		s := ping{client: c.index, made: day, index: uint8(len(plan) - first), doctype: deletion}
		s.at = min(last+d.Int64N(60*second), today+wholeD-1)
		s.end = s.at - second/5
		p.repeat(d, c, &s)
		plan = append(plan, s)
	}
	return plan
}

// reaches is false for pings that come after the period, or that a client which
// opted out has thrown away before it could send them.
func (p *Population) reaches(c *client, day, delay int32) bool {
	if int(day+delay) >= p.Days {
		return false
	}
	return delay == 0 || !c.optsOut || day+delay < c.last
}

// sessionSeconds is 0 for one ping in eight: the app came up but was not used.
func sessionSeconds(d *dice) int32 {
	if d.chance(0.125) {
		return 0
	}
	return 1 + int32(min(600*d.ExpFloat64()*d.ExpFloat64(), 6*3600))
}

// repeat decides whether the ping comes twice, and when: three times in four on
// the day of its first arrival.
func (p *Population) repeat(d *dice, c *client, s *ping) {
	if !d.chance(p.DuplicateRatio) {
		return
	}
	s.upper = d.chance(0.2)
	midnight := s.at - s.at%wholeD + wholeD
	gap := int32(1 + d.IntN(maxGap))
	later := d.chance(0.25)
	day := int32((midnight-p.start.UnixMicro())/wholeD) - 1 + gap
	if later && int(day) < p.Days && !(c.optsOut && day >= c.last) {
		s.again = midnight + int64(gap-1)*wholeD + c.moment(d)
		return
	}
	if left := midnight - s.at - 1; left > 0 {
		s.again = s.at + 1 + d.Int64N(min(left, 2*hour))
	}
}

// spoil decides whether a broken submission is sent on the day of the ping's
// first arrival.
func (p *Population) spoil(d *dice, s *ping) {
	if !d.chance(p.MalformedRatio) {
		return
	}
	s.fault = fault(1 + d.IntN(int(faults)-1))
	midnight := s.at - s.at%wholeD + wholeD
	s.faultAt = s.at + d.Int64N(min(midnight-s.at, hour))
}
