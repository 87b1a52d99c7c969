package client

import (
	"errors"
	"slices"
	"testing"

	"snug/client/e2ee"
	"snug/hub"
)

// TestLock: whoever comes after the lock waits and is told so, reads nothing and is held; let in, everything of it is read, and another stranger
// still waits; it stays so over a restart of the relay.
func TestLock(t *testing.T) {
	r := newRelay(t, hub.Limits{}, nil)
	root := newRoot(t)
	enter := func(alias string) *person { return r.join(Config{Root: root, Alias: alias}) }
	ann, ben := enter("Ann"), enter("Ben")
	ann.until("Ben", func(e Event) bool { return e.Kind == KindJoined })
	if _, err := ann.Lock(t.Context(), true); err != nil {
		t.Fatal(err)
	}
	if e := ben.untilKind(KindLocked); e.Alias != "Ann" || !ben.Locked() || !ann.Locked() {
		t.Errorf("%+v; locked for Ann %v, for Ben %v", e, ann.Locked(), ben.Locked())
	}
	eve := enter("Eve")
	eve.untilKind(KindWaiting)
	eve.say("hello")
	held := func(e Event) bool { return errors.Is(e.Err, e2ee.ErrWaiting) }
	ann.until("what Eve says, held", held)
	ben.until("what Eve says, held", held)
	ben.say("between")
	ann.untilText("between")
	mal := enter("Mal")
	mal.untilKind(KindWaiting)

	r.kill()
	r.start()
	ann.say("again")
	ben.untilText("again")
	waiting := func(p *person) (names []string) {
		for _, m := range p.Members() {
			if m.Waiting {
				names = append(names, m.Alias)
			}
		}
		slices.Sort(names)
		return names
	}
	if got := waiting(ben); !slices.Equal(got, []string{"Eve", "Mal"}) || len(eve.texts()) != 0 {
		t.Errorf("%q wait, Eve reads %q", got, eve.texts())
	}

	if _, err := ben.Admit(t.Context(), eve.Self()); err != nil {
		t.Fatal(err)
	}
	ben.untilText("hello")
	ann.untilText("hello")
	if e := eve.untilKind(KindAdmitted); e.Alias != "Ben" || !slices.Contains(e.Members, eve.Self()) {
		t.Errorf("%+v", e)
	}
	eve.untilKind(KindLocked)
	ann.say("welcome")
	eve.untilText("welcome")
	eve.say("thanks")
	ben.untilText("thanks")
	if got := waiting(eve); !slices.Equal(got, []string{"Mal"}) || len(mal.texts()) != 0 || eve.Waits() {
		t.Errorf("for Eve %q wait, Mal reads %q", got, mal.texts())
	}
	if _, err := ann.Lock(t.Context(), false); err != nil {
		t.Fatal(err)
	}
	mal.untilKind(KindOpened)
	ben.untilKind(KindOpened)
	ben.say("all")
	mal.untilText("all")
}

// TestLockAfterAKnock: who lets somebody in by a knock is gone when that one comes; the first of the others says that the room is locked.
func TestLockAfterAKnock(t *testing.T) {
	r := newRelay(t, hub.Limits{}, nil)
	root := newRoot(t)
	enter := func(alias string) *person { return r.join(Config{Root: root, Alias: alias}) }
	ann, ben := enter("Ann"), enter("Ben")
	ann.until("Ben", func(e Event) bool { return e.Kind == KindJoined })
	if _, err := ann.Lock(t.Context(), true); err != nil {
		t.Fatal(err)
	}
	ben.untilKind(KindLocked)
	own, err := e2ee.NewIdentity(nil)
	if err != nil {
		t.Fatal(err)
	}
	word, err := ann.current().group.Expect(e2ee.Arrival{Member: own.Member(), Identity: own.Public()})
	if err != nil {
		t.Fatal(err)
	}
	ann.raw(string(word))
	ann.say("bye")
	ben.untilText("bye")
	if err := ann.Leave(t.Context()); err != nil {
		t.Fatal(err)
	}
	ben.untilKind(KindLeft)
	dan := r.join(Config{Root: root, Alias: "Dan", Identity: &own})
	if e := dan.untilKind(KindLocked); e.Alias != "Ben" || dan.Waits() {
		t.Errorf("%+v, waits %v", e, dan.Waits())
	}
}
