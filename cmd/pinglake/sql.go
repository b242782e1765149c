package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"pinglake/conf"
	"pinglake/lake"
	"pinglake/query/shell"
)

// sqlModes are the flags that name an output mode, as DuckDB's shell has them.
var sqlModes = []shell.Mode{
	shell.Box, shell.Table, shell.Markdown, shell.Column, shell.CSV, shell.List, shell.Line, shell.JSON, shell.JSONLines,
}

// shellFlags lets pinglake sql take DuckDB's flags, which are long words behind
// one dash: -csv is --csv there, and not -c sv.
func shellFlags(args []string) []string {
	if len(args) == 0 || args[0] != "sql" {
		return args
	}
	words := []string{"-noheader", "-nullvalue", "-separator", "-data"}
	for _, mode := range sqlModes {
		words = append(words, "-"+string(mode))
	}
	own := slices.Clone(args)
	for i, arg := range own {
		name, _, _ := strings.Cut(arg, "=")
		if slices.Contains(words, name) {
			own[i] = "-" + arg
		}
		if arg == "-c" || arg == "-f" {
			// The next argument is its value, whatever it looks like.
			return append(own[:i+1:i+1], keepValue(own[i+1:])...)
		}
	}
	return own
}

// keepValue leaves the first of args as it is.
func keepValue(args []string) []string {
	if len(args) < 2 {
		return args
	}
	rest := shellFlags(append([]string{"sql"}, args[1:]...))[1:]
	return append([]string{args[0]}, rest...)
}

type sqlOptions struct {
	commands  []string
	file      string
	modes     map[shell.Mode]*bool
	noHeader  bool
	nullValue string
	separator string
}

func (a *app) sqlCommand() *cobra.Command {
	o := sqlOptions{modes: map[shell.Mode]*bool{}}
	cmd := &cobra.Command{
		Use:   "sql",
		Short: "Ask the lake, in DuckDB's SQL",
		Long: `sql is a DuckDB shell over the lake: a schema for each dataset, a view for each
table, and the functions bits28.* and mozfun.bits28.*. With neither -c nor -f it
reads standard input, at a terminal with a prompt. It needs no daemon and does
not disturb one.`,
		Example: `  pinglake sql
  pinglake sql -c "SELECT submission_date, dau FROM my_app.active_users_aggregates ORDER BY 1"
  pinglake sql -csv -f report.sql > report.csv`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			settings, _, err := a.load(cmd)
			if err != nil {
				return err
			}
			return a.sql(cmd, settings, &o)
		},
	}
	flags := cmd.Flags()
	flags.StringArrayVarP(&o.commands, "command", "c", nil, "run this and exit; may be repeated")
	flags.StringVarP(&o.file, "file", "f", "", "run this file and exit")
	for _, mode := range sqlModes {
		o.modes[mode] = flags.Bool(string(mode), false, "output mode "+string(mode))
	}
	flags.BoolVar(&o.noHeader, "noheader", false, "leave out column names")
	flags.StringVar(&o.nullValue, "nullvalue", "NULL", "what a null looks like")
	flags.StringVar(&o.separator, "separator", "", "what stands between columns in the modes list and csv")
	a.addFlags(cmd, flagData)
	return cmd
}

func (a *app) sql(cmd *cobra.Command, settings *conf.Settings, o *sqlOptions) (err error) {
	mode, err := o.mode()
	if err != nil {
		return err
	}
	ctx := cmd.Context()
	session, err := openSession(ctx, settings)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, session.Close()) }()
	for _, fault := range session.Faults() {
		fmt.Fprintln(a.err, "pinglake: a view is missing:", fault)
	}
	options := shell.Options{
		Session: session, Out: a.out, Err: a.err, Mode: mode, NoHeader: o.noHeader, Separator: o.separator,
		MaxWidth: terminalWidth(a.out), HistoryFile: historyFile(),
	}
	if cmd.Flags().Changed("nullvalue") {
		options.NullValue = &o.nullValue
	}
	sh, err := shell.Open(ctx, options)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, sh.Close()) }()
	err = a.runShell(ctx, sh, o)
	if errors.Is(err, shell.ErrStatements) {
		return errShown
	}
	return err
}

func (a *app) runShell(ctx context.Context, sh *shell.Shell, o *sqlOptions) error {
	for _, command := range o.commands {
		if err := sh.Script(ctx, strings.NewReader(command)); err != nil {
			return err
		}
	}
	switch {
	case o.file != "":
		file, err := os.Open(o.file)
		if err != nil {
			return usageError{err}
		}
		defer file.Close()
		return sh.Script(ctx, file)
	case len(o.commands) > 0:
		return nil
	case isTerminal(a.in) && isTerminal(a.out):
		a.keepSignals() // an interrupt ends the running query, not the prompt
		return sh.Prompt(ctx)
	}
	return sh.Script(ctx, a.in)
}

// mode is the one output mode that was asked for.
func (o *sqlOptions) mode() (shell.Mode, error) {
	var asked []string
	for _, mode := range sqlModes {
		if *o.modes[mode] {
			asked = append(asked, string(mode))
		}
	}
	switch len(asked) {
	case 0:
		return "", nil
	case 1:
		return shell.Mode(asked[0]), nil
	}
	return "", usagef("more than one output mode: -%s", strings.Join(asked, ", -"))
}

// historyFile is where the prompt's history is kept, "" for nowhere.
func historyFile() string {
	home, err := os.UserHomeDir()
	if err != nil {
		return ""
	}
	return filepath.Join(home, ".pinglake_history")
}

// openLakeToRead opens the lake without any right over it.
func openLakeToRead(settings *conf.Settings) (*lake.Lake, error) {
	dir := lakeDir(settings.Data)
	if _, err := os.Stat(dir); errors.Is(err, os.ErrNotExist) {
		return nil, usagef("no lake in %s; start one with pinglake serve, or name another folder with --data", settings.Data)
	}
	return lake.OpenReadOnly(dir)
}
