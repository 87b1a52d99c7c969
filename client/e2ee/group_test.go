package e2ee

import (
	"bytes"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"snug/wire"
)

func TestChainEndsAfterMessagesAndTime(t *testing.T) {
	r := newRoom(t, "alice", "bob")
	keysFrames := func(n int) (count int) {
		for range n {
			frames := r.send("alice", "x")
			count += len(frames) - 1
			r.sees("bob", "alice", content("x"), frames...)
		}
		return count
	}
	if got := keysFrames(chainMessages); got != 1 {
		t.Errorf("first 100 messages: got %d keys frames, want 1", got)
	}
	if got := keysFrames(1); got != 1 {
		t.Errorf("message 101: got %d keys frames, want 1", got)
	}
	r.clock.pass(chainAge - time.Second)
	if got := keysFrames(1); got != 0 {
		t.Errorf("just within the hour: got %d keys frames, want 0", got)
	}
	r.clock.pass(time.Second)
	if got := keysFrames(1); got != 1 {
		t.Errorf("after an hour: got %d keys frames, want 1", got)
	}
}

func TestAloneThereAreNoKeysFrames(t *testing.T) {
	r := newRoom(t, "alice")
	if frames := r.send("alice", "anyone?"); len(frames) != 1 {
		t.Errorf("got %d frames, want 1", len(frames))
	}
	if f, err := r.member["alice"].SealKeysIfNeeded(); f != nil || err != nil {
		t.Errorf("got a keys frame of %d bytes, %v", len(f), err)
	}
}

func TestResend(t *testing.T) {
	r := newRoom(t, "alice", "bob", "carol")
	r.sees("carol", "alice", content("lost for bob"), r.send("alice", "lost for bob")...)
	o, err := r.member["bob"].Open(idOf("alice"), r.send("alice", "no keys")[0])
	if !errors.Is(err, ErrBeforeYou) || !o.Need {
		t.Errorf("got %+v, %v, want to need keys", o, err)
	}
	alice := r.member["alice"]
	if err := alice.Resend(idOf("nobody")); !errors.Is(err, ErrUnknownMember) {
		t.Errorf("resend to nobody: %v", err)
	}
	if err := alice.Resend(idOf("bob")); err != nil {
		t.Fatal(err)
	}
	frame, err := alice.SealKeysIfNeeded()
	if frame == nil || err != nil {
		t.Fatal("no keys frame", err)
	}
	r.sees("bob", "alice", "keys", frame)
	r.sees("bob", "alice", content("heard again"), r.send("alice", "heard again")...)
}

func TestRotationAfterMessages(t *testing.T) {
	r := newRoom(t, "alice", "bob")
	alice := r.member["alice"]
	for range rotateMessages {
		if f, err := alice.RotateIfDue(); f != nil || err != nil {
			t.Fatalf("rotated before its time, %v", err)
		}
		r.send("alice", "x")
	}
	frame, err := alice.RotateIfDue()
	if err != nil || r.member["bob"].Learn(alice.Self(), frame) != StatusUpdated {
		t.Errorf("after 200 messages: %v", err)
	}
}

// A member that left with the relay's knowledge and is back after its chain was erased can be read again, at once.
func TestReturnAfterErasure(t *testing.T) {
	r := newRoom(t, "alice", "bob")
	first := r.send("alice", "one")
	r.sees("bob", "alice", content("one"), first...)
	bob := r.member["bob"]
	bob.Left(idOf("alice"))
	if bob.Members()[0].Present {
		t.Error("alice is shown as present")
	}
	if !bob.Returned(idOf("alice")) || bob.Returned(idOf("nobody")) {
		t.Error("returned")
	}
	r.clock.pass(59 * time.Minute)
	r.sees("bob", "alice", content("two"), r.send("alice", "two")...)
	bob.Left(idOf("alice"))
	r.clock.pass(2 * time.Hour)
	r.sees("bob", "alice", content("three"), r.send("alice", "three")...)
	r.sees("bob", "alice", "repeat", first[1])
}

func TestRename(t *testing.T) {
	r := newRoom(t, "alice", "bob")
	frame, err := r.member["alice"].Rename("Alice L.")
	if err != nil || r.member["bob"].Learn(idOf("alice"), frame) != StatusUpdated || r.member["bob"].Members()[0].Alias != "Alice L." {
		t.Errorf("rename: %v, %+v", err, r.member["bob"].Members())
	}
	if _, err := r.member["alice"].Rename("a\nb"); !errors.Is(err, ErrMalformed) {
		t.Errorf("got %v, want %v", err, ErrMalformed)
	}
}

func TestSealRefusesWhatIsNoContent(t *testing.T) {
	r := newRoom(t, "alice")
	for _, bad := range []string{"", "text", `{"body":"x"}`, `{"k":1}`, `["k"]`, "{\"k\":\"\xff\"}", `{"k":null}`} {
		if _, err := r.member["alice"].Seal([]byte(bad)); !errors.Is(err, ErrMalformed) {
			t.Errorf("%s: got %v, want %v", bad, err, ErrMalformed)
		}
	}
}

func TestRemoveRefuses(t *testing.T) {
	r := newRoom(t, "alice", "bob")
	for _, ids := range [][]wire.MemberID{nil, {idOf("nobody")}, {idOf("alice")}, make([]wire.MemberID, 256)} {
		if _, _, err := r.member["alice"].Remove(ids...); !errors.Is(err, ErrUnknownMember) {
			t.Errorf("%d members: got %v, want %v", len(ids), err, ErrUnknownMember)
		}
	}
}

// A room with more comings and goings than a member remembers keeps those who are present.
func TestPeersAreBounded(t *testing.T) {
	r := newRoom(t, "alice", "bob")
	alice := r.member["alice"]
	for i := range maxPeers + 10 {
		var id wire.MemberID
		copy(id[:], u32(uint32(i)))
		alice.forgetLocked()
		alice.peers[id] = &peer{card: Card{Member: id}, gone: r.clock.now()}
		r.clock.pass(time.Millisecond)
	}
	if len(alice.peers) > maxPeers || alice.peers[idOf("bob")] == nil {
		t.Errorf("%d peers, bob among them: %v", len(alice.peers), alice.peers[idOf("bob")] != nil)
	}
}

func TestConcurrentUse(t *testing.T) {
	r := newRoom(t, "alice", "bob")
	alice, bob := r.member["alice"], r.member["bob"]
	frames := make(chan [][]byte, 64)
	var senders, readers sync.WaitGroup
	for range 4 {
		senders.Go(func() {
			for range 16 {
				f, err := alice.Seal(say("x"))
				if err != nil {
					t.Error(err)
				}
				frames <- f
			}
		})
		readers.Go(func() {
			for f := range frames {
				_ = deliver(bob, alice.Self(), f...)
				_, _ = bob.Members(), bob.SafetyCode()
			}
		})
	}
	senders.Wait()
	close(frames)
	readers.Wait()
}

func TestNewPassphrase(t *testing.T) {
	p, err := NewPassphrase(seeded("passphrase"), 3)
	if err != nil || len(strings.Fields(p)) != 7 || p == must(NewPassphrase(nil, 7)) {
		t.Errorf("%q, %v", p, err)
	}
	seen := make(map[string]bool)
	for _, w := range words() {
		seen[w] = true
	}
	if len(seen) != 1024 {
		t.Errorf("%d words, want 1,024 different ones", len(seen))
	}
}

func TestParseLinkRefuses(t *testing.T) {
	root := Root(fixed("root"))
	good := root.Link("https://snug.example:8443")
	if origin, got, err := ParseLink(good); err != nil || got != root || origin != "https://snug.example:8443" {
		t.Fatalf("%s, %v", origin, err)
	}
	secret := good[len(good)-43:]
	for _, bad := range []string{"", "#" + secret, "snug.example/#" + secret, "ftp://snug.example/#" + secret, "https:///#" + secret, "https://snug.example/",
		"https://snug.example/x#" + secret, "https://snug.example/?q#" + secret, "https://snug.example/?#" + secret, "https://me@snug.example/#" + secret, "https://snug.example/%#" + secret} {
		_, _, err := ParseLink(bad)
		if !errors.Is(err, ErrMalformed) {
			t.Errorf("%s: got %v, want %v", bad, err, ErrMalformed)
		} else if strings.Contains(err.Error(), secret) {
			t.Errorf("the error holds the secret: %v", err)
		}
	}
}

func TestNoRandomnessNoKeys(t *testing.T) {
	empty := func() *bytes.Reader { return bytes.NewReader(nil) }
	if _, err := NewGroup(Config{Alias: "alice", Rand: empty()}); err == nil {
		t.Error("a group was made without randomness")
	}
	if _, err := NewLinkRoot(empty()); err == nil {
		t.Error("a root was made without randomness")
	}
	if _, err := SealJWE(Root{}.Keys().DropPublic(), "", nil, bytes.NewReader(make([]byte, 40))); err == nil {
		t.Error("a JWE was made without an iv")
	}
}
