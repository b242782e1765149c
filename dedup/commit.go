package dedup

import (
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/cockroachdb/pebble/v2"
)

// Commit is a span whose rows are staged, with the keys of its pings.
type Commit struct {
	// First and Last are the ends of the span, both included. First is above the
	// last committed Last.
	First, Last uint64
	// Keys are marked as seen. Repeats among them, and keys seen before, are
	// allowed.
	Keys []Key
	// Day is the bucket: days since 1970 on the server's clock at commit.
	Day int32
}

// Commit makes the span the last committed one and its keys seen, in one synced
// batch: after a crash either all of it is there or nothing. An error before the
// write leaves the index as it was; when the write itself fails the process ends,
// as nobody can tell which of the two it was before reading the log again.
func (x *Index) Commit(c Commit) error {
	x.write.Lock()
	defer x.write.Unlock()
	next := x.current()
	if err := checkSpan(c, next.last); err != nil {
		return err
	}
	doing := fmt.Sprintf("commit %d-%d to %s", c.First, c.Last, x.dir)
	batch := x.db.NewBatch()
	if err := fill(batch, c, &next); err != nil {
		return explain(x.dir, doing, errors.Join(err, batch.Close()))
	}
	if err := batch.Commit(pebble.Sync); err != nil {
		return explain(x.dir, doing, errors.Join(err, batch.Close()))
	}
	x.replace(next)
	// The commit stands: an error of releasing the batch must not look like none.
	_ = batch.Close()
	return nil
}

func checkSpan(c Commit, last uint64) error {
	switch {
	case c.First <= last:
		return fmt.Errorf("dedup: commit %d-%d: span %d is committed already", c.First, c.Last, last)
	case c.Last < c.First:
		return fmt.Errorf("dedup: commit %d-%d: span ends before it begins", c.First, c.Last)
	case c.Day < 0:
		return fmt.Errorf("dedup: commit %d-%d: day %d is before 1970", c.First, c.Last, c.Day)
	}
	return nil
}

// fill writes the commit into the batch and into next, the state after it.
func fill(batch *pebble.Batch, c Commit, next *state) error {
	next.first, next.last = c.First, c.Last
	if err := batch.Set(metaSpan, encodeSpan(c.First, c.Last), nil); err != nil {
		return err
	}
	day := uint32(c.Day)
	key := make([]byte, 0, idKeyLength)
	for _, k := range c.Keys {
		table, known := next.tables[k.Table]
		if !known {
			table = next.addTable(k.Table)
			if err := batch.Set(tableKey(table), []byte(k.Table), nil); err != nil {
				return err
			}
		}
		key = appendIDKey(key[:0], day, table, k.ID)
		if err := batch.Set(key, nil, nil); err != nil {
			return err
		}
	}
	if len(c.Keys) > 0 {
		next.addDay(day)
	}
	return nil
}

func (s *state) addTable(name string) uint32 {
	number := s.nextTable
	s.tables = maps.Clone(s.tables)
	s.tables[name] = number
	s.nextTable++
	return number
}

func (s *state) addDay(day uint32) {
	at, found := slices.BinarySearchFunc(s.days, day, func(have, want uint32) int { return int(int64(want) - int64(have)) })
	if !found {
		s.days = slices.Insert(slices.Clone(s.days), at, day)
	}
}
