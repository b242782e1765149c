package main

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

func TestActorsStopInReverseEachAfterTheOther(t *testing.T) {
	var mu sync.Mutex
	var order []string
	note := func(what string) {
		mu.Lock()
		defer mu.Unlock()
		order = append(order, what)
	}
	named := func(name string) actor {
		return actor{name, func(stop, _ context.Context) error {
			<-stop.Done()
			note(name)
			return nil
		}}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	err := runActors(ctx, []actor{named("sink"), named("admin"), named("edge")}, time.Minute, slog.New(slog.DiscardHandler))
	if got := strings.Join(order, " "); err != nil || got != "edge admin sink" {
		t.Fatalf("got %q, %v", got, err)
	}
}

func TestOneActorsEndStopsAll(t *testing.T) {
	broken := errors.New("broken")
	err := runActors(t.Context(), []actor{
		{"sink", func(stop, _ context.Context) error { <-stop.Done(); return nil }},
		{"edge", func(_, _ context.Context) error { return broken }},
	}, time.Minute, slog.New(slog.DiscardHandler))
	if !errors.Is(err, broken) || err.Error() != "edge: broken" {
		t.Fatalf("got %v", err)
	}
}

func TestOrderlyEndHasThreeQuartersOfTheDrainTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		began := time.Now()
		var hurried time.Duration
		err := runActors(ctx, []actor{
			{"sink", func(_, orderly context.Context) error {
				<-orderly.Done()
				hurried = time.Since(began)
				return nil
			}},
		}, 40*time.Second, slog.New(slog.DiscardHandler))
		if err != nil || hurried != 30*time.Second {
			t.Fatalf("hurried after %s, %v", hurried, err)
		}
		release := make(chan struct{})
		err = runActors(ctx, []actor{
			{"stuck", func(_, _ context.Context) error { <-release; return nil }},
		}, 40*time.Second, slog.New(slog.DiscardHandler))
		if err == nil || err.Error() != "stuck did not end within 40s" {
			t.Fatalf("got %v", err)
		}
		close(release)
	})
}
