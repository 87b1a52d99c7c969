package e2ee

import (
	"fmt"
	"slices"
	"time"

	"snug/wire"
)

// Seal gives the frames to post, in order: a keys frame first when somebody present cannot open the next message yet,
// then the message. Content is UTF-8 JSON with a kind, as docs/PROTOCOL.md has it, or Seal fails with ErrMalformed. Post a
// message again as the same bytes, never sealed anew.
func (g *Group) Seal(content []byte) ([][]byte, error) {
	now, err := g.lock()
	defer g.mu.Unlock()
	if err != nil {
		return nil, err
	}
	switch kindOf(content) {
	case "":
		return nil, fmt.Errorf("content: %w: want a JSON object with a kind", ErrMalformed)
	case "lock":
		if content, err = g.wholeLocked(content); err != nil {
			return nil, err
		}
	}
	var frames [][]byte
	keysFrame, err := g.sealKeysLocked(now)
	if err != nil {
		return nil, err
	}
	if keysFrame != nil {
		frames = append(frames, keysFrame)
	}
	e, n := g.send.e, g.send.n
	mk := ratchet(&g.send.ck)
	defer clear(mk[:])
	g.send.n++
	g.sent++
	frame, err := g.sealer.Seal(TypeMessage, sealMessage(&g.id, g.keys.Room, e, n, mk, content))
	if err != nil {
		return nil, err
	}
	return append(frames, frame), nil
}

// SealKeysIfNeeded gives the keys frame that Seal would put first, or nil.
func (g *Group) SealKeysIfNeeded() ([]byte, error) {
	now, err := g.lock()
	defer g.mu.Unlock()
	if err != nil {
		return nil, err
	}
	return g.sealKeysLocked(now)
}

// Resend makes the next Seal or SealKeysIfNeeded seal the chain to a member once more, as it is then. It is what to do
// when the member asks for it with content of kind "need". It fails with ErrUnknownMember for one that nothing is sealed to.
func (g *Group) Resend(id wire.MemberID) error {
	_, err := g.lock()
	defer g.mu.Unlock()
	if err != nil {
		return err
	}
	if p := g.peers[id]; p == nil || !p.trusted() {
		return fmt.Errorf("resend: %w", ErrUnknownMember)
	}
	if g.send.sealed[id] {
		g.send.again[id] = true
	}
	return nil
}

// sealKeysLocked makes sure that there is a chain, and that everybody trusted has it.
func (g *Group) sealKeysLocked(now time.Time) ([]byte, error) {
	if g.send.due(now) {
		if err := g.newChainLocked(now); err != nil {
			return nil, err
		}
	}
	to := g.trustedLocked(func(id wire.MemberID) bool { return !g.send.sealed[id] || g.send.again[id] })
	if len(to) == 0 {
		return nil, nil
	}
	e, n := g.send.e, g.send.n
	entries := g.entriesLocked(to, g.send.ck, func(id wire.MemberID) []byte { return keysInfo(g.keys.Room, g.self, id, e, n) })
	for _, id := range to {
		g.send.sealed[id] = true
		delete(g.send.again, id)
	}
	if len(entries) == 0 {
		return nil, nil
	}
	body := appendEntries(slices.Concat(u32(e), u32(n)), entries)
	return g.sealer.Seal(TypeKeys, append(body, g.id.sign("keys", g.keys.Room[:], g.self[:], body)...))
}

func (g *Group) newChainLocked(now time.Time) error {
	ck, err := random(g.rand)
	if err != nil {
		return err
	}
	e, err := nextNumber(g.send.e, now)
	if err != nil {
		return err
	}
	g.send.start(e, ck, now)
	return nil
}

// trustedLocked are the members that something may be sealed to, in order of id.
func (g *Group) trustedLocked(want func(wire.MemberID) bool) []wire.MemberID {
	var out []wire.MemberID
	for id, p := range g.peers {
		if p.trusted() && want(id) {
			out = append(out, id)
		}
	}
	slices.SortFunc(out, func(a, b wire.MemberID) int { return slices.Compare(a[:], b[:]) })
	return out
}

// entriesLocked seals secret to each. A member whose card shows a key that nothing can be sealed to gets none.
func (g *Group) entriesLocked(to []wire.MemberID, secret [32]byte, info func(wire.MemberID) []byte) []entry {
	entries := make([]entry, 0, len(to))
	for _, id := range to {
		c := &g.peers[id].card
		if sealed, err := sealTo(c.HPKE, info(id), secret[:]); err == nil {
			entries = append(entries, entry{id, c.Rotation, sealed})
		}
	}
	return entries
}

// Remove takes members out of the room: it draws a new root, seals it to all trusted members but those, and gives the
// move frame for the old room. The caller posts it and goes on with Follow(root). It fails with ErrUnknownMember if ids
// is empty, has more than 255 members, or one that is not known.
func (g *Group) Remove(ids ...wire.MemberID) (frame []byte, root Root, err error) {
	_, err = g.lock()
	defer g.mu.Unlock()
	if err != nil {
		return nil, Root{}, err
	}
	if len(ids) == 0 || len(ids) > 255 {
		return nil, Root{}, fmt.Errorf("remove %d members: %w", len(ids), ErrUnknownMember)
	}
	body := []byte{byte(len(ids))}
	for _, id := range ids {
		if g.peers[id] == nil {
			return nil, Root{}, fmt.Errorf("remove: %w", ErrUnknownMember)
		}
		body = append(body, id[:]...)
	}
	if root, err = NewLinkRoot(g.rand); err != nil {
		return nil, Root{}, err
	}
	to := g.trustedLocked(func(id wire.MemberID) bool { return !slices.Contains(ids, id) })
	entries := g.entriesLocked(to, root, func(id wire.MemberID) []byte { return moveInfo(g.keys.Room, g.self, id) })
	body = appendEntries(body, entries)
	frame, err = g.sealer.Seal(TypeMove, append(body, g.id.sign("move", g.keys.Room[:], g.self[:], body)...))
	return frame, root, err
}

// Follow enters the room of another root as the same member, after a move. Who was known here is held to the same
// identity key there. The old room's Group stays open; the caller closes it.
func (g *Group) Follow(root Root) (*Group, error) {
	_, err := g.lock()
	defer g.mu.Unlock()
	if err != nil {
		return nil, err
	}
	id := g.id
	next, err := NewGroup(Config{Root: root, Identity: &id, Alias: g.alias, Now: g.now, Rand: g.rand})
	if err != nil {
		return nil, err
	}
	// What others there seal to us before we come is sealed to the key that they know.
	next.hpke.erase()
	next.hpke, next.since, next.sent = g.hpke.clone(), g.since, g.sent
	for id, p := range g.peers {
		next.peers[id] = &peer{card: p.card, known: p.known && !p.waiting, gone: p.gone, waiting: p.waiting}
	}
	next.roomLock = roomLock{on: g.roomLock.on, turn: g.roomLock.turn, admitted: slices.Clone(g.roomLock.admitted)}
	return next, nil
}
