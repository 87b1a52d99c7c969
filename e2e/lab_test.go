package e2e

import (
	"cmp"
	"crypto/x509"
	"net/url"
	"os"
	"testing"
	"time"
)

// TestLab is a row of the matrix behind a proxy that somebody else has started, before a relay of theirs: what the proxylab of docs/PROXIES.md runs.
// LAB_BASE_URL is the relay as clients call it, LAB_PROXY_URL the proxy, empty for a reverse one, LAB_CA a file of authorities, LAB_NAME the row.
func TestLab(t *testing.T) {
	base := os.Getenv("LAB_BASE_URL")
	if base == "" {
		return // nobody asks; a skip would say that a tool is missing
	}
	w := way{origin: base}
	if at := os.Getenv("LAB_PROXY_URL"); at != "" {
		var err error
		if w.proxy, err = url.Parse(at); err != nil {
			t.Fatal(err)
		}
	}
	if file := os.Getenv("LAB_CA"); file != "" {
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		w.trust = x509.NewCertPool()
		w.trust.AppendCertsFromPEM(b)
	}
	s := setup{name: cmp.Or(os.Getenv("LAB_NAME"), base), stay: 30 * time.Second} // past the lab's shortened time-outs
	s.pass(t, w, w)
}
