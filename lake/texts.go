package lake

import (
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/parquet-go/parquet-go"
)

// Texts reads a top-level text column of a file, null as "", in row order. It is
// how ids are found again when only the lake is left.
func (l *Lake) Texts(path, column string) (texts []string, err error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	file, err := parquet.OpenFile(f, info.Size())
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", path, err)
	}
	leaf, ok := file.Schema().Lookup(column)
	if !ok {
		return nil, fmt.Errorf("read %s: no column %s", path, column)
	}
	for _, group := range file.RowGroups() {
		if texts, err = appendTexts(texts, group.ColumnChunks()[leaf.ColumnIndex].Pages()); err != nil {
			return nil, fmt.Errorf("read %s of %s: %w", column, path, err)
		}
	}
	return texts, nil
}

func appendTexts(texts []string, pages parquet.Pages) (_ []string, err error) {
	defer func() { err = errors.Join(err, pages.Close()) }()
	values := make([]parquet.Value, 1024)
	for {
		page, err := pages.ReadPage()
		if errors.Is(err, io.EOF) {
			return texts, nil
		}
		if err != nil {
			return nil, err
		}
		for reader := page.Values(); ; {
			n, err := reader.ReadValues(values)
			for _, v := range values[:n] {
				if v.IsNull() {
					texts = append(texts, "")
					continue
				}
				texts = append(texts, string(v.ByteArray()))
			}
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				return nil, err
			}
		}
		parquet.Release(page)
	}
}
