package client

import (
	"context"
	"crypto/tls"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"snug/handlers"
	"snug/hub"
)

// tunnel passes connections on until they are silenced: then nothing comes through them any more, and nobody hears that, as when a machine has
// changed its network or a box in between has forgotten them.
type tunnel struct {
	net.Listener
	to   string
	slow int // bytes in 20 ms on the way to the relay; 0: as they come
	wg   sync.WaitGroup

	mu    sync.Mutex
	conns []net.Conn
	mute  chan struct{} // closed by silence; for the connections so far
}

func newTunnel(t *testing.T, to string, slow int) *tunnel {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	u := &tunnel{Listener: ln, to: to, slow: slow, mute: make(chan struct{})}
	u.wg.Go(u.serve)
	t.Cleanup(func() {
		ln.Close()
		u.mu.Lock()
		for _, c := range u.conns {
			c.Close()
		}
		u.mu.Unlock()
		u.wg.Wait()
	})
	return u
}

func (u *tunnel) serve() {
	for {
		in, err := u.Accept()
		if err != nil {
			return
		}
		out, err := net.Dial("tcp", u.to)
		if err != nil {
			in.Close()
			continue
		}
		u.mu.Lock()
		u.conns = append(u.conns, in, out)
		mute := u.mute
		u.mu.Unlock()
		u.wg.Go(func() { pass(in, out, mute, u.slow) })
		u.wg.Go(func() { pass(out, in, mute, 0) })
	}
}

func pass(from, to net.Conn, mute <-chan struct{}, slow int) {
	b, pace := make([]byte, 32<<10), time.NewTicker(20*time.Millisecond)
	defer pace.Stop()
	if slow > 0 {
		b = b[:slow]
	}
	for {
		n, err := from.Read(b)
		if isClosed(mute) {
			return
		}
		if err != nil {
			to.Close()
			return
		}
		if to.Write(b[:n]); slow > 0 {
			<-pace.C
		}
	}
}

func (u *tunnel) silence() {
	u.mu.Lock()
	defer u.mu.Unlock()
	close(u.mute)
	u.mute = make(chan struct{})
}

// TestDeadConnection: requests over HTTP/2 share a connection. When that goes silent, each new one once went into it and was lost, until
// the kernel gave it up after a quarter of an hour.
func TestDeadConnection(t *testing.T) {
	memory := hub.NewMemory(hub.Limits{})
	defer memory.Close()
	relay, err := handlers.New(handlers.Config{Hub: memory})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewUnstartedServer(relay)
	server.EnableHTTP2 = true
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.StartTLS()
	defer server.Close()
	defer server.CloseClientConnections()
	defer relay.Drain()
	u := newTunnel(t, server.Listener.Addr().String(), 0)
	way := Transport(nil)
	if way.HTTP2 == nil || way.HTTP2.SendPingTimeout == 0 {
		t.Fatal("nobody looks whether a connection is alive")
	}
	way.HTTP2.SendPingTimeout /= 10 // 3 s are as good as 30
	way.HTTP2.PingTimeout /= 10
	way.TLSClientConfig = &tls.Config{InsecureSkipVerify: true}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	s, err := Join(ctx, Config{Origin: "https://" + u.Addr().String(), Root: newRoot(t), Alias: "ann", HTTP: &http.Client{Transport: way}})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if l, err := s.Send(ctx, "before"); err != nil {
		t.Fatal(err)
	} else if _, err := l.Posted(ctx); err != nil {
		t.Fatal(err)
	}
	u.silence()
	l, err := s.Send(ctx, "after")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := l.Posted(ctx); err != nil {
		t.Fatalf("%v; %s; %+v", err, l.Reason(), s.Status())
	}
}

// TestFileOnASlowLine: a piece that takes longer than the relay waits for a body goes as smaller ones. It once ended the file.
func TestFileOnASlowLine(t *testing.T) {
	r := newRelay(t, hub.Limits{}, nil)
	r.kill()
	r.body = time.Second
	r.start()
	root := newRoot(t)
	ann := r.join(Config{Root: root, Alias: "ann", Origin: "http://" + newTunnel(t, r.addr, 8<<10).Addr().String()}) // 400 KiB/s
	bob := r.collect(Config{Root: root, Alias: "bob"})
	ann.untilKind(KindJoined)
	content := randomContent(700 << 10)
	parcel := ann.ship("a", content)
	bob.has(content)
	ann.untilDone(parcel)
	if got := ann.current().api.chunks.size(false); got >= 512<<10 {
		t.Errorf("it goes in pieces of %d bytes", got)
	}
}
