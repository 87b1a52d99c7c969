package client

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"slices"
	"time"

	"snug/client/e2ee"
	"snug/wire"
)

const (
	maxHeld = 50 // messages of members who wait, kept until they are let in; and who is let in and does not come
	readOns = 3  // polls to reach a place that the relay has named; one is enough where the network is fair
)

// held is what was said by a member who is not let in yet.
type held struct {
	from wire.MemberID
	at   time.Time
	body []byte
}

// Lock locks the room: nobody gives keys to members who come after that, until one is let in with Admit. Lock(false) opens it, and lets
// in all who wait. Here it counts at once, for the others when they have read it. It fails as Send does.
func (s *Session) Lock(ctx context.Context, on bool) (*Letter, error) {
	st := s.current()
	b, err := st.group.Lock(on)
	if err != nil {
		return nil, closedOr(err)
	}
	l := newLetter("", b, nil)
	if err := s.out.add(ctx, l); err != nil {
		return nil, err
	}
	st.mu.Lock()
	defer st.mu.Unlock()
	st.releaseLocked()
	return l, nil
}

// Admit lets in a member who waits. It fails with e2ee.ErrUnknownMember, or as Send does.
func (s *Session) Admit(ctx context.Context, id wire.MemberID) (*Letter, error) {
	st := s.current()
	words, err := st.group.Admit(id)
	if err != nil {
		return nil, closedOr(err)
	}
	admit := newLetter("", words[0], nil)
	for _, l := range []*Letter{admit, newLetter("", words[1], nil)} {
		if err := s.out.add(ctx, l); err != nil {
			return nil, err
		}
	}
	st.mu.Lock()
	defer st.mu.Unlock()
	st.releaseLocked()
	return admit, nil
}

// Locked tells whether members who come now have to wait.
func (s *Session) Locked() bool { return s.current().group.Locked() }

// Waits tells whether this member itself has to wait until it is let in.
func (s *Session) Waits() bool { return s.current().group.Waits() }

// ruledLocked tells of a lock or of somebody let in; news is false for what was known.
func (st *stay) ruledLocked(from wire.MemberID, at time.Time, o e2ee.Opened) {
	var word struct {
		K  string
		On bool
		ID wire.MemberID
	}
	if json.Unmarshal(o.Content, &word) != nil {
		return
	}
	if _, here := st.memberOfLocked(word.ID); word.K == "admit" && !here && word.ID != st.group.Self() && len(st.expected) < maxHeld {
		st.expected[word.ID] = from
	}
	if !o.News {
		return
	}
	e := Event{At: at, From: from, Kind: KindLocked}
	switch {
	case word.K == "admit":
		e.Kind, e.Members, e.Body = KindAdmitted, []wire.MemberID{word.ID}, st.aliasLocked(word.ID)
	case !word.On:
		e.Kind = KindOpened
	}
	st.tellLocked(e)
	st.releaseLocked()
}

// holdLocked keeps what a member says who waits, and tells that it did.
func (st *stay) holdLocked(h held) {
	var c content
	if json.Unmarshal(h.body, &c) != nil || c.K == "need" || c.K == "typing" {
		return // of no use later
	}
	if len(st.held) < maxHeld {
		st.held = append(st.held, h)
	}
	st.failLocked(h.at, h.from, e2ee.ErrWaiting)
}

// releaseLocked tells what those have said who are let in now.
func (st *stay) releaseLocked() {
	waiting := st.waitingLocked()
	var left []held
	for _, h := range st.held {
		if slices.Contains(waiting, h.from) {
			left = append(left, h)
		} else {
			st.contentLocked(h.from, h.at, h.body)
		}
	}
	st.held = left
}

func (st *stay) waitingLocked() (ids []wire.MemberID) {
	for _, m := range st.group.Members() {
		if m.Present && m.Waiting {
			ids = append(ids, m.ID)
		}
	}
	return ids
}

// toldLocked: a member has said who waits, maybe this one.
func (st *stay) toldLocked(from wire.MemberID, at time.Time, ids []wire.MemberID) {
	for _, id := range ids {
		st.told[id] = true
	}
	if slices.Contains(ids, st.group.Self()) && st.group.Waits() && !st.waits {
		st.waits = true
		st.tellLocked(Event{Kind: KindWaiting, At: at, From: from})
	}
}

// tellWaiting says to those who wait that they do, which is the one thing that they can read. Of the members who are here, the first by id does.
func (st *stay) tellWaiting() {
	st.mu.Lock()
	defer st.mu.Unlock()
	ids := slices.DeleteFunc(st.waitingLocked(), func(id wire.MemberID) bool { return st.told[id] })
	if len(ids) == 0 || st.group.Waits() || !st.isFirstLocked(wire.MemberID{}) {
		return
	}
	frame, err := st.group.TellWaiting(ids...)
	if err != nil {
		return // closed: the session ends
	}
	for _, id := range ids {
		st.told[id] = true
	}
	st.s.spawn(func() {
		var id wire.MessageID
		rand.Read(id[:]) // never fails
		if _, err := st.api.post(st.s.ctx, st.sessionID(), id, frame, nil); err != nil {
			st.untold(ids)
		}
	})
}

// untold: the next chance tells them.
func (st *stay) untold(ids []wire.MemberID) {
	st.mu.Lock()
	defer st.mu.Unlock()
	for _, id := range ids {
		delete(st.told, id)
	}
}

// isFirstLocked: of the members who are here, but for one who has only just come.
func (st *stay) isFirstLocked(but wire.MemberID) bool {
	self := st.group.Self()
	return !slices.ContainsFunc(st.group.Members(), func(m e2ee.Member) bool {
		return st.isHereLocked(m) && m.ID != but && slices.Compare(m.ID[:], self[:]) < 0
	})
}

func (st *stay) isHereLocked(m e2ee.Member) bool {
	return m.Present && !m.Waiting && m.Changed == nil && !st.away[m.ID]
}

// expectedLocked is what a member must be told who has come and was let in before: that the room is locked. That is for who let it in to say, or,
// without that one, for the first. Nil if it is not for us.
func (st *stay) expectedLocked(id wire.MemberID) []byte {
	by, ok := st.expected[id]
	delete(st.expected, id)
	if !ok || !st.group.Locked() || st.group.Waits() || !st.isFirstLocked(id) {
		return nil
	}
	if m, known := st.memberOfLocked(by); known && st.isHereLocked(m) {
		return nil
	}
	word, err := st.group.LockWord()
	if err != nil {
		return nil // closed: the session ends
	}
	return word
}

// readOn reads what is before a place that a list of members has told of: who is in the list may have come behind a lock.
func (st *stay) readOn(ctx context.Context, seq uint64) {
	for range readOns {
		session, read, handled := st.places()
		if read.Seq >= seq {
			return
		}
		p, err := st.api.poll(ctx, session, handled, 0)
		if err != nil || st.takePolled(ctx, p) != nil {
			return
		}
	}
}
