package edge

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/prometheus/client_golang/prometheus"

	"pinglake/ingest"
)

const (
	taken         = `200 "" Access-Control-Allow-Origin: *`
	inflightBytes = "pinglake_ingest_edge_inflight_bytes"
	openOnes      = "pinglake_ingest_edge_open_connections"
	refusedOnes   = "pinglake_ingest_edge_refused_connections_total"
)

func ping(t *testing.T, address string, size int) string {
	t.Helper()
	on := dial(t, address)
	on.say(fmt.Sprintf("POST /submit/a HTTP/1.1\nHost: x\nConnection: close\nContent-Length: %d\n\n", size))
	go on.sayWhatFits(strings.Repeat("x", size))
	return strings.TrimSuffix(on.answer(), " Connection: close")
}

func TestAnnouncedBodiesThatDoNotComeCostNearlyNothing(t *testing.T) {
	const clients = 200
	registry := prometheus.NewRegistry()
	_, address := startServer(t, Options{Stream: &recorder{}, Metrics: registry})
	before := heap()
	var held []*client
	for range clients {
		held = append(held, hold(t, address, "Content-Length: 8388608"))
	}
	if got := gauge(t, registry, inflightBytes); got != clients*firstRead {
		t.Errorf("%v bytes are set aside, want %d", got, clients*firstRead)
	}
	// Announced are 1.6 GiB. What connections of both sides need is part of this.
	if grown := heap() - before; grown > 32<<20 {
		t.Errorf("the heap grew by %d bytes", grown)
	}
	if got := ping(t, address, 1000); got != taken {
		t.Errorf("another client was answered %s", got)
	}
	for _, c := range held {
		must(t, c.Close())
	}
	eventually(t, registry, inflightBytes, 0)
	eventually(t, registry, openOnes, 0)
}

func heap() int64 {
	runtime.GC()
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return int64(stats.HeapAlloc)
}

func TestBytesInFlightAreBounded(t *testing.T) {
	const most = 64 << 10 // eight first reads
	for _, c := range []struct{ name, length string }{
		{"announced", "Content-Length: 8192"},
		{"chunked", "Transfer-Encoding: chunked"},
	} {
		t.Run(c.name, func(t *testing.T) {
			stream, registry := &recorder{}, prometheus.NewRegistry()
			_, address := startServer(t, Options{Stream: stream, Metrics: registry, MaxBody: 32 << 10, MaxInflight: most})
			var held []*client
			for range most / firstRead {
				held = append(held, hold(t, address, c.length))
			}
			if got := gauge(t, registry, inflightBytes); got != most {
				t.Fatalf("%v bytes are set aside, want %d", got, most)
			}
			if got := ping(t, address, 1); got+" Connection: close" != overload {
				t.Errorf("one more: %s", got)
			}
			if got := ping(t, address, 0); got != taken {
				t.Errorf("an empty one: %s", got)
			}
			if got := ping(t, address, 40_000); !strings.HasPrefix(got, "413") {
				t.Errorf("one that is too large anyway: %s", got)
			}
			must(t, held[0].Close())
			eventually(t, registry, inflightBytes, most-firstRead)
			if got := ping(t, address, 1000); got != taken {
				t.Errorf("when there was room again: %s", got)
			}
			if got := ping(t, address, firstRead+1); got+" Connection: close" != overload {
				t.Errorf("more than the room there is: %s", got)
			}
			eventually(t, registry, inflightBytes, most-firstRead)
		})
	}
}

// What grows beyond the bound is refused in the middle, and no other pays for it.
func TestABodyThatOutgrowsTheRoomIsRefused(t *testing.T) {
	stream, registry := &recorder{}, prometheus.NewRegistry()
	_, address := startServer(t, Options{Stream: stream, Metrics: registry, MaxBody: 32 << 10, MaxInflight: 64 << 10})
	half := strings.Repeat("x", 16<<10)
	first := hold(t, address, "Content-Length: 32768")
	first.say(half)
	eventually(t, registry, inflightBytes, 32<<10)
	second := hold(t, address, "Transfer-Encoding: chunked")
	second.say("4000\n" + half + "\n")
	if got := second.answer(); got != overload {
		t.Errorf("the second: %s", got)
	}
	eventually(t, registry, inflightBytes, 32<<10)
	first.say(half)
	if got := first.answer(); got != taken {
		t.Errorf("the first: %s", got)
	}
	if raws := stream.taken(); len(raws) != 1 || string(raws[0].Body) != half+half {
		t.Errorf("%d raws were stored", len(raws))
	}
	eventually(t, registry, inflightBytes, 0)
}

// Large bodies that come slowly, of however few clients, do not keep small ones out.
func TestLargeBodiesLeaveRoomForSmallOnes(t *testing.T) {
	registry := prometheus.NewRegistry()
	_, address := startServer(t, Options{Stream: &recorder{}, Metrics: registry, MaxBody: 32 << 10, MaxInflight: 128 << 10})
	for i := range 2 {
		hold(t, address, "Content-Length: 32768").say(strings.Repeat("x", firstRead))
		eventually(t, registry, inflightBytes, float64((i+1)*32<<10))
	}
	growing := hold(t, address, "Transfer-Encoding: chunked")
	for range 3 { // then three quarters are taken
		hold(t, address, "Transfer-Encoding: chunked")
	}
	for _, c := range []struct {
		size int
		want string
	}{
		{firstRead, taken},
		{firstRead + 1, strings.TrimSuffix(overload, " Connection: close")},
	} {
		if got := ping(t, address, c.size); got != c.want {
			t.Errorf("%d bytes: %s", c.size, got)
		}
	}
	growing.say(fmt.Sprintf("%x\n%s\n", firstRead, strings.Repeat("x", firstRead)))
	if got := growing.answer(); got != overload {
		t.Errorf("one that grows: %s", got)
	}
	eventually(t, registry, inflightBytes, 88<<10)
}

// An announced body that can not have room is refused before any of it is sent.
func TestAnAnnouncedBodyWithoutRoomIsRefusedAtOnce(t *testing.T) {
	registry := prometheus.NewRegistry()
	_, address := startServer(t, Options{Stream: &recorder{}, Metrics: registry, MaxBody: 32 << 10, MaxInflight: 64 << 10})
	for range 5 {
		hold(t, address, "Content-Length: 9000")
	}
	on := dial(t, address)
	on.say("POST /submit/a HTTP/1.1\nHost: x\nExpect: 100-continue\nContent-Length: 30000\n\n")
	if got := on.answer(); got != overload {
		t.Error(got)
	}
	on.wantEnd()
	if got := gauge(t, registry, inflightBytes); got != 5*firstRead {
		t.Errorf("%v bytes are set aside", got)
	}
}

// stuck is an Appender that answers when it is told to.
type stuck struct{ begun, answer chan struct{} }

func (s stuck) Append(context.Context, *ingest.Raw) error {
	s.begun <- struct{}{}
	<-s.answer
	return nil
}

func TestWhatWaitsToBeDurableIsInFlight(t *testing.T) {
	stream := stuck{make(chan struct{}, 1), make(chan struct{})}
	registry := prometheus.NewRegistry()
	_, address := startServer(t, Options{Stream: stream, Metrics: registry, MaxBody: 1 << 10, MaxInflight: 2 << 10})
	waiting := dial(t, address)
	waiting.say("POST /submit/a HTTP/1.1\nHost: x\nContent-Length: 1024\n\n" + strings.Repeat("x", 1024))
	<-stream.begun
	if got := gauge(t, registry, inflightBytes); got != 1024 {
		t.Errorf("%v bytes are set aside", got)
	}
	second := dial(t, address)
	second.say("POST /submit/a HTTP/1.1\nHost: x\nContent-Length: 1000\n\n" + strings.Repeat("x", 1000))
	<-stream.begun
	if got := ping(t, address, 25); got+" Connection: close" != overload {
		t.Errorf("a third: %s", got)
	}
	close(stream.answer)
	for _, c := range []*client{waiting, second} {
		if got := c.answer(); got != taken {
			t.Error(got)
		}
	}
	eventually(t, registry, inflightBytes, 0)
}

func TestConnectionsAreBounded(t *testing.T) {
	const most = 8
	plain, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	secure, pool := listenTLS(t)
	registry := prometheus.NewRegistry()
	serveOn(t, Options{Stream: &recorder{}, Metrics: registry, MaxConnections: most}, plain, secure)
	address := plain.Addr().String()
	var held []*client
	for range most {
		held = append(held, hold(t, address, "Content-Length: 2"))
	}
	config := &tls.Config{RootCAs: pool, ServerName: "localhost"}
	for _, c := range []struct {
		name, text, want string
	}{
		{"a ping", smallPing, overload},
		{"a preflight", "OPTIONS /submit/a HTTP/1.1\nHost: x\n\n", overload},
		{"a stub", "GET /stub/a HTTP/1.1\nHost: x\n\n", `503 "" Retry-After: 60 Connection: close`},
		{"nothing there", "GET / HTTP/1.1\nHost: x\n\n", overload},
		{"a load balancer", "GET /__lbheartbeat__ HTTP/1.1\nHost: x\n\n", `200 "" Connection: close`},
	} {
		on := dial(t, address)
		on.say(c.text)
		if got := on.answer(); got != c.want {
			t.Errorf("%s: got %s, want %s", c.name, got, c.want)
		}
		on.wantEnd()
		on = dialTLS(t, secure.Addr().String(), config)
		on.say(c.text)
		if got := on.answer(); got != c.want {
			t.Errorf("%s over HTTPS: got %s, want %s", c.name, got, c.want)
		}
		on.wantEnd()
	}
	eventually(t, registry, openOnes, most)
	if got := gauge(t, registry, refusedOnes); got != 8 {
		t.Errorf("%v refused connections were counted", got)
	}
	// What was there before is served, and leaves its place.
	for _, c := range held {
		c.say("{}")
		if got := c.answer(); !strings.HasPrefix(got, taken) {
			t.Error(got)
		}
		must(t, c.Close())
	}
	eventually(t, registry, openOnes, 0)
	if got := ping(t, address, 2); got != taken {
		t.Error(got)
	}
}

// Only what came over the bound is refused, and only as long as it is over it.
func TestConnectionsOverTheBoundAreRefusedAndNoOthers(t *testing.T) {
	const most = 8
	registry := prometheus.NewRegistry()
	_, address := startServer(t, Options{Stream: &recorder{}, Metrics: registry, MaxConnections: most})
	resting := dial(t, address)
	resting.say(smallPing)
	if got := resting.answer(); got != taken {
		t.Fatal(got)
	}
	var held []*client
	for range most - 1 {
		held = append(held, hold(t, address, "Content-Length: 2"))
	}
	over := dial(t, address)
	eventually(t, registry, openOnes, most+1)
	resting.say(smallPing)
	if got := resting.answer(); got != taken+" Connection: close" {
		t.Errorf("one that was there before: %s", got)
	}
	must(t, held[0].Close())
	eventually(t, registry, openOnes, most-1)
	hold(t, address, "Content-Length: 2")
	over.say(smallPing)
	if got := over.answer(); got != taken+" Connection: close" {
		t.Errorf("the one that was over the bound, when there was a place: %s", got)
	}
}

// Where three quarters are taken, connections end with their answer, so that those
// that rest leave room for those that send.
func TestConnectionsDoNotRestWhereTheyAreMany(t *testing.T) {
	const most = 8
	registry := prometheus.NewRegistry()
	_, address := startServer(t, Options{Stream: &recorder{}, Metrics: registry, MaxConnections: most})
	var resting []*client
	for i := range most {
		on := dial(t, address)
		on.say(smallPing)
		if closes := strings.HasSuffix(on.answer(), "Connection: close"); closes != (i >= most*3/4) {
			t.Errorf("connection %d is closed: %v", i+1, closes)
		} else if closes {
			on.wantEnd()
			eventually(t, registry, openOnes, most*3/4)
			continue
		}
		resting = append(resting, on)
	}
	for _, on := range resting {
		on.say(smallPing)
		if got := on.answer(); got != taken {
			t.Errorf("a resting one: %s", got)
		}
	}
}

// Beyond the reserve nothing is accepted, and closing ends the wait.
func TestNoConnectionIsAcceptedBeyondTheReserve(t *testing.T) {
	for _, c := range []struct{ most, with int }{{2, 4}, {reserve, 2 * reserve}, {100, 100 + reserve}} {
		synctest.Test(t, func(t *testing.T) {
			inner := newPipes()
			open := newConnections(c.most)
			l := &boundListener{Listener: inner, connections: open, closed: make(chan struct{})}
			accepted := make(chan net.Conn, 2*c.with)
			ended := make(chan error, 1)
			go func() {
				for {
					conn, err := l.Accept()
					if err != nil {
						ended <- err
						return
					}
					accepted <- conn
				}
			}()
			for range c.with {
				inner.dial(t)
			}
			synctest.Wait()
			if len(accepted) != c.with || open.open() != c.with {
				t.Fatalf("%d of %d were accepted, %d are open", len(accepted), c.with, open.open())
			}
			var over []bool
			var conns []net.Conn
			for range c.with {
				next := (<-accepted).(*conn)
				conns = append(conns, next)
				over = append(over, next.over)
			}
			if first := slices.Index(over, true); first != c.most {
				t.Errorf("the first over the bound is number %d, want %d", first+1, c.most+1)
			}
			inner.dial(t) // waits in Accept
			synctest.Wait()
			if len(accepted) != 0 {
				t.Error("one more was accepted")
			}
			must(t, conns[0].Close())
			if err := conns[0].Close(); err != nil { // again: it has left one place only
				t.Error(err)
			}
			synctest.Wait()
			if len(accepted) != 1 {
				t.Error("none was accepted when there was a place")
			}
			inner.dial(t)
			synctest.Wait()
			must(t, l.Close())
			if err := <-ended; err == nil {
				t.Error("Accept goes on")
			}
			if open.open() != c.with {
				t.Errorf("%d are open", open.open())
			}
		})
	}
}
