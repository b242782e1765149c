package edge

import (
	"crypto/tls"
	"net"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
)

// Request lines and headers that are too long, some for net/http to ask anybody.
func TestRequestLinesAndHeadersThatAreTooLong(t *testing.T) {
	repeat := strings.Repeat
	const (
		cors   = " Access-Control-Allow-Origin: *"
		tooURI = `414 "uri too long\n"` + cors
		tooFar = `431 "header too large\n"` + cors
		ends   = " Connection: close"
	)
	cases := []struct{ name, request, want string }{
		{"path of 1025", "POST /submit/" + repeat("a", 1025-8) + " HTTP/1.1\nHost: x\nContent-Length: 0\n\n", tooFar},
		{"target of 8192", "POST /submit/" + repeat("a", 8192-8) + " HTTP/1.1\nHost: x\nContent-Length: 0\n\n", tooFar},
		{"target of 8193", "POST /submit/" + repeat("a", 8193-8) + " HTTP/1.1\nHost: x\nContent-Length: 0\n\n", tooURI},
		{"query of 16 KiB", "POST /submit/a?" + repeat("q", 16<<10) + " HTTP/1.1\nHost: x\nContent-Length: 0\n\n", tooURI},
		{"target of 64 KB", "POST /submit/" + repeat("a", 64_000) + " HTTP/1.1\nHost: x\nContent-Length: 0\n\n", tooURI},
		{"line of 100 KB", "POST /submit/" + repeat("a", 100_000) + " HTTP/1.1\nHost: x\n\n", tooURI + ends},
		{"line without end", "POST /" + repeat("a", 80<<10), tooURI + ends},
		{"one header of 100 KB", "POST /submit/a HTTP/1.1\nHost: x\nUser-Agent: " + repeat("u", 100_000) + "\n\n", tooFar + ends},
		{"a header that is not kept of 100 KB", "POST /submit/a HTTP/1.1\nHost: x\nCookie: " + repeat("c", 100_000) + "\n\n", tooFar + ends},
		{"many headers", "POST /submit/a HTTP/1.1\nHost: x\n" + repeat("A: b\n", 20_000) + "\n", tooFar + ends},
		{"headers without end", "POST /submit/a HTTP/1.1\nHost: x\n" + repeat("A: b\n", 14_000), tooFar + ends},
		{"long line and long headers", "POST /submit/" + repeat("a", 30_000) + " HTTP/1.1\nHost: x\nCookie: " + repeat("c", 100_000) + "\n\n", tooFar + ends},
		{"a cookie of 60 KB is no fault", "POST /submit/a HTTP/1.1\nHost: x\nContent-Length: 0\nCookie: " + repeat("c", 60_000) + "\n\n", `200 ""` + cors},
	}
	plain, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	secure, pool := listenTLS(t)
	registry := prometheus.NewRegistry()
	serveOn(t, Options{Stream: &recorder{}, Metrics: registry}, plain, secure)
	want := map[string]float64{}
	for _, over := range []struct {
		name string
		dial func(*testing.T) *client
	}{
		{"HTTP", func(t *testing.T) *client { return dial(t, plain.Addr().String()) }},
		{"HTTPS", func(t *testing.T) *client {
			return dialTLS(t, secure.Addr().String(), &tls.Config{RootCAs: pool, ServerName: "localhost"})
		}},
	} {
		for _, c := range cases {
			t.Run(over.name+" "+c.name, func(t *testing.T) {
				on := over.dial(t)
				go on.sayWhatFits(c.request)
				if got := on.answer(); got != c.want {
					t.Errorf("got  %s\nwant %s", got, c.want)
				}
				want[c.want[:3]]++
			})
			t.Run(over.name+" second, "+c.name, func(t *testing.T) {
				on := over.dial(t)
				on.say("POST /submit/first HTTP/1.1\nHost: x\nContent-Length: 2\n\n\n") // a line end in the body
				if got := on.answer(); got != `200 ""`+cors {
					t.Fatal(got)
				}
				want["200"]++
				go on.sayWhatFits(c.request)
				if got := on.answer(); got != c.want {
					t.Errorf("got  %s\nwant %s", got, c.want)
				}
				want[c.want[:3]]++
			})
		}
	}
	if diff := cmp.Diff(want, requestCounts(t, registry)); diff != "" {
		t.Errorf("counters differ (-answered +counted):\n%s", diff)
	}
}
