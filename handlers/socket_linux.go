package handlers

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"syscall"
	"time"
	"unsafe"

	"github.com/labstack/echo/v4"

	"snug/hub"
	"snug/wire"
)

// socketsWork tells that there is a SinkSocket here.
const socketsWork = true

// socket writes a feed to a socket that was taken over from net/http. It has no goroutine: the room's pump, the wheel and
// the epoll set wake it, and whoever does so writes, without ever waiting for the reader. What the socket does not take
// is kept until epoll says that there is room again, or the write deadline passes.
type socket struct {
	feed
	loop    *loop     // static
	fd      int       // static
	kind    uint32    // static: tells this socket from an older one of the same number
	chunked bool      // static: HTTP/1.1
	began   time.Time // static

	turn     atomic.Int32 // who makes it 1 owns what is below, until it is 0 again; others count up and are served by the owner
	gone     atomic.Bool  // epoll has seen the reader hang up
	writable atomic.Bool  // epoll has seen room
	pumped   atomic.Int64 // when its Pump was called last: that is the room's, as it mostly comes first

	blocked bool          // epoll is asked for room
	rest    []byte        // what the socket has not taken; shared, must not be changed
	stallAt time.Duration // the deadline, while there is a rest
	credit  int           // bytes until the deadline is put off
	ending  string        // why it ends with the rest
	written int64

	tick          atomic.Int64 // where it stands in the wheel, 0 if it does not; the wheel's mu guards its changes
	before, after *socket      // guarded by the wheel's mu
}

var _ hub.Reader = (*socket)(nil)

// connKey is under which the connection stands in a request's context.
type connKey struct{}

// rememberConn is for http.Server.ConnContext.
func rememberConn(ctx context.Context, c net.Conn) context.Context {
	if tcp, ok := c.(*net.TCPConn); ok {
		return context.WithValue(ctx, connKey{}, tcp)
	}
	return ctx
}

// plainConn is the connection if the answer can be written to its socket: plain HTTP/1 over TCP.
func (s *Server) plainConn(r *http.Request) *net.TCPConn {
	if s.conf.Streams.Sink == SinkGoroutine || r.ProtoMajor != 1 || r.TLS != nil {
		return nil
	}
	conn, _ := r.Context().Value(connKey{}).(*net.TCPConn)
	return conn
}

// handedOverKey marks a request whose connection was taken over; the socket logs and counts it at its end.
const handedOverKey = "handed over"

func handedOver(c echo.Context) bool { return c.Get(handedOverKey) != nil }

// streamRoute is the only route whose connections are taken over.
const streamRoute = "/r/:room/stream"

// streamSocket answers a request for a stream by a socket, and returns when that has begun.
func (s *Server) streamSocket(c echo.Context, conn *net.TCPConn, f feed, req streamRequest) error {
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
	if in.Reader.Buffered() > 0 { // what follows a stream on its connection would never be answered
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
func (s *Server) refusePipelined(c echo.Context, conn *net.TCPConn) {
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

// frame60 is how often a room is written to at most: what comes sooner than a display shows its next picture can wait for
// it, and half of the writes of a busy room are saved. After a pause the first message goes out at once.
const frame60 = 16 * time.Millisecond

// twoPumps is from how many readers on a second goroutine writes to half of them.
const twoPumps = 500

// Pump implements hub.Reader: it writes to those of a room who are behind. When it did so just now it waits a little, so
// that what comes in quick succession goes out together.
func (k *socket) Pump(batch []hub.Reader) {
	s := k.server
	if wait := time.Duration(k.pumped.Load()) + frame60 - s.now(); wait > 0 && s.conf.Streams.Linger > 0 {
		time.Sleep(wait)
	}
	k.pumped.Store(int64(s.now()))
	if half := len(batch) / 2; half >= twoPumps/2 {
		others, done := batch[half:], make(chan struct{})
		go func() {
			defer close(done)
			pump(others)
		}()
		defer func() { <-done }()
		batch = batch[:half]
	}
	pump(batch)
}

func pump(batch []hub.Reader) {
	var shared prepared
	for _, r := range batch {
		r.(*socket).wake(&shared)
	}
}

// wake has the socket look for something to do: at once, or when the goroutine that is at it has done.
func (k *socket) wake(shared *prepared) {
	if k.turn.Add(1) == 1 {
		k.run(shared, 1)
	}
}

// run serves those who have woken the socket, n of them so far.
func (k *socket) run(shared *prepared, n int32) {
	for k.pass(shared) {
		if k.turn.CompareAndSwap(n, 0) {
			return
		}
		n = k.turn.Load()
	}
	// Closed. The turn is never given back.
}

// pass writes what is pending and what is due. It reports whether the socket is still open.
func (k *socket) pass(shared *prepared) bool {
	now := k.server.now()
	if k.gone.Load() {
		return k.close(endGone)
	}
	if k.begun && len(k.rest) > 0 && !k.writable.Swap(false) && now < k.stallAt {
		return true // nothing has changed
	}
	var head []byte
	if !k.begun {
		head = k.rest
	}
	for more := true; more; {
		if k.begun {
			if clear, open := k.flush(now); !clear || !open {
				return open
			}
			if why := k.over(now); why != "" {
				return k.finish(why, now)
			}
		}
		p, err := k.next(now)
		if err != nil {
			return k.finish(endOf(err), now)
		}
		if k.rest = k.encode(&p, shared); head != nil {
			k.rest, head = append(head, k.rest...), nil
		}
		if len(k.rest) > 0 {
			k.count.flushes.Inc()
		}
		if k.batch && p.fed {
			return k.finish(endBatch, now)
		}
		more = p.More
	}
	clear, open := k.flush(now)
	if clear && open {
		k.loop.wheel.set(k, k.dueAt())
	}
	return open
}

// finish says bye, and closes when that is written.
func (k *socket) finish(why string, now time.Duration) bool {
	b, why := k.bye(why)
	if why == endGone {
		return k.close(why)
	}
	if k.ending = why; len(b) > 0 {
		k.rest = append(k.rest[:len(k.rest):len(k.rest)], frameChunk(b, k.chunked)...)
	}
	if k.chunked {
		k.rest = append(k.rest[:len(k.rest):len(k.rest)], "0\r\n\r\n"...)
	}
	_, open := k.flush(now)
	return open
}

// flush writes the rest. clear: nothing is left. open: the socket was not closed, because of an error, of its deadline,
// or because that was all.
func (k *socket) flush(now time.Duration) (clear, open bool) {
	for len(k.rest) > 0 {
		n, errno := write(k.fd, k.rest)
		switch {
		case errno == syscall.EINTR:
		case errno == syscall.EAGAIN:
			return false, k.block(now)
		case errno != 0:
			return false, k.close(endGone)
		}
		k.rest = k.rest[n:]
		k.written += int64(n)
		if k.credit -= n; k.credit <= 0 {
			k.credit, k.stallAt = maxWrite, 0
		}
	}
	if k.blocked {
		k.loop.watch(k, false)
	}
	k.rest, k.blocked, k.credit, k.stallAt = nil, false, maxWrite, 0
	if k.ending != "" {
		return true, k.close(k.ending)
	}
	return true, true
}

// block waits for room in the socket, until the deadline.
func (k *socket) block(now time.Duration) (open bool) {
	if k.stallAt == 0 {
		k.stallAt = now + k.server.conf.Streams.Write
	}
	if now >= k.stallAt {
		return k.close(endStalled)
	}
	k.blocked = true
	k.loop.watch(k, true)
	k.loop.wheel.set(k, k.stallAt)
	return true
}

// close ends the stream. It returns false.
func (k *socket) close(why string) bool {
	k.loop.wheel.remove(k)
	k.loop.forget(k)
	syscall.Close(k.fd)
	k.sub.Close()
	k.rest = nil
	k.server.closed(&k.feed, why)
	k.server.answered(streamRoute, http.MethodGet, http.StatusOK, time.Since(k.began), k.written)
	k.server.sockets.release(k.loop)
	return false
}

// encode makes the bytes of a portion, shared among those who get the same.
func (k *socket) encode(p *portion, shared *prepared) []byte {
	if k.chunked && p.only(quietBeat) {
		return quietChunk
	}
	if !p.plain() {
		return frameChunk(p.append(nil), k.chunked)
	}
	if len(p.Events) == 0 {
		return nil
	}
	if shared == nil {
		shared = new(prepared)
	}
	return shared.of(p.Events, k.chunked)
}

var quietChunk = frameChunk(quietBeat, true)

// prepared is what was written to the reader before: the next one most likely gets the same.
type prepared struct {
	events  []wire.Framed
	chunked bool
	bytes   []byte // given away: never changed
}

// of returns the events as they are written. A hub gives the same slice to all readers at the same place.
func (p *prepared) of(events []wire.Framed, chunked bool) []byte {
	if len(events) == len(p.events) && &events[0] == &p.events[0] && chunked == p.chunked {
		return p.bytes
	}
	size := 0
	for _, e := range events {
		size += len(e)
	}
	b := make([]byte, 0, size+len("12345678\r\n\r\n"))
	if chunked {
		b = fmt.Appendf(b, "%x\r\n", size)
	}
	for _, e := range events {
		b = append(b, e...)
	}
	if chunked {
		b = append(b, "\r\n"...)
	}
	p.events, p.chunked, p.bytes = events, chunked, b
	return b
}

// frameChunk makes b a chunk of HTTP/1.1, or leaves it as it is.
func frameChunk(b []byte, chunked bool) []byte {
	if !chunked || len(b) == 0 {
		return b
	}
	out := make([]byte, 0, len(b)+len("12345678\r\n\r\n"))
	out = fmt.Appendf(out, "%x\r\n", len(b))
	out = append(out, b...)
	return append(out, "\r\n"...)
}

// write is send(2), a little cheaper than write(2). It never waits, since the socket is not blocking, so the scheduler
// need not be told of it.
func write(fd int, b []byte) (int, syscall.Errno) {
	n, _, errno := syscall.RawSyscall6(syscall.SYS_SENDTO, uintptr(fd), uintptr(unsafe.Pointer(&b[0])), uintptr(len(b)),
		syscall.MSG_DONTWAIT|syscall.MSG_NOSIGNAL, 0, 0)
	if errno != 0 {
		return 0, errno
	}
	return int(n), 0
}

// errNoSocket is a connection whose file descriptor cannot be had.
var errNoSocket = errors.New("no socket")
