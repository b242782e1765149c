package edge

import (
	"context"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// At the end those that are still sending are refused soon, those that have sent get
// their answer, and nobody is cut off.
func TestShutdownHurriesSlowClients(t *testing.T) {
	stream, registry := &recorder{}, prometheus.NewRegistry()
	s, address := startServer(t, Options{Stream: stream, Metrics: registry})
	body := hold(t, address, "Content-Length: 10")
	body.say("12345")
	chunked := hold(t, address, "Transfer-Encoding: chunked")
	head := dial(t, address)
	head.say("POST /submit/a HTTP/1.1\nHost")
	silent := dial(t, address)
	eventually(t, registry, "pinglake_ingest_edge_open_connections", 4)

	ctx, cancel := context.WithTimeout(t.Context(), testDeadline)
	defer cancel()
	if err := s.Shutdown(ctx); err != nil {
		t.Errorf("requests were cut off: %v", err)
	}
	for what, c := range map[string]*client{"body": body, "chunked": chunked} {
		if got := c.answer(); got != overload {
			t.Errorf("%s: %s", what, got)
		}
		c.wantEnd()
	}
	head.wantEnd()
	silent.wantEnd()
	if got := len(stream.taken()); got != 0 {
		t.Errorf("%d raws were stored", got)
	}
}

// Connections that say nothing do not keep the reserve, in which others are told
// that there is no place.
func TestSilentConnectionsLeaveTheReserve(t *testing.T) {
	registry := prometheus.NewRegistry()
	_, address := startServer(t, Options{Stream: &recorder{}, Metrics: registry, MaxConnections: 1, HeaderTimeout: testDeadline, ReadTimeout: testDeadline})
	const open = "pinglake_ingest_edge_open_connections"
	dial(t, address)
	eventually(t, registry, open, 1)
	second := dial(t, address)
	eventually(t, registry, open, 2)
	second.wantEnd()
	third := dial(t, address)
	third.say("POST /submit/a HTTP/1.1\nHost: x\nContent-Length: 0\n\n")
	if got := third.answer(); got != overload {
		t.Errorf("got %s", got)
	}
}

func TestAStuckCheckDoesNotStickTheHeartbeat(t *testing.T) {
	stuck := make(chan struct{})
	defer close(stuck)
	check := Check{Name: "c", Run: func(context.Context) []Finding {
		<-stuck
		return nil
	}}
	ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	found := check.within(ctx)
	if len(found) != 1 || found[0].Level != LevelError || found[0].ID != idCheckLate {
		t.Errorf("found %v", found)
	}
}
