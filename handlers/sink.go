package handlers

import (
	"errors"
	"io"
	"net/http"
	"os"
	"slices"
	"time"

	"github.com/labstack/echo/v4"

	"snug/wire"
)

// sink writes a feed from a goroutine: everything pending in one write and flush, then it waits. It works wherever net/http
// does. A reader that stalls holds up nobody else; at its write deadline it is let go, and the session reads on from its cursor.
type sink struct {
	feed
	out   line
	timer *time.Timer   // one for all that is due
	armed time.Duration // when it fires
}

// line is what a sink writes its answer to: net/http's, or a connection that was taken over.
type line interface {
	io.Writer
	Flush() error
	SetWriteDeadline(time.Time) error
	end() error // writes what ends the answer, if net/http does not
}

// requestLine is net/http's: its goroutine writes, under its deadline when the handler has returned the end as well.
type requestLine struct {
	io.Writer
	*http.ResponseController
}

func (requestLine) end() error { return nil }

func (s *Server) newSink(c echo.Context, f feed) *sink {
	return &sink{feed: f, out: requestLine{c.Response(), controller(c)}}
}

// run writes until something ends the stream, and says what: a reason of a bye, or one of feed's. gone is closed when the
// reader has hung up.
func (k *sink) run(gone <-chan struct{}) string {
	k.armed = k.dueAt()
	k.timer = time.NewTimer(k.armed - k.server.now())
	defer k.timer.Stop()
	for {
		fed, more, err := k.pass()
		if err != nil {
			return k.fail(err)
		}
		if k.batch && fed {
			return k.finish(endBatch)
		}
		if why := k.wait(gone, more); why != "" {
			return k.finish(why)
		}
	}
}

// pass writes what is pending and what is due, in one write. fed: it was worth ending a batch for. more: something is left.
func (k *sink) pass() (fed, more bool, err error) {
	p, err := k.next(k.server.now())
	if err != nil {
		return false, false, err
	}
	buf := k.server.takeBuffer()
	defer k.server.giveBuffer(buf)
	*buf = p.append(*buf)
	return p.fed, p.More, k.write(*buf)
}

func (s *Server) takeBuffer() *[]byte {
	if b, ok := s.buffers.Get().(*[]byte); ok {
		return b
	}
	return new([]byte)
}

// giveBuffer keeps a buffer for the next pass of any stream, unless a large message has blown it up.
func (s *Server) giveBuffer(b *[]byte) {
	if cap(*b) <= 2*maxPass {
		*b = (*b)[:0]
		s.buffers.Put(b)
	}
}

// wait returns when it is time for another pass, or with the reason for the end.
func (k *sink) wait(gone <-chan struct{}, more bool) string {
	ready := k.sub.Ready()
	if more {
		ready = readyNow()
	}
	due := k.dueAt()
	for {
		k.arm(due)
		select {
		case <-ready:
			linger := k.busyAt + k.server.conf.Streams.Linger
			if more || k.server.now() >= linger {
				return ""
			}
			ready, due = nil, min(due, linger)
		case <-k.timer.C:
			k.armed = 0
			now := k.server.now()
			if why := k.over(now); why != "" {
				return why
			}
			if now >= due {
				return ""
			}
		case <-k.sub.Done():
			_, err := k.sub.Next(maxPass)
			return endOf(err)
		case <-k.server.draining:
			return wire.ByeShutdown
		case <-gone:
			return endGone
		}
	}
}

// arm has the timer fire at the time, or earlier: then it is found to be early, which is cheaper than to set it for each message.
func (k *sink) arm(at time.Duration) {
	if k.armed == 0 || at < k.armed {
		k.armed = at
		k.timer.Reset(at - k.server.now())
	}
}

// fail ends a stream after an error, of the subscription or of a write.
func (k *sink) fail(err error) string {
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return endStalled
	}
	why := endOf(err)
	if why == endGone {
		return why
	}
	return k.finish(why)
}

// finish says bye and ends the answer, or leaves a deadline for net/http to do so.
func (k *sink) finish(why string) string {
	b, why := k.bye(why)
	err := k.write(b)
	if err == nil {
		err = k.deadline(time.Now().Add(k.server.conf.Streams.Write))
	}
	if err == nil {
		err = k.out.end()
	}
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return endStalled
	}
	return why
}

// write sends b, with a deadline for each part, and flushes. The deadline is taken back afterwards: on HTTP/2 one that passes while
// nothing is written ends the stream all the same.
func (k *sink) write(b []byte) error {
	if len(b) == 0 {
		return nil
	}
	for part := range slices.Chunk(b, maxWrite) {
		if err := k.deadline(time.Now().Add(k.server.conf.Streams.Write)); err != nil {
			return err
		}
		if _, err := k.out.Write(part); err != nil {
			return err
		}
	}
	if err := k.out.Flush(); err != nil {
		return err
	}
	k.count.flushes.Inc()
	return k.deadline(time.Time{})
}

func (k *sink) deadline(t time.Time) error { return k.out.SetWriteDeadline(t) }
