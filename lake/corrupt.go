package lake

import (
	"errors"
	"fmt"
)

var (
	// ErrCorrupt is wrapped by the error of every operation that met files it
	// cannot trust. Nothing has been deleted; the text says what to do.
	ErrCorrupt = errors.New("lake is corrupt")

	// ErrIncompatible is returned for a table whose column has another kind in
	// the lake. The text names table, column and both kinds.
	ErrIncompatible = errors.New("incompatible columns")

	// ErrRow is wrapped by Batch.Add's error about the row itself: its date, its
	// table's name or its cells. Nothing of it was taken, and trying again does not
	// help.
	ErrRow = errors.New("row is refused")

	errReadOnly = errors.New("the lake is open read-only")
)

// CorruptError is an ErrCorrupt with what a person needs to act on it.
type CorruptError struct {
	Path          string
	Contradiction string // what contradicts what
	Remedy        string
	Err           error // the cause, if another package found it
}

// Error is the path, the contradiction and the remedy.
func (e *CorruptError) Error() string {
	text := fmt.Sprintf("%v: %s: %s", ErrCorrupt, e.Path, e.Contradiction)
	if e.Err != nil {
		text += ": " + e.Err.Error()
	}
	return text + "; " + e.Remedy
}

// Unwrap is ErrCorrupt and the cause.
func (e *CorruptError) Unwrap() []error {
	if e.Err == nil {
		return []error{ErrCorrupt}
	}
	return []error{ErrCorrupt, e.Err}
}
