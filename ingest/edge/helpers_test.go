package edge

import (
	"bufio"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"pinglake/ingest"
)

func TestMain(m *testing.M) {
	// A connection that was refused lingers for half a second, also when it is closed.
	goleak.VerifyTestMain(m, goleak.IgnoreAnyFunction("net/http.(*conn).closeWriteAndWait"))
}

var noon = time.Date(2026, 11, 22, 12, 0, 0, 123456789, time.UTC)

// recorder is an Appender that keeps what it got and answers with err.
type recorder struct {
	mu   sync.Mutex
	raws []ingest.Raw
	err  error
}

func (r *recorder) Append(_ context.Context, raw *ingest.Raw) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.raws = append(r.raws, *raw)
	return r.err
}

// taken returns what was appended since it was last asked.
func (r *recorder) taken() []ingest.Raw {
	r.mu.Lock()
	defer r.mu.Unlock()
	raws := r.raws
	r.raws = nil
	return raws
}

// referenceRoutes are the reference's, and the default of the setting.
var referenceRoutes = []Route{
	{"/stub/<suffix:path>", []string{"GET"}},
	{"/submit/telemetry/<suffix:path>", []string{"POST", "PUT"}},
	{"/submit/sslreports", []string{"POST", "PUT"}},
	{"/submit/<suffix:path>", []string{"POST", "PUT"}},
	{"/submit", []string{"POST", "PUT"}},
}

// forTests is o with the reference's routes and a clock that stands, if it has
// none.
func forTests(o Options) Options {
	if o.Routes == nil {
		o.Routes = referenceRoutes
	}
	if o.Now == nil {
		o.Now = func() time.Time { return noon }
	}
	return o.withDefaults()
}

func mustHandler(t testing.TB, o Options) *handler {
	t.Helper()
	h, err := newHandler(forTests(o))
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// request is what a server would make of text, a request as on the wire. Line
// ends are added.
func request(t testing.TB, text, body string) *http.Request {
	t.Helper()
	wire := strings.ReplaceAll(strings.TrimSpace(text), "\n", "\r\n") + "\r\n\r\n" + body
	r, err := http.ReadRequest(bufio.NewReader(strings.NewReader(wire)))
	if err != nil {
		t.Fatalf("request %q: %v", text, err)
	}
	r.RemoteAddr = "203.0.113.7:54321"
	return r
}

func do(h http.Handler, r *http.Request) *http.Response {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Result()
}

func textOf(t testing.TB, r *http.Response) string {
	t.Helper()
	text, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
