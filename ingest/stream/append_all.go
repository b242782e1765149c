package stream

import (
	"context"

	"pinglake/ingest"
)

// AppendAll appends raws that are there already, in their order, sharing packs.
// It returns how many of the first are on disk, synced, and what [Stream.Append]
// would return for the one behind them. Behind a pack that was refused nothing of
// raws is kept. When ctx ends, more may be kept than it says.
func (s *Stream) AppendAll(ctx context.Context, raws []*ingest.Raw) (stored int, err error) {
	waiting := make([]*waiter, 0, len(raws))
	all := &group{}
	for _, raw := range raws {
		w, fault := s.newWaiter(raw)
		if fault == nil {
			w.group = all
			fault = s.queue.push(w)
		}
		if err = fault; err != nil {
			break
		}
		waiting = append(waiting, w)
	}
	for _, w := range waiting {
		if fault := s.wait(ctx, w); fault != nil {
			return stored, fault
		}
		stored++
	}
	return stored, err
}
