package edge

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"

	"pinglake/ingest"
)

var (
	errFull  = errors.New("full")
	errOther = errors.New("the disk is on fire")
)

func isFull(err error) bool { return errors.Is(err, errFull) }

func TestAnswers(t *testing.T) {
	const (
		post = "POST /submit/a/b/1/c HTTP/1.1\nHost: x\nContent-Length: 2"
		cors = "Access-Control-Allow-Origin: *"
	)
	cases := []struct {
		name    string
		request string
		err     error
		want    string // status, body, headers that matter
		stored  int
	}{
		{"structured", post, nil, `200 "" ` + cors, 1},
		{"telemetry", "POST /submit/telemetry/id/main/Firefox/1/release/2 HTTP/1.1\nHost: x", nil, `200 "" ` + cors, 1},
		{"put", "PUT /submit/a/b/1/c HTTP/1.1\nHost: x", nil, `200 "" ` + cors, 1},
		{"sslreports", "POST /submit/sslreports HTTP/1.1\nHost: x", nil, `200 "" ` + cors, 1},
		{"sslreports with a slash", "POST /submit/sslreports/ HTTP/1.1\nHost: x", nil, `200 "" ` + cors, 1},
		{"too few parts", "POST /submit/foo HTTP/1.1\nHost: x", nil, `200 "" ` + cors, 1},
		{"submit alone", "POST /submit HTTP/1.1\nHost: x", nil, `200 "" ` + cors, 1},
		{"submit alone with a query", "POST /submit?v=4 HTTP/1.1\nHost: x", nil, `200 "" ` + cors, 1},
		{"submit and nothing", "POST /submit/ HTTP/1.1\nHost: x", nil, `404 "not found\n" ` + cors, 0},
		{"submitted", "POST /submitted HTTP/1.1\nHost: x", nil, `404 "not found\n" ` + cors, 0},
		{"encoded path is another path", "POST /%73ubmit/a HTTP/1.1\nHost: x", nil, `404 "not found\n" ` + cors, 0},
		{"no empty parts removed", "POST //submit/a HTTP/1.1\nHost: x", nil, `404 "not found\n" ` + cors, 0},
		{"absolute form", "POST http://x/submit/a%2Fb?c HTTP/1.1\nHost: x", nil, `200 "" ` + cors, 1},
		{"stub", "GET /stub/v6/a/b HTTP/1.1\nHost: x", nil, `200 ""`, 1},
		{"stub and nothing", "GET /stub/ HTTP/1.1\nHost: x", nil, `404 "not found\n" ` + cors, 0},
		{"stub by post", "POST /stub/v6 HTTP/1.1\nHost: x", nil, `405 "method not allowed\n" Allow: GET`, 0},
		{"submit by get", "GET /submit/a HTTP/1.1\nHost: x", nil, `405 "method not allowed\n" ` + cors + ` Allow: POST, PUT, OPTIONS`, 0},
		{"lower-case method", "post /submit/a HTTP/1.1\nHost: x", nil, `405 "method not allowed\n" ` + cors + ` Allow: POST, PUT, OPTIONS`, 0},
		{"root", "GET / HTTP/1.1\nHost: x", nil, `404 "not found\n" ` + cors, 0},
		{"favicon", "GET /favicon.ico HTTP/1.1\nHost: x", nil, `404 "not found\n" ` + cors, 0},
		{"options of everything", "OPTIONS * HTTP/1.1\nHost: x", nil, `404 "not found\n" ` + cors, 0},
		{"full", post, fmt.Errorf("append: %w", errFull), `507 "" ` + cors + ` Retry-After: 60`, 1},
		{"unwell", post, errOther, `503 "" ` + cors + ` Retry-After: 60`, 1},
		{"stub when full", "GET /stub/v6 HTTP/1.1\nHost: x", errFull, `507 "" Retry-After: 60`, 1},
		{"body too large", "POST /submit/a HTTP/1.1\nHost: x\nContent-Length: 101", nil, `413 "payload too large\n" ` + cors, 0},
		{"headers come before the body", "POST /submit/a HTTP/1.1\nHost: x\nContent-Length: 101\nX-Debug-ID: " + strings.Repeat("a", 1025), nil, `431 "header too large\n" ` + cors, 0},
		{"target of 8 KiB", "POST /submit/a?" + strings.Repeat("q", 8192-10) + " HTTP/1.1\nHost: x", nil, `431 "header too large\n" ` + cors, 0},
		{"target over 8 KiB", "POST /submit/a?" + strings.Repeat("q", 8193-10) + " HTTP/1.1\nHost: x", nil, `414 "uri too long\n" ` + cors, 0},
		{"path over 8 KiB", "POST /submit/" + strings.Repeat("a", 8193-8) + " HTTP/1.1\nHost: x", nil, `414 "uri too long\n" ` + cors, 0},
		{"path over 8 KiB that nobody serves", "POST /" + strings.Repeat("a", 8192) + " HTTP/1.1\nHost: x", nil, `414 "uri too long\n" ` + cors, 0},
		{"stub over 8 KiB", "GET /stub/" + strings.Repeat("a", 8193-6) + " HTTP/1.1\nHost: x", nil, `414 "uri too long\n"`, 0},
		{"neither length nor chunks: an empty body", "POST /submit/a HTTP/1.1\nHost: x", nil, `200 "" ` + cors, 1},
		{"HTTP/1.0 without a length: an empty body", "POST /submit/a HTTP/1.0\nHost: x", nil, `200 "" ` + cors, 1},
		{"body cut short", "POST /submit/a HTTP/1.1\nHost: x\nContent-Length: 3", nil, `400 "bad request\n" ` + cors, 0},
		{"lbheartbeat", "GET /__lbheartbeat__ HTTP/1.1\nHost: x", nil, `200 ""`, 0},
		{"lbheartbeat by head", "HEAD /__lbheartbeat__ HTTP/1.1\nHost: x", nil, `200 ""`, 0},
		{"lbheartbeat by post", "POST /__lbheartbeat__ HTTP/1.1\nHost: x", nil, `405 "method not allowed\n" Allow: GET, HEAD`, 0},
		{"lbheartbeat with a slash", "GET /__lbheartbeat__/ HTTP/1.1\nHost: x", nil, `404 "not found\n" ` + cors, 0},
		{"version", "GET /__version__ HTTP/1.1\nHost: x", nil, `200 "{\"build\":\"b\",\"commit\":\"c\",\"source\":\"s\",\"version\":\"v\"}\n" Content-Type: application/json`, 0},
		{"heartbeat", "GET /__heartbeat__ HTTP/1.1\nHost: x", nil, `200 "{\"status\":\"ok\",\"checks\":{},\"details\":{}}\n" Content-Type: application/json`, 0},
		{"heartbeat by put", "PUT /__heartbeat__ HTTP/1.1\nHost: x", nil, `405 "method not allowed\n" Allow: GET, HEAD`, 0},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			stream := &recorder{err: c.err}
			h := mustHandler(t, Options{Stream: stream, IsFull: isFull, MaxBody: 100, Version: VersionInfo{"b", "c", "s", "v"}})
			if got := answerText(t, do(h, request(t, c.request, "{}"))); got != c.want {
				t.Errorf("%s\ngot  %s\nwant %s", c.request, got, c.want)
			}
			if got := len(stream.taken()); got != c.stored {
				t.Errorf("%d raws were stored, want %d", got, c.stored)
			}
		})
	}
}

// answerText is a response as one line: what a client sees of it.
func answerText(t *testing.T, r *http.Response) string {
	text := fmt.Sprintf("%d %q", r.StatusCode, textOf(t, r))
	for _, name := range []string{"Access-Control-Allow-Origin", "Allow", "Retry-After"} {
		for _, value := range r.Header.Values(name) {
			text += " " + name + ": " + value
		}
	}
	if kind := r.Header.Get("Content-Type"); kind == "application/json" {
		text += " Content-Type: " + kind
	}
	return text
}

func TestCapturedAttributes(t *testing.T) {
	cases := []struct {
		name    string
		request string
		want    ingest.Raw
	}{
		{
			"nothing but what is always there",
			"GET /stub/v6/a HTTP/1.0\nHost: x",
			ingest.Raw{URI: "/stub/v6/a", Attributes: map[string]string{
				"args": "", "host": "x", "method": "GET", "protocol": "HTTP/1.0", "remote_addr": "203.0.113.7",
			}},
		},
		{
			"every captured header, no other",
			`POST /submit/a%2Fb//c/?v=4&x=%20?y HTTP/1.1
Host: incoming.example.org:8080
Content-Length: 2
Date: Sun, 22 Nov 2026 19:58:28 GMT
DNT: 1
User-Agent: pingsender/1.0
X-Forwarded-For: 198.51.100.1, 198.51.100.2
X-Pingsender-Version: 1.0
X-Pipeline-Proxy: 2026-11-22T19:58:28Z
X-Debug-ID: my-debug
X-Foxsec-IP-Reputation: 90
X-LB-Tags: TLSv1.3, 0x1301
X-Source-Tags: automation,perf
X-Telemetry-Agent: Glean/5.0.10 (JS on Linux)
Content-Encoding: gzip
Content-Type: application/json
Cookie: secret`,
			ingest.Raw{URI: "/submit/a%2Fb//c/", Body: []byte("{}"), Attributes: map[string]string{
				"args": "v=4&x=%20?y", "host": "incoming.example.org:8080", "method": "POST", "protocol": "HTTP/1.1", "remote_addr": "203.0.113.7",
				"content_length": "2", "date": "Sun, 22 Nov 2026 19:58:28 GMT", "dnt": "1", "user_agent": "pingsender/1.0",
				"x_forwarded_for": "198.51.100.1, 198.51.100.2", "x_pingsender_version": "1.0", "x_pipeline_proxy": "2026-11-22T19:58:28Z",
				"x_debug_id": "my-debug", "x_foxsec_ip_reputation": "90", "x_lb_tags": "TLSv1.3, 0x1301",
				"x_source_tags": "automation,perf", "x_telemetry_agent": "Glean/5.0.10 (JS on Linux)",
			}},
		},
		{
			"present but empty, repeated, odd case",
			"POST /submit? HTTP/1.1\nhOST: x\nx-debug-id:\nDNT: 1\nDNT: 0\nX-LB-TAGS: a",
			ingest.Raw{URI: "/submit", Attributes: map[string]string{
				"args": "", "host": "x", "method": "POST", "protocol": "HTTP/1.1", "remote_addr": "203.0.113.7",
				"x_debug_id": "", "dnt": "1", "x_lb_tags": "a",
			}},
		},
		{
			"bytes that are no UTF-8",
			"POST /submit/\xe9 HTTP/1.1\nHost: x\nUser-Agent: caf\xe9 \xc3\xa9",
			ingest.Raw{URI: "/submit/é", Attributes: map[string]string{
				"args": "", "host": "x", "method": "POST", "protocol": "HTTP/1.1", "remote_addr": "203.0.113.7",
				"user_agent": "café Ã©",
			}},
		},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			stream := &recorder{}
			h := mustHandler(t, Options{Stream: stream})
			if got := do(h, request(t, c.request, string(c.want.Body))).StatusCode; got != 200 {
				t.Fatalf("status %d", got)
			}
			c.want.Submitted = time.Date(2026, 11, 22, 12, 0, 0, 123456000, time.UTC)
			if diff := cmp.Diff([]ingest.Raw{c.want}, stream.taken()); diff != "" {
				t.Errorf("raw differs (-want +got):\n%s", diff)
			}
		})
	}
}

func TestPeer(t *testing.T) {
	for address, want := range map[string]string{
		"203.0.113.7:1":      "203.0.113.7",
		"[2001:db8::1]:8080": "2001:db8::1",
		"@":                  "",
		"":                   "",
	} {
		if got := peer(address); got != want {
			t.Errorf("peer of %q is %q, want %q", address, got, want)
		}
	}
}

func TestHeaderLimits(t *testing.T) {
	repeat := strings.Repeat
	cases := []struct {
		name    string
		request string
		want    int
	}{
		{"uri of 1024", "POST /submit/" + repeat("a", 1024-8) + " HTTP/1.1\nHost: x", 200},
		{"uri of 1025", "POST /submit/" + repeat("a", 1025-8) + " HTTP/1.1\nHost: x", 431},
		{"uri of 1024, the query beside it", "POST /submit/" + repeat("a", 1024-8) + "?" + repeat("q", 1024) + " HTTP/1.1\nHost: x", 200},
		{"query of 1025", "POST /submit/a?" + repeat("q", 1025) + " HTTP/1.1\nHost: x", 431},
		{"host of 1025", "POST /submit/a HTTP/1.1\nHost: " + repeat("h", 1025), 431},
		{"header of 1024", "POST /submit/a HTTP/1.1\nHost: x\nUser-Agent: " + repeat("u", 1024), 200},
		{"header of 1025", "POST /submit/a HTTP/1.1\nHost: x\nUser-Agent: " + repeat("u", 1025), 431},
		{"512 bytes of 0xFF", "POST /submit/a HTTP/1.1\nHost: x\nDate: " + repeat("\xff", 512), 200},
		{"513 bytes of 0xFF", "POST /submit/a HTTP/1.1\nHost: x\nDate: " + repeat("\xff", 513), 431},
		{"a long header that is not kept", "POST /submit/a HTTP/1.1\nHost: x\nCookie: " + repeat("c", 5000), 200},
		{"a second value that is not kept", "POST /submit/a HTTP/1.1\nHost: x\nDNT: 1\nDNT: " + repeat("d", 5000), 200},
		{"stub of 1025", "GET /stub/" + repeat("a", 1025-6) + " HTTP/1.1\nHost: x", 431},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			stream := &recorder{}
			if got := do(mustHandler(t, Options{Stream: stream}), request(t, c.request, "")).StatusCode; got != c.want {
				t.Errorf("status %d, want %d", got, c.want)
			}
			if got := len(stream.taken()); (got == 1) != (c.want == 200) {
				t.Errorf("%d raws were stored", got)
			}
		})
	}
}

// Over a real connection, with a length announced and without.
func TestBodySizes(t *testing.T) {
	stream := &recorder{}
	server := httptest.NewServer(mustHandler(t, Options{Stream: stream}))
	defer server.Close()
	for _, size := range []int{0, 1, 4 << 10, 4<<10 + 1, 64 << 10, 64<<10 + 1, 1 << 20, 8<<20 - 1, 8 << 20, 8<<20 + 1, 10<<20 + 1} {
		body := bytes.Repeat([]byte("\x1f\x8b\x00\xff"), size/4+1)[:size]
		for _, chunked := range []string{"announced", "chunked"} {
			t.Run(fmt.Sprintf("%d %s", size, chunked), func(t *testing.T) {
				var reader io.Reader = bytes.NewReader(body)
				if chunked == "chunked" {
					reader = iotest.HalfReader(reader)
				}
				response, err := http.Post(server.URL+"/submit/a", "", reader)
				if err != nil {
					t.Fatal(err)
				}
				text := textOf(t, response)
				if err := response.Body.Close(); err != nil {
					t.Fatal(err)
				}
				raws := stream.taken()
				if size > 8<<20 {
					if response.StatusCode != 413 || text != "payload too large\n" || len(raws) != 0 {
						t.Errorf("status %d %q, %d raws stored; want 413", response.StatusCode, text, len(raws))
					}
					return
				}
				if response.StatusCode != 200 || text != "" || len(raws) != 1 || !bytes.Equal(raws[0].Body, body) {
					t.Errorf("status %d %q, %d raws stored; want 200 and the body as sent", response.StatusCode, text, len(raws))
				}
			})
		}
	}
}

func TestPreflight(t *testing.T) {
	cases := []struct{ name, asked, want string }{
		{"names are sent back", "content-encoding,content-type, X-Debug-ID", "content-encoding,content-type, X-Debug-ID"},
		{"not asked", "", usualHeaders},
		{"no names", "a b", usualHeaders},
		{"an empty name", "a,,b", usualHeaders},
		{"markup", "<script>", usualHeaders},
		{"not ASCII", "caf\xe9", usualHeaders},
		{"1024 bytes", strings.Repeat("a", 1024), strings.Repeat("a", 1024)},
		{"1025 bytes", strings.Repeat("a", 1025), usualHeaders},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			stream := &recorder{}
			r := request(t, "OPTIONS /submit/a/b/1/c HTTP/1.1\nHost: x\nOrigin: http://o\nAccess-Control-Request-Headers: "+c.asked, "")
			got := do(mustHandler(t, Options{Stream: stream}), r)
			want := http.Header{
				"Access-Control-Allow-Origin":  {"*"},
				"Access-Control-Allow-Methods": {"POST, PUT, OPTIONS"},
				"Access-Control-Allow-Headers": {c.want},
				"Access-Control-Max-Age":       {"86400"},
			}
			if diff := cmp.Diff(want, got.Header); got.StatusCode != 204 || diff != "" {
				t.Errorf("status %d, headers (-want +got):\n%s", got.StatusCode, diff)
			}
			if len(stream.taken()) != 0 {
				t.Error("a preflight was stored")
			}
		})
	}
}

// gone is an Appender that meets the end of the client's side, then answers err.
type gone struct {
	leave context.CancelFunc
	err   error
}

func (g gone) Append(ctx context.Context, _ *ingest.Raw) error {
	g.leave()
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return g.err
}

func TestAClientThatClosedItsSideGetsTheTrueAnswer(t *testing.T) {
	for _, c := range []struct {
		err    error
		status int
	}{{nil, 200}, {errFull, 507}, {errOther, 503}} {
		ctx, cancel := context.WithCancel(t.Context())
		h := mustHandler(t, Options{Stream: gone{cancel, c.err}, IsFull: func(err error) bool { return errors.Is(err, errFull) }})
		w := httptest.NewRecorder()
		h.ServeHTTP(w, request(t, "POST /submit/a HTTP/1.1\nHost: x", "").WithContext(ctx))
		if w.Code != c.status {
			t.Errorf("append %v: status %d, want %d", c.err, w.Code, c.status)
		}
	}
}

func TestAClientThatLeftInItsBodyIsNeverToldOK(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	registry := prometheus.NewRegistry()
	r := request(t, "POST /submit/a HTTP/1.1\nHost: x", "").WithContext(ctx)
	r.Body, r.ContentLength = io.NopCloser(iotest.ErrReader(io.ErrUnexpectedEOF)), 5
	w := httptest.NewRecorder()
	mustHandler(t, Options{Stream: &recorder{}, Metrics: registry}).ServeHTTP(w, r)
	if got := counts(t, registry); w.Code != 503 || !slices.Contains(got, "499=1") {
		t.Errorf("status %d, counted %v", w.Code, got)
	}
}

// counts are the non-zero request counters, and the bytes.
func counts(t *testing.T, registry *prometheus.Registry) (all []string) {
	t.Helper()
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		for _, m := range f.GetMetric() {
			name := "bytes"
			for _, l := range m.GetLabel() {
				name = l.GetValue()
			}
			if v := m.GetCounter().GetValue(); v > 0 {
				all = append(all, fmt.Sprintf("%s=%v", name, v))
			}
		}
	}
	return all
}

func TestMetrics(t *testing.T) {
	registry := prometheus.NewRegistry()
	stream := &recorder{}
	h := mustHandler(t, Options{Stream: stream, Metrics: registry})
	do(h, request(t, "POST /submit/a HTTP/1.1\nHost: x\nContent-Length: 5", "12345"))
	do(h, request(t, "POST /submit/a HTTP/1.1\nHost: x\nContent-Length: 2", "12"))
	do(h, request(t, "GET / HTTP/1.1\nHost: x", ""))
	stream.err = errOther
	do(h, request(t, "POST /submit/a HTTP/1.1\nHost: x", ""))
	if diff := cmp.Diff([]string{"bytes=7", "200=2", "404=1", "503=1"}, counts(t, registry)); diff != "" {
		t.Errorf("counters differ (-want +got):\n%s", diff)
	}
	if _, err := NewServer(forTests(Options{Stream: stream, Metrics: registry})); err == nil {
		t.Error("a second edge registered the same metrics")
	}
}

func TestOneLogLineASecondAndNoPayload(t *testing.T) {
	var log bytes.Buffer
	now := noon
	plain := slog.NewTextHandler(&log, &slog.HandlerOptions{ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
		if a.Key == slog.TimeKey {
			return slog.Attr{}
		}
		return a
	}})
	h := mustHandler(t, Options{Stream: &recorder{err: errOther}, Logger: slog.New(plain), Now: func() time.Time { return now }})
	for _, wait := range []time.Duration{0, 0, 999 * time.Millisecond, time.Millisecond, 0} {
		now = now.Add(wait)
		do(h, request(t, "POST /submit/a?secret HTTP/1.1\nHost: x\nContent-Length: 6", "secret"))
	}
	want := `level=WARN msg="ping refused: not stored" error="the disk is on fire" lines_skipped=0
level=WARN msg="ping refused: not stored" error="the disk is on fire" lines_skipped=2
`
	if diff := cmp.Diff(want, log.String()); diff != "" {
		t.Errorf("log differs (-want +got):\n%s", diff)
	}
}

func TestNewServerTellsAllFaultsAtOnce(t *testing.T) {
	for _, c := range []struct {
		name string
		o    Options
		want string
	}{
		{"nothing", Options{}, "set up the edge: no stream\nno routes"},
		{"body", Options{Stream: &recorder{}, Routes: referenceRoutes, MaxBody: -1}, "set up the edge: largest body of -1 bytes with 134217728 in flight: must be at most half of it"},
		{"in flight", Options{Stream: &recorder{}, Routes: referenceRoutes, MaxInflight: 16<<20 - 1}, "set up the edge: largest body of 8388608 bytes with 16777215 in flight: must be at most half of it"},
		{"connections", Options{Stream: &recorder{}, Routes: referenceRoutes, MaxConnections: -1}, "set up the edge: at most -1 connections"},
		{"route", Options{Stream: &recorder{}, Routes: []Route{{"submit", []string{"PUT"}}}}, `set up the edge: route "submit" of [PUT]: want a path from the root, and methods`},
		{"methods", Options{Stream: &recorder{}, Routes: []Route{{"/submit", nil}}}, `set up the edge: route "/submit" of []: want a path from the root, and methods`},
	} {
		if _, err := NewServer(c.o); err == nil || err.Error() != c.want {
			t.Errorf("%s: %v, want %s", c.name, err, c.want)
		}
	}
}
