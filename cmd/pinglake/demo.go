package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"pinglake/batch"
	"pinglake/conf"
	"pinglake/ingest"
	"pinglake/ingest/sim"
	"pinglake/lake/schema"
	"pinglake/query"
)

const (
	demoDays       = 35
	demoNamespace  = "my-app"
	demoDuplicates = 0.03
	demoMalformed  = 0.02
	// demoMark is a file that says that a folder is a demo's and may be made anew.
	demoMark = "made-by-pinglake-demo"
)

func (a *app) demoCommand() *cobra.Command {
	var clients int
	var seed uint64
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "Send a month of simulated clients through the whole line and count them",
		Long: `demo simulates 35 days of a few thousand clients, some of whose pings come twice
and some broken, sends them through the stream, the decoder, the dedup index and
the nightly of each day, and compares DAU, WAU, MAU and one-week retention with
what the simulator knows. It exits 1 if they differ.

The folder is ./pinglake-demo, or --data; it must be absent, empty or of an
earlier demo, which is removed. Once pinglake serve or import has used a demo's
folder, it is kept.`,
		Example: "  pinglake demo\n  pinglake demo --clients 10000 --data /tmp/lake",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			settings, logger, err := a.load(cmd)
			if err != nil {
				return err
			}
			if !isSet(settings, "data") {
				settings.Data = "pinglake-demo"
			}
			if clients < 1 {
				return usagef("--clients must be at least 1")
			}
			if err := clearDemo(settings.Data); err != nil {
				return err
			}
			population := sim.New(sim.Options{
				Seed: seed, Clients: clients, Days: demoDays,
				End:       time.Now().UTC().Truncate(24 * time.Hour),
				Namespace: demoNamespace, DuplicateRatio: demoDuplicates, MalformedRatio: demoMalformed,
			})
			return a.demo(cmd.Context(), settings, logger, population)
		},
	}
	cmd.Flags().IntVar(&clients, "clients", 3000, "how many clients there are in the end")
	cmd.Flags().Uint64Var(&seed, "seed", 1, "the same seed gives the same pings")
	a.addFlags(cmd, flagData)
	return cmd
}

// clearDemo makes sure that dir is an empty folder marked as a demo's.
func clearDemo(dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return usageError{err}
	}
	mark := filepath.Join(dir, demoMark)
	if _, err := os.Stat(mark); len(entries) > 0 && err != nil {
		return usagef("%s is not empty and no demo made it; choose another folder with --data", dir)
	}
	if len(entries) > 0 {
		lock, err := lockData(dir)
		if err != nil {
			return err
		}
		if err := errors.Join(os.RemoveAll(dir), lock.Close()); err != nil {
			return err
		}
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	return os.WriteFile(mark, []byte("pinglake demo removes this folder when it runs again\n"), 0o644)
}

// keepDemo makes a demo's folder one to keep, because other pings come into it.
func keepDemo(data string) error {
	if err := os.Remove(filepath.Join(data, demoMark)); !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return nil
}

func (a *app) demo(ctx context.Context, settings *conf.Settings, logger *slog.Logger, population *sim.Population) error {
	began := time.Now()
	fmt.Fprintf(a.err, "simulating %d days of clients into %s\n", demoDays, settings.Data)
	bar := a.progress("day 1", 2*demoDays, unitItems)
	defer bar.finish()
	err := withRunningNode(ctx, settings, logger, func(ctx context.Context, n *node) error {
		for day := range demoDays {
			date := schema.DateOf(population.Date(day))
			bar.describe(fmt.Sprintf("%s line   ", schema.FormatDate(date)))
			if err := importDay(ctx, n, population, day); err != nil {
				return err
			}
			bar.add(1)
			bar.describe(fmt.Sprintf("%s nightly", schema.FormatDate(date)))
			if err := n.nightly.RunDate(ctx, date, batch.RunOptions{}); err != nil {
				return err
			}
			bar.add(1)
		}
		return n.catalog.write(ctx)
	})
	bar.finish()
	if err != nil {
		return err
	}
	took := time.Since(began)
	found, err := countDemo(ctx, settings)
	if err != nil {
		return err
	}
	return a.showDemo(settings, knownDemoCounts(population.Answers()), found, took)
}

// importDay sends a day's messages through the same door as pinglake import.
func importDay(ctx context.Context, n *node, population *sim.Population, day int) error {
	reader, writer := io.Pipe()
	go func() {
		out := bufio.NewWriter(writer)
		for raw := range population.Day(day) {
			line, err := ingest.MessageOf(&raw).Line()
			if err == nil {
				_, err = out.Write(append(line, '\n'))
			}
			if err != nil {
				_ = writer.CloseWithError(err) // never fails
				return
			}
		}
		_ = writer.CloseWithError(out.Flush()) // nil is the end of the file
	}()
	report, err := importMessages(ctx, n, reader)
	_ = reader.Close() // never fails; ends the writer after a fault
	if err == nil && report.Refused > 0 {
		err = fmt.Errorf("import refused a simulated message: %s", report.Faults[0].Error)
	}
	return err
}

// countDemo asks the lake for everything the simulator knows.
func countDemo(ctx context.Context, settings *conf.Settings) (found demoCounts, err error) {
	session, err := openSession(ctx, settings)
	if err != nil {
		return found, err
	}
	defer func() { err = errors.Join(err, session.Close()) }()
	return readDemoCounts(ctx, session)
}

func (a *app) showDemo(settings *conf.Settings, known, found demoCounts, took time.Duration) error {
	out := bufio.NewWriter(a.out)
	writeUsageTable(out, found)
	fmt.Fprintf(out, "\n%-34s %10s %10s\n", "pings of my-app", "sent", "found")
	for _, row := range known.lines {
		fmt.Fprintf(out, "%-34s %10d %10d\n", row.name, row.n, found.line(row.name))
	}
	faults := compareDemo(known, found)
	if len(faults) == 0 {
		fmt.Fprintf(out, "\nDAU, WAU, MAU and retention of all %d days, every duplicate and every reject\nequal what the simulator knows. It took %s.\n", demoDays, took.Round(100*time.Millisecond))
		fmt.Fprintf(out, "\nNext:\n  %[2]s sql --data %[1]s -c \"FROM my_app.active_users_aggregates ORDER BY 1 DESC LIMIT 7\"\n"+
			"  %[2]s sql --data %[1]s -c \"SELECT reason, count(*) FROM payload_bytes_error.structured GROUP BY ALL\"\n"+
			"  %[2]s serve --data %[1]s\n", settings.Data, os.Args[0])
	}
	if err := out.Flush(); err != nil {
		return err
	}
	if len(faults) == 0 {
		return nil
	}
	var text bytes.Buffer
	for i, fault := range faults {
		if i == 10 {
			fmt.Fprintf(&text, "\n  and %d more", len(faults)-i)
			break
		}
		fmt.Fprintf(&text, "\n  %s", fault)
	}
	return fmt.Errorf("the lake does not agree with the simulator:%s", text.String())
}

func openSession(ctx context.Context, settings *conf.Settings) (*query.Session, error) {
	tables, err := openLakeToRead(settings)
	if err != nil {
		return nil, err
	}
	return query.Open(ctx, tables, query.Options{Memory: settings.Query.Memory.String(), Threads: settings.Query.Threads})
}
