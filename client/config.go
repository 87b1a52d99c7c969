package client

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"snug/client/e2ee"
)

// Config says which room to join, and as whom. The room is named in one of four ways: Link; Origin and Root; Origin,
// Passphrase and Name; or State alone.
type Config struct {
	Link       string    // ORIGIN/#SECRET
	Origin     string    // of the relay: scheme://host[:port]
	Root       e2ee.Root // the secret of the room
	Passphrase string    // of a passphrase room; joining takes half a second longer
	Name       string    // of a passphrase room

	// Alias is the name that others see, 1 to 64 bytes. With State it may be left empty, which keeps the old one.
	Alias string
	// Identity makes this member one that was here before. Nil: a new member. State brings its own.
	Identity *e2ee.Identity
	// State is what Session.State gave: the same member, with what it knew and the events it had not handled.
	State []byte

	// HTTP makes the requests; redirects are not followed in any case. Nil: a client of its own that honours Proxy.
	HTTP *http.Client
	// Proxy is the proxy of that client. Nil: HTTPS_PROXY, HTTP_PROXY and NO_PROXY, which never apply to a loopback address.
	Proxy *url.URL

	// Now is the clock of the encryption, which ages keys by it. Nil: time.Now.
	Now func() time.Time
	// Status is told how the line to the relay is, at each change, one at a time. It may ask the session what it is like, but must not wait for
	// anything to happen in it. Nil: nobody asks.
	Status func(Status)
}

// resolve brings the ways to name a room to one, Origin and Root, and fills in what is missing.
func (c Config) resolve() (Config, error) {
	switch {
	case c.Link != "":
		var err error
		if c.Origin, c.Root, err = e2ee.ParseLink(c.Link); err != nil {
			return c, err
		}
	case c.Passphrase != "" || c.Name != "":
		var err error
		if c.Root, err = e2ee.PassphraseRoot(c.Passphrase, c.Name); err != nil {
			return c, err
		}
	case c.Root == e2ee.Root{}:
		return c, fmt.Errorf("room: %w: neither link nor root nor passphrase", e2ee.ErrMalformed)
	}
	c.Link, c.Passphrase = "", ""
	u, err := url.Parse(c.Origin)
	if err != nil || (u.Scheme != "https" && u.Scheme != "http") || u.Host == "" || strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.User != nil {
		return c, fmt.Errorf("origin: %w: want https://HOST", e2ee.ErrMalformed)
	}
	c.Origin = u.Scheme + "://" + u.Host
	return c, nil
}

// httpClient is HTTP, or one of our own, that does not follow redirects: those are never the relay's.
func (c Config) httpClient() *http.Client {
	own := http.Client{Transport: Transport(c.Proxy)}
	if c.HTTP != nil {
		own = *c.HTTP
	}
	own.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &own
}

// Transport is how a session reaches its relay unless Config.HTTP says otherwise. It asks for no compression, which makes proxies
// hold answers back; where a proxy refuses a tunnel, requests fail with a *BlockedError. A nil proxy: that of the environment.
func Transport(proxy *url.URL) *http.Transport {
	t := &http.Transport{
		Proxy:               http.ProxyFromEnvironment,
		DialContext:         (&net.Dialer{Timeout: 10 * time.Second, KeepAlive: 30 * time.Second}).DialContext,
		TLSHandshakeTimeout: 10 * time.Second,
		IdleConnTimeout:     20 * time.Second, // below what proxies keep an idle connection for
		ForceAttemptHTTP2:   true,
		DisableCompression:  true,
		// Requests share a connection, and would go on using one that has gone silent until the kernel gives it up, in a quarter of an hour. The
		// relay's heartbeats are less than this apart; the answer may have to wait behind a chunk on its way through a slow line.
		HTTP2: &http.HTTP2Config{SendPingTimeout: 15 * time.Second, PingTimeout: 15 * time.Second},
	}
	if proxy != nil {
		t.Proxy = http.ProxyURL(proxy)
	}
	t.OnProxyConnectResponse = func(_ context.Context, _ *url.URL, _ *http.Request, resp *http.Response) error {
		if resp.StatusCode == http.StatusOK {
			return nil
		}
		kind := mediaType(resp)
		return &BlockedError{Status: resp.StatusCode, ContentType: kind, Hint: hint(resp.StatusCode, kind), RetryAfter: retryAfter(resp)}
	}
	return t
}

// errNoState is wrapped by the failure to read a State.
var errNoState = errors.New("saved session")
