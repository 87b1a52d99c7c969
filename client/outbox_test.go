package client

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"snug/wire"
)

// outboxOf is an outbox with messages that are sealed and wait for the relay.
func outboxOf(messages int) (*outbox, *stay, []*entry) {
	st := &stay{read: wire.Cursor{Epoch: wire.Epoch{1}}}
	o := newOutbox()
	o.stay = st
	for n := range messages {
		e := &entry{id: wire.MessageID{byte(n)}, frame: make([]byte, 100), letter: newLetter(fmt.Sprint(n), []byte("{}"), nil), message: true}
		o.entries, o.kept = append(o.entries, e), o.kept+len(e.frame)
	}
	return o, st, o.entries
}

func (st *stay) at(seq uint64) wire.Cursor { return wire.Cursor{Epoch: st.read.Epoch, Seq: seq} }

// fate is what Acked says now, or errOpen.
func fate(l *Letter) error {
	ctx, cancel := context.WithCancelCause(context.Background())
	cancel(errOpen)
	return l.Acked(ctx)
}

var errOpen = errors.New("not known yet")

// TestAckedBeforeTheAnswer: the stream may be faster than the answer to a post, which some proxies hold back. Acked waited then until the next
// message had been acked, or the next stream said hello.
func TestAckedBeforeTheAnswer(t *testing.T) {
	o, st, entries := outboxOf(2)
	o.acked(st, wire.Acked{Through: st.at(2), Expired: []uint64{2}})
	for n, e := range entries {
		o.posted(st, e, wire.Posted{ID: e.id, Cursor: st.at(uint64(n + 1))})
	}
	if got := []error{fate(entries[0].letter), fate(entries[1].letter)}; got[0] != nil || got[1] != ErrExpired {
		t.Errorf("got %v", got)
	}
	if len(o.entries) != 0 || o.kept != 0 {
		t.Errorf("%d entries are left, of %d bytes", len(o.entries), o.kept)
	}

	o, st, entries = outboxOf(1)
	o.acked(st, wire.Acked{Through: st.at(9)})
	o.joined(func() bool { return true })
	st.read.Epoch = wire.Epoch{2}
	o.posted(st, entries[0], wire.Posted{ID: entries[0].id, Cursor: st.at(1)})
	if got := fate(entries[0].letter); got != errOpen {
		t.Errorf("acked in another life of the room: got %v", got)
	}
}

// TestAckedBeyondWhatIsKept: a message that is not kept for posting again has a fate all the same. Acked waited for it until the session ended.
func TestAckedBeyondWhatIsKept(t *testing.T) {
	o, st, entries := outboxOf(3)
	for n, e := range entries[:2] {
		o.posted(st, e, wire.Posted{ID: e.id, Cursor: st.at(uint64(n + 1))})
	}
	o.most = 250
	o.trimLocked()
	if o.kept != 200 {
		t.Errorf("%d bytes are kept", o.kept)
	}
	o.acked(st, wire.Acked{Through: st.at(1)})
	if got := fate(entries[0].letter); got != nil {
		t.Errorf("everybody has it: got %v", got)
	}
	o.most = 150
	o.trimLocked()
	o.joined(func() bool { return true })
	if got := []error{fate(entries[1].letter), fate(entries[2].letter)}; got[0] != ErrExpired || got[1] != errOpen {
		t.Errorf("after a restart of the relay: got %v", got)
	}
	if len(o.entries) != 1 || o.kept != 100 {
		t.Errorf("%d entries of %d bytes are to be posted", len(o.entries), o.kept)
	}
}
