package handlers

import (
	"context"
	"errors"
	"io"
	"net/http"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/labstack/echo/v4"

	"snug/hub"
	"snug/wire"
)

// Why a stream ended, beside the reasons of a bye.
const (
	endBatch   = "batch"   // it had its events, or its time was up
	endGone    = "gone"    // the reader hung up
	endStalled = "stalled" // the reader took nothing until the write deadline
)

const (
	maxPass  = 64 << 10 // of events in one pass: enough to fill a socket, little enough to hold for each busy stream
	maxWrite = 32 << 10 // under one deadline, so that a reader of 3 KB/s still gets on
)

// sink carries one subscription to one reader: it writes everything pending in one write and flush, then waits. It belongs
// to the goroutine of its request, so a reader that stalls holds up nobody else; at its write deadline it is let go, and
// the session reads on from its cursor.
type sink struct {
	sub      hub.Subscription
	out      io.Writer
	ctl      *http.ResponseController
	conf     Streams
	limits   wire.Limits
	req      streamRequest
	count    kindMetrics
	buffers  *sync.Pool
	draining <-chan struct{}
	spread   func() time.Duration

	timer  *time.Timer // one for all that is due
	hbAt   time.Time
	endAt  time.Time
	pushAt time.Time // zero: nothing to push through
	readAt time.Time // zero: not lingering
	busyAt time.Time // when events were written last

	away        []wire.MemberID
	awayChanged bool // since the last heartbeat
}

func (s *Server) newSink(c echo.Context, sub hub.Subscription, req streamRequest, count kindMetrics) *sink {
	return &sink{
		sub: sub, out: c.Response(), ctl: controller(c), conf: s.conf.Streams, limits: s.conf.Limits, req: req,
		count: count, buffers: &s.buffers, draining: s.draining, spread: s.spread,
	}
}

// run writes until something ends the stream, and says what: a reason of a bye, or one of those above.
func (k *sink) run(ctx context.Context) string {
	now := time.Now()
	k.hbAt, k.endAt = now.Add(k.req.hb), now.Add(k.req.age)
	if !k.req.batch {
		k.endAt = now.Add(jitter(k.req.age))
	}
	k.timer = time.NewTimer(k.req.age)
	defer k.timer.Stop()
	for first := true; ; first = false {
		p, err := k.pass(first)
		if err != nil {
			return k.fail(err)
		}
		if k.req.batch && p.fed {
			return k.finish(endBatch)
		}
		if why := k.wait(ctx, p.more); why != "" {
			return k.finish(why)
		}
	}
}

// passed tells what a pass found: events worth ending a batch for, and whether more are pending.
type passed struct{ fed, more bool }

// pass writes what is pending and what is due, in one write.
func (k *sink) pass(first bool) (passed, error) {
	u, err := k.sub.Next(maxPass)
	if err != nil {
		return passed{}, err
	}
	now := time.Now()
	k.readAt = time.Time{}
	if u.AwayChanged {
		k.away, k.awayChanged = u.Away, true
	}
	buf := k.takeBuffer()
	defer k.giveBuffer(buf)
	if first {
		*buf = k.appendHello(*buf, u.Near)
	}
	*buf = appendUpdate(*buf, u)
	if len(*buf) > 0 {
		k.busyAt = now
		k.armPush(now)
	}
	*buf = k.appendDue(*buf, now)
	k.count.deliveries.Add(float64(len(u.Events)))
	return passed{fed: endsWait(u, first), more: u.More}, k.write(*buf)
}

func (k *sink) takeBuffer() *[]byte {
	if b, ok := k.buffers.Get().(*[]byte); ok {
		return b
	}
	return new([]byte)
}

// giveBuffer keeps a buffer for the next pass of any stream, unless a large message has blown it up.
func (k *sink) giveBuffer(b *[]byte) {
	if cap(*b) <= 2*maxPass {
		*b = (*b)[:0]
		k.buffers.Put(b)
	}
}

// appendHello opens the stream. The comment fills the preview that content scanners wait for; a batch ends soon and needs
// none. It stands in the same block as the hello, so that no reader sees an event without data.
func (k *sink) appendHello(b []byte, near bool) []byte {
	if !k.req.batch {
		b = append(b, preamble...)
		b = append(b, "retry: 1000\n"...)
	}
	hello := k.sub.Hello()
	hello.HB, hello.Life = wholeSeconds(k.req.hb), wholeSeconds(k.req.age)
	hello.Limits = k.limits
	hello.Limits.Near = near
	hello.Away = append([]wire.MemberID{}, hello.Away...) // never null
	return append(b, wire.Event(wire.EventHello, hello)...)
}

// appendDue adds the heartbeat, or the comment that pushes the last events through, when its time has come.
func (k *sink) appendDue(b []byte, now time.Time) []byte {
	if !k.req.batch && !now.Before(k.hbAt) {
		var hb wire.HB
		if k.awayChanged {
			away := append([]wire.MemberID{}, k.away...)
			hb.Away, k.awayChanged = &away, false
		}
		b = append(b, wire.Event(wire.EventHB, hb)...)
		k.hbAt = now.Add(k.req.hb)
	}
	if !k.pushAt.IsZero() && !now.Before(k.pushAt) {
		k.pushAt = time.Time{}
		if len(b) == 0 { // no blank line: it belongs to the event that comes next
			b = append(b, ":\n"...)
		}
	}
	return b
}

func (k *sink) armPush(now time.Time) {
	if k.conf.PushThrough >= 0 && !k.req.batch {
		k.pushAt = now.Add(k.conf.PushThrough)
	}
}

// wait returns when it is time for another pass, or with the reason for the end.
func (k *sink) wait(ctx context.Context, more bool) string {
	ready := k.sub.Ready()
	if more {
		ready = readyNow()
	}
	for {
		k.timer.Reset(time.Until(k.due()))
		select {
		case <-ready:
			if more || time.Since(k.busyAt) >= k.conf.Linger {
				return ""
			}
			k.readAt, ready = k.busyAt.Add(k.conf.Linger), nil
		case <-k.timer.C:
			if !time.Now().Before(k.endAt) {
				return wire.ByeLife
			}
			return ""
		case <-k.sub.Done():
			_, err := k.sub.Next(maxPass)
			return endOf(err)
		case <-k.draining:
			return wire.ByeShutdown
		case <-ctx.Done():
			return endGone
		}
	}
}

// due is when the timer has to wake the sink.
func (k *sink) due() time.Time {
	at := k.endAt
	for _, t := range []time.Time{k.pushAt, k.readAt} {
		if !t.IsZero() && t.Before(at) {
			at = t
		}
	}
	if !k.req.batch && k.hbAt.Before(at) {
		at = k.hbAt
	}
	return at
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

// endOf is the reason that an error of a subscription stands for.
func endOf(err error) string {
	switch {
	case errors.Is(err, hub.ErrReplaced):
		return wire.ByeReplaced
	case errors.Is(err, hub.ErrNoSession):
		return wire.ByeSession
	case errors.Is(err, hub.ErrClosed):
		return wire.ByeShutdown
	}
	return endGone
}

// finish says bye, if the reader is there and does not expect the end anyway, and leaves a deadline for net/http's last chunk.
func (k *sink) finish(why string) string {
	if k.req.batch && why == wire.ByeLife {
		why = endBatch
	}
	var err error
	if why != endGone && why != endBatch {
		bye := wire.Bye{Why: why}
		if why == wire.ByeShutdown {
			bye.In = k.spread().Milliseconds()
		}
		err = k.write(wire.Event(wire.EventBye, bye))
	}
	if err == nil {
		err = k.deadline(time.Now().Add(k.conf.Write))
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
		if err := k.deadline(time.Now().Add(k.conf.Write)); err != nil {
			return err
		}
		if _, err := k.out.Write(part); err != nil {
			return err
		}
	}
	if err := k.ctl.Flush(); err != nil {
		return err
	}
	k.count.flushes.Inc()
	return k.deadline(time.Time{})
}

func (k *sink) deadline(t time.Time) error { return k.ctl.SetWriteDeadline(t) }
