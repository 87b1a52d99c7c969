package proxies

import (
	"bufio"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

// Tunnel is what a proxy does to tunnels that it does not look into. Zero durations mean never.
type Tunnel struct {
	Refuse bool          // CONNECT is answered 403
	Idle   time.Duration // without a byte for so long it is cut
	Life   time.Duration // at this age it is cut
	Hole   time.Duration // at this age nothing passes any more, and nobody is told
}

func (p *Proxy) connect(w http.ResponseWriter, r *http.Request) {
	if p.conf.Tunnel.Refuse || p.conf.Reverse != "" {
		page(w, http.StatusForbidden, "no tunnels")
		return
	}
	server, err := net.DialTimeout("tcp", r.Host, 5*time.Second)
	if err != nil {
		page(w, http.StatusBadGateway, "no answer from the server")
		return
	}
	conn, buffered, err := http.NewResponseController(w).Hijack()
	if err != nil {
		server.Close()
		return
	}
	conn.SetDeadline(time.Time{})
	client := &bufferedConn{conn, buffered.Reader}
	if _, err := io.WriteString(conn, "HTTP/1.1 200 Connection established\r\n\r\n"); err != nil {
		conn.Close()
	}
	if p.conf.Inspect != nil {
		server.Close() // requests inside make their own connections
		p.inspect(client, r.Host)
		return
	}
	p.keep(server, true)
	defer p.keep(conn, false)
	defer p.keep(server, false)
	p.conf.Tunnel.carry(client, server)
}

// carry passes bytes both ways until either side ends or the tunnel's time is up. It leaves both connections closed.
func (t Tunnel) carry(client, server net.Conn) {
	var once sync.Once
	cut := func() { once.Do(func() { client.Close(); server.Close() }) }
	defer cut()
	var dead atomic.Bool
	if t.Life > 0 {
		defer time.AfterFunc(t.Life, cut).Stop()
	}
	if t.Hole > 0 {
		defer time.AfterFunc(t.Hole, func() { dead.Store(true) }).Stop()
	}
	touch := func() {}
	if t.Idle > 0 {
		idle := time.AfterFunc(t.Idle, cut)
		defer idle.Stop()
		touch = func() { idle.Reset(t.Idle) }
	}
	copyAll := func(to, from net.Conn) {
		buf := make([]byte, 32<<10)
		for {
			n, err := from.Read(buf)
			touch()
			if n > 0 && !dead.Load() {
				if _, err := to.Write(buf[:n]); err != nil {
					break
				}
			}
			if err != nil {
				break
			}
		}
		if !dead.Load() || to == server { // whoever is in the hole is not told that the other side has gone
			cut()
		}
	}
	var wg sync.WaitGroup
	wg.Go(func() { copyAll(server, client) })
	wg.Go(func() { copyAll(client, server) })
	wg.Wait()
}

// bufferedConn is a hijacked connection whose first bytes net/http had read already.
type bufferedConn struct {
	net.Conn
	r *bufio.Reader
}

func (c *bufferedConn) Read(p []byte) (int, error) { return c.r.Read(p) }

// inspect gives the tunnel to the inner server, behind a certificate of the proxy's own.
func (p *Proxy) inspect(client net.Conn, target string) {
	host, _, err := net.SplitHostPort(target)
	if err != nil {
		host = target
	}
	conn := tls.Server(client, &tls.Config{
		NextProtos: []string{"http/1.1"},
		GetCertificate: func(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
			if hello.ServerName != "" {
				return p.conf.Inspect.Certificate(hello.ServerName)
			}
			return p.conf.Inspect.Certificate(host)
		},
	})
	if !p.opened.give(&openedConn{Conn: conn, target: target}) {
		conn.Close()
	}
}

// openedConn is the inside of an inspected tunnel.
type openedConn struct {
	net.Conn
	target string
}

// opened is a listener for tunnels that were opened.
type opened struct {
	addr   net.Addr
	conns  chan net.Conn
	closed chan struct{}
	once   sync.Once
}

func newOpened(addr net.Addr) *opened {
	return &opened{addr: addr, conns: make(chan net.Conn), closed: make(chan struct{})}
}

func (o *opened) give(c net.Conn) bool {
	select {
	case o.conns <- c:
		return true
	case <-o.closed:
		return false
	}
}

func (o *opened) Accept() (net.Conn, error) {
	select {
	case c := <-o.conns:
		return c, nil
	case <-o.closed:
		return nil, net.ErrClosed
	}
}

func (o *opened) Close() error {
	o.once.Do(func() { close(o.closed) })
	return nil
}

func (o *opened) Addr() net.Addr { return o.addr }
