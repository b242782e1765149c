package dedup

import (
	"testing"
)

// BenchmarkSeen looks up batches of 5,000 ids that were never seen, the common
// case, in a full window.
func BenchmarkSeen(b *testing.B) {
	x := open(b, Options{Dir: b.TempDir()})
	defer closeIndex(b, x)
	const days, keysPerDay, batch = 28, 100_000, 5000
	for day := range days {
		commit(b, x, Commit{First: uint64(day + 1), Last: uint64(day + 1), Keys: randomKeys(keysPerDay, uint64(day)), Day: int32(20000 + day)})
	}
	if err := x.db.Flush(); err != nil {
		b.Fatal(err)
	}
	fresh := randomKeys(batch, 1_000_000)
	b.ResetTimer()
	for b.Loop() {
		if _, err := x.Seen(fresh); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N)*batch/b.Elapsed().Seconds(), "keys/s")
}

// BenchmarkCommit marks batches of 5,000 ids, each batch synced.
func BenchmarkCommit(b *testing.B) {
	x := open(b, Options{Dir: b.TempDir()})
	defer closeIndex(b, x)
	const batch = 5000
	var n uint64
	for b.Loop() {
		n++
		b.StopTimer()
		keys := randomKeys(batch, n)
		b.StartTimer()
		commit(b, x, Commit{First: n, Last: n, Keys: keys, Day: int32(20000 + n/1000)})
	}
	b.ReportMetric(float64(b.N)*batch/b.Elapsed().Seconds(), "keys/s")
}
