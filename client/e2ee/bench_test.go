package e2ee

import (
	"fmt"
	"testing"

	"snug/wire"
)

func BenchmarkSealAndOpen(b *testing.B) {
	r := newRoom(b, "alice", "bob")
	text := say("a message of some ordinary length, as people write them all day long")
	for b.Loop() {
		frames, err := r.member["alice"].Seal(text)
		if err != nil {
			b.Fatal(err)
		}
		for _, f := range frames {
			if _, err := r.member["bob"].Open(idOf("alice"), f); err != nil {
				b.Fatal(err)
			}
		}
	}
}

func BenchmarkLearnCard(b *testing.B) {
	r := newRoom(b, "alice")
	bob := r.enter("bob")
	card, id := must(bob.Card()), bob.Self()
	for b.Loop() {
		clear(r.member["alice"].peers)
		if s := r.member["alice"].Learn(id, card); s != StatusNew {
			b.Fatal(s)
		}
	}
}

// A new chain for a room of 100, as after somebody left.
func BenchmarkKeysTo100(b *testing.B) {
	r := newRoom(b)
	alice := r.enter("alice")
	var last wire.MemberID
	for i := range 100 {
		g := r.enter(fmt.Sprintf("member %d", i))
		last = g.Self()
		alice.Learn(last, must(g.Card()))
	}
	for b.Loop() {
		alice.send.erase()
		if f, err := alice.SealKeysIfNeeded(); f == nil || err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkPassphraseRoot(b *testing.B) {
	for b.Loop() {
		if _, err := PassphraseRoot("correct horse battery staple", "Kitchen"); err != nil {
			b.Fatal(err)
		}
	}
}
