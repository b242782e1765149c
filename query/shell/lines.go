package shell

import (
	"bufio"
	"errors"
	"io"
)

// lineReader reads lines of any length, each with its line break.
type lineReader struct {
	r *bufio.Reader
}

func newLineReader(r io.Reader) *lineReader { return &lineReader{bufio.NewReader(r)} }

// next gives the next line. The last comes with io.EOF and may be empty.
func (l *lineReader) next() (string, error) { return l.r.ReadString('\n') }

// writer is buffered output that remembers its first error, so that a reader who
// goes away (head) ends a long result early.
type writer struct {
	w   io.Writer
	buf []byte
	err error
}

const flushBytes = 1 << 15

func (w *writer) write(texts ...string) {
	for _, text := range texts {
		w.buf = append(w.buf, text...)
	}
	if len(w.buf) >= flushBytes {
		w.err = errors.Join(w.flush())
	}
}

func (w *writer) flush() error {
	if w.err == nil && len(w.buf) > 0 {
		_, w.err = w.w.Write(w.buf)
		w.buf = w.buf[:0]
	}
	return w.err
}
