// Package dedup remembers which pings are already in the lake, and up to which
// position of the stream.
//
// Both are one fact and live in one Pebble batch: a commit marks the keys of a
// span as seen and moves the watermark past it, or does neither. It is the one
// moment of truth of the line; see DESIGN.md.
package dedup

import (
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"
)

// DefaultWindowDays is how long a key is remembered unless Options say otherwise.
const DefaultWindowDays = 28

// Options of an index.
type Options struct {
	// Dir is the index's folder, made if absent. One process at a time holds it.
	Dir string
	// WindowDays is how many days before today a key is remembered; 0 is
	// DefaultWindowDays.
	WindowDays int
	// Logger gets Pebble's log at debug level. Nil discards it.
	Logger *slog.Logger

	fs vfs.FS
}

// Key is the identity of a ping: the same DocumentID in two tables is two pings.
type Key struct {
	Table string
	ID    [16]byte
}

// Index is the set of keys seen within the window, and the last committed span.
// Commit and Expire belong to one goroutine at a time; Seen and Last may be
// called from any.
type Index struct {
	dir        string
	windowDays int
	db         *pebble.DB

	write sync.Mutex // held by Commit and Expire
	mu    sync.RWMutex
	state state // guarded by mu; slices and maps in it are replaced, never changed
}

// state is what the index keeps in memory of its records.
type state struct {
	first, last uint64
	days        []uint32          // buckets present, newest first
	tables      map[string]uint32 // the number of each table
	nextTable   uint32
}

// Open opens the index of a folder, or makes an empty one. It refuses an index
// of a newer format, and reports ErrCorrupt for one it cannot read.
func Open(options Options) (*Index, error) {
	if options.Dir == "" {
		return nil, errors.New("dedup: open: no folder given")
	}
	if options.WindowDays < 0 {
		return nil, fmt.Errorf("dedup: open %s: window of %d days", options.Dir, options.WindowDays)
	}
	if options.WindowDays == 0 {
		options.WindowDays = DefaultWindowDays
	}
	if options.Logger == nil {
		options.Logger = slog.New(slog.DiscardHandler)
	}
	if options.fs == nil {
		options.fs = vfs.Default
	}
	doing := "open " + options.Dir
	db, err := openEngine(options.Dir, options.fs, options.Logger)
	if err != nil {
		return nil, explainOpen(options.Dir, doing, err)
	}
	x := &Index{dir: options.Dir, windowDays: options.WindowDays, db: db}
	if err := x.load(); err != nil {
		return nil, errors.Join(explain(x.dir, doing, err), db.Close())
	}
	return x, nil
}

// Close releases the folder. Commits are durable before it.
func (x *Index) Close() error {
	return explain(x.dir, "close "+x.dir, x.db.Close())
}

// Last is the last committed span, both ends included; 0, 0 if there is none.
func (x *Index) Last() (first, last uint64) {
	s := x.current()
	return s.first, s.last
}

func (x *Index) current() state {
	x.mu.RLock()
	defer x.mu.RUnlock()
	return x.state
}

func (x *Index) replace(s state) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.state = s
}

// load reads format, span, tables and days; on an empty index it writes the format.
func (x *Index) load() error {
	if err := x.checkFormat(); err != nil {
		return err
	}
	s := state{tables: map[string]uint32{}}
	value, found, err := x.get(metaSpan)
	if err != nil {
		return err
	}
	if found {
		if s.first, s.last, err = decodeSpan(value); err != nil {
			return x.corrupt("%w", err)
		}
	}
	if err := x.loadTables(&s); err != nil {
		return err
	}
	if err := x.loadDays(&s); err != nil {
		return err
	}
	x.replace(s)
	return nil
}

func (x *Index) checkFormat() error {
	value, found, err := x.get(metaFormat)
	if err != nil {
		return err
	}
	if !found {
		return x.writeFormat()
	}
	version, err := decodeFormat(value)
	if err != nil {
		return x.corrupt("%w", err)
	}
	if version > formatVersion {
		return fmt.Errorf("index has format %d, this pinglake knows up to %d: use the newer pinglake that wrote it", version, formatVersion)
	}
	return nil
}

// writeFormat begins an index. A crash before it leaves no record at all.
func (x *Index) writeFormat() error {
	it, err := x.db.NewIter(nil)
	if err != nil {
		return err
	}
	empty := !it.First()
	if err := it.Close(); err != nil {
		return err
	}
	if !empty {
		return x.corrupt("records without a format version")
	}
	return x.db.Set(metaFormat, encodeFormat(formatVersion), pebble.Sync)
}

func (x *Index) loadTables(s *state) (err error) {
	it, err := x.db.NewIter(&pebble.IterOptions{LowerBound: []byte{recordTable}, UpperBound: []byte{recordTable + 1}})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, it.Close()) }()
	for ok := it.First(); ok; ok = it.Next() {
		number, err := tableOfKey(it.Key())
		if err != nil {
			return x.corrupt("%w", err)
		}
		s.tables[string(it.Value())] = number
		s.nextTable = number + 1
	}
	return nil
}

// loadDays jumps from bucket to bucket: one seek a day, however many keys.
func (x *Index) loadDays(s *state) (err error) {
	it, err := x.db.NewIter(&pebble.IterOptions{LowerBound: dayKey(0), UpperBound: dayKey(maxDay + 1)})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, it.Close()) }()
	for ok := it.First(); ok; {
		day, err := dayOfKey(it.Key())
		if err != nil {
			return x.corrupt("%w", err)
		}
		s.days = append(s.days, day)
		ok = it.SeekGE(dayKey(uint64(day) + 1))
	}
	slices.Reverse(s.days)
	return nil
}

// get reads one record.
func (x *Index) get(key []byte) (value []byte, found bool, err error) {
	got, closer, err := x.db.Get(key)
	if errors.Is(err, pebble.ErrNotFound) {
		return nil, false, nil
	}
	if err != nil {
		return nil, false, err
	}
	return slices.Clone(got), true, closer.Close()
}

// dayOf is the UTC date of t in days since 1970.
func dayOf(t time.Time) int64 {
	const day = 24 * 60 * 60
	seconds := t.Unix()
	return (seconds - ((seconds%day)+day)%day) / day
}
