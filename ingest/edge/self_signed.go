package edge

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"slices"
	"time"
)

const (
	// selfSignedFor is how long a self-signed certificate lasts: Apple's systems take
	// none that is made for more than 825 days.
	selfSignedFor = 730 * 24 * time.Hour
	// renewBefore is how long before its end it is replaced, at a start.
	renewBefore = 30 * 24 * time.Hour
)

// SelfSigned is the self-signed certificate in the files cert.pem and key.pem of
// dir. It is made when there is none that holds for localhost and this host, so
// that who trusts it once need not do so again after a restart. For development:
// nobody but who was told trusts it.
func SelfSigned(dir string, log *slog.Logger) (*Certificate, error) {
	host, err := os.Hostname()
	if err != nil {
		return nil, fmt.Errorf("self-signed certificate: %w", err)
	}
	names := []string{"localhost"}
	if host != "localhost" {
		names = append(names, host)
	}
	certFile, keyFile := filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	if !holds(certFile, keyFile, names, time.Now()) {
		if err := writeSelfSigned(certFile, keyFile, names, time.Now()); err != nil {
			return nil, fmt.Errorf("self-signed certificate: %w", err)
		}
		log.Info("self-signed certificate made", "file", certFile, "for", names)
	}
	return LoadCertificate(certFile, keyFile, log)
}

// holds says whether the files have a certificate for the names that lasts.
func holds(certFile, keyFile string, names []string, now time.Time) bool {
	pair, err := tls.LoadX509KeyPair(certFile, keyFile)
	return err == nil && slices.Equal(pair.Leaf.DNSNames, names) && now.Add(renewBefore).Before(pair.Leaf.NotAfter)
}

func writeSelfSigned(certFile, keyFile string, names []string, now time.Time) error {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	// No certificate authority: browsers refuse an authority's certificate as a
	// server's, and who trusts this one trusts nothing that it signs.
	template := x509.Certificate{
		Subject:               pkix.Name{CommonName: "pinglake self-signed"},
		NotBefore:             now.Add(-time.Hour), // for clocks that are late
		NotAfter:              now.Add(selfSignedFor),
		KeyUsage:              x509.KeyUsageDigitalSignature,
		ExtKeyUsage:           []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		BasicConstraintsValid: true,
		DNSNames:              names,
		IPAddresses:           []net.IP{net.IPv4(127, 0, 0, 1), net.IPv6loopback},
	}
	certificate, err := x509.CreateCertificate(rand.Reader, &template, &template, &key.PublicKey, key)
	if err != nil {
		return err
	}
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(certFile), 0o755); err != nil {
		return err
	}
	if err := writePEM(keyFile, "PRIVATE KEY", secret, 0o600); err != nil {
		return err
	}
	return writePEM(certFile, "CERTIFICATE", certificate, 0o644)
}

// writePEM replaces a file. A crash between two files leaves a pair that does not
// fit, which is made again.
func writePEM(path, kind string, content []byte, mode os.FileMode) error {
	next := path + ".tmp"
	if err := os.Remove(next); err != nil && !os.IsNotExist(err) {
		return err
	}
	if err := os.WriteFile(next, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: content}), mode); err != nil {
		return err
	}
	return os.Rename(next, path)
}
