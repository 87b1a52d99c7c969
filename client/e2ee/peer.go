package e2ee

import (
	"time"

	"snug/wire"
)

// maxPeers bounds the members remembered, gone ones included; a relay lets 256 into a room at a time.
const maxPeers = 4096

// Status is what Learn found about a card.
type Status uint8

// What Learn can find.
const (
	StatusBad     Status = iota // not a card of this member, or not signed as one
	StatusNew                   // the first card of this member
	StatusSame                  // nothing new; also a card older than the one held
	StatusUpdated               // a new HPKE key or alias of a known member
	StatusChanged               // another identity key than the one first seen; see Accept
)

// String is the word the browser's code uses for it.
func (s Status) String() string {
	return [...]string{"bad", "new", "same", "updated", "changed"}[min(s, StatusChanged)]
}

// Member is another member as this one knows it.
type Member struct {
	ID       wire.MemberID
	Alias    string
	Identity [32]byte // the accepted identity key
	Created  time.Time
	Rotation uint32
	Present  bool
	Waiting  bool  // came while the room was locked, and nobody has let it in
	Changed  *Card // the card with another identity key that waits for Accept, or nil
}

// peer is another member's state. Group.mu guards it.
type peer struct {
	card    Card // identity is set always, the rest once known
	known   bool // a card was learned in this room, not only the identity in an earlier one
	pending *Card
	present bool
	waiting bool // came while the room was locked, and nobody has let it in
	ahead   bool // known from a list only: its place in the log is not read yet
	gone    time.Time
	recv    receiver
}

// learn takes a card whose signature holds.
func (p *peer) learn(c Card) Status {
	p.comeBack()
	if c.Identity != p.card.Identity {
		if p.pending == nil || p.pending.Identity != c.Identity || newer(c, *p.pending) {
			p.pending = &c
		}
		return StatusChanged
	}
	p.pending = nil // the accepted identity itself spoke
	if !p.known {
		p.card, p.known = c, true
		return StatusNew
	}
	if !newer(c, p.card) {
		return StatusSame
	}
	p.card = c
	return StatusUpdated
}

// newer tells whether card a replaces b. Creation counts for a member that came back from an old state.
func newer(a, b Card) bool {
	return a.Rotation > b.Rotation || (a.Rotation == b.Rotation && a.Created.After(b.Created))
}

func (p *peer) comeBack() {
	if !p.present {
		p.recv.goOn()
	}
	p.present = true
}

// trusted tells whether chains and roots may be sealed to the member.
func (p *peer) trusted() bool { return p.known && p.present && p.pending == nil && !p.waiting }
