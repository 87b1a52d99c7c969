package client

import (
	"bytes"
	"context"
	"sync"
	"time"

	"snug/client/acks"
	"snug/client/e2ee"
	"snug/wire"
)

// stay is the member's time under one room id: its keys, its session at the relay, and its place in the log. A Session has one
// after the other, since a move gives the room another id.
type stay struct {
	s     *Session
	group *e2ee.Group
	room  wire.RoomID // static
	api   *api
	line  *transport
	join1 chan struct{} // holds one: who joins
	stir  chan struct{} // holds one: the next ack may be due earlier
	gone  chan struct{} // closed when move is set

	mu       sync.Mutex // guards all below; held for computing only
	session  wire.SessionID
	read     wire.Cursor // everything up to here was taken in; zero before the first join
	roster   uint64      // of the newest change of the members that was taken in
	near     bool        // the room is near its budget
	unsure   bool        // after a gap: the members are to be fetched
	removing bool        // this member is about to move the room
	rival    *move       // of another, meanwhile
	unshown  bool        // the newest card did not reach the relay
	away     map[wire.MemberID]bool
	cards    map[wire.MemberID][]byte // of the others who are here, for a relay that has forgotten them
	asked    map[wire.MemberID]time.Time
	told     map[wire.MemberID]bool          // that they wait to be let in, by anybody
	expected map[wire.MemberID]wire.MemberID // who was let in before they came, and by whom
	held     []held                          // what those have said who wait
	waits    bool                            // the caller was told that this member waits
	acks     acks.Pace
	move     *move
}

// move is the first move in the room's order, and its place.
type move struct {
	*e2ee.Move
	place wire.Cursor
}

func newStay(s *Session, group *e2ee.Group, cursor wire.Cursor) *stay {
	st := &stay{s: s, group: group, room: group.Keys().Room, read: cursor,
		join1: make(chan struct{}, 1), stir: make(chan struct{}, 1), gone: make(chan struct{}),
		away: map[wire.MemberID]bool{}, cards: map[wire.MemberID][]byte{}, asked: map[wire.MemberID]time.Time{}, told: map[wire.MemberID]bool{},
		expected: map[wire.MemberID]wire.MemberID{}}
	st.api = &api{base: s.origin, room: st.room, http: s.http, late: s.narrow.isLate}
	st.line = newTransport(st)
	return st
}

// live receives, acks and keeps the keys fresh until ctx ends or the room moves; then it gives the move.
func (st *stay) live(ctx context.Context) *move {
	ctx, cancel := context.WithCancel(ctx)
	var wg sync.WaitGroup
	wg.Go(func() { st.line.run(ctx) })
	wg.Go(func() { st.ack(ctx) })
	wg.Go(func() { st.chores(ctx) })
	wg.Go(func() { st.makeRoom(ctx) })
	select {
	case <-st.gone:
	case <-ctx.Done():
	}
	cancel()
	wg.Wait()
	st.mu.Lock()
	defer st.mu.Unlock()
	return st.move
}

// join shows the access token, the member secret and the card, once.
func (st *stay) join(ctx context.Context) error {
	card, err := st.group.Card()
	if err != nil {
		return err
	}
	req := wire.JoinRequest{Access: st.group.Keys().Access, Secret: st.group.Identity().Secret, Card: card}
	st.mu.Lock()
	if st.read.Epoch != (wire.Epoch{}) {
		c := st.handledLocked()
		req.Cursor = &c
	}
	for id, card := range st.cards { // in no order, so that of a larger room others name the rest
		if len(req.Known) == wire.MaxKnown {
			break
		}
		req.Known = append(req.Known, wire.Member{ID: id, Card: card})
	}
	st.mu.Unlock()
	joined, err := st.api.join(ctx, req)
	if err != nil {
		return err
	}
	st.joined(joined)
	if newest, err := st.group.Card(); err == nil && !bytes.Equal(newest, card) { // it changed on the way
		st.showCard(ctx) // or a chore does
	}
	return nil
}

const unjoinTime = 2 * time.Second

// unjoin leaves after a join whose answer nobody waits for any more, or others would have a member who is never there.
func (st *stay) unjoin() {
	ctx, cancel := context.WithTimeout(context.Background(), unjoinTime)
	defer cancel()
	if st.join(ctx) == nil {
		st.api.leave(ctx, st.sessionID()) // or the relay lets us go by time
	}
}

func (st *stay) joined(j wire.Joined) {
	st.s.out.joined(func() (anew bool) { return st.enter(j) })
	st.s.out.acked(st, j.Acked)
	st.tellWaiting()
}

// enter says whether the relay began a new life of the room.
func (st *stay) enter(j wire.Joined) (anew bool) {
	st.mu.Lock()
	defer st.mu.Unlock()
	again := st.session != wire.SessionID{}
	anew = st.read.Epoch != wire.Epoch{} && st.read.Epoch != j.Cursor.Epoch
	if st.read.Epoch != j.Cursor.Epoch || st.read.Seq < j.Cursor.Seq { // else we are further than what was acked
		st.read = j.Cursor
	}
	st.session, st.roster, st.near, st.unshown, st.unsure = j.Session, j.Roster, j.Limits.Near, false, false
	st.rosterLocked(j.Members, again, again && !anew && j.Roster > st.read.Seq)
	st.away = map[wire.MemberID]bool{}
	for _, m := range j.Members {
		st.away[m.ID] = m.Away
	}
	if j.Gap != nil && j.Gap.Messages != 0 {
		st.tellLocked(Event{Kind: KindGap, Count: j.Gap.Messages})
	}
	st.acks.Sent(time.Now())
	return anew
}

// rejoin joins again in place of a session that the relay does not know any more, for as long as it takes. It fails with ctx only.
func (st *stay) rejoin(ctx context.Context, old wire.SessionID) error {
	select {
	case st.join1 <- struct{}{}:
		defer func() { <-st.join1 }()
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	for fails := 0; st.sessionID() == old; fails++ {
		err := st.join(ctx)
		if err == nil {
			break
		}
		st.s.trouble(err)
		if err := pause(ctx, backoffTime(fails+1)); err != nil {
			return err
		}
	}
	return nil
}

func pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

const choreTime = time.Minute

// chores gives keys their time: a new card when the old one has served.
func (st *stay) chores(ctx context.Context) {
	tick := time.NewTicker(choreTime)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			st.chore(ctx)
		case <-ctx.Done():
			return
		}
	}
}

func (st *stay) chore(ctx context.Context) {
	card, err := st.group.RotateIfDue()
	if err != nil { // closed: the session ends
		return
	}
	st.mu.Lock()
	unshown := st.unshown
	st.mu.Unlock()
	if card != nil || unshown {
		st.showCard(ctx) // a card that does not arrive now goes again, or with the next join; until then the old key serves
	}
}

// showCard gives the relay the newest card.
func (st *stay) showCard(ctx context.Context) error {
	card, err := st.group.Card()
	if err != nil {
		return err
	}
	err = st.api.card(ctx, st.sessionID(), card)
	st.mu.Lock()
	defer st.mu.Unlock()
	st.unshown = err != nil
	return err
}

func (st *stay) sessionID() wire.SessionID {
	st.mu.Lock()
	defer st.mu.Unlock()
	return st.session
}

func (st *stay) epoch() wire.Epoch {
	st.mu.Lock()
	defer st.mu.Unlock()
	return st.read.Epoch
}

// rosterNumber is that of the members who are known here, and the life of the room in which it counts.
func (st *stay) rosterNumber() (uint64, wire.Epoch) {
	st.mu.Lock()
	defer st.mu.Unlock()
	return st.roster, st.read.Epoch
}

// readTo is the place in the log before which no move lies, as reading ends at the first.
func (st *stay) readTo() uint64 {
	st.mu.Lock()
	defer st.mu.Unlock()
	return st.read.Seq
}

// places are the session, the place to read on from, and the place that may be acked.
func (st *stay) places() (s wire.SessionID, read, handled wire.Cursor) {
	st.mu.Lock()
	defer st.mu.Unlock()
	return st.session, st.read, st.handledLocked()
}
