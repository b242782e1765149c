package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"
)

// actor is a part of the daemon that runs until it is told to stop.
type actor struct {
	name string
	// run ends soon after stop is done. orderly is done when the time for an
	// orderly end has passed: what is still waited for then is given up.
	run func(stop, orderly context.Context) error
}

// errAbandoned marks that something still runs: what it uses must not be closed.
var errAbandoned = errors.New("")

// runActors starts the actors in order and, when ctx is done or one of them ends,
// stops them in reverse, each after the one before it has ended: those that take
// work in go first, those that finish it last. Three quarters of drain are for an
// orderly end; after all of it the rest is abandoned with an error.
func runActors(ctx context.Context, actors []actor, drain time.Duration, logger *slog.Logger) error {
	orderly, endOrderly := context.WithCancel(context.WithoutCancel(ctx))
	defer endOrderly()
	type running struct {
		stop context.CancelFunc
		done chan error
	}
	ended := make(chan struct{}, len(actors))
	started := make([]running, len(actors))
	for i, a := range actors {
		stopped, stop := context.WithCancel(context.WithoutCancel(ctx))
		defer stop()
		started[i] = running{stop: stop, done: make(chan error, 1)}
		go func() {
			err := a.run(stopped, orderly)
			if err != nil {
				err = fmt.Errorf("%s: %w", a.name, err)
			}
			started[i].done <- err
			ended <- struct{}{}
		}()
	}
	select {
	case <-ctx.Done():
	case <-ended:
	}

	hurry := time.AfterFunc(drain*3/4, endOrderly)
	defer hurry.Stop()
	last := time.NewTimer(drain)
	defer last.Stop()
	var errs []error
	for i := len(actors) - 1; i >= 0; i-- {
		logger.Debug("stopping", "part", actors[i].name)
		started[i].stop()
		select {
		case err := <-started[i].done:
			errs = append(errs, err)
		case <-last.C:
			return errors.Join(append(errs, fmt.Errorf("%s did not end within %s%w", actors[i].name, drain, errAbandoned))...)
		}
	}
	return errors.Join(errs...)
}
