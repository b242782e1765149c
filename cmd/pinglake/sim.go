package main

import (
	"errors"
	"fmt"
	"net/url"

	"github.com/spf13/cobra"

	"pinglake/ingest/sim"
)

func (a *app) simCommand() *cobra.Command {
	var o sim.LoadOptions
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
			bar := a.progress("pings", -1, unitItems)
			defer bar.finish()
			o.Progress = bar.add
			report, err := sim.Load(cmd.Context(), o)
			bar.finish()
			if err != nil {
				return err
			}
			fmt.Fprint(a.out, report)
			if report.Failed > 0 {
				return errors.New("some requests were not answered 200")
			}
			return nil
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&o.Edge, "edge", "http://127.0.0.1:8080", "where to send")
	flags.IntVar(&o.Clients, "clients", 1000, "how many clients")
	flags.IntVar(&o.Seconds, "seconds", 10, "for how long")
	flags.Float64Var(&o.DuplicateRatio, "duplicates", 0.05, "part of the pings that is sent twice")
	flags.Float64Var(&o.MalformedRatio, "malformed", 0.02, "part of the submissions that is broken")
	flags.Uint64Var(&o.Seed, "seed", 1, "the same seed gives the same clients")
	return cmd
}
