package main

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"time"

	"github.com/coreos/go-systemd/v22/daemon"
	"github.com/spf13/cobra"

	"pinglake/batch"
	"pinglake/conf"
)

func (a *app) serveCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Take pings over HTTP and keep the lake, until stopped",
		Long: `serve answers POST and PUT of /submit/<namespace>/<doctype>/<version>/<document_id>
with 200 once the ping is on disk, and lands what it took in the lake every few
seconds. At 01:00 UTC it builds the tables of the day that closed.

SIGTERM stops it in order; a second one at once.`,
		Example: `  pinglake serve --data ./pinglake-data --edge-addr :8080
  curl -d '{"ping_info":{"seq":0,"start_time":"2026-01-01T00:00+00:00","end_time":"2026-01-01T00:01+00:00"},"client_info":{"telemetry_sdk_build":"1"}}' \
    localhost:8080/submit/my-app/baseline/1/$(uuidgen)`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			settings, logger, err := a.load(cmd)
			if err != nil {
				return err
			}
			return serve(cmd.Context(), settings, logger)
		},
	}
	a.addFlags(cmd, flagData, flagSchemas, flagEdgeAddr, flagAdminAddr,
		flagTLSAddr, flagTLSCert, flagTLSKey, flagTLSSelfSigned,
		flagGeoCity, flagGeoISP, flagGeoCities, flagGeoSkip, flagScrub)
	return cmd
}

func serve(ctx context.Context, settings *conf.Settings, logger *slog.Logger) (err error) {
	if err := checkSocketPath(settings.Data); err != nil {
		return err
	}
	n, err := openNode(ctx, settings, logger)
	if err != nil {
		return err
	}
	defer func() {
		if !errors.Is(err, errAbandoned) {
			err = errors.Join(err, n.Close())
		}
	}()
	if err := errors.Join(keepDemo(settings.Data), n.catalog.write(ctx)); err != nil {
		return err
	}
	edgeServer, err := n.newEdge()
	if err != nil {
		return err
	}
	// Listening comes last: from the first connection on all below can serve.
	admin, err := listenAdmin(n)
	if err != nil {
		return err
	}
	listeners, err := n.listenEdge()
	if err != nil {
		return errors.Join(err, admin.Close())
	}
	logger.Info("serving", append(listeners.addresses(), "admin", admin.addr(), "data", settings.Data, "pings", len(n.doctypes.Doctypes()))...)
	if _, err := daemon.SdNotify(false, daemon.SdNotifyReady); err != nil {
		logger.Warn("notify systemd", "err", err)
	}

	n.paused = !settings.Sink.Enabled
	var actors []actor
	if !n.paused {
		actors = append(actors, actor{"sink", n.runSink})
	}
	actors = append(actors,
		actor{"catalog", func(stop, _ context.Context) error { return n.catalog.run(stop) }},
		actor{"schemas", func(stop, _ context.Context) error { return n.watchSchemas(stop) }},
		actor{"geo", func(stop, _ context.Context) error { return n.geo.Watch(stop) }},
		actor{"expiry", func(stop, _ context.Context) error { return n.expireDedup(stop) }},
	)
	if settings.Batch.Enabled && !n.paused {
		actors = append(actors, actor{"nightly", func(stop, _ context.Context) error {
			at := time.Duration(settings.Batch.At)
			return n.nightly.Run(stop, batch.TimeOfDay{Hour: int(at.Hours()), Minute: int(at.Minutes()) % 60})
		}})
	}
	actors = append(actors,
		actor{"admin", admin.run},
		actor{"edge", func(stop, orderly context.Context) error { return serveHTTP(stop, orderly, edgeServer, listeners...) }},
	)
	err = errors.Join(runActors(ctx, actors, settings.DrainTimeout, logger), os.Remove(socketPath(settings.Data)))
	if _, err := daemon.SdNotify(false, daemon.SdNotifyStopping); err != nil {
		logger.Warn("notify systemd", "err", err)
	}
	logger.Info("stopped", "watermark", n.sink.Watermark())
	return err
}

// runSink lands batches; when stopped it lands what the stream still has, as far
// as there is time, and at least the open batch.
func (n *node) runSink(stop, orderly context.Context) error {
	ctx, cancel := context.WithCancel(context.WithoutCancel(stop))
	defer cancel()
	waiting, giveUp := context.WithCancel(orderly)
	defer giveUp()
	ended := make(chan error, 1)
	go func() {
		ended <- n.sink.Run(ctx)
		giveUp()
	}()
	select {
	case err := <-ended:
		return err
	case <-stop.Done():
	}
	if err := n.landed(waiting); err != nil {
		n.logger.Warn("the rest of the stream will be landed after the next start", "err", err)
	}
	cancel()
	return <-ended
}
