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

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

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

func mustHandler(t testing.TB, o Options) http.Handler {
	t.Helper()
	if o.Now == nil {
		o.Now = func() time.Time { return noon }
	}
	h, err := NewHandler(o)
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
