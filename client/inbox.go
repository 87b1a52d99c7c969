package client

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"snug/client/e2ee"
	"snug/wire"
)

// askAgain is the time between two requests for the same sender's keys; its answer is a whole keys frame.
const askAgain = 30 * time.Second

// errMoved ends reading: the room goes on elsewhere.
var errMoved = errors.New("the room has moved")

// take handles one event, in the order of the log and once, from whatever rung it came. It waits while the caller has too
// many to handle. An error ends the answer, and the event comes again with the next.
func (st *stay) take(ctx context.Context, e event) error {
	if e.placed() {
		if next, err := st.isNext(e.cursor); err != nil || !next {
			return err
		}
		if err := st.refresh(ctx); err != nil {
			return err
		}
		if err := st.s.queue.space(ctx, st.line.pause, st.line.resume); err != nil {
			return err
		}
	}
	todo, err := st.handle(e)
	if err != nil {
		return err
	}
	if todo.acked != nil {
		st.s.out.acked(st, *todo.acked)
	}
	if todo.whisper != nil {
		st.s.out.whisper(todo.whisper)
	}
	if todo.unread {
		st.s.declineFiles()
	}
	st.tellWaiting()
	return st.refresh(ctx)
}

func (st *stay) isNext(c wire.Cursor) (bool, error) {
	st.mu.Lock()
	defer st.mu.Unlock()
	return st.isNextLocked(c)
}

func (st *stay) isNextLocked(c wire.Cursor) (bool, error) {
	if st.move != nil || st.rival != nil {
		return false, errMoved
	}
	return c.Epoch == st.read.Epoch && c.Seq > st.read.Seq, nil
}

// todo is what an event asks for that must not be done under the lock.
type todo struct {
	acked   *wire.Acked
	whisper []byte
	unread  bool // it could not be opened
}

func (st *stay) handle(e event) (do todo, err error) {
	st.mu.Lock()
	defer st.mu.Unlock()
	if !e.placed() {
		return st.controlLocked(e)
	}
	if next, err := st.isNextLocked(e.cursor); err != nil || !next {
		return todo{}, err
	}
	before := st.s.queue.added()
	if do, err = st.placedLocked(e); err != nil {
		return todo{}, err
	}
	st.read = e.cursor
	if st.s.queue.added() == before { // nothing for the caller, so nothing to wait for
		st.handledOneLocked()
	}
	return do, nil
}

// controlLocked handles what has no place in the log.
func (st *stay) controlLocked(e event) (do todo, err error) {
	switch e.name {
	case wire.EventHello:
		var hello wire.Hello
		if err = json.Unmarshal(e.data, &hello); err == nil {
			st.near, do.acked = hello.Limits.Near, &hello.Acked
			st.setAwayLocked(hello.Away)
		}
	case wire.EventHB:
		var hb wire.HB
		if err = json.Unmarshal(e.data, &hb); err == nil {
			if st.near = hb.Near; hb.Away != nil {
				st.setAwayLocked(*hb.Away)
			}
		}
	case wire.EventAcked:
		do.acked = new(wire.Acked)
		err = json.Unmarshal(e.data, do.acked)
	}
	return do, err
}

// polled takes in the rest of a poll's answer, after its events.
func (st *stay) polled(p wire.Polled) {
	st.mu.Lock()
	st.near = p.Near
	st.setAwayLocked(p.Away)
	if next, err := st.isNextLocked(p.Cursor); err == nil && next { // behind our own messages, which are not read back
		st.read = p.Cursor
	}
	st.mu.Unlock()
	st.s.out.acked(st, p.Acked)
}

func (st *stay) setAwayLocked(ids []wire.MemberID) {
	clear(st.away)
	for _, id := range ids {
		st.away[id] = true
	}
}

func (st *stay) placedLocked(e event) (todo, error) {
	switch e.name {
	case wire.EventMsg:
		var m wire.Msg
		if json.Unmarshal(e.data, &m) != nil {
			return todo{}, errNotOurs
		}
		if m.From == nil {
			return todo{}, st.shellLocked(m)
		}
		return st.messageLocked(m, e.cursor)
	case wire.EventGap:
		var gap wire.Gap
		if json.Unmarshal(e.data, &gap) != nil {
			return todo{}, errNotOurs
		}
		if gap.Messages != 0 {
			st.tellLocked(Event{Kind: KindGap, Count: gap.Messages})
		}
		st.unsure = true // a joined or left may have been among the lost
		return todo{}, nil
	}
	return st.memberLocked(e)
}

// tellLocked gives the caller an event.
func (st *stay) tellLocked(e Event) {
	if e.At.IsZero() {
		e.At = time.Now()
	}
	if e.Alias == "" && e.From != (wire.MemberID{}) {
		e.Alias = st.aliasLocked(e.From)
	}
	st.s.queue.add(item{Event: e, Stay: st, Before: st.read})
}

func (st *stay) failLocked(at time.Time, from wire.MemberID, err error) {
	st.tellLocked(Event{Kind: KindFailed, At: at, From: from, Reason: sentence(err), Err: err})
}

func (st *stay) shellLocked(m wire.Msg) error {
	at := time.UnixMilli(m.At)
	o, err := st.group.OpenShell(m.JWE)
	switch {
	case errors.Is(err, e2ee.ErrClosed):
		return err
	case err != nil:
		st.tellLocked(Event{Kind: KindFailed, At: at, Reason: "A post from a terminal could not be opened: it was not sealed for this room.", Err: err})
	case o.Kind == e2ee.KindShell:
		st.tellLocked(Event{Kind: KindShell, At: at, Body: string(o.Content)})
	}
	return nil
}

func (st *stay) messageLocked(m wire.Msg, place wire.Cursor) (do todo, err error) {
	from, at := *m.From, time.UnixMilli(m.At)
	o, err := st.group.Open(from, m.Body)
	switch {
	case errors.Is(err, e2ee.ErrClosed):
		return do, err
	case errors.Is(err, e2ee.ErrOwn):
		return do, nil
	case errors.Is(err, e2ee.ErrBeforeYou) && st.group.Waits():
		do.unread = true
		st.tellLocked(Event{Kind: KindFailed, At: at, From: from, Reason: "This member is not let in yet.", Err: err})
	case err != nil:
		do.unread = true
		st.failLocked(at, from, err)
		if o.Need {
			do.whisper = st.askLocked(from)
		}
	case o.Kind == e2ee.KindHeld:
		st.holdLocked(held{from, at, o.Content})
	case o.Kind == e2ee.KindWaiting:
		st.toldLocked(from, at, o.Waiting)
	case o.Kind == e2ee.KindContent && o.Rules:
		st.ruledLocked(from, at, o)
	case o.Kind == e2ee.KindContent:
		st.contentLocked(from, at, o.Content)
	case o.Kind == e2ee.KindMove:
		st.moveLocked(&move{o.Move, place})
	}
	return do, nil
}

// askLocked asks a sender to seal its chain to us again, but not too often.
func (st *stay) askLocked(of wire.MemberID) []byte {
	now := time.Now()
	if last, ok := st.asked[of]; ok && now.Sub(last) < askAgain {
		return nil
	}
	st.asked[of] = now
	b, _ := json.Marshal(content{K: "need", Of: of.String()}) // strings always marshal
	return b
}

// moveLocked ends the stay. A move that comes while one of ours is under way waits until it is known which is first.
func (st *stay) moveLocked(m *move) {
	switch {
	case st.removing:
		st.rival = m
	case st.move == nil:
		st.move = m
		close(st.gone)
	}
}

// sentence says to people why something could not be opened.
func sentence(err error) string {
	for _, r := range []struct {
		err  error
		text string
	}{
		{e2ee.ErrUnknownSender, "It is from somebody this room has no card of."},
		{e2ee.ErrBeforeYou, "It was sent before its sender knew that you are here."},
		{e2ee.ErrBadSignature, "Its signature is wrong: it is not from the member it names, or was changed on its way."},
		{e2ee.ErrChanged, "It is signed with a new identity that nobody has accepted yet."},
		{e2ee.ErrWaiting, "Its sender is not let in yet."},
		{e2ee.ErrExpired, "The keys to it are erased, as they are after a while."},
		{e2ee.ErrNewer, "It was sent with a newer version of snug."},
	} {
		if errors.Is(err, r.err) {
			return r.text
		}
	}
	return "It was damaged or cut short."
}
