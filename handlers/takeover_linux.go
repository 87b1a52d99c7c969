package handlers

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"syscall"
	"time"

	"github.com/labstack/echo/v4"
)

// socketsWork tells that there is a SinkSocket here.
const socketsWork = true

// connKey is under which the connection stands in a request's context.
type connKey struct{}

// rememberConn is for http.Server.ConnContext.
func rememberConn(ctx context.Context, c net.Conn) context.Context {
	if tcp, ok := c.(plainConn); ok {
		return context.WithValue(ctx, connKey{}, tcp)
	}
	return ctx
}

// plainConn is a connection with a socket to write to: a *net.TCPConn or a *lane.
type plainConn interface {
	net.Conn
	syscall.Conn
}

// bound has the kernel hold no more than sendBuffer for a stream that a goroutine writes.
func bound(conn net.Conn) {
	if secure, ok := conn.(*tls.Conn); ok {
		conn = secure.NetConn()
	}
	if plain, ok := conn.(plainConn); ok {
		if raw, err := plain.SyscallConn(); err == nil {
			_ = raw.Control(boundSendBuffer) // else the reader has hung up
		}
	}
}

// socketOf is the connection if the answer can be written to its socket: plain HTTP/1 over TCP.
func (s *Server) socketOf(r *http.Request) plainConn {
	if s.conf.Streams.Sink == SinkGoroutine || r.ProtoMajor != 1 || r.TLS != nil {
		return nil
	}
	conn, _ := r.Context().Value(connKey{}).(plainConn)
	return conn
}

// streamSocket answers a request for a stream by a socket, and returns when that has begun.
func (s *Server) streamSocket(c echo.Context, conn plainConn, f feed, req streamRequest) error {
	k := &socket{feed: f, chunked: c.Request().ProtoAtLeast(1, 1), began: time.Now(), credit: maxWrite}
	k.turn.Store(1)
	_, of := req.kind()
	var err error
	if k.sub, err = s.conf.Hub.SubscribeReader(req.room, req.session, req.after, of, k); err != nil {
		return err
	}
	taken, head, err := s.takeOver(c, k.sub, req.octets)
	if err != nil {
		k.sub.Close()
	}
	if taken == nil {
		return err
	}
	if err := s.sockets.take(s, k, conn); err != nil {
		k.sub.Close()
		conn.Close()
		s.answered(streamRoute, http.MethodGet, http.StatusInternalServerError, time.Since(k.began), 0)
		return nil
	}
	s.opened(&k.feed)
	k.rest = head
	k.run(nil, 1)
	if s.isDraining() { // since it was asked, maybe too late for drain to see this socket
		k.wake(nil)
	}
	return nil
}

// errNoSocket is a connection whose file descriptor cannot be had.
var errNoSocket = errors.New("no socket")
