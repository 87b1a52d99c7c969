package e2ee

import (
	"errors"
	"slices"
	"testing"
)

// Attack: noise. Each frame of a conversation, cut at every length and with every bit flipped in turn.
func TestNothingDamagedIsOpened(t *testing.T) {
	r := newRoom(t, "alice", "bob")
	frames := append(r.send("alice", "hello"), must(r.member["alice"].Card()), must2(r.member["alice"].Remove(idOf("bob"))))
	bob := r.member["bob"]
	for i, f := range frames {
		for n := 0; n < len(f); n += 7 {
			if _, err := bob.Open(idOf("alice"), f[:n]); !errors.Is(err, ErrDamaged) {
				t.Fatalf("frame %d cut to %d: %v", i, n, err)
			}
		}
		for bit := range 8 * len(f) {
			b := slices.Clone(f)
			b[bit/8] ^= 1 << (bit % 8)
			if o, err := bob.Open(idOf("alice"), b); err == nil || (bit >= 8 && !errors.Is(err, ErrDamaged)) {
				t.Fatalf("frame %d with bit %d flipped: %+v, %v", i, bit, o, err)
			}
		}
	}
	r.sees("bob", "alice", content("hello"), frames[:2]...)
}

// Attack: the same inside a frame, by a member who has the outer key but not Alice's identity key.
func TestNoDamagedInnerIsOpened(t *testing.T) {
	r := newRoom(t, "alice", "bob")
	frames := append(r.send("alice", "hello"), must2(r.member["alice"].Remove(idOf("bob"))))
	bob := r.member["bob"]
	for _, f := range frames {
		typ, inner, _ := OpenFrame(bob.keys, f)
		for bit := 0; bit < 8*len(inner); bit += 5 {
			b := slices.Clone(inner)
			b[bit/8] ^= 1 << (bit % 8)
			if o, err := bob.openFromLocked(bob.peers[idOf("alice")], idOf("alice"), typ, b, r.clock.now()); err == nil {
				t.Fatalf("type %d with bit %d flipped: %+v", typ, bit, o)
			}
		}
		for n := range inner {
			if _, err := bob.openFromLocked(bob.peers[idOf("alice")], idOf("alice"), typ, inner[:n], r.clock.now()); err == nil {
				t.Fatalf("type %d cut to %d opened", typ, n)
			}
		}
	}
}

// Attack: a card whose X25519 key is of low order, so that sealing to it fails and nobody gets keys any more.
func TestCardOfLowOrderIsRefused(t *testing.T) {
	r := newRoom(t, "alice", "bob")
	id := testIdentity("mallory")
	for _, key := range []string{
		"0000000000000000000000000000000000000000000000000000000000000000",
		"0100000000000000000000000000000000000000000000000000000000000000",
		"e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
		"5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
		"ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
	} {
		c := must(SignCard(r.root.Keys().Room, id, Card{Created: r.clock.now(), HPKE: [32]byte(unhex(t, key)), Alias: "mallory"}))
		if s := r.member["alice"].Learn(id.Member(), must(r.member["bob"].sealer.Seal(TypeCard, c))); s != StatusBad {
			t.Errorf("%s: got %v, want bad", key, s)
		}
	}
	r.sees("bob", "alice", content("still works"), r.send("alice", "still works")...)
}
