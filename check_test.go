package main

import (
	"bytes"
	"crypto/x509"
	"encoding/json"
	"errors"
	"net"
	"net/http/httptest"
	"os"
	"os/exec"
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

// TestInterrupted: what was stopped has found out nothing, and says no more than that. Once it said that nothing can be sent.
func TestInterrupted(t *testing.T) {
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	for _, args := range [][]string{{"check", "--quick"}, {"verify"}} {
		var stdout, stderr strings.Builder
		cmd := command(t, nil, append(args, "http://"+silent.Addr().String())...)
		cmd.Stdout, cmd.Stderr = &stdout, &stderr
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		conn, err := silent.Accept() // so it is under way
		if err != nil {
			t.Fatal(err)
		}
		cmd.Process.Signal(os.Interrupt)
		exit, _ := errors.AsType[*exec.ExitError](cmd.Wait())
		if exit == nil || exit.ExitCode() != exitFailed || stdout.Len() > 0 || !strings.HasSuffix(stderr.String(), "snug: interrupt signal received\n") {
			t.Errorf("%q: %v, %q, %q", args, exit, &stdout, &stderr)
		}
		conn.Close()
	}
}
