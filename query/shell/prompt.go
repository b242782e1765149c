package shell

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"strings"

	"github.com/reeflective/readline"
)

// editor reads what somebody types: one or more whole lines.
type editor interface {
	Readline() (string, error)
}

// Prompt talks with a person at the terminal until Ctrl-D or .quit. Errors are
// printed and end nothing. While a statement runs, Ctrl-C stops it; while one is
// typed, Ctrl-C clears it. ctx must not end on an interrupt.
func (s *Shell) Prompt(ctx context.Context) error {
	e, err := s.newEditor(ctx)
	if err != nil {
		return err
	}
	return s.converse(ctx, e)
}

func (s *Shell) converse(ctx context.Context, e editor) error {
	s.o.Bail = BailOn // of what is entered at once, nothing runs after an error
	for ctx.Err() == nil {
		text, err := e.Readline()
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case errors.Is(err, readline.ErrInterrupt):
			continue
		case err != nil:
			return fmt.Errorf("reading the prompt: %w", err)
		}
		err = s.entered(ctx, text)
		if errors.Is(err, errQuit) {
			return nil
		}
		if err != nil {
			if _, err := fmt.Fprintln(s.o.Err, err); err != nil {
				return err
			}
		}
	}
	return ctx.Err()
}

// entered runs what was typed. Tables that came since are there.
func (s *Shell) entered(parent context.Context, text string) (err error) {
	ctx, stop := signal.NotifyContext(parent, os.Interrupt)
	defer stop()
	defer func() {
		if err != nil && ctx.Err() != nil && parent.Err() == nil {
			err = errors.New("interrupted")
		}
	}()
	if strings.HasPrefix(strings.TrimSpace(text), ".") {
		return s.dot(ctx, text)
	}
	if isBlank(text) {
		return nil
	}
	if err := s.o.Session.Refresh(ctx); err != nil {
		return err
	}
	rest, err := s.feed(ctx, text)
	if err == nil && !isBlank(rest) {
		err = s.statement(ctx, strings.TrimSpace(rest))
	}
	return err
}

func (s *Shell) newEditor(ctx context.Context) (editor, error) {
	rl := readline.NewShell()
	rl.Prompt.Primary(func() string { return "pinglake> " })
	rl.Prompt.Secondary(func() string { return "     ...> " })
	rl.AcceptMultiline = func(line []rune) bool { return isWhole(string(line)) }
	rl.Completer = func(line []rune, cursor int) readline.Completions { return s.complete(ctx, line, cursor) }
	if s.o.HistoryFile == "" {
		return rl, nil
	}
	history, err := openHistory(s.o.HistoryFile)
	if err != nil {
		return nil, err
	}
	rl.History.Delete()
	rl.History.Add("history", history)
	return rl, nil
}

// openHistory makes the file if it is not there: what is typed may be private.
func openHistory(file string) (readline.History, error) {
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		return nil, fmt.Errorf("history: %w", err)
	}
	f, err := os.OpenFile(file, os.O_CREATE|os.O_RDONLY, 0o600)
	if err != nil {
		return nil, fmt.Errorf("history: %w", err)
	}
	if err := f.Close(); err != nil {
		return nil, fmt.Errorf("history: %w", err)
	}
	history, err := readline.NewHistoryFromFile(file)
	if err != nil {
		return nil, fmt.Errorf("history: %w", err)
	}
	return history, nil
}

// isWhole says whether Enter ends the input: a dot command, nothing, or a text
// whose last statement has its semicolon.
func isWhole(text string) bool {
	if strings.HasPrefix(strings.TrimSpace(text), ".") {
		return true
	}
	_, rest := split(text)
	return isBlank(rest) && !isOpen(rest)
}

func (s *Shell) complete(ctx context.Context, line []rune, cursor int) readline.Completions {
	before := string(line[:cursor])
	suggestions, start, err := s.o.Session.Complete(ctx, before)
	if err != nil {
		return readline.CompleteMessage("%s", err.Error())
	}
	for i, suggestion := range suggestions {
		suggestions[i] = strings.TrimSpace(suggestion)
	}
	completions := readline.CompleteValues(suggestions...).NoSpace('*')
	completions.PREFIX = before[min(start, len(before)):]
	return completions
}
