package hub

import (
	"snug/wire"
)

// subscription is Memory's Subscription: a place in the room's log and what its reader has been told.
type subscription struct {
	room   *room         // static
	member *member       // static
	kind   Kind          // static
	reader Reader        // static; told instead of the channels if it is not nil
	ready  chan struct{} // one slot; the room's waker sends, never waiting; never closed
	done   chan struct{} // closed when err is set
	hello  *wire.Hello   // owned by the reader; dropped by the second Next
	read   bool          // owned by the reader: Next was called

	// Guarded by room.mu.
	err     error   // why it has ended
	quiet   bool    // its reader has closed it, and need not be told
	index   int     // in wakes.subs
	poked   bool    // in wakes.poked
	pos     uint64  // everything up to here was handed out
	told    outcome // of the reader's own messages
	awayGen uint64
	knock   uint64
	chunks  int // lost chunks told, counted as lostChunks does
}

// Subscribe starts reading after the cursor; see Hub. A Poll counts as presence, since it comes in a POST.
func (h *Memory) Subscribe(id wire.RoomID, session wire.SessionID, after wire.Cursor, kind Kind) (Subscription, error) {
	return h.SubscribeReader(id, session, after, kind, nil)
}

// SubscribeReader is Subscribe for a reader without a goroutine; see Hub.
func (h *Memory) SubscribeReader(id wire.RoomID, session wire.SessionID, after wire.Cursor, kind Kind, reader Reader) (Subscription, error) {
	r, m, err := h.enter(id, session)
	if err != nil {
		return nil, err
	}
	defer r.unlock()
	if !r.behind(after) {
		return nil, ErrBadCursor
	}
	if kind == Poll {
		r.touch(m)
	}
	if old := m.subs[kind]; old != nil {
		old.endLocked(ErrReplaced)
	}
	return r.subscribe(m, max(after.Seq, m.acked), kind, reader), nil
}

func (r *room) subscribe(m *member, pos uint64, kind Kind, reader Reader) *subscription {
	if kind == Stream {
		m.told[kind] = m.outcome() // the hello arrives at once; that of a batch may arrive with its end
	}
	s := &subscription{
		room:   r,
		member: m,
		kind:   kind,
		reader: reader,
		pos:    pos,
		hello: &wire.Hello{
			Cursor: r.cursor(pos),
			Head:   r.cursor(r.log.head),
			Roster: r.roster,
			Away:   r.awayIDs(),
			Acked:  r.acked(m),
		},
		told:    m.told[kind],
		awayGen: r.awayGen,
		chunks:  m.chunks.acked,
	}
	if reader == nil {
		s.ready, s.done = make(chan struct{}, 1), make(chan struct{})
		s.ready <- struct{}{} // so that who waits before the first Next does not wait for a post
	}
	m.subs[kind] = s
	r.wakes.add(s)
	return s
}

func (s *subscription) Hello() wire.Hello      { return *s.hello }
func (s *subscription) Ready() <-chan struct{} { return s.ready }
func (s *subscription) Done() <-chan struct{}  { return s.done }

// Close gives the subscription back. Next then returns ErrReplaced.
func (s *subscription) Close() {
	s.room.mu.Lock()
	defer s.room.unlock()
	s.quiet = true
	s.endLocked(ErrReplaced)
}

// endLocked ends the subscription, once.
func (s *subscription) endLocked(why error) {
	if s.err != nil {
		return
	}
	s.err = why
	switch {
	case s.done != nil:
		close(s.done)
	case !s.quiet && !s.poked:
		s.poked = true
		s.room.wakes.poked = append(s.room.wakes.poked, s)
	}
	s.member.subs[s.kind] = nil
	s.room.wakes.remove(s)
}

// endSubscriptions ends all the member's subscriptions.
func (m *member) endSubscriptions(r *room, why error) {
	for _, s := range m.subs {
		if s != nil {
			s.endLocked(why)
		}
	}
}

// Next returns what is pending, without waiting; see Subscription.
func (s *subscription) Next(max int) (Update, error) {
	r := s.room
	if s.read {
		s.hello = nil
	}
	s.read = true
	r.mu.Lock()
	defer r.unlock()
	r.sweepLocked(r.hub.now())
	if s.err != nil {
		return Update{}, s.err
	}
	u := Update{Away: r.awayIDs(), AwayChanged: s.awayGen != r.awayGen, Near: r.near()}
	s.awayGen = r.awayGen
	s.nextEvents(&u, max)
	s.nextChunkGap(&u)
	s.nextAcked(&u)
	u.Knocks = r.knocks.since(s.knock)
	s.knock = r.knocks.last
	return u, nil
}

func (s *subscription) nextEvents(u *Update, limit int) {
	r := s.room
	s.pos = max(s.pos, s.member.acked) // another subscription of the session may be ahead
	u.GapAt = r.cursor(s.pos)
	in := r.log.read(&s.member.reader, s.pos, limit)
	if in.gap {
		u.Gap, u.GapAt = &wire.Gap{Messages: in.lost}, r.cursor(in.gapAt)
	}
	s.pos = in.at
	u.Events, u.Cursor, u.More = in.events, r.cursor(in.at), in.more
	u.Handled = r.cursor(s.member.acked)
}

// nextChunkGap tells of lost chunks: once in each subscription, until an Ack follows the telling.
func (s *subscription) nextChunkGap(u *Update) {
	lost := &s.member.chunks
	n := lost.all - max(s.chunks, lost.acked)
	if n == 0 {
		return
	}
	if u.Gap == nil {
		u.Gap = new(wire.Gap)
	}
	u.Gap.Chunks = n
	s.chunks, lost.told = lost.all, lost.all
}

func (s *subscription) nextAcked(u *Update) {
	m := s.member
	now := m.outcome()
	if s.told == now {
		return
	}
	s.told, m.told[s.kind] = now, now
	a := s.room.acked(m)
	u.Acked = &a
}
