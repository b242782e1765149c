package dedup

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"
)

const (
	crashCommits = 6
	expiredDay   = 20000 // of commits 1 and 2
	keptDay      = 20010 // of the others
)

// keysOf are the keys of the n-th commit, whose span is n0-n9.
func keysOf(n uint64) []Key { return randomKeys(50, n) }

// crash is what the disk holds if the power goes now, and what was promised by then.
type crash struct {
	disk    *vfs.MemFS
	durable uint64 // commits that had returned
	expired bool   // Expire had returned
}

// TestAfterACrashACommitIsThereWholeOrNotAtAll cuts the power before every
// single write to the disk of a life with commits, an expiry and a close, and
// opens what is left. At 50% the surviving half is chosen at random, directory
// entries too; while it opens, Pebble counts on a file system that keeps the
// order of those, so these cuts come after it.
func TestAfterACrashACommitIsThereWholeOrNotAtAll(t *testing.T) {
	for _, survives := range []int{0, 50, 100} {
		t.Run(fmt.Sprintf("%d%% of unsynced data survives", survives), func(t *testing.T) {
			crashes := recordCrashes(t, vfs.CrashCloneCfg{UnsyncedDataPercent: survives, RNG: rand.New(rand.NewPCG(1, uint64(survives)))})
			if len(crashes) < 20 {
				t.Errorf("only %d crash points", len(crashes))
			}
			for i, c := range crashes {
				if err := checkCrash(c); err != nil {
					t.Errorf("crash %d of %d, after %d commits: %v", i, len(crashes), c.durable, err)
				}
			}
		})
	}
}

func recordCrashes(t *testing.T, config vfs.CrashCloneCfg) []crash {
	disk := vfs.NewCrashableMem()
	var (
		mu      sync.Mutex // Pebble writes from several goroutines
		crashes []crash
		durable atomic.Uint64
		expired atomic.Bool
		cutting atomic.Bool
	)
	cutting.Store(config.UnsyncedDataPercent%100 == 0)
	recording := errorfs.Wrap(disk, errorfs.InjectorFunc(func(op errorfs.Op) error {
		if op.Kind.ReadOrWrite() == errorfs.OpIsRead || !cutting.Load() {
			return nil
		}
		mu.Lock()
		defer mu.Unlock()
		c := crash{durable: durable.Load(), expired: expired.Load()}
		c.disk = disk.CrashClone(config)
		crashes = append(crashes, c)
		return nil
	}))
	x := open(t, Options{Dir: "index", fs: recording})
	cutting.Store(true)
	for n := uint64(1); n <= crashCommits; n++ {
		day := int32(keptDay)
		if n <= 2 {
			day = expiredDay
		}
		commit(t, x, Commit{First: n * 10, Last: n*10 + 9, Keys: keysOf(n), Day: day})
		durable.Store(n)
		if n == 4 {
			if err := x.Expire(date(expiredDay + DefaultWindowDays + 1)); err != nil {
				t.Fatal(err)
			}
			expired.Store(true)
		}
	}
	closeIndex(t, x)
	return crashes
}

func checkCrash(c crash) error {
	x, err := Open(Options{Dir: "index", fs: c.disk})
	if err != nil {
		return err
	}
	defer func() { _ = x.Close() }()
	first, last := x.Last()
	n := last / 10
	if n < c.durable || n > c.durable+1 {
		return fmt.Errorf("span %d-%d is the last one", first, last)
	}
	if n > 0 && (first != n*10 || last != n*10+9) {
		return fmt.Errorf("half a span: %d-%d", first, last)
	}
	for i := uint64(1); i <= crashCommits; i++ {
		got, err := x.Seen(keysOf(i))
		if err != nil {
			return err
		}
		all, none := !slices.Contains(got, false), !slices.Contains(got, true)
		switch gone := i > n || i <= 2 && c.expired; {
		case gone && !none:
			return fmt.Errorf("commit %d is not there, but some of its keys are", i)
		case i <= 2 && (all || none): // expiry may have come just before the cut
		case !gone && !all:
			return fmt.Errorf("commit %d is there, but not all of its keys", i)
		}
	}
	return x.Commit(Commit{First: last + 1, Last: last + 1, Keys: keysOf(99), Day: keptDay})
}
