package sink

import (
	"sync"
	"sync/atomic"

	"pinglake/ingest"
)

// chunkRaws is how many raws a worker takes at a time.
const chunkRaws = 32

// decodeAll decodes raws on all workers. Results stand in the order of raws.
func (s *Sink) decodeAll(raws []ingest.Raw) []decoded {
	results := make([]decoded, len(raws))
	var next atomic.Int64
	work := func() {
		for {
			to := int(next.Add(chunkRaws))
			from := to - chunkRaws
			if from >= len(raws) {
				return
			}
			for i := from; i < min(to, len(raws)); i++ {
				results[i].Result, results[i].err = s.Decoder.Decode(&raws[i])
			}
		}
	}
	var workers sync.WaitGroup
	for range min(s.Workers, (len(raws)+chunkRaws-1)/chunkRaws) - 1 {
		workers.Go(work)
	}
	work()
	workers.Wait()
	return results
}
