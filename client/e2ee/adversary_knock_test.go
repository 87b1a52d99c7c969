package e2ee

import (
	"errors"
	"slices"
	"testing"
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
