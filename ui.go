package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"syscall"
	"time"

	"snug/client"
	"snug/handlers"
	"snug/static"
)

// uiAddress is where the page is found if nothing else is said: 7684 is "snug" on a telephone. It is the same each time, since
// the browser keeps rooms by address.
const uiAddress address = "127.0.0.1:7684"

// uiCmd serves the page of this program on this machine and forwards what is sealed to a relay, so that nothing in between, nor the
// relay itself, can change the code that holds the keys.
type uiCmd struct {
	relayFlags
	Listen address `env:"-" placeholder:"ADDR" help:"Address to listen on. Without it: 127.0.0.1:7684, or any free port of 127.0.0.1."`
}

// Run serves until SIGINT or SIGTERM.
func (c *uiCmd) Run(out *output) error {
	ctx, stop := interrupted()
	defer stop()
	srv, err := c.server()
	if err != nil {
		return err
	}
	var g group
	defer g.close()
	ln, err := c.listen(&g, srv)
	if err != nil {
		return err
	}
	if _, err := fmt.Fprint(out, c.welcome(ln.Addr())); err != nil {
		return err
	}
	return g.serve(ctx)
}

// server is the local one. Its streams end with its shutdown.
func (c *uiCmd) server() (*http.Server, error) {
	ctx, end := context.WithCancel(context.Background())
	h, err := handlers.NewLocal(static.Files, string(c.URL), forwarder(c.URL.url(), client.Transport(c.Proxy.url())))
	if err != nil {
		end()
		return nil, err
	}
	srv := &http.Server{
		Handler:           h,
		ReadHeaderTimeout: 10 * time.Second,
		IdleTimeout:       2 * time.Minute,
		ErrorLog:          log.New(io.Discard, "", 0),
		BaseContext:       func(net.Listener) context.Context { return ctx },
	}
	srv.RegisterOnShutdown(end)
	return srv, nil
}

func (c *uiCmd) listen(g *group, srv *http.Server) (net.Listener, error) {
	if c.Listen != "" {
		return g.listen(c.Listen, "--listen", srv, nil)
	}
	ln, err := net.Listen("tcp", string(uiAddress))
	if errors.Is(err, syscall.EADDRINUSE) {
		return g.listen("127.0.0.1:0", "--listen", srv, nil)
	}
	if err != nil {
		return nil, listenError(uiAddress, "--listen", err)
	}
	g.servers, g.listeners = append(g.servers, srv), append(g.listeners, ln)
	return ln, nil
}

func (c *uiCmd) welcome(at net.Addr) string {
	text := "snug: open " + localURL(at.String(), at, false) + "\nThe page comes from this program, " + static.Hash() + ".\nOnly what it has sealed goes to " + string(c.URL) + ", whose address its links carry.\n"
	if c.Listen == "" && at.String() != string(uiAddress) {
		text += "Port 7684 is taken. Rooms kept on this device stay with the port: --listen chooses one.\n"
	}
	return text
}

// Headers that cross over. Whatever else browsers and proxies say (cookies, languages, where one comes from, service workers, logins
// that would make the browser ask) stays on its side. Static.
var (
	sentOn   = []string{"Accept", "Authorization", "Content-Length", "Content-Type", "User-Agent"}
	handedOn = []string{"Cache-Control", "Content-Encoding", "Content-Length", "Content-Type", "Retry-After"}
)

// forwarder hands requests to the relay and answers back, each piece when it comes.
func forwarder(relay *url.URL, way http.RoundTripper) http.Handler {
	return &httputil.ReverseProxy{
		Transport:     way,
		FlushInterval: -1,
		ErrorLog:      log.New(io.Discard, "", 0),
		Rewrite: func(r *httputil.ProxyRequest) {
			r.Out.URL.Scheme, r.Out.URL.Host, r.Out.Host = relay.Scheme, relay.Host, relay.Host
			r.Out.Header = only(r.In.Header, sentOn)
		},
		ModifyResponse: func(r *http.Response) error {
			r.Header = only(r.Header, handedOn)
			if r.StatusCode == http.StatusProxyAuthRequired { // to the browser we are no proxy; 511 says the same
				r.StatusCode = http.StatusNetworkAuthenticationRequired
			}
			return nil
		},
		ErrorHandler: unreachable,
	}
}

func only(h http.Header, names []string) http.Header {
	out := http.Header{}
	for _, name := range names {
		if v, ok := h[name]; ok {
			out[name] = v
		}
	}
	if _, ok := out["User-Agent"]; !ok {
		out["User-Agent"] = nil // or net/http adds its own
	}
	return out
}

// unreachable is what the page sees when the relay was not reached: a proxy's refusal as one, and silence as a connection that breaks,
// so that the page says what it would say without us.
func unreachable(w http.ResponseWriter, _ *http.Request, err error) {
	blocked, ok := errors.AsType[*client.BlockedError](err)
	if !ok {
		panic(http.ErrAbortHandler)
	}
	status := blocked.Status
	if status == http.StatusProxyAuthRequired || status < 400 {
		status = http.StatusNetworkAuthenticationRequired
	}
	http.Error(w, blocked.Hint, status)
}
