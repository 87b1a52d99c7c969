package main

import (
	"bytes"
	"encoding/json"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/fstest"
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
	if code := run([]string{"check", "--quick", "http://127.0.0.1:1"}, &out, &errs); code != 4 || !strings.HasPrefix(out.String(), "The relay cannot be reached from here: ") {
		t.Errorf("exit code %d, %s", code, &out)
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
