package client

import (
	"context"
	"encoding/json"
	"slices"
	"sync"

	"snug/client/e2ee"
	"snug/wire"
)

// memberLocked handles joined, left and card, which are the changes of the roster.
func (st *stay) memberLocked(e event) (do todo, err error) {
	if e.name == wire.EventLeft {
		var left wire.Left
		if json.Unmarshal(e.data, &left) != nil {
			return do, errNotOurs
		}
		st.leftLocked(left)
	} else {
		var m wire.Member
		if json.Unmarshal(e.data, &m) != nil {
			return do, errNotOurs
		}
		delete(st.told, m.ID)
		st.enterLocked(m, true, false)
		do.whisper = st.expectedLocked(m.ID)
	}
	st.roster = max(st.roster, e.cursor.Seq)
	return do, nil
}

// rosterLocked takes in the whole list of members: who is not in it is not in the room. aloud tells of changes, whose own
// events then find them done; ahead says that the list is newer than what was read of the log.
func (st *stay) rosterLocked(list []wire.Member, aloud, ahead bool) {
	for _, m := range st.group.Members() {
		switch listed := slices.ContainsFunc(list, func(l wire.Member) bool { return l.ID == m.ID }); {
		case !m.Present || listed:
		case aloud:
			st.leftLocked(wire.Left{ID: m.ID})
		default:
			st.forgetLocked(m.ID)
		}
	}
	for _, m := range list {
		st.enterLocked(m, aloud, ahead)
	}
}

// enterLocked takes in a member who is here, and if aloud tells of one who is new.
func (st *stay) enterLocked(m wire.Member, aloud, ahead bool) {
	if m.ID == st.group.Self() {
		return
	}
	was, _ := st.memberOfLocked(m.ID)
	if st.learnLocked(m, aloud, ahead) && aloud && !was.Present {
		st.tellLocked(Event{Kind: KindJoined, From: m.ID})
	}
}

// learn takes in the roster that came with a refusal.
func (st *stay) learn(r wire.Roster) {
	st.mu.Lock()
	defer st.mu.Unlock()
	st.rosterLocked(r.Members, true, r.Roster > st.read.Seq)
	st.roster = max(st.roster, r.Roster)
}

// refresh fetches the members if a gap has made them uncertain.
func (st *stay) refresh(ctx context.Context) error {
	st.mu.Lock()
	unsure, session := st.unsure, st.session
	st.mu.Unlock()
	if !unsure {
		return nil
	}
	r, err := st.api.members(ctx, session)
	if err != nil {
		return err
	}
	st.learn(r)
	st.mu.Lock()
	defer st.mu.Unlock()
	st.unsure = false
	return nil
}

// learnLocked takes in a card, or its absence where the relay knows that it is held. It is false for one that is not to be believed. aloud tells of a new name.
func (st *stay) learnLocked(m wire.Member, aloud, ahead bool) bool {
	if len(m.Card) == 0 {
		return st.group.Returned(m.ID)
	}
	was, _ := st.memberOfLocked(m.ID)
	learn := st.group.Learn
	if ahead {
		learn = st.group.LearnAhead
	}
	switch learn(m.ID, m.Card) {
	case e2ee.StatusBad:
		st.tellLocked(Event{Kind: KindFailed, From: m.ID, Alias: was.Alias, Reason: "A member's card cannot be trusted.", Err: e2ee.ErrDamaged})
		return false
	case e2ee.StatusChanged:
		if was.Changed == nil {
			st.tellLocked(Event{Kind: KindChanged, From: m.ID, Alias: was.Alias})
		}
		return true
	case e2ee.StatusUpdated:
		if now := st.aliasLocked(m.ID); aloud && was.Alias != "" && now != was.Alias {
			st.tellLocked(Event{Kind: KindRenamed, From: m.ID, Alias: was.Alias, Body: now})
		}
	}
	st.cards[m.ID] = m.Card
	return true
}

func (st *stay) leftLocked(left wire.Left) {
	was, ok := st.memberOfLocked(left.ID)
	if !ok || !was.Present {
		return
	}
	reason := map[string]string{wire.ReasonGrace: "away for too long", wire.ReasonFull: "the relay needed room"}[left.Why]
	st.tellLocked(Event{Kind: KindLeft, From: left.ID, Alias: was.Alias, Reason: reason})
	st.forgetLocked(left.ID)
}

func (st *stay) forgetLocked(id wire.MemberID) {
	delete(st.cards, id)
	st.group.Left(id)
	st.s.files.left(id)
}

func (st *stay) memberOfLocked(id wire.MemberID) (e2ee.Member, bool) {
	members := st.group.Members()
	i := slices.IndexFunc(members, func(m e2ee.Member) bool { return m.ID == id })
	if i < 0 {
		return e2ee.Member{}, false
	}
	return members[i], true
}

func (st *stay) aliasLocked(id wire.MemberID) string {
	m, _ := st.memberOfLocked(id)
	return m.Alias
}

// members is the list for the caller, this member first.
func (st *stay) members(alias string) []Member {
	st.mu.Lock()
	defer st.mu.Unlock()
	own := st.group.Identity()
	out := []Member{{ID: st.group.Self(), Alias: alias, Self: true, Fingerprint: e2ee.Fingerprint(own.Public())}}
	for _, m := range st.group.Members() {
		if !m.Present {
			continue
		}
		row := Member{ID: m.ID, Alias: m.Alias, Away: st.away[m.ID], Waiting: m.Waiting, Fingerprint: e2ee.Fingerprint(m.Identity)}
		if m.Changed != nil {
			row.Changed, row.NewAlias, row.NewFingerprint = true, m.Changed.Alias, e2ee.Fingerprint(m.Changed.Identity)
		}
		out = append(out, row)
	}
	return out
}

// seen remembers the newest texts by sender and id, because a message may be sealed anew and posted once more after a
// move, where the encryption cannot tell that it is the same.
type seen struct {
	mu   sync.Mutex
	have map[seenKey]bool
	list []seenKey // oldest first
}

type seenKey struct {
	from wire.MemberID
	id   string
}

const maxSeen = 4096

// first tells whether the text is new. One without an id always is.
func (s *seen) first(from wire.MemberID, id string) bool {
	if id == "" {
		return true
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	key := seenKey{from, id}
	if s.have[key] {
		return false
	}
	if s.have == nil {
		s.have = make(map[seenKey]bool)
	}
	if len(s.list) >= maxSeen {
		delete(s.have, s.list[0])
		s.list = s.list[1:]
	}
	s.have[key] = true
	s.list = append(s.list, key)
	return true
}
