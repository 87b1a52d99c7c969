package handlers

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/labstack/echo/v4"

	"snug/hub"
	"snug/wire"
)

// handedOverKey marks a request whose connection was taken over; whoever has it logs and counts the request at its end.
const handedOverKey = "handed over"

func handedOver(c echo.Context) bool { return c.Get(handedOverKey) != nil }

// streamRoute is the only route whose connections are taken over.
const streamRoute = "/r/:room/stream"

// takeOver has the connection of a request for a stream from net/http, for good, and the head of the answer, which is to be
// written to it. The connection is nil without an error if the subscription was closed and the request refused, as another one
// follows it.
func (s *Server) takeOver(c echo.Context, sub hub.Subscription, asOctets bool) (conn net.Conn, head []byte, err error) {
	streamHeaders(c, asOctets)
	head = responseHead(c.Request(), c.Response().Header())
	conn, in, err := controller(c).Hijack()
	if err != nil {
		return nil, nil, fmt.Errorf("taking the connection over: %w", err)
	}
	c.Set(handedOverKey, true)
	c.Response().Committed = true
	l, ok := conn.(interface{ surplus() bool }) // a lane
	if in.Reader.Buffered() > 0 || ok && l.surplus() {
		sub.Close()
		s.refusePipelined(c, conn)
		return nil, nil, nil
	}
	return conn, head, nil
}

// refusePipelined answers a request that another one follows at once: what follows a stream on its connection would never
// be answered.
func (s *Server) refusePipelined(c echo.Context, conn net.Conn) {
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

// chunkFrame is what a chunk of HTTP/1.1 needs around its bytes, at most.
const chunkFrame = len("12345678\r\n\r\n")

// lastChunk ends an answer in chunks.
const lastChunk = "0\r\n\r\n"

// appendChunk appends b as a chunk.
func appendChunk(out, b []byte) []byte {
	out = fmt.Appendf(out, "%x\r\n", len(b))
	out = append(out, b...)
	return append(out, "\r\n"...)
}

// streamTaken answers a request for a stream by a goroutine on its connection, and returns when that has begun. While it
// waits nothing is held of net/http, whose buffers and request are 17 KB, nor of the stack of the middleware. With an error the
// subscription is still open; it is http.ErrNotSupported where there is no connection to take over.
func (s *Server) streamTaken(c echo.Context, f feed, asOctets bool) error {
	began := time.Now()
	s.taken.add() // first: so at any time either http.Server.Shutdown knows of the stream or Wait does
	conn, head, err := s.takeOver(c, f.sub, asOctets)
	if conn == nil {
		s.taken.done()
		return err
	}
	bound(conn)
	s.opened(&f)
	line := &takenLine{Conn: conn, server: s, head: head, began: began}
	go line.serve(&sink{feed: f, out: line})
	return nil
}

// takenLine writes an answer in chunks to a connection that was taken over.
type takenLine struct {
	net.Conn
	server  *Server
	began   time.Time
	head    []byte // not written yet
	written int64
}

// serve has the sink write until its end, and closes the connection.
func (l *takenLine) serve(k *sink) {
	s := l.server
	defer s.taken.done()
	gone := make(chan struct{})
	go func() {
		defer close(gone)
		awaitHangUp(l.Conn)
	}()
	why := endGone
	defer func() {
		if secure, ok := l.Conn.(*tls.Conn); ok && why == endStalled { // or it would wait five seconds to say goodbye
			secure.NetConn().Close()
		}
		l.Conn.Close()
		<-gone
	}()
	defer k.sub.Close()
	defer func() {
		if r := recover(); r != nil {
			s.panicked(streamRoute, r)
		}
		s.closed(&k.feed, why)
		s.answered(streamRoute, http.MethodGet, http.StatusOK, time.Since(l.began), l.written)
	}()
	why = k.run(gone)
}

// awaitHangUp returns when the other side has hung up or the connection is closed. The request said all there is to say: the
// rest of what comes is read only to see what is behind it.
func awaitHangUp(conn net.Conn) {
	var b [64]byte
	for {
		if _, err := conn.Read(b[:]); err != nil {
			return
		}
	}
}

// Write implements line: b as one chunk, the first behind the head.
func (l *takenLine) Write(b []byte) (int, error) {
	buf := l.server.takeBuffer()
	defer l.server.giveBuffer(buf)
	*buf = appendChunk(append(*buf, l.head...), b)
	l.head = nil
	if err := l.send(*buf); err != nil {
		return 0, err
	}
	return len(b), nil
}

// Flush implements line: nothing is held back.
func (l *takenLine) Flush() error { return nil }

func (l *takenLine) end() error { return l.send([]byte(lastChunk)) }

func (l *takenLine) send(b []byte) error {
	n, err := l.Conn.Write(b)
	l.written += int64(n)
	return err
}

// running counts goroutines that somebody may wait for. Its zero value is ready.
type running struct {
	mu   sync.Mutex
	n    int           // guarded by mu
	none chan struct{} // guarded by mu; closed when n falls to zero
}

func (r *running) add() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.n++; r.n == 1 {
		r.none = make(chan struct{})
	}
}

func (r *running) done() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.n--; r.n == 0 {
		close(r.none)
	}
}

// wait returns when there are none, or with ctx's error.
func (r *running) wait(ctx context.Context) error {
	for {
		r.mu.Lock()
		n, none := r.n, r.none
		r.mu.Unlock()
		if n == 0 {
			return nil
		}
		select {
		case <-none:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}
