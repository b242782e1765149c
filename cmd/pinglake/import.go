package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/spf13/cobra"

	"pinglake/ingest"
	"pinglake/ingest/stream"
)

func (a *app) importCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "import FILE|-",
		Short: "Send line-JSON messages through the line, as if they arrived again",
		Long: `import reads messages, one a line:

  {"attributeMap":{"uri":"/submit/...","submission_timestamp":"...",...},"payload":"<base64>"}

and sends them through the same stream, decoder and dedup as requests, in the
order of the file, each keeping its own submission_timestamp. Messages that
pinglake decode wrote keep what they say of themselves. It returns when they can
be queried. A line that is no message is named on stderr and left out;
the exit code is then 1.`,
		Example: "  pinglake import messages.ndjson\n  zcat old/*.gz | pinglake import -",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			settings, logger, err := a.load(cmd)
			if err != nil {
				return err
			}
			from, name, size, err := a.openInput(args[0])
			if err != nil {
				return err
			}
			defer from.Close()
			bar := a.progress("import", size, unitBytes)
			defer bar.finish()
			report, err := a.runImport(cmd.Context(), settings.Data, bar.reader(from), func(ctx context.Context, r io.Reader) (*importReport, error) {
				return a.importHere(ctx, settings, logger, r)
			})
			bar.finish()
			return a.showImport(name, report, err)
		},
	}
	a.addFlags(cmd, flagData, flagSchemas)
	return cmd
}

// runImport lets the daemon do it if there is one, else this process.
func (a *app) runImport(ctx context.Context, data string, from io.Reader, here func(context.Context, io.Reader) (*importReport, error)) (*importReport, error) {
	if daemon := dialDaemon(ctx, data); daemon != nil {
		return daemon.post(ctx, "/import", from, nil)
	}
	return here(ctx, from)
}

func (a *app) openInput(name string) (from io.ReadCloser, label string, size int64, err error) {
	if name == "-" {
		return io.NopCloser(a.in), "standard input", -1, nil
	}
	file, err := os.Open(name)
	if err != nil {
		return nil, "", 0, usageError{err}
	}
	info, err := file.Stat()
	if err != nil {
		return nil, "", 0, errors.Join(err, file.Close())
	}
	return file, name, info.Size(), nil
}

func (a *app) showImport(name string, report *importReport, err error) error {
	if report != nil {
		for _, fault := range report.Faults {
			fmt.Fprintf(a.err, "%s:%d: %s\n", name, fault.Line, fault.Error)
		}
		if more := report.Refused - len(report.Faults); more > 0 {
			fmt.Fprintf(a.err, "%s: and %d more lines\n", name, more)
		}
		fmt.Fprintf(a.out, "imported %d messages, left out %d lines\n", report.Imported, report.Refused)
	}
	if err == nil && report.Refused > 0 {
		return errShown
	}
	return err
}

// importReport says what became of an import.
type importReport struct {
	Imported int           `json:"imported"`
	Refused  int           `json:"refused"`
	Faults   []importFault `json:"faults,omitempty"` // the first of the refused
}

type importFault struct {
	Line  int    `json:"line"`
	Error string `json:"error"`
}

const (
	maxImportFaults = 20
	// importRun is how many messages go into the stream at a time: they share one
	// fsync and keep their order.
	importRun = 1000
	// importRunBytes bounds their bodies.
	importRunBytes = 4 << 20
	// maxMessage is the longest line, in bytes: 64 MiB.
	maxMessage = 64 << 20
)

// importMessages appends the messages of from in their order and waits until they
// can be queried.
func importMessages(ctx context.Context, n *node, from io.Reader) (*importReport, error) {
	i := &importer{node: n, report: &importReport{}}
	lines := bufio.NewReaderSize(from, 64<<10)
	var reading error
	for number := 1; reading == nil; number++ {
		var line []byte
		if line, reading = readLine(lines); errors.Is(reading, errLongLine) {
			i.refuse(number, reading)
			reading = nil
			continue
		}
		if line = bytes.TrimSpace(line); len(line) == 0 {
			continue
		}
		if err := i.add(ctx, number, line); err != nil {
			return i.report, err
		}
	}
	err := i.flush(ctx)
	if !errors.Is(reading, io.EOF) {
		err = errors.Join(fmt.Errorf("read messages: %w", reading), err)
	}
	if err != nil {
		return i.report, err
	}
	return i.report, n.landed(ctx)
}

var errLongLine = fmt.Errorf("the line is longer than %d bytes", maxMessage)

// readLine reads up to the next line's end, or the end of the input. A line that
// is too long is passed over.
func readLine(from *bufio.Reader) (line []byte, err error) {
	size := 0
	for {
		part, err := from.ReadSlice('\n')
		if size += len(part); size <= maxMessage {
			line = append(line, part...)
		} else {
			line = nil
		}
		switch {
		case errors.Is(err, bufio.ErrBufferFull):
		case size > maxMessage:
			return nil, errLongLine
		default:
			return line, err
		}
	}
}

// importer gathers messages into runs.
type importer struct {
	node   *node
	report *importReport

	run     []*ingest.Raw
	numbers []int // of their lines
	bytes   int
}

// add takes one line, and sends the run when it is long enough.
func (i *importer) add(ctx context.Context, number int, line []byte) error {
	message, err := ingest.ParseMessage(line)
	if err != nil {
		i.refuse(number, err)
		return nil
	}
	raw, err := message.Raw()
	if err != nil {
		i.refuse(number, err)
		return nil
	}
	i.run, i.numbers = append(i.run, &raw), append(i.numbers, number)
	if i.bytes += len(raw.Body); len(i.run) < importRun && i.bytes < importRunBytes {
		return nil
	}
	return i.flush(ctx)
}

func (i *importer) refuse(number int, err error) {
	i.report.Refused++
	if len(i.report.Faults) < maxImportFaults {
		i.report.Faults = append(i.report.Faults, importFault{number, err.Error()})
	}
}

// flush appends the run. A full stream is waited for: what is landed makes room.
func (i *importer) flush(ctx context.Context) error {
	for len(i.run) > 0 {
		stored, err := i.node.stream.AppendAll(ctx, i.run)
		i.report.Imported += stored
		i.run, i.numbers = i.run[stored:], i.numbers[stored:]
		switch {
		case errors.Is(err, stream.ErrRefused):
			i.refuse(i.numbers[0], err)
			i.run, i.numbers = i.run[1:], i.numbers[1:]
		case errors.Is(err, stream.ErrFull):
			if err := i.room(ctx); err != nil {
				return err
			}
		case err != nil:
			return fmt.Errorf("after %d messages: %w", i.report.Imported, err)
		}
	}
	i.run, i.numbers, i.bytes = nil, nil, 0
	return nil
}

// room waits until what is in the stream is landed, and a moment for its trim.
func (i *importer) room(ctx context.Context) error {
	if err := i.node.landed(ctx); err != nil {
		return err
	}
	select {
	case <-time.After(100 * time.Millisecond):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// jsonLine writes v as one line, for scripts.
func jsonLine(to io.Writer, v any) error { return json.NewEncoder(to).Encode(v) }
