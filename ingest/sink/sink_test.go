package sink

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"

	"pinglake/dedup"
	"pinglake/ingest"
	"pinglake/ingest/decode"
	"pinglake/lake"
	"pinglake/lake/schema"
)

// memorySource is a stream in memory, to be failed at will. The real one has its
// own tests, and the two are tested together from outside.
type memorySource struct {
	packs []ingest.Pack
	fail  func(operation string) error
}

func newSource(packs ...[]ingest.Raw) *memorySource {
	m := &memorySource{fail: func(string) error { return nil }}
	for i, raws := range packs {
		m.packs = append(m.packs, ingest.Pack{Seq: uint64(i + 1), Raws: raws, Bytes: 1000 * len(raws)})
	}
	return m
}

func (m *memorySource) Read(ctx context.Context, after uint64, max int) ([]ingest.Pack, error) {
	if err := m.fail("read"); err != nil {
		return nil, err
	}
	for i, p := range m.packs {
		if p.Seq > after {
			return m.packs[i:min(i+max, len(m.packs))], nil
		}
	}
	<-ctx.Done()
	return nil, ctx.Err()
}

func (m *memorySource) Trim(_ context.Context, pack uint64) error {
	if err := m.fail("trim"); err != nil {
		return err
	}
	m.packs = slices.DeleteFunc(m.packs, func(p ingest.Pack) bool { return p.Seq <= pack })
	return nil
}

// rig is a sink on a data folder.
type rig struct {
	*Sink
	lake    *lake.Lake
	index   *dedup.Index
	metrics *prometheus.Registry
}

func open(t *testing.T, dir string, source Source, change func(*Options)) *rig {
	t.Helper()
	registry, err := schema.Open(schema.Options{})
	if err != nil {
		t.Fatal(err)
	}
	tables, err := lake.Open(lake.Options{Dir: filepath.Join(dir, "lake"), Staging: filepath.Join(dir, "staging")})
	if err != nil {
		t.Fatal(err)
	}
	index, err := dedup.Open(dedup.Options{Dir: filepath.Join(dir, "dedup"), WindowDays: 28})
	if err != nil {
		t.Fatal(err)
	}
	first, last := index.Last()
	if err := tables.Recover(first, last); err != nil {
		t.Fatal(err)
	}
	metrics := prometheus.NewRegistry()
	options := Options{
		Source: source, Decoder: decode.New(decode.Options{Schemas: registry}), Dedup: index, Lake: tables,
		BatchPeriod: time.Hour, Landfill: WithLandfill, Metrics: metrics,
	}
	if change != nil {
		change(&options)
	}
	r := &rig{Sink: New(options), lake: tables, index: index, metrics: metrics}
	t.Cleanup(func() { r.close(t) })
	return r
}

// land runs the sink until pack is published.
func (r *rig) land(t *testing.T, pack uint64) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- r.Run(ctx) }()
	limited, stop := context.WithTimeout(ctx, time.Minute)
	defer stop()
	if err := r.Wait(limited, pack); err != nil {
		t.Error(err)
	}
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

// close ends the rig, once.
func (r *rig) close(t *testing.T) {
	t.Helper()
	if r.index == nil {
		return
	}
	if err := r.index.Close(); err != nil {
		t.Error(err)
	}
	r.index = nil
}

// stored counts each value of a text column over a table's visible files.
func (r *rig) stored(t *testing.T, dataset, table, column string) map[string]int {
	t.Helper()
	ref := lake.TableRef{Dataset: dataset, Table: table}
	counts := map[string]int{}
	dates, err := r.lake.Partitions(ref)
	if err != nil {
		t.Fatal(err)
	}
	for _, date := range dates {
		files, err := r.lake.Files(ref, date)
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			values, err := r.lake.Texts(file, column)
			if err != nil {
				t.Fatal(err)
			}
			for _, v := range values {
				counts[v]++
			}
		}
	}
	return counts
}

func (r *rig) live(t *testing.T) map[string]int {
	return r.stored(t, "my_app_live", "baseline_v1", "document_id")
}

func (r *rig) reasons(t *testing.T) map[string]int {
	return r.stored(t, "payload_bytes_error", "structured", "reason")
}

func documentID(n int) string { return fmt.Sprintf("00000000-0000-4000-8000-%012d", n) }

const body = `{"ping_info":{"seq":0,"start_time":"2026-01-01T00:00+00:00","end_time":"2026-01-01T00:01+00:00"},"client_info":{"telemetry_sdk_build":"1",` +
	`"os":"Linux","os_version":"6","architecture":"x","app_build":"1","app_display_version":"1","first_run_date":"2026-01-01+00:00"}}`

func raw(n int) ingest.Raw {
	return ingest.Raw{
		URI: "/submit/my-app/baseline/1/" + documentID(n), Submitted: time.Date(2026, 11, 22, 1, 2, 3, 0, time.UTC),
		Attributes: map[string]string{"method": "POST"}, Body: []byte(body),
	}
}

func raws(numbers ...int) []ingest.Raw {
	var all []ingest.Raw
	for _, n := range numbers {
		all = append(all, raw(n))
	}
	return all
}

func once(numbers ...int) map[string]int {
	counts := map[string]int{}
	for _, n := range numbers {
		counts[documentID(n)] = 1
	}
	return counts
}

func TestACrashAfterAnyStepLosesNothingAndDoublesNothing(t *testing.T) {
	for _, c := range []struct {
		at      step
		visible map[string]int // to readers while the process is down
	}{
		{stepStage, map[string]int{}},
		{stepCommit, map[string]int{}},
		{stepPublish, once(1, 2, 3)},
		{stepTrim, once(1, 2, 3)},
	} {
		t.Run(string(c.at), func(t *testing.T) {
			dir := t.TempDir()
			source := newSource(raws(1, 2), raws(2, 3))
			r := open(t, dir, source, func(o *Options) {
				o.BatchRows = 4
				o.afterStep = func(s step) error {
					if s == c.at {
						return errCrash
					}
					return nil
				}
			})
			if err := r.Run(t.Context()); !errors.Is(err, errCrash) {
				t.Fatalf("got %v", err)
			}
			if diff := cmp.Diff(c.visible, r.live(t)); diff != "" {
				t.Errorf("visible after the crash:\n%s", diff)
			}
			r.close(t)

			source.packs = append(source.packs, ingest.Pack{Seq: 3, Raws: raws(1, 4), Bytes: 2000})
			r = open(t, dir, source, nil)
			r.land(t, 3)
			if diff := cmp.Diff(once(1, 2, 3, 4), r.live(t)); diff != "" {
				t.Errorf("in the end:\n%s", diff)
			}
			if diff := cmp.Diff(map[string]int{"duplicate": 2}, r.reasons(t)); diff != "" {
				t.Errorf("rejects in the end:\n%s", diff)
			}
			if got := len(r.stored(t, "payload_bytes_raw", "structured", "uri")); got != 4 {
				t.Errorf("%d URIs in the landfill", got)
			}
			left, err := filepath.Glob(filepath.Join(dir, "staging", "*-*"))
			if err != nil || len(left) > 0 {
				t.Errorf("staging still has %v, %v", left, err)
			}
			r.close(t)
		})
	}
}

func TestTheFirstOfTwoCopiesInABatchWins(t *testing.T) {
	late := raw(1)
	late.Submitted = late.Submitted.Add(24 * time.Hour)
	r := open(t, t.TempDir(), newSource([]ingest.Raw{raw(1), late}), nil)
	r.land(t, 1)
	dates, err := r.lake.Partitions(lake.TableRef{Dataset: "my_app_live", Table: "baseline_v1"})
	if err != nil || len(dates) != 1 || schema.FormatDate(dates[0]) != "2026-11-22" {
		t.Errorf("partitions %v, %v", dates, err)
	}
}

func TestAnIDIsOfItsTable(t *testing.T) {
	other := raw(1)
	other.URI = "/submit/my-app/events/1/" + documentID(1)
	r := open(t, t.TempDir(), newSource([]ingest.Raw{raw(1), other}), nil)
	r.land(t, 1)
	if got := r.reasons(t); len(got) != 0 {
		t.Errorf("rejects %v", got)
	}
	if diff := cmp.Diff(once(1), r.stored(t, "my_app_live", "events_v1", "document_id")); diff != "" {
		t.Error(diff)
	}
}

func TestRejectsAreRows(t *testing.T) {
	broken := raw(1)
	broken.Body = []byte("{")
	nobody := raw(2)
	nobody.URI = "/submit/nobody/x/1/" + documentID(2)
	r := open(t, t.TempDir(), newSource([]ingest.Raw{broken, nobody, raw(3)}), nil)
	r.land(t, 1)
	if diff := cmp.Diff(map[string]int{"invalid_json": 1, "unknown_doctype": 1}, r.reasons(t)); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(once(3), r.live(t)); diff != "" {
		t.Error(diff)
	}
}

func TestTransientErrorsAreTriedAgain(t *testing.T) {
	source := newSource(raws(1), raws(2))
	failures := map[string]int{"read": 2, "trim": 1}
	source.fail = func(operation string) error {
		if failures[operation] == 0 {
			return nil
		}
		failures[operation]--
		return errors.New("the world is unwell")
	}
	r := open(t, t.TempDir(), source, nil)
	r.land(t, 2)
	if diff := cmp.Diff(once(1, 2), r.live(t)); diff != "" {
		t.Error(diff)
	}
}

func TestATrimThatFailedIsTriedAgainWithoutAnotherPack(t *testing.T) {
	source := newSource(raws(1))
	trims := make(chan struct{}, 10)
	failures := 2
	source.fail = func(operation string) error {
		if operation != "trim" {
			return nil
		}
		trims <- struct{}{}
		if failures--; failures >= 0 {
			return errors.New("the world is unwell")
		}
		return nil
	}
	r := open(t, t.TempDir(), source, func(o *Options) {
		o.BatchRows, o.idleAfter = 1, time.Millisecond
	})
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- r.Run(ctx) }()
	for range 3 {
		select {
		case <-trims:
		case <-time.After(time.Minute):
			t.Fatal("the trim is not tried again")
		}
	}
	cancel()
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
	if len(source.packs) != 0 {
		t.Errorf("%d packs are left", len(source.packs))
	}
}

func TestAWindowIsBoundedByWhatItCouldUnpackTo(t *testing.T) {
	bomb := ingest.Raw{Body: append([]byte{0x1f, 0x8b}, make([]byte, 9000)...)}
	plain := ingest.Raw{Body: make([]byte, 1000)}
	for _, c := range []struct {
		raw  ingest.Raw
		n    int
		want int
	}{
		{plain, 5000, windowRaws},
		{plain, 10, 10},
		{bomb, 5000, windowBytes / decode.DefaultMaxPayload},
		{ingest.Raw{Body: make([]byte, 2*windowBytes)}, 2, 1}, // at least one
	} {
		if got := windowOf(slices.Repeat([]ingest.Raw{c.raw}, c.n)); got != c.want {
			t.Errorf("%d bodies of %d bytes: a window of %d, want %d", c.n, len(c.raw.Body), got, c.want)
		}
	}
}

func TestAHoleInTheStreamStopsTheSink(t *testing.T) {
	source := newSource(raws(1), raws(2))
	source.packs = source.packs[1:]
	r := open(t, t.TempDir(), source, nil)
	if err := r.Run(t.Context()); !errors.Is(err, ingest.ErrCorrupt) {
		t.Errorf("got %v", err)
	}
}

func TestWhatClosesABatchIsCounted(t *testing.T) {
	for _, c := range []struct {
		cause  closeCause
		change func(*Options)
	}{
		{causeRows, func(o *Options) { o.BatchRows = 2 }},
		{causeBytes, func(o *Options) { o.BatchBytes = 2000 }},
		{causePeriod, func(o *Options) { o.BatchPeriod = 20 * time.Millisecond }},
	} {
		t.Run(string(c.cause), func(t *testing.T) {
			r := open(t, t.TempDir(), newSource(raws(1, 2)), c.change)
			ctx, cancel := context.WithCancel(t.Context())
			ended := make(chan error, 1)
			go func() { ended <- r.Run(ctx) }()
			r.mu.Lock()
			moved := r.moved
			r.mu.Unlock()
			if r.Watermark() == 0 {
				<-moved
			}
			cancel()
			if err := <-ended; err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff([]string{string(c.cause)}, r.causes(t)); diff != "" {
				t.Error(diff)
			}
		})
	}
	t.Run("stop", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		source := newSource(raws(1))
		reads := 0
		source.fail = func(operation string) error {
			if reads++; operation == "read" && reads == 2 {
				cancel() // while the batch is open
			}
			return nil
		}
		r := open(t, t.TempDir(), source, nil)
		if err := r.Run(ctx); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]string{"stop"}, r.causes(t)); diff != "" {
			t.Error(diff)
		}
		if diff := cmp.Diff(once(1), r.live(t)); diff != "" {
			t.Error(diff)
		}
	})
}

// causes are the causes that closed batches.
func (r *rig) causes(t *testing.T) []string {
	t.Helper()
	families, err := r.metrics.Gather()
	if err != nil {
		t.Fatal(err)
	}
	causes := map[string]bool{}
	for _, family := range families {
		if family.GetName() != "pinglake_ingest_sink_batches_total" {
			continue
		}
		for _, m := range family.GetMetric() {
			causes[m.GetLabel()[0].GetValue()] = true
		}
	}
	return slices.Sorted(maps.Keys(causes))
}

func BenchmarkDecodeAll(b *testing.B) {
	registry, err := schema.Open(schema.Options{})
	if err != nil {
		b.Fatal(err)
	}
	s := &Sink{Options: Options{Workers: 2, Decoder: decode.New(decode.Options{Schemas: registry})}}
	numbers := make([]int, windowRaws)
	window := raws(numbers...)
	b.ReportAllocs()
	for b.Loop() {
		s.decodeAll(window)
	}
	b.ReportMetric(float64(b.N)*windowRaws/b.Elapsed().Seconds(), "pings/s")
}
