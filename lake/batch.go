package lake

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"

	"pinglake/lake/schema"
)

// defaultMaxHeld is how many bytes of rows a batch keeps in memory.
const defaultMaxHeld = 128 << 20

// Batch collects rows of any tables and dates. Rows stay in memory, as compressed
// pages, up to a bound; past it the largest file is written out and its table and
// date go on in another one. No file is open between two calls. A Batch belongs
// to one goroutine. After an error it is good for Discard only.
type Batch struct {
	lake    *Lake
	dir     string // "" before the first file is written
	open    map[fileKey]*tableFile
	written []writtenFile
	tables  []*schema.Table
	maxHeld int64

	rows  int
	bytes int64
	held  int64
}

// fileKey has the table's address, not its name: rows shredded for different
// columns of one table go to different files.
type fileKey struct {
	table *schema.Table
	date  int32
}

// writtenFile is a whole, synced file in the batch's folder, not yet named.
type writtenFile struct {
	ref  TableRef
	date int32
	path string
}

// NewBatch is an empty batch.
func (l *Lake) NewBatch() *Batch {
	return &Batch{lake: l, open: map[fileKey]*tableFile{}, maxHeld: defaultMaxHeld}
}

// Rows is the number of rows added.
func (b *Batch) Rows() int { return b.rows }

// Files is the number of files in memory, one a table and date.
func (b *Batch) Files() int { return len(b.open) }

// Bytes estimates the size of the rows added, before compression.
func (b *Batch) Bytes() int64 { return b.bytes }

// Add takes a row. The batch may hold on to the bytes of its cells until it is
// staged. An error about the row itself comes before anything of it is taken.
func (b *Batch) Add(row schema.Row) error {
	key := fileKey{row.Table, row.Date}
	f, err := b.file(key)
	if err != nil {
		return fmt.Errorf("add row to %s: %w", partitionText(refOf(row.Table), row.Date), err)
	}
	if err := f.layout.check.row(row.Cells); err != nil {
		return fmt.Errorf("add row to %s: %w: %w", partitionText(refOf(row.Table), row.Date), ErrRow, err)
	}
	size, err := f.add(&row)
	if err != nil {
		return fmt.Errorf("add row to %s: %w", partitionText(refOf(row.Table), row.Date), err)
	}
	b.rows++
	b.bytes += size
	b.held += size
	for b.held > b.maxHeld {
		if err := b.writeLargest(); err != nil {
			return err
		}
	}
	return nil
}

func (b *Batch) file(key fileKey) (*tableFile, error) {
	if f := b.open[key]; f != nil {
		return f, nil
	}
	if b.lake.staging == "" {
		return nil, errReadOnly
	}
	if err := checkPartition(refOf(key.table), key.date); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrRow, err)
	}
	y, err := b.lake.layout(key.table)
	if err != nil {
		return nil, err
	}
	f := newTableFile(y, b.lake.codec)
	b.open[key] = f
	b.held += f.held
	if !slices.Contains(b.tables, key.table) {
		b.tables = append(b.tables, key.table)
	}
	return f, nil
}

// layout is worked out once a table. The cache is emptied now and then, as a
// reload of schemas makes new tables.
func (l *Lake) layout(t *schema.Table) (*layout, error) {
	const most = 1000
	l.mu.Lock()
	defer l.mu.Unlock()
	if y := l.layouts[t]; y != nil {
		return y, nil
	}
	y, err := newLayout(t)
	if err != nil {
		return nil, err
	}
	if len(l.layouts) >= most {
		clear(l.layouts)
	}
	l.layouts[t] = y
	return y, nil
}

// writeLargest frees the memory of the file that holds most.
func (b *Batch) writeLargest() error {
	var largest fileKey
	for key, f := range b.open {
		if largest.table == nil || f.held > b.open[largest].held {
			largest = key
		}
	}
	return b.write([]fileKey{largest})
}

// write finishes the files of the keys, as many at once as there are cores.
func (b *Batch) write(keys []fileKey) error {
	if len(keys) == 0 {
		return nil
	}
	if err := b.makeDir(); err != nil {
		return fmt.Errorf("make a folder for a batch: %w", err)
	}
	files := make([]writtenFile, len(keys))
	errs := make([]error, len(keys))
	var next atomic.Int64
	var wg sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), len(keys)) {
		wg.Go(func() {
			for i := int(next.Add(1)) - 1; i < len(keys); i = int(next.Add(1)) - 1 {
				files[i] = writtenFile{
					ref: refOf(keys[i].table), date: keys[i].date,
					path: filepath.Join(b.dir, strconv.Itoa(len(b.written)+i)+tempExtension),
				}
				if err := b.lake.disk.write(files[i].path, b.open[keys[i]].finish); err != nil {
					errs[i] = fmt.Errorf("write %s: %w", partitionText(files[i].ref, files[i].date), err)
				}
			}
		})
	}
	wg.Wait()
	if err := errors.Join(errs...); err != nil {
		return err
	}
	for _, key := range keys {
		b.held -= b.open[key].held
		delete(b.open, key)
	}
	b.written = append(b.written, files...)
	return nil
}

func (b *Batch) makeDir() error {
	if b.dir != "" {
		return nil
	}
	if err := b.lake.disk.allow("mkdir", b.lake.staging); err != nil {
		return err
	}
	dir, err := os.MkdirTemp(b.lake.staging, openPrefix+"*")
	b.dir = dir
	return err
}

// Stage makes the batch's rows durable as the span first-last, where nobody sees
// them: the folder staging/<first>-<last> appears whole, by a rename. Tables new
// to the lake get their zero-row file first. After an error nothing is staged and
// the batch is discarded; the same rows may be added to another one.
func (b *Batch) Stage(ctx context.Context, first, last uint64) (*Staged, error) {
	s, err := b.stage(ctx, first, last)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("stage %d-%d: %w", first, last, err), b.Discard())
	}
	return s, nil
}

func (b *Batch) stage(ctx context.Context, first, last uint64) (*Staged, error) {
	l := b.lake
	if first == 0 || first > last {
		return nil, errors.New("no such span")
	}
	s := &Staged{lake: l, dir: filepath.Join(l.staging, spanName(first, last))}
	// A folder of this name is of an attempt that could not clean up: the caller
	// stages no span again once it is committed.
	if err := l.discard(s.dir); err != nil {
		return nil, err
	}
	for _, t := range b.tables {
		if err := l.EnsureTable(t); err != nil {
			return nil, err
		}
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	keys := slices.SortedFunc(maps.Keys(b.open), compareKeys)
	if err := b.write(keys); err != nil {
		return nil, err
	}
	if len(b.written) == 0 {
		return s, nil
	}
	if err := b.nameFiles(first, last); err != nil {
		return nil, err
	}
	if err := l.disk.syncDir(b.dir); err != nil {
		return nil, err
	}
	if err := l.disk.rename(b.dir, s.dir); err != nil {
		return nil, err
	}
	b.dir = s.dir // what Discard removes if the next step fails
	if err := l.disk.syncDir(l.staging); err != nil {
		return nil, err
	}
	b.dir, b.written = "", nil
	return s, nil
}

func compareKeys(a, b fileKey) int {
	return strings.Compare(partitionText(refOf(a.table), a.date), partitionText(refOf(b.table), b.date))
}

func (b *Batch) nameFiles(first, last uint64) error {
	counts := map[string]int{}
	for _, f := range b.written {
		partition := partitionText(f.ref, f.date)
		name := spanFile{shard: b.lake.shard, first: first, last: last, n: counts[partition]}
		counts[partition]++
		if err := b.lake.disk.rename(f.path, filepath.Join(b.dir, stagedName(f.ref, f.date, name))); err != nil {
			return fmt.Errorf("name a file of %s: %w", partition, err)
		}
	}
	return nil
}

// Discard forgets the rows and removes what was written of them. A batch that
// was staged has nothing left to discard.
func (b *Batch) Discard() error {
	clear(b.open)
	b.tables, b.written, b.held = nil, nil, 0
	if b.dir == "" {
		return nil
	}
	dir := b.dir
	b.dir = ""
	return b.lake.discard(dir)
}
