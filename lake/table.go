package lake

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"

	"github.com/parquet-go/parquet-go"

	"pinglake/lake/schema"
)

// ensured is what the lake knows of a table that is in it.
type ensured struct {
	columns []*schema.Column // as in the zero-row file
	last    *schema.Table    // the table that was found to fit, for the common case
}

// EnsureTable makes the table visible to readers with at least these columns: it
// writes the zero-row file of a new table, and writes it again when columns are
// new, at any depth. Columns that the lake has and t does not have stay. A column
// of another kind is ErrIncompatible, and nothing is changed.
func (l *Lake) EnsureTable(t *schema.Table) error {
	merged, isNew, err := l.ensure(t)
	if err != nil {
		return fmt.Errorf("ensure table %s: %w", t, err)
	}
	if merged != nil {
		what, level := "table has new columns", slog.LevelInfo
		if isNew {
			what, level = "table made", slog.LevelDebug
		}
		l.logger.Log(context.Background(), level, what, "table", t.String(), "columns", len(merged.Columns))
		if l.onTable != nil {
			l.onTable(merged)
		}
	}
	return nil
}

// ensure returns the table as it now is, nil if nothing had to change, and whether
// the lake did not have it.
func (l *Lake) ensure(t *schema.Table) (merged *schema.Table, isNew bool, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	ref := refOf(t)
	have := l.ensured[ref]
	if have != nil && have.last == t {
		return nil, false, nil
	}
	if have == nil {
		columns, err := l.readColumns(ref)
		if err != nil {
			return nil, false, err
		}
		have = &ensured{columns: columns}
	}
	columns, changed, err := mergeColumns(have.columns, t.Columns, "")
	if err != nil {
		return nil, false, err
	}
	if !changed {
		have.last = t
		l.ensured[ref] = have
		return nil, false, nil
	}
	merged = schema.NewTable(t.Dataset, t.Name, columns)
	if err := l.writeSchemaFile(ref, merged); err != nil {
		return nil, false, err
	}
	l.ensured[ref] = &ensured{columns: columns, last: t}
	return merged, len(have.columns) == 0, nil
}

// readColumns reads the column tree of the zero-row file; none if there is no file.
func (l *Lake) readColumns(ref TableRef) ([]*schema.Column, error) {
	path := l.SchemaFile(ref)
	metadata, err := l.FileMetadata(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	text, ok := metadata[metadataColumns]
	if !ok {
		return nil, fmt.Errorf("%s was written by a job: its columns are the job's", path)
	}
	var columns []*schema.Column
	if err := json.Unmarshal([]byte(text), &columns); err != nil {
		return nil, &CorruptError{Path: path, Contradiction: "its metadata " + metadataColumns + " is not a column tree", Err: err,
			Remedy: "remove the file: the next row of the table writes it again, without the columns that are no longer in its schema"}
	}
	return columns, nil
}

// mergeColumns is have with the members that only want has behind it.
func mergeColumns(have, want []*schema.Column, path string) (merged []*schema.Column, changed bool, err error) {
	merged = slices.Clone(have)
	for _, w := range want {
		at := slices.IndexFunc(merged, func(c *schema.Column) bool { return c.Name == w.Name })
		if at < 0 {
			merged = append(merged, w)
			changed = true
			continue
		}
		column, columnChanged, err := mergeColumn(merged[at], w, join(path, w.Name))
		if err != nil {
			return nil, false, err
		}
		merged[at] = column
		changed = changed || columnChanged
	}
	return merged, changed, nil
}

func mergeColumn(have, want *schema.Column, path string) (merged *schema.Column, changed bool, err error) {
	if have.Kind != want.Kind {
		return nil, false, fmt.Errorf("%w: column %s is %s in the lake and %s in the schema", ErrIncompatible, path, kindText(have.Kind), kindText(want.Kind))
	}
	copied := *have
	switch have.Kind {
	case schema.Struct:
		copied.Fields, changed, err = mergeColumns(have.Fields, want.Fields, path)
	case schema.List:
		copied.Fields, changed, err = mergeParts(have, want, path, "element")
	case schema.Map:
		copied.Fields, changed, err = mergeParts(have, want, path, "key", "value")
	}
	if err != nil || !changed {
		return have, false, err
	}
	return &copied, true, nil
}

// mergeParts merges the unnamed parts of a list or map.
func mergeParts(have, want *schema.Column, path string, parts ...string) (merged []*schema.Column, changed bool, err error) {
	if len(have.Fields) != len(parts) || len(want.Fields) != len(parts) {
		return nil, false, fmt.Errorf("column %s has %d parts in the lake and %d in the schema, not %d", path, len(have.Fields), len(want.Fields), len(parts))
	}
	merged = make([]*schema.Column, len(parts))
	for i, part := range parts {
		column, partChanged, err := mergeColumn(have.Fields[i], want.Fields[i], join(path, part))
		if err != nil {
			return nil, false, err
		}
		merged[i] = column
		changed = changed || partChanged
	}
	return merged, changed, nil
}

func kindText(kind schema.Kind) string {
	names := [...]string{
		schema.Bool: "BOOLEAN", schema.Int64: "BIGINT", schema.Float64: "DOUBLE", schema.String: "VARCHAR", schema.Bytes: "BLOB",
		schema.Timestamp: "TIMESTAMP", schema.Date: "DATE", schema.Struct: "STRUCT", schema.List: "LIST", schema.Map: "MAP",
	}
	if int(kind) >= len(names) {
		return fmt.Sprintf("kind %d", kind)
	}
	return names[kind]
}

func (l *Lake) writeSchemaFile(ref TableRef, t *schema.Table) error {
	if l.staging == "" {
		return errReadOnly
	}
	if err := ref.check(); err != nil {
		return err
	}
	y, err := newLayout(t)
	if err != nil {
		return err
	}
	columns, err := json.Marshal(t.Columns)
	if err != nil {
		return err
	}
	temp := l.tempPath("schema-")
	err = l.disk.write(temp, func(w io.Writer) error {
		options := append(writerOptions(y, l.codec), parquet.KeyValueMetadata(metadataColumns, string(columns)))
		return parquet.NewGenericWriter[any](w, options...).Close()
	})
	if err == nil {
		err = l.install(temp, l.SchemaFile(ref))
	}
	if err != nil {
		return errors.Join(err, removeIfThere(temp))
	}
	return nil
}

// install renames a durable file into the tree, over the file of that name if
// there is one.
func (l *Lake) install(file, target string) error {
	dir := filepath.Dir(target)
	if err := l.disk.mkdir(l.dir, dir); err != nil {
		return err
	}
	if err := l.disk.rename(file, target); err != nil {
		return err
	}
	return l.disk.syncDir(dir)
}

func removeIfThere(path string) error {
	if err := os.Remove(path); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}
