package e2ee

import (
	"slices"
	"testing"

	"snug/wire"
)

type (
	ratchetCase struct {
		CK    hx        `json:"ck"`
		Steps []mkAndCK `json:"steps"`
	}
	mkAndCK struct {
		MK hx `json:"mk"`
		CK hx `json:"ck"`
	}
	messageCase struct {
		Room    hx     `json:"room"`
		Secret  hx     `json:"secret"`
		Seed    hx     `json:"seed"`
		E       uint32 `json:"e"`
		N       uint32 `json:"n"`
		CK      hx     `json:"ck"` // CK_n
		Content string `json:"content"`
		Message hx     `json:"message"`
	}
	sealedToCase struct {
		Member   hx     `json:"member"`
		Rotation uint32 `json:"rotation"`
		Private  hx     `json:"private"`
	}
	keysFrameCase struct {
		Room       hx             `json:"room"`
		Sender     hx             `json:"sender"`
		Ed25519    hx             `json:"ed25519"`
		E          uint32         `json:"e"`
		N          uint32         `json:"n"`
		CK         hx             `json:"ck"`
		Recipients []sealedToCase `json:"recipients"`
		Keys       hx             `json:"keys"`
	}
	moveFrameCase struct {
		Room       hx             `json:"room"`
		Sender     hx             `json:"sender"`
		Ed25519    hx             `json:"ed25519"`
		Removed    []hx           `json:"removed"`
		Root       hx             `json:"root"`
		Recipients []sealedToCase `json:"recipients"`
		Move       hx             `json:"move"`
	}
	receiveCase struct {
		Name  string        `json:"name"`
		AAD   string        `json:"aad"`
		Steps []receiveStep `json:"steps"`
	}
	receiveStep struct {
		At         int64  `json:"at"`
		Do         string `json:"do"` // start, message, end, goOn
		E          uint32 `json:"e"`
		N          uint32 `json:"n"`
		CK         hx     `json:"ck,omitempty"`
		Ciphertext hx     `json:"ciphertext,omitempty"`
		Want       string `json:"want,omitempty"` // start: taken or ignored; message: its content, or why not
	}
)

func chainVectors() map[string]vector {
	return map[string]vector{
		"ratchet": casesOf(makeRatchet, checkRatchet),
		"message": casesOf(makeMessages, checkMessage),
		"keys":    casesOf(makeKeysFrames, checkKeysFrame),
		"move":    casesOf(makeMoveFrames, checkMoveFrame),
		"receive": casesOf(makeReceive, checkReceive),
	}
}

func makeRatchet(*testing.T) (out []ratchetCase) {
	for _, ck := range [][32]byte{{}, fixed("chain")} {
		c := ratchetCase{CK: slices.Clone(ck[:])}
		for range 3 {
			mk := ratchet(&ck)
			c.Steps = append(c.Steps, mkAndCK{mk[:], slices.Clone(ck[:])})
		}
		out = append(out, c)
	}
	return out
}

func checkRatchet(t *testing.T, c ratchetCase) {
	ck := [32]byte(c.CK)
	for _, s := range c.Steps {
		mk := ratchet(&ck)
		same(t, "mk", mk[:], s.MK)
		same(t, "ck", ck[:], s.CK)
	}
}

func makeMessages(*testing.T) (out []messageCase) {
	id, room, ck := testIdentity("alice"), Root(fixed("root")).Keys().Room, fixed("chain")
	for i, content := range []string{string(say("hello")), string(say("👋 ОДОС")), `{"k":"typing"}`} {
		c := messageCase{Room: room[:], Secret: id.Secret[:], Seed: id.Seed[:], E: 1_800_000_000 + uint32(i), N: uint32(i * 70), CK: slices.Clone(ck[:]), Content: content}
		next := ck
		c.Message = sealMessage(&id, room, c.E, c.N, ratchet(&next), []byte(content))
		out = append(out, c)
	}
	return out
}

func checkMessage(t *testing.T, c messageCase) {
	id, room, ck := Identity{wire.MemberSecret(c.Secret), [32]byte(c.Seed)}, wire.RoomID(c.Room), [32]byte(c.CK)
	mk := ratchet(&ck)
	same(t, "message", sealMessage(&id, room, c.E, c.N, mk, []byte(c.Content)), c.Message)
	m, err := parseMessage(c.Message)
	if err != nil || m.e != c.E || m.n != c.N {
		t.Fatalf("message: %v", err)
	}
	member := id.Member()
	if !verify(id.Public(), "message", m.sig, room[:], member[:], m.body) {
		t.Error("signature does not hold")
	}
	content, err := openWith(mk, m, messageAAD(room, member, m.e, m.n))
	if err != nil {
		t.Fatal(err)
	}
	same(t, "content", content, []byte(c.Content))
}

// sealAll seals secret to three members, who can open it again.
func sealAll(secret [32]byte, info func(wire.MemberID) []byte) (entries []entry, to []sealedToCase) {
	for i, name := range []string{"bob", "carol", "dave"} {
		member, private := idOf(name), fixed(name+" hpke")
		entries = append(entries, entry{member, uint32(7 + i), must(sealTo(publicX25519(private), info(member), secret[:]))})
		to = append(to, sealedToCase{member[:], uint32(7 + i), private[:]})
	}
	return entries, to
}

func makeKeysFrames(*testing.T) (out []keysFrameCase) {
	id, room, ck := testIdentity("alice"), Root(fixed("root")).Keys().Room, fixed("chain")
	self, public := id.Member(), id.Public()
	for _, e := range []uint32{0, 1_800_000_000} {
		c := keysFrameCase{Room: room[:], Sender: self[:], Ed25519: public[:], E: e, N: 42, CK: ck[:]}
		var entries []entry
		entries, c.Recipients = sealAll(ck, func(to wire.MemberID) []byte { return keysInfo(room, self, to, c.E, c.N) })
		body := appendEntries(slices.Concat(u32(c.E), u32(c.N)), entries)
		c.Keys = append(body, id.sign("keys", room[:], self[:], body)...)
		out = append(out, c)
	}
	return out
}

func checkKeysFrame(t *testing.T, c keysFrameCase) {
	room, sender := wire.RoomID(c.Room), wire.MemberID(c.Sender)
	k, err := parseKeys(c.Keys)
	if err != nil || k.e != c.E || k.n != c.N || !verify([32]byte(c.Ed25519), "keys", k.sig, room[:], sender[:], k.body) {
		t.Fatalf("keys: %v", err)
	}
	checkEntries(t, k.entries, c.Recipients, c.CK, func(to wire.MemberID) []byte { return keysInfo(room, sender, to, c.E, c.N) })
}

func checkEntries(t *testing.T, entries []entry, to []sealedToCase, secret []byte, info func(wire.MemberID) []byte) {
	t.Helper()
	if len(entries) != len(to) {
		t.Fatalf("%d entries, want %d", len(entries), len(to))
	}
	for i, r := range to {
		same(t, "recipient", entries[i].recipient[:], r.Member)
		got, err := openKey([32]byte(r.Private), info(wire.MemberID(r.Member)), entries[i].sealed)
		if err != nil || entries[i].rotation != r.Rotation {
			t.Errorf("entry %d: %v", i, err)
		}
		same(t, "secret", got[:], secret)
	}
}

func makeMoveFrames(*testing.T) (out []moveFrameCase) {
	id, room, root := testIdentity("alice"), Root(fixed("root")).Keys().Room, fixed("another root")
	self, public := id.Member(), id.Public()
	c := moveFrameCase{Room: room[:], Sender: self[:], Ed25519: public[:], Root: root[:]}
	body := []byte{2}
	for _, name := range []string{"mallory", "eve"} {
		gone := idOf(name)
		c.Removed = append(c.Removed, gone[:])
		body = append(body, gone[:]...)
	}
	var entries []entry
	entries, c.Recipients = sealAll(root, func(to wire.MemberID) []byte { return moveInfo(room, self, to) })
	body = appendEntries(body, entries)
	c.Move = append(body, id.sign("move", room[:], self[:], body)...)
	return append(out, c)
}

func checkMoveFrame(t *testing.T, c moveFrameCase) {
	room, sender := wire.RoomID(c.Room), wire.MemberID(c.Sender)
	m, err := parseMove(c.Move)
	if err != nil || len(m.removed) != len(c.Removed) || !verify([32]byte(c.Ed25519), "move", m.sig, room[:], sender[:], m.body) {
		t.Fatalf("move: %v", err)
	}
	for i, id := range c.Removed {
		same(t, "removed", m.removed[i][:], id)
	}
	checkEntries(t, m.entries, c.Recipients, c.Root, func(to wire.MemberID) []byte { return moveInfo(room, sender, to) })
}
