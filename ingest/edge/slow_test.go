package edge

import (
	"bufio"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
)

const overload = `503 "" Access-Control-Allow-Origin: * Retry-After: 60 Connection: close`

// What is late is never answered with a 4xx: a client deletes its ping on those.
func TestHeadersThatAreLate(t *testing.T) {
	const silence = ""
	for _, c := range []struct{ name, text, want string }{
		{"nothing", "", silence},
		{"a part of the line's first", "POST ", overload},
		{"a part of the line", "POST /submit/a", overload},
		{"the line", "POST /submit/a HTTP/1.1\n", silence},
		{"a part of a header's name", "POST /submit/a HTTP/1.1\nHost: x\nX-Debug-ID", overload},
		{"a part of a header", "POST /submit/a HTTP/1.1\nHost: x\nX-Debug-ID: a", silence},
		{"all but the last line end", "POST /submit/a HTTP/1.1\nHost: x\nContent-Length: 2\n", silence},
		{"no HTTP at all", "hello\n", `400 "400 Bad Request" Connection: close`},
	} {
		for _, first := range []string{"", smallPing} {
			t.Run(c.name+map[bool]string{true: ", second"}[first != ""], func(t *testing.T) {
				_, address := startServer(t, Options{
					Stream: &recorder{}, HeaderTimeout: 50 * time.Millisecond, IdleTimeout: 50 * time.Millisecond,
				})
				on := dial(t, address)
				if on.say(first); first != "" {
					if got := on.answer(); !strings.HasPrefix(got, "200") {
						t.Fatal(got)
					}
				}
				on.say(c.text)
				if c.want != silence {
					if got := on.answer(); got != c.want {
						t.Errorf("got %s, want %s", got, c.want)
					}
				}
				on.wantEnd()
			})
		}
	}
}

func TestBodiesThatAreLate(t *testing.T) {
	for _, c := range []struct{ name, text string }{
		{"nothing of it", "Content-Length: 5\n\n"},
		{"a part", "Content-Length: 5\n\n1234"},
		{"a part of a large one", "Content-Length: 8000000\n\n" + strings.Repeat("x", 100_000)},
		{"no chunk", "Transfer-Encoding: chunked\n\n"},
		{"a part of a chunk", "Transfer-Encoding: chunked\n\n5\n1234"},
		{"no last chunk", "Transfer-Encoding: chunked\n\n5\n12345\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			stream, registry := &recorder{}, prometheus.NewRegistry()
			_, address := startServer(t, Options{Stream: stream, Metrics: registry, ReadTimeout: 50 * time.Millisecond})
			on := dial(t, address)
			on.say("POST /submit/a HTTP/1.1\nHost: x\n" + c.text)
			if got := on.answer(); got != overload {
				t.Errorf("got %s", got)
			}
			on.wantEnd()
			if got := len(stream.taken()); got != 0 {
				t.Errorf("%d raws were stored", got)
			}
			eventually(t, registry, inflightBytes, 0)
			if diff := cmp.Diff(map[string]float64{"503": 1}, requestCounts(t, registry)); diff != "" {
				t.Errorf("counters differ (-answered +counted):\n%s", diff)
			}
		})
	}
}

// A client that stops sending in the middle, and goes on reading, must not hear
// that its ping is stored.
func TestBodiesThatAreCutOff(t *testing.T) {
	for _, c := range []struct{ name, text string }{
		{"nothing of it", "Content-Length: 5\n\n"},
		{"a part", "Content-Length: 5\n\n1234"},
		{"no chunk", "Transfer-Encoding: chunked\n\n"},
		{"a part of a chunk's size", "Transfer-Encoding: chunked\n\n1"},
		{"a part of a chunk", "Transfer-Encoding: chunked\n\n5\n1234"},
		{"a part of a large chunk", "Transfer-Encoding: chunked\n\n20000\n" + strings.Repeat("x", 100_000)},
		{"no last chunk", "Transfer-Encoding: chunked\n\n5\n12345\n"},
		{"no end of the last chunk", "Transfer-Encoding: chunked\n\n5\n12345\n0\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			stream, registry := &recorder{}, prometheus.NewRegistry()
			_, address := startServer(t, Options{Stream: stream, Metrics: registry})
			on := dial(t, address)
			on.say("POST /submit/a HTTP/1.1\nHost: x\n" + c.text)
			must(t, on.Conn.(*net.TCPConn).CloseWrite())
			if got := on.answer(); got != overload {
				t.Errorf("got %s", got)
			}
			on.wantEnd()
			if got := len(stream.taken()); got != 0 {
				t.Errorf("%d raws were stored", got)
			}
			eventually(t, registry, inflightBytes, 0)
			if diff := cmp.Diff(map[string]float64{"499": 1}, requestCounts(t, registry)); diff != "" {
				t.Errorf("counters differ (-answered +counted):\n%s", diff)
			}
		})
	}
}

// pipes is a listener for connections inside the process, which know no time but
// the test's.
type pipes struct {
	conns  chan net.Conn
	closed chan struct{}
}

func newPipes() *pipes { return &pipes{make(chan net.Conn), make(chan struct{})} }

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error   { close(p.closed); return nil }
func (p *pipes) Addr() net.Addr { return &net.UnixAddr{} }

func (p *pipes) dial(t *testing.T) *client {
	ours, theirs := net.Pipe()
	t.Cleanup(func() { _ = ours.Close() }) // the test may have closed it
	p.conns <- theirs
	return &client{t, ours, bufio.NewReader(ours)}
}

// trickle sends text again and again, a second apart, until the server hangs up.
func (c *client) trickle(text string) {
	for {
		if _, err := c.Write([]byte(text)); err != nil {
			return
		}
		<-time.After(time.Second)
	}
}

// A byte now and then makes no time longer.
func TestTricklingEnds(t *testing.T) {
	o := Options{HeaderTimeout: 10 * time.Second, ReadTimeout: 30 * time.Second, IdleTimeout: 2 * time.Minute}
	for _, c := range []struct {
		name, first, more string
		want              string // the answer, if any
		after             time.Duration
	}{
		{"line", "", "a", overload, 10 * time.Second},
		{"header", "POST /submit/a HTTP/1.1\r\nHost: x\r\nX-A: ", "a", "", 10 * time.Second},
		{"many headers", "POST /submit/a HTTP/1.1\r\nHost: x\r\n", "a: b\r\n", "", 10 * time.Second},
		{"body", "POST /submit/a HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n", "a", overload, 30 * time.Second},
		{"chunks", "POST /submit/a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n", "1\r\na\r\n", overload, 30 * time.Second},
		{"nothing", "", "", "", 10 * time.Second},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				listener, stream := newPipes(), &recorder{}
				o.Stream = stream
				serveOn(t, o, listener)
				on := listener.dial(t)
				began := time.Now()
				var sending sync.WaitGroup
				defer sending.Wait()
				defer on.Close()
				sending.Go(func() {
					if _, err := on.Write([]byte(c.first)); err == nil {
						on.trickle(c.more)
					}
				})
				if c.want != "" {
					if got := on.answer(); got != c.want {
						t.Errorf("got %s, want %s", got, c.want)
					}
				} else {
					on.wantEnd()
				}
				if took := time.Since(began); took != c.after {
					t.Errorf("it took %s, want %s", took, c.after)
				}
				if got := len(stream.taken()); got != 0 {
					t.Errorf("%d raws were stored", got)
				}
			})
		})
	}
}

func TestARestingConnectionIsClosed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		listener := newPipes()
		serveOn(t, Options{Stream: &recorder{}, IdleTimeout: 2 * time.Minute}, listener)
		on := listener.dial(t)
		for range 3 {
			on.say(smallPing)
			if got := on.answer(); !strings.HasPrefix(got, "200") || strings.HasSuffix(got, "close") {
				t.Fatal(got)
			}
			<-time.After(2*time.Minute - time.Second)
		}
		on.say(smallPing)
		if got := on.answer(); !strings.HasPrefix(got, "200") {
			t.Fatal(got)
		}
		began := time.Now()
		on.wantEnd()
		if took := time.Since(began); took != 2*time.Minute {
			t.Errorf("it was closed after %s", took)
		}
	})
}

// A client that does not read its answers keeps its connection no longer than a
// request may take.
func TestAnAnswerThatNobodyReads(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		listener, registry := newPipes(), prometheus.NewRegistry()
		serveOn(t, Options{Stream: &recorder{}, Metrics: registry, ReadTimeout: 30 * time.Second}, listener)
		on := listener.dial(t)
		began := time.Now()
		on.say(smallPing)
		synctest.Wait()
		if got := gauge(t, registry, openOnes); got != 1 {
			t.Fatalf("%v connections are open", got)
		}
		<-time.After(30*time.Second + appendTimeout + answerTime)
		synctest.Wait()
		if got := gauge(t, registry, openOnes); got != 0 {
			t.Errorf("after %s %v connections are open", time.Since(began), got)
		}
	})
}

// Keeping the real status of a late body depends on the standard library's answer
// for a head that was cut off: if it changes, this says so.
func TestTheStandardLibrarysOwnAnswers(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	plain := http.Server{MaxHeaderBytes: maxHeaderBytes}
	ended := make(chan error, 1)
	go func() { ended <- plain.Serve(listener) }()
	defer func() {
		must(t, plain.Close())
		<-ended
	}()
	for text, want := range map[string]string{
		"hello\n": serverBadRequest,
		"POST /" + strings.Repeat("a", 100_000) + " HTTP/1.1\n\n": serverTooLarge,
	} {
		on := dial(t, listener.Addr().String())
		go on.sayWhatFits(text)
		got := make([]byte, len(want))
		if _, err := on.in.Read(got); err != nil || string(got) != want {
			t.Errorf("got %q, %v; want %q", got, err, want)
		}
	}
}
