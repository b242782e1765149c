package edge

import (
	"context"
	"crypto/tls"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"
)

const (
	// maxHeaderBytes bounds a request line and its headers together. net/http adds
	// 4 KiB to it.
	maxHeaderBytes = 64 << 10

	// answerTime is what a client has to read an answer.
	answerTime = 10 * time.Second
)

// Server is the edge: HTTP/1.1 on any number of listeners, which share its bounds.
type Server struct {
	http    http.Server
	handler *handler
	open    sync.Map // of the connections that are open, each a *conn
}

// NewServer sets an edge up.
func NewServer(o Options) (*Server, error) {
	o = o.withDefaults()
	h, err := newHandler(o)
	if err != nil {
		return nil, err
	}
	s := &Server{handler: h}
	s.http = http.Server{
		Handler:           h,
		ReadHeaderTimeout: o.HeaderTimeout,
		ReadTimeout:       o.ReadTimeout,
		WriteTimeout:      o.ReadTimeout + appendTimeout + answerTime,
		IdleTimeout:       o.IdleTimeout,
		MaxHeaderBytes:    maxHeaderBytes,
		ErrorLog:          slog.NewLogLogger(o.Logger.Handler(), slog.LevelDebug),
		ConnContext:       withConn,
		ConnState:         s.follow,
		// No HTTP/2: its streams would hold bodies that no bound of ours counts.
		TLSNextProto: map[string]func(*http.Server, *tls.Conn, http.Handler){},
	}
	return s, nil
}

// Serve takes requests of a listener until Shutdown or Close, and then returns
// http.ErrServerClosed. It may be called for several. A listener of [tls.NewListener]
// makes it HTTPS.
func (s *Server) Serve(l net.Listener) error {
	return s.http.Serve(&boundListener{
		Listener: l, connections: s.handler.connections, metrics: s.handler.metrics, closed: make(chan struct{}),
	})
}

// Shutdown closes the listeners and waits for the requests in hand until ctx is
// done. What is still on its way has a moment to arrive, and is then refused with
// 503: slow clients do not hold the end up.
func (s *Server) Shutdown(ctx context.Context) error {
	ended := make(chan error, 1)
	go func() { ended <- s.http.Shutdown(ctx) }()
	s.open.Range(func(c, _ any) bool {
		_ = c.(*conn).hurry(linger) // fails only when it is closed
		return true
	})
	return <-ended
}

// Close cuts everything off.
func (s *Server) Close() error { return s.http.Close() }
