package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"log/slog"
	"net"
	"os"
	"strings"
	"sync"
	"time"
)

// selfSignedLife is the longest life of a server certificate that all browsers accept.
const selfSignedLife = 397 * 24 * time.Hour

// selfSigned makes a certificate for the names and addresses of this machine. The key exists in memory only, so the
// fingerprint is a new one with each start.
func selfSigned(names []string, addrs []net.IP, now time.Time) (tls.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return tls.Certificate{}, fmt.Errorf("make a key: %w", err)
	}
	template := &x509.Certificate{
		Subject:               pkix.Name{CommonName: "snug on " + names[len(names)-1]},
		NotBefore:             now.Add(-time.Hour), // for clients whose clock is behind
		NotAfter:              now.Add(selfSignedLife - time.Hour),
		KeyUsage:              x509.KeyUsageDigitalSignature,
		ExtKeyUsage:           []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		BasicConstraintsValid: true,
		DNSNames:              names,
		IPAddresses:           addrs,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return tls.Certificate{}, fmt.Errorf("make a certificate: %w", err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, nil
}

// localNames lists what this machine may be called by: localhost, its host name and the addresses of its interfaces.
func localNames() (names []string, addrs []net.IP) {
	names = []string{"localhost"}
	if host, err := os.Hostname(); err == nil && host != "" && host != "localhost" {
		names = append(names, host)
	}
	addrs = []net.IP{net.IPv4(127, 0, 0, 1), net.IPv6loopback}
	ifaces, _ := net.InterfaceAddrs() // without them the certificate is good for localhost still
	for _, a := range ifaces {
		if n, ok := a.(*net.IPNet); ok && !n.IP.IsLoopback() {
			addrs = append(addrs, n.IP)
		}
	}
	return names, addrs
}

// fingerprint is the SHA-256 of the certificate in the form that browsers and openssl show.
func fingerprint(c tls.Certificate) string {
	sum := sha256.Sum256(c.Certificate[0])
	return strings.ReplaceAll(fmt.Sprintf("% X", sum), " ", ":")
}

// certFiles is a certificate in two files. They are read again when they change, because a restart for a renewed
// certificate would empty the relay.
type certFiles struct {
	cert, key string       // static after construction
	log       *slog.Logger // static after construction

	mu      sync.Mutex
	current *tls.Certificate // guarded by mu
	changed time.Time        // modification time of what current was read from; guarded by mu
	looked  time.Time        // when the files were last looked at; guarded by mu
}

// lookEvery bounds how often a handshake looks at the files.
const lookEvery = 10 * time.Second

// loadCert reads the pair once, so that a wrong path ends the start.
func loadCert(cert, key string, log *slog.Logger) (*certFiles, error) {
	f := &certFiles{cert: cert, key: key, log: log}
	var err error
	if f.changed, err = f.modified(); err != nil {
		return nil, err
	}
	return f, f.read()
}

// certificate is a tls.Config's GetCertificate.
func (f *certFiles) certificate(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if now := time.Now(); now.Sub(f.looked) >= lookEvery {
		f.looked = now
		f.refreshLocked()
	}
	return f.current, nil
}

// refreshLocked takes a newer pair if there is one. What cannot be read is logged and the old pair stays in use: a
// renewal writes one file after the other, and the next look finds both.
func (f *certFiles) refreshLocked() {
	at, err := f.modified()
	if err != nil || at.Equal(f.changed) {
		return
	}
	if err := f.read(); err != nil {
		f.log.Warn("the changed certificate cannot be used, the old one stays", "err", err)
		return
	}
	f.changed = at
	f.log.Info("certificate read again")
}

func (f *certFiles) read() error {
	pair, err := tls.LoadX509KeyPair(f.cert, f.key)
	if err != nil {
		return err
	}
	f.current = &pair
	return nil
}

// modified is the later modification time of the two files.
func (f *certFiles) modified() (at time.Time, err error) {
	for _, name := range []string{f.cert, f.key} {
		info, err := os.Stat(name)
		if err != nil {
			return at, err
		}
		if info.ModTime().After(at) {
			at = info.ModTime()
		}
	}
	return at, nil
}
