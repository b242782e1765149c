package shell

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"pinglake/query"
)

// Options say where a shell reads and writes, and how. Session and Out are needed.
type Options struct {
	Session *query.Session
	Out     io.Writer // results
	Err     io.Writer // errors that do not end the run; nil for Out

	Mode      Mode    // "" for DuckBox
	NoHeader  bool    // leave out column names, where a mode can
	NullValue *string // what a null looks like; nil for NULL. Not in JSON
	Separator string  // between columns in the modes list and csv; "" for the mode's own

	Bail Bail
	// MaxRows is how many rows DuckBox shows, 0 for 40, less for all.
	MaxRows int
	// MaxWidth is how many columns of text DuckBox fills, 0 for as many as it
	// takes.
	MaxWidth int
	// HistoryFile keeps what was typed at the prompt; "" for this run only.
	HistoryFile string
}

// Bail is what an error in a script does.
type Bail uint8

const (
	BailOn  Bail = iota // it ends the script
	BailOff             // it is printed, and the script goes on
)

// ErrStatements is returned by a script that went on after an error; the errors
// are printed already.
var ErrStatements = errors.New("some statements did not run")

// errQuit leaves the shell.
var errQuit = errors.New("quit")

// Shell is one connection to DuckDB and how its answers look. It is not safe for
// concurrent use.
type Shell struct {
	o    Options
	conn *query.Conn
}

// Open connects a shell.
func Open(ctx context.Context, o Options) (*Shell, error) {
	mode, err := ParseMode(string(o.Mode))
	if err != nil {
		return nil, err
	}
	o.Mode = mode
	o.MaxRows = cmp.Or(o.MaxRows, 40)
	if o.Err == nil {
		o.Err = o.Out
	}
	conn, err := o.Session.Conn(ctx)
	if err != nil {
		return nil, err
	}
	return &Shell{o: o, conn: conn}, nil
}

// Close gives the connection back.
func (s *Shell) Close() error { return s.conn.Close() }

// Script runs the statements and dot commands of r, as they come. The last
// statement needs no semicolon. With BailOn the first error ends it and is
// returned; with BailOff errors are printed and ErrStatements is returned at the
// end. A .quit ends it without an error.
func (s *Shell) Script(ctx context.Context, r io.Reader) error {
	lines := newLineReader(r)
	anyFailed := false
	pending := ""
	for {
		line, err := lines.next()
		end := errors.Is(err, io.EOF)
		if err != nil && !end {
			return fmt.Errorf("reading the script: %w", err)
		}
		err = nil
		if isBlank(pending) && !isOpen(pending) && strings.HasPrefix(line, ".") {
			pending, err = "", s.dot(ctx, line)
		} else {
			pending, err = s.feed(ctx, pending+line)
		}
		if err == nil && end && !isBlank(pending) {
			err = s.statement(ctx, strings.TrimSpace(pending))
		}
		switch {
		case errors.Is(err, errQuit):
			end = true
		case err != nil && (s.o.Bail == BailOn || ctx.Err() != nil):
			return err
		case err != nil:
			anyFailed = true
			if _, err := fmt.Fprintln(s.o.Err, err); err != nil {
				return err
			}
		}
		if end {
			break
		}
	}
	if anyFailed {
		return ErrStatements
	}
	return nil
}

// feed runs the complete statements of a text and gives the rest.
func (s *Shell) feed(ctx context.Context, text string) (rest string, err error) {
	statements, rest := split(text)
	for _, statement := range statements {
		if statementErr := s.statement(ctx, statement); statementErr != nil {
			if s.o.Bail == BailOn || ctx.Err() != nil {
				return rest, statementErr
			}
			err = errors.Join(err, statementErr)
		}
	}
	return rest, err
}

// statement runs one statement and prints its rows.
func (s *Shell) statement(ctx context.Context, statement string) error {
	rows, err := s.conn.Run(ctx, statement, s.o.Mode.form())
	if err != nil {
		return err
	}
	err = s.print(rows)
	return errors.Join(err, rows.Close())
}

func (s *Shell) print(rows *query.Rows) error {
	if len(rows.Columns) == 0 {
		return nil
	}
	out := &writer{w: s.o.Out}
	p := s.printer(out, rows)
	if err := p.begin(rows.Columns); err != nil {
		return err
	}
	for {
		row, err := rows.Next()
		if err != nil {
			return errors.Join(err, out.flush())
		}
		if row == nil {
			break
		}
		if err := p.row(row); err != nil {
			return err
		}
	}
	if err := p.end(); err != nil {
		return err
	}
	return out.flush()
}
