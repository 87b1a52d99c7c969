package e2ee

import (
	"encoding/json"
	"errors"
	"slices"
	"testing"
)

// locked is a room whose first member has locked it, which all others have read.
func locked(t *testing.T, names ...string) *room {
	r := newRoom(t, names...)
	r.tells(names[0], must(r.member[names[0]].Lock(true)), names[1:]...)
	return r
}

// tells seals content of a member and has others read it.
func (r *room) tells(from string, content []byte, to ...string) (frames [][]byte) {
	r.t.Helper()
	frames = must(r.member[from].Seal(content))
	for _, name := range to {
		r.sees(name, from, "content: "+string(must(r.member[from].wholeLocked(content))), frames...)
	}
	return frames
}

func waitingAt(g *Group) (names []string) {
	for _, m := range g.Members() {
		if m.Waiting {
			names = append(names, m.Alias)
		}
	}
	slices.Sort(names)
	return names
}

// Attack: Eve has the link of a locked room, so she opens the outer layer of everything. The relay hands her all frames, shows her card again,
// lets her come back, and passes on her requests for keys.
func TestLockedOutReadsNothing(t *testing.T) {
	r := locked(t, "alice", "bob")
	eve := r.join("eve")
	var frames [][]byte
	for _, name := range []string{"alice", "bob"} {
		g := r.member[name]
		g.Resend(eve.Self())
		g.Left(eve.Self())
		g.Learn(eve.Self(), must(eve.Card()))
		g.Returned(eve.Self())
		frames = append(frames, r.send(name, "between us")...)
		if keys := must(g.SealKeysIfNeeded()); keys != nil {
			frames = append(frames, keys)
		}
		frames = append(frames, must2(g.Remove(eve.Self())))
	}
	for _, from := range []string{"alice", "bob"} {
		for i, f := range frames {
			if o, _ := eve.Open(idOf(from), f); o.Content != nil || o.ForYou || (o.Move != nil && o.Move.Root != nil) {
				t.Errorf("eve opened frame %d of %s: %+v", i, from, o)
			}
		}
	}
}

// Attack: Eve and Mal wait. They say what members say, in their own names: open the room, let each other in, move it, claim that others wait.
func TestStrangerCannotUnlock(t *testing.T) {
	r := locked(t, "alice", "bob")
	eve, mal := r.join("eve"), r.join("mal")
	words := [][]byte{must(eve.Lock(false)), []byte(`{"k":"lock","on":false,"turn":4000000000}`)}
	words = append(words, must(eve.Admit(mal.Self()))...)
	words = append(words, must(mal.Admit(eve.Self()))...)
	for _, w := range words {
		r.sees("bob", "eve", "waiting", must(eve.Seal(w))...)
		r.sees("bob", "mal", "waiting", must(mal.Seal(w))...)
	}
	r.sees("bob", "eve", "waiting", must2(eve.Remove(idOf("bob"))))
	r.sees("bob", "eve", "waiting", must(eve.TellWaiting(idOf("bob"))))
	bob := r.member["bob"]
	if got := waitingAt(bob); !bob.Locked() || bob.Waits() || !slices.Equal(got, []string{"eve", "mal"}) {
		t.Errorf("locked %v, waits %v, waiting %q", bob.Locked(), bob.Waits(), got)
	}
	r.sees("bob", "eve", "held", r.send("eve", "hello?")...)
}

// Attack: the relay has recorded that Eve was let in and that the room was opened, and plays it again once the room is locked again.
func TestRelayReplaysWords(t *testing.T) {
	r := locked(t, "alice", "bob")
	eve := r.join("eve")
	alice, bob := r.member["alice"], r.member["bob"]
	told := must(alice.TellWaiting(eve.Self()))
	r.sees("eve", "alice", "waiting", told)
	if !eve.Waits() {
		t.Error("eve does not know that she waits")
	}
	var words [][]byte
	for _, w := range must(alice.Admit(eve.Self())) {
		words = append(words, r.tells("alice", w, "bob", "eve")...)
	}
	words = append(words, r.tells("alice", must(alice.Lock(false)), "bob", "eve")...)
	words = append(words, r.tells("alice", must(alice.Lock(true)), "bob", "eve")...)
	r.join("mal")
	for _, w := range words {
		if got := deliver(bob, idOf("alice"), w); got != "repeat" && got != "keys" { // keys of others alone say nothing to Bob
			t.Errorf("bob opens what was played again: %s", got)
		}
	}
	r.sees("eve", "alice", "waiting", told)
	if got := waitingAt(bob); !bob.Locked() || eve.Waits() || !slices.Equal(got, []string{"mal"}) {
		t.Errorf("locked %v, eve waits %v, waiting %q", bob.Locked(), eve.Waits(), got)
	}
}

// That somebody waits is of no account once the room was opened, whatever comes late: who was told so waited for ever.
func TestToldToWaitTooLate(t *testing.T) {
	r := locked(t, "alice", "bob")
	eve := r.join("eve")
	alice, bob := r.member["alice"], r.member["bob"]
	told := must(alice.TellWaiting(eve.Self()))
	for _, on := range []bool{false, true} {
		r.tells("bob", must(bob.Lock(on)), "alice", "eve")
		r.sees("eve", "alice", "waiting", told)
		if eve.Waits() || eve.Locked() != on {
			t.Errorf("locked %v: eve waits %v, and knows %v", on, eve.Waits(), eve.Locked())
		}
	}
	r.sees("eve", "alice", "waiting", must(alice.TellWaiting(eve.Self())))
	if !eve.Waits() {
		t.Error("eve does not know that she waits")
	}
}

// Attack: the relay sees Eve's member secret at join. It joins under her id with a key of its own, where Bob has not met her yet.
func TestAdmissionIsOfAKey(t *testing.T) {
	r := locked(t, "alice", "bob")
	eve := r.enter("eve")
	alice, bob := r.member["alice"], r.member["bob"]
	alice.Learn(eve.Self(), must(eve.Card()))
	for _, w := range must(alice.Admit(eve.Self())) {
		r.tells("alice", w, "bob")
	}
	id := testIdentity("eve")
	id.Seed = fixed("the relay's")
	if s := bob.Learn(eve.Self(), must(r.enterAs("eve", id).Card())); s != StatusNew || !bob.Members()[1].Waiting && !bob.Members()[0].Waiting {
		t.Errorf("%v, %+v; want a new member who waits", s, bob.Members())
	}
	bob.Learn(eve.Self(), must(eve.Card()))
	if err := bob.Accept(eve.Self()); err != nil || len(waitingAt(bob)) != 0 {
		t.Errorf("%v; the real one waits: %q", err, waitingAt(bob))
	}
}

// Attack: the relay holds words back and delivers them in another order, to open a room that was locked again or to have members disagree.
func TestWordsInAnyOrder(t *testing.T) {
	r := newRoom(t, "alice", "bob", "carol", "dave")
	alice, bob := r.member["alice"], r.member["bob"]
	on := must(alice.Seal(must(alice.Lock(true))))
	off := must(alice.Seal(must(alice.Lock(false))))
	again := must(alice.Seal(must(alice.Lock(true))))
	deliver(r.member["carol"], idOf("alice"), slices.Concat(on, off, again)...)
	deliver(r.member["dave"], idOf("alice"), slices.Concat(on, again, off)...)
	deliver(bob, idOf("alice"), slices.Concat(on, off, again)...)
	// Of two at once, one that locks and one that opens, the lock counts.
	open, shut := must(alice.Seal(must(alice.Lock(false)))), must(bob.Seal(must(bob.Lock(true))))
	deliver(r.member["carol"], idOf("alice"), open...)
	deliver(r.member["carol"], idOf("bob"), shut...)
	deliver(r.member["dave"], idOf("bob"), shut...)
	deliver(r.member["dave"], idOf("alice"), open...)
	for _, name := range []string{"carol", "dave"} {
		if !r.member[name].Locked() {
			t.Errorf("%s thinks that the room is open", name)
		}
	}
}

// TestLockOutlivesStateAndMove: what is saved, and the room that a move leads to, are locked as before, and who was known is no stranger.
func TestLockOutlivesStateAndMove(t *testing.T) {
	r := locked(t, "alice", "bob")
	eve := r.join("eve")
	bob, err := Import(must(r.member["bob"].Export()), Config{Now: r.clock.now})
	if err != nil {
		t.Fatal(err)
	}
	bob.Learn(eve.Self(), must(eve.Card()))
	bob.Learn(idOf("alice"), must(r.member["alice"].Card()))
	mal := r.enter("mal")
	bob.Learn(mal.Self(), must(mal.Card()))
	if got := waitingAt(bob); !bob.Locked() || !slices.Equal(got, []string{"eve", "mal"}) {
		t.Errorf("locked %v, waiting %q", bob.Locked(), got)
	}
	next := must(bob.Follow(Root(fixed("new"))))
	there := &room{t: t, root: next.Root(), clock: r.clock, member: map[string]*Group{}}
	for _, name := range []string{"alice", "eve", "dave"} {
		next.Learn(idOf(name), must(there.enter(name).Card()))
	}
	if got := waitingAt(next); !slices.Equal(got, []string{"dave", "eve"}) {
		t.Errorf("in the new room %q wait", got)
	}
}

func TestWordsThatMakeNoSense(t *testing.T) {
	r := newRoom(t, "alice", "bob")
	key := must(identityKey(r.member["alice"].id.Public()).MarshalText())
	for _, w := range []string{
		`{"k":"lock"}`, `{"k":"lock","on":1,"turn":1}`, `{"k":"lock","on":true,"turn":0}`, `{"k":"lock","on":true,"turn":4294967296}`,
		`{"k":"lock","on":true,"turn":1.5}`, `{"k":"admit"}`, `{"k":"admit","id":"` + idOf("alice").String() + `"}`,
		`{"k":"admit","id":"alice","key":"` + string(key) + `"}`, `{"k":"admit","id":"` + idOf("alice").String() + `","key":"` + string(key[1:]) + `"}`,
	} {
		for _, f := range must(r.member["alice"].Seal(json.RawMessage(w))) {
			if o, err := r.member["bob"].Open(idOf("alice"), f); o.Kind != KindKeys && !errors.Is(err, ErrDamaged) {
				t.Errorf("%s: %v, %v", w, o.Kind, err)
			}
		}
	}
	if r.member["bob"].Locked() {
		t.Error("locked")
	}
}
