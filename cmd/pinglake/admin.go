package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// admin answers the other commands on <data>/admin.sock, which only the owner may
// open, and metrics on a TCP address.
type admin struct {
	node   *node
	socket net.Listener
	tcp    net.Listener // nil when admin.addr is empty
}

// socketPath is where the daemon of a data folder is talked to.
func socketPath(data string) string { return filepath.Join(data, "admin.sock") }

// listenAdmin listens on both. The caller has the data folder's lock, so that a
// socket found there is a dead daemon's.
func listenAdmin(n *node) (*admin, error) {
	a := &admin{node: n}
	path := socketPath(n.settings.Data)
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	var err error
	if a.socket, err = listenSocket(path); err != nil {
		return nil, fmt.Errorf("listen on %s: %w", path, err)
	}
	if n.settings.Admin.Addr == "" {
		return a, nil
	}
	if a.tcp, err = net.Listen("tcp", n.settings.Admin.Addr); err != nil {
		return nil, errors.Join(usagef("listen for admin: %w (choose another with --admin-addr)", err), a.Close())
	}
	return a, nil
}

// maxSocketPath is the longest path of a socket that the system takes, and
// socketRoom what a path needs beyond the data folder's.
const (
	maxSocketPath = 107
	socketRoom    = len("/.admin-0123456789/s")
)

// checkSocketPath refuses a data folder whose socket could not be listened on.
func checkSocketPath(data string) error {
	if most := maxSocketPath - socketRoom; len(data) > most {
		return usagef("the path of the data folder has %d bytes, at most %d fit for its socket: choose a shorter --data, a relative one for example", len(data), most)
	}
	return nil
}

// listenSocket listens where only the owner may connect, from the first moment: it
// is made in a folder of the owner's and renamed into place.
func listenSocket(path string) (_ net.Listener, err error) {
	private, err := os.MkdirTemp(filepath.Dir(path), ".admin-")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(private)) }()
	made := filepath.Join(private, "s")
	listener, err := net.ListenUnix("unix", &net.UnixAddr{Name: made, Net: "unix"})
	if err != nil {
		return nil, err
	}
	listener.SetUnlinkOnClose(false)
	if err := errors.Join(os.Chmod(made, 0o600), os.Rename(made, path)); err != nil {
		return nil, errors.Join(err, listener.Close())
	}
	return listener, nil
}

func (a *admin) addr() string {
	if a.tcp == nil {
		return ""
	}
	return a.tcp.Addr().String()
}

// Close closes the listeners.
func (a *admin) Close() error {
	err := errors.Join(a.socket.Close(), os.Remove(socketPath(a.node.settings.Data)))
	if a.tcp != nil {
		err = errors.Join(err, a.tcp.Close())
	}
	return err
}

// run serves both until stop.
func (a *admin) run(stop, orderly context.Context) error {
	actors := []actor{{"socket", func(stop, _ context.Context) error {
		return serveHTTP(stop, orderly, a.server(a.commands()), a.socket)
	}}}
	if a.tcp != nil {
		actors = append(actors, actor{"metrics", func(stop, _ context.Context) error {
			return serveHTTP(stop, orderly, a.server(a.metrics()), a.tcp)
		}})
	}
	return runActors(stop, actors, a.node.settings.DrainTimeout, a.node.logger)
}

func (a *admin) server(handler http.Handler) *http.Server {
	return &http.Server{
		Handler: handler, ReadHeaderTimeout: 10 * time.Second,
		ErrorLog: slog.NewLogLogger(a.node.logger.Handler(), slog.LevelDebug),
	}
}

func (a *admin) metrics() http.Handler {
	a.node.metrics.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(a.node.metrics, promhttp.HandlerOpts{}))
	return mux
}

// commands are the doors of the socket. Their answers are lines of JSON, of which
// the last has done.
func (a *admin) commands() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /import", func(w http.ResponseWriter, r *http.Request) {
		answer := newAnswer(w)
		report, err := importMessages(r.Context(), a.node, r.Body)
		answer.done(report, err)
	})
	mux.HandleFunc("POST /batch", func(w http.ResponseWriter, r *http.Request) {
		answer := newAnswer(w)
		var order batchOrder
		if err := json.NewDecoder(r.Body).Decode(&order); err != nil {
			answer.done(nil, err)
			return
		}
		answer.done(nil, a.node.batch(r.Context(), order, func(e batchEvent) { answer.event(e) }))
	})
	return mux
}

// answerLine is one line of an answer.
type answerLine struct {
	Event  *batchEvent   `json:"event,omitempty"`
	Done   bool          `json:"done,omitempty"`
	Report *importReport `json:"report,omitempty"`
	Error  string        `json:"error,omitempty"`
	Code   int           `json:"code,omitempty"`
}

type answer struct {
	w     http.ResponseWriter
	lines *json.Encoder
}

func newAnswer(w http.ResponseWriter) *answer {
	w.Header().Set("Content-Type", "application/x-ndjson")
	return &answer{w: w, lines: json.NewEncoder(w)}
}

// answerTimeout is how long a client may leave a line unread. The work that the
// line tells of waits no longer for it.
const answerTimeout = 10 * time.Second

// write sends a line. A client that went away is not told anything more, nor is
// one that stopped reading.
func (a *answer) write(line answerLine) {
	to := http.NewResponseController(a.w)
	_ = to.SetWriteDeadline(time.Now().Add(answerTimeout))
	if a.lines.Encode(line) == nil {
		_ = to.Flush()
	}
}

func (a *answer) event(e batchEvent) { a.write(answerLine{Event: &e}) }

func (a *answer) done(report *importReport, err error) {
	line := answerLine{Done: true, Report: report}
	if err != nil {
		line.Error, line.Code = err.Error(), exitCode(err)
	}
	a.write(line)
}

// remote is a running daemon as another command sees it.
type remote struct{ client *http.Client }

// dialDaemon finds the daemon of a data folder; nil when none runs.
func dialDaemon(ctx context.Context, data string) *remote {
	path := socketPath(data)
	dial := func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "unix", path)
	}
	probe, err := dial(ctx, "", "")
	if err != nil {
		return nil
	}
	_ = probe.Close()
	return &remote{client: &http.Client{Transport: &http.Transport{DialContext: dial}}}
}

// remoteError is an error the daemon reported, with its exit code.
type remoteError struct {
	text string
	code int
}

func (e *remoteError) Error() string { return e.text }

// post sends body to path and hands on the events of the answer.
func (r *remote) post(ctx context.Context, path string, body io.Reader, event func(batchEvent)) (*importReport, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://daemon"+path, body)
	if err != nil {
		return nil, err
	}
	response, err := r.client.Do(request)
	if err != nil {
		return nil, fmt.Errorf("ask the daemon: %w", err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("the daemon answered %s: is it of another version?", response.Status)
	}
	lines := json.NewDecoder(response.Body)
	for {
		var line answerLine
		if err := lines.Decode(&line); err != nil {
			return nil, fmt.Errorf("the daemon went away: %w", err)
		}
		if line.Event != nil && event != nil {
			event(*line.Event)
		}
		if !line.Done {
			continue
		}
		if line.Error != "" {
			return line.Report, &remoteError{line.Error, line.Code}
		}
		return line.Report, nil
	}
}
