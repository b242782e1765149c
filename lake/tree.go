package lake

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/parquet-go/parquet-go"
)

// Tables are the tables that a reader can bind: those with a zero-row file or a
// partition, by name.
func (l *Lake) Tables() ([]TableRef, error) {
	datasets, err := folders(l.dir)
	if err != nil {
		return nil, fmt.Errorf("list tables: %w", err)
	}
	var refs []TableRef
	for _, dataset := range datasets {
		tables, err := folders(filepath.Join(l.dir, dataset))
		if err != nil {
			return nil, fmt.Errorf("list tables of %s: %w", dataset, err)
		}
		for _, table := range tables {
			ref := TableRef{Dataset: dataset, Table: table}
			visible, err := l.visible(ref)
			if err != nil {
				return nil, fmt.Errorf("list tables: %s: %w", ref, err)
			}
			if visible {
				refs = append(refs, ref)
			}
		}
	}
	slices.SortFunc(refs, func(a, b TableRef) int {
		return cmp.Or(cmp.Compare(a.Dataset, b.Dataset), cmp.Compare(a.Table, b.Table))
	})
	return refs, nil
}

// visible is false for a folder that a crash left before the zero-row file.
func (l *Lake) visible(ref TableRef) (bool, error) {
	if ref.check() != nil {
		return false, nil
	}
	_, err := os.Stat(l.SchemaFile(ref))
	if err == nil || !errors.Is(err, fs.ErrNotExist) {
		return err == nil, err
	}
	dates, err := l.Partitions(ref)
	return len(dates) > 0, err
}

// Partitions are the dates, in days since 1970, that have at least one file,
// ascending. The folder of the zero-row file is not one. A table that is not
// there has none.
func (l *Lake) Partitions(ref TableRef) ([]int32, error) {
	names, err := folders(l.tableDir(ref))
	if err != nil {
		return nil, fmt.Errorf("list partitions of %s: %w", ref, err)
	}
	var dates []int32
	for _, name := range names {
		date, ok := parsePartitionName(name)
		if !ok || date == schemaDate {
			continue
		}
		files, err := parquetNames(filepath.Join(l.tableDir(ref), name))
		if err != nil {
			return nil, fmt.Errorf("list %s: %w", partitionText(ref, date), err)
		}
		if len(files) > 0 {
			dates = append(dates, date)
		}
	}
	slices.Sort(dates)
	return dates, nil
}

// Files are the absolute paths of a partition's files, sorted. A partition that
// is not there has none.
func (l *Lake) Files(ref TableRef, date int32) ([]string, error) {
	dir := l.partitionDir(ref, date)
	names, err := parquetNames(dir)
	if err != nil {
		return nil, fmt.Errorf("list %s: %w", partitionText(ref, date), err)
	}
	for i, name := range names {
		names[i] = filepath.Join(dir, name)
	}
	return names, nil
}

// SchemaFile is the path of a table's zero-row file, whether it is there or not.
func (l *Lake) SchemaFile(ref TableRef) string {
	return filepath.Join(l.partitionDir(ref, schemaDate), schemaName)
}

// LastPosition is the highest end of a span among a partition's files. ok is
// false if no file is named for a span, as in a replaced partition.
func (l *Lake) LastPosition(ref TableRef, date int32) (last uint64, ok bool, err error) {
	names, err := parquetNames(l.partitionDir(ref, date))
	if err != nil {
		return 0, false, fmt.Errorf("list %s: %w", partitionText(ref, date), err)
	}
	for _, name := range names {
		if f, isSpan := parseSpanFile(name); isSpan {
			last, ok = max(last, f.last), true
		}
	}
	return last, ok, nil
}

// LastSpan is the span of the highest position in the lake, 0, 0 if no file has
// one: where to go on when the dedup index is lost.
func (l *Lake) LastSpan() (first, last uint64, err error) {
	refs, err := l.Tables()
	if err != nil {
		return 0, 0, err
	}
	for _, ref := range refs {
		dates, err := l.Partitions(ref)
		if err != nil {
			return 0, 0, err
		}
		for _, date := range dates {
			names, err := parquetNames(l.partitionDir(ref, date))
			if err != nil {
				return 0, 0, fmt.Errorf("list %s: %w", partitionText(ref, date), err)
			}
			for _, name := range names {
				if f, isSpan := parseSpanFile(name); isSpan && f.last > last {
					first, last = f.first, f.last
				}
			}
		}
	}
	return first, last, nil
}

// FileMetadata is the key-value metadata in a Parquet file's footer. A file that
// is no whole Parquet file is ErrCorrupt.
func (l *Lake) FileMetadata(path string) (map[string]string, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("read metadata: %w", err)
	}
	metadata, err := readMetadata(f)
	if err := errors.Join(err, f.Close()); err != nil {
		return nil, fmt.Errorf("read metadata: %w", err)
	}
	return metadata, nil
}

func readMetadata(f *os.File) (map[string]string, error) {
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	file, err := parquet.OpenFile(f, info.Size(), parquet.SkipPageIndex(true), parquet.SkipBloomFilters(true))
	if err != nil {
		return nil, &CorruptError{Path: f.Name(), Contradiction: "it is no whole Parquet file", Err: err,
			Remedy: "restore it from a backup, or move it out of the lake"}
	}
	metadata := map[string]string{}
	for _, pair := range file.Metadata().KeyValueMetadata {
		metadata[pair.Key] = pair.Value
	}
	return metadata, nil
}

func folders(dir string) ([]string, error) {
	return entryNames(dir, func(e fs.DirEntry) bool { return e.IsDir() && !strings.HasPrefix(e.Name(), ".") })
}

func parquetNames(dir string) ([]string, error) {
	return entryNames(dir, func(e fs.DirEntry) bool { return strings.HasSuffix(e.Name(), extension) && !e.IsDir() })
}

// entryNames are sorted; a folder that is not there has none.
func entryNames(dir string, want func(fs.DirEntry) bool) ([]string, error) {
	entries, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	var names []string
	for _, e := range entries {
		if want(e) {
			names = append(names, e.Name())
		}
	}
	return names, nil
}
