package lake

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// TempFile is a path in the staging tree for the output of the job of that name:
// on the lake's file system, seen by nobody, deleted by Recover. The same name is
// the same path. It is "" for a lake that is open read-only.
func (l *Lake) TempFile(name string) string {
	if l.staging == "" {
		return ""
	}
	flat := strings.Map(func(r rune) rune {
		if r == filepath.Separator || r == '/' {
			return '_'
		}
		return r
	}, name)
	return filepath.Join(l.staging, jobsName, flat+tempExtension)
}

// Replace makes file, written to a TempFile, the whole content of a partition.
// Readers see the old content or the new; if the partition held files of other
// names, then between the rename and their removal both. After an error, write
// the file again and repeat.
func (l *Lake) Replace(ref TableRef, date int32, file string) error {
	err := checkPartition(ref, date)
	if err == nil {
		err = l.replacePartition(ref, date, file)
	}
	if err != nil {
		return fmt.Errorf("replace %s: %w", partitionText(ref, date), err)
	}
	return nil
}

func (l *Lake) replacePartition(ref TableRef, date int32, file string) error {
	target := filepath.Join(l.partitionDir(ref, date), replacedName(l.shard))
	if err := l.installJob(file, target); err != nil {
		return err
	}
	names, err := parquetNames(filepath.Dir(target))
	if err != nil {
		return err
	}
	if len(names) == 1 {
		return nil
	}
	for _, name := range names {
		if name == filepath.Base(target) {
			continue
		}
		if err := l.disk.remove(filepath.Join(filepath.Dir(target), name)); err != nil {
			return err
		}
	}
	return l.disk.syncDir(filepath.Dir(target))
}

// ReplaceSchema makes file, written to a TempFile, the zero-row file of a table
// whose columns are a job's: its name makes the table visible.
func (l *Lake) ReplaceSchema(ref TableRef, file string) error {
	err := ref.check()
	if err == nil {
		err = l.installJob(file, l.SchemaFile(ref))
	}
	if err != nil {
		return fmt.Errorf("replace schema of %s: %w", ref, err)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.ensured, ref)
	return nil
}

// installJob installs a file that another program wrote. One broken file fails
// every query of its table, so a file without a footer is refused.
func (l *Lake) installJob(file, target string) error {
	if l.staging == "" {
		return errReadOnly
	}
	if _, err := l.FileMetadata(file); err != nil {
		return err
	}
	if err := l.disk.syncFile(file); err != nil {
		return err
	}
	return l.install(file, target)
}

// DropPartition removes a partition with all its files. Readers see all of them
// or none, but a query that has listed them already fails.
func (l *Lake) DropPartition(ref TableRef, date int32) error {
	err := checkPartition(ref, date)
	if err == nil && l.staging == "" {
		err = errReadOnly
	}
	if err == nil {
		err = l.dropPartition(ref, date)
	}
	if err != nil {
		return fmt.Errorf("drop %s: %w", partitionText(ref, date), err)
	}
	return nil
}

func (l *Lake) dropPartition(ref TableRef, date int32) error {
	dir := l.partitionDir(ref, date)
	if _, err := os.Stat(dir); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	doomed := l.tempPath("drop-")
	if err := l.disk.rename(dir, doomed); err != nil {
		return err
	}
	if err := l.disk.syncDir(filepath.Dir(dir)); err != nil {
		return err
	}
	return l.disk.removeAll(doomed)
}

// tempPath is a new name in the staging tree, deleted by Recover.
func (l *Lake) tempPath(prefix string) string {
	return filepath.Join(l.staging, fmt.Sprintf("%s%d-%d%s", prefix, os.Getpid(), l.temps.Add(1), tempExtension))
}
