package dedup

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"syscall"

	"github.com/cockroachdb/pebble/v2"
)

// ErrCorrupt is wrapped by the error of every operation that met records it
// cannot trust. Nothing has been deleted; the text says what to do.
var ErrCorrupt = errors.New("dedup index is corrupt")

// CorruptError is an ErrCorrupt with what a person needs to act on it.
type CorruptError struct {
	Path string // the index's folder
	Err  error  // what contradicts what
}

const remedy = "stop the process and restore the folder from a backup, or move it away to start an empty index: " +
	"packs still in the stream are read again, and repeats of earlier pings pass until the nightly dedup"

// Error is the path, the contradiction and the remedy.
func (e *CorruptError) Error() string {
	return fmt.Sprintf("%v: %s: %v; %s", ErrCorrupt, e.Path, e.Err, remedy)
}

// Unwrap is ErrCorrupt and the cause.
func (e *CorruptError) Unwrap() []error { return []error{ErrCorrupt, e.Err} }

func (x *Index) corrupt(format string, args ...any) error {
	return &CorruptError{Path: x.dir, Err: fmt.Errorf(format, args...)}
}

// explain wraps what Pebble reports with what was being done.
func explain(dir, doing string, err error) error {
	if err == nil {
		return nil
	}
	if pebble.IsCorruptionError(err) {
		err = &CorruptError{Path: dir, Err: err}
	}
	return fmt.Errorf("dedup: %s: %w", doing, err)
}

// explainOpen adds to explain what Pebble tells only by its text when it opens a
// folder: a file that is named but missing, or of another length.
func explainOpen(dir, doing string, err error) error {
	switch text := err.Error(); {
	case pebble.IsCorruptionError(err):
	case errors.Is(err, fs.ErrNotExist), strings.Contains(text, "object size mismatch"):
		err = &CorruptError{Path: dir, Err: err}
	case errors.Is(err, syscall.EAGAIN), strings.Contains(text, "lock held"):
		err = fmt.Errorf("another process holds the folder: %w", err)
	case strings.Contains(text, "unknown format major version"):
		err = fmt.Errorf("use the newer pinglake that wrote it: %w", err)
	}
	return explain(dir, doing, err)
}
