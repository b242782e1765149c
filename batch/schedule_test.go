package batch

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/jonboulle/clockwork"
	"go.uber.org/goleak"
)

func TestRunCatchesUpThenRunsDailyAndRetries(t *testing.T) {
	others := goleak.IgnoreCurrent()
	t.Cleanup(func() { goleak.VerifyNone(t, others) }) // after the house is closed
	clock := clockwork.NewFakeClockAt(day(t, "2026-11-22").Add(14 * time.Hour))
	asked := make(chan string) // the date each nightly waits for
	answer := make(chan error)
	h := newHouse(t, func(o *Options) {
		o.Clock, o.Now = clock, clock.Now
		o.Ready = func(_ context.Context, date int32) error {
			asked <- formatDate(date)
			return <-answer
		}
	})
	h.land(t, baseline, "2026-11-21", "1", population(t, "2026-11-21", 3, 1))
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- h.runner.Run(ctx, NightlyAt) }()

	expect := func(date string, err error) {
		t.Helper()
		select {
		case got := <-asked:
			if got != date {
				t.Fatalf("a nightly waits for %s, want %s", got, date)
			}
			answer <- err
		case <-time.After(30 * time.Second):
			t.Fatalf("no nightly waits for %s", date)
		}
	}
	expect("2026-11-21", errors.New("the sink is behind"))
	// The daily timer and the back-off.
	if err := clock.BlockUntilContext(ctx, 2); err != nil {
		t.Fatal(err)
	}
	clock.Advance(backOff[0])
	expect("2026-11-21", nil)

	// The daily timer alone: the night after is due at 01:00 and not before.
	h.land(t, baseline, "2026-11-22", "2", population(t, "2026-11-22", 3, 1))
	if err := clock.BlockUntilContext(ctx, 1); err != nil {
		t.Fatal(err)
	}
	clock.Advance(11*time.Hour - backOff[0] - time.Second)
	select {
	case date := <-asked:
		t.Fatalf("a nightly for %s before 01:00", date)
	default:
	}
	clock.Advance(time.Second)
	expect("2026-11-22", nil)

	if err := h.runner.take(ctx); err != nil { // the nightly has ended
		t.Fatal(err)
	}
	h.runner.give()
	cancel()
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
	if got := h.query(t, "SELECT count(*) FROM app_stable.baseline_v1"); got != "6\n" {
		t.Errorf("stable rows: %s", got)
	}
}

func TestRunRefusesATimeThatIsNone(t *testing.T) {
	h := newHouse(t, nil)
	if err := h.runner.Run(t.Context(), TimeOfDay{Hour: 24}); err == nil {
		t.Error("24:00 was taken")
	}
}
