package handlers

import (
	"errors"
	"time"

	"snug/hub"
	"snug/wire"
)

// Why a stream ended, beside the reasons of a bye.
const (
	endBatch   = "batch"   // it had its events, or its time was up
	endGone    = "gone"    // the reader hung up
	endStalled = "stalled" // the reader took nothing until the write deadline
)

// unread is how long the newest event of a stream may go without an ack: clients ack within 5 s, and the way there and back takes its time. What
// passes full blocks only would keep it until something else is said, so the stream ends, which lets go of everything.
const unread = 7 * time.Second

const (
	maxPass  = 48 << 10 // of events in one pass: enough to fill a socket, little enough to hold for each busy stream, and for batches that scanners take at once (squid 5 forgets answers over 64 KiB in its own)
	maxWrite = 32 << 10 // under one deadline, so that a reader of 3 KB/s still gets on
)

// feed is what one reader is to be sent and when, whichever sink writes it. It waits for nothing and writes nothing. It
// belongs to one goroutine at a time. Times are on the server's clock, zero for never.
type feed struct {
	server *Server          // static
	sub    hub.Subscription // static
	count  *kindMetrics     // static
	hb     time.Duration    // static
	age    time.Duration    // static: planned, before jitter
	batch  bool             // static

	begun       bool
	awayChanged bool // since the last heartbeat
	near        bool // what the reader was told last
	road        road
	owed        uint64        // the newest event that was written, until it is acked
	heldAt      time.Duration // when it counts as held back
	held        bool          // it does
	proof       uint64        // the newest event, if nothing was written after it
	hbAt        time.Duration
	endAt       time.Duration
	pushAt      time.Duration
	busyAt      time.Duration // when something was written last
}

// road is what is known of the way to the reader. Some scanners stay one chunk behind; a small comment pushes the last
// events through. It costs as much as a message, so it is written only where it may help: a reader that acks an event
// after which nothing was written has it without help, and gets no comments from then on.
type road uint8

const (
	roadUnknown road = iota // push if no ack has come in time
	roadLive                // nothing to push
	roadHeld                // push at once
)

// probe is how long the ack of a first event is waited for: clients ack after 300 ms, and the way there and back takes its time.
const probe = time.Second

func (s *Server) newFeed(req streamRequest, count *kindMetrics) feed {
	f := feed{server: s, count: count, hb: req.hb, age: req.age, batch: req.batch}
	now := s.now()
	f.hbAt, f.endAt = now+f.hb, now+f.age
	if !f.batch {
		f.endAt = now + jitter(f.age)
	}
	return f
}

// portion is what is to be written in one go: head, events and whatever else the update holds, tail.
type portion struct {
	head, tail []byte // must not be changed
	hub.Update
	fed bool // something worth ending a batch for
}

// plain tells whether there is nothing but events, which many readers share.
func (p *portion) plain() bool {
	return len(p.head)+len(p.tail) == 0 && p.Gap == nil && p.Acked == nil && len(p.Knocks) == 0
}

// only tells whether there is nothing but this tail.
func (p *portion) only(tail []byte) bool {
	return len(p.tail) > 0 && &p.tail[0] == &tail[0] && len(p.head)+len(p.Events)+len(p.Knocks) == 0 && p.Gap == nil && p.Acked == nil
}

// append appends all of it.
func (p *portion) append(b []byte) []byte {
	b = append(b, p.head...)
	b = appendUpdate(b, p.Update)
	return append(b, p.tail...)
}

// next takes what is pending and what is due.
func (f *feed) next(now time.Duration) (p portion, err error) {
	if p.Update, err = f.sub.Next(maxPass); err != nil {
		return p, err
	}
	first := !f.begun
	f.begun = true
	f.awayChanged = f.awayChanged || p.AwayChanged
	p.fed = endsWait(p.Update, first)
	if f.proof != 0 && p.Handled.Seq >= f.proof {
		f.road, f.pushAt = roadLive, 0
	}
	if p.Handled.Seq >= f.owed || f.road == roadLive {
		f.owed, f.heldAt = 0, 0
	}
	f.held = f.heldAt != 0 && now >= f.heldAt && len(p.Events) == 0
	conf := &f.server.conf.Streams
	switch {
	case first:
		p.head = f.hello(p.Near)
		f.armPush(now + conf.PushThrough) // a hello shows the client that streams work here, so it is not kept waiting
	case p.plain() && len(p.Events) == 0 || f.road == roadLive:
	case f.road == roadHeld:
		f.armPush(now + conf.PushThrough)
	default:
		f.armPush(now + max(conf.PushThrough, probe))
	}
	if !p.plain() || len(p.Events) > 0 {
		f.busyAt = now
	}
	if p.Near && !f.near && !f.batch { // the reader is to ack at once from now on, and not in a while
		f.hbAt = now
	}
	p.tail = f.due(now, &p)
	switch {
	case len(p.Events) > 0:
		f.proof, f.owed = p.Cursor.Seq, p.Cursor.Seq
		if !f.batch && f.road != roadLive {
			f.heldAt = now + unread
		}
	case !p.plain():
		f.proof = 0
	}
	f.count.deliveries.Add(float64(len(p.Events)))
	return p, nil
}

func (f *feed) armPush(at time.Duration) {
	if f.server.conf.Streams.PushThrough >= 0 && !f.batch {
		f.pushAt = at
	}
}

// hello opens the stream. The comment fills the preview that content scanners wait for; a batch ends soon and needs
// none. It stands in the same block as the hello, so that no reader sees an event without data.
func (f *feed) hello(near bool) (b []byte) {
	if !f.batch {
		b = append(b, preamble...)
		b = append(b, "retry: 1000\n"...)
	}
	hello := f.sub.Hello()
	hello.HB, hello.Life = wholeSeconds(f.hb), wholeSeconds(f.age)
	hello.Limits = f.server.conf.Limits
	hello.Limits.Near, f.near = near, near
	hello.Away = append([]wire.MemberID{}, hello.Away...) // never null
	return append(b, wire.Event(wire.EventHello, hello)...)
}

var (
	quietBeat = wire.Event(wire.EventHB, wire.HB{})
	comment   = []byte(":\n") // no blank line: it belongs to the event that comes next
)

// due is the heartbeat, or the comment that pushes the last events through, if its time has come.
func (f *feed) due(now time.Duration, p *portion) (b []byte) {
	if !f.batch && now >= f.hbAt {
		b = f.beat(p)
		f.hbAt = now + f.hb
	}
	if f.pushAt != 0 && now >= f.pushAt {
		f.pushAt = 0
		if f.road == roadUnknown && f.proof != 0 {
			f.road = roadHeld
		}
		if len(b) == 0 && len(p.Events) == 0 && p.plain() {
			b = comment
		}
	}
	return b
}

// beat is a heartbeat, with what the reader has not been told yet.
func (f *feed) beat(p *portion) []byte {
	f.near = p.Near
	if !f.awayChanged && !p.Near {
		return quietBeat
	}
	hb := wire.HB{Near: p.Near}
	if f.awayChanged {
		away := append([]wire.MemberID{}, p.Away...) // never null
		hb.Away, f.awayChanged = &away, false
	}
	return wire.Event(wire.EventHB, hb)
}

// dueAt is when next has something to do though nothing is pending, or the stream ends.
func (f *feed) dueAt() time.Duration {
	at := f.endAt
	if f.pushAt != 0 {
		at = min(at, f.pushAt)
	}
	if !f.batch {
		at = min(at, f.hbAt)
	}
	if f.heldAt != 0 {
		at = min(at, f.heldAt)
	}
	return at
}

// over tells why the stream has to end now, if it has.
func (f *feed) over(now time.Duration) string {
	switch {
	case f.server.isDraining():
		return wire.ByeShutdown
	case now >= f.endAt:
		return wire.ByeLife
	case f.held:
		return wire.ByeHeld
	}
	return ""
}

// bye is the last that is written, and why the stream ends: to one who expects the end, or is gone, nothing is said.
func (f *feed) bye(why string) ([]byte, string) {
	if f.batch && why == wire.ByeLife {
		why = endBatch
	}
	if why == endGone || why == endBatch {
		return nil, why
	}
	bye := wire.Bye{Why: why}
	if why == wire.ByeShutdown {
		bye.In = f.server.spread().Milliseconds()
	}
	return wire.Event(wire.EventBye, bye), why
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
