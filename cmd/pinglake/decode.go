package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"

	"github.com/spf13/cobra"

	"pinglake/conf"
	"pinglake/ingest/decode"
)

func (a *app) decodeCommand() *cobra.Command {
	var to decodeOutput
	var logEntries bool
	cmd := &cobra.Command{
		Use:   "decode [FILE|-]",
		Short: "Decode line-JSON messages into line-JSON messages",
		Long: `decode is the decoder as a filter. It reads messages, one a line,

  {"attributeMap":{"uri":"/submit/...","submission_timestamp":"...",...},"payload":"<base64>"}

from a file or standard input and writes each ping as a message to standard
output: what the pipeline knows of it in its attributes and before the ping's own
keys in its payload. Rejects go to --errors in the same form, with error_type,
exception_class and error_message; what a scrubber rule drops goes nowhere.

With --log-entries a message without submission_timestamp is an entry of a log:
JSON that holds the ping in jsonPayload.Fields.

Nothing is stored and no daemon is asked: the same input always gives the same
output, in its order. Decoding the output once more changes nothing. A line that
is no message is named on stderr and left out; the exit code is then 1.

--output writes files instead, by a template of attributes: ${name}, or
${name:-default} for one that may be missing. submission_date and
submission_hour are those of submission_timestamp.`,
		Example: "  pinglake decode messages.ndjson > pings.ndjson\n" +
			"  zcat raw/*.gz | pinglake decode --schemas ./schemas --errors rejects.ndjson - | pinglake import -\n" +
			"  pinglake decode --output 'pings/${document_namespace}/${document_type}/${submission_date}.ndjson' messages.ndjson",
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			settings, logger, err := a.load(cmd)
			if err != nil {
				return err
			}
			input := "-"
			if len(args) > 0 {
				input = args[0]
			}
			return a.decode(cmd.Context(), settings, logger, input, to, logEntries)
		},
	}
	a.addFlags(cmd, flagData, flagSchemas, flagGeoCity, flagGeoISP, flagGeoCities, flagGeoSkip, flagScrub)
	cmd.Flags().StringVar(&to.errors, "errors", "", "`FILE` for the rejects (default stderr)")
	cmd.Flags().BoolVar(&logEntries, "log-entries", false, "take messages without submission_timestamp for log entries that hold a ping")
	cmd.Flags().StringVar(&to.template, "output", "", "`TEMPLATE` of files for the pings (default stdout)")
	return cmd
}

// decodeOutput says where pings and rejects go; "" is stdout and stderr.
type decodeOutput struct{ template, errors string }

func (a *app) decode(ctx context.Context, settings *conf.Settings, logger *slog.Logger, input string, to decodeOutput, logEntries bool) (err error) {
	f := filter{faults: a.err, pings: bufio.NewWriter(a.out)}
	if to.template != "" {
		if f.template, err = decode.ParseTemplate(to.template); err != nil {
			return usageError{err}
		}
		f.files = newOutputFiles()
	}
	if settings.Schemas != "" {
		if _, err := os.Stat(settings.Schemas); err != nil {
			return usagef("schemas: %w", err)
		}
	}
	if to.errors == "" {
		logger = slog.New(slog.DiscardHandler) // stderr is for the rejects
	}
	registry, err := openSchemas(settings, logger)
	if err != nil {
		return err
	}
	geo, err := openGeo(settings, logger)
	if err != nil {
		return err
	}
	if geo != nil {
		defer func() { err = errors.Join(err, geo.Close()) }()
	}
	if f.decoder, err = newDecoder(settings, registry, geo, logEntries, nil); err != nil {
		return err
	}
	from, name, size, err := a.openInput(input)
	if err != nil {
		return err
	}
	defer from.Close()
	rejects, err := a.openRejects(to.errors)
	if err != nil {
		return err
	}
	f.name, f.rejects = name, bufio.NewWriter(rejects)
	bar := a.progress("decode", size, unitBytes)
	err = errors.Join(f.run(ctx, bar.reader(from)), f.pings.Flush(), f.rejects.Flush())
	bar.finish()
	if f.files != nil {
		err = f.files.close(err)
	}
	if err = rejects.close(err); err != nil {
		return err
	}
	if to.errors != "" {
		fmt.Fprintf(a.err, "decoded %d pings, rejected %d messages, dropped %d, left out %d lines\n", f.pingCount, f.rejected, f.dropped, f.refused)
	}
	if f.refused > 0 {
		return errShown
	}
	return nil
}
