package e2ee

import (
	"errors"
	"slices"
	"testing"
	"time"

	"snug/wire"
)

// Attack: Carol was removed from the room (she left, or was let go). She kept every key she had, the room's link, and she still
// sees every frame, since the relay is on her side.
func TestRemovedMemberCannotReadOn(t *testing.T) {
	r := newRoom(t, "alice", "bob", "carol")
	first := r.send("alice", "for all")
	r.sees("bob", "alice", content("for all"), first...)
	r.sees("carol", "alice", content("for all"), first...)
	carol := r.leave("carol")

	frames := r.send("alice", "about carol")
	r.sees("bob", "alice", content("about carol"), frames...)
	for i, f := range frames {
		if o, err := carol.Open(idOf("alice"), f); err == nil && (o.Content != nil || o.ForYou) {
			t.Errorf("carol opened frame %d: %+v", i, o)
		}
	}
	if got := deliver(carol, idOf("alice"), frames...); got != "before-you" {
		t.Errorf("carol sees %q, want before-you", got)
	}
}

// Attack: Alice removes Carol by a move. Carol has the old room's root and so opens the frame; she tries every entry with her key.
func TestRemovedMemberDoesNotLearnTheNewRoot(t *testing.T) {
	r := newRoom(t, "alice", "bob", "carol")
	frame, root, err := r.member["alice"].Remove(idOf("carol"))
	if err != nil {
		t.Fatal(err)
	}
	o, err := r.member["bob"].Open(idOf("alice"), frame)
	if err != nil || o.Kind != KindMove || o.Move.Root == nil || *o.Move.Root != root {
		t.Fatalf("bob: %+v, %v", o, err)
	}
	carol := r.member["carol"]
	o, err = carol.Open(idOf("alice"), frame)
	if err != nil || o.Move.Root != nil || o.Move.By != idOf("alice") || !slices.Contains(o.Move.Removed, idOf("carol")) {
		t.Errorf("carol: %+v, %v; want to be told by whom, without a root", o, err)
	}
	_, inner, _ := OpenFrame(carol.keys, frame)
	m := must(parseMove(inner))
	for _, e := range m.entries {
		for _, to := range []wire.MemberID{e.recipient, carol.self} {
			if _, err := openKey(carol.hpke.current().private, moveInfo(carol.keys.Room, idOf("alice"), to), e.sealed); !errors.Is(err, ErrDamaged) {
				t.Error("carol opened an entry")
			}
		}
	}
}

// Attack: Dave joins, and the relay hands him everything that was said before he came.
func TestJoinerCannotReadTheBeginning(t *testing.T) {
	r := newRoom(t, "alice", "bob")
	var old [][]byte
	for range 3 {
		old = append(old, r.send("alice", "before dave")...)
	}
	dave := r.join("dave")
	now := r.send("alice", "with dave")
	r.sees("dave", "alice", content("with dave"), now...)
	for i, f := range old {
		if o, _ := dave.Open(idOf("alice"), f); o.Content != nil || o.ForYou {
			t.Errorf("dave opened frame %d", i)
		}
	}
	r.sees("dave", "alice", "before-you", old[len(old)-1])
	r.sees("bob", "alice", content("with dave"), append(old, now...)...)
}

// Attack: Bob, a genuine member with all keys of the room and Alice's chain, writes a message, a card, a chain and a move
// as if from Alice, signing with the only identity key he has. The relay helps and names Alice as the poster.
func TestMemberCannotForgeAnother(t *testing.T) {
	r := newRoom(t, "alice", "bob", "carol")
	first := r.send("alice", "x")
	r.sees("bob", "alice", content("x"), first...)
	r.sees("carol", "alice", content("x"), first...)
	bob, alice, carol := r.member["bob"], idOf("alice"), r.member["carol"]
	room := bob.keys.Room

	chain := r.member["alice"].send // Bob holds the same chain as Alice's receivers do
	body := slices.Concat(u32(chain.e), u32(chain.n))
	ck := chain.ck
	body = append(body, newGCM(ratchet(&ck)).Seal(nil, make([]byte, 12), say("I quit"), messageAAD(room, alice, chain.e, chain.n))...)
	forge := func(what FrameType, label string, body []byte) []byte {
		return must(bob.sealer.Seal(what, append(slices.Clone(body), bob.id.sign(label, room[:], alice[:], body)...)))
	}
	r.sees("carol", "alice", "bad-signature", forge(TypeMessage, "message", body))

	entries := bob.entriesLocked([]wire.MemberID{carol.self}, fixed("bob's own chain"), func(to wire.MemberID) []byte { return keysInfo(room, alice, to, chain.e+1, 0) })
	r.sees("carol", "alice", "bad-signature", forge(TypeKeys, "keys", appendEntries(slices.Concat(u32(chain.e+1), u32(0)), entries)))
	entries = bob.entriesLocked([]wire.MemberID{carol.self}, fixed("bob's room"), func(to wire.MemberID) []byte { return moveInfo(room, alice, to) })
	r.sees("carol", "alice", "bad-signature", forge(TypeMove, "move", appendEntries([]byte{0}, entries)))

	id := bob.id
	c := must(SignCard(room, id, Card{Created: r.clock.now(), Rotation: 1<<32 - 1, HPKE: publicX25519(fixed("bob's key")), Alias: "alice"}))
	copy(c[1:17], alice[:]) // under Alice's id, signed by Bob over exactly that
	c = append(c[:len(c)-64], id.sign("card", room[:], c[:len(c)-64])...)
	if s := carol.Learn(alice, must(bob.sealer.Seal(TypeCard, c))); s != StatusChanged {
		t.Errorf("card under alice's id with bob's identity: %v, want changed", s)
	}
	r.sees("carol", "alice", content("z"), r.send("alice", "z")[0])
}

// Attack: a member replays another's signed parts under its own name, with its own signature around them.
func TestMemberCannotClaimAnothersMessage(t *testing.T) {
	r := newRoom(t, "alice", "bob", "carol")
	frames := r.send("alice", "mine")
	bob := r.member["bob"]
	_, inner, _ := OpenFrame(bob.keys, frames[1])
	m := must(parseMessage(inner))
	own := must(bob.sealer.Seal(TypeMessage, append(slices.Clone(m.body), bob.id.sign("message", bob.keys.Room[:], bob.self[:], m.body)...)))
	r.sees("carol", "alice", "keys", frames[0])
	r.sees("carol", "bob", "before-you", own)
}

// Attack: the relay, which has no key at all, changes, swaps, names wrongly, replays and reorders what it holds, and makes
// frames of its own.
func TestRelayCannotForge(t *testing.T) {
	r := newRoom(t, "alice", "bob")
	other := &room{t: t, root: Root(fixed("another room")), clock: r.clock, member: map[string]*Group{}}
	other.join("alice")
	other.join("bob")
	frames := r.send("alice", "one")
	theirs := other.send("alice", "elsewhere")

	made := slices.Concat([]byte{1, 3}, make([]byte, 24), make([]byte, 272)) // of the right shape and size
	r.sees("bob", "alice", "damaged", made)
	r.sees("bob", "alice", "damaged", theirs[0])                                     // from another room of the same two people
	r.sees("bob", "alice", "damaged", slices.Concat(frames[1][:26], theirs[1][26:])) // one header, another body
	r.sees("bob", "bob", "own", frames[1])                                           // reflected to its receiver as its own
	r.sees("alice", "alice", "own", frames[1])
	r.sees("bob", "alice", "before-you", frames[1]) // out of order: nothing is believed before its keys
	r.sees("bob", "alice", content("one"), frames...)
	r.sees("bob", "alice", "repeat", frames...)
	if got := r.member["bob"].Repeats(); got != 2 {
		t.Errorf("repeats: got %d, want 2 (the keys and the message)", got)
	}
	card := must(r.member["alice"].Card())
	for _, s := range []Status{
		r.member["bob"].Learn(idOf("carol"), card),                               // under another id
		r.member["bob"].Learn(idOf("alice"), must(other.member["alice"].Card())), // from another room
		r.member["bob"].Learn(idOf("alice"), frames[1]),                          // a message for a card
		r.member["bob"].Learn(idOf("bob"), card),                                 // under the reader's own id
	} {
		if s != StatusBad {
			t.Errorf("got %v, want bad", s)
		}
	}
}

// Attack: the relay keeps the oldest card of Alice and shows it again after she rotated, so that chains are sealed to a
// key it hopes to steal later.
func TestRelayCannotTurnACardBack(t *testing.T) {
	r := newRoom(t, "alice", "bob")
	old := must(r.member["alice"].Card())
	r.clock.pass(time.Hour)
	next := must(r.member["alice"].RotateIfDue())
	bob := r.member["bob"]
	if s := bob.Learn(idOf("alice"), next); s != StatusUpdated {
		t.Fatalf("got %v, want updated", s)
	}
	if s := bob.Learn(idOf("alice"), old); s != StatusSame {
		t.Errorf("old card: got %v, want same", s)
	}
	if got, want := bob.Members()[0].Rotation, r.member["alice"].hpke.current().rotation; got != want {
		t.Errorf("rotation %d, want %d", got, want)
	}
}

// Attack: the relay recorded Alice's frames and plays them again an hour later, when the skipped keys and the replaced
// chain are erased, hoping that bob no longer knows that he saw them.
func TestReplayAfterErasure(t *testing.T) {
	r := newRoom(t, "alice", "bob")
	frames := r.send("alice", "one")
	r.sees("bob", "alice", content("one"), frames...)
	r.clock.pass(time.Hour)
	next := r.send("alice", "two")
	r.sees("bob", "alice", content("two"), next...)
	r.clock.pass(61 * time.Minute)
	r.sees("bob", "alice", "repeat", frames[1])
	r.sees("bob", "alice", "repeat", frames[0]) // the chain is not taken up again either
	r.sees("bob", "alice", "repeat", frames[1])
}

// Attack: somebody who holds the room's link and is in league with the relay takes over the member id of Carol.
func TestChangedIdentityIsShown(t *testing.T) {
	r := newRoom(t, "alice", "carol")
	r.sees("carol", "alice", content("secret 1"), r.send("alice", "secret 1")...)
	id := testIdentity("carol")
	id.Seed = fixed("mallory")
	mallory := r.enterAs("carol", id)
	mallory.Learn(idOf("alice"), must(r.member["alice"].Card()))
	alice := r.member["alice"]
	code := alice.SafetyCode()
	if s := alice.Learn(idOf("carol"), must(mallory.Card())); s != StatusChanged {
		t.Fatalf("got %v, want changed", s)
	}
	if m := alice.Members()[0]; m.Changed == nil || m.Changed.Identity != mallory.id.Public() || m.Identity == m.Changed.Identity {
		t.Errorf("not shown as changed: %+v", m)
	}
	frames := r.send("alice", "secret 2")
	for name, g := range map[string]*Group{"mallory": mallory, "carol": r.member["carol"]} {
		if got := deliver(g, idOf("alice"), frames...); got != "before-you" {
			t.Errorf("%s sees %q, want before-you", name, got)
		}
	}
	said := must(mallory.Seal(say("it is me")))
	r.sees("alice", "carol", "changed", said...)
	mv, _, _ := mallory.Remove(idOf("alice"))
	r.sees("alice", "carol", "changed", mv)

	if err := alice.Accept(idOf("carol")); err != nil {
		t.Fatal(err)
	}
	r.sees("alice", "carol", content("it is me"), said...)
	if alice.SafetyCode() == code {
		t.Error("the safety code is the same for another identity")
	}
	if got := deliver(mallory, idOf("alice"), r.send("alice", "welcome")...); got != content("welcome") {
		t.Errorf("after accepting: %q", got)
	}
}

// Attack: the changed member goes and comes back, hoping that the pin went with it.
func TestPinOutlivesLeaving(t *testing.T) {
	r := newRoom(t, "alice", "carol")
	r.leave("carol")
	id := testIdentity("carol")
	id.Seed = fixed("mallory")
	alice := r.member["alice"]
	if s := alice.Learn(idOf("carol"), must(r.enterAs("carol", id).Card())); s != StatusChanged {
		t.Errorf("got %v, want changed", s)
	}
	next := must(alice.Follow(Root(fixed("new root"))))
	there := &room{t: t, root: next.Root(), clock: r.clock}
	if s := next.Learn(idOf("carol"), must(there.enterAs("carol", id).Card())); s != StatusChanged {
		t.Errorf("in the room moved to: got %v, want changed", s)
	}
	if s := next.Learn(idOf("carol"), must(there.enter("carol").Card())); s != StatusSame {
		t.Errorf("the genuine carol in the room moved to: got %v, want same", s)
	}
}

// Attack: the room moves, and the relay posts the move frame into another room of the same people.
func TestMoveBelongsToItsRoom(t *testing.T) {
	r := newRoom(t, "alice", "bob", "carol")
	other := &room{t: t, root: Root(fixed("another room")), clock: r.clock, member: map[string]*Group{}}
	for _, name := range []string{"alice", "bob", "carol"} {
		other.join(name)
	}
	frame, _, _ := r.member["alice"].Remove(idOf("carol"))
	other.sees("bob", "alice", "damaged", frame)

	// A member of both rooms takes the signed inner out and seals it for the other room.
	_, inner, _ := OpenFrame(r.member["carol"].keys, frame)
	other.sees("bob", "alice", "bad-signature", must(other.member["carol"].sealer.Seal(TypeMove, inner)))
}
