// Package sink is the loop that takes raws from the stream to the lake, each ping
// exactly once.
//
// A batch is a span of whole packs. Its rows are staged where no reader looks,
// then its keys and its span are committed to the dedup index in one synced
// write: that is the one moment of truth. Before it everything may be thrown
// away, after it everything may be repeated.
package sink

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"runtime/debug"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"pinglake/dedup"
	"pinglake/ingest"
	"pinglake/ingest/decode"
	"pinglake/lake"
)

// Source is the stream as the sink sees it.
type Source interface {
	// Read returns at most max consecutive packs after the given one. It blocks
	// until there is one or ctx is done.
	Read(ctx context.Context, after uint64, max int) ([]ingest.Pack, error)
	// Trim forgets the packs up to and including the given one.
	Trim(ctx context.Context, pack uint64) error
}

// Landfill says whether raws are also kept as they came, in payload_bytes_raw.
type Landfill bool

// The two answers.
const (
	WithoutLandfill Landfill = false
	WithLandfill    Landfill = true
)

// The defaults of Options.
const (
	DefaultBatchRows   = 100_000
	DefaultBatchBytes  = 64 << 20
	DefaultBatchPeriod = 5 * time.Second
)

// Options configure a Sink.
type Options struct {
	Source  Source
	Decoder *decode.Decoder
	Dedup   *dedup.Index
	Lake    *lake.Lake

	// A batch closes when it has BatchRows raws, BatchBytes bytes of packs, or is
	// BatchPeriod old, whichever comes first.
	BatchRows   int
	BatchBytes  int64
	BatchPeriod time.Duration

	Landfill Landfill
	// Workers decode at the same time; 0 is one for each CPU.
	Workers int
	// Now is the clock; nil is time.Now.
	Now     func() time.Time
	Logger  *slog.Logger
	Metrics prometheus.Registerer

	// afterStep, in tests, ends the sink behind a step as a crash would.
	afterStep func(step) error
	// idleAfter is when a sink that got nothing looks after itself.
	idleAfter time.Duration
}

// step is one step of the commit protocol.
type step string

const (
	stepStage   step = "stage"
	stepCommit  step = "commit"
	stepPublish step = "publish"
	stepTrim    step = "trim"
)

// Sink runs the loop. One Sink is the only writer of its dedup index and lake.
type Sink struct {
	Options
	metrics metrics

	untrimmed uint64 // the last pack of a trim that failed, 0 for none
	rested    bool   // nothing came since rest

	mu        sync.Mutex
	watermark uint64
	moved     chan struct{} // closed and replaced whenever the watermark moves
	wanted    uint64        // somebody waits for this pack: close the batch that has it
	read      uint64        // the last pack of the open batch
	wake      context.CancelFunc
}

// New is a Sink that goes on behind the last committed span.
func New(o Options) *Sink {
	if o.BatchRows == 0 {
		o.BatchRows = DefaultBatchRows
	}
	if o.BatchBytes == 0 {
		o.BatchBytes = DefaultBatchBytes
	}
	if o.BatchPeriod == 0 {
		o.BatchPeriod = DefaultBatchPeriod
	}
	if o.idleAfter == 0 {
		o.idleAfter = defaultIdleAfter
	}
	if o.Workers == 0 {
		o.Workers = runtime.GOMAXPROCS(0)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	_, last := o.Dedup.Last()
	s := &Sink{Options: o, watermark: last, read: last, moved: make(chan struct{}), wake: func() {}}
	s.metrics = newMetrics(o.Metrics)
	for _, id := range o.Decoder.Scrubber.IDs() {
		s.metrics.rules.WithLabelValues(id) // 0 says that the rule is there
	}
	s.metrics.watermark.Set(float64(last))
	return s
}

// Watermark is the last committed pack.
func (s *Sink) Watermark() uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.watermark
}

// Wait returns when every pack up to and including pack is published. The open
// batch is closed as soon as it has that pack, however young it is.
func (s *Sink) Wait(ctx context.Context, pack uint64) error {
	for {
		s.mu.Lock()
		if s.watermark >= pack {
			s.mu.Unlock()
			return nil
		}
		s.wanted = max(s.wanted, pack)
		if s.read >= s.wanted {
			s.wake()
		}
		moved := s.moved
		s.mu.Unlock()
		select {
		case <-moved:
		case <-ctx.Done():
			return fmt.Errorf("wait for pack %d: %w", pack, ctx.Err())
		}
	}
}

// Back-off between attempts after a transient error.
const (
	firstBackOff = 200 * time.Millisecond
	lastBackOff  = 30 * time.Second
)

// Run lands batches until ctx is done; then it lands the open batch and returns
// nil. A transient error is logged and the span tried again from the watermark,
// with a growing pause; what contradicts itself on disk ends the loop.
func (s *Sink) Run(ctx context.Context) error {
	backOff := firstBackOff
	for ctx.Err() == nil {
		err := s.landOne(ctx)
		if err == nil {
			backOff = firstBackOff
			continue
		}
		if isCorrupt(err) || errors.Is(err, errCrash) {
			return err
		}
		if ctx.Err() != nil {
			return fmt.Errorf("land the open batch: %w", err)
		}
		s.metrics.retries.Inc()
		s.Logger.Error("sink: the batch will be tried again", "err", err, "in", backOff)
		pause := time.NewTimer(backOff)
		select {
		case <-pause.C:
		case <-ctx.Done():
			pause.Stop()
		}
		backOff = min(2*backOff, lastBackOff)
	}
	return nil
}

// errCrash is what a test's afterStep returns to end the loop on the spot.
var errCrash = errors.New("crash")

func isCorrupt(err error) bool {
	return errors.Is(err, lake.ErrCorrupt) || errors.Is(err, dedup.ErrCorrupt) || errors.Is(err, ingest.ErrCorrupt)
}

// landOne collects one batch and lands it. A batch that ctx ended before it had
// a pack is nothing.
func (s *Sink) landOne(ctx context.Context) error {
	b := s.newBatch()
	cause, err := s.collect(ctx, b)
	if cause == causeIdle {
		s.rest(ctx)
	}
	if err != nil || b.packs == 0 {
		return errors.Join(err, b.rows.Discard())
	}
	return s.land(context.WithoutCancel(ctx), b, cause)
}

// land takes a closed batch through stage, commit, publish and trim.
func (s *Sink) land(ctx context.Context, b *batch, cause closeCause) error {
	began := s.Now()
	staged, err := b.rows.Stage(ctx, b.first, b.last)
	if err != nil {
		return err
	}
	if err := s.crashAfter(stepStage); err != nil {
		return err
	}
	commit := dedup.Commit{First: b.first, Last: b.last, Keys: b.keys, Day: today(s.Now())}
	if err := s.Dedup.Commit(commit); err != nil {
		return errors.Join(fmt.Errorf("commit span %d-%d: %w", b.first, b.last, err), staged.Discard())
	}
	if err := s.crashAfter(stepCommit); err != nil {
		return err
	}
	if err := s.publish(ctx, staged); err != nil {
		return err
	}
	if err := s.crashAfter(stepPublish); err != nil {
		return err
	}
	s.metrics.landed(b, cause, s.Now().Sub(began))
	s.advance(b.last)
	s.untrimmed, s.rested = b.last, false
	s.trim(ctx)
	s.Logger.Debug("sink: landed", "first", b.first, "last", b.last, "raws", b.raws, "pings", b.pings, "cause", cause)
	return s.crashAfter(stepTrim)
}

// trim forgets the packs behind the watermark. One that fails is tried again when
// the stream is idle: a full stream gets no next pack to try it with.
func (s *Sink) trim(ctx context.Context) {
	if err := s.Source.Trim(ctx, s.untrimmed); err != nil {
		s.Logger.Warn("sink: the trim will be tried again", "pack", s.untrimmed, "err", err)
		return
	}
	s.untrimmed = 0
}

const defaultIdleAfter = 2 * time.Second

var errIdle = errors.New("nothing came")

// restless says whether an idle sink has something to look after.
func (s *Sink) restless() bool { return s.untrimmed != 0 || !s.rested }

// rest looks after what is left to do when nothing comes: the trim, and the memory
// that the last batches took.
func (s *Sink) rest(ctx context.Context) {
	if s.untrimmed != 0 {
		s.trim(ctx)
	}
	if !s.rested {
		s.rested = true
		debug.FreeOSMemory()
	}
}

// publish renames the committed span into sight. The commit stands, so nothing
// else may happen before this has: it is repeated until it succeeds.
func (s *Sink) publish(ctx context.Context, staged *lake.Staged) error {
	for backOff := firstBackOff; ; backOff = min(2*backOff, lastBackOff) {
		err := staged.Publish()
		if err == nil || isCorrupt(err) {
			return err
		}
		s.metrics.retries.Inc()
		s.Logger.Error("sink: publish will be tried again", "err", err, "in", backOff)
		select {
		case <-time.After(backOff):
		case <-ctx.Done():
			return err
		}
	}
}

func (s *Sink) crashAfter(at step) error {
	if s.afterStep == nil {
		return nil
	}
	return s.afterStep(at)
}

// advance moves the watermark and tells those who wait for it.
func (s *Sink) advance(last uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.watermark = last
	s.metrics.watermark.Set(float64(last))
	close(s.moved)
	s.moved = make(chan struct{})
}

// today is t's UTC date in days since 1970.
func today(t time.Time) int32 { return int32(t.Unix() / 86400) }
