package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"pinglake/ingest"
	"pinglake/ingest/decode"
	"runtime"
	"sync"
)

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
