// Command pinglake is a whole telemetry lake in one binary: pings in over HTTP,
// tables out in SQL. This package only wires the parts together.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"pinglake/conf"
	"pinglake/dedup"
	"pinglake/ingest"
	"pinglake/lake"
)

// Exit codes.
const (
	exitDone    = 0
	exitFailed  = 1
	exitUsage   = 2
	exitCorrupt = 3
)

func main() {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM)
	go cancelOnSignal(signals, cancel)
	a := &app{in: os.Stdin, out: os.Stdout, err: os.Stderr, keepSignals: func() { signal.Stop(signals) }}
	os.Exit(a.run(ctx, os.Args[1:]))
}

// cancelOnSignal ends ctx at the first SIGINT or SIGTERM and the process at the
// second.
func cancelOnSignal(signals <-chan os.Signal, cancel context.CancelFunc) {
	<-signals
	cancel()
	<-signals
	os.Exit(exitFailed)
}

// app is what every command needs.
type app struct {
	in       io.Reader
	out, err io.Writer
	// keepSignals leaves signals to the command from now on.
	keepSignals func()
}

func (a *app) run(ctx context.Context, args []string) int {
	root := a.rootCommand()
	root.SetArgs(shellFlags(args))
	root.SetIn(a.in)
	root.SetOut(a.out)
	root.SetErr(a.err)
	err := root.ExecuteContext(ctx)
	if err == nil {
		return exitDone
	}
	if !errors.Is(err, errShown) {
		fmt.Fprintln(a.err, "pinglake:", err)
	}
	return exitCode(err)
}

// errShown ends a command with exit code 1 whose fault the user has seen already.
var errShown = errors.New("shown")

// usageError is the operator's fault; exit code 2.
type usageError struct{ error }

func (u usageError) Unwrap() error { return u.error }

func usagef(format string, args ...any) error { return usageError{fmt.Errorf(format, args...)} }

func exitCode(err error) int {
	var usage usageError
	var faults *conf.Error
	var remote *remoteError
	switch {
	case errors.As(err, &remote):
		return remote.code
	case errors.As(err, &usage), errors.As(err, &faults):
		return exitUsage
	case errors.Is(err, lake.ErrCorrupt), errors.Is(err, dedup.ErrCorrupt), errors.Is(err, ingest.ErrCorrupt):
		return exitCorrupt
	}
	return exitFailed
}

func (a *app) rootCommand() *cobra.Command {
	root := &cobra.Command{
		Use:   "pinglake",
		Short: "A whole telemetry lake in one binary",
		Long: `pinglake takes pings over HTTP, keeps them durably, validates and deduplicates
them, lands them as Parquet, and every night builds the tables that DAU, WAU,
MAU and retention come from.`,
		Example:       "  pinglake demo\n  pinglake serve --data ./pinglake-data\n  pinglake sql -c \"FROM my_app.baseline LIMIT 5\"",
		SilenceUsage:  true,
		SilenceErrors: true,
		Args:          cobra.NoArgs,
		RunE:          func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return usagef("%w (see %s --help)", err, cmd.CommandPath())
	})
	root.AddCommand(
		a.serveCommand(), a.demoCommand(), a.simCommand(), a.importCommand(), a.decodeCommand(), a.batchCommand(),
		a.sqlCommand(), a.schemaCommand(), a.catalogCommand(), a.configCommand(), a.versionCommand(),
	)
	usageArgs(root)
	return root
}

// usageArgs makes wrong arguments a usage error, for cmd and those below it.
func usageArgs(cmd *cobra.Command) {
	if check := cmd.Args; check != nil {
		cmd.Args = func(cmd *cobra.Command, args []string) error {
			if err := check(cmd, args); err != nil {
				return usagef("%w (see %s --help)", err, cmd.CommandPath())
			}
			return nil
		}
	}
	for _, sub := range cmd.Commands() {
		usageArgs(sub)
	}
}
