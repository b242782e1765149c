// Package edge takes pings over HTTP and answers 200 only when a ping is on disk.
//
// It never opens a body: it bounds sizes, keeps the request's facts as they were
// sent, and hands everything on. Whether a ping makes sense is found out later,
// so that a client gets its answer from one append and nothing else.
package edge

import (
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
	defaultMaxBody = 8 << 20

	// retryAfter is how many seconds a client should wait after 503 and 507.
	retryAfter = "60"
)

// Appender makes a raw durable. It returns nil only when raw survives a crash.
type Appender interface {
	Append(ctx context.Context, raw *ingest.Raw) error
}

// Options are what the edge needs. Only Stream is required.
type Options struct {
	Stream Appender
	// MaxBody is the largest body accepted, in bytes as sent. 0 means 8 MiB.
	MaxBody int64
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

type handler struct {
	stream  Appender
	maxBody int64
	now     func() time.Time
	isFull  func(error) bool
	version []byte // JSON
	checks  []Check
	log     *throttle
	metrics *metrics
}

// NewHandler is the edge as a handler: the submit and stub routes and the three
// status routes.
func NewHandler(o Options) (http.Handler, error) {
	if o.Stream == nil {
		return nil, errors.New("set up the edge: no stream")
	}
	if o.MaxBody < 0 {
		return nil, fmt.Errorf("set up the edge: largest body of %d bytes", o.MaxBody)
	}
	if o.MaxBody == 0 {
		o.MaxBody = defaultMaxBody
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.IsFull == nil {
		o.IsFull = func(error) bool { return false }
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	version, err := o.Version.json()
	if err != nil {
		return nil, fmt.Errorf("set up the edge: %w", err)
	}
	m, err := newMetrics(o.Metrics)
	if err != nil {
		return nil, fmt.Errorf("set up the edge: register metrics: %w", err)
	}
	return &handler{
		stream:  o.Stream,
		maxBody: o.MaxBody,
		now:     o.Now,
		isFull:  o.IsFull,
		version: version,
		checks:  o.Checks,
		log:     &throttle{log: o.Logger, now: o.Now},
		metrics: m,
	}, nil
}

// ServeHTTP answers one request and counts it.
func (h *handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
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
	switch route(uri) {
	case routeSubmit:
		return h.submit(w, r, uri, args)
	case routeStub:
		if r.Method != http.MethodGet {
			return notAllowed(w, "GET")
		}
		return h.keep(w, r, uri, args)
	case routeLBHeartbeat, routeHeartbeat, routeVersion:
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			return notAllowed(w, "GET, HEAD")
		}
		return h.status(w, r, uri)
	}
	return answer(w, http.StatusNotFound, "not found\n")
}

func (h *handler) submit(w http.ResponseWriter, r *http.Request, uri, args string) int {
	header := w.Header()
	header["Access-Control-Allow-Origin"] = anyOrigin
	switch r.Method {
	case http.MethodPost, http.MethodPut:
		return h.keep(w, r, uri, args)
	case http.MethodOptions:
		return preflight(w, r)
	}
	return notAllowed(w, submitMethods)
}

// appendTimeout is how long a request waits to become durable. The stream answers
// long before, or is unwell.
const appendTimeout = time.Minute

// keep makes the request durable and answers: 431, 413, 200, 507, 503, in the
// order in which they are decided.
func (h *handler) keep(w http.ResponseWriter, r *http.Request, uri, args string) int {
	raw := ingest.Raw{URI: utf8Of(uri), Attributes: attributes(r, args)}
	if tooLong(&raw) {
		return answer(w, http.StatusRequestHeaderFieldsTooLarge, "header too large\n")
	}
	if r.ContentLength > h.maxBody {
		return answer(w, http.StatusRequestEntityTooLarge, "payload too large\n")
	}
	body, err := readBody(r.Body, r.ContentLength, h.maxBody)
	if err != nil {
		return h.refuseBody(w, r, err)
	}
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
		return answer(w, http.StatusRequestEntityTooLarge, "payload too large\n")
	case r.Context().Err() != nil:
		// Without a status of ours the server would answer 200.
		w.Header().Set("Connection", "close")
		w.WriteHeader(http.StatusServiceUnavailable)
		return statusClientGone
	case errors.Is(err, os.ErrDeadlineExceeded):
		// Not a 4xx: a client deletes its ping on those.
		return unavailable(w, http.StatusServiceUnavailable)
	}
	return answer(w, http.StatusBadRequest, "bad request\n")
}

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

func notAllowed(w http.ResponseWriter, methods string) int {
	w.Header().Set("Allow", methods)
	return answer(w, http.StatusMethodNotAllowed, "method not allowed\n")
}
