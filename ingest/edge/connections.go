package edge

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"sync"
	"sync/atomic"
	"time"
)

// reserve is how many connections over the bound are still taken, only to be told
// so: a client without an answer can not know that it should come back later.
const reserve = 64

// reserveTime is what a connection of the reserve has to send its request.
const reserveTime = 2 * time.Second

// connections bounds those that are open, over all listeners.
type connections struct {
	max   int
	slots chan struct{} // one in it for each open connection, those of the reserve too
}

func newConnections(limit int) *connections {
	return &connections{max: limit, slots: make(chan struct{}, limit+min(limit, reserve))}
}

func (c *connections) open() int { return len(c.slots) }

// areMany says that connections should not be kept open after their answer, so
// that those that rest do not take the place of those that send.
func (c *connections) areMany() bool { return c.open() > c.max*3/4 }

// connKey finds a request's connection in its context.
type connKey struct{}

// connOf is the connection of a request, nil for one that did not come over any.
func connOf(r *http.Request) *conn {
	c, _ := r.Context().Value(connKey{}).(*conn)
	return c
}

// refuse says whether a request came over a connection of the reserve, while
// there is still no better place for it.
func (c *connections) refuse(r *http.Request) bool {
	if c.open() <= c.max {
		return false
	}
	on := connOf(r)
	return on != nil && on.over
}

// boundListener takes no connection beyond the bound and its reserve: the next one
// waits here and those behind it in the system's queue, without any memory of ours.
type boundListener struct {
	net.Listener
	connections *connections
	metrics     *metrics

	closing sync.Once
	closed  chan struct{}
}

// Accept is the next connection, once there is room for it.
func (l *boundListener) Accept() (net.Conn, error) {
	accepted, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	select {
	case l.connections.slots <- struct{}{}:
	case <-l.closed:
		return nil, errors.Join(net.ErrClosed, accepted.Close())
	}
	c := &conn{Conn: accepted, connections: l.connections, metrics: l.metrics}
	if c.over = l.connections.open() > l.connections.max; c.over {
		// Those that say nothing leave the reserve soon, to others that ask.
		if err := c.hurry(reserveTime); err != nil {
			return nil, errors.Join(err, c.Close())
		}
	}
	return c, nil
}

// Close ends Accept.
func (l *boundListener) Close() error {
	l.closing.Do(func() { close(l.closed) })
	return l.Listener.Close()
}

// conn is a connection that holds a place until it is closed.
type conn struct {
	net.Conn
	connections *connections
	metrics     *metrics
	over        bool // there was no place but in the reserve
	closed      atomic.Bool

	deadline atomic.Pointer[time.Time] // no reading goes on after it; nil for none

	head    head
	first   firstHead
	pending []byte // read and escaped, but not given yet
}

// head is what became of the request line and headers in hand. Only the goroutine
// that reads the connection's requests may use it.
type head struct {
	lineRead bool // the line that begins the request has come to its end
	late     bool // the time was over before all had come
}

// plainToTLS is what a client reads that speaks plain HTTP where TLS is spoken.
const plainToTLS = "HTTP/1.0 400 Bad Request\r\nContent-Type: text/plain; charset=utf-8\r\nConnection: close\r\n\r\nthis port is for HTTPS\n"

// Read reads, and shakes hands before if the connection is a TLS one.
func (c *conn) Read(p []byte) (int, error) {
	if len(c.pending) > 0 {
		n := copy(p, c.pending)
		c.pending = c.pending[n:]
		return n, nil
	}
	n, err := c.Conn.Read(p)
	if !c.first.ended {
		passed := c.first.pass(p[:n])
		n = copy(p, passed)
		c.pending = passed[n:]
	}
	if !c.head.lineRead {
		c.head.lineRead = bytes.IndexByte(p[:n], '\n') >= 0
	}
	if err != nil {
		c.head.late = errors.Is(err, os.ErrDeadlineExceeded)
		answerPlain(err)
	}
	return n, err
}

// answerPlain tells a client that began without TLS where TLS is spoken.
func answerPlain(err error) {
	var noTLS tls.RecordHeaderError
	if errors.As(err, &noTLS) && noTLS.Conn != nil {
		_, _ = io.WriteString(noTLS.Conn, plainToTLS) // fails only when the client is gone
	}
}

// What net/http writes by itself when a request line and its headers exceed its
// limit, and when they make no sense, as a line does that was cut off at its time.
const (
	serverHeaders    = "\r\nContent-Type: text/plain; charset=utf-8\r\nConnection: close\r\n\r\n"
	serverTooLarge   = "HTTP/1.1 431 Request Header Fields Too Large" + serverHeaders + "431 Request Header Fields Too Large"
	serverBadRequest = "HTTP/1.1 400 Bad Request" + serverHeaders + "400 Bad Request"
)

// What is sent instead: net/http knows nothing of pages in browsers, nor which of
// the two was too long, nor that clients delete their pings on any 4xx.
const (
	headHeaders    = "\r\nAccess-Control-Allow-Origin: *" + serverHeaders
	headTooLarge   = "HTTP/1.1 431 Request Header Fields Too Large" + headHeaders + textHeaderTooLarge
	headURITooLong = "HTTP/1.1 414 Request URI Too Long" + headHeaders + textURITooLong
	headLate       = "HTTP/1.1 503 Service Unavailable\r\nRetry-After: " + retryAfter + headHeaders
)

// Write writes an answer, or part of one.
func (c *conn) Write(p []byte) (int, error) {
	switch {
	case string(p) == serverTooLarge && c.head.lineRead:
		return c.writeInstead(p, http.StatusRequestHeaderFieldsTooLarge, headTooLarge)
	case string(p) == serverTooLarge:
		return c.writeInstead(p, http.StatusRequestURITooLong, headURITooLong)
	case string(p) == serverBadRequest && c.head.late:
		return c.writeInstead(p, http.StatusServiceUnavailable, headLate)
	}
	return c.Conn.Write(p)
}

// writeInstead counts and writes an answer that no handler knows of.
func (c *conn) writeInstead(p []byte, code int, text string) (int, error) {
	c.metrics.count(code)
	if _, err := io.WriteString(c.Conn, text); err != nil {
		return 0, err
	}
	return len(p), nil
}

// hurry gives the client no more than so long to send what it has to send.
func (c *conn) hurry(left time.Duration) error {
	deadline := time.Now().Add(left)
	c.deadline.Store(&deadline)
	return c.Conn.SetReadDeadline(deadline)
}

// SetReadDeadline is the server's wish, but for a connection in a hurry.
func (c *conn) SetReadDeadline(t time.Time) error {
	if d := c.deadline.Load(); d != nil && (t.IsZero() || t.After(*d)) {
		t = *d
	}
	return c.Conn.SetReadDeadline(t)
}

// CloseWrite lets the client read the last answer before the connection closes.
func (c *conn) CloseWrite() error {
	if half, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return nil
}

// Close closes the connection and leaves its place to the next.
func (c *conn) Close() error {
	err := c.Conn.Close()
	if c.closed.CompareAndSwap(false, true) {
		<-c.connections.slots
	}
	return err
}

// withConn lets requests find their connection.
func withConn(ctx context.Context, c net.Conn) context.Context {
	return context.WithValue(ctx, connKey{}, c)
}

// follow hears of a connection's life and of its next request.
func (s *Server) follow(c net.Conn, state http.ConnState) {
	switch state {
	case http.StateNew:
		s.open.Store(c, nil)
	case http.StateClosed, http.StateHijacked:
		s.open.Delete(c)
	case http.StateIdle:
		on := c.(*conn)
		on.head, on.first.escaped = head{}, false
	}
}
