package main

import (
	"bytes"
	"crypto/x509"
	"encoding/json"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/fstest"

	"snug/e2e/proxies"
)

func TestCheck(t *testing.T) {
	var out, errs bytes.Buffer
	relay := serves(t, func(fstest.MapFS) {})
	if code := run([]string{"check", "--quick", "--json", relay}, &out, &errs); code != 0 {
		t.Fatalf("exit code %d, %s", code, &errs)
	}
	var got checked
	if err := json.Unmarshal(out.Bytes(), &got); err != nil || !got.OK || !got.Stream.Live || got.Posts.Octets != 1<<20 || got.TLS != nil {
		t.Errorf("got %s, %v", &out, err)
	}
	out.Reset()
	if code := run([]string{"check", "--quick", "http://127.0.0.1:1"}, &out, &errs); code != 4 || !strings.HasPrefix(out.String(), "The relay cannot be reached from here: dial tcp 127.0.0.1:1: ") {
		t.Errorf("exit code %d, %s", code, &out)
	}
	if strings.Contains(out.String(), "pass") {
		t.Errorf("it tells of what was not tried:\n%s", &out)
	}
}

// TestCheckSeesInspection: a gateway that opens TLS with certificates of its own is found by what is shown without it.
func TestCheckSeesInspection(t *testing.T) {
	web := httptest.NewTLSServer(nil)
	defer web.Close()
	office, err := proxies.NewCA("Office Web Gateway")
	if err != nil {
		t.Fatal(err)
	}
	servers := x509.NewCertPool()
	servers.AddCert(web.Certificate())
	p := proxies.Start(t, proxies.Config{Inspect: office, Servers: servers})
	c := checkCmd{relayFlags: relayFlags{URL: relayURL(web.URL), Proxy: proxyURL(p.URL.String())}}
	got := c.tls(t.Context())
	if !strings.Contains(got.Issuer, "Office Web Gateway") || got.Direct != printOf(web.Certificate()) || !strings.HasPrefix(got.verdict(), "The proxy opens TLS: ") {
		t.Errorf("got %+v, %s", got, got.verdict())
	}
}

// TestCheckSeesWhoAnswersForTLS: a certificate that nobody here trusts is told by issuer and fingerprint.
func TestCheckSeesWhoAnswersForTLS(t *testing.T) {
	web := httptest.NewTLSServer(nil)
	defer web.Close()
	c := checkCmd{relayFlags: relayFlags{URL: relayURL(web.URL)}}
	got := c.tls(t.Context())
	if got.Trust != "none" || got.Fingerprint != printOf(web.Certificate()) || got.Direct != got.Fingerprint || !strings.Contains(got.Issuer, "Acme Co") {
		t.Errorf("got %+v", got)
	}
	got.Direct = "another"
	if !strings.Contains(got.verdict(), "The proxy opens TLS") {
		t.Errorf("got %q", got.verdict())
	}
}
