package batch

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/go-co-op/gocron/v2"
)

// TimeOfDay is a time in UTC.
type TimeOfDay struct{ Hour, Minute int }

// NightlyAt is when the day before is made: late enough for the day's last packs
// to be in the lake.
var NightlyAt = TimeOfDay{Hour: 1}

// A failed nightly is tried again after these waits, then the day after.
var backOff = []time.Duration{5 * time.Minute, 15 * time.Minute, time.Hour}

// Run runs Nightly at once, which makes up for days the process was down, and then
// every day at a time of day, until ctx is done. Failures are logged and retried.
func (r *Runner) Run(ctx context.Context, at TimeOfDay) error {
	if at.Hour < 0 || at.Hour > 23 || at.Minute < 0 || at.Minute > 59 {
		return fmt.Errorf("schedule the nightly: %02d:%02d is no time of day", at.Hour, at.Minute)
	}
	scheduler, err := gocron.NewScheduler(gocron.WithClock(r.options.Clock), gocron.WithLocation(time.UTC))
	if err != nil {
		return fmt.Errorf("schedule the nightly: %w", err)
	}
	nightly, err := scheduler.NewJob(
		gocron.DailyJob(1, gocron.NewAtTimes(gocron.NewAtTime(uint(at.Hour), uint(at.Minute), 0))),
		gocron.NewTask(func() { r.nightlyUntilDone(ctx) }),
		gocron.WithSingletonMode(gocron.LimitModeWait),
	)
	if err != nil {
		return errors.Join(fmt.Errorf("schedule the nightly: %w", err), scheduler.Shutdown())
	}
	scheduler.Start()
	// A catch-up that lasts past the time of day is followed by the nightly of that day.
	if err := nightly.RunNow(); err != nil {
		return errors.Join(fmt.Errorf("start the nightly: %w", err), scheduler.Shutdown())
	}
	<-ctx.Done()
	// Waits for a nightly under way, which has seen the same end of its context.
	if err := scheduler.Shutdown(); err != nil {
		return fmt.Errorf("stop the nightly: %w", err)
	}
	return nil
}

func (r *Runner) nightlyUntilDone(ctx context.Context) {
	for attempt := 0; ; attempt++ {
		err := r.Nightly(ctx)
		if err == nil || ctx.Err() != nil {
			return
		}
		if attempt == len(backOff) {
			r.log.Error("nightly failed; it runs again at its next time", "error", err)
			return
		}
		r.log.Error("nightly failed", "error", err, "retry_in", backOff[attempt])
		select {
		case <-r.options.Clock.After(backOff[attempt]):
		case <-ctx.Done():
			return
		}
	}
}
