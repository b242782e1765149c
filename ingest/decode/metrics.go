package decode

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// metrics count the decoder's work: a batch that is tried again counts twice. What
// became of submissions is counted by the sink, once.
type metrics struct {
	packed, plain   prometheus.Counter
	truncated       prometheus.Counter
	parse, validate prometheus.Histogram // nil without a registry
}

func newMetrics(to prometheus.Registerer) metrics {
	bodies := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "pinglake_ingest_decode_bodies_total", Help: "Bodies decoded, by how they were packed.",
	}, []string{"compression"})
	m := metrics{
		packed: bodies.WithLabelValues("gzip"), plain: bodies.WithLabelValues("none"),
		truncated: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "pinglake_ingest_decode_truncated_values_total", Help: "Attributes that were cut to fit an error row.",
		}),
	}
	if to == nil {
		return m
	}
	seconds := prometheus.ExponentialBuckets(1e-6, 4, 12)
	m.parse = prometheus.NewHistogram(prometheus.HistogramOpts{
		Name: "pinglake_ingest_decode_parse_seconds", Help: "Time to read a payload as JSON.", Buckets: seconds,
	})
	m.validate = prometheus.NewHistogram(prometheus.HistogramOpts{
		Name: "pinglake_ingest_decode_validate_seconds", Help: "Time to check a payload against its schema.", Buckets: seconds,
	})
	to.MustRegister(bodies, m.truncated, m.parse, m.validate)
	return m
}

// timed observes how long a step takes, if anybody wants to know.
func timed(to prometheus.Histogram, step func() error) error {
	if to == nil {
		return step()
	}
	began := time.Now()
	err := step()
	to.Observe(time.Since(began).Seconds())
	return err
}
