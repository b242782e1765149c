package sink

import (
	"context"
	"errors"
	"fmt"
	"time"

	"pinglake/dedup"
	"pinglake/ingest"
	"pinglake/ingest/decode"
	"pinglake/lake"
)

// closeCause says why a batch was closed.
type closeCause string

const (
	causeRows   closeCause = "rows"
	causeBytes  closeCause = "bytes"
	causePeriod closeCause = "period"
	causeTables closeCause = "tables"
	causeWanted closeCause = "wanted" // somebody waits for it
	causeStop   closeCause = "stop"
	causeIdle   closeCause = "idle" // nothing came; never counted
)

const (
	// packsPerRead bounds what one read brings into memory.
	packsPerRead = 8
	// windowRaws is how many raws are decoded at a time, on all workers, and
	// windowBytes how many bytes they could unpack to.
	windowRaws  = 2048
	windowBytes = 128 << 20
	// maxOpenTables closes a batch before its files, one a table and day, take more
	// memory than their rows.
	maxOpenTables = 150
)

// batch is a span of packs being collected.
type batch struct {
	first, last uint64
	packs, raws int
	bytes       int64
	closes      time.Time // once it has a pack

	rows  *lake.Batch
	keys  []dedup.Key
	here  map[dedup.Key]struct{} // the keys, to find two copies in one batch
	pings int
	// counts and rules go to the metrics once the batch is committed.
	counts map[countKey]count
	rules  map[string]int // of the scrubber, that submissions met
	// coerced is of values in live rows, by what they became.
	coerced map[countKey]int
}

// countKey names a counter: what became of a ping, or the reason of a reject.
type countKey struct{ namespace, doctype, outcome string }

// count is of submissions and their bytes: as they came, and unpacked. The parts
// of a split ping count one each, its bytes once.
type count struct{ n, received, unpacked int }

func (b *batch) count(key countKey, received, unpacked int) {
	c := b.counts[key]
	b.counts[key] = count{c.n + 1, c.received + received, c.unpacked + unpacked}
}

func (b *batch) countRules(rules []string) {
	for _, rule := range rules {
		b.rules[rule]++
	}
}

const (
	outcomeLive = "live"
	unknown     = "unknown"
)

func (s *Sink) newBatch() *batch {
	return &batch{
		first:  s.Watermark() + 1,
		rows:   s.Lake.NewBatch(),
		here:   map[dedup.Key]struct{}{},
		counts: map[countKey]count{},
		rules:  map[string]int{},

		coerced: map[countKey]int{},
	}
}

// collect reads packs into b until it is to be closed.
func (s *Sink) collect(ctx context.Context, b *batch) (closeCause, error) {
	b.last = b.first - 1
	s.setRead(b.last)
	for {
		if cause := s.closeNow(ctx, b); cause != "" {
			return cause, nil
		}
		packs, err := s.readMore(ctx, b)
		switch {
		case err == nil:
		case b.packs > 0 && errors.Is(err, context.DeadlineExceeded) && !time.Now().Before(b.closes):
			return causePeriod, nil
		case b.packs == 0 && errors.Is(err, errIdle):
			return causeIdle, nil
		case errors.Is(err, context.Canceled):
			continue // woken or stopped: closeNow knows which
		default:
			return "", fmt.Errorf("read the stream after pack %d: %w", b.last, err)
		}
		if b.packs == 0 {
			b.closes = time.Now().Add(s.BatchPeriod)
		}
		for i := range packs {
			if err := s.add(b, &packs[i]); err != nil {
				return "", err
			}
		}
		s.setRead(b.last)
	}
}

// readMore reads for as long as b may stay open. Wait can end it before.
func (s *Sink) readMore(ctx context.Context, b *batch) ([]ingest.Pack, error) {
	switch {
	case b.packs > 0:
		open, cancel := context.WithDeadline(ctx, b.closes)
		defer cancel()
		ctx = open
	case s.restless():
		idle, cancel := context.WithTimeoutCause(ctx, s.idleAfter, errIdle)
		defer cancel()
		ctx = idle
	}
	outer := ctx
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	s.mu.Lock()
	s.wake = cancel
	if b.packs > 0 && s.wanted > s.watermark && b.last >= s.wanted {
		cancel()
	}
	s.mu.Unlock()
	packs, err := s.Source.Read(ctx, b.last, packsPerRead)
	if err != nil && context.Cause(outer) == errIdle {
		return nil, errIdle
	}
	return packs, err
}

// closeNow says whether b is to be closed before another read, and why.
func (s *Sink) closeNow(ctx context.Context, b *batch) closeCause {
	switch {
	case ctx.Err() != nil:
		return causeStop
	case b.packs == 0:
		return ""
	case b.raws >= s.BatchRows:
		return causeRows
	case b.bytes >= s.BatchBytes:
		return causeBytes
	case b.rows.Files() >= maxOpenTables:
		return causeTables
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.wanted > s.watermark && b.last >= s.wanted {
		return causeWanted
	}
	return ""
}

func (s *Sink) setRead(last uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.read = last
}

// add decodes a pack and puts its rows into the batch.
func (s *Sink) add(b *batch, pack *ingest.Pack) error {
	if pack.Seq != b.last+1 {
		return fmt.Errorf("the stream has pack %d behind pack %d: %w", pack.Seq, b.last, ingest.ErrCorrupt)
	}
	for raws := pack.Raws; len(raws) > 0; {
		n := windowOf(raws)
		if err := s.addWindow(b, raws[:n]); err != nil {
			return err
		}
		raws = raws[n:]
	}
	b.last = pack.Seq
	b.packs++
	b.raws += len(pack.Raws)
	b.bytes += int64(pack.Bytes)
	return nil
}

// windowOf is how many of raws are decoded at a time: at least one.
func windowOf(raws []ingest.Raw) int {
	unpacked := 0
	for i := range raws {
		if unpacked += decode.MaxUnpacked(raws[i].Body); i > 0 && (unpacked > windowBytes || i == windowRaws) {
			return i
		}
	}
	return len(raws)
}

// decoded is what became of one raw.
type decoded struct {
	decode.Result
	err error
}

func (s *Sink) addWindow(b *batch, raws []ingest.Raw) error {
	results := s.decodeAll(raws)
	var keys []dedup.Key
	for i := range results {
		for j := range results[i].Pings {
			keys = append(keys, keyOf(&results[i].Pings[j]))
		}
	}
	seen, err := s.Dedup.Seen(keys)
	if err != nil {
		return fmt.Errorf("look up %d document_ids: %w", len(keys), err)
	}
	next := 0
	for i := range results {
		n := len(results[i].Pings)
		if err := s.addResult(b, &raws[i], &results[i], keys[next:next+n], seen[next:next+n]); err != nil {
			return err
		}
		next += n
	}
	return nil
}

// keyOf is the ping's identity: its table and its document_id.
func keyOf(d *decode.Decoded) dedup.Key {
	return dedup.Key{Table: d.Row.Table.String(), ID: d.ID}
}

// addResult adds the rows of one raw: live or duplicate rows for its pings, or
// its error row, and its landfill row.
func (s *Sink) addResult(b *batch, raw *ingest.Raw, result *decoded, keys []dedup.Key, seen []bool) error {
	if s.Landfill == WithLandfill {
		if err := b.rows.Add(s.Decoder.LandfillRow(raw)); err != nil {
			return err
		}
	}
	if result.err != nil {
		return s.addReject(b, raw, result.err)
	}
	b.countRules(result.Rules)
	received, unpacked := len(raw.Body), result.Bytes
	for i := range result.Pings {
		outcome, err := s.addPing(b, raw, &result.Pings[i], keys[i], seen[i])
		if err != nil {
			return err
		}
		doctype := result.Pings[i].Doctype
		b.count(countKey{doctype.Namespace, doctype.DocType, outcome}, received, unpacked)
		if coercions := result.Pings[i].Row.Coercions; coercions != nil && outcome == outcomeLive {
			for coercion, n := range coercions.All() {
				b.coerced[countKey{doctype.Namespace, doctype.DocType, coercion}] += n
			}
		}
		received, unpacked = 0, 0
	}
	return nil
}

// addPing adds the row of a ping: live, or an error row if its key was seen or its
// row can not be stored. Only a live row's key is remembered.
func (s *Sink) addPing(b *batch, raw *ingest.Raw, ping *decode.Decoded, key dedup.Key, seen bool) (outcome string, err error) {
	if _, here := b.here[key]; seen || here {
		return string(ingest.Duplicate), b.rows.Add(s.Decoder.DuplicateRow(raw, &ping.Ping))
	}
	err = b.rows.Add(ping.Row)
	if errors.Is(err, lake.ErrRow) {
		// Our fault, but one ping's: it must not stop those behind it.
		return string(ingest.DecoderPanic), b.rows.Add(s.Decoder.ErrorRow(raw, &ingest.RejectError{
			Reason: ingest.DecoderPanic, Err: err, Attributes: ping.Attributes, Payload: raw.Body,
		}))
	}
	if err != nil {
		return "", err
	}
	b.here[key] = struct{}{}
	b.keys = append(b.keys, key)
	b.pings++
	return outcomeLive, nil
}

// addReject adds a reject's error row. What a scrubber rule drops is only counted.
func (s *Sink) addReject(b *batch, raw *ingest.Raw, err error) error {
	var reject *ingest.RejectError
	if !errors.As(err, &reject) {
		return fmt.Errorf("decode %v: %w", raw.At, err)
	}
	key := countKey{unknown, unknown, string(reject.Reason)}
	if reject.Namespace != "" {
		key.namespace, key.doctype = reject.Namespace, reject.DocType
	}
	b.count(key, len(raw.Body), len(reject.Payload))
	b.countRules(reject.Rules)
	if reject.Reason == ingest.Dropped {
		return nil
	}
	return b.rows.Add(s.Decoder.ErrorRow(raw, reject))
}
