package e2ee

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math"
	"slices"

	"snug/wire"
)

// maxAdmitted bounds the members let in by name that are remembered, and the ids that a lock may name.
const maxAdmitted = 2048

// roomLock says whether whoever comes now waits to be let in. What members say of it may come in any order, twice or late, since
// the relay carries it; so every word has a turn: the higher one counts, and of two with the same turn the one that locks. All who have heard
// the same words agree, and an old word that is played again changes nothing.
type roomLock struct {
	on       bool
	turn     uint32
	admitted []admission // oldest first; a word may be here before its member is
}

// admission is who was let in by name, and under which identity key.
type admission struct {
	id  wire.MemberID
	key [32]byte
}

// lockWord is the content of kind "lock". Wait are members that its sender has not let in.
type lockWord struct {
	K    string          `json:"k"`
	On   *bool           `json:"on"`
	Turn uint32          `json:"turn"`
	Wait []wire.MemberID `json:"wait,omitempty"`
}

// admitWord is the content of kind "admit": who is let in, and under which identity key.
type admitWord struct {
	K   string         `json:"k"`
	ID  *wire.MemberID `json:"id"`
	Key *identityKey   `json:"key"`
}

// identityKey is an Ed25519 public key as JSON has it, in base64url.
type identityKey [32]byte

func (k identityKey) MarshalText() ([]byte, error) {
	return base64.RawURLEncoding.AppendEncode(nil, k[:]), nil
}

func (k *identityKey) UnmarshalText(text []byte) error {
	b, err := base64.RawURLEncoding.Strict().DecodeString(string(text))
	if err != nil || len(b) != len(k) {
		return fmt.Errorf("identity key: %w", ErrMalformed)
	}
	*k = identityKey(b)
	return nil
}

// heed takes a word in. It is false for one that is older than what is known.
func (l *roomLock) heed(on bool, turn uint32) bool {
	if turn < l.turn || (turn == l.turn && l.on && !on) {
		return false
	}
	l.on, l.turn = on, turn
	return true
}

func (l *roomLock) admit(a admission) {
	l.admitted = slices.DeleteFunc(l.admitted, func(b admission) bool { return a.id == b.id })
	l.admitted = append(l.admitted, a)
	if over := len(l.admitted) - maxAdmitted; over > 0 {
		l.admitted = slices.Delete(l.admitted, 0, over)
	}
}

func (l *roomLock) isAdmitted(id wire.MemberID, key [32]byte) bool {
	return slices.Contains(l.admitted, admission{id, key})
}

// Locked tells whether whoever comes now has to wait.
func (g *Group) Locked() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.roomLock.on
}

// Waits tells whether this member itself waits to be let in: somebody said so.
func (g *Group) Waits() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.waits
}

// Lock locks the room, or opens it again for whoever comes and whoever waits: at once here, and for the others with the content that it
// gives, to be sealed and posted.
func (g *Group) Lock(on bool) (content []byte, err error) {
	_, err = g.lock()
	defer g.mu.Unlock()
	if err != nil {
		return nil, err
	}
	turn := g.roomLock.turn
	if turn < math.MaxUint32 {
		turn++
	}
	w := lockWord{K: "lock", On: &on, Turn: turn}
	g.heedLockLocked(w)
	return json.Marshal(w)
}

// Admit lets in a member who waits. Post both contents in this order: the first is for the others, the second tells the one let in that the
// room is locked, and who else waits. It fails with ErrUnknownMember.
func (g *Group) Admit(id wire.MemberID) (contents [][]byte, err error) {
	_, err = g.lock()
	defer g.mu.Unlock()
	if err != nil {
		return nil, err
	}
	p := g.peers[id]
	if p == nil || !p.known {
		return nil, fmt.Errorf("admit: %w", ErrUnknownMember)
	}
	key := identityKey(p.card.Identity)
	g.heedAdmitLocked(admission{id, key})
	admit, err := json.Marshal(admitWord{K: "admit", ID: &id, Key: &key})
	if err != nil {
		return nil, err
	}
	lock, err := g.lockWordLocked()
	return [][]byte{admit, lock}, err
}

// Expect lets in somebody who has not come yet, under this identity key and no other. Post the content; when that member has come, LockWord tells it.
func (g *Group) Expect(a Arrival) (content []byte, err error) {
	_, err = g.lock()
	defer g.mu.Unlock()
	if err != nil {
		return nil, err
	}
	key := identityKey(a.Identity)
	g.heedAdmitLocked(admission{a.Member, key})
	return json.Marshal(admitWord{K: "admit", ID: &a.Member, Key: &key})
}

// LockWord tells whoever was let in whether the room is locked.
func (g *Group) LockWord() ([]byte, error) {
	_, err := g.lock()
	defer g.mu.Unlock()
	if err != nil {
		return nil, err
	}
	return g.lockWordLocked()
}

func (g *Group) lockWordLocked() ([]byte, error) {
	on := g.roomLock.on
	return json.Marshal(lockWord{K: "lock", On: &on, Turn: g.roomLock.turn})
}

// TellWaiting gives a frame that says to members who wait that they do, as the lock stands now. They can read nothing else.
func (g *Group) TellWaiting(ids ...wire.MemberID) ([]byte, error) {
	_, err := g.lock()
	defer g.mu.Unlock()
	if err != nil {
		return nil, err
	}
	body := append(u32(g.roomLock.turn), u16(len(ids))...)
	for _, id := range ids {
		body = append(body, id[:]...)
	}
	return g.sealer.Seal(TypeWaiting, append(body, g.id.sign("waiting", g.keys.Room[:], g.self[:], body)...))
}

// heedLockLocked: a member locks the room or opens it. Who is known from a list only, since its place is behind the lock, is held, and so is
// whom the word names, unless let in by name. It tells whether the room is another than before, or this member's place in it.
func (g *Group) heedLockLocked(w lockWord) bool {
	before, on, waited := g.roomLock.on, *w.On, g.waits
	if !g.roomLock.heed(on, w.Turn) {
		return false
	}
	for id, p := range g.peers {
		switch {
		case !on:
			p.waiting = false
		case g.roomLock.isAdmitted(id, p.card.Identity):
		case slices.Contains(w.Wait, id) || (!before && p.ahead):
			if p.trusted() {
				g.send.leave(id) // it may hold the chain
			}
			p.waiting = true
		}
	}
	if !on {
		g.waits = false
	}
	return before != on || waited != g.waits
}

// heedAdmitLocked: a member lets another one in, under the key that it has seen. It tells whether that member, or this one, had waited.
func (g *Group) heedAdmitLocked(a admission) (waited bool) {
	g.roomLock.admit(a)
	if a.id == g.self {
		if a.key == g.id.Public() {
			waited, g.waits = g.waits, false
		}
		return waited
	}
	if p := g.peers[a.id]; p != nil && p.card.Identity == a.key {
		waited, p.waiting = p.waiting, false
	}
	return waited
}

// wholeLocked makes a lock name those who wait as it is sealed, so that whoever hears of it holds them too.
func (g *Group) wholeLocked(content []byte) ([]byte, error) {
	var w lockWord
	if json.Unmarshal(content, &w) != nil || w.K != "lock" || w.On == nil || !*w.On {
		return content, nil
	}
	w.Wait = nil
	for id, p := range g.peers {
		if p.waiting {
			w.Wait = append(w.Wait, id)
		}
	}
	slices.SortFunc(w.Wait, func(a, b wire.MemberID) int { return slices.Compare(a[:], b[:]) })
	return json.Marshal(w)
}

// heedLocked says what content of a member is: what one says who is not let in is held, and only members lock and let in.
func (g *Group) heedLocked(p *peer, out Opened) (Opened, error) {
	kind := kindOf(out.Content)
	rules := kind == "lock" || kind == "admit"
	bare := Opened{From: out.From, E: out.E, N: out.N}
	switch {
	case p.waiting && rules:
		return bare, fmt.Errorf("message: %w", ErrWaiting)
	case p.waiting:
		out.Kind = KindHeld
		return out, nil
	case !rules:
		return out, nil
	}
	var lock lockWord
	var admit admitWord
	if kind == "lock" {
		if json.Unmarshal(out.Content, &lock) != nil || lock.On == nil || lock.Turn == 0 || len(lock.Wait) > maxAdmitted {
			return bare, fmt.Errorf("lock: %w", ErrDamaged)
		}
	} else if json.Unmarshal(out.Content, &admit) != nil || admit.ID == nil || admit.Key == nil {
		return bare, fmt.Errorf("admit: %w", ErrDamaged)
	}
	if p.pending != nil {
		return bare, fmt.Errorf("message: %w", ErrChanged)
	}
	out.Rules = true
	if kind == "lock" {
		out.News = g.heedLockLocked(lock)
	} else {
		out.News = g.heedAdmitLocked(admission{*admit.ID, *admit.Key})
	}
	return out, nil
}

// openWaitingLocked: who is not let in is told so, under the key that everybody with the link has.
func (g *Group) openWaitingLocked(p *peer, from wire.MemberID, inner []byte) (Opened, error) {
	out := Opened{From: from}
	body, sig, ok := cutSig(inner)
	r := reader{b: body}
	turn, n := r.u32(), r.u16()
	if !ok || r.bad || n*16 != len(r.b) {
		return out, fmt.Errorf("waiting: %w", ErrDamaged)
	}
	ids := make([]wire.MemberID, n)
	for i := range ids {
		ids[i] = wire.MemberID(r.take(16))
	}
	if err := g.checkLocked(p, "waiting", from, body, sig); err != nil {
		return out, err
	}
	if err := p.ruled(); err != nil {
		return out, fmt.Errorf("waiting: %w", err)
	}
	old := turn < g.roomLock.turn || g.roomLock.isAdmitted(g.self, g.id.Public()) // what is told may come late, or again after a restart
	if slices.Contains(ids, g.self) && !old {
		g.waits = true
	}
	out.Kind, out.Waiting = KindWaiting, ids
	return out, nil
}

// ruled is why a member may not do what only members may.
func (p *peer) ruled() error {
	switch {
	case p.pending != nil:
		return ErrChanged
	case p.waiting:
		return ErrWaiting
	}
	return nil
}
