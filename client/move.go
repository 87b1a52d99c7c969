package client

import (
	"context"
	"crypto/rand"
	"slices"

	"snug/client/e2ee"
	"snug/wire"
)

// Remove takes members out of the room: everybody else moves to a new room, whose secret they do not get. It waits until the move is made. It
// fails with e2ee.ErrUnknownMember; with ErrOvertaken if somebody else's move came first, after which one looks who is
// still there; with ErrMoving; with the relay's refusal; or with the error of ctx, when the move goes on all the same.
func (s *Session) Remove(ctx context.Context, ids ...wire.MemberID) error {
	st := s.current()
	frame, root, err := st.group.Remove(ids...)
	if err != nil {
		return closedOr(err)
	}
	if !st.beginMove() {
		return ErrMoving
	}
	made := make(chan error, 1)
	ok := s.spawn(func() { made <- st.makeMove(s.ctx, frame, &e2ee.Move{By: st.group.Self(), Removed: ids, Root: &root}) })
	if !ok {
		return ErrClosed
	}
	select {
	case err := <-made:
		return err
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// beginMove is false if the room is moving already.
func (st *stay) beginMove() bool {
	st.mu.Lock()
	defer st.mu.Unlock()
	if st.move != nil || st.removing {
		return false
	}
	st.removing = true
	return true
}

// makeMove posts the move and follows it, unless another's lies before it.
func (st *stay) makeMove(ctx context.Context, frame []byte, m *e2ee.Move) error {
	l := newLetter("", nil, frame)
	err := st.s.out.add(ctx, l)
	for err == nil {
		var posted wire.Posted
		if posted, err = l.Posted(ctx); err != nil {
			break
		}
		var there bool
		if there, err = st.catchUp(ctx, posted.Cursor); there {
			return st.decideMove(&move{m, posted.Cursor}, nil)
		}
		if err == nil { // the outbox posts it to the restarted relay
			err = pause(ctx, backoffTime(0))
		}
	}
	return st.decideMove(nil, err)
}

// decideMove ends the stay by the first move in the room's order. own is nil if ours failed, with err.
func (st *stay) decideMove(own *move, err error) error {
	st.mu.Lock()
	defer st.mu.Unlock()
	st.removing = false
	rival := st.rival
	switch {
	case rival != nil && (own == nil || rival.place.Epoch != own.place.Epoch || rival.place.Seq < own.place.Seq):
		st.moveLocked(rival)
		return ErrOvertaken
	case own != nil:
		st.moveLocked(own)
	}
	return err
}

// catchUp reads on until everything before a place was taken in, whatever the stream does. It polls, because our own messages are
// not read back. It is false if there is no such place any more, because the relay was restarted; it fails with ctx only.
func (st *stay) catchUp(ctx context.Context, place wire.Cursor) (bool, error) {
	for fails := 0; ; fails++ {
		session, _, handled := st.places()
		if handled.Epoch != place.Epoch {
			return false, nil
		}
		p, err := st.api.poll(ctx, session, handled, 0)
		if err == nil {
			err = st.takePolled(ctx, p)
		}
		if err == errMoved || (err == nil && p.Cursor.Epoch == place.Epoch && p.Cursor.Seq >= place.Seq) {
			return true, nil
		}
		if err := pause(ctx, backoffTime(fails)); err != nil { // the line joins again if that is what it takes
			return false, err
		}
	}
}

// takePolled takes in a poll's answer.
func (st *stay) takePolled(ctx context.Context, p wire.Polled) error {
	for _, raw := range p.Events {
		e, err := newEvent(raw.Event, raw.ID, raw.Data)
		if err != nil {
			return err
		}
		if err := st.take(ctx, e); err != nil {
			return err
		}
	}
	st.polled(p)
	return nil
}

// follow goes to the room of a move as the same member, with the same people trusted, and gives the stay there; nil if the
// session ended.
func (s *Session) follow(old *stay, m *move) *stay {
	group, err := old.group.Follow(*m.Root)
	if err != nil {
		s.end(closedOr(err))
		return nil
	}
	next := newStay(s, group, wire.Cursor{})
	next.expect(old, m)
	for fails := 0; ; fails++ {
		err := next.join(s.ctx)
		if err == nil {
			break
		}
		s.trouble(err)
		if pause(s.ctx, backoffTime(fails+1)) != nil {
			group.Close()
			return nil
		}
	}
	if s.out.moveTo(s.ctx, next, m.place) != nil {
		group.Close()
		return nil
	}
	old.mu.Lock()
	old.tellLocked(Event{Kind: KindMoved, From: m.By, Alias: s.aliasOf(old, m.By), Members: m.Removed})
	old.mu.Unlock()
	s.mu.Lock()
	s.stay = next
	s.mu.Unlock()
	old.group.Close()
	// Only now: in the old room we are owed nothing more, and the move itself stays there for those who sleep.
	s.spawn(func() {
		s.say(func(ctx context.Context) { old.api.leave(ctx, old.sessionID()) }) // or the relay lets us go by time
	})
	return next
}

// expect names to the new room those who have not read the move yet, so that what is said there meanwhile is kept for them. They have shown no card
// there so far.
func (st *stay) expect(old *stay, m *move) {
	for _, p := range old.group.Members() {
		if p.Present && !p.Waiting && p.Changed == nil && !slices.Contains(m.Removed, p.ID) {
			st.cards[p.ID] = nil
		}
	}
}

// aliasOf is a member's alias, this one's included. The lock of the stay is held.
func (s *Session) aliasOf(st *stay, id wire.MemberID) string {
	if id == st.group.Self() {
		return s.Alias()
	}
	return st.aliasLocked(id)
}

// newID is a random name for what is sent.
func newID() string {
	var id wire.MessageID
	rand.Read(id[:]) // never fails
	return id.String()
}
