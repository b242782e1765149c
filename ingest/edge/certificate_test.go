package edge

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"pinglake/ingest"
)

var noLog = slog.New(slog.DiscardHandler)

// listenTLS listens with a self-signed certificate, which the pool trusts.
func listenTLS(t *testing.T) (net.Listener, *x509.CertPool) {
	t.Helper()
	dir := t.TempDir()
	certificate, err := SelfSigned(dir, noLog)
	if err != nil {
		t.Fatal(err)
	}
	plain, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return tls.NewListener(plain, certificate.Config()), trust(t, filepath.Join(dir, "cert.pem"))
}

func trust(t *testing.T, file string) *x509.CertPool {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(text) {
		t.Fatalf("no certificate in %s", file)
	}
	return pool
}

func dialTLS(t *testing.T, address string, config *tls.Config) *client {
	t.Helper()
	conn, err := tls.Dial("tcp", address, config)
	if err != nil {
		t.Fatal(err)
	}
	return newClient(t, conn)
}

const smallPing = "POST /submit/a HTTP/1.1\nHost: x\nContent-Length: 2\n\n{}"

func TestSelfSignedHoldsForThisHost(t *testing.T) {
	host, err := os.Hostname()
	if err != nil {
		t.Fatal(err)
	}
	listener, pool := listenTLS(t)
	stream := &recorder{}
	serveOn(t, Options{Stream: stream}, listener)
	for _, c := range []struct {
		name string
		fits bool
	}{{"localhost", true}, {"127.0.0.1", true}, {"::1", true}, {host, true}, {"example.org", false}} {
		conn, err := tls.Dial("tcp", listener.Addr().String(), &tls.Config{RootCAs: pool, ServerName: c.name})
		if (err == nil) != c.fits {
			t.Errorf("%s: %v", c.name, err)
		}
		if err != nil {
			continue
		}
		on := newClient(t, conn)
		on.say(smallPing)
		if got := on.answer(); !strings.HasPrefix(got, "200") {
			t.Errorf("%s: %s", c.name, got)
		}
	}
	if got := len(stream.taken()); got != 4 {
		t.Errorf("%d pings were stored", got)
	}
}

func TestTLSVersionsAndProtocols(t *testing.T) {
	listener, pool := listenTLS(t)
	serveOn(t, Options{Stream: &recorder{}}, listener)
	for _, c := range []struct {
		name   string
		most   uint16
		offers []string
		want   string // version and protocol, "" when refused
	}{
		{"1.1", tls.VersionTLS11, nil, ""},
		{"1.2", tls.VersionTLS12, nil, "TLS 1.2 "},
		{"1.3", tls.VersionTLS13, nil, "TLS 1.3 "},
		{"HTTP/1.1 is chosen", tls.VersionTLS13, []string{"h2", "http/1.1"}, "TLS 1.3 http/1.1"},
		{"only HTTP/2 is offered", tls.VersionTLS13, []string{"h2"}, ""},
	} {
		conn, err := tls.Dial("tcp", listener.Addr().String(), &tls.Config{
			RootCAs: pool, ServerName: "localhost", MinVersion: tls.VersionTLS10, MaxVersion: c.most, NextProtos: c.offers,
		})
		got := ""
		if err == nil {
			state := conn.ConnectionState()
			got = tls.VersionName(state.Version) + " " + state.NegotiatedProtocol
			if err := conn.Close(); err != nil {
				t.Error(err)
			}
		}
		if got != c.want {
			t.Errorf("%s: got %q (%v), want %q", c.name, got, err, c.want)
		}
	}
}

func TestPlainHTTPOnTheTLSPortIsToldSo(t *testing.T) {
	listener, _ := listenTLS(t)
	serveOn(t, Options{Stream: &recorder{}}, listener)
	on := dial(t, listener.Addr().String())
	on.say(smallPing)
	if got := on.answer(); got != `400 "this port is for HTTPS\n" Connection: close` {
		t.Error(got)
	}
}

func TestASilentTLSClientIsCutOff(t *testing.T) {
	listener, _ := listenTLS(t)
	serveOn(t, Options{Stream: &recorder{}, HeaderTimeout: 50 * time.Millisecond}, listener)
	dial(t, listener.Addr().String()).wantEnd()
}

func mustRead(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestSelfSignedStaysUntilItNoLongerHolds(t *testing.T) {
	host, err := os.Hostname()
	if err != nil {
		t.Fatal(err)
	}
	names := []string{"localhost", host}
	now := time.Now()
	for _, c := range []struct {
		name   string
		change func(t *testing.T, cert, key string)
		stays  bool
	}{
		{"nothing", func(*testing.T, string, string) {}, true},
		{"no certificate", func(t *testing.T, cert, _ string) { must(t, os.Remove(cert)) }, false},
		{"no key", func(t *testing.T, _, key string) { must(t, os.Remove(key)) }, false},
		{"a torn certificate", func(t *testing.T, cert, _ string) { must(t, os.Truncate(cert, 100)) }, false},
		{"another's key", func(t *testing.T, _, key string) {
			other := t.TempDir()
			must(t, writeSelfSigned(filepath.Join(other, "c"), filepath.Join(other, "k"), names, now))
			must(t, os.Rename(filepath.Join(other, "k"), key))
		}, false},
		{"31 days left", func(t *testing.T, cert, key string) {
			must(t, writeSelfSigned(cert, key, names, now.Add(31*24*time.Hour-selfSignedFor)))
		}, true},
		{"29 days left", func(t *testing.T, cert, key string) {
			must(t, writeSelfSigned(cert, key, names, now.Add(29*24*time.Hour-selfSignedFor)))
		}, false},
		{"another host", func(t *testing.T, cert, key string) {
			must(t, writeSelfSigned(cert, key, []string{"localhost", "elsewhere"}, now))
		}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "tls")
			cert, key := filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
			if _, err := SelfSigned(dir, noLog); err != nil {
				t.Fatal(err)
			}
			first := mustRead(t, cert)
			c.change(t, cert, key)
			if _, err := os.Stat(cert); err == nil {
				first = mustRead(t, cert)
			}
			if _, err := SelfSigned(dir, noLog); err != nil {
				t.Fatal(err)
			}
			if stays := mustRead(t, cert) == first; stays != c.stays {
				t.Errorf("the certificate stays: %v, want %v", stays, c.stays)
			}
			info, err := os.Stat(key)
			if err != nil || info.Mode() != 0o600 {
				t.Errorf("the key's mode is %v, %v", info.Mode(), err)
			}
			left, err := filepath.Glob(filepath.Join(dir, "*"))
			if diff := cmp.Diff([]string{cert, key}, left); err != nil || diff != "" {
				t.Errorf("%v, files: %s", err, diff)
			}
		})
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// syncBuffer is a log that may be read while it is written.
type syncBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *syncBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *syncBuffer) lines(text string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return strings.Count(s.b.String(), text)
}

func TestAChangedCertificateIsServedWithoutARestart(t *testing.T) {
	dir := t.TempDir()
	cert, key := filepath.Join(dir, "c"), filepath.Join(dir, "k")
	make := func(name string) {
		t.Helper()
		must(t, writeSelfSigned(cert, key, []string{name}, time.Now()))
	}
	make("one.example")
	var mu sync.Mutex
	now := noon
	later := func(d time.Duration) {
		mu.Lock()
		defer mu.Unlock()
		now = now.Add(d)
	}
	log := &syncBuffer{}
	certificate, err := loadCertificate(cert, key, slog.New(slog.NewTextHandler(log, nil)), func() time.Time {
		mu.Lock()
		defer mu.Unlock()
		return now
	})
	if err != nil {
		t.Fatal(err)
	}
	plain, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	serveOn(t, Options{Stream: &recorder{}}, tls.NewListener(plain, certificate.Config()))
	serves := func(want string) {
		t.Helper()
		conn, err := tls.Dial("tcp", plain.Addr().String(), &tls.Config{InsecureSkipVerify: true})
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		if got := conn.ConnectionState().PeerCertificates[0].DNSNames; !slices.Equal(got, []string{want}) {
			t.Errorf("serves %v, want %s", got, want)
		}
	}
	open := dialTLS(t, plain.Addr().String(), &tls.Config{RootCAs: trust(t, cert), ServerName: "one.example"})

	serves("one.example")
	make("two.example")
	later(lookEvery - 1)
	serves("one.example")
	later(1)
	serves("two.example")

	// A file in the middle of being written changes nothing, and is told once.
	whole := mustRead(t, cert)
	must(t, os.WriteFile(cert, []byte(whole[:len(whole)/2]), 0o600))
	for range 3 {
		later(lookEvery)
		serves("two.example")
	}
	must(t, os.Remove(cert))
	later(lookEvery)
	serves("two.example")
	if got := log.lines("certificate not renewed"); got != 2 {
		t.Errorf("%d warnings: %s", got, log.b.String())
	}
	make("three.example")
	later(lookEvery)
	serves("three.example")
	if got := log.lines("certificate renewed"); got != 2 {
		t.Errorf("%d renewals: %s", got, log.b.String())
	}

	// What is open goes on.
	open.say(smallPing)
	if got := open.answer(); !strings.HasPrefix(got, "200") {
		t.Error(got)
	}
}

// A reason that passes without the files changing, such as too many open files, must
// not leave the old certificate there for good.
func TestACertificateThatCouldNotBeReadIsTriedAgain(t *testing.T) {
	dir := t.TempDir()
	cert, key := filepath.Join(dir, "c"), filepath.Join(dir, "k")
	must(t, writeSelfSigned(cert, key, []string{"one.example"}, time.Now()))
	now, log := noon, &syncBuffer{}
	certificate, err := loadCertificate(cert, key, slog.New(slog.NewTextHandler(log, nil)), func() time.Time { return now })
	must(t, err)
	serves := func(want string) {
		t.Helper()
		now = now.Add(lookEvery)
		pair, err := certificate.current(nil)
		if err != nil || !slices.Equal(pair.Leaf.DNSNames, []string{want}) {
			t.Errorf("serves %v, %v; want %s", pair.Leaf.DNSNames, err, want)
		}
	}
	must(t, writeSelfSigned(cert, key, []string{"two.example"}, time.Now()))
	whole := mustRead(t, cert)
	put := func(text string) {
		must(t, os.WriteFile(cert, []byte(text), 0o644))
		must(t, os.Chtimes(cert, noon, noon))
	}
	put(strings.Repeat("x", len(whole)))
	serves("one.example")
	serves("one.example")
	put(whole) // the same size and time
	serves("two.example")
	if got := log.lines("certificate not renewed"); got != 1 {
		t.Errorf("%d warnings: %s", got, log.b.String())
	}
}

func TestCertificatesThatCanNotBeRead(t *testing.T) {
	dir := t.TempDir()
	cert, key := filepath.Join(dir, "c"), filepath.Join(dir, "k")
	must(t, writeSelfSigned(cert, key, []string{"x"}, time.Now()))
	for _, c := range []struct{ name, cert, key, want string }{
		{"no certificate", filepath.Join(dir, "absent"), key, "certificate: open " + filepath.Join(dir, "absent") + ": no such file or directory"},
		{"no key", cert, filepath.Join(dir, "absent"), "certificate: open " + filepath.Join(dir, "absent") + ": no such file or directory"},
		{"swapped", key, cert, "certificate: tls: failed to find certificate PEM data in certificate input, but did find a private key; PEM inputs may have been switched"},
	} {
		if _, err := LoadCertificate(c.cert, c.key, noLog); err == nil || err.Error() != c.want {
			t.Errorf("%s: %v, want %s", c.name, err, c.want)
		}
	}
}

// Over HTTPS a ping is what it is over HTTP.
func TestRealClientsOverHTTPS(t *testing.T) {
	files := clientFiles(t)
	listener, pool := listenTLS(t)
	stream := &recorder{}
	serveOn(t, Options{Stream: stream}, listener)
	for _, file := range files {
		s := mustLoad(t, file)
		if s.Method != "POST" {
			continue
		}
		on := dialTLS(t, listener.Addr().String(), &tls.Config{RootCAs: pool, ServerName: "localhost"})
		if _, err := io.Copy(on, s.wire()); err != nil {
			t.Fatal(err)
		}
		if got := on.answer(); got != `200 "" Access-Control-Allow-Origin: *` {
			t.Errorf("%s: %s", file, got)
		}
		if diff := cmp.Diff([]ingest.Raw{wantRaw(s)}, stream.taken()); diff != "" {
			t.Errorf("%s: raw differs (-sent +stored):\n%s", file, diff)
		}
	}
}
