package dedup

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/cockroachdb/pebble/v2"
)

// Expire forgets the whole days that are more than the window before today: a
// key committed on day d goes when d < today - window. The files that held them are
// removed in the background soon after it returns.
func (x *Index) Expire(now time.Time) error {
	cutoff := dayOf(now) - int64(x.windowDays)
	dropped, err := x.dropBefore(cutoff)
	if err != nil || !dropped {
		return explain(x.dir, fmt.Sprintf("expire %s", x.dir), err)
	}
	return explain(x.dir, fmt.Sprintf("free the expired days of %s", x.dir), x.compactBefore(cutoff))
}

// dropBefore hides the days before cutoff behind one range tombstone.
func (x *Index) dropBefore(cutoff int64) (dropped bool, err error) {
	x.write.Lock()
	defer x.write.Unlock()
	next := x.current()
	keep := len(next.days)
	for keep > 0 && int64(next.days[keep-1]) < cutoff {
		keep--
	}
	if keep == len(next.days) {
		return false, nil
	}
	next.days = next.days[:keep:keep]
	if err := x.db.DeleteRange(dayKey(0), dayKey(uint64(cutoff)), pebble.Sync); err != nil {
		return false, err
	}
	x.replace(next)
	return true, nil
}

// compactBefore gives the disk space back: the tombstone alone only hides the
// keys, and while it is in the memtable it drops no file. Commits go on meanwhile.
func (x *Index) compactBefore(cutoff int64) error {
	return errors.Join(
		x.db.Flush(),
		x.db.Compact(context.Background(), dayKey(0), dayKey(uint64(cutoff)), false),
	)
}
