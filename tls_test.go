package main

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// writePair writes a fresh certificate and returns its fingerprint.
func writePair(t *testing.T, cert, key string, at time.Time) string {
	t.Helper()
	pair, err := selfSigned([]string{"localhost"}, []net.IP{net.IPv6loopback}, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(pair.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	for name, block := range map[string]*pem.Block{cert: {Type: "CERTIFICATE", Bytes: pair.Certificate[0]}, key: {Type: "PRIVATE KEY", Bytes: der}} {
		if err := os.WriteFile(name, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(name, at, at); err != nil {
			t.Fatal(err)
		}
	}
	return fingerprint(pair)
}

// TestRenewedCertificate: a pair that changes on disk is taken without a restart, a broken one is not.
func TestRenewedCertificate(t *testing.T) {
	cert, key := filepath.Join(t.TempDir(), "cert.pem"), filepath.Join(t.TempDir(), "key.pem")
	begin := time.Now().Add(-time.Hour)
	first := writePair(t, cert, key, begin)
	files, err := loadCert(cert, key, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	serves := func(when, want string) {
		t.Helper()
		files.looked = time.Time{} // as if lookEvery had passed
		got, err := files.certificate(&tls.ClientHelloInfo{})
		if err != nil || fingerprint(*got) != want {
			t.Errorf("%s: not the certificate it should be, %v", when, err)
		}
	}
	serves("at first", first)
	second := writePair(t, cert, key, begin.Add(time.Minute))
	serves("renewed", second)
	if err := os.WriteFile(key, []byte("half written"), 0o600); err != nil {
		t.Fatal(err)
	}
	serves("half written", second)
	third := writePair(t, cert, key, begin.Add(2*time.Minute))
	serves("written", third)
	if err := os.Remove(cert); err != nil {
		t.Fatal(err)
	}
	serves("gone", third)
}

func TestSelfSignedNames(t *testing.T) {
	names, addrs := localNames()
	pair, err := selfSigned(names, addrs, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(pair.Certificate[0])
	if err != nil {
		t.Fatal(err)
	}
	hosts := append([]string{}, names...)
	for _, a := range addrs {
		hosts = append(hosts, a.String())
	}
	for _, host := range hosts {
		if err := cert.VerifyHostname(host); err != nil {
			t.Error(err)
		}
	}
	if life := cert.NotAfter.Sub(cert.NotBefore); life > 398*24*time.Hour {
		t.Errorf("life %v; browsers refuse more than 398 days", life)
	}
}
