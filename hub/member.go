package hub

import (
	"bytes"
	"crypto/rand"
	"slices"
	"time"

	"snug/wire"
)

// member is one registered member. All of it is guarded by the room's mutex, but the id is static.
type member struct {
	reader                   // its place in the log
	card    []byte           // shared, never changed
	cardSeq uint64           // roster number of the card
	session wire.SessionID   // zero until it joins itself, if another has brought it back
	seen    time.Duration    // last sign of life
	subs    [3]*subscription // by Kind
	told    [3]outcome       // by Kind: what its reader knows of its own messages
	skips   []wire.FileID    // files it does not want, the newest maxSkips
	since   uint64           // the room's comers when it had come
	chunks  lostChunks
}

// outcome is what has become of a member's own messages: the newest that nobody waits for, and how many expired.
type outcome struct{ settled, losses uint64 }

func (m *member) outcome() outcome { return outcome{m.settled, m.losses} }

// lostChunks counts chunks that were owed to the member and are lost, ever.
type lostChunks struct {
	all, told, acked int // acked <= told <= all: told to some subscription; acked after that
}

// Join registers the member or finds it again; see Hub. Two things make a room full for a joiner too: RoomMembers
// (ErrMembersFull), and a log that has no place left for telling the others (ErrRoomFull).
func (h *Memory) Join(id wire.RoomID, j Join) (out wire.Joined, err error) {
	if len(j.Card) > wire.MaxCard {
		return out, ErrTooLarge
	}
	data := wire.MustJSON(wire.Member{ID: j.Member, Card: j.Card})
	err = h.relieved(&h.relief, id, memberCost+int64(2*len(data)), false, func() error {
		r, err := h.lockOrMake(id)
		if err != nil {
			return err
		}
		defer r.unlock()
		out, err = r.join(j, data)
		return err
	})
	return out, err
}

func (r *room) join(j Join, data []byte) (out wire.Joined, err error) {
	m := r.members[j.Member]
	out.Fresh = m == nil
	returns := r.left == 0 && j.Cursor != nil && j.Cursor.Epoch != r.epoch && (m == nil || m.session == wire.SessionID{})
	if m == nil {
		out.Gap = r.ghosts.missed(&r.log, j.Member, r.handled(j.Cursor))
		m, err = r.welcome(j, data)
	} else {
		err = r.welcomeBack(m, j, data)
	}
	if err != nil {
		return wire.Joined{}, err
	}
	r.ghosts.remove(j.Member)
	r.newSession(m)
	if returns {
		r.bringBack(j)
	}
	out.Session, out.Member, out.Members = m.session, m.id, r.roll(false)
	out.Cursor, out.Roster, out.Acked = r.cursor(m.acked), r.roster, r.acked(m)
	out.Limits = r.hub.limits.Wire()
	out.Limits.Near = r.near()
	return out, nil
}

// handled is the place up to which a joiner has handled this life of the room, nil if it knows none.
func (r *room) handled(c *wire.Cursor) *uint64 {
	if c == nil || !r.behind(*c) {
		return nil
	}
	return &c.Seq
}

// welcome registers a new member, in a new room together with those it knew.
func (r *room) welcome(j Join, data []byte) (*member, error) {
	first := r.log.head == 0
	if err := r.makePlace(); err != nil {
		return nil, err
	}
	n := need{log: entryCost + int64(len(data)+noteFraming), beside: memberCost + int64(len(j.Card)), letGo: true}
	if first {
		n.beside += roomCost
	}
	if err := r.admit(n); err != nil {
		return nil, err
	}
	if first {
		r.remember(j)
	}
	m := r.register(j.Member, j.Card)
	r.note(m, wire.EventJoined, data)
	for _, k := range r.list {
		if k == m || first {
			k.cardSeq = r.roster
		}
	}
	return m, nil
}

// makePlace lets go of the member furthest behind among those away, if the room has all the members it may have: a tab
// that was closed without a word must not keep somebody out for hours.
func (r *room) makePlace() error {
	if len(r.list) < r.hub.limits.RoomMembers {
		return nil
	}
	idle := r.idle()
	if len(idle) == 0 {
		return ErrMembersFull
	}
	r.letGo(idle[:1])
	return nil
}

// remember registers, as away, the members that the first in a new room knew. Whom the budget refuses is left out: they
// join as new when they come.
func (r *room) remember(j Join) {
	for _, k := range j.Known[:min(len(j.Known), wire.MaxKnown)] {
		known := k.ID == j.Member || r.members[k.ID] != nil
		if known || len(k.Card) > wire.MaxCard || len(r.list)+1 >= r.hub.limits.RoomMembers {
			continue
		}
		if !r.reserve(memberCost+int64(len(k.Card)), r.hub.limits.RelayBytes) {
			return
		}
		r.registerAway(k)
	}
	r.awayChanged()
}

// registerAway registers a member that somebody else has named.
func (r *room) registerAway(k wire.Member) *member {
	m := r.register(k.ID, k.Card)
	m.away = true
	r.online--
	return m
}

// bringBack registers, as away, whom a member knows from the life before this one and nobody has brought back yet: the first that came may have been
// asleep when they joined. The others are told. Once somebody has left this life nobody is brought back, for it might be just that one.
func (r *room) bringBack(j Join) {
	for _, k := range j.Known[:min(len(j.Known), wire.MaxKnown)] {
		if r.members[k.ID] != nil || len(k.Card) > wire.MaxCard || len(r.list) >= r.hub.limits.RoomMembers {
			continue
		}
		data := wire.MustJSON(wire.Member{ID: k.ID, Card: k.Card})
		if r.admit(need{log: entryCost + int64(len(data)+noteFraming), beside: memberCost + int64(len(k.Card))}) != nil {
			return
		}
		m := r.registerAway(k)
		r.note(m, wire.EventJoined, data)
		m.cardSeq = r.roster
	}
	r.awayChanged()
}

func (r *room) register(id wire.MemberID, card []byte) *member {
	m := &member{reader: reader{id: id}, card: card, seen: r.hub.now()}
	r.log.join(&m.reader)
	r.list = append(r.list, m)
	r.comers++
	m.since = r.comers
	r.members[id] = m
	r.extra += memberCost + int64(len(card))
	r.online++
	r.dueAt(m.seen + r.hub.limits.AwayAfter)
	return m
}

// welcomeBack finds a member again: present, with what it has handled, maybe with a new card.
func (r *room) welcomeBack(m *member, j Join, data []byte) error {
	r.touch(m)
	if seq := r.handled(j.Cursor); seq != nil {
		r.log.ack(&m.reader, *seq)
	}
	return r.replaceCard(m, j.Card, data)
}

// replaceCard tells the others of a card that has changed. data is the wire.Member with the card.
func (r *room) replaceCard(m *member, card, data []byte) error {
	if bytes.Equal(m.card, card) {
		return nil
	}
	more := int64(max(0, len(card)-len(m.card)))
	if err := r.admit(need{log: entryCost + int64(len(data)+noteFraming), beside: more, letGo: true}); err != nil {
		return err
	}
	r.extra += int64(len(card) - len(m.card))
	m.card = card
	r.note(m, wire.EventCard, data)
	m.cardSeq = r.roster
	return nil
}

// newSession gives the member a session and ends the older one.
func (r *room) newSession(m *member) {
	m.endSubscriptions(r, ErrNoSession)
	delete(r.sessions, m.session)
	rand.Read(m.session[:]) // never fails
	r.sessions[m.session] = m
}

// touch counts as presence of the member.
func (r *room) touch(m *member) {
	m.seen = r.hub.now()
	if m.away {
		m.away = false
		r.online++
		r.awayChanged()
		r.dueAt(m.seen + r.hub.limits.AwayAfter)
	}
}

// SetCard replaces the member's card and tells the others, if it differs. It counts as presence.
func (h *Memory) SetCard(id wire.RoomID, s wire.SessionID, card []byte) error {
	if len(card) > wire.MaxCard {
		return ErrTooLarge
	}
	return h.relieved(&h.relief, id, int64(3*len(card)), false, func() error {
		r, m, err := h.enterPresent(id, s)
		if err != nil {
			return err
		}
		defer r.unlock()
		return r.replaceCard(m, card, wire.MustJSON(wire.Member{ID: m.id, Card: card}))
	})
}

// Members lists the room's members with their cards and what they have acked.
func (h *Memory) Members(id wire.RoomID, s wire.SessionID) (wire.Roster, error) {
	r, _, err := h.enter(id, s)
	if err != nil {
		return wire.Roster{}, err
	}
	defer r.unlock()
	return wire.Roster{Roster: r.roster, Members: r.roll(true)}, nil
}

// Leave ends the membership at once.
func (h *Memory) Leave(id wire.RoomID, s wire.SessionID) error {
	r, m, err := h.enter(id, s)
	if err != nil {
		return err
	}
	defer r.unlock()
	r.remove(m, wire.ReasonLeave)
	return nil
}

// remove ends the membership: what was owed to the member is owed no more, and the others are told why.
func (r *room) remove(m *member, why string) {
	m.endSubscriptions(r, ErrNoSession)
	delete(r.sessions, m.session)
	delete(r.members, m.id)
	r.list = slices.DeleteFunc(r.list, func(o *member) bool { return o == m })
	r.extra -= memberCost + int64(len(m.card)+len(m.skips)*skipCost)
	if !m.away {
		r.online--
	}
	chunks := r.chunks.leave(m) + m.chunks.all - m.chunks.acked
	messages := r.log.leave(&m.reader)
	if why != wire.ReasonLeave {
		r.ghosts.add(ghost{member: m.id, messages: messages, chunks: chunks, total: r.log.total})
	}
	r.awayChanged()
	r.note(nil, wire.EventLeft, wire.MustJSON(wire.Left{ID: m.id, Why: why}))
}
