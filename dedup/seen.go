package dedup

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"sync"

	"github.com/cockroachdb/pebble/v2"
)

// probesPerWorker is how many keys are worth a goroutine of their own.
const probesPerWorker = 512

// probe is a key to look up: where its answer goes and what it is called on disk.
type probe struct {
	at    int
	table uint32
	id    [16]byte
}

// Seen says for each key whether a commit of any day present has marked it. The
// answer says nothing of repeats among the keys themselves.
func (x *Index) Seen(keys []Key) ([]bool, error) {
	seen := make([]bool, len(keys))
	s := x.current()
	if len(s.days) == 0 {
		return seen, nil
	}
	// In key order one day's search reads each block and filter once.
	probes := make([]probe, 0, len(keys))
	for i, key := range keys {
		if table, known := s.tables[key.Table]; known {
			probes = append(probes, probe{at: i, table: table, id: key.ID})
		}
	}
	slices.SortFunc(probes, func(a, b probe) int {
		return cmp.Or(cmp.Compare(a.table, b.table), bytes.Compare(a.id[:], b.id[:]))
	})
	if err := x.search(probes, s.days, seen); err != nil {
		return nil, explain(x.dir, fmt.Sprintf("look up %d keys in %s", len(keys), x.dir), err)
	}
	return seen, nil
}

// search shares the probes out to as many goroutines as there are cores.
func (x *Index) search(probes []probe, days []uint32, seen []bool) error {
	workers := min(runtime.GOMAXPROCS(0), 1+len(probes)/probesPerWorker)
	errs := make([]error, workers)
	var wg sync.WaitGroup
	for w := range workers {
		part := probes[len(probes)*w/workers : len(probes)*(w+1)/workers]
		wg.Go(func() {
			for _, day := range days {
				if part, errs[w] = x.searchDay(part, day, seen); errs[w] != nil || len(part) == 0 {
					return
				}
			}
		})
	}
	wg.Wait()
	return errors.Join(errs...)
}

// searchDay marks the probes found in one bucket and returns the others. It
// reuses the array of probes.
func (x *Index) searchDay(probes []probe, day uint32, seen []bool) (rest []probe, err error) {
	it, err := x.db.NewIter(&pebble.IterOptions{
		LowerBound: dayKey(uint64(day)), UpperBound: dayKey(uint64(day) + 1),
		UseL6Filters: true, // most keys are new: the filter answers without the data block
	})
	if err != nil {
		return nil, err
	}
	rest = probes[:0]
	key := make([]byte, 0, idKeyLength)
	for _, p := range probes {
		key = appendIDKey(key[:0], day, p.table, p.id)
		if it.SeekPrefixGE(key) {
			seen[p.at] = true
			continue
		}
		if err := it.Error(); err != nil {
			return nil, errors.Join(err, it.Close())
		}
		rest = append(rest, p)
	}
	return rest, it.Close()
}
