package e2ee

import (
	"fmt"
	"slices"

	"snug/wire"
)

// Learn takes the card that the relay hands out for a member. A StatusChanged member gets nothing sealed and is believed no
// move until Accept. The card of this member itself is StatusSame.
//
// In a locked room whoever is new waits to be let in.
func (g *Group) Learn(id wire.MemberID, cardFrame []byte) Status {
	return g.learnFrame(id, cardFrame, false)
}

// LearnAhead is Learn for a card out of a list that is newer than what was read of the log: where in the log the member came, nobody knows
// yet. Learn, at that place, settles it.
func (g *Group) LearnAhead(id wire.MemberID, cardFrame []byte) Status {
	return g.learnFrame(id, cardFrame, true)
}

func (g *Group) learnFrame(id wire.MemberID, cardFrame []byte, ahead bool) Status {
	_, err := g.lock()
	defer g.mu.Unlock()
	if err != nil {
		return StatusBad
	}
	t, inner, err := OpenFrame(g.keys, cardFrame)
	if err != nil || t != TypeCard {
		return StatusBad
	}
	known := g.peers[id] != nil
	status, _ := g.learnLocked(id, inner)
	if p := g.peers[id]; p != nil {
		p.ahead = ahead && (p.ahead || !known)
	}
	return status
}

func (g *Group) learnLocked(id wire.MemberID, inner []byte) (Status, error) {
	c, err := ParseCard(g.keys.Room, inner)
	if err != nil {
		return StatusBad, err
	}
	if c.Member != id || (id == g.self && c.Identity != g.id.Public()) {
		return StatusBad, fmt.Errorf("card of another member: %w", ErrBadSignature)
	}
	if z, err := agree(g.hpke.current().private, c.HPKE[:]); err != nil { // of low order: nothing could be sealed to it
		return StatusBad, fmt.Errorf("card: %w", ErrDamaged)
	} else {
		clear(z)
	}
	if id == g.self {
		return StatusSame, nil
	}
	p := g.peers[id]
	if p == nil {
		g.forgetLocked()
		p = &peer{card: Card{Member: id, Identity: c.Identity}, waiting: g.roomLock.on && !g.roomLock.isAdmitted(id, c.Identity)}
		g.peers[id] = p
	}
	status := p.learn(c)
	if status == StatusChanged {
		g.send.leave(id) // whoever has the old key may be somebody else
	}
	return status, nil
}

// forgetLocked makes room for one more member by forgetting the one that is gone longest.
func (g *Group) forgetLocked() {
	if len(g.peers) < maxPeers {
		return
	}
	var oldest *peer
	for _, p := range g.peers {
		switch {
		case p.present || (oldest != nil && oldest.waiting && !p.waiting): // strangers must not push out whom people know
		case oldest == nil, p.waiting && !oldest.waiting, p.gone.Before(oldest.gone):
			oldest = p
		}
	}
	if oldest != nil {
		oldest.recv.erase()
		delete(g.peers, oldest.card.Member)
	}
}

// Accept believes the new identity key of a StatusChanged member. What the old one sent can no longer be opened. It fails
// with ErrUnknownMember if there is nothing to accept.
func (g *Group) Accept(id wire.MemberID) error {
	_, err := g.lock()
	defer g.mu.Unlock()
	if err != nil {
		return err
	}
	p := g.peers[id]
	if p == nil || p.pending == nil {
		return fmt.Errorf("accept: %w", ErrUnknownMember)
	}
	p.recv.erase()
	*p = peer{card: *p.pending, known: true, present: true, waiting: p.waiting && !g.roomLock.isAdmitted(id, p.pending.Identity)}
	return nil
}

// Left says that members are no longer in the room. The next message starts a new chain if one of them had the current one.
// Their identity keys stay known, and so do their chains for messages under way.
func (g *Group) Left(ids ...wire.MemberID) {
	now, err := g.lock()
	defer g.mu.Unlock()
	if err != nil {
		return
	}
	for _, id := range ids {
		if p := g.peers[id]; p != nil {
			p.present, p.gone = false, now
			p.recv.end(now)
			g.send.leave(id)
		}
	}
}

// Returned says that a member is in the room again and shows the card that is held already. It is false if none is held.
func (g *Group) Returned(id wire.MemberID) bool {
	_, err := g.lock()
	defer g.mu.Unlock()
	p := g.peers[id]
	if err != nil || p == nil || !p.known {
		return false
	}
	p.comeBack()
	p.ahead = false
	return true
}

// Members are the others that a card was learned of, by id.
func (g *Group) Members() []Member {
	g.mu.Lock()
	defer g.mu.Unlock()
	var out []Member
	for id, p := range g.peers {
		if !p.known && p.pending == nil {
			continue
		}
		m := Member{ID: id, Alias: shownAlias(p.card.Alias), Identity: p.card.Identity, Created: p.card.Created, Rotation: p.card.Rotation, Present: p.present, Waiting: p.waiting}
		if p.pending != nil {
			c := *p.pending
			c.Alias = shownAlias(c.Alias)
			m.Changed = &c
		}
		out = append(out, m)
	}
	slices.SortFunc(out, func(a, b Member) int { return slices.Compare(a.ID[:], b.ID[:]) })
	return out
}

// SafetyCode is the code over this member and those present and let in; see the function of that name.
func (g *Group) SafetyCode() string {
	g.mu.Lock()
	defer g.mu.Unlock()
	ids := [][32]byte{g.id.Public()}
	for _, p := range g.peers {
		if p.present && !p.waiting {
			ids = append(ids, p.card.Identity)
		}
	}
	return SafetyCode(g.keys.Room, ids)
}
