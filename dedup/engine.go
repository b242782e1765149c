package dedup

import (
	"context"
	"fmt"
	"log/slog"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/bloom"
	"github.com/cockroachdb/pebble/v2/sstable"
	"github.com/cockroachdb/pebble/v2/vfs"
)

// The memory of an index, in bytes. Ids arrive at random and are looked up once,
// so a large cache of data blocks would earn nothing: it is the filters that must
// stay. Pebble charges its memtables (up to two) to the cache, which leaves 16 MB
// for blocks; none of it is taken before it is used.
const (
	memTableBytes = 8 << 20
	cacheBytes    = 16<<20 + 2*memTableBytes
	openFiles     = 256
	filterBits    = 10 // a key; one false positive in a hundred

	// tableBytes is the size of a table file at every level. A file's filter is
	// one block of about a twentieth of it and must fit a shard of the cache, or
	// every look-up reads it again: Pebble's default, doubling by level, made
	// look-ups a hundred times slower.
	tableBytes = 4 << 20
)

// engineFormat is Pebble's own format. Pinned, so that a newer Pebble does not
// silently make the index unreadable to an older pinglake.
const engineFormat = pebble.FormatTableFormatV6

func openEngine(dir string, fs vfs.FS, logger *slog.Logger) (*pebble.DB, error) {
	cache := pebble.NewCache(cacheBytes)
	defer cache.Unref()
	log := engineLog{logger: logger, dir: dir}
	options := &pebble.Options{
		FS:                 fs,
		Cache:              cache,
		MemTableSize:       memTableBytes,
		MaxOpenFiles:       openFiles,
		FormatMajorVersion: engineFormat,
		Logger:             log,
		EventListener: &pebble.EventListener{
			// The read that met it returns the error; by default Pebble would end the process.
			DataCorruption: func(info pebble.DataCorruptionInfo) { log.Errorf("%s", info) },
		},
	}
	for i := range options.Levels {
		options.Levels[i].FilterPolicy = bloom.FilterPolicy(filterBits)
		options.Levels[i].FilterType = pebble.TableFilter
		options.Levels[i].Compression = func() *sstable.CompressionProfile { return sstable.NoCompression } // ids are random
	}
	for i := range options.TargetFileSizes {
		options.TargetFileSizes[i] = tableBytes
	}
	return pebble.Open(dir, options)
}

// engineLog hands Pebble's log to slog, at debug level: it tells of every flush
// and compaction.
type engineLog struct {
	logger *slog.Logger
	dir    string
}

// Infof logs at debug level.
func (l engineLog) Infof(format string, args ...any) {
	if l.logger.Enabled(context.Background(), slog.LevelDebug) {
		l.logger.Debug("dedup engine", "said", fmt.Sprintf(format, args...))
	}
}

// Errorf logs at error level: what Pebble met in the background and retries.
func (l engineLog) Errorf(format string, args ...any) {
	l.logger.Error("dedup engine", "path", l.dir, "error", fmt.Sprintf(format, args...))
}

// Fatalf must not return: Pebble calls it when it can no longer say what is on
// disk, as after a failed write of its log. The next start finds either the
// whole commit or nothing of it.
func (l engineLog) Fatalf(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	l.logger.Error("dedup engine cannot go on", "path", l.dir, "error", text)
	panic("dedup: " + l.dir + ": " + text)
}
