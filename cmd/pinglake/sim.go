package main

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"net/url"
	"slices"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"pinglake/ingest/sim"
)

func (a *app) simCommand() *cobra.Command {
	var o sim.LoadOptions
	var asJSON bool
	cmd := &cobra.Command{
		Use: "sim --edge URL", Short: "Send live load to an edge, and say what must be found", Args: cobra.NoArgs,
		Long: `sim sends baseline pings of simulated clients over HTTP, some twice and some
broken, and prints how many of each the lake must have in the end.`,
		Example: "  pinglake sim --edge http://127.0.0.1:8080 --clients 500 --seconds 10",
		RunE: func(cmd *cobra.Command, _ []string) error {
			target, err := url.Parse(o.Edge)
			if err != nil || target.Host == "" {
				return usagef("--edge %q is no URL such as http://127.0.0.1:8080", o.Edge)
			}
			if !cmd.Flags().Changed("seed") {
				o.Seed = rand.Uint64N(1_000_000)
			}
			fmt.Fprintf(a.err, "seed %d; a load of the same seed sends the same document_ids\n", o.Seed)
			bar := a.progress("pings", -1, unitItems)
			defer bar.finish()
			var shown int64
			o.Progress = func(p sim.Progress) {
				bar.add(int(p.Sent - shown))
				shown = p.Sent
			}
			report, err := sim.Load(cmd.Context(), o)
			bar.finish()
			if err != nil {
				return err
			}
			if err := a.showLoad(report, asJSON); err != nil {
				return err
			}
			if report.Uncertain > 0 {
				return fmt.Errorf("%d of %d submissions were not answered 200", report.Uncertain, report.Sent)
			}
			return nil
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&o.Edge, "edge", "http://127.0.0.1:8080", "where to send")
	flags.IntVar(&o.Clients, "clients", 1000, "how many clients")
	flags.Float64Var(&o.Seconds, "seconds", 10, "for how long")
	flags.Float64Var(&o.DuplicateRatio, "duplicates", 0.05, "part of the pings that is sent twice")
	flags.Float64Var(&o.MalformedRatio, "malformed", 0.02, "part of the submissions that is broken")
	flags.Uint64Var(&o.Seed, "seed", 0, "what the document_ids come from (default any)")
	flags.BoolVar(&asJSON, "json", false, "the report as JSON")
	return cmd
}

// showLoad prints what was sent and what the lake must have.
func (a *app) showLoad(r sim.Report, asJSON bool) error {
	if asJSON {
		return jsonLine(a.out, r)
	}
	out := tabwriter.NewWriter(a.out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintf(a.out, "%d submissions in %s, %.0f a second answered 200; p50 %s, p99 %s\n",
		r.Sent, r.Elapsed.Round(time.Millisecond), r.Rate, r.P50.Round(time.Microsecond), r.P99.Round(time.Microsecond))
	fmt.Fprintln(a.out, "the lake must have, of this load:")
	for _, doctype := range slices.Sorted(maps.Keys(r.Pings)) {
		fmt.Fprintf(out, "%d\t  rows of %s\t\n", r.Pings[doctype], doctype)
	}
	fmt.Fprintf(out, "%d\t  clients with a baseline ping\t\n", r.Clients)
	fmt.Fprintf(out, "%d\t  duplicates among the errors\t\n", r.Duplicates)
	for _, reason := range slices.Sorted(maps.Keys(r.Rejects)) {
		fmt.Fprintf(out, "%d\t  %s among the errors\t\n", r.Rejects[reason], reason)
	}
	return out.Flush()
}
