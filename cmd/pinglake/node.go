package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sys/unix"

	"pinglake/batch"
	"pinglake/conf"
	"pinglake/dedup"
	"pinglake/ingest/decode"
	"pinglake/ingest/sink"
	"pinglake/ingest/stream"
	"pinglake/lake"
	"pinglake/lake/schema"
	"pinglake/query"
)

// node is the opened line of one data folder: everything from the stream to the
// nightly, not yet running. Only one process can have it.
type node struct {
	settings *conf.Settings
	logger   *slog.Logger
	metrics  *prometheus.Registry

	lock     *os.File
	doctypes *doctypes
	lake     *lake.Lake
	dedup    *dedup.Index
	stream   *stream.Stream
	geo      *decode.Geo // nil: no database was named
	decoder  *decode.Decoder
	sink     *sink.Sink
	nightly  *batch.Runner
	catalog  *catalog

	// paused: this process only takes pings, nothing lands.
	paused bool
}

// openNode opens the data folder. What was opened before an error is closed.
func openNode(ctx context.Context, settings *conf.Settings, logger *slog.Logger) (*node, error) {
	n := &node{settings: settings, logger: logger, metrics: prometheus.NewRegistry()}
	if err := n.open(ctx); err != nil {
		return nil, errors.Join(err, n.Close())
	}
	return n, nil
}

// open opens the parts bottom up: schemas, lake, dedup, then what a crash left
// unfinished, then the stream behind the watermark.
func (n *node) open(ctx context.Context) (err error) {
	settings, logger := n.settings, n.logger
	if n.lock, err = lockData(settings.Data); err != nil {
		return err
	}
	if settings.Schemas != "" {
		if _, err := os.Stat(settings.Schemas); err != nil {
			return usagef("schemas: %w", err)
		}
	}
	if err := os.MkdirAll(settings.SchemasDir(), 0o755); err != nil {
		return err
	}
	registry, err := openSchemas(settings, logger)
	if err != nil {
		return err
	}
	n.catalog = newCatalog(logger)
	n.lake, err = lake.Open(lake.Options{
		Dir: lakeDir(settings.Data), Staging: filepath.Join(settings.Data, "staging"),
		OnTable: n.catalog.tableMade, Logger: logger,
	})
	if err != nil {
		return err
	}
	n.catalog.lake = n.lake
	n.doctypes = &doctypes{Registry: registry, lake: n.lake, logger: logger, refused: map[string]error{}}
	if err := n.doctypes.learnTables(); err != nil {
		return err
	}
	if err := n.doctypes.ensureSystemTables(); err != nil {
		return err
	}
	if err := n.doctypes.ensureTables(registry.Doctypes()); err != nil {
		return err
	}
	if n.dedup, err = dedup.Open(dedup.Options{
		Dir: filepath.Join(settings.Data, "dedup"), WindowDays: settings.Dedup.WindowDays, Logger: logger,
	}); err != nil {
		return err
	}
	first, last, err := n.lastSpan()
	if err != nil {
		return err
	}
	if err := n.lake.Recover(first, last); err != nil {
		return err
	}
	if n.stream, err = stream.Open(ctx, stream.Options{
		Dir: filepath.Join(settings.Data, "stream"), MaxBytes: int64(settings.Stream.MaxBytes),
		MaxBody: int64(settings.Edge.MaxBody), After: last, Logger: logger, Metrics: n.metrics,
	}); err != nil {
		return err
	}
	if err := n.stream.Trim(ctx, last); err != nil {
		return err
	}
	if n.geo, err = openGeo(settings, logger); err != nil {
		return err
	}
	if n.decoder, err = newDecoder(settings, n.doctypes, n.geo, false, n.metrics); err != nil {
		return err
	}
	n.sink = n.newSink()
	n.nightly, err = batch.Open(batch.Options{
		Lake: n.lake, Query: n.queryOptions(), LiveRetentionDays: settings.Retention.LiveDays,
		Ready: n.ready, OnTable: n.catalog.changed, Logger: logger,
	})
	return err
}

// lastSpan is the last committed span. A new dedup index beside a lake that has
// spans was lost: it goes on behind them, so that no position is used twice and
// what the stream still has is read.
func (n *node) lastSpan() (first, last uint64, err error) {
	if first, last = n.dedup.Last(); last != 0 {
		return first, last, nil
	}
	if first, last, err = n.lake.LastSpan(); err != nil || last == 0 {
		return 0, 0, err
	}
	n.logger.Warn("the dedup index is new but the lake is not: repeats of pings stored before will be stored again",
		"first", first, "last", last)
	return first, last, n.dedup.Commit(dedup.Commit{First: first, Last: last, Day: schema.DateOf(time.Now())})
}

func (n *node) newSink() *sink.Sink {
	landfill := sink.WithoutLandfill
	if n.settings.Landfill.Enabled {
		landfill = sink.WithLandfill
	}
	return sink.New(sink.Options{
		Source: n.stream, Decoder: n.decoder, Dedup: n.dedup, Lake: n.lake,
		BatchRows: n.settings.Sink.BatchRows, BatchBytes: int64(n.settings.Sink.BatchBytes),
		BatchPeriod: n.settings.Sink.BatchPeriod, Landfill: landfill,
		Logger: n.logger, Metrics: n.metrics,
	})
}

func (n *node) queryOptions() query.Options {
	return query.Options{
		Memory: n.settings.Query.Memory.String(), Threads: n.settings.Query.Threads,
		TempDir: filepath.Join(n.settings.Data, "staging", "query"),
	}
}

// Close closes what was opened, top down: who uses a part goes before it.
func (n *node) Close() error {
	var errs []error
	if n.nightly != nil {
		errs = append(errs, n.nightly.Close())
	}
	if n.stream != nil {
		errs = append(errs, n.stream.Close())
	}
	if n.geo != nil {
		errs = append(errs, n.geo.Close())
	}
	if n.dedup != nil {
		errs = append(errs, n.dedup.Close())
	}
	if n.lock != nil {
		errs = append(errs, n.lock.Close())
	}
	return errors.Join(errs...)
}

// ready returns once everything received before the end of date is in the lake:
// the requests of a closed day are in the stream, so its present end will do.
func (n *node) ready(ctx context.Context, _ int32) error {
	return n.landed(ctx)
}

// landed waits until what is in the stream now can be queried.
func (n *node) landed(ctx context.Context) error {
	if n.paused {
		return usagef("nothing lands: the daemon runs with sink.enabled = false")
	}
	last, err := n.stream.Last(ctx)
	if err != nil {
		return err
	}
	return n.sink.Wait(ctx, last)
}

// watchSchemas makes tables for schemas as they come and change.
func (n *node) watchSchemas(ctx context.Context) error {
	return n.doctypes.Watch(ctx, func(changed []*schema.Doctype) {
		if err := n.doctypes.ensureTables(changed); err != nil {
			n.logger.Error("make tables for changed schemas", "err", err)
			return
		}
		n.catalog.changed()
		n.logger.Info("schemas changed", "doctypes", len(changed))
	})
}

// expireDedup drops whole days from the dedup index once they leave the window.
func (n *node) expireDedup(ctx context.Context) error {
	hourly := time.NewTicker(time.Hour)
	defer hourly.Stop()
	for {
		if err := n.dedup.Expire(time.Now()); err != nil {
			n.logger.Error("expire document_ids", "err", err)
		}
		select {
		case <-hourly.C:
		case <-ctx.Done():
			return nil
		}
	}
}

func lakeDir(data string) string { return filepath.Join(data, "lake") }

func openSchemas(settings *conf.Settings, logger *slog.Logger) (*schema.Registry, error) {
	return schema.Open(schema.Options{Dir: settings.SchemasDir(), Logger: logger})
}

// lockData takes the data folder for this process, making it if need be.
func lockData(data string) (*os.File, error) {
	if err := os.MkdirAll(data, 0o755); err != nil {
		return nil, err
	}
	lock, err := os.OpenFile(filepath.Join(data, "lock"), os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return nil, err
	}
	if err := unix.Flock(int(lock.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		_ = lock.Close()
		if errors.Is(err, unix.EWOULDBLOCK) {
			return nil, usagef("another pinglake has the data folder %s; stop it, or choose another with --data", data)
		}
		return nil, fmt.Errorf("lock %s: %w", data, err)
	}
	return lock, nil
}
