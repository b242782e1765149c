package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"

	"pinglake/conf"
	"pinglake/ingest/edge"
	"pinglake/ingest/stream"
)

// newEdge is the HTTP server for pings.
func (n *node) newEdge() (*edge.Server, error) {
	settings := n.settings.Edge
	return edge.NewServer(edge.Options{
		Stream: n.stream, Routes: edgeRoutes(settings.Routes), MaxBody: int64(settings.MaxBody),
		MaxInflight: int64(settings.MaxInflight), MaxConnections: n.connectionsFor(settings.MaxConnections),
		HeaderTimeout: settings.HeaderTimeout, ReadTimeout: settings.ReadTimeout, IdleTimeout: settings.IdleTimeout,
		Now: time.Now, IsFull: func(err error) bool { return errors.Is(err, stream.ErrFull) },
		Version: edgeVersion(),
		Checks: []edge.Check{
			edge.CheckDisk(filepath.Join(n.settings.Data, "stream"), int64(settings.MinFreeDisk)),
			edge.CheckStream(int64(settings.MaxBody), func(ctx context.Context) (taken, limit int64, err error) {
				state, err := n.stream.State(ctx)
				return state.Bytes, state.MaxBytes, err
			}),
		},
		Logger: n.logger, Metrics: n.metrics,
	})
}

func edgeRoutes(routes conf.Routes) (all []edge.Route) {
	for _, r := range routes {
		all = append(all, edge.Route{Pattern: r.Pattern, Methods: r.Methods})
	}
	return all
}

// ownFiles is how many files stream, dedup index, lake and queries may have open.
const ownFiles = 1024

// connectionsFor is how many connections the edge may have: those of the setting, or
// fewer if they would take the files that the rest of the process needs.
func (n *node) connectionsFor(wanted int) int {
	var files unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &files); err != nil {
		n.logger.Warn("the limit on open files is not known", "err", err)
		return wanted
	}
	limit := int(min(files.Cur, 1<<30))
	possible := max(limit-ownFiles, limit/4)
	if possible >= wanted {
		return wanted
	}
	n.logger.Warn("fewer connections than edge.max_connections: the limit on open files is low, raise it (ulimit -n)",
		"open_files", limit, "max_connections", wanted, "connections", possible)
	return possible
}

// edgeListeners are where pings are taken: plain HTTP, and HTTPS if it is set up.
type edgeListeners []net.Listener

// listenEdge listens on all addresses of the edge.
func (n *node) listenEdge() (edgeListeners, error) {
	settings := n.settings.Edge
	certificate, err := n.edgeCertificate()
	if err != nil {
		return nil, err
	}
	plain, err := net.Listen("tcp", settings.Addr)
	if err != nil {
		return nil, usagef("listen for pings: %w (choose another with --edge-addr)", err)
	}
	if certificate == nil {
		return edgeListeners{plain}, nil
	}
	secure, err := net.Listen("tcp", settings.TLSAddr)
	if err != nil {
		return nil, errors.Join(usagef("listen for pings over HTTPS: %w (choose another with --tls-addr)", err), plain.Close())
	}
	return edgeListeners{plain, tls.NewListener(secure, certificate.Config())}, nil
}

// edgeCertificate is the certificate for HTTPS, nil if there is none to be.
func (n *node) edgeCertificate() (*edge.Certificate, error) {
	settings := n.settings.Edge
	switch {
	case settings.TLSSelfSigned:
		return edge.SelfSigned(filepath.Join(n.settings.Data, "tls"), n.logger)
	case settings.TLSCert != "":
		certificate, err := edge.LoadCertificate(settings.TLSCert, settings.TLSKey, n.logger)
		if err != nil {
			return nil, usagef("%w (--tls-cert and --tls-key)", err)
		}
		return certificate, nil
	}
	return nil, nil
}

// addresses are the listeners for a log line.
func (l edgeListeners) addresses() []any {
	all := []any{"edge", l[0].Addr().String()}
	if len(l) > 1 {
		all = append(all, "tls", l[1].Addr().String())
	}
	return all
}

// httpServer is an *http.Server, or more than one in one.
type httpServer interface {
	Serve(net.Listener) error
	Shutdown(context.Context) error
	Close() error
}

// serveHTTP serves until stop, then finishes the requests in hand.
func serveHTTP(stop, orderly context.Context, server httpServer, listeners ...net.Listener) error {
	ended := make(chan error, len(listeners))
	for _, l := range listeners {
		go func() { ended <- server.Serve(l) }()
	}
	running := len(listeners)
	var errs []error
	select {
	case err := <-ended:
		running--
		errs = append(errs, err, server.Close())
	case <-stop.Done():
		if err := server.Shutdown(orderly); err != nil {
			errs = append(errs, fmt.Errorf("requests were cut off: %w", err), server.Close())
		}
	}
	for range running {
		if err := <-ended; !errors.Is(err, http.ErrServerClosed) {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}
