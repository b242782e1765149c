package lake

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strconv"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/compress/zstd"

	"pinglake/lake/schema"
)

// The keys of ours in a Parquet file's metadata.
const (
	metadataFormat  = "pinglake.format"  // the layout's version
	metadataColumns = "pinglake.columns" // the column tree as JSON, in zero-row files
)

const (
	pageBytes   = 128 << 10 // of one column, before compression
	chunkRows   = 64        // rows between two visits of all columns
	chunkBytes  = 1 << 20
	writeBuffer = 64 << 10

	// nullBytes is what a null takes in a page not yet compressed, and
	// columnBytes what a column takes before its first value.
	nullBytes   = 5
	columnBytes = 4 << 10
)

// tableFile is one Parquet file of one table, in memory until finish writes it:
// compressed pages and the last pages' values. It is one row group. Strings are
// not dictionary-encoded: for the sizes of a span, zstd alone gave smaller files
// as fast, with a third of the memory.
type tableFile struct {
	layout  *layout
	columns []*parquet.ColumnWriter
	writer  *parquet.GenericWriter[any]
	output  lateOutput

	// A chunk of rows, column by column. Columns fall behind while they have no
	// cells and catch up with nulls.
	chunk     [][]parquet.Value
	behind    []int32 // rows of the chunk a column has not got yet
	rows      int32   // in the chunk
	bytes     int64   // in the chunk
	nulls     []parquet.Value
	held      int64 // estimate of the memory held, bytes
	totalRows int
}

// lateOutput lets the writer be made before its file.
type lateOutput struct{ w io.Writer }

func (o *lateOutput) Write(p []byte) (int, error) { return o.w.Write(p) }

func newTableFile(y *layout, codec *zstd.Codec) *tableFile {
	f := &tableFile{
		layout: y,
		chunk:  make([][]parquet.Value, len(y.leaves)),
		behind: make([]int32, len(y.leaves)),
		nulls:  make([]parquet.Value, chunkRows),
		held:   int64(len(y.leaves)) * columnBytes,
	}
	f.writer = parquet.NewGenericWriter[any](&f.output, writerOptions(y, codec)...)
	f.columns = f.writer.ColumnWriters()
	return f
}

func writerOptions(y *layout, codec *zstd.Codec) []parquet.WriterOption {
	options := []parquet.WriterOption{
		y.parquet,
		parquet.Compression(codec),
		parquet.PageBufferSize(pageBytes),
		parquet.WriteBufferSize(0), // finish has its own, for as long as the file is written
		// Four whole values in every page header, uncompressed, that no reader of
		// ours looks at: row groups and the page index have the bounds.
		parquet.DataPageStatistics(false),
		parquet.KeyValueMetadata(metadataFormat, strconv.Itoa(formatVersion)),
	}
	for _, leaf := range y.noStats {
		options = append(options, parquet.SkipPageBounds(leaf.Path...))
	}
	return options
}

// add takes a row that passed the check, and returns by how many bytes the
// memory held grew.
func (f *tableFile) add(row *schema.Row) (grown int64, err error) {
	size := int64(len(f.layout.leaves)) * nullBytes
	for i := range row.Cells {
		c := &row.Cells[i]
		leaf := &f.layout.leaves[c.Leaf]
		if c.Rep == 0 {
			f.catchUp(c.Leaf, f.rows)
			f.behind[c.Leaf] = f.rows + 1
		}
		f.chunk[c.Leaf] = append(f.chunk[c.Leaf], value(leaf.Kind, leaf.MaxDef, c))
		size += 8 + int64(len(c.Bytes))
	}
	f.rows++
	f.totalRows++
	f.bytes += size
	f.held += size
	if f.rows < chunkRows && f.bytes < chunkBytes {
		return size, nil
	}
	return size, f.writeChunk()
}

// catchUp fills a column with the nulls of the chunk's rows before row.
func (f *tableFile) catchUp(leaf, row int32) {
	if missing := row - f.behind[leaf]; missing > 0 {
		f.chunk[leaf] = append(f.chunk[leaf], f.nulls[:missing]...)
	}
}

// writeChunk hands the chunk to the columns, which encode and compress whole pages.
func (f *tableFile) writeChunk() error {
	if f.rows == 0 {
		return nil
	}
	for i, column := range f.columns {
		values := f.nulls[:f.rows]
		if len(f.chunk[i]) > 0 {
			f.catchUp(int32(i), f.rows)
			values = f.chunk[i]
		}
		if _, err := column.WriteRowValues(values); err != nil {
			return fmt.Errorf("column %v: %w", f.layout.leaves[i].Path, err)
		}
		clear(f.chunk[i]) // or it keeps the payloads alive
		f.chunk[i] = f.chunk[i][:0]
		f.behind[i] = 0
	}
	f.rows, f.bytes = 0, 0
	return nil
}

// finish writes the file to w, footer included. The tableFile is of no use after.
func (f *tableFile) finish(w io.Writer) error {
	if err := f.writeChunk(); err != nil {
		return err
	}
	buffered := bufio.NewWriterSize(w, writeBuffer)
	f.output.w = buffered
	return errors.Join(f.writer.Close(), buffered.Flush())
}
