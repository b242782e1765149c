// Package edge takes pings over HTTP and answers 200 only when a ping is on disk.
//
// It never opens a body: it bounds sizes, keeps the request's facts as they were
// sent, and hands everything on. Whether a ping makes sense is found out later,
// so that a client gets its answer from one append and nothing else.
package edge

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"pinglake/ingest"
)

const (
	defaultMaxBody        = 8 << 20
	defaultMaxInflight    = 128 << 20
	defaultMaxConnections = 4096
	defaultHeaderTimeout  = 10 * time.Second
	defaultReadTimeout    = 30 * time.Second
	defaultIdleTimeout    = 2 * time.Minute

	// retryAfter is how many seconds a client should wait after 503 and 507.
	retryAfter = "60"
)

// Appender makes a raw durable. It returns nil only when raw survives a crash.
type Appender interface {
	Append(ctx context.Context, raw *ingest.Raw) error
}

// Options are what the edge needs. Only Stream and Routes are required.
type Options struct {
	Stream Appender
	// Routes say which requests are kept, the first that fits. The three status
	// routes are there beside them.
	Routes []Route
	// MaxBody is the largest body accepted, in bytes as sent. 0 means 8 MiB.
	MaxBody int64
	// MaxInflight bounds the bytes of all bodies that are being read or wait to be
	// durable. 0 means 128 MiB. While a body grows it may need up to twice its size.
	// The last quarter takes no more than 8 KiB of a body.
	MaxInflight int64
	// MaxConnections bounds the open connections of all listeners. 0 means 4096.
	MaxConnections int
	// HeaderTimeout is how long a request line and its headers may take to arrive.
	// 0 means 10 s.
	HeaderTimeout time.Duration
	// ReadTimeout is how long a whole request may take to arrive. 0 means 30 s.
	ReadTimeout time.Duration
	// IdleTimeout is how long a connection may rest between requests. 0 means 2 min.
	IdleTimeout time.Duration
	// Now is the server's clock. nil means time.Now.
	Now func() time.Time
	// IsFull says whether an error of Stream means that its disk budget is spent:
	// 507 instead of 503. nil says no to all.
	IsFull func(error) bool
	// Version is what /__version__ answers.
	Version VersionInfo
	// Checks are what /__heartbeat__ runs.
	Checks []Check
	// Logger gets one line a second at most about requests that failed. nil
	// discards them.
	Logger *slog.Logger
	// Metrics is where the metrics are registered. nil registers none.
	Metrics prometheus.Registerer
}

// withDefaults is o with the defaults filled in.
func (o Options) withDefaults() Options {
	o.MaxBody = cmp.Or(o.MaxBody, defaultMaxBody)
	o.MaxInflight = cmp.Or(o.MaxInflight, defaultMaxInflight)
	o.MaxConnections = cmp.Or(o.MaxConnections, defaultMaxConnections)
	o.HeaderTimeout = cmp.Or(o.HeaderTimeout, defaultHeaderTimeout)
	o.ReadTimeout = cmp.Or(o.ReadTimeout, defaultReadTimeout)
	o.IdleTimeout = cmp.Or(o.IdleTimeout, defaultIdleTimeout)
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.IsFull == nil {
		o.IsFull = func(error) bool { return false }
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return o
}

// faults are all that is wrong with o once its defaults are filled in.
func (o Options) faults() error {
	var faults []error
	if o.Stream == nil {
		faults = append(faults, errors.New("no stream"))
	}
	if o.MaxBody < 0 || o.MaxInflight < 2*o.MaxBody {
		faults = append(faults, fmt.Errorf("largest body of %d bytes with %d in flight: must be at most half of it", o.MaxBody, o.MaxInflight))
	}
	if o.MaxConnections < 0 {
		faults = append(faults, fmt.Errorf("at most %d connections", o.MaxConnections))
	}
	return errors.Join(faults...)
}

type handler struct {
	stream      Appender
	routes      routeTable
	maxBody     int64
	inflight    *inflight
	connections *connections
	now         func() time.Time
	isFull      func(error) bool
	version     []byte // JSON
	checks      []Check
	log         *throttle
	metrics     *metrics
}

// newHandler is the edge as a handler: the routes of the table and the three
// status routes. o has its defaults.
func newHandler(o Options) (*handler, error) {
	routes, fault := newRouteTable(o.Routes)
	if err := errors.Join(o.faults(), fault); err != nil {
		return nil, fmt.Errorf("set up the edge: %w", err)
	}
	version, err := o.Version.json()
	if err != nil {
		return nil, fmt.Errorf("set up the edge: %w", err)
	}
	h := &handler{
		stream:      o.Stream,
		routes:      routes,
		maxBody:     o.MaxBody,
		inflight:    &inflight{max: o.MaxInflight},
		connections: newConnections(o.MaxConnections),
		now:         o.Now,
		isFull:      o.IsFull,
		version:     version,
		checks:      o.Checks,
		log:         &throttle{log: o.Logger, now: o.Now},
	}
	if h.metrics, err = newMetrics(o.Metrics, h.inflight, h.connections); err != nil {
		return nil, fmt.Errorf("set up the edge: register metrics: %w", err)
	}
	return h, nil
}

// ServeHTTP answers one request and counts it.
func (h *handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if h.connections.areMany() {
		w.Header()["Connection"] = closing
	}
	uri, args := target(r)
	h.metrics.count(h.serve(w, r, uri, args))
}

// target is the request's path as it was sent, percent-encoding kept, and its
// query without the question mark.
func target(r *http.Request) (uri, args string) {
	if !strings.HasPrefix(r.RequestURI, "/") { // a proxy's absolute form, or a request made by hand
		return r.URL.EscapedPath(), r.URL.RawQuery
	}
	uri, args, _ = strings.Cut(r.RequestURI, "?")
	return uri, args
}

// serve answers one request and returns the status it answered with.
func (h *handler) serve(w http.ResponseWriter, r *http.Request, uri, args string) int {
	if isStatus(uri) {
		return h.status(w, r, uri)
	}
	found := h.routes.find(uri, r.Method)
	known := found.taken || len(found.methods) > 0
	if found.open || !known {
		allowAnyOrigin(w)
	}
	switch {
	case h.connections.refuse(r):
		h.metrics.refused.Inc()
		return hangUp(w, http.StatusServiceUnavailable)
	case len(r.RequestURI) > maxTargetBytes:
		return answer(w, http.StatusRequestURITooLong, textURITooLong)
	case found.taken:
		return h.keep(w, r, uri, args)
	case !known:
		return answer(w, http.StatusNotFound, "not found\n")
	case found.open && r.Method == http.MethodOptions:
		return preflight(w, r, found.allowed())
	}
	return notAllowed(w, found.allowed())
}

// appendTimeout is how long a request waits to become durable. The stream answers
// long before, or is unwell.
const appendTimeout = time.Minute

// keep makes the request durable and answers: 431, 413, 503 for want of room or
// time, 200, 507, 503, in the order in which they are decided.
func (h *handler) keep(w http.ResponseWriter, r *http.Request, uri, args string) int {
	unescapeHeaders(r)
	raw := ingest.Raw{URI: utf8Of(uri), Attributes: attributes(r, args)}
	if tooLong(&raw) {
		return answer(w, http.StatusRequestHeaderFieldsTooLarge, textHeaderTooLarge)
	}
	if r.ContentLength > h.maxBody {
		return answer(w, http.StatusRequestEntityTooLarge, textPayloadTooLarge)
	}
	body, err := readBody(r.Body, r.ContentLength, h.maxBody, h.inflight)
	if err != nil {
		return h.refuseBody(w, r, err)
	}
	defer h.inflight.give(int64(cap(body)))
	raw.Body = body
	h.metrics.bytes.Add(float64(len(body)))

	// After the body, so that a slow upload cannot land in a day long closed.
	raw.Submitted = h.now().UTC().Truncate(time.Microsecond)
	// Not under the request's context: it ends when the client closes its side, and
	// a client that has only finished sending still reads the answer.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), appendTimeout)
	defer cancel()
	err = h.stream.Append(ctx, &raw)
	switch {
	case err == nil:
		w.WriteHeader(http.StatusOK)
		return http.StatusOK
	case h.isFull(err):
		h.log.warn("ping refused: the stream is full", err)
		return unavailable(w, http.StatusInsufficientStorage)
	}
	h.log.warn("ping refused: not stored", err)
	return unavailable(w, http.StatusServiceUnavailable)
}

// refuseBody answers a request whose body could not be read. Most such clients
// are gone and read no answer.
func (h *handler) refuseBody(w http.ResponseWriter, r *http.Request, err error) int {
	switch {
	case errors.Is(err, errBodyTooLarge):
		return answer(w, http.StatusRequestEntityTooLarge, textPayloadTooLarge)
	case errors.Is(err, errNoRoom):
		h.log.warn("ping refused", err)
		return hangUp(w, http.StatusServiceUnavailable)
	case errors.Is(err, os.ErrDeadlineExceeded):
		// Not a 4xx: a client deletes its ping on those. It comes before the next case:
		// the server ends a request's context after any fault of reading, this one too.
		return hangUp(w, http.StatusServiceUnavailable)
	case r.Context().Err() != nil:
		// Without a status of ours the server would answer 200.
		hangUp(w, http.StatusServiceUnavailable)
		return statusClientGone
	}
	return answer(w, http.StatusBadRequest, "bad request\n")
}

// The texts of the refusals that the reference gives too, and of its front end's.
const (
	textHeaderTooLarge  = "header too large\n"
	textPayloadTooLarge = "payload too large\n"
	textURITooLong      = "uri too long\n"
)

func answer(w http.ResponseWriter, status int, text string) int {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write([]byte(text)) // fails only when the client is gone
	return status
}

func unavailable(w http.ResponseWriter, status int) int {
	w.Header().Set("Retry-After", retryAfter)
	w.WriteHeader(status)
	return status
}

// closing is the header Connection of a last answer.
var closing = []string{"close"}

// linger is how long a client that is being refused may go on sending: long enough
// to meet its answer, not to keep a place.
const linger = time.Second

// hangUp answers at once, whatever of the body is still to come, and takes no more
// requests of the connection.
func hangUp(w http.ResponseWriter, status int) int {
	w.Header()["Connection"] = closing
	// Only a test's own writer has no deadline.
	_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(linger))
	return unavailable(w, status)
}

func notAllowed(w http.ResponseWriter, methods string) int {
	w.Header().Set("Allow", methods)
	return answer(w, http.StatusMethodNotAllowed, "method not allowed\n")
}
