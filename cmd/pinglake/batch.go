package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"pinglake/batch"
	"pinglake/conf"
	"pinglake/lake/schema"
	"pinglake/query"
)

func (a *app) batchCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "batch",
		Short: "Build the tables of closed days: stable and derived",
		Long: `batch runs what the daemon runs every night: live[D] becomes stable[D] without
duplicates, and stable[D] the derived tables. A run replaces whole partitions,
so it may be repeated.`,
		Example: "  pinglake batch run --date 2026-11-21\n  pinglake batch backfill --from 2026-11-01 --to 2026-11-21\n  pinglake batch list",
		Args:    cobra.NoArgs,
		RunE:    func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(a.batchRunCommand(), a.batchBackfillCommand(), a.batchListCommand())
	return cmd
}

func (a *app) batchRunCommand() *cobra.Command {
	var date string
	order := batchOrder{Verb: verbRun}
	cmd := &cobra.Command{
		Use: "run --date YYYY-MM-DD", Short: "Build one day's partitions again, in dependency order",
		Example: "  pinglake batch run --date 2026-11-21\n  pinglake batch run --date 2026-11-21 --job my_app_derived.baseline_clients_daily_v1",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			day, err := parseDate("--date", date)
			if err != nil {
				return err
			}
			order.From, order.To = day, day
			return a.orderBatch(cmd, order)
		},
	}
	cmd.Flags().StringVar(&date, "date", "", "the submission_date, UTC")
	a.addBatchFlags(cmd, &order)
	return cmd
}

func (a *app) batchBackfillCommand() *cobra.Command {
	var from, to string
	order := batchOrder{Verb: verbBackfill}
	cmd := &cobra.Command{
		Use: "backfill --from YYYY-MM-DD --to YYYY-MM-DD", Short: "Build a range of days again, in date order",
		Example: "  pinglake batch backfill --from 2026-11-01 --to 2026-11-21",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) (err error) {
			var errTo error
			order.From, err = parseDate("--from", from)
			order.To, errTo = parseDate("--to", to)
			if err := errors.Join(err, errTo); err != nil {
				return err
			}
			if order.To < order.From {
				return usagef("--to %s is before --from %s", to, from)
			}
			return a.orderBatch(cmd, order)
		},
	}
	cmd.Flags().StringVar(&from, "from", "", "the first submission_date, UTC")
	cmd.Flags().StringVar(&to, "to", "", "the last submission_date, UTC")
	a.addBatchFlags(cmd, &order)
	return cmd
}

func (a *app) batchListCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "list", Short: "List the jobs and the state of their partitions",
		Example: "  pinglake batch list", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			settings, logger, err := a.load(cmd)
			if err != nil {
				return err
			}
			return a.listJobs(cmd.Context(), settings, logger)
		},
	}
	a.addFlags(cmd, flagData)
	return cmd
}

func (a *app) addBatchFlags(cmd *cobra.Command, order *batchOrder) {
	cmd.Flags().StringVar(&order.Job, "job", "", "only this job: dataset.table")
	cmd.Flags().BoolVar(&order.Force, "force", false, "also where live rows are missing or expired, which empties the day, or the day is not over, whose later pings then show after the next nightly")
	a.addFlags(cmd, flagData, flagSchemas)
}

// parseDate reads a day into days since 1970.
func parseDate(flag, text string) (int32, error) {
	if text == "" {
		return 0, usagef("%s is needed, as YYYY-MM-DD", flag)
	}
	day, err := time.Parse(time.DateOnly, text)
	if err != nil {
		return 0, usagef("%s %q is no date: write YYYY-MM-DD", flag, text)
	}
	return schema.DateOf(day), nil
}

// batchOrder is a run of the nightly's jobs that somebody asks for.
type batchOrder struct {
	Verb     batchVerb `json:"verb"`
	From, To int32     // days since 1970, both included
	Job      string    `json:"job,omitempty"`
	Force    bool      `json:"force,omitempty"`
}

type batchVerb string

const (
	verbRun      batchVerb = "run"
	verbBackfill batchVerb = "backfill"
)

// batchEvent is one job's partition done.
type batchEvent struct {
	Date    string        `json:"date"`
	Table   string        `json:"table"`
	Rows    int64         `json:"rows"`
	Elapsed time.Duration `json:"elapsed"`
}

// batch carries out an order on an opened node whose sink runs.
func (n *node) batch(ctx context.Context, order batchOrder, event func(batchEvent)) error {
	if err := n.landed(ctx); err != nil {
		return err
	}
	options := batch.RunOptions{Job: order.Job, Progress: func(e batch.Event) {
		if e.State == batch.Done {
			event(batchEvent{schema.FormatDate(e.Date), e.Table, e.Rows, e.Elapsed})
		}
	}}
	if order.Force {
		options.Force = batch.Forced
	}
	var err error
	if order.Verb == verbRun {
		err = n.nightly.RunDate(ctx, order.From, options)
	} else {
		err = n.nightly.Backfill(ctx, order.From, order.To, options)
	}
	return errors.Join(err, n.catalog.write(ctx))
}

// orderBatch lets the daemon carry out the order if there is one, else this
// process.
func (a *app) orderBatch(cmd *cobra.Command, order batchOrder) error {
	settings, logger, err := a.load(cmd)
	if err != nil {
		return err
	}
	show := func(e batchEvent) {
		fmt.Fprintf(a.out, "%s  %-60s %12d rows  %s\n", e.Date, e.Table, e.Rows, e.Elapsed.Round(time.Millisecond))
	}
	ctx := cmd.Context()
	if daemon := dialDaemon(ctx, settings.Data); daemon != nil {
		body, err := json.Marshal(order)
		if err != nil {
			return err
		}
		_, err = daemon.post(ctx, "/batch", bytes.NewReader(body), show)
		return err
	}
	return withRunningNode(ctx, settings, logger, func(ctx context.Context, n *node) error {
		return n.batch(ctx, order, show)
	})
}

func (a *app) listJobs(ctx context.Context, settings *conf.Settings, logger *slog.Logger) (err error) {
	tables, err := openLakeToRead(settings)
	if err != nil {
		return err
	}
	runner, err := batch.Open(batch.Options{
		Lake: tables, Query: query.Options{Memory: settings.Query.Memory.String()},
		LiveRetentionDays: settings.Retention.LiveDays, Logger: logger,
	})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, runner.Close()) }()
	jobs, err := runner.List(ctx)
	if err != nil {
		return err
	}
	out := tabwriter.NewWriter(a.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(out, "TABLE\tPARTITIONS\tFIRST\tLAST\tMISSING\tSTALE\tREFUSED\tREADS")
	for _, j := range jobs {
		first, last := "-", "-"
		if j.Partitions > 0 {
			first, last = schema.FormatDate(j.First), schema.FormatDate(j.Last)
		}
		fmt.Fprintf(out, "%s\t%d\t%s\t%s\t%d\t%d\t%d\t%s\n", j.Table, j.Partitions, first, last,
			len(j.Missing), len(j.Stale), len(j.Refused), strings.Join(j.Reads, " "))
	}
	return out.Flush()
}
