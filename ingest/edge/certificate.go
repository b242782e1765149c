package edge

import (
	"crypto/tls"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"time"
)

// lookEvery is how often the files of a certificate are looked at, at most.
const lookEvery = time.Second

// Certificate is a certificate and its key in two PEM files. When the files change
// the next connections get what they hold then.
type Certificate struct {
	certFile, keyFile string
	log               *slog.Logger
	now               func() time.Time

	mu     sync.Mutex
	next   time.Time // the files are not looked at before
	stamps [2]stamp  // of the files that pair was read from
	pair   *tls.Certificate
	fault  string // why the files, as they are now, can not be read; logged once
}

// stamp tells whether a file is still the one that was read.
type stamp struct {
	modified int64 // nanoseconds since 1970
	size     int64
}

// LoadCertificate reads both files, of which the first may hold the certificates
// of the chain too. The logger hears of each renewal.
func LoadCertificate(certFile, keyFile string, log *slog.Logger) (*Certificate, error) {
	return loadCertificate(certFile, keyFile, log, time.Now)
}

func loadCertificate(certFile, keyFile string, log *slog.Logger, now func() time.Time) (*Certificate, error) {
	c := &Certificate{certFile: certFile, keyFile: keyFile, log: log, now: now}
	if err := c.read(c.look()); err != nil {
		return nil, fmt.Errorf("certificate: %w", err)
	}
	c.next = now().Add(lookEvery)
	return c, nil
}

// Config is TLS 1.2 or newer with this certificate, for HTTP/1.1.
func (c *Certificate) Config() *tls.Config {
	return &tls.Config{MinVersion: tls.VersionTLS12, NextProtos: []string{"http/1.1"}, GetCertificate: c.current}
}

// current is the certificate for a connection that begins. One that can not be read
// does not replace the one before.
func (c *Certificate) current(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := c.now()
	if now.Before(c.next) {
		return c.pair, nil
	}
	c.next = now.Add(lookEvery)
	stamps := c.look()
	if stamps == c.stamps {
		c.fault = ""
		return c.pair, nil
	}
	// What can not be read is tried again, changed or not: the reason may be ours, such
	// as too many open files.
	if err := c.read(stamps); err != nil {
		if fault := err.Error(); fault != c.fault {
			c.fault = fault
			c.log.Warn("certificate not renewed: the one before stays", "err", err)
		}
		return c.pair, nil
	}
	c.log.Info("certificate renewed", "file", c.certFile, "until", c.pair.Leaf.NotAfter)
	return c.pair, nil
}

// look is the files as they are. One that is not there has a stamp of its own;
// reading it tells why.
func (c *Certificate) look() (stamps [2]stamp) {
	for i, file := range []string{c.certFile, c.keyFile} {
		if info, err := os.Stat(file); err == nil {
			stamps[i] = stamp{info.ModTime().UnixNano(), info.Size()}
		}
	}
	return stamps
}

// read reads the files, which were looked at before, so that a change while they
// are read is seen the next time.
func (c *Certificate) read(stamps [2]stamp) error {
	pair, err := tls.LoadX509KeyPair(c.certFile, c.keyFile)
	if err != nil {
		return err
	}
	c.stamps, c.pair, c.fault = stamps, &pair, ""
	return nil
}
