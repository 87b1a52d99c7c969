package e2ee

import (
	"errors"
	"testing"
	"time"
)

// Forward secrecy: what is in memory after a message was opened, after an hour, and after Close.
func TestKeysAreErased(t *testing.T) {
	r := newRoom(t, "alice", "bob")
	alice, bob := r.member["alice"], r.member["bob"]
	frames := r.send("alice", "zero")
	sendCK := alice.send.ck
	r.sees("bob", "alice", content("zero"), frames...)
	chain := bob.peers[alice.self].recv.newest()
	before := chain.ck
	skipped := r.send("alice", "one")[0]
	r.sees("bob", "alice", content("two"), r.send("alice", "two")...)
	if chain.ck == before || alice.send.ck == sendCK {
		t.Error("a chain key outlived its message")
	}
	key := &chain.skipped[0].key
	mk := before
	if *key != ratchet(&mk) {
		t.Error("the skipped message key is not kept")
	}
	r.clock.pass(keepKeys)
	r.sees("bob", "alice", "expired", skipped)
	if *key != [32]byte{} {
		t.Error("the skipped message key outlived its hour")
	}

	old := &bob.hpke.current().private
	card, err := bob.RotateIfDue()
	if err != nil || *old == [32]byte{} || alice.Learn(bob.self, card) != StatusUpdated {
		t.Errorf("the replaced HPKE key has no grace, %v", err)
	}
	r.clock.pass(hpkeGrace)
	if _, err := bob.RotateIfDue(); err != nil {
		t.Fatal(err)
	}
	if *old != [32]byte{} || len(bob.hpke) != 1 {
		t.Error("the replaced HPKE key outlived its grace")
	}

	r.sees("bob", "alice", content("three"), r.send("alice", "three")...)
	replaced := chain
	r.clock.pass(keepKeys)
	if _, err := bob.RotateIfDue(); err != nil {
		t.Fatal(err)
	}
	if replaced.ck != [32]byte{} || !replaced.erased {
		t.Error("the replaced chain outlived its hour")
	}
	checkClosed(t, bob)
}

// A restarted relay may be told again what a member had long read: keys among it, whose HPKE key is erased.
func TestKeysComeAgain(t *testing.T) {
	r := newRoom(t, "alice", "bob", "carol")
	frames := r.send("alice", "one")
	r.sees("bob", "alice", content("one"), frames...)
	r.leave("carol")
	needed := r.send("alice", "under the next chain")[0]
	r.clock.pass(time.Hour)
	must(r.member["bob"].RotateIfDue())
	r.clock.pass(hpkeGrace)
	for _, frame := range frames {
		r.sees("bob", "alice", "repeat", frame)
	}
	r.sees("bob", "alice", "expired", needed)
}

func checkClosed(t *testing.T, g *Group) {
	t.Helper()
	chain, current := g.peers[idOf("alice")].recv.newest(), &g.hpke.current().private
	g.Close()
	if chain.ck != [32]byte{} || *current != [32]byte{} || g.root != (Root{}) || g.id != (Identity{}) || g.keys != (Keys{}) || g.sealer.key != [32]byte{} || g.send.ck != [32]byte{} {
		t.Error("keys outlive Close")
	}
	if _, err := g.Seal(say("x")); !errors.Is(err, ErrClosed) {
		t.Errorf("seal: got %v, want %v", err, ErrClosed)
	}
	if _, err := g.Export(); !errors.Is(err, ErrClosed) {
		t.Errorf("export: got %v, want %v", err, ErrClosed)
	}
}

// The key that opened a message in the middle of the skipped ones must not stay behind where the others moved to.
func TestUsedSkippedKeyIsErased(t *testing.T) {
	var r receiver
	r.start(1, 0, chainAt(1, 0), time.Now())
	open := func(n uint32) {
		ck := chainAt(1, n)
		ct := newGCM(ratchet(&ck)).Seal(nil, make([]byte, 12), nil, nil)
		if _, err := r.open(message{e: 1, n: n, ciphertext: ct}, nil, time.Now()); err != nil {
			t.Fatal(err)
		}
	}
	open(4)
	c := r.newest()
	all := c.skipped[:4:4]
	used := c.skipped[1].key
	open(1)
	open(3)
	for i, s := range all {
		if s.key == used {
			t.Errorf("slot %d still holds the key", i)
		}
	}
}
