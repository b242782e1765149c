package stream

import (
	"context"
	"errors"
	"math/rand/v2"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"

	"pinglake/ingest"
)

// benchRaw is a raw with a body of the given size that does not compress.
func benchRaw(body int) *ingest.Raw {
	r := raw("/submit/my-shop/baseline/1/e6054f21-fa19-414c-a95f-5e552900cd02")
	for _, name := range []string{"host", "protocol", "remote_addr", "content_length", "date", "x_telemetry_agent"} {
		r.Attributes[name] = "a value of usual length"
	}
	r.Body = make([]byte, body)
	source := rand.NewChaCha8([32]byte{1})
	if _, err := source.Read(r.Body); err != nil {
		panic(err)
	}
	return r
}

// BenchmarkAppend256 is the edge under load: 256 requests wait at any moment.
func BenchmarkAppend256(b *testing.B) {
	s := mustOpen(b, Options{Dir: b.TempDir(), MaxBytes: 64 << 30})
	r := benchRaw(1000)
	var left atomic.Int64
	left.Store(int64(b.N))
	before, err := s.Last(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(len(r.Body)))
	b.ReportAllocs()
	b.ResetTimer()
	var all sync.WaitGroup
	for range 256 {
		all.Go(func() {
			for left.Add(-1) >= 0 {
				if err := s.Append(b.Context(), r); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	all.Wait()
	b.StopTimer()
	after, err := s.Last(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "raws/s")
	b.ReportMetric(float64(b.N)/float64(after-before), "raws/pack")
}

// BenchmarkAppend1 is one client alone: the price of one sync.
func BenchmarkAppend1(b *testing.B) {
	s := mustOpen(b, Options{Dir: b.TempDir(), MaxBytes: 64 << 30})
	r := benchRaw(1000)
	b.ResetTimer()
	for range b.N {
		if err := s.Append(b.Context(), r); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkRead reads packs of 128 raws of 1 kB, an operation a pack.
func BenchmarkRead(b *testing.B) {
	s := mustOpen(b, Options{Dir: b.TempDir(), MaxBytes: 64 << 30})
	const held = 512
	entry := appendEntry(nil, benchRaw(1000))
	entries := make([][]byte, 128)
	for i := range entries {
		entries[i] = entry
	}
	frame := appendFrame(nil, entries)
	for range held {
		if err := s.commitPack(frame, len(entries)); err != nil {
			b.Fatal(err)
		}
	}
	b.SetBytes(int64(len(frame)))
	b.ReportAllocs()
	b.ResetTimer()
	after := uint64(0)
	for read := 0; read < b.N; {
		packs, err := s.Read(b.Context(), after, 64)
		if err != nil {
			b.Fatal(err)
		}
		read += len(packs)
		if after = packs[len(packs)-1].Seq; after == held {
			after = 0
		}
	}
	b.ReportMetric(float64(b.N*len(entries))/b.Elapsed().Seconds(), "raws/s")
}

// BenchmarkDecodePack decodes a pack of 128 raws of 1 kB.
func BenchmarkDecodePack(b *testing.B) {
	entry := appendEntry(nil, benchRaw(1000))
	entries := make([][]byte, 128)
	for i := range entries {
		entries[i] = entry
	}
	frame := appendFrame(nil, entries)
	b.SetBytes(int64(len(frame)))
	b.ReportAllocs()
	for range b.N {
		raws, err := decodePack(1, frame)
		if err != nil {
			b.Fatal(err)
		}
		runtime.KeepAlive(raws)
	}
}

// BenchmarkTrimNothing is what the sink pays when there is nothing to forget.
func BenchmarkTrimNothing(b *testing.B) {
	s := mustOpen(b, Options{Dir: b.TempDir(), MaxBytes: 64 << 30})
	for range b.N {
		if err := s.Trim(context.Background(), 0); err != nil && !errors.Is(err, ErrClosed) {
			b.Fatal(err)
		}
	}
}
