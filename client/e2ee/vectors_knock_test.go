package e2ee

import (
	"bytes"
	"errors"
	"io"
	"slices"
	"snug/wire"
	"testing"
)

type (
	knockCase struct {
		Root    hx     `json:"root"`
		Room    hx     `json:"room"`
		Seed    hx     `json:"seed"`    // of the member's identity key
		Private hx     `json:"private"` // the stranger's X25519 key
		NJ      hx     `json:"nJ"`
		NM      hx     `json:"nM"`
		Commit  hx     `json:"commit"`
		Answer  hx     `json:"answer"`
		Reveal  hx     `json:"reveal"`
		Code    string `json:"code"`
		Sealed  hx     `json:"sealed"`
	}
	refusedKnockCase struct {
		Why string `json:"why"`
		knockCase
	}
	arrivingKnockCase struct {
		Member    hx `json:"member"`
		Identity  hx `json:"identity"`
		As        hx `json:"as"`
		knockCase    // nJ is the salt
	}
)

func knockVectors() map[string]vector {
	return map[string]vector{"knock": casesOf(makeKnocks, checkKnock), "refusedKnock": casesOf(makeRefusedKnocks, checkRefusedKnock),
		"arrivingKnock": casesOf(makeArrivingKnocks, checkArrivingKnock)}
}

func makeArrivingKnocks(*testing.T) []arrivingKnockCase {
	c := arrivingKnockCase{knockCase: makeKnock("knock 1", Root(fixed("root")), Root(fixed("root")))}
	member, identity := fixed("arrival member"), fixed("arrival identity")
	c.Member, c.Identity = member[:16], identity[:]
	k, commit, h := c.sides()
	c.As, c.Commit, c.Reveal = k.Arrival(), commit, must(k.Reveal(c.Answer))
	if err := h.Check(c.Reveal); err != nil {
		panic(err)
	}
	c.Code, c.Sealed = h.Code(), must(h.Approve())
	return []arrivingKnockCase{c}
}

func (c arrivingKnockCase) sides() (*Knocker, []byte, *KnockHost) {
	as := Arrival{wire.MemberID(c.Member), [32]byte(c.Identity)}
	k, commit, err := NewKnockerAs(wire.RoomID(c.Room), as, bytes.NewReader(slices.Concat(c.Private, c.NJ)))
	if err != nil {
		panic(err)
	}
	_, _, g := knockSides(c.knockCase, Root(c.Root))
	h, _, err := g.AnswerKnock(commit)
	if err != nil {
		panic(err)
	}
	return k, commit, h
}

func checkArrivingKnock(t *testing.T, c arrivingKnockCase) {
	k, commit, h := c.sides()
	same(t, "as", k.Arrival(), c.As)
	same(t, "commit", commit, c.Commit)
	reveal := must(k.Reveal(c.Answer))
	same(t, "reveal", reveal, c.Reveal)
	if err := h.Check(reveal); err != nil || h.Code() != c.Code {
		t.Fatalf("code %s, %v, want %s", h.Code(), err, c.Code)
	}
	if got, err := h.Arrival(c.As); err != nil || got != (Arrival{wire.MemberID(c.Member), [32]byte(c.Identity)}) {
		t.Errorf("it comes as %v, %v", got, err)
	}
	root, err := k.Open(c.Sealed)
	if err != nil {
		t.Fatal(err)
	}
	same(t, "root", root[:], c.Root)
}

// knockSides makes both sides of a knock with the randomness of a case.
func knockSides(c knockCase, root Root) (*Knocker, []byte, *Group) {
	k, commit, err := NewKnocker(wire.RoomID(c.Room), bytes.NewReader(slices.Concat(c.Private, c.NJ)))
	if err != nil {
		panic(err)
	}
	id := Identity{Seed: [32]byte(c.Seed)}
	g := must(NewGroup(Config{Root: root, Identity: &id, Alias: "member", Rand: io.MultiReader(bytes.NewReader(make([]byte, 64)), bytes.NewReader(c.NM))}))
	return k, commit, g
}

func makeKnock(name string, root, sealedRoot Root) knockCase {
	room, seed, private, nJ, nM := root.Keys().Room, fixed(name+" seed"), fixed(name+" private"), fixed(name+" nJ"), fixed(name+" nM")
	c := knockCase{Root: root[:], Room: room[:], Seed: seed[:], Private: private[:], NJ: nJ[:], NM: nM[:]}
	k, commit, g := knockSides(c, root)
	h, answer, err := g.AnswerKnock(commit)
	if err != nil {
		panic(err)
	}
	c.Commit, c.Answer, c.Reveal = commit, answer, must(k.Reveal(answer))
	if err := h.Check(c.Reveal); err != nil {
		panic(err)
	}
	h.root = sealedRoot
	c.Code = h.Code()
	c.Sealed = must(h.Approve())
	return c
}

func makeKnocks(*testing.T) (out []knockCase) {
	for _, name := range []string{"knock 1", "knock 2", "knock 3"} {
		out = append(out, makeKnock(name, Root(fixed("root")), Root(fixed("root"))))
	}
	return out
}

func checkKnock(t *testing.T, c knockCase) {
	k, commit, g := knockSides(c, Root(c.Root))
	same(t, "commit", commit, c.Commit)
	h, answer, err := g.AnswerKnock(commit)
	if err != nil {
		t.Fatal(err)
	}
	same(t, "answer", answer, c.Answer)
	reveal, err := k.Reveal(answer)
	if err != nil {
		t.Fatal(err)
	}
	same(t, "reveal", reveal, c.Reveal)
	if err := h.Check(reveal); err != nil {
		t.Fatal(err)
	}
	if k.Code() != c.Code || h.Code() != c.Code {
		t.Errorf("codes %s and %s, want %s", k.Code(), h.Code(), c.Code)
	}
	root, err := k.Open(c.Sealed)
	if err != nil {
		t.Fatal(err)
	}
	same(t, "root", root[:], c.Root)
}

func makeRefusedKnocks(*testing.T) (out []refusedKnockCase) {
	root := Root(fixed("root"))
	good, other := makeKnock("knock 1", root, root), makeKnock("knock 2", root, root)
	add := func(why string, sealed []byte) {
		c := good
		c.Sealed = sealed
		out = append(out, refusedKnockCase{why, c})
	}
	flip := func(i int) []byte {
		b := slices.Clone(good.Sealed)
		b[i] ^= 1
		return b
	}
	add("of another knock", other.Sealed)
	add("sealed key changed", flip(0))
	add("ciphertext changed", flip(40))
	add("signature changed", flip(len(good.Sealed)-1))
	add("truncated", good.Sealed[:len(good.Sealed)-1])
	add("longer", append(slices.Clone(good.Sealed), 0))
	add("empty", nil)
	add("a root of another room", makeKnock("knock 1", root, Root(fixed("another root"))).Sealed)
	return out
}

func checkRefusedKnock(t *testing.T, c refusedKnockCase) {
	k, _, _ := knockSides(c.knockCase, Root(c.Root))
	if _, err := k.Reveal(c.Answer); err != nil {
		t.Fatal(err)
	}
	if _, err := k.Open(c.Sealed); !errors.Is(err, ErrDamaged) && !errors.Is(err, ErrBadSignature) {
		t.Errorf("%s: got %v", c.Why, err)
	}
}
