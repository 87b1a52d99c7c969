package e2ee

import (
	"fmt"
	"slices"

	"snug/wire"
)

// message is the inner of a message frame.
type message struct {
	e, n       uint32
	ciphertext []byte
	body, sig  []byte
}

func parseMessage(b []byte) (message, error) {
	body, sig, ok := cutSig(b)
	r := reader{b: body}
	m := message{e: r.u32(), n: r.u32(), ciphertext: r.b, body: body, sig: sig}
	if !ok || r.bad || len(m.ciphertext) < tagSize {
		return message{}, fmt.Errorf("message: %w", ErrDamaged)
	}
	return m, nil
}

// messageAAD is room ‖ member ‖ e ‖ n.
func messageAAD(room wire.RoomID, member wire.MemberID, e, n uint32) []byte {
	return slices.Concat(room[:], member[:], u32(e), u32(n))
}

// sealMessage seals content under mk and signs it.
func sealMessage(id *Identity, room wire.RoomID, e, n uint32, mk [32]byte, content []byte) []byte {
	member := id.Member()
	ct := newGCM(mk).Seal(nil, make([]byte, 12), content, messageAAD(room, member, e, n))
	body := slices.Concat(u32(e), u32(n), ct)
	return append(body, id.sign("message", room[:], member[:], body)...)
}

// entry is a key sealed to one recipient, in a keys frame or a move.
type entry struct {
	recipient wire.MemberID
	rotation  uint32
	sealed    []byte
}

func (r *reader) entries() []entry {
	out := make([]entry, r.u16())
	for i := range out {
		out[i] = entry{wire.MemberID(r.take(16)), r.u32(), r.take(sealedKey)}
		if r.bad {
			return nil
		}
	}
	return out
}

func appendEntries(b []byte, entries []entry) []byte {
	b = append(b, u16(len(entries))...)
	for _, e := range entries {
		b = slices.Concat(b, e.recipient[:], u32(e.rotation), e.sealed)
	}
	return b
}

// keys is the inner of a keys frame.
type keys struct {
	e, n      uint32
	entries   []entry
	body, sig []byte
}

func parseKeys(b []byte) (keys, error) {
	body, sig, ok := cutSig(b)
	r := reader{b: body}
	k := keys{e: r.u32(), n: r.u32(), entries: r.entries(), body: body, sig: sig}
	if !ok || !r.end() {
		return keys{}, fmt.Errorf("keys: %w", ErrDamaged)
	}
	return k, nil
}

func keysInfo(room wire.RoomID, sender, recipient wire.MemberID, e, n uint32) []byte {
	return slices.Concat([]byte(label+"sender key"), room[:], sender[:], recipient[:], u32(e), u32(n))
}

// move is the inner of a move frame.
type move struct {
	removed   []wire.MemberID
	entries   []entry
	body, sig []byte
}

func parseMove(b []byte) (move, error) {
	body, sig, ok := cutSig(b)
	r := reader{b: body}
	m := move{removed: make([]wire.MemberID, r.u8()), body: body, sig: sig}
	for i := range m.removed {
		m.removed[i] = wire.MemberID(r.take(16))
	}
	m.entries = r.entries()
	if !ok || !r.end() {
		return move{}, fmt.Errorf("move: %w", ErrDamaged)
	}
	return m, nil
}

func moveInfo(room wire.RoomID, sender, recipient wire.MemberID) []byte {
	return slices.Concat([]byte(label+"move"), room[:], sender[:], recipient[:])
}
