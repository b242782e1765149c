// Package stream keeps raws on disk between the edge, which answers a client once
// they are there, and the sink, which forgets them once they are in the lake.
//
// Raws travel in packs: one committer puts everything that waits into one
// message of an embedded JetStream and syncs once for all of it, so packs grow
// by themselves under load. Nobody acknowledges a pack: the reader remembers how
// far it got and trims.
package stream

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"

	"github.com/prometheus/client_golang/prometheus"
)

const (
	defaultMaxBody = 8 << 20
	maxMaxBody     = 30 << 20 // the server stores no record over 32 MiB
	maxMaxBytes    = 1 << 60
)

var (
	// ErrFull is returned by Append when the stream holds MaxBytes: nothing is
	// dropped to make room, only Trim does that.
	ErrFull = errors.New("stream is full")
	// ErrRefused is wrapped by Append's error about the raw itself: it is too large,
	// or of an impossible time. Trying again does not help.
	ErrRefused = errors.New("raw is refused")
	// ErrClosed is returned by every method once Close was called.
	ErrClosed = errors.New("stream is closed")
)

// Options say where the stream lives and how much it may hold.
type Options struct {
	// Dir is the folder of the stream, created if absent. One process at a time.
	Dir string
	// MaxBytes is how much of the disk the packs may take. It may change between
	// starts; a stream that holds more is full until it is trimmed.
	MaxBytes int64
	// MaxBody is the largest body in bytes, at most 30 MiB. 0 means 8 MiB.
	MaxBody int64
	// After is the reader's watermark: the last pack it will never need again. A
	// new or empty stream starts at After+1.
	After uint64
	// Logger gets what the embedded server says. nil discards it.
	Logger *slog.Logger
	// Metrics is where the metrics are registered. nil registers none.
	Metrics prometheus.Registerer
}

// withDefaults is o with the defaults filled in, or every fault it has.
func (o Options) withDefaults() (Options, error) {
	var faults []error
	if o.Dir == "" {
		faults = append(faults, errors.New("no folder"))
	}
	if o.MaxBytes <= 0 || o.MaxBytes > maxMaxBytes {
		faults = append(faults, fmt.Errorf("limit of %d bytes: must be from 1 to %d", o.MaxBytes, int64(maxMaxBytes)))
	}
	if o.MaxBody == 0 {
		o.MaxBody = defaultMaxBody
	}
	if o.MaxBody < 0 || o.MaxBody > maxMaxBody {
		faults = append(faults, fmt.Errorf("largest body of %d bytes: must be from 1 to %d", o.MaxBody, maxMaxBody))
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return o, errors.Join(faults...)
}

// Stream is an open stream. Its methods are safe for concurrent use.
type Stream struct {
	options Options
	metrics *metrics

	// nodeMu is held for reading by whoever uses node, and for writing while the
	// committer replaces a node that no longer answers. node is nil after Close
	// and when that replacing failed; unwell then says why.
	nodeMu sync.RWMutex
	node   *node
	unwell error

	queue   queue
	waiters sync.Pool     // of *waiter
	done    chan struct{} // closed when the committer has returned

	mu        sync.Mutex
	last      uint64        // last durable pack
	watermark uint64        // nobody may miss a pack up to here
	purged    uint64        // packs up to here are gone from the disk; never above watermark
	grown     chan struct{} // closed and replaced when last grows
	isShut    bool
	closed    chan struct{} // closed when isShut becomes true
}

// Open opens the stream in o.Dir, or makes one. An error that wraps ErrCorrupt
// says that stream and watermark contradict each other.
func Open(ctx context.Context, o Options) (*Stream, error) {
	o, err := o.withDefaults()
	if err != nil {
		return nil, fmt.Errorf("open stream: %w", err)
	}
	s := &Stream{
		options: o,
		queue:   newQueue(),
		waiters: sync.Pool{New: emptyWaiter},
		done:    make(chan struct{}),
		grown:   make(chan struct{}),
		closed:  make(chan struct{}),
	}
	n, state, err := openReconciled(ctx, o, o.After)
	if err != nil {
		return nil, fmt.Errorf("open stream %s: %w", o.Dir, err)
	}
	s.node = n
	s.last, s.purged = state.Last, state.First-1
	s.watermark = max(o.After, s.purged)
	if s.metrics, err = newMetrics(o.Metrics, s); err != nil {
		n.close()
		return nil, fmt.Errorf("open stream %s: register metrics: %w", o.Dir, err)
	}
	go s.commit()
	return s, nil
}

func openReconciled(ctx context.Context, o Options, after uint64) (*node, State, error) {
	n, err := openNode(ctx, o)
	if err != nil {
		return nil, State{}, err
	}
	state, err := reconcile(ctx, n, after)
	if err != nil {
		n.close()
		return nil, State{}, err
	}
	return n, state, nil
}

// reconcile holds what the stream says against the watermark: every pack after
// it has to be there.
func reconcile(ctx context.Context, n *node, after uint64) (State, error) {
	state, gaps, err := n.state(ctx)
	if err != nil {
		return State{}, err
	}
	if state.Packs == 0 {
		if state.Last >= after {
			return state, nil
		}
		return n.beginAfter(ctx, after)
	}
	const remedy = "; nothing was deleted: put back the stream and the dedup index of the same moment"
	if state.Last < after {
		return State{}, fmt.Errorf("%w: the watermark is at pack %d but the last pack is %d%s", ErrCorrupt, after, state.Last, remedy)
	}
	if state.First > after+1 {
		return State{}, fmt.Errorf("%w: the watermark is at pack %d but the first pack is %d%s", ErrCorrupt, after, state.First, remedy)
	}
	if i, _ := slices.BinarySearch(gaps, after+1); i < len(gaps) {
		return State{}, fmt.Errorf("%w: pack %d is missing between %d and %d%s", ErrCorrupt, gaps[i], state.First, state.Last, remedy)
	}
	return state, nil
}

// State is how full the stream is and which packs it holds.
type State struct {
	Packs       uint64 // how many it holds
	Bytes       int64  // what they take of MaxBytes
	MaxBytes    int64
	First, Last uint64 // sequences; First is Last+1 when it holds none
}

// State asks for the size and bounds of the stream.
func (s *Stream) State(ctx context.Context) (State, error) {
	n, release, err := s.useNode()
	if err != nil {
		return State{}, err
	}
	defer release()
	state, _, err := n.state(ctx)
	return state, err
}

// useNode lends the node until release is called.
func (s *Stream) useNode() (n *node, release func(), err error) {
	s.nodeMu.RLock()
	if s.node == nil {
		defer s.nodeMu.RUnlock()
		if s.unwell != nil {
			return nil, nil, s.unwell
		}
		return nil, nil, ErrClosed
	}
	return s.node, s.nodeMu.RUnlock, nil
}

// Last is the sequence of the last durable pack, whether or not it has been
// trimmed since: After for a stream that never held one.
func (s *Stream) Last(context.Context) (uint64, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.isShut {
		return 0, ErrClosed
	}
	return s.last, nil
}

// Trim forgets the packs up to and including pack. Forgetting what is forgotten
// costs nothing; a pack that is not yet there is an error.
func (s *Stream) Trim(ctx context.Context, pack uint64) error {
	s.mu.Lock()
	last, purged := s.last, s.purged
	s.mu.Unlock()
	if pack <= purged {
		return nil
	}
	if pack > last {
		return fmt.Errorf("trim the stream to pack %d: the last pack is %d", pack, last)
	}
	n, release, err := s.useNode()
	if err != nil {
		return err
	}
	defer release()

	// Before the purge, so that a concurrent Read takes no hole for a loss.
	s.mu.Lock()
	s.watermark = max(s.watermark, pack)
	s.mu.Unlock()
	if err := n.purge(ctx, pack); err != nil {
		return fmt.Errorf("trim the stream to pack %d: %w", pack, err)
	}
	s.mu.Lock()
	s.purged = max(s.purged, pack)
	s.mu.Unlock()
	return nil
}

// Close refuses further raws, finishes those that wait, and stops the embedded
// server. It is safe to call twice.
func (s *Stream) Close() error {
	s.mu.Lock()
	if !s.isShut {
		s.isShut = true
		close(s.closed)
	}
	s.mu.Unlock()
	s.queue.close()
	<-s.done

	s.nodeMu.Lock()
	defer s.nodeMu.Unlock()
	s.metrics.unregister(s.options.Metrics)
	if s.node != nil {
		s.node.close()
		s.node = nil
	}
	return nil
}
