package stream

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"pinglake/ingest"
)

const (
	// readBytes is how much one Read takes from the server, give or take a pack.
	// With the largest frame it stays under what the server lets a connection
	// owe (64 MiB).
	readBytes = 16 << 20

	readTimeout = 30 * time.Second

	directGet = "$JS.API.DIRECT.GET." + streamName
)

// Pack is what one sync made durable: raws in the order of their positions.
type Pack = ingest.Pack

// Read returns the packs that follow after, at most limit of them (at least one) and about 16
// MiB, consecutive. It waits until there is at least one, or ctx ends (ctx.Err()),
// or the stream is closed (ErrClosed). Packs that were trimmed are passed over; a
// pack that is missing otherwise, or cannot be decoded, is an error that wraps
// ErrCorrupt.
func (s *Stream) Read(ctx context.Context, after uint64, limit int) ([]Pack, error) {
	for {
		from, last, err := s.await(ctx, after)
		if err != nil {
			return nil, err
		}
		packs, err := s.fetch(ctx, from, int(min(uint64(max(limit, 1)), last-from)))
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if err != nil {
			return nil, fmt.Errorf("read packs after %d: %w", from, err)
		}
		err = consecutive(from, last, packs)
		if err == nil {
			return packs, nil
		}
		if !s.trimmedPast(from) {
			return nil, fmt.Errorf("read packs after %d: %w", from, err)
		}
	}
}

// await waits until a pack after the later of after and the watermark is durable
// and returns that position and the last pack.
func (s *Stream) await(ctx context.Context, after uint64) (from, last uint64, err error) {
	for {
		s.mu.Lock()
		from, last = max(after, s.watermark), s.last
		grown, isShut := s.grown, s.isShut
		s.mu.Unlock()
		switch {
		case isShut:
			return 0, 0, ErrClosed
		case ctx.Err() != nil:
			return 0, 0, ctx.Err()
		case last > from:
			return from, last, nil
		}
		select {
		case <-grown:
		case <-s.closed:
		case <-ctx.Done():
		}
	}
}

// trimmedPast says whether packs after from were trimmed while they were read.
func (s *Stream) trimmedPast(from uint64) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.watermark > from
}

// consecutive checks that packs are from+1, from+2 and so on, and not none.
func consecutive(from, last uint64, packs []Pack) error {
	if len(packs) == 0 {
		return fmt.Errorf("%w: pack %d is missing, the last pack is %d", ErrCorrupt, from+1, last)
	}
	for i, p := range packs {
		if want := from + 1 + uint64(i); p.Seq != want {
			return fmt.Errorf("%w: pack %d is missing, the next there is %d", ErrCorrupt, want, p.Seq)
		}
	}
	return nil
}

func (s *Stream) fetch(ctx context.Context, from uint64, limit int) ([]Pack, error) {
	n, release, err := s.useNode()
	if err != nil {
		return nil, err
	}
	defer release()
	ctx, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	return n.fetch(ctx, from, limit)
}

// fetch asks for a run of stored packs in one request; the server answers with
// one message a pack and an empty one at the end. It passes over what is missing.
func (n *node) fetch(ctx context.Context, from uint64, limit int) ([]Pack, error) {
	request, err := json.Marshal(struct {
		Seq      uint64 `json:"seq"`
		Batch    int    `json:"batch"`
		MaxBytes int    `json:"max_bytes"`
	}{from + 1, limit, readBytes})
	if err != nil {
		return nil, err
	}
	answers, err := n.reading.SubscribeSync(nats.NewInbox())
	if err != nil {
		return nil, err
	}
	defer answers.Unsubscribe()
	// Bounded by the request already; the default would drop packs.
	if err := answers.SetPendingLimits(-1, -1); err != nil {
		return nil, err
	}
	if err := n.reading.PublishRequest(directGet, answers.Subject, request); err != nil {
		return nil, err
	}
	var packs []Pack
	for {
		msg, err := answers.NextMsgWithContext(ctx)
		if err != nil {
			return nil, err
		}
		switch status := msg.Header.Get("Status"); status {
		case "":
		case "204", "404": // the end; nothing at or after from+1
			return packs, nil
		default:
			return nil, fmt.Errorf("the embedded server answered %s %s", status, msg.Header.Get("Description"))
		}
		pack, err := decodeMessage(msg)
		if err != nil {
			return nil, err
		}
		packs = append(packs, pack)
	}
}

func decodeMessage(msg *nats.Msg) (Pack, error) {
	sequence := msg.Header.Get(jetstream.SequenceHeader)
	seq, err := strconv.ParseUint(sequence, 10, 64)
	if err != nil {
		return Pack{}, fmt.Errorf("sequence %q of a pack: %w", sequence, err)
	}
	raws, err := decodePack(seq, msg.Data)
	if err != nil {
		return Pack{}, err
	}
	return Pack{Seq: seq, Raws: raws, Bytes: len(msg.Data)}, nil
}
