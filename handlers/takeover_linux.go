package handlers

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"syscall"
	"time"

	"github.com/labstack/echo/v4"

	"snug/wire"
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

// socketOf is the connection if the answer can be written to its socket: plain HTTP/1 over TCP.
func (s *Server) socketOf(r *http.Request) plainConn {
	if s.conf.Streams.Sink == SinkGoroutine || r.ProtoMajor != 1 || r.TLS != nil {
		return nil
	}
	conn, _ := r.Context().Value(connKey{}).(plainConn)
	return conn
}

// handedOverKey marks a request whose connection was taken over; the socket logs and counts it at its end.
const handedOverKey = "handed over"

func handedOver(c echo.Context) bool { return c.Get(handedOverKey) != nil }

// streamRoute is the only route whose connections are taken over.
const streamRoute = "/r/:room/stream"

// streamSocket answers a request for a stream by a socket, and returns when that has begun.
func (s *Server) streamSocket(c echo.Context, conn plainConn, f feed, req streamRequest) error {
	k := &socket{feed: f, chunked: c.Request().ProtoAtLeast(1, 1), began: time.Now(), credit: maxWrite}
	k.turn.Store(1)
	_, of := req.kind()
	var err error
	if k.sub, err = s.conf.Hub.SubscribeReader(req.room, req.session, req.after, of, k); err != nil {
		return err
	}
	streamHeaders(c, req.octets)
	head := responseHead(c.Request(), c.Response().Header())
	_, in, err := controller(c).Hijack()
	if err != nil {
		k.sub.Close()
		return fmt.Errorf("taking the connection over: %w", err)
	}
	c.Set(handedOverKey, true)
	c.Response().Committed = true
	l, _ := conn.(*lane)
	if in.Reader.Buffered() > 0 || l != nil && l.surplus() { // what follows a stream on its connection would never be answered
		k.sub.Close()
		s.refusePipelined(c, conn)
		return nil
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

// refusePipelined answers a request that another one follows at once.
func (s *Server) refusePipelined(c echo.Context, conn plainConn) {
	defer conn.Close()
	body := wire.MustJSON(s.describe(c, errPipelined))
	_ = conn.SetDeadline(time.Now().Add(s.conf.Streams.Write))
	n, _ := fmt.Fprintf(conn, "HTTP/1.1 400 Bad Request\r\nContent-Type: application/json\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s", len(body), body)
	s.answered(streamRoute, http.MethodGet, http.StatusBadRequest, 0, int64(n))
}

var errPipelined = fmt.Errorf("%w: another request follows that for a stream on the same connection", wire.ErrMalformed)

// responseHead is what net/http would write before the body of an answer to a request with "Connection: close".
func responseHead(r *http.Request, h http.Header) []byte {
	var b strings.Builder
	b.WriteString("HTTP/1.0 200 OK\r\n")
	chunked := r.ProtoAtLeast(1, 1)
	if chunked {
		b.Reset()
		b.WriteString("HTTP/1.1 200 OK\r\n")
	}
	_ = h.Write(&b) // sorted; a Builder does not fail
	b.WriteString("Date: " + time.Now().UTC().Format(http.TimeFormat) + "\r\n")
	if chunked { // the connection ends with the stream; a proxy that did not know could send a POST into its end
		b.WriteString("Connection: close\r\nTransfer-Encoding: chunked\r\n")
	}
	b.WriteString("\r\n")
	return []byte(b.String())
}

// errNoSocket is a connection whose file descriptor cannot be had.
var errNoSocket = errors.New("no socket")
