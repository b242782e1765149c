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
}

func newMetrics(r prometheus.Registerer) (*metrics, error) {
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
	}
	for _, code := range []int{
		http.StatusOK,
		http.StatusNoContent,
		http.StatusBadRequest,
		http.StatusNotFound,
		http.StatusMethodNotAllowed,
		http.StatusRequestEntityTooLarge,
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
	if err := r.Register(requests); err != nil {
		return nil, err
	}
	if err := r.Register(m.bytes); err != nil {
		r.Unregister(requests)
		return nil, err
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
