package edge

import (
	"log/slog"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// statusClientGone is counted for a client that left before its answer. It is
// never sent.
const statusClientGone = 499

type metrics struct {
	requests map[int]prometheus.Counter // by every status there is
	bytes    prometheus.Counter
	refused  prometheus.Counter
}

func newMetrics(r prometheus.Registerer, bodies *inflight, open *connections) (*metrics, error) {
	requests := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "pinglake_ingest_edge_requests_total",
		Help: "Requests by the status they were answered with; 499 for clients that left before.",
	}, []string{"code"})
	m := &metrics{
		requests: make(map[int]prometheus.Counter),
		bytes: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "pinglake_ingest_edge_request_bytes_total",
			Help: "Bytes of the bodies received.",
		}),
		refused: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "pinglake_ingest_edge_refused_connections_total",
			Help: "Connections that were over the bound and told so with 503.",
		}),
	}
	all := []prometheus.Collector{
		requests, m.bytes, m.refused,
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "pinglake_ingest_edge_inflight_bytes",
			Help: "Bytes set aside for bodies that are being read or wait to be durable.",
		}, func() float64 { return float64(bodies.used.Load()) }),
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "pinglake_ingest_edge_open_connections",
			Help: "Connections that are open, on all listeners.",
		}, func() float64 { return float64(open.open()) }),
	}
	for _, code := range []int{
		http.StatusOK,
		http.StatusNoContent,
		http.StatusBadRequest,
		http.StatusNotFound,
		http.StatusMethodNotAllowed,
		http.StatusRequestEntityTooLarge,
		http.StatusRequestURITooLong,
		http.StatusRequestHeaderFieldsTooLarge,
		statusClientGone,
		http.StatusInternalServerError,
		http.StatusServiceUnavailable,
		http.StatusInsufficientStorage,
	} {
		m.requests[code] = requests.WithLabelValues(strconv.Itoa(code))
	}
	if r == nil {
		return m, nil
	}
	for i, c := range all {
		if err := r.Register(c); err != nil {
			for _, done := range all[:i] {
				r.Unregister(done)
			}
			return nil, err
		}
	}
	return m, nil
}

func (m *metrics) count(code int) { m.requests[code].Inc() }

// throttle logs at most one line a second, with how many there would have been:
// a full stream refuses thousands of requests a second.
type throttle struct {
	log *slog.Logger
	now func() time.Time

	mu      sync.Mutex
	next    time.Time // no line before
	skipped int
}

func (t *throttle) warn(message string, err error) {
	t.mu.Lock()
	now := t.now()
	if now.Before(t.next) {
		t.skipped++
		t.mu.Unlock()
		return
	}
	skipped := t.skipped
	t.next, t.skipped = now.Add(time.Second), 0
	t.mu.Unlock()
	t.log.Warn(message, "error", err, "lines_skipped", skipped)
}
