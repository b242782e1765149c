package sim

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"pinglake/ingest"
)

// maxLoadClients bounds the memory of a load: each client's ping is kept folded.
const maxLoadClients = 100_000

// answerTimeout is how long a request waits for its answer.
const answerTimeout = 30 * time.Second

// LoadOptions say what to send to a live edge, and for how long.
type LoadOptions struct {
	// Edge is the edge's address: http://127.0.0.1:8080.
	Edge string
	// Namespace is the app's document_namespace. Default my-app.
	Namespace string
	// Clients is the number of simulated clients, 1 to 100,000. Default 1000.
	Clients int
	// Seconds is when to stop. Default 10.
	Seconds float64
	// Messages also stops the load after so many pings and malformed submissions,
	// duplicates not counted. 0 means no such bound.
	Messages int64
	// DuplicateRatio is the part of the acknowledged pings that is sent again,
	// MalformedRatio the part of the submissions that is malformed.
	DuplicateRatio, MalformedRatio float64
	// Seed decides the document_ids: a load of the same seed sends the same ids
	// again, and they are duplicates in a lake that has seen them.
	Seed uint64
	// Concurrency is the number of connections. Default 64.
	Concurrency int
	// Progress is called about once a second, never at the same time twice. May be
	// nil.
	Progress func(Progress)
}

// Progress is how far a load is.
type Progress struct {
	Elapsed  time.Duration
	Sent, OK int64
}

func (o LoadOptions) withDefaults() LoadOptions {
	if o.Namespace == "" {
		o.Namespace = "my-app"
	}
	if o.Clients == 0 {
		o.Clients = 1000
	}
	if o.Seconds == 0 {
		o.Seconds = 10
	}
	if o.Concurrency == 0 {
		o.Concurrency = 64
	}
	return o
}

func (o LoadOptions) validate() error {
	var faults []error
	if u, err := url.Parse(o.Edge); err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		faults = append(faults, fmt.Errorf("edge %q: want a URL like http://127.0.0.1:8080", o.Edge))
	}
	if o.Clients < 1 || o.Clients > maxLoadClients {
		faults = append(faults, fmt.Errorf("clients %d: want 1 to %d", o.Clients, maxLoadClients))
	}
	if o.Seconds <= 0 {
		faults = append(faults, fmt.Errorf("seconds %g: want more than 0", o.Seconds))
	}
	if o.Messages < 0 {
		faults = append(faults, fmt.Errorf("messages %d: want 0 or more", o.Messages))
	}
	if o.Concurrency < 1 || o.Concurrency > 10_000 {
		faults = append(faults, fmt.Errorf("concurrency %d: want 1 to 10000", o.Concurrency))
	}
	for _, r := range []struct {
		name  string
		value float64
	}{{"duplicates", o.DuplicateRatio}, {"malformed", o.MalformedRatio}} {
		if !(r.value >= 0 && r.value <= 1) {
			faults = append(faults, fmt.Errorf("%s %g: want 0 to 1", r.name, r.value))
		}
	}
	return errors.Join(faults...)
}

// Load sends pings to an edge as fast as it answers, until the time is over, the
// number of messages is reached or ctx is done; the last two are no errors. A
// request under way is always waited for, so the counts are exact. A submission
// that gets no 200 is not sent again.
func Load(ctx context.Context, o LoadOptions) (Report, error) {
	o = o.withDefaults()
	if err := o.validate(); err != nil {
		return Report{}, err
	}
	l := newLoad(o)
	defer l.client.CloseIdleConnections()

	ctx, cancel := context.WithTimeout(ctx, time.Duration(o.Seconds*float64(time.Second)))
	defer cancel()
	began := time.Now()
	shooters := make([]*shooter, o.Concurrency)
	var all sync.WaitGroup
	for i := range shooters {
		shooters[i] = l.newShooter(i)
		all.Go(func() { shooters[i].run(ctx) })
	}
	stopReports := l.reportProgress(began)
	all.Wait()
	stopReports()
	return l.report(shooters, time.Since(began))
}

// shot is one submission, ready to be sent.
type shot struct {
	template *template
	fault    fault
	again    bool
	id       ingest.DocumentID
	uri      string
	body     []byte
}

// template is what the pings of one client have in common.
type template struct {
	letter  letter // the payload of most is dropped, see keptPayloads
	header  http.Header
	body    []byte
	doctype doctype
	client  int32
}

// keptPayloads is how many templates keep their payload, to be broken.
const keptPayloads = 64

// load is what the shooters share.
type load struct {
	LoadOptions
	url       *url.URL
	client    *http.Client
	templates []template
	broken    []*template // with a payload
	taken     atomic.Int64
	sent, ok  atomic.Int64
	seen      []atomic.Bool // clients with an acknowledged baseline ping
}

func newLoad(o LoadOptions) *load {
	o.Edge = strings.TrimRight(o.Edge, "/")
	u, _ := url.Parse(o.Edge) // validated
	transport := &http.Transport{
		MaxIdleConns: o.Concurrency, MaxIdleConnsPerHost: o.Concurrency, MaxConnsPerHost: o.Concurrency,
		DisableCompression: true,
	}
	l := &load{
		LoadOptions: o, url: u,
		client: &http.Client{Transport: transport, Timeout: answerTimeout},
		seen:   make([]atomic.Bool, o.Clients),
	}
	l.fold(time.Now())
	return l
}

// fold makes a baseline ping for each client and a ping of another doctype for
// every eighth.
func (l *load) fold(now time.Time) {
	today := now.UTC().Truncate(24 * time.Hour)
	w := newWriter(New(Options{Seed: l.Seed, Clients: l.Clients, Days: 1, End: today.AddDate(0, 0, 1), Namespace: l.Namespace}))
	for i := range l.Clients {
		c := w.client(w.dice, int32(i))
		kinds := []doctype{baseline}
		if i%8 == 7 {
			kinds = append(kinds, []doctype{metrics, events, custom}[i/8%3])
		}
		for _, kind := range kinds {
			l.templates = append(l.templates, w.template(&c, kind, now))
		}
	}
	for i := range l.templates {
		t := &l.templates[i]
		if i < keptPayloads {
			l.broken = append(l.broken, t)
		} else {
			t.letter.payload = nil
		}
	}
}

func (w *writer) template(c *client, kind doctype, now time.Time) template {
	s := ping{client: c.index, index: uint8(kind), doctype: kind, end: now.UnixMicro()}
	w.dice.set(forPings, c.index, 0, uint8(kind))
	if kind == baseline {
		s.duration = sessionSeconds(w.dice)
	}
	l := letter{
		namespace: w.Namespace, doctype: kind.String(), version: "1",
		payload: w.body(w.dice, c, &s, c.history, nil), gzip: !c.platform.beacon(),
	}
	t := template{letter: l, body: w.fold(l), doctype: kind, client: c.index, header: http.Header{}}
	for name, value := range c.headers(now.UnixMicro()) {
		t.header.Set(strings.ReplaceAll(name, "_", "-"), value)
	}
	t.header.Set("Content-Type", "text/plain;charset=UTF-8")
	if l.gzip {
		t.header.Set("Content-Type", "application/json; charset=utf-8")
		t.header.Set("Content-Encoding", "gzip")
	}
	return t
}

// reportProgress calls Progress until the function it returns is called.
func (l *load) reportProgress(began time.Time) (stop func()) {
	if l.Progress == nil {
		return func() {}
	}
	ticker := time.NewTicker(time.Second)
	done := make(chan struct{})
	var reporter sync.WaitGroup
	reporter.Go(func() {
		for {
			select {
			case <-ticker.C:
				l.Progress(Progress{Elapsed: time.Since(began), Sent: l.sent.Load(), OK: l.ok.Load()})
			case <-done:
				return
			}
		}
	})
	return func() {
		ticker.Stop()
		close(done)
		reporter.Wait()
	}
}

// post sends a submission over a kept connection. status is 0 if no answer came.
func (l *load) post(s *shot) (status int, err error) {
	u := *l.url
	u.Opaque = u.Path + s.uri // as it is: nothing is escaped
	req := &http.Request{
		Method: http.MethodPost, URL: &u, Host: u.Host, Header: s.template.header,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Body: io.NopCloser(bytes.NewReader(s.body)), ContentLength: int64(len(s.body)),
	}
	resp, err := l.client.Do(req)
	if err != nil {
		return 0, err
	}
	defer func() { _ = resp.Body.Close() }() // it was only read
	if _, err := io.Copy(io.Discard, resp.Body); err != nil {
		return 0, err
	}
	return resp.StatusCode, nil
}
