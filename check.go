package main

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"time"

	"snug/client"
)

// checkCmd tells what the network between here and a relay does.
type checkCmd struct {
	relayFlags
	Watch span `default:"60s" env:"-" placeholder:"TIME" help:"How long streams are watched, 95s at most."`
	Quick bool `env:"-" help:"Do not watch how long streams last."`
	JSON  bool `name:"json" env:"-" help:"Print JSON."`
}

// checked is what snug check --json prints.
type checked struct {
	Relay   string    `json:"relay"`
	OK      bool      `json:"ok"` // messages can pass both ways
	Verdict []string  `json:"verdict"`
	TLS     *tlsCheck `json:"tls,omitempty"`
	client.CheckReport
}

// tlsCheck is who answers for the relay's name.
type tlsCheck struct {
	Issuer      string `json:"issuer"`
	Fingerprint string `json:"fingerprint"` // SHA-256 of the certificate
	Trust       string `json:"trust"`       // public, private or none
	Direct      string `json:"direct,omitempty"`
	Why         string `json:"why,omitempty"`
}

// Run checks. Errors: a network in which messages cannot pass.
func (c *checkCmd) Run(out *output) error {
	ctx, stop := interrupted()
	defer stop()
	watch := time.Duration(c.Watch)
	if c.Quick {
		watch = 0
	}
	way := client.Transport(c.Proxy.url())
	way.HTTP2 = nil // its pings would keep alive what is to be silent, and a browser sends none
	done := checked{Relay: string(c.URL)}
	if c.URL.url().Scheme == "https" {
		done.TLS = c.tls(ctx)
	}
	done.CheckReport = client.CheckNetwork(ctx, &http.Client{Transport: way}, string(c.URL), watch, func(what string) {
		fmt.Fprintf(os.Stderr, "snug: trying %s\n", what)
	})
	if ctx.Err() != nil && done.Watch == nil { // stopped while it was tried what passes, so all that failed means nothing; the watch may be cut short
		return context.Cause(ctx)
	}
	done.OK, done.Verdict = done.Fine(), done.CheckReport.Verdict()
	if done.TLS != nil {
		done.Verdict = append(done.Verdict, done.TLS.verdict())
	}
	if err := c.report(out, done); err != nil {
		return err
	}
	if !done.OK {
		return failure{exitBlocked, errors.New("messages cannot pass here")}
	}
	return nil
}

// tls looks at the certificate that this way shows, and at the one that is seen without the proxy where that can be reached.
func (c *checkCmd) tls(ctx context.Context) *tlsCheck {
	seen, err := certificates(ctx, client.Transport(c.Proxy.url()), string(c.URL))
	if err != nil {
		return &tlsCheck{Trust: "none", Why: err.Error()}
	}
	t := judgeChain(seen, c.URL.url().Hostname())
	straight := client.Transport(nil)
	straight.Proxy = nil
	if other, err := certificates(ctx, straight, string(c.URL)); err == nil {
		t.Direct = printOf(other[0])
	}
	return t
}

// certificates is the chain that the other side shows. It is not verified: it is to be looked at, and nothing is sent but a GET of a probe.
func certificates(ctx context.Context, way *http.Transport, origin string) ([]*x509.Certificate, error) {
	ctx, cancel := context.WithTimeout(ctx, verifyTime)
	defer cancel()
	way.TLSClientConfig = &tls.Config{InsecureSkipVerify: true}
	defer way.CloseIdleConnections()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, origin+"/healthz", nil)
	if err != nil {
		return nil, err
	}
	resp, err := way.RoundTrip(req)
	if err != nil {
		return nil, client.NetworkFailure(err)
	}
	resp.Body.Close()
	if resp.TLS == nil || len(resp.TLS.PeerCertificates) == 0 {
		return nil, errors.New("no certificate is shown")
	}
	return resp.TLS.PeerCertificates, nil
}

// judgeChain tells a public authority, which logs what it signs (the certificate carries proofs of it), from a private one.
func judgeChain(chain []*x509.Certificate, host string) *tlsCheck {
	leaf, between := chain[0], x509.NewCertPool()
	for _, c := range chain[1:] {
		between.AddCert(c)
	}
	t := &tlsCheck{Issuer: leaf.Issuer.String(), Fingerprint: printOf(leaf), Trust: "private"}
	if _, err := leaf.Verify(x509.VerifyOptions{DNSName: host, Intermediates: between}); err != nil {
		t.Trust, t.Why = "none", err.Error()
		return t
	}
	for _, e := range leaf.Extensions {
		if e.Id.String() == "1.3.6.1.4.1.11129.2.4.2" { // signed certificate timestamps, RFC 6962: browsers want them of public authorities
			t.Trust = "public"
		}
	}
	return t
}

func printOf(c *x509.Certificate) string {
	return strings.ReplaceAll(fmt.Sprintf("% X", sha256.Sum256(c.Raw)), " ", ":")
}

func (t *tlsCheck) verdict() string {
	switch {
	case t.Fingerprint == "":
		return "No certificate could be seen: " + t.Why + "."
	case t.Direct != "" && t.Direct != t.Fingerprint:
		return "The proxy opens TLS: without it another certificate is shown. It can read and change the page; use snug ui."
	case t.Trust == "public":
		return "TLS goes through to a certificate of a public authority."
	case t.Trust == "private":
		return "The certificate is from a private authority (" + t.Issuer + "): TLS is opened on the way, or the relay is a private one. Compare the fingerprint; use snug ui."
	}
	return "The certificate is not trusted here (" + t.Issuer + "): " + t.Why + "."
}

func (c *checkCmd) report(out io.Writer, r checked) error {
	if c.JSON {
		return printJSON(out, r)
	}
	var b strings.Builder
	for _, line := range r.Verdict {
		fmt.Fprintln(&b, line)
	}
	fmt.Fprintln(&b)
	row := func(name, format string, args ...any) {
		fmt.Fprintf(&b, "%-22s "+format+"\n", append([]any{name}, args...)...)
	}
	if r.Reach.OK { // otherwise nothing was tried
		tableOf(r, row)
	} else {
		row("relay", "%s", r.Relay)
	}
	if t := r.TLS; t != nil && t.Fingerprint != "" {
		row("certificate from", "%s (%s)", t.Issuer, t.Trust)
		row("SHA-256", "%s", t.Fingerprint)
	}
	_, err := io.WriteString(out, b.String())
	return err
}

func tableOf(r checked, row func(name, format string, args ...any)) {
	row("relay", "%s, %d ms", r.Relay, r.Reach.MS)
	row("stream", "%s", streamWords(r.Stream))
	row("stream as bytes", "%s", streamWords(r.Octets))
	row("answer that ends", "%s", tryWords(r.Batch, 1000))
	row("long poll", "%s", tryWords(r.Poll, 2000))
	row("largest POST", "%d KiB binary, %d KiB text", r.Posts.Octets>>10, r.Posts.Text>>10)
	row("POST without length", "%s", map[bool]string{true: "passes", false: "does not pass"}[r.Posts.Chunked])
	row("headers lost, added", "%s; %s", listed(r.Lost), listed(r.Added))
	if w := r.Watch; w != nil {
		row("streams watched", "%d s: %s, silent %s", w.Seconds, cutWords(w.Cut), cutWords(w.Idle))
	}
}

func streamWords(s client.CheckStream) string {
	switch {
	case s.Live:
		return fmt.Sprintf("live, %d ms", s.Late)
	case s.Held > 0:
		return fmt.Sprintf("held back in blocks of about %d KiB", s.Held>>10)
	case s.Pieces > 0:
		return "held back until the end"
	case s.Why != "":
		return s.Why
	}
	return "nothing arrives"
}

func tryWords(t client.CheckTry, planned int64) string {
	if !t.OK {
		return "does not pass: " + t.Why
	}
	return fmt.Sprintf("passes, %d ms late", max(0, t.MS-planned))
}

func listed(names []string) string {
	if len(names) == 0 {
		return "none"
	}
	return strings.Join(names, ", ")
}

func cutWords(seconds int) string {
	if seconds == 0 {
		return "not cut"
	}
	return fmt.Sprintf("cut after %d s", seconds)
}
