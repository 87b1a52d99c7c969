package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"syscall"
	"time"

	"snug/handlers"
)

// stopTime is how long a stop waits for answers under way, so that the process ends within 2 s on a busy machine too.
// Streams say bye at once; what takes longer is an upload, and its client sends it again.
const stopTime = 1200 * time.Millisecond

// group is the servers of one process, each with its listener. It belongs to one goroutine.
type group struct {
	servers   []*http.Server
	listeners []net.Listener
	wait      func(context.Context) error // for what Shutdown does not wait for; may be nil
}

// listen opens the address for srv, with TLS if conf is not nil. The error is a sentence that names the flag.
func (g *group) listen(addr address, flag string, srv *http.Server, conf *tls.Config) (net.Listener, error) {
	ln, err := net.Listen("tcp", string(addr))
	if err != nil {
		return nil, listenError(addr, flag, err)
	}
	if relay, ok := srv.Handler.(*handlers.Server); ok && conf == nil {
		ln = relay.Listener(ln)
	}
	srv.TLSConfig = conf
	g.servers, g.listeners = append(g.servers, srv), append(g.listeners, ln)
	return ln, nil
}

func listenError(addr address, flag string, err error) error {
	_, port, _ := net.SplitHostPort(string(addr)) // UnmarshalText has passed it
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return fmt.Errorf("port %s is taken; stop what uses it or choose another with %s", port, flag)
	case errors.Is(err, syscall.EACCES):
		return fmt.Errorf("port %s is not for this user; choose one above 1023 with %s", port, flag)
	case errors.Is(err, syscall.EADDRNOTAVAIL):
		return fmt.Errorf("%s %s is not an address of this machine", flag, addr)
	}
	return fmt.Errorf("%s %s cannot be listened on: %w", flag, addr, err)
}

// serve runs all servers until ctx ends or one of them fails, and returns when none runs.
func (g *group) serve(ctx context.Context) error {
	ended := make(chan error, len(g.servers))
	for i, srv := range g.servers {
		go func() {
			if srv.TLSConfig != nil {
				ended <- srv.ServeTLS(g.listeners[i], "", "")
			} else {
				ended <- srv.Serve(g.listeners[i])
			}
		}()
	}
	var failed error
	running := len(g.servers)
	select {
	case <-ctx.Done():
	case failed = <-ended:
		running--
	}
	g.stop()
	for range running {
		<-ended
	}
	return failed
}

// stop lets the answers under way end, for stopTime at most. Streams end themselves: each server's RegisterOnShutdown sees to it.
func (g *group) stop() {
	ctx, cancel := context.WithTimeout(context.Background(), stopTime)
	defer cancel()
	for _, srv := range g.servers {
		if srv.Shutdown(ctx) != nil {
			srv.Close()
		}
	}
	if g.wait != nil {
		_ = g.wait(ctx) // what is still open ends with the process
	}
}

// close gives the listeners back before serve was called.
func (g *group) close() {
	for _, ln := range g.listeners {
		ln.Close()
	}
}
