package stream

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/goleak"

	"pinglake/ingest"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m)
}

// What Append answered with nil is in a copy of the folder taken at once, as a
// killed process would leave it.
func TestAppendedIsOnDisk(t *testing.T) {
	o := options(t.TempDir())
	s := mustOpen(t, o)
	mustAppendNumbered(t, s, 1, 5)
	killed := o
	killed.Dir = mustCopyTree(t, o.Dir)

	again := mustOpen(t, killed)
	if diff := cmp.Diff(mustRead(t, s, 0, 10), mustRead(t, again, 0, 10)); diff != "" {
		t.Errorf("the copy differs (-live +copy):\n%s", diff)
	}
	want := "1.0 /submit/1\n2.0 /submit/2\n3.0 /submit/3\n4.0 /submit/4\n5.0 /submit/5\n"
	if got := shown(mustRead(t, again, 0, 10)); got != want {
		t.Errorf("read\n%s, want\n%s", got, want)
	}
}

// No test without a power cut shows a missing sync, so this holds the setting, and
// that the folder of a new file was synced after the file appeared.
func TestEveryWriteIsSynced(t *testing.T) {
	s := mustOpen(t, options(t.TempDir()))
	mustAppendNumbered(t, s, 1, 1)
	config := s.node.server.JetStreamConfig()
	if config == nil || !config.SyncAlways {
		t.Errorf("the server runs with %+v, want SyncAlways", config)
	}
	info, err := os.Stat(s.node.packsDir)
	if err != nil {
		t.Fatal(err)
	}
	if !s.node.packsSynced.Equal(info.ModTime()) {
		t.Errorf("the folder of packs changed at %v and was synced as of %v", info.ModTime(), s.node.packsSynced)
	}
}

func TestReadGivesBackTheRaw(t *testing.T) {
	s := mustOpen(t, options(t.TempDir()))
	sent := raw("/submit/my-app/baseline/1/%C3%A9?")
	mustAppend(t, s, sent)
	packs := mustRead(t, s, 0, 1)
	want := *sent
	want.At = ingest.Position{Pack: 1}
	if diff := cmp.Diff([]ingest.Raw{want}, packs[0].Raws); diff != "" {
		t.Errorf("raw differs (-sent +read):\n%s", diff)
	}
}

func TestReadFromAnyPosition(t *testing.T) {
	s := mustOpen(t, options(t.TempDir()))
	mustAppendNumbered(t, s, 1, 6)
	cases := []struct {
		after uint64
		limit int
		want  string
	}{
		{0, 1, "1.0 /submit/1\n"},
		{0, 2, "1.0 /submit/1\n2.0 /submit/2\n"},
		{2, 2, "3.0 /submit/3\n4.0 /submit/4\n"},
		{4, 100, "5.0 /submit/5\n6.0 /submit/6\n"},
		{5, 0, "6.0 /submit/6\n"},
		{1, 1, "2.0 /submit/2\n"},
	}
	for _, c := range cases {
		if got := shown(mustRead(t, s, c.after, c.limit)); got != c.want {
			t.Errorf("read %d packs after %d:\n%s, want\n%s", c.limit, c.after, got, c.want)
		}
	}
}

func TestReadWaitsForTheNextPack(t *testing.T) {
	s := mustOpen(t, options(t.TempDir()))
	mustAppendNumbered(t, s, 1, 1)
	got := make(chan string)
	go func() { got <- shown(mustRead(t, s, 1, 10)) }()
	select {
	case early := <-got:
		t.Fatalf("read %q before it was appended", early)
	default:
	}
	mustAppendNumbered(t, s, 2, 1)
	if text := <-got; text != "2.0 /submit/2\n" {
		t.Errorf("read %q", text)
	}
}

func TestReadEndsWithItsContext(t *testing.T) {
	s := mustOpen(t, options(t.TempDir()))
	ctx, cancel := context.WithCancelCause(t.Context())
	done := make(chan error)
	go func() {
		_, err := s.Read(ctx, 0, 1)
		done <- err
	}()
	cancel(errors.New("enough"))
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Errorf("read ended with %v, want %v", err, context.Canceled)
	}
}

func TestConcurrentAppendsAreAllThereOnceInOrder(t *testing.T) {
	s := mustOpen(t, options(t.TempDir()))
	const writers, each = 64, 50
	var all sync.WaitGroup
	for w := range writers {
		all.Go(func() {
			for i := range each {
				if err := s.Append(t.Context(), raw(fmt.Sprintf("%d/%d", w, i))); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()

	var next [writers]int
	total := 0
	for after := uint64(0); total < writers*each; {
		for _, p := range mustRead(t, s, after, 7) {
			if p.Seq != after+1 {
				t.Fatalf("pack %d follows %d", p.Seq, after)
			}
			after = p.Seq
			for i, r := range p.Raws {
				if want := (ingest.Position{Pack: p.Seq, Index: uint32(i)}); r.At != want {
					t.Fatalf("raw at %v, want %v", r.At, want)
				}
				var w, n int
				if _, err := fmt.Sscanf(r.URI, "%d/%d", &w, &n); err != nil {
					t.Fatal(err)
				}
				if n != next[w] {
					t.Fatalf("writer %d: raw %d came where %d was due", w, n, next[w])
				}
				next[w]++
				total++
			}
		}
	}
	last, err := s.Last(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if last >= writers*each {
		t.Errorf("%d packs for %d raws: nothing was grouped", last, writers*each)
	}
}

func TestAppendAllKeepsTheOrderAndSharesPacks(t *testing.T) {
	s := mustOpen(t, options(t.TempDir()))
	raws := make([]*ingest.Raw, 500)
	var want strings.Builder
	for i := range raws {
		raws[i] = raw(fmt.Sprintf("/submit/%d", i))
		fmt.Fprintln(&want, raws[i].URI)
	}
	stored, err := s.AppendAll(t.Context(), raws)
	if err != nil || stored != len(raws) {
		t.Fatalf("%d of %d stored: %v", stored, len(raws), err)
	}
	last, err := s.Last(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if last >= uint64(len(raws)) {
		t.Errorf("%d packs for %d raws: nothing was shared", last, len(raws))
	}
	var got strings.Builder
	for after := uint64(0); after < last; {
		for _, p := range mustRead(t, s, after, 100) {
			after = p.Seq
			for _, r := range p.Raws {
				fmt.Fprintln(&got, r.URI)
			}
		}
	}
	if diff := cmp.Diff(want.String(), got.String()); diff != "" {
		t.Errorf("raws differ (-sent +read):\n%s", diff)
	}
}

func TestAppendAllStopsAtWhatIsRefused(t *testing.T) {
	s := mustOpen(t, options(t.TempDir()))
	large := raw("/submit/large")
	large.Body = make([]byte, frameLimit(defaultMaxBody))
	stored, err := s.AppendAll(t.Context(), []*ingest.Raw{raw("/submit/1"), raw("/submit/2"), large, raw("/submit/4")})
	if stored != 2 || err == nil {
		t.Errorf("%d stored, error %v; want 2 and an error", stored, err)
	}
	mustClose(t, s)
	if stored, err := s.AppendAll(t.Context(), []*ingest.Raw{raw("/submit/5")}); stored != 0 || !errors.Is(err, ErrClosed) {
		t.Errorf("%d stored, error %v; want 0 and ErrClosed", stored, err)
	}
}

func TestFullRefusesUntilTrimmed(t *testing.T) {
	o := options(t.TempDir())
	o.MaxBytes = 10_000
	s := mustOpen(t, o)
	stored := 0
	var err error
	for err == nil && stored < 1000 {
		if err = s.Append(t.Context(), raw("/submit/x")); err == nil {
			stored++
		}
	}
	if !errors.Is(err, ErrFull) {
		t.Fatalf("after %d raws: %v, want ErrFull", stored, err)
	}
	if got := mustRead(t, s, 0, 10000); len(got) != stored {
		t.Errorf("%d packs are there after the refusal, want all %d", len(got), stored)
	}
	if err := s.Trim(t.Context(), 5); err != nil {
		t.Fatal(err)
	}
	if err := s.Append(t.Context(), raw("/submit/y")); err != nil {
		t.Errorf("append after trim: %v", err)
	}
	if got := mustRead(t, s, uint64(stored), 1); got[0].Seq != uint64(stored+1) {
		t.Errorf("the pack after the refusal is %d, want %d", got[0].Seq, stored+1)
	}
}

func TestClosed(t *testing.T) {
	s := mustOpen(t, options(t.TempDir()))
	reading := make(chan error)
	go func() {
		_, err := s.Read(t.Context(), 0, 1)
		reading <- err
	}()
	mustClose(t, s)
	mustClose(t, s)
	_, stateErr := s.State(t.Context())
	_, lastErr := s.Last(t.Context())
	for what, err := range map[string]error{
		"a read that waited": <-reading,
		"append":             s.Append(t.Context(), raw("/submit/1")),
		"state":              stateErr,
		"last":               lastErr,
	} {
		if !errors.Is(err, ErrClosed) {
			t.Errorf("%s: %v, want ErrClosed", what, err)
		}
	}
}

// Every Append that was under way when Close was called is either stored or
// refused, never lost.
func TestCloseFinishesWhatWaits(t *testing.T) {
	o := options(t.TempDir())
	s := mustOpen(t, o)
	var all sync.WaitGroup
	var mu sync.Mutex
	stored, begun := 0, make(chan struct{}, 1000)
	for range 32 {
		all.Go(func() {
			for {
				err := s.Append(t.Context(), raw("/submit/x"))
				select {
				case begun <- struct{}{}:
				default:
				}
				if errors.Is(err, ErrClosed) {
					return
				}
				if err != nil {
					t.Error(err)
					return
				}
				mu.Lock()
				stored++
				mu.Unlock()
			}
		})
	}
	for range 100 {
		<-begun
	}
	mustClose(t, s)
	all.Wait()

	s = mustOpen(t, o)
	found := 0
	last, err := s.Last(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for after := uint64(0); after < last; {
		for _, p := range mustRead(t, s, after, 100) {
			found, after = found+len(p.Raws), p.Seq
		}
	}
	if found != stored {
		t.Errorf("%d raws are stored, %d were answered", found, stored)
	}
}

func TestAppendEndsWithItsContext(t *testing.T) {
	s := mustOpen(t, options(t.TempDir()))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for range 100 { // either outcome is right while the committer is quick
		if err := s.Append(ctx, raw("/submit/x")); err != nil && !errors.Is(err, context.Canceled) {
			t.Fatal(err)
		}
	}
	mustAppend(t, s, raw("/submit/y"))
}

func TestLargestBody(t *testing.T) {
	for _, maxBody := range []int64{0, maxMaxBody} {
		o := options(t.TempDir())
		o.MaxBody = maxBody
		s := mustOpen(t, o)
		r := raw("/submit/large")
		r.Body = bytes.Repeat([]byte{7}, int(max(maxBody, defaultMaxBody)))
		mustAppend(t, s, r, r, r)
		packs := mustRead(t, s, 0, 10)
		for after := packs[len(packs)-1].Seq; after < 3; after = packs[len(packs)-1].Seq {
			packs = append(packs, mustRead(t, s, after, 10)...)
		}
		for _, p := range packs {
			if len(p.Raws) != 1 || !bytes.Equal(p.Raws[0].Body, r.Body) {
				t.Errorf("pack %d of a body of %d bytes came back changed", p.Seq, len(r.Body))
			}
		}
		r.Body = make([]byte, frameLimit(max(maxBody, defaultMaxBody)))
		if err := s.Append(t.Context(), r); err == nil {
			t.Errorf("a raw over the limit was stored")
		}
		mustAppend(t, s, raw("/submit/small"))
		mustClose(t, s)
	}
}

func TestMetrics(t *testing.T) {
	registry := prometheus.NewRegistry()
	o := options(t.TempDir())
	o.Metrics = registry
	s := mustOpen(t, o)
	mustAppendNumbered(t, s, 1, 3)
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	var got strings.Builder
	for _, f := range families {
		m := f.GetMetric()[0]
		fmt.Fprintln(&got, f.GetName(), m.GetCounter().GetValue(), m.GetHistogram().GetSampleCount(), m.GetGauge().GetValue() > 300)
	}
	want := `pinglake_ingest_stream_bytes 0 0 true
pinglake_ingest_stream_fsync_seconds 0 3 false
pinglake_ingest_stream_pack_raws 0 3 false
pinglake_ingest_stream_packs_total 3 0 false
`
	if diff := cmp.Diff(want, got.String()); diff != "" {
		t.Errorf("metrics differ (-want +got):\n%s", diff)
	}
	mustClose(t, s)
	mustOpen(t, o)
}

func TestPackLength(t *testing.T) {
	of := func(sizes ...int) []*waiter {
		var all []*waiter
		for _, n := range sizes {
			all = append(all, &waiter{entry: make([]byte, n)})
		}
		return all
	}
	many := make([]*waiter, packRaws+5)
	for i := range many {
		many[i] = &waiter{entry: make([]byte, 30)}
	}
	cases := []struct {
		name    string
		waiting []*waiter
		want    int
	}{
		{"one", of(100), 1},
		{"all that wait", of(100, 200, 300), 3},
		{"up to the bound", of(packBytes-10, 10, 10), 2},
		{"a large one goes alone", of(packBytes+1, 10), 1},
		{"a large one waits for the next", of(10, packBytes+1), 1},
		{"at most so many raws", many, packRaws},
	}
	for _, c := range cases {
		if got := packLength(c.waiting); got != c.want {
			t.Errorf("%s: %d, want %d", c.name, got, c.want)
		}
	}
}

func TestAppendAllKeepsNothingBehindARefusedPack(t *testing.T) {
	o := options(t.TempDir())
	o.MaxBytes = 1 << 20
	s := mustOpen(t, o)
	large := raw("/submit/large")
	large.Body = make([]byte, packBytes+1) // a pack of its own, larger than the stream
	stored, err := s.AppendAll(t.Context(), []*ingest.Raw{large, raw("/submit/small")})
	if stored != 0 || !errors.Is(err, ErrFull) {
		t.Fatalf("%d stored, %v", stored, err)
	}
	if last, err := s.Last(t.Context()); err != nil || last != 0 {
		t.Errorf("the last pack is %d, %v: what stood behind was kept", last, err)
	}
}
