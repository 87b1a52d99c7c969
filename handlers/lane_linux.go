package handlers

import (
	"context"
	"io"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// Listener makes the connections of a listener for plain TCP answer messages and acks themselves. It is for the http.Server
// that s.HTTP has made; connections of other kinds pass as they are.
func (s *Server) Listener(ln net.Listener) net.Listener { return laneListener{ln, s} }

type laneListener struct {
	net.Listener
	server *Server
}

// Accept implements net.Listener.
func (l laneListener) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	if tcp, ok := conn.(*net.TCPConn); ok {
		return l.server.newLane(tcp), nil
	}
	return conn, nil
}

// lane is a plain connection under net/http that answers itself what nearly all requests to a relay are: the messages and
// acks of members. net/http and Echo cost three times what such a request costs the hub and the kernel. So while net/http
// waits for the next request of an idle connection, in Read, the lane looks at what comes: what it knows, to the byte, it
// answers; any other request, and each that is refused, goes to net/http as it came. A lane reads strictly: whatever is in
// any way unusual is not its matter, so nothing is ever understood in two ways.
//
// It has to know where net/http's requests end, to see the next one. Where it is not sure, net/http has the connection for good.
type lane struct {
	*net.TCPConn
	server *Server // static
	laneIO         // static

	// Owned by who reads: one of net/http's goroutines at a time.
	between bool          // net/http waits for the next request
	given   bool          // to net/http, for good
	buf     *laneBuffer   // nil: none is needed
	have    []byte        // of buf: what net/http has not read yet
	owed    int           // bytes of net/http's request that are to come
	ended   error         // behind have: why no more comes
	waits   laneWait      // what the deadline is for
	counted bool          // in lanes.reading
	fresh   time.Duration // when the deadline of an idle connection was set last

	phase atomic.Int32
}

// Phases of a lane.
const (
	laneElsewhere int32 = iota // net/http has it
	laneWaiting                // for a request
	laneWorking                // on one whose head has come; a Close waits for the answer
	laneClosing                // with the answer
)

// laneWait is what of a request is waited for.
type laneWait uint8

const (
	laneNothing laneWait = iota
	laneForHead
	laneForBody
)

// laneNext is what comes next, for one who has looked.
type laneNext uint8

const (
	laneBytes laneNext = iota // of a head; nobody is owed an answer
	laneBody                  // the rest of it
	laneOver                  // net/http has it
)

// laneBuffer holds a request: a text message with the headers of a browser and of two proxies. Larger ones go to net/http.
type laneBuffer struct {
	b [8 << 10]byte
	n int
}

var laneBuffers = sync.Pool{New: func() any { return new(laneBuffer) }}

func (s *Server) newLane(tcp *net.TCPConn) net.Conn {
	k := &lane{TCPConn: tcp, server: s, between: true, waits: laneForHead} // net/http sets that deadline when it begins
	if k.laneIO.of(k) != nil {
		return tcp
	}
	s.lanes.add(k)
	return k
}

// connState is for http.Server.ConnState.
func connState(c net.Conn, state http.ConnState) {
	if k, ok := c.(*lane); ok && state == http.StateIdle {
		k.given = k.given || k.owed > 0 || len(k.have) > 0
		k.between = !k.given
	}
}

// Read implements net.Conn for net/http. It returns bytes of requests that the lane has not answered.
func (k *lane) Read(p []byte) (int, error) {
	if k.between {
		if err := k.serve(); err != nil {
			k.release()
			return 0, err
		}
	}
	if len(k.have) > 0 {
		n := copy(p, k.have)
		if k.have = k.have[n:]; len(k.have) == 0 {
			k.release()
		}
		return n, nil
	}
	switch {
	case k.ended != nil:
		return 0, k.ended
	case k.given:
		return k.TCPConn.Read(p)
	case k.owed == 0: // net/http listens for a hang-up while it answers; the next request is not for it yet
		return 0, k.hangUp()
	}
	n, err := k.TCPConn.Read(p[:min(len(p), k.owed)])
	k.owed -= n
	return n, err
}

// serve answers requests until there is one for net/http, or an error.
func (k *lane) serve() error {
	for reading := false; ; {
		if !reading && !k.phase.CompareAndSwap(laneElsewhere, laneWaiting) {
			return net.ErrClosed
		}
		if err := k.receive(); err != nil {
			return k.cut(err)
		}
		if !reading && !k.phase.CompareAndSwap(laneWaiting, laneWorking) {
			return net.ErrClosed
		}
		next, err := k.look()
		if reading = next == laneBody && err == nil; reading {
			continue // still working
		}
		if !k.leave() {
			return net.ErrClosed
		}
		if next == laneOver || err != nil {
			return err
		}
	}
}

// leave ends the work on a request. It reports false if somebody wanted to close the lane meanwhile; then it is closed now.
func (k *lane) leave() bool {
	open := k.phase.CompareAndSwap(laneWorking, laneElsewhere)
	if !open {
		k.server.lanes.remove(k)
		k.TCPConn.Close()
	}
	if k.counted {
		k.counted = false
		k.server.lanes.reading.done()
	}
	return open
}

// cut is for when no more comes. The beginning of a request goes to net/http, which knows what to answer, if anything, and
// hears then what ended it.
func (k *lane) cut(err error) error {
	if !k.phase.CompareAndSwap(laneWaiting, laneElsewhere) && !k.leave() || k.buf == nil || k.buf.n == 0 {
		return err
	}
	k.hand(0)
	k.given, k.ended = true, err
	return nil
}

// look looks at what has come.
func (k *lane) look() (laneNext, error) {
	b := k.buf.b[:k.buf.n]
	req, size, sure := parseLane(b)
	full := size + req.length
	switch {
	case sure && size == 0 && len(b) < len(k.buf.b): // the head is not all there
		return laneBytes, k.patience(laneForHead, k.server.conf.headTime)
	case !sure || size == 0 || len(b) > full:
		err := k.patience(laneForHead, k.server.conf.headTime)
		k.hand(0)
		k.given = true
		return laneOver, err
	case req.route == laneOther || full > len(k.buf.b):
		k.hand(full - len(b))
		return laneOver, nil
	case len(b) < full:
		if !k.counted {
			k.counted = true
			k.server.lanes.reading.add()
		}
		return laneBody, k.patience(laneForBody, k.server.conf.BodyTimeout)
	}
	if !k.answer(&req, b[size:full]) {
		k.hand(0)
		return laneOver, nil
	}
	rest, err := k.send()
	if req.wake != nil {
		req.wake()
	}
	if len(rest) > 0 && err == nil {
		err = k.sendRest(rest)
	}
	k.release()
	k.waits = laneNothing
	if now := k.server.now(); now-k.fresh > idleTime/16 || k.fresh == 0 {
		k.fresh = now
		err = firstError(err, k.SetReadDeadline(time.Now().Add(idleTime)))
	}
	return laneBytes, err
}

func firstError(a, b error) error {
	if a != nil {
		return a
	}
	return b
}

// patience bounds the wait for the rest of a head or a body: for all of it, as net/http does, so that one who sends a byte now
// and then gets no more time by it.
func (k *lane) patience(what laneWait, d time.Duration) error {
	if k.waits == what {
		return nil
	}
	k.waits, k.fresh = what, 0
	return k.SetReadDeadline(time.Now().Add(d))
}

// hand gives what has come to net/http; owed bytes of the same request are to come.
func (k *lane) hand(owed int) {
	k.between, k.have, k.owed, k.waits = false, k.buf.b[:k.buf.n], owed, laneNothing
}

func (k *lane) release() {
	if k.buf != nil {
		k.buf.n = 0
		laneBuffers.Put(k.buf)
		k.buf, k.have = nil, nil
	}
}

// surplus tells whether something has come that net/http has not read.
func (k *lane) surplus() bool { return len(k.have) > 0 }

// Close implements net.Conn. What is being answered, or has begun to send its body, is answered first.
func (k *lane) Close() error {
	if k.phase.CompareAndSwap(laneWorking, laneClosing) || k.phase.Load() == laneClosing {
		return nil // it is closed, or will be with the answer, or when nobody waits for that any more
	}
	k.server.lanes.remove(k)
	return k.TCPConn.Close()
}

// drain closes a lane that net/http does not know to be idle. One that is working is closed with its answer. It reports
// whether the lane is closed.
func (k *lane) drain() bool {
	if k.phase.CompareAndSwap(laneWaiting, laneClosing) {
		k.TCPConn.Close()
		return true
	}
	k.phase.CompareAndSwap(laneWorking, laneClosing)
	return false
}

// lanes is all lanes that are open, so that they can be drained.
type lanes struct {
	mu   sync.Mutex
	open map[*lane]struct{} // guarded by mu

	working sync.RWMutex // held for reading while a request is answered
	reading running      // requests whose body has not all come
}

func (l *lanes) add(k *lane) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.open == nil {
		l.open = make(map[*lane]struct{})
	}
	l.open[k] = struct{}{}
}

func (l *lanes) remove(k *lane) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.open, k)
}

// wait returns when no request is being answered and none waits for its body, or with ctx's error; what is still to be
// closed is closed then.
func (l *lanes) wait(ctx context.Context) error {
	l.answers()
	err := l.reading.wait(ctx)
	if err != nil {
		l.cut()
	}
	return err
}

// answers returns when no request is being answered. An answer waits for nobody, so this takes no context.
func (l *lanes) answers() {
	l.working.Lock()
	defer l.working.Unlock()
}

// cut closes those that were to be closed with an answer.
func (l *lanes) cut() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for k := range l.open {
		if k.phase.Load() == laneClosing {
			k.TCPConn.Close()
		}
	}
}

func (l *lanes) drain() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for k := range l.open {
		if k.drain() {
			delete(l.open, k)
		}
	}
}

// readError is what net.Conn.Read returns for what the system says.
func readError(n int, errno syscall.Errno) error {
	switch {
	case errno != 0:
		return &net.OpError{Op: "read", Net: "tcp", Err: errno}
	case n == 0:
		return io.EOF
	}
	return nil
}
