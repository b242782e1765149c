package sim

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"pinglake/ingest"
)

// countingEdge answers 200 to all but every nth request and counts what a lake
// would hold of those it answered so.
type countingEdge struct {
	refuseEvery int
	stop        func(received int)

	mu         sync.Mutex
	received   int
	refused    int64
	seen       map[idKey]bool
	pings      map[string]int64
	duplicates int64
	rejects    map[ingest.Reason]int64
	clients    map[string]bool
	faults     []string
}

func newCountingEdge() *countingEdge {
	return &countingEdge{
		seen: map[idKey]bool{}, pings: map[string]int64{}, rejects: map[ingest.Reason]int64{}, clients: map[string]bool{},
	}
}

func (e *countingEdge) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	ping, reason := judge(ingest.Raw{URI: r.RequestURI, Body: body})
	e.mu.Lock()
	defer e.mu.Unlock()
	e.received++
	if e.stop != nil {
		e.stop(e.received)
	}
	if err != nil || r.Method != http.MethodPost || r.ContentLength != int64(len(body)) {
		e.faults = append(e.faults, r.Method+" "+r.RequestURI)
	}
	if agent := r.Header.Get("X-Telemetry-Agent"); (agent != "") != (r.Header.Get("Content-Encoding") == "gzip") && reason == "" {
		e.faults = append(e.faults, "agent "+agent+" with encoding "+r.Header.Get("Content-Encoding"))
	}
	if e.refuseEvery > 0 && e.received%e.refuseEvery == 0 {
		e.refused++
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	if reason != "" {
		e.rejects[reason]++
		return
	}
	key := idKey{ping.doctype, ping.id}
	if e.seen[key] {
		e.duplicates++
		return
	}
	e.seen[key] = true
	e.pings[ping.doctype]++
	if ping.doctype == "baseline" {
		e.clients[ping.client] = true
	}
}

// compare checks a report against what the edge took.
func (e *countingEdge) compare(t *testing.T, r Report) {
	t.Helper()
	e.mu.Lock()
	defer e.mu.Unlock()
	type counts struct {
		Sent, OK, Duplicates, Uncertain int64
		Clients                         int
		Pings                           map[string]int64
		Rejects                         map[ingest.Reason]int64
	}
	want := counts{
		Sent: int64(e.received), OK: int64(e.received) - e.refused, Duplicates: e.duplicates, Uncertain: e.refused,
		Clients: len(e.clients), Pings: e.pings, Rejects: e.rejects,
	}
	got := counts{r.Sent, r.OK, r.Duplicates, r.Uncertain, r.Clients, r.Pings, r.Rejects}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if r.ByStatus[http.StatusOK] != r.OK || r.ByStatus[http.StatusServiceUnavailable] != e.refused {
		t.Errorf("by status: %v", r.ByStatus)
	}
	for _, f := range e.faults[:min(len(e.faults), 3)] {
		t.Error(f)
	}
}

func TestALoadCountsWhatTheEdgeTook(t *testing.T) {
	defer goleak.VerifyNone(t)
	for _, c := range []struct {
		name        string
		refuseEvery int
		options     LoadOptions
	}{
		{"all is well", 0, LoadOptions{Clients: 100, Messages: 3000, Seed: 1}},
		{"duplicates and malformed", 0, LoadOptions{Clients: 50, Messages: 3000, Seed: 2, DuplicateRatio: 0.1, MalformedRatio: 0.1}},
		{"everything twice", 0, LoadOptions{Clients: 10, Messages: 500, Seed: 3, DuplicateRatio: 1}},
		{"some are refused", 150, LoadOptions{Clients: 40, Messages: 1500, Seed: 4, DuplicateRatio: 0.2, MalformedRatio: 0.2}},
	} {
		t.Run(c.name, func(t *testing.T) {
			edge := newCountingEdge()
			edge.refuseEvery = c.refuseEvery
			server := httptest.NewServer(edge)
			defer server.Close()
			c.options.Edge = server.URL + "/"
			c.options.Seconds = 60
			c.options.Concurrency = 8
			r, err := Load(t.Context(), c.options)
			if err != nil {
				t.Fatal(err)
			}
			edge.compare(t, r)
			first := r.Sent - r.Duplicates
			if c.refuseEvery == 0 && first != c.options.Messages {
				t.Errorf("%d messages were sent, want %d", first, c.options.Messages)
			}
			if got := float64(r.Duplicates) / float64(r.OK); c.options.DuplicateRatio == 1 && got != 0.5 {
				t.Errorf("%g of all are duplicates, want half", got)
			}
			if r.P50 <= 0 || r.P50 > r.P99 || r.P99 > r.Max || r.Rate <= 0 {
				t.Errorf("p50 %v, p99 %v, max %v, %g/s", r.P50, r.P99, r.Max, r.Rate)
			}
		})
	}
}

func TestALoadStopsWhenItIsToldTo(t *testing.T) {
	defer goleak.VerifyNone(t)
	ctx, cancel := context.WithCancel(t.Context())
	edge := newCountingEdge()
	edge.stop = func(received int) {
		if received == 300 {
			cancel()
		}
	}
	server := httptest.NewServer(edge)
	defer server.Close()
	r, err := Load(ctx, LoadOptions{Edge: server.URL, Clients: 20, Seconds: 60, Concurrency: 4, DuplicateRatio: 0.5})
	if err != nil {
		t.Fatal(err)
	}
	edge.compare(t, r)
}

func TestALoadEndsWithItsTime(t *testing.T) {
	edge := newCountingEdge()
	server := httptest.NewServer(edge)
	defer server.Close()
	reports := 0
	r, err := Load(t.Context(), LoadOptions{Edge: server.URL, Clients: 20, Seconds: 1.2, Concurrency: 2, Progress: func(p Progress) {
		reports++
		if p.Sent < p.OK || p.OK == 0 {
			t.Errorf("progress %+v", p)
		}
	}})
	if err != nil {
		t.Fatal(err)
	}
	edge.compare(t, r)
	if reports == 0 || r.Elapsed < 1200*time.Millisecond {
		t.Errorf("%d reports in %v", reports, r.Elapsed)
	}
}

func TestALoadWithoutAnEdgeSaysSo(t *testing.T) {
	server := httptest.NewServer(newCountingEdge())
	server.Close()
	r, err := Load(t.Context(), LoadOptions{Edge: server.URL, Clients: 5, Seconds: 30, Messages: 20, Concurrency: 2})
	if err == nil || !strings.HasPrefix(err.Error(), "load "+server.URL+": no request was answered: ") {
		t.Errorf("error %v", err)
	}
	if r.OK != 0 || r.Uncertain != r.Sent || r.Sent == 0 {
		t.Errorf("sent %d, ok %d, uncertain %d", r.Sent, r.OK, r.Uncertain)
	}
}

func TestLoadOptionsAreCheckedAllAtOnce(t *testing.T) {
	_, err := Load(t.Context(), LoadOptions{Edge: "localhost:8080", Clients: -1, Seconds: -2, DuplicateRatio: 2, MalformedRatio: -1, Messages: -1, Concurrency: -4})
	want := `edge "localhost:8080": want a URL like http://127.0.0.1:8080
clients -1: want 1 to 100000
seconds -2: want more than 0
messages -1: want 0 or more
concurrency -4: want 1 to 10000
duplicates 2: want 0 to 1
malformed -1: want 0 to 1`
	if diff := cmp.Diff(want, err.Error()); diff != "" {
		t.Error(diff)
	}
}

func TestHistogramQuantiles(t *testing.T) {
	var h histogram
	for i := 1; i <= 1000; i++ {
		h.add(time.Duration(i) * time.Millisecond)
	}
	for _, c := range []struct {
		q    float64
		want time.Duration
	}{{0.5, 501 * time.Millisecond}, {0.99, 991 * time.Millisecond}} {
		got := h.quantile(c.q)
		if got > c.want || got < c.want-c.want/32 {
			t.Errorf("quantile %g is %v, want %v or 1/32 less", c.q, got, c.want)
		}
	}
	for _, d := range []time.Duration{0, 63, 64, 65, 127, 128, 1 << 40, 1<<63 - 1} {
		if start := bucketStart(bucketOf(d)); start > d || start < d-d/32 {
			t.Errorf("%d is in the bucket of %d", d, start)
		}
	}
	if got := new(histogram).quantile(0.5); got != 0 {
		t.Errorf("the median of nothing is %v", got)
	}
}

func BenchmarkLoad(b *testing.B) {
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
	}))
	defer server.Close()
	r, err := Load(b.Context(), LoadOptions{Edge: server.URL, Seconds: 600, Messages: int64(b.N), Seed: 1})
	if err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(r.Rate, "requests/s")
}
