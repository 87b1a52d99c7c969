package e2ee

import (
	"errors"
	"slices"
	"testing"

	"snug/wire"
)

// Attack: a machine between the stranger and the member runs a knock with each of them. Both people see a code, and
// compare. It also tries to find a key that gives the same digits, which the commitment prevents.
func TestKnockInTheMiddle(t *testing.T) {
	r := newRoom(t, "alice")
	alice := r.member["alice"]
	room := alice.keys.Room
	stranger, commit, _ := NewKnocker(room, seeded("stranger"))
	middle, middleCommit, _ := NewKnocker(room, seeded("middle"))
	host, answer, _ := alice.AnswerKnock(middleCommit)
	reveal, err := middle.Reveal(answer)
	if err != nil {
		t.Fatal(err)
	}
	if err := host.Check(reveal); err != nil {
		t.Fatal(err)
	}
	fake := must(NewGroup(Config{Root: alice.Root(), Alias: "fake", Rand: seeded("fake")}))
	_, fakeAnswer, _ := fake.AnswerKnock(commit)
	if _, err := stranger.Reveal(fakeAnswer); err != nil {
		t.Fatal(err)
	}
	if stranger.Code() == host.Code() {
		t.Error("both people see the same code through a machine in the middle")
	}

	// It relays the genuine notes, but reveals a key of its own instead of the one committed to.
	host, _, _ = alice.AnswerKnock(commit)
	own := publicX25519(fixed("middle's key"))
	if err := host.Check(slices.Concat(own[:], make([]byte, 32))); !errors.Is(err, ErrDamaged) {
		t.Errorf("a reveal that was not committed to: %v", err)
	}
	if _, err := host.Approve(); !errors.Is(err, ErrClosed) {
		t.Errorf("approve after a failed check: %v", err)
	}
}

// Attack: the machine in the middle carries the genuine notes, but says that the stranger comes as somebody else, who waits at a locked room already.
func TestKnockOtherArrival(t *testing.T) {
	r := newRoom(t, "alice")
	alice := r.member["alice"]
	stranger := Arrival{Member: wire.MemberID{1}, Identity: fixed("stranger")}
	for name, change := range map[string]func([]byte) []byte{
		"nothing":      func(b []byte) []byte { return b },
		"member":       func(b []byte) []byte { b[0] ^= 1; return b },
		"identity":     func(b []byte) []byte { b[16] ^= 1; return b },
		"salt":         func(b []byte) []byte { b[79] ^= 1; return b },
		"cut short":    func(b []byte) []byte { return b[:79] },
		"longer":       func(b []byte) []byte { return append(b, 0) },
		"nothing said": func([]byte) []byte { return nil },
	} {
		k, commit, err := NewKnockerAs(alice.keys.Room, stranger, nil)
		if err != nil {
			t.Fatal(err)
		}
		h, answer, err := alice.AnswerKnock(commit)
		if err != nil {
			t.Fatal(err)
		}
		if err := h.Check(must(k.Reveal(answer))); err != nil || h.Code() != k.Code() {
			t.Fatalf("codes %q and %q, %v", h.Code(), k.Code(), err)
		}
		got, err := h.Arrival(change(k.Arrival()))
		if name == "nothing" {
			if err != nil || got != stranger {
				t.Errorf("genuine: %v, %v", got, err)
			}
			continue
		}
		if !errors.Is(err, ErrDamaged) {
			t.Errorf("%s: got %v", name, err)
		}
		if _, err := h.Approve(); !errors.Is(err, ErrClosed) {
			t.Errorf("%s: approve after that: %v", name, err)
		}
	}
}

// TestExpected: whoever is let in before it comes is a member when it comes, under that key and no other, for whoever has read so.
func TestExpected(t *testing.T) {
	r := newRoom(t, "alice", "bob")
	alice, bob := r.member["alice"], r.member["bob"]
	open := func(to, from *Group, content []byte) Opened {
		t.Helper()
		var last Opened
		for _, f := range must(from.Seal(content)) {
			last = must(to.Open(from.Self(), f))
		}
		return last
	}
	open(bob, alice, must(alice.Lock(true)))
	carol, mal := must(NewGroup(Config{Root: alice.Root(), Alias: "carol"})), must(NewGroup(Config{Root: alice.Root(), Alias: "mal"}))
	if news := open(bob, alice, must(alice.Expect(Arrival{carol.Self(), carol.Identity().Public()}))).News; news {
		t.Error("somebody waited who has not come")
	}
	for _, inside := range []*Group{alice, bob} {
		for _, outside := range []*Group{carol, mal} {
			inside.Learn(outside.Self(), must(outside.Card()))
			outside.Learn(inside.Self(), must(inside.Card()))
		}
		for _, m := range inside.Members() {
			if want := m.ID == mal.Self(); m.Waiting != want {
				t.Errorf("%s waits: %v, want %v", m.Alias, m.Waiting, want)
			}
		}
	}
	if open(carol, alice, must(alice.LockWord())); !carol.Locked() || carol.Waits() {
		t.Errorf("carol knows a locked room: %v, and waits: %v", carol.Locked(), carol.Waits())
	}
}

// Attack: the codes are the same, but then another member, or the machine in the middle, sends a root of its own.
func TestKnockSubstitutedRoot(t *testing.T) {
	r := newRoom(t, "alice", "bob")
	run := func(t *testing.T) (*Knocker, *KnockHost) {
		k, commit, _ := NewKnocker(r.root.Keys().Room, nil)
		h, answer, err := r.member["alice"].AnswerKnock(commit)
		if err != nil {
			t.Fatal(err)
		}
		if err := h.Check(must(k.Reveal(answer))); err != nil || h.Code() != k.Code() || len(k.Code()) != 6 {
			t.Fatalf("codes %q and %q, %v", h.Code(), k.Code(), err)
		}
		return k, h
	}
	k, h := run(t)
	if root, err := k.Open(must(h.Approve())); err != nil || root != r.root {
		t.Fatalf("an honest knock: %v", err)
	}
	if _, err := k.Open(nil); !errors.Is(err, ErrClosed) || k.private != [32]byte{} {
		t.Errorf("keys outlive the knock: %v", err)
	}
	if _, err := h.Approve(); !errors.Is(err, ErrClosed) || h.root != (Root{}) {
		t.Errorf("approve twice: %v", err)
	}
	k, h = run(t)
	h.root = Root(fixed("root of the attacker"))
	if _, err := k.Open(must(h.Approve())); !errors.Is(err, ErrDamaged) {
		t.Errorf("root of another room: got %v, want %v", err, ErrDamaged)
	}
	k, h = run(t)
	h.id = testIdentity("bob")
	if _, err := k.Open(must(h.Approve())); !errors.Is(err, ErrBadSignature) {
		t.Errorf("signed by somebody else than the code says: got %v, want %v", err, ErrBadSignature)
	}
	k, _ = run(t)
	_, other := run(t)
	if _, err := k.Open(must(other.Approve())); !errors.Is(err, ErrBadSignature) {
		t.Errorf("of another knock: got %v, want %v", err, ErrBadSignature)
	}
}
