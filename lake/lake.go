// Package lake keeps the tables: plain Parquet files in hive partitions by
// submission_date, that appear whole or not at all.
//
// The tree of folders is the catalog. Nothing else says what is in a table, so a
// file is written where no reader looks, made durable, and then renamed into its
// partition; a name that ends in .parquet below a table's folder is always a
// finished file. See DESIGN.md for who does which step and what a crash leaves.
package lake

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/parquet-go/parquet-go/compress/zstd"

	"pinglake/lake/schema"
)

// formatVersion is the version of the layout and of the files' metadata.
const formatVersion = 1

// Options of a lake that is written.
type Options struct {
	// Dir is the tree of datasets; made if absent.
	Dir string
	// Staging is where files are written before they are seen: another folder on
	// the same file system, outside Dir; made if absent. It belongs to one
	// process at a time.
	Staging string
	// Shard, 0 to 99, is the part of the names that keeps writers of one lake apart.
	Shard int
	// OnTable is told when a table was created or got columns, after readers can
	// see it. Nil is none.
	OnTable func(*schema.Table)
	// Logger tells of tables made and of what recovery did. Nil discards it.
	Logger *slog.Logger
}

// Lake is a tree of tables. Its methods may be called from several goroutines;
// two of them must not write the same partition at once.
type Lake struct {
	dir     string
	staging string // "" when read-only
	shard   int
	onTable func(*schema.Table)
	logger  *slog.Logger
	codec   *zstd.Codec
	disk    disk
	temps   atomic.Uint64 // numbers temporary names

	mu      sync.Mutex
	ensured map[TableRef]*ensured // guarded by mu
	layouts map[*schema.Table]*layout
}

// Open opens a lake for writing, and makes it if absent. It refuses a layout of
// a newer version. Recover comes next.
func Open(options Options) (*Lake, error) {
	l, err := open(options)
	if err != nil {
		return nil, fmt.Errorf("open lake %s: %w", options.Dir, err)
	}
	return l, nil
}

func open(options Options) (*Lake, error) {
	if options.Dir == "" || options.Staging == "" {
		return nil, errors.New("needs a folder and a staging folder")
	}
	if options.Shard < 0 || options.Shard > maxShard {
		return nil, fmt.Errorf("shard %d is outside 0 to %d", options.Shard, maxShard)
	}
	l := newLake(options)
	for _, dir := range []*string{&l.dir, &l.staging} {
		if err := l.makeRoot(dir); err != nil {
			return nil, err
		}
	}
	if within(l.dir, l.staging) || within(l.staging, l.dir) {
		return nil, fmt.Errorf("staging folder %s and lake lie in each other: readers would see unfinished files", l.staging)
	}
	if err := l.disk.mkdir(l.staging, filepath.Join(l.staging, jobsName)); err != nil {
		return nil, err
	}
	if err := l.checkSameFileSystem(); err != nil {
		return nil, err
	}
	found, err := readFormat(l.dir)
	if err != nil || found {
		return l, err
	}
	return l, l.writeFormat()
}

// OpenReadOnly opens a lake for reading: the folder must be there, and nothing in
// it or beside it is changed.
func OpenReadOnly(dir string) (*Lake, error) {
	l := newLake(Options{Dir: dir})
	var err error
	if l.dir, err = filepath.Abs(dir); err != nil {
		return nil, fmt.Errorf("open lake %s: %w", dir, err)
	}
	found, err := readFormat(l.dir)
	if err == nil && !found {
		err = errors.New("no lake there (it would have a " + formatName + "): is it the right folder?")
	}
	if err != nil {
		return nil, fmt.Errorf("open lake %s: %w", dir, err)
	}
	return l, nil
}

func newLake(options Options) *Lake {
	l := &Lake{
		dir: options.Dir, staging: options.Staging, shard: options.Shard,
		onTable: options.OnTable, logger: options.Logger,
		disk:    disk{flush: (*os.File).Sync},
		codec:   &zstd.Codec{Level: zstd.SpeedFastest},
		ensured: map[TableRef]*ensured{},
		layouts: map[*schema.Table]*layout{},
	}
	if l.logger == nil {
		l.logger = slog.New(slog.DiscardHandler)
	}
	return l
}

// Dir is the absolute path of the lake.
func (l *Lake) Dir() string { return l.dir }

// makeRoot makes a folder and turns its path into the absolute one without links.
func (l *Lake) makeRoot(dir *string) error {
	path, err := filepath.Abs(*dir)
	if err != nil {
		return err
	}
	if err := l.makeMissing(path); err != nil {
		return err
	}
	*dir, err = filepath.EvalSymlinks(path)
	return err
}

// makeMissing makes a folder and the parents it lacks, and syncs the parent of each.
func (l *Lake) makeMissing(path string) error {
	if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	parent := filepath.Dir(path)
	if err := l.makeMissing(parent); err != nil {
		return err
	}
	if err := os.Mkdir(path, 0o755); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return l.disk.syncDir(parent)
}

func within(outer, inner string) bool {
	relative, err := filepath.Rel(outer, inner)
	return err == nil && relative != ".." && !strings.HasPrefix(relative, ".."+string(filepath.Separator))
}

// checkSameFileSystem does what a publish will do, so that a lake that cannot
// publish does not open.
func (l *Lake) checkSameFileSystem() error {
	probe, err := os.CreateTemp(l.staging, "probe-*"+tempExtension)
	if err != nil {
		return err
	}
	if err := probe.Close(); err != nil {
		return err
	}
	target := filepath.Join(l.dir, filepath.Base(probe.Name()))
	if err := os.Rename(probe.Name(), target); err != nil {
		return errors.Join(fmt.Errorf("staging folder %s must be on the lake's file system: %w", l.staging, err), os.Remove(probe.Name()))
	}
	return os.Remove(target)
}

// layoutFormat is the content of format.json.
type layoutFormat struct {
	Format int `json:"format"`
}

func readFormat(dir string) (found bool, err error) {
	path := filepath.Join(dir, formatName)
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		if _, err := os.Stat(dir); err != nil {
			return false, err
		}
		return false, nil
	}
	if err != nil {
		return false, err
	}
	var f layoutFormat
	if err := json.Unmarshal(text, &f); err != nil || f.Format < 1 {
		return false, &CorruptError{Path: path, Contradiction: "it does not say the format", Err: err,
			Remedy: fmt.Sprintf(`if the lake was written by this version, write {"format":%d} into it`, formatVersion)}
	}
	if f.Format > formatVersion {
		return false, fmt.Errorf("layout has format %d, this pinglake knows up to %d: use the newer pinglake that wrote it", f.Format, formatVersion)
	}
	return true, nil
}

func (l *Lake) writeFormat() error {
	text, err := json.Marshal(layoutFormat{Format: formatVersion})
	if err != nil {
		return err
	}
	temp := l.tempPath("format-")
	err = l.disk.write(temp, func(w io.Writer) error {
		_, err := w.Write(append(text, '\n'))
		return err
	})
	if err != nil {
		return err
	}
	if err := l.disk.rename(temp, filepath.Join(l.dir, formatName)); err != nil {
		return err
	}
	return l.disk.syncDir(l.dir)
}
