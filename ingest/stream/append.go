package stream

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go/jetstream"

	"pinglake/ingest"
)

const (
	packBytes = 4 << 20 // a pack closes before it grows past this, unless one raw is larger
	packRaws  = 8192

	// attributeBytes is room for everything of a raw that is not its body.
	attributeBytes = 1 << 20

	// publishTimeout bounds one write and sync. The embedded server answers no
	// write at all once its disk has failed, so waiting longer helps nobody.
	publishTimeout = 10 * time.Second

	// keptBytes is the largest buffer kept for the next raw.
	keptBytes = 64 << 10
)

// frameLimit is the size no frame exceeds, in bytes.
func frameLimit(maxBody int64) int64 {
	return max(packBytes, maxBody+attributeBytes) + frameHeaderBytes + frameTrailerBytes
}

// waiter is one Append that waits for its pack.
type waiter struct {
	entry  []byte     // raw as it goes into the frame
	answer chan error // answered exactly once, never blocks
	group  *group     // of an AppendAll, else nil
}

// group is an AppendAll: once one of its raws was refused, those behind it are
// too, or the order would be lost. Only the committer touches it.
type group struct{ refused error }

func emptyWaiter() any { return &waiter{answer: make(chan error, 1)} }

// queue is what waits for the committer, in order of arrival.
type queue struct {
	mu      sync.Mutex
	waiting []*waiter
	closed  bool
	wake    chan struct{} // has a token when waiting or closed changed
}

func newQueue() queue { return queue{wake: make(chan struct{}, 1)} }

func (q *queue) push(w *waiter) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed {
		return ErrClosed
	}
	q.waiting = append(q.waiting, w)
	q.signal()
	return nil
}

func (q *queue) close() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.closed = true
	q.signal()
}

func (q *queue) signal() {
	select {
	case q.wake <- struct{}{}:
	default:
	}
}

// take waits for waiters and takes them all, leaving spare to be filled next. It
// returns none when the queue is closed and drained.
func (q *queue) take(spare []*waiter) []*waiter {
	for range q.wake {
		q.mu.Lock()
		taken, closed := q.waiting, q.closed
		if len(taken) > 0 {
			q.waiting = spare[:0]
		}
		if closed {
			q.signal() // the next call finds the queue drained
		}
		q.mu.Unlock()
		if len(taken) > 0 || closed {
			return taken
		}
	}
	return nil
}

// Append returns once raw is on disk, synced. It returns ErrFull when MaxBytes
// are taken, ErrClosed after Close and ErrRefused for a raw that no pack can
// carry; any other error means that raw may or may
// not be kept, and so does ctx.Err() when ctx ends first. raw is not used after
// Append has returned.
func (s *Stream) Append(ctx context.Context, raw *ingest.Raw) error {
	w, err := s.newWaiter(raw)
	if err != nil {
		return err
	}
	if err := s.queue.push(w); err != nil {
		return err
	}
	return s.wait(ctx, w)
}

// newWaiter is raw encoded and ready for the queue.
func (s *Stream) newWaiter(raw *ingest.Raw) (*waiter, error) {
	size, err := entryBytes(raw)
	if err := cmp.Or(ingest.CheckSubmitted(raw.Submitted), err); err != nil {
		return nil, fmt.Errorf("append: %w: %w", ErrRefused, err)
	}
	if limit := frameLimit(s.options.MaxBody) - frameHeaderBytes - frameTrailerBytes; int64(size) > limit {
		return nil, fmt.Errorf("append: %w: raw of %d bytes: at most %d fit", ErrRefused, size, limit)
	}
	w := s.waiters.Get().(*waiter)
	if cap(w.entry) < size {
		w.entry = make([]byte, 0, size)
	}
	w.entry = appendEntry(w.entry[:0], raw)
	w.group = nil
	return w, nil
}

// wait returns what the committer answers a waiter that was pushed, or ctx.Err()
// when ctx ends first.
func (s *Stream) wait(ctx context.Context, w *waiter) error {
	select {
	case err := <-w.answer:
		if cap(w.entry) <= keptBytes {
			s.waiters.Put(w)
		}
		return err
	case <-ctx.Done():
		return ctx.Err() // the committer still holds w
	}
}

// commit turns what waits into packs until the queue is closed and drained.
func (s *Stream) commit() {
	defer close(s.done)
	var spare, taken []*waiter
	var p packer
	for {
		taken = s.queue.take(spare)
		if len(taken) == 0 {
			return
		}
		for rest := taken; len(rest) > 0; {
			pack := rest[:packLength(rest)]
			rest = rest[len(pack):]
			if pack = refuseRest(pack); len(pack) == 0 {
				continue
			}
			err := s.commitPack(p.frame(pack), len(pack))
			for _, w := range pack {
				if w.group != nil && err != nil {
					w.group.refused = err
				}
				w.answer <- err
			}
		}
		clear(taken)
		spare = taken
	}
}

// refuseRest answers those whose group was refused before, and gives the others.
func refuseRest(pack []*waiter) []*waiter {
	return slices.DeleteFunc(pack, func(w *waiter) bool {
		if w.group == nil || w.group.refused == nil {
			return false
		}
		w.answer <- w.group.refused
		return true
	})
}

// packLength is how many of the first waiters go into one pack.
func packLength(waiting []*waiter) int {
	size := 0
	for i, w := range waiting {
		size += len(w.entry)
		if i > 0 && (size > packBytes || i == packRaws) {
			return i
		}
	}
	return len(waiting)
}

// packer builds frames in a buffer of its own. A frame is valid until the next.
type packer struct {
	entries [][]byte
	buffer  []byte
}

func (p *packer) frame(pack []*waiter) []byte {
	p.entries = p.entries[:0]
	for _, w := range pack {
		p.entries = append(p.entries, w.entry)
	}
	if cap(p.buffer) > 2*packBytes {
		p.buffer = nil // grown by one outsized raw
	}
	p.buffer = appendFrame(p.buffer[:0], p.entries)
	clear(p.entries)
	return p.buffer
}

// commitPack stores frame and returns once it is synced.
func (s *Stream) commitPack(frame []byte, raws int) error {
	started := time.Now()
	seq, err := s.publish(frame)
	if err != nil {
		if errors.Is(err, ErrFull) {
			return err
		}
		return fmt.Errorf("publish a pack of %d raws, %d bytes: %w", raws, len(frame), err)
	}
	s.metrics.packs.Inc()
	s.metrics.packRaws.Observe(float64(raws))
	s.metrics.fsync.Observe(time.Since(started).Seconds())
	s.advance(seq)
	return nil
}

func (s *Stream) publish(frame []byte) (uint64, error) {
	n, release, err := s.useNode()
	if err != nil {
		return 0, errors.Join(err, s.revive())
	}
	seq, err := n.publish(frame)
	release()
	if err == nil || isRefusal(err) {
		return seq, err
	}
	return 0, errors.Join(err, s.revive())
}

// publish stores frame as the next pack and makes it durable.
func (n *node) publish(frame []byte) (uint64, error) {
	ctx, cancel := context.WithTimeout(context.Background(), publishTimeout)
	defer cancel()
	ack, err := n.publisher.Publish(ctx, subject, frame, jetstream.WithRetryAttempts(0))
	var refused *jetstream.APIError
	if errors.As(err, &refused) && refused.Description == server.ErrMaxBytes.Error() {
		return 0, ErrFull
	}
	if err != nil {
		return 0, err
	}
	return ack.Sequence, n.syncPacks()
}

// isRefusal tells an answer of the server that leaves the stream as it was from
// silence or a broken connection.
func isRefusal(err error) bool {
	var refused *jetstream.APIError
	return errors.Is(err, ErrFull) || errors.As(err, &refused)
}

// revive replaces a node that no longer answers: the embedded server refuses
// every write after one that failed, until it is started again. It says nothing
// when that worked; only the committer calls it.
func (s *Stream) revive() error {
	s.nodeMu.Lock()
	defer s.nodeMu.Unlock()
	if s.node != nil {
		s.node.close()
		s.node = nil
	}
	s.mu.Lock()
	last, watermark := s.last, s.watermark
	s.mu.Unlock()

	ctx, cancel := context.WithTimeout(context.Background(), startTimeout)
	defer cancel()
	n, state, err := openReconciled(ctx, s.options, watermark)
	if err == nil && state.Last < last {
		n.close()
		err = fmt.Errorf("%w: pack %d was stored but the last pack is %d", ErrCorrupt, last, state.Last)
	}
	if err != nil {
		s.unwell = fmt.Errorf("open stream %s again: %w", s.options.Dir, err)
		return s.unwell
	}
	s.node, s.unwell = n, nil
	s.advance(state.Last) // a pack without an answer may have been stored
	return nil
}

// advance makes packs up to seq known to readers.
func (s *Stream) advance(seq uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if seq > s.last {
		s.last = seq
		close(s.grown)
		s.grown = make(chan struct{})
	}
}
