package sim

import (
	"context"
	"net/http"
	"time"

	"pinglake/ingest"
)

// waitingCopies is how many second copies a shooter holds back before it sends
// them one for one.
const waitingCopies = 32

// pauseAfterFault keeps a shooter from spinning on an edge that is down.
const pauseAfterFault = 20 * time.Millisecond

// shooter sends one submission after the other over one connection.
type shooter struct {
	*load
	index   int
	dice    *dice
	packer  *writer
	count   uint64
	waiting []shot // acknowledged, to be sent once more
	tally   tally
}

// tally is what one shooter sent and what was answered.
type tally struct {
	byStatus   map[int]int64
	pings      [doctypes]int64
	duplicates int64
	rejects    map[ingest.Reason]int64
	latency    histogram
	fault      error // the first request without an answer
}

func (l *load) newShooter(index int) *shooter {
	return &shooter{
		load: l, index: index, dice: newDice(l.Seed), packer: newWriter(New(Options{})),
		tally: tally{byStatus: map[int]int64{}, rejects: map[ingest.Reason]int64{}},
	}
}

// run shoots until ctx is done or the bound is reached, and then sends the second
// copies it still has, unless the edge stops answering.
func (s *shooter) run(ctx context.Context) {
	for ctx.Err() == nil {
		next, ok := s.next()
		if !ok {
			break
		}
		if !s.shoot(&next) {
			pause(ctx, pauseAfterFault)
		}
	}
	for len(s.waiting) > 0 && s.shoot(s.takeWaiting()) {
	}
}

func pause(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}

// next is the next submission. ok is false when there are to be no more.
func (s *shooter) next() (next shot, ok bool) {
	s.count++
	s.dice.setWide(forLoad, uint64(s.index)<<40|s.count)
	id := s.dice.id()
	if len(s.waiting) > waitingCopies || len(s.waiting) > 0 && s.dice.chance(0.25) {
		return *s.takeWaiting(), true
	}
	n := s.taken.Add(1)
	if s.Messages > 0 && n > s.Messages {
		return shot{}, false
	}
	if s.dice.chance(s.MalformedRatio) {
		return s.spoiled(id), true
	}
	t := &s.templates[int(n-1)%len(s.templates)]
	letter := t.letter
	letter.id = id.String()
	return shot{template: t, id: id, uri: letter.uri(), body: t.body}, true
}

func (s *shooter) takeWaiting() *shot {
	next := s.waiting[0]
	s.waiting = s.waiting[1:]
	next.again = true
	if s.dice.chance(0.2) {
		letter := next.template.letter
		letter.id = upperHex(next.id)
		next.uri = letter.uri()
	}
	return &next
}

func (s *shooter) spoiled(id ingest.DocumentID) shot {
	t := pick(s.dice, s.broken)
	next := shot{template: t, fault: fault(1 + s.dice.IntN(int(faults)-1))}
	letter := t.letter
	letter.id = id.String()
	letter.spoil(next.fault, s.dice, id)
	next.uri = letter.uri()
	next.body = s.packer.fold(letter)
	return next
}

// shoot sends and counts. It is false if the answer was not 200.
func (s *shooter) shoot(next *shot) bool {
	began := time.Now()
	status, err := s.post(next)
	s.sent.Add(1)
	s.tally.byStatus[status]++
	if err != nil {
		if s.tally.fault == nil {
			s.tally.fault = err
		}
		return false
	}
	s.tally.latency.add(time.Since(began))
	if status != http.StatusOK {
		return false
	}
	s.ok.Add(1)
	switch {
	case next.fault != noFault:
		s.tally.rejects[next.fault.reason()]++
	case next.again:
		s.tally.duplicates++
	default:
		s.tally.pings[next.template.doctype]++
		if next.template.doctype == baseline {
			s.seen[next.template.client].Store(true)
		}
		if s.dice.chance(s.DuplicateRatio) {
			s.waiting = append(s.waiting, *next)
		}
	}
	return true
}
