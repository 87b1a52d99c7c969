package handlers

import (
	"net/http"
	"sync/atomic"
	"syscall"
	"time"
	"unsafe"

	"snug/hub"
)

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

// frame60 is how often a room is written to at most: what comes sooner than a display shows its next picture can wait for
// it, and half of the writes of a busy room are saved. After a pause the first message goes out at once.
const frame60 = 16 * time.Millisecond

// twoPumps is from how many readers on a second goroutine writes to half of them.
const twoPumps = 500

// Pump implements hub.Reader: it writes to those of a room who are behind. When it did so just now it asks to be called a
// little later, so that what comes in quick succession goes out together.
func (k *socket) Pump(batch []hub.Reader) (later time.Duration) {
	s := k.server
	if wait := time.Duration(k.pumped.Load()) + frame60 - s.now(); wait > 0 && s.conf.Streams.Linger > 0 {
		return wait
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
	return 0
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
		k.rest = append(k.rest[:len(k.rest):len(k.rest)], lastChunk...)
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
