package stream

import (
	"context"
	"math"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// scrapeTimeout bounds how long a scrape waits for the embedded server.
const scrapeTimeout = time.Second

type metrics struct {
	packs    prometheus.Counter
	packRaws prometheus.Histogram
	fsync    prometheus.Histogram
	bytes    prometheus.GaugeFunc
}

func newMetrics(r prometheus.Registerer, s *Stream) (*metrics, error) {
	m := &metrics{
		packs: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "pinglake_ingest_stream_packs_total",
			Help: "Packs made durable.",
		}),
		packRaws: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name:    "pinglake_ingest_stream_pack_raws",
			Help:    "Raws in a pack.",
			Buckets: prometheus.ExponentialBuckets(1, 2, 14),
		}),
		fsync: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name:    "pinglake_ingest_stream_fsync_seconds",
			Help:    "Time to write and sync a pack.",
			Buckets: prometheus.ExponentialBuckets(0.0001, 2, 17),
		}),
		bytes: prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "pinglake_ingest_stream_bytes",
			Help: "Bytes the packs take of the stream's limit. NaN when the stream does not answer.",
		}, s.bytesHeld),
	}
	if r == nil {
		return m, nil
	}
	for i, c := range m.all() {
		if err := r.Register(c); err != nil {
			for _, done := range m.all()[:i] {
				r.Unregister(done)
			}
			return nil, err
		}
	}
	return m, nil
}

func (m *metrics) all() []prometheus.Collector {
	return []prometheus.Collector{m.packs, m.packRaws, m.fsync, m.bytes}
}

func (m *metrics) unregister(r prometheus.Registerer) {
	if r == nil {
		return
	}
	for _, c := range m.all() {
		r.Unregister(c)
	}
}

func (s *Stream) bytesHeld() float64 {
	ctx, cancel := context.WithTimeout(context.Background(), scrapeTimeout)
	defer cancel()
	state, err := s.State(ctx)
	if err != nil {
		return math.NaN()
	}
	return float64(state.Bytes)
}
