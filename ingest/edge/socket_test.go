package edge

import (
	"bufio"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// testDeadline is how long a test waits for what must happen.
const testDeadline = 30 * time.Second

// startServer serves on a port of its own until the test ends.
func startServer(t *testing.T, o Options) (*Server, string) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return serveOn(t, o, listener), listener.Addr().String()
}

func serveOn(t *testing.T, o Options, listeners ...net.Listener) *Server {
	t.Helper()
	s, err := NewServer(forTests(o))
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, len(listeners))
	for _, l := range listeners {
		go func() { ended <- s.Serve(l) }()
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		for range listeners {
			if err := <-ended; !errors.Is(err, http.ErrServerClosed) {
				t.Errorf("serve: %v", err)
			}
		}
	})
	return s
}

// client is a connection on which a test says every byte itself.
type client struct {
	t *testing.T
	net.Conn
	in *bufio.Reader
}

func dial(t *testing.T, address string) *client {
	t.Helper()
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	return newClient(t, conn)
}

func newClient(t *testing.T, conn net.Conn) *client {
	t.Helper()
	t.Cleanup(func() { _ = conn.Close() }) // the test may have closed it
	if err := conn.SetDeadline(time.Now().Add(testDeadline)); err != nil {
		t.Fatal(err)
	}
	return &client{t, conn, bufio.NewReader(conn)}
}

// say sends text as it is, but with the line ends of HTTP.
func (c *client) say(text string) {
	c.t.Helper()
	if _, err := io.WriteString(c, strings.ReplaceAll(text, "\n", "\r\n")); err != nil {
		c.t.Fatal(err)
	}
}

// sayWhatFits is say for what the server may not read to its end.
func (c *client) sayWhatFits(text string) {
	_, _ = io.WriteString(c, strings.ReplaceAll(text, "\n", "\r\n"))
}

// answer reads one answer as a line.
func (c *client) answer() string {
	c.t.Helper()
	response, err := http.ReadResponse(c.in, nil)
	if err != nil {
		c.t.Fatal(err)
	}
	text := answerText(c.t, response)
	if response.Close {
		text += " Connection: close"
	}
	return text
}

// wantEnd fails the test if the server says anything more, or does not hang up.
func (c *client) wantEnd() {
	c.t.Helper()
	rest, err := io.ReadAll(c.in)
	var timeout net.Error
	if len(rest) > 0 || errors.As(err, &timeout) && timeout.Timeout() {
		c.t.Errorf("read %q, %v; want the end of the connection", rest, err)
	}
}

// hold begins a request and returns when the server reads its body.
func hold(t *testing.T, address, length string) *client {
	t.Helper()
	c := dial(t, address)
	c.say("POST /submit/held HTTP/1.1\nHost: x\nExpect: 100-continue\n" + length + "\n\n")
	c.wantContinue()
	return c
}

func (c *client) wantContinue() {
	c.t.Helper()
	line, err := c.in.ReadString('\n')
	if err != nil || line != "HTTP/1.1 100 Continue\r\n" {
		c.t.Fatalf("read %q, %v", line, err)
	}
	if _, err := c.in.Discard(len("\r\n")); err != nil {
		c.t.Fatal(err)
	}
}

// requestCounts are the requests that were answered, by their status.
func requestCounts(t *testing.T, registry *prometheus.Registry) map[string]float64 {
	t.Helper()
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]float64{}
	for _, f := range families {
		if f.GetName() != "pinglake_ingest_edge_requests_total" {
			continue
		}
		for _, m := range f.GetMetric() {
			if n := m.GetCounter().GetValue(); n > 0 {
				all[m.GetLabel()[0].GetValue()] = n
			}
		}
	}
	return all
}

// gauge is a metric's value.
func gauge(t *testing.T, registry *prometheus.Registry, name string) float64 {
	t.Helper()
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		if f.GetName() == name {
			return f.GetMetric()[0].GetGauge().GetValue() + f.GetMetric()[0].GetCounter().GetValue()
		}
	}
	t.Fatalf("no metric %s", name)
	return 0
}

// eventually asks until a metric has the value.
func eventually(t *testing.T, registry *prometheus.Registry, name string, want float64) {
	t.Helper()
	got := -1.0
	for end := time.Now().Add(testDeadline); got != want && time.Now().Before(end); {
		got = gauge(t, registry, name)
	}
	if got != want {
		t.Fatalf("%s is %v, want %v", name, got, want)
	}
}
