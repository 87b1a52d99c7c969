package e2ee

import (
	"encoding/json"
	"slices"
	"testing"
	"time"
)

func makeTranscripts(t *testing.T) []groupCase {
	return []groupCase{sceneTalk(t), sceneRotation(t), sceneForgery(t), sceneChanged(t), sceneMove(t), sceneLock(t)}
}

// sceneTalk: join, out of order, a repeat, a late joiner, a leaver, a message on its way across a new chain.
func sceneTalk(t *testing.T) groupCase {
	w := record(t, "join, talk, leave")
	w.joins("alice")
	w.joins("bob")
	w.joins("carol")
	w.safety()
	w.says("alice", "hello", "bob", "carol")
	w.says("bob", "hello yourself", "alice", "carol")
	m1, m2, m3 := w.r.send("alice", "one")[0], w.r.send("alice", "two")[0], w.r.send("alice", "three")[0]
	alice := idOf("alice")
	w.frame(alice, "overtakes two others", m3, "bob", "carol")
	w.frame(alice, "late", m1, "bob", "carol")
	w.frame(alice, "again", m3, "bob", "carol")
	w.r.clock.pass(time.Minute)
	w.joins("dave")
	w.frame(alice, "sent before dave came", m2, "bob", "dave")
	frames := w.says("alice", "welcome", "bob", "carol", "dave")
	w.frame(alice, "keys again", frames[0], "bob", "dave")
	w.frame(alice, "message again", frames[1], "bob", "dave")
	w.safety()
	under := w.r.send("alice", "under way while carol leaves")[0]
	carol := w.r.member["carol"]
	w.left("carol")
	w.r.member["carol"] = carol // still listens, with all she has
	w.says("alice", "carol must not read this", "bob", "carol", "dave")
	w.frame(alice, "of the chain before", under, "bob", "dave")
	w.r.clock.pass(time.Hour)
	w.frame(alice, "of the chain before, too late", m2, "carol", "dave")
	delete(w.r.member, "carol")
	w.safety()
	return w.c
}

// sceneRotation: HPKE keys change and the old ones die; a chain ends by age; a keys frame is lost and asked for.
func sceneRotation(t *testing.T) groupCase {
	w := record(t, "rotation")
	w.joins("alice")
	w.joins("bob")
	alice := idOf("alice")
	early := w.r.send("alice", "sealed to the first key")
	w.r.clock.pass(61 * time.Minute)
	w.cardFrame(idOf("bob"), "new HPKE key of bob", must(w.r.member["bob"].RotateIfDue()), "alice")
	w.frame(alice, "keys for the replaced key, in its grace", early[0], "bob")
	w.frame(alice, "message", early[1], "bob")
	later := w.says("alice", "sealed to the second key", "bob")
	w.r.clock.pass(16 * time.Minute)
	w.joins("carol")
	w.frame(alice, "keys seen before, whose key is erased", early[0], "bob")
	w.frame(alice, "keys seen before", later[0], "bob")
	lost := w.r.send("alice", "the keys for carol get lost")
	w.frame(alice, "message without its keys", lost[1], "bob", "carol")
	_ = w.r.member["alice"].Resend(idOf("carol"))
	w.says("alice", "carol asked for keys", "bob", "carol")
	return w.c
}

// sceneForgery: what a relay, or a member, makes up.
func sceneForgery(t *testing.T) groupCase {
	w := record(t, "forgery")
	w.joins("alice")
	w.joins("bob")
	w.joins("carol")
	alice, bob := idOf("alice"), idOf("bob")
	frames := w.says("alice", "genuine", "bob", "carol")
	next := w.r.send("alice", "next")[0]
	w.frame(bob, "message of alice, named as bob's", next, "carol")
	w.frame(bob, "keys of alice, named as bob's", frames[0], "carol")
	w.frame(idOf("nobody"), "from somebody without a card", next, "bob")
	for _, i := range []int{1, 2, 25, 26, len(next) - 1} {
		f := slices.Clone(next)
		f[i] ^= 1
		w.frame(alice, "one bit changed", f, "bob")
	}
	w.frame(alice, "truncated", next[:len(next)-1], "bob")
	w.frame(alice, "empty", nil, "bob")
	newer := slices.Clone(next)
	newer[0] = 2
	w.frame(alice, "another version", newer, "bob")
	w.frame(alice, "an unknown type", must(w.r.member["alice"].sealer.Seal(9, []byte("x"))), "bob")
	w.frame(alice, "intact after all", next, "bob", "carol")
	card := must(w.r.member["alice"].Card())
	w.cardFrame(bob, "card of alice, named as bob's", card, "carol")
	w.cardFrame(alice, "a message as a card", next, "carol")
	w.cardFrame(alice, "the same card", card, "bob", "carol")
	return w.c
}

// sceneChanged: another identity key shows up under a known member id.
func sceneChanged(t *testing.T) groupCase {
	w := record(t, "changed identity")
	w.joins("alice")
	w.joins("bob")
	w.joins("carol")
	w.says("carol", "I am carol", "alice", "bob")
	id := testIdentity("carol")
	id.Seed = fixed("another seed")
	carol := w.r.member["carol"]
	second := w.enter("carol2", id)
	w.card("carol2", "alice", "bob")
	for _, o := range []string{"alice", "bob"} {
		w.card(o, "carol2")
	}
	frames := w.says("carol2", "I am carol too", "alice")
	mv := must2(second.Remove(idOf("alice")))
	w.frame(second.Self(), "a move by the unaccepted identity", mv, "alice", "bob")
	mv = must2(carol.Remove(idOf("bob")))
	w.frame(second.Self(), "a move by the first identity, while changed", mv, "alice")
	w.says("alice", "nothing for either carol", "bob", "carol2")
	if err := w.r.member["alice"].Accept(second.Self()); err != nil {
		t.Fatal(err)
	}
	w.step(groupStep{Do: "accept", From: second.Self().String(), Sees: map[string]seeing{"alice": {Kind: "accept"}}})
	w.frame(second.Self(), "keys, now accepted", frames[0], "alice", "bob")
	w.frame(second.Self(), "message, now accepted", frames[1], "alice", "bob")
	w.card("carol", "alice")
	delete(w.r.member, "carol")
	return w.c
}

// sceneMove: carol is removed, and the room goes on elsewhere.
func sceneMove(t *testing.T) groupCase {
	w := record(t, "move")
	w.joins("alice")
	w.joins("bob")
	w.joins("carol")
	w.says("alice", "hello", "bob", "carol")
	w.frame(idOf("alice"), "carol is removed", must2(w.r.member["alice"].Remove(idOf("carol"))), "bob", "carol")
	w.frame(idOf("carol"), "carol removes alice and bob, which nobody has to follow", must2(w.r.member["carol"].Remove(idOf("alice"), idOf("bob"))), "alice", "bob")
	return w.c
}

// must2 is the frame of a move.
func must2(frame []byte, _ Root, err error) []byte { return must(frame, err) }

// sceneLock: the room is locked; who comes then waits, whatever a list said before, and neither locks nor lets in; one is let in and
// hears who else waits; old words that come late change nothing.
func sceneLock(t *testing.T) groupCase {
	w := record(t, "lock")
	w.joins("alice")
	w.joins("bob")
	alice, bob := w.r.member["alice"], w.r.member["bob"]
	w.says("alice", "before", "bob")
	w.says("bob", "before", "alice")

	// Eve is in a list that Bob has before he reads of the lock, and comes behind it in the log.
	eve := w.enter("eve", testIdentity("eve"))
	w.takes(groupStep{Do: "ahead", From: eve.Self().String(), Note: "eve, in a list ahead of the log", Data: must(eve.Card())}, "bob")
	locks := func(who string, on bool) [][]byte { return must(w.r.member[who].Seal(must(w.r.member[who].Lock(on)))) }
	first := locks("alice", true)
	w.hand("alice", "alice locks", first, "bob")
	w.card("eve", "alice", "bob")
	for _, name := range []string{"alice", "bob"} {
		w.card(name, "eve")
	}
	w.takes(groupStep{Do: "lock"}, "bob")
	w.takes(groupStep{Do: "safety"}, "bob")

	// She talks, and tries to open the room, to let herself in and to move everybody.
	w.says("eve", "let me in", "bob")
	w.hand("eve", "eve opens", must(eve.Seal(must(eve.Lock(false)))), "bob")
	self, key := eve.Self(), identityKey(eve.id.Public())
	w.hand("eve", "eve lets herself in", must(eve.Seal(must(json.Marshal(admitWord{K: "admit", ID: &self, Key: &key})))), "bob")
	w.frame(eve.Self(), "eve moves the room", must2(eve.Remove(bob.Self())), "bob")
	w.frame(eve.Self(), "eve says who waits", must(eve.TellWaiting(bob.Self())), "bob")
	w.frame(alice.Self(), "eve is told that she waits", must(alice.TellWaiting(eve.Self())), "bob", "eve")
	w.says("bob", "nothing for eve", "eve")
	w.takes(groupStep{Do: "lock"}, "bob", "eve")

	// Mallory waits, too. Alice lets Eve in, who hears that he does.
	w.enter("mallory", testIdentity("mallory"))
	w.card("mallory", "alice", "bob", "eve")
	admit := must(alice.Admit(eve.Self()))
	for i, note := range []string{"alice lets eve in", "the lock again, for eve"} {
		w.hand("alice", note, must(alice.Seal(admit[i])), "bob", "eve")
	}
	w.takes(groupStep{Do: "lock"}, "bob", "eve")
	w.says("eve", "thank you", "bob")
	w.says("bob", "welcome", "eve")

	// Opened and locked again; then the words in between come late, and the first once more.
	opened, again := locks("alice", false), locks("alice", true)
	w.hand("alice", "alice locks again", again, "bob")
	w.hand("alice", "she had opened before that", opened, "bob")
	w.hand("alice", "the first lock, again", first, "bob")
	w.takes(groupStep{Do: "lock"}, "bob")
	w.hand("alice", "words that make no sense", must(alice.Seal([]byte(`{"k":"lock","on":false}`))), "bob")
	w.hand("alice", "words that make no sense", must(alice.Seal([]byte(`{"k":"admit","id":"eve"}`))), "bob")
	w.hand("alice", "alice opens", locks("alice", false), "bob")
	w.takes(groupStep{Do: "lock"}, "bob")
	w.r.member["mallory"].Close()
	delete(w.r.member, "mallory")
	return w.c
}

// hand gives all frames of one member to others.
func (w *recorder) hand(who, note string, frames [][]byte, to ...string) {
	for _, f := range frames {
		w.frame(w.r.member[who].Self(), note, f, to...)
	}
}
