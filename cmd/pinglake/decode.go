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
	"runtime"
	"sync"

	"github.com/spf13/cobra"

	"pinglake/conf"
	"pinglake/ingest"
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

// rejectsFile takes the rejects: stderr, or a file that is seen only when it is
// whole.
type rejectsFile struct {
	io.Writer
	temp *os.File // nil for stderr and for what is no plain file
	path string
}

func (a *app) openRejects(path string) (*rejectsFile, error) {
	if path == "" {
		return &rejectsFile{Writer: a.err}, nil
	}
	if info, err := os.Stat(path); err == nil && !info.Mode().IsRegular() {
		file, err := os.OpenFile(path, os.O_WRONLY, 0)
		if err != nil {
			return nil, usageError{err}
		}
		return &rejectsFile{Writer: file}, nil
	}
	temp, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*")
	if err != nil {
		return nil, usageError{err}
	}
	return &rejectsFile{Writer: temp, temp: temp, path: path}, nil
}

// close puts the file in its place, or removes it if there was an error.
func (r *rejectsFile) close(err error) error {
	if r.temp == nil {
		return err
	}
	err = errors.Join(err, r.temp.Chmod(0o644), r.temp.Close())
	if err == nil {
		err = os.Rename(r.temp.Name(), r.path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(r.temp.Name()))
	}
	return nil
}

// Lines are decoded on all cores in windows of so many lines and bytes.
const (
	filterLines = 512
	filterBytes = 16 << 20
)

// filter decodes lines in their order.
type filter struct {
	decoder *decode.Decoder
	name    string    // of the input
	faults  io.Writer // for people

	pings, rejects *bufio.Writer
	template       *decode.Template // nil: all pings go to pings
	files          *outputFiles

	window []filterLine
	bytes  int

	pingCount, rejected, dropped, refused int
}

// filterLine is one line and what became of it.
type filterLine struct {
	number int
	text   []byte

	pings   []filteredPing
	reject  []byte
	dropped bool
	fault   error // it is no message
}

// filteredPing is a ping as a line, and its file if there is a template.
type filteredPing struct {
	path string
	text []byte
}

func (f *filter) run(ctx context.Context, from io.Reader) error {
	lines := bufio.NewReaderSize(from, 64<<10)
	var reading error
	for number := 1; reading == nil; number++ {
		if err := ctx.Err(); err != nil {
			return err
		}
		var text []byte
		text, reading = readLine(lines)
		line := filterLine{number: number, text: bytes.TrimSpace(text)}
		if errors.Is(reading, errLongLine) {
			line.fault, reading = reading, nil
		}
		if len(line.text) == 0 && line.fault == nil {
			continue
		}
		f.window, f.bytes = append(f.window, line), f.bytes+len(line.text)
		if len(f.window) < filterLines && f.bytes < filterBytes {
			continue
		}
		if err := f.flush(); err != nil {
			return err
		}
	}
	if !errors.Is(reading, io.EOF) {
		return errors.Join(fmt.Errorf("read messages: %w", reading), f.flush())
	}
	return f.flush()
}

// flush decodes the window and writes it.
func (f *filter) flush() error {
	var workers sync.WaitGroup
	n := runtime.GOMAXPROCS(0)
	for worker := range n {
		workers.Go(func() {
			for i := worker; i < len(f.window); i += n {
				f.decode(&f.window[i])
			}
		})
	}
	workers.Wait()
	for i := range f.window {
		if err := f.write(&f.window[i]); err != nil {
			return err
		}
	}
	f.window, f.bytes = f.window[:0], 0
	return nil
}

// decode fills in what becomes of a line.
func (f *filter) decode(l *filterLine) {
	if l.fault != nil {
		return
	}
	message, err := ingest.ParseMessage(l.text)
	if err != nil {
		l.fault = err
		return
	}
	pings, err := f.decoder.DecodeMessage(message, ingest.Position{Pack: uint64(l.number)})
	var reject *ingest.RejectError
	switch {
	case err == nil:
	case !errors.As(err, &reject):
		l.fault = err
		return
	case reject.Reason == ingest.Dropped:
		l.dropped = true
		return
	default:
		l.reject, l.fault = f.decoder.ErrorMessage(reject).Line()
		return
	}
	for _, ping := range pings {
		filtered, err := f.lineOf(ping)
		if err != nil {
			l.pings, l.fault = nil, err
			return
		}
		l.pings = append(l.pings, filtered)
	}
}

func (f *filter) lineOf(ping ingest.Message) (line filteredPing, err error) {
	if f.template != nil {
		if line.path, err = f.template.Expand(ping.Attributes, fileNamePart); err != nil {
			return filteredPing{}, err
		}
	}
	line.text, err = ping.Line()
	return line, err
}

func (f *filter) write(l *filterLine) error {
	switch {
	case l.fault != nil:
		f.refused++
		_, err := fmt.Fprintf(f.faults, "%s:%d: %s\n", f.name, l.number, l.fault)
		return err
	case l.dropped:
		f.dropped++
		return nil
	case l.reject != nil:
		f.rejected++
		return writeLine(f.rejects, l.reject)
	}
	for _, ping := range l.pings {
		f.pingCount++
		var err error
		if f.files != nil {
			err = f.files.writeLine(ping.path, ping.text)
		} else {
			err = writeLine(f.pings, ping.text)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func writeLine(to *bufio.Writer, text []byte) error {
	if _, err := to.Write(text); err != nil {
		return err
	}
	return to.WriteByte('\n')
}
