package sink

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// metrics count what was committed; a batch that is tried again counts once.
type metrics struct {
	pings       *prometheus.CounterVec // namespace, doctype
	rejects     *prometheus.CounterVec // namespace, doctype, reason
	received    *prometheus.CounterVec // namespace, doctype
	pingBytes   *prometheus.CounterVec // namespace, doctype
	rejectBytes *prometheus.CounterVec // namespace, doctype, reason
	rules       *prometheus.CounterVec // rule
	coerced     *prometheus.CounterVec // namespace, doctype, coercion
	batches     *prometheus.CounterVec // cause
	rows        prometheus.Histogram
	seconds     prometheus.Histogram
	retries     prometheus.Counter
	watermark   prometheus.Gauge
}

func newMetrics(to prometheus.Registerer) metrics {
	m := metrics{
		pings: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "pinglake_ingest_pings_total", Help: "Pings stored in live tables.",
		}, []string{"namespace", "doctype"}),
		rejects: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "pinglake_ingest_rejects_total", Help: "Submissions refused, duplicates included, by reason.",
		}, []string{"namespace", "doctype", "reason"}),
		received: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "pinglake_ingest_received_bytes_total", Help: "Bytes of bodies as they came.",
		}, []string{"namespace", "doctype"}),
		pingBytes: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "pinglake_ingest_ping_bytes_total", Help: "Bytes of the payloads of stored pings, unpacked.",
		}, []string{"namespace", "doctype"}),
		rejectBytes: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "pinglake_ingest_reject_bytes_total", Help: "Bytes of the payloads of refused submissions, unpacked.",
		}, []string{"namespace", "doctype", "reason"}),
		rules: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "pinglake_ingest_scrubber_hits_total", Help: "Submissions that met a rule of the scrubber.",
		}, []string{"rule"}),
		coerced: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "pinglake_ingest_coercions_total", Help: "Values of stored pings that did not fit their column as they were.",
		}, []string{"namespace", "doctype", "coercion"}),
		batches: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "pinglake_ingest_sink_batches_total", Help: "Batches landed, by what closed them.",
		}, []string{"cause"}),
		rows: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "pinglake_ingest_sink_batch_raws", Help: "Raws in a batch.",
			Buckets: prometheus.ExponentialBuckets(1, 4, 10),
		}),
		seconds: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "pinglake_ingest_sink_land_seconds", Help: "Time from closing a batch to its publication.",
			Buckets: prometheus.ExponentialBuckets(0.001, 2, 14),
		}),
		retries: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "pinglake_ingest_sink_retries_total", Help: "Batches or publications tried again after an error.",
		}),
		watermark: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "pinglake_ingest_sink_watermark_pack", Help: "The last committed pack.",
		}),
	}
	if to != nil {
		to.MustRegister(m.pings, m.rejects, m.received, m.pingBytes, m.rejectBytes, m.rules, m.coerced, m.batches, m.rows, m.seconds, m.retries, m.watermark)
	}
	return m
}

// landed counts a committed and published batch.
func (m *metrics) landed(b *batch, cause closeCause, took time.Duration) {
	m.batches.WithLabelValues(string(cause)).Inc()
	m.rows.Observe(float64(b.raws))
	m.seconds.Observe(took.Seconds())
	for key, c := range b.counts {
		m.received.WithLabelValues(key.namespace, key.doctype).Add(float64(c.received))
		if key.outcome == outcomeLive {
			m.pings.WithLabelValues(key.namespace, key.doctype).Add(float64(c.n))
			m.pingBytes.WithLabelValues(key.namespace, key.doctype).Add(float64(c.unpacked))
			continue
		}
		m.rejects.WithLabelValues(key.namespace, key.doctype, key.outcome).Add(float64(c.n))
		m.rejectBytes.WithLabelValues(key.namespace, key.doctype, key.outcome).Add(float64(c.unpacked))
	}
	for key, n := range b.coerced {
		m.coerced.WithLabelValues(key.namespace, key.doctype, key.outcome).Add(float64(n))
	}
	for rule, n := range b.rules {
		m.rules.WithLabelValues(rule).Add(float64(n))
	}
}
