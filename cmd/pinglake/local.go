package main

import (
	"context"
	"errors"
	"io"
	"log/slog"

	"pinglake/conf"
)

// withRunningNode opens the data folder, runs its sink, does the work and stops
// in order. It is how a command does without a daemon.
func withRunningNode(ctx context.Context, settings *conf.Settings, logger *slog.Logger, work func(context.Context, *node) error) (err error) {
	n, err := openNode(ctx, settings, logger)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, n.Close()) }()

	working, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	sinking, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	ended := make(chan error, 1)
	go func() {
		err := n.sink.Run(sinking)
		cancel(err)
		ended <- err
	}()
	worked := work(working, n)
	stop()
	if sunk := <-ended; sunk != nil {
		return sunk // what the work met is only its echo
	}
	return worked
}

func (a *app) importHere(ctx context.Context, settings *conf.Settings, logger *slog.Logger, from io.Reader) (report *importReport, err error) {
	err = withRunningNode(ctx, settings, logger, func(ctx context.Context, n *node) error {
		if err := keepDemo(settings.Data); err != nil {
			return err
		}
		if report, err = importMessages(ctx, n, from); err != nil {
			return err
		}
		return n.catalog.write(ctx)
	})
	return report, err
}
