// Package proxies has bad proxies on a loopback port: each habit is a small struct, and a proxy is a list of them. They are what tests
// stand between the relay and its clients, because what networks do to an answer cannot be seen otherwise.
package proxies

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// Habit is one thing that a proxy does to the requests and answers that pass it.
type Habit interface {
	Wrap(next http.Handler) http.Handler
}

// Config says what a proxy is. The zero Config is a forward proxy that does its duty.
type Config struct {
	// Habits are what it does, the first one nearest to the client. They see plain requests, CONNECT itself, and with Inspect what is
	// inside; a tunnel they do not look into.
	Habits []Habit
	// Reverse is host:port of the server it stands in front of, over plain HTTP. Empty: a forward proxy.
	Reverse string
	// Tunnel is what it does to the tunnels of CONNECT.
	Tunnel Tunnel
	// Inspect makes it open those tunnels with certificates of its own and look inside. Nil: it does not.
	Inspect *CA
	// Servers are the authorities that it trusts itself when it inspects.
	Servers *x509.CertPool
}

// Proxy is one that runs. Close, or the end of its test, stops it.
type Proxy struct {
	// URL is where it listens: what a client is told as its proxy, or the address of the server for a reverse one.
	URL *url.URL

	conf    Config
	handler atomic.Pointer[http.Handler]
	out     *http.Transport
	outer   *http.Server
	inner   *http.Server // what is inside inspected tunnels; nil without
	opened  *opened
	wg      sync.WaitGroup // the servers
	ctx     context.Context
	cancel  context.CancelFunc
	mu      sync.Mutex
	conns   map[net.Conn]bool // from clients, and the far ends of tunnels; guarded by mu
}

// Start starts a proxy that lives until the test ends.
func Start(t testing.TB, c Config) *Proxy {
	t.Helper()
	p, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Close)
	return p
}

// New starts a proxy on a free port of 127.0.0.1. Errors: no port.
func New(c Config) (*Proxy, error) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	p := &Proxy{URL: &url.URL{Scheme: "http", Host: ln.Addr().String()}, conf: c, conns: map[net.Conn]bool{}}
	p.ctx, p.cancel = context.WithCancel(context.Background())
	p.out = &http.Transport{DisableCompression: true, MaxIdleConnsPerHost: 20, TLSClientConfig: &tls.Config{RootCAs: c.Servers}}
	p.Become(c.Habits...)
	quiet := log.New(io.Discard, "", 0)
	p.outer = &http.Server{Handler: http.HandlerFunc(p.serve), ErrorLog: quiet, ReadHeaderTimeout: 30 * time.Second,
		ConnState: func(c net.Conn, state http.ConnState) {
			if state == http.StateNew || state == http.StateClosed { // hijacked ones are closed by connect
				p.keep(c, state == http.StateNew)
			}
		}}
	p.wg.Go(func() { p.outer.Serve(ln) })
	if c.Inspect != nil {
		p.opened = newOpened(ln.Addr())
		p.inner = &http.Server{Handler: http.HandlerFunc(p.serve), ErrorLog: quiet, ReadHeaderTimeout: 30 * time.Second,
			ConnContext: func(ctx context.Context, c net.Conn) context.Context {
				return context.WithValue(ctx, targetKey{}, c.(*openedConn).target)
			}}
		p.wg.Go(func() { p.inner.Serve(p.opened) })
	}
	return p, nil
}

// Become changes the habits for all requests to come. Those under way go on as they were.
func (p *Proxy) Become(habits ...Habit) {
	h := http.Handler(http.HandlerFunc(p.forward))
	for i := len(habits) - 1; i >= 0; i-- {
		h = habits[i].Wrap(h)
	}
	p.handler.Store(&h)
}

// Close stops listening and cuts every connection.
func (p *Proxy) Close() {
	p.cancel()
	p.outer.Close()
	if p.inner != nil {
		p.inner.Close()
	}
	p.Cut()
	p.wg.Wait()
	p.out.CloseIdleConnections()
}

// Cut breaks every connection that is open, as when a machine moves to another network.
func (p *Proxy) Cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for c := range p.conns {
		c.Close()
	}
}

// keep remembers a connection, or closes and forgets it.
func (p *Proxy) keep(c net.Conn, open bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if open && p.ctx.Err() == nil {
		p.conns[c] = true
		return
	}
	c.Close()
	delete(p.conns, c)
}

func (p *Proxy) serve(w http.ResponseWriter, r *http.Request) { (*p.handler.Load()).ServeHTTP(w, r) }

// targetKey is the context key of the host:port that an inspected tunnel leads to.
type targetKey struct{}

// forward is what remains when all habits have had their say: the request goes on, and the answer comes back piece by piece.
func (p *Proxy) forward(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodConnect {
		p.connect(w, r)
		return
	}
	target, inside := r.Context().Value(targetKey{}).(string)
	if !inside && p.conf.Reverse == "" && r.URL.Host == "" {
		page(w, http.StatusBadRequest, "this is a proxy")
		return
	}
	reverse := httputil.ReverseProxy{
		Transport:     p.out,
		FlushInterval: -1,
		ErrorLog:      log.New(io.Discard, "", 0),
		Rewrite: func(pr *httputil.ProxyRequest) {
			pr.Out.Host = pr.In.Host
			switch {
			case inside:
				pr.Out.URL.Scheme, pr.Out.URL.Host = "https", target
			case p.conf.Reverse != "":
				pr.Out.URL.Scheme, pr.Out.URL.Host = "http", p.conf.Reverse
			}
			pr.Out.Header.Set("Via", "1.1 proxies")
		},
		ErrorHandler: func(w http.ResponseWriter, r *http.Request, err error) {
			status := http.StatusBadGateway
			if context.Cause(r.Context()) == errTime {
				status = http.StatusGatewayTimeout
			}
			page(w, status, "no answer from the server")
		},
	}
	reverse.ServeHTTP(w, r)
}

// page is an answer of the proxy's own.
func page(w http.ResponseWriter, status int, why string) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	io.WriteString(w, "<!doctype html><title>Gateway</title><h1>"+http.StatusText(status)+"</h1><p>"+why+"</p>\n")
}
