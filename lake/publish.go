package lake

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Staged is a span that is durable and that nobody sees.
type Staged struct {
	lake *Lake
	dir  string // absent when the span has no rows

	// moved are the partitions whose renames are not yet durable.
	moved map[string]string // folder -> how errors name it
}

// Publish makes the rows visible: it renames each file into its partition, syncs
// the folders and removes the staged one. It may be repeated after an error, and
// after a success it does nothing.
func (s *Staged) Publish() error {
	entries, err := entryNames(s.dir, func(fs.DirEntry) bool { return true })
	if err != nil {
		return fmt.Errorf("publish %s: %w", s.dir, err)
	}
	for _, name := range entries {
		if err := s.move(name); err != nil {
			return err
		}
	}
	for _, dir := range slices.Sorted(maps.Keys(s.moved)) {
		if err := s.lake.disk.syncDir(dir); err != nil {
			return fmt.Errorf("publish %s: %w", s.moved[dir], err)
		}
		delete(s.moved, dir)
	}
	return s.remove()
}

// move renames one file into its partition.
func (s *Staged) move(name string) error {
	l := s.lake
	ref, date, file, ok := parseStagedName(name)
	if !ok {
		return &CorruptError{Path: filepath.Join(s.dir, name), Contradiction: "a staged span holds a file that is not of a span",
			Remedy: "move the file out of the folder and start again"}
	}
	dir := l.partitionDir(ref, date)
	if _, err := os.Lstat(filepath.Join(dir, file)); err == nil {
		return &CorruptError{Path: filepath.Join(dir, file), Contradiction: "a committed span is to be published under the name of another",
			Remedy: "the lake is of another stream or dedup index: put back the folders of the same moment; nothing was replaced"}
	}
	err := l.disk.mkdir(l.dir, dir)
	if err == nil {
		err = l.disk.rename(filepath.Join(s.dir, name), filepath.Join(dir, file))
	}
	if err != nil {
		return fmt.Errorf("publish %s: %w", partitionText(ref, date), err)
	}
	if s.moved == nil {
		s.moved = map[string]string{}
	}
	s.moved[dir] = partitionText(ref, date)
	return nil
}

// remove drops the emptied folder.
func (s *Staged) remove() error {
	err := s.lake.disk.remove(s.dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("publish: remove %s: %w", s.dir, err)
	}
	return nil
}

// Discard removes the span. Only one whose commit did not happen may be
// discarded.
func (s *Staged) Discard() error { return s.lake.discard(s.dir) }

// discard takes a folder of the staging tree out of sight before it is deleted,
// so that half of a span is never found under its name.
func (l *Lake) discard(dir string) error {
	if _, err := os.Stat(dir); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	doomed := filepath.Join(l.staging, discardPrefix+filepath.Base(dir))
	if err := l.disk.removeAll(doomed); err != nil {
		return fmt.Errorf("discard %s: %w", dir, err)
	}
	if err := l.disk.rename(dir, doomed); err != nil {
		return fmt.Errorf("discard %s: %w", dir, err)
	}
	if err := l.disk.removeAll(doomed); err != nil {
		return fmt.Errorf("discard %s: %w", dir, err)
	}
	return nil
}

// Recover finishes what a crash interrupted: it publishes the staged span equal
// to first-last, the last committed one (0, 0 if there is none), and deletes every
// other span, open batch and temporary file. It comes after Open and before the
// first batch. Names that are not ours stay and are logged.
func (l *Lake) Recover(first, last uint64) error {
	if l.staging == "" {
		return fmt.Errorf("recover: %w", errReadOnly)
	}
	entries, err := os.ReadDir(l.staging)
	if err != nil {
		return fmt.Errorf("recover: %w", err)
	}
	for _, e := range entries {
		if err := l.recoverEntry(e.Name(), first, last); err != nil {
			return fmt.Errorf("recover: %w", err)
		}
	}
	return nil
}

func (l *Lake) recoverEntry(name string, first, last uint64) error {
	path := filepath.Join(l.staging, name)
	spanFirst, spanLast, isSpan := parseSpanName(name)
	switch {
	case isSpan && spanFirst == first && spanLast == last:
		l.logger.Info("publishing the committed span found in staging", "first", first, "last", last)
		return (&Staged{lake: l, dir: path}).Publish()
	case isSpan:
		l.logger.Info("discarding a staged span that was not committed", "first", spanFirst, "last", spanLast)
		return l.discard(path)
	case name == jobsName:
		return l.emptyJobs()
	case strings.HasPrefix(name, openPrefix), strings.HasPrefix(name, discardPrefix), strings.HasSuffix(name, tempExtension):
		return l.disk.removeAll(path)
	}
	l.logger.Warn("left a file in the staging folder that is not ours", "path", path)
	return nil
}

func (l *Lake) emptyJobs() error {
	dir := filepath.Join(l.staging, jobsName)
	names, err := entryNames(dir, func(fs.DirEntry) bool { return true })
	if err != nil {
		return err
	}
	for _, name := range names {
		if err := l.disk.removeAll(filepath.Join(dir, name)); err != nil {
			return err
		}
	}
	return nil
}
