package e2ee

import (
	"errors"
	"slices"
	"testing"
	"time"

	"snug/wire"
)

type (
	padmeCase struct {
		Length int `json:"length"`
		Padded int `json:"padded"`
	}
	frameCase struct {
		Root  hx     `json:"root"`
		Type  int    `json:"type"`
		SID   hx     `json:"sid"`
		Ctr   uint64 `json:"ctr"`
		Inner hx     `json:"inner"`
		Frame hx     `json:"frame"`
	}
	refusedFrameCase struct {
		Why   string `json:"why"`
		Root  hx     `json:"root"`
		Frame hx     `json:"frame"`
	}
	cardCase struct {
		Room     hx     `json:"room"`
		Secret   hx     `json:"secret"`
		Seed     hx     `json:"seed"`
		Member   hx     `json:"member"`
		Created  int64  `json:"created"`
		Rotation uint32 `json:"rotation"`
		Private  hx     `json:"private"`
		X25519   hx     `json:"x25519"`
		Ed25519  hx     `json:"ed25519"`
		Alias    string `json:"alias"`
		Card     hx     `json:"card"`
	}
	refusedCardCase struct {
		Why  string `json:"why"`
		Room hx     `json:"room"`
		Card hx     `json:"card"`
	}
	fingerprintCase struct {
		Identity    hx     `json:"identity"`
		Fingerprint string `json:"fingerprint"`
	}
	safetyCase struct {
		Room       hx     `json:"room"`
		Identities []hx   `json:"identities"`
		Code       string `json:"code"`
	}
)

func frameVectors() map[string]vector {
	return map[string]vector{
		"padme": casesOf(func(*testing.T) (out []padmeCase) {
			for _, n := range []int{0, 1, 4, 255, 256, 257, 264, 265, 272, 511, 512, 513, 528, 529, 1000, 1024, 1025, 4095, 65535, 65536, 65537, 1 << 20, 1<<20 + 1, 12345678} {
				out = append(out, padmeCase{n, padme(n)})
			}
			return out
		}, func(t *testing.T, c padmeCase) {
			if got := padme(c.Length); got != c.Padded {
				t.Errorf("padme(%d): got %d, want %d", c.Length, got, c.Padded)
			}
		}),
		"sealFrame":    casesOf(makeFrames, checkFrame),
		"refusedFrame": casesOf(makeRefusedFrames, checkRefusedFrame),
	}
}

func testSealer(root Root, sid []byte, ctr uint64) *FrameSealer {
	k := root.Keys()
	return &FrameSealer{room: k.Room, key: frameKey(k.Outer, sid), sid: [16]byte(sid), ctr: ctr}
}

func makeFrames(*testing.T) (out []frameCase) {
	root, sid := Root(fixed("root")), fixed("sid")
	for i, n := range []int{0, 1, 251, 252, 253, 600, 5000} {
		inner := slices.Repeat([]byte{byte(i + 1)}, n)
		c := frameCase{Root: root[:], Type: i%4 + 1, SID: sid[:16], Ctr: []uint64{0, 1, 255, 65536, 1<<32 + 1, 1 << 52, 7}[i], Inner: inner}
		c.Frame = must(testSealer(root, sid[:16], c.Ctr).Seal(FrameType(c.Type), inner))
		out = append(out, c)
	}
	return out
}

func checkFrame(t *testing.T, c frameCase) {
	root := Root(c.Root)
	frame, err := testSealer(root, c.SID, c.Ctr).Seal(FrameType(c.Type), c.Inner)
	if err != nil {
		t.Fatal(err)
	}
	same(t, "frame", frame, c.Frame)
	typ, inner, err := OpenFrame(root.Keys(), c.Frame)
	if err != nil || int(typ) != c.Type {
		t.Errorf("type %d: %v", typ, err)
	}
	same(t, "inner", inner, c.Inner)
}

// rawFrame seals padded bytes as they are, which FrameSealer never does.
func rawFrame(root Root, head, padded []byte) []byte {
	k := root.Keys()
	return newGCM(frameKey(k.Outer, head[2:18])).Seal(slices.Clone(head), frameNonce(head), padded, slices.Concat(k.Room[:], head))
}

func makeRefusedFrames(*testing.T) (out []refusedFrameCase) {
	root, other, sid := Root(fixed("root")), Root(fixed("another root")), fixed("sid")
	good := must(testSealer(root, sid[:16], 3).Seal(TypeMessage, []byte("inner")))
	head := good[:frameHeader]
	add := func(why string, root Root, frame []byte) { out = append(out, refusedFrameCase{why, root[:], frame}) }
	flip := func(i int) []byte {
		f := slices.Clone(good)
		f[i] ^= 1
		return f
	}
	add("empty", root, nil)
	add("shorter than the smallest", root, good[:len(good)-1])
	add("longer", root, append(slices.Clone(good), 0))
	add("another room", other, good)
	add("type changed", root, flip(1))
	add("sid changed", root, flip(2))
	add("counter changed", root, flip(25))
	add("ciphertext changed", root, flip(30))
	add("tag changed", root, flip(len(good)-1))
	tooLong, dirty := make([]byte, 256), make([]byte, 256)
	copy(tooLong, u32(253))
	dirty[255] = 1
	add("length field larger than the rest", root, rawFrame(root, head, tooLong))
	add("length field near its end", root, rawFrame(root, head, slices.Repeat([]byte{255}, 256)))
	add("padding that is not zero", root, rawFrame(root, head, dirty))
	return out
}

func checkRefusedFrame(t *testing.T, c refusedFrameCase) {
	if _, _, err := OpenFrame(Root(c.Root).Keys(), c.Frame); !errors.Is(err, ErrDamaged) {
		t.Errorf("%s: got %v, want %v", c.Why, err, ErrDamaged)
	}
}

func cardVectors() map[string]vector {
	return map[string]vector{"signCard": casesOf(makeCards, checkCard), "refusedCard": casesOf(makeRefusedCards, checkRefusedCard)}
}

func testCard(name, alias string, created int64, rotation uint32) cardCase {
	id, room, private := testIdentity(name), Root(fixed("root")).Keys().Room, fixed(name+" hpke")
	member, public, x := id.Member(), id.Public(), publicX25519(private)
	c := Card{Created: time.UnixMilli(created), Rotation: rotation, HPKE: x, Alias: alias}
	return cardCase{room[:], id.Secret[:], id.Seed[:], member[:], created, rotation, private[:], x[:], public[:], alias, must(SignCard(room, id, c))}
}

func makeCards(*testing.T) []cardCase {
	return []cardCase{
		testCard("alice", "Alice", 1_800_000_000_000, 1_800_000_000),
		testCard("bob", "ボブ 👋", 0, 0),
		testCard("carol", "0123456789012345678901234567890123456789012345678901234567890123", maxMilli, 1<<32-1),
	}
}

func checkCard(t *testing.T, c cardCase) {
	id := Identity{wire.MemberSecret(c.Secret), [32]byte(c.Seed)}
	b, err := SignCard(wire.RoomID(c.Room), id, Card{Created: time.UnixMilli(c.Created), Rotation: c.Rotation, HPKE: publicX25519([32]byte(c.Private)), Alias: c.Alias})
	if err != nil {
		t.Fatal(err)
	}
	same(t, "card", b, c.Card)
	got, err := ParseCard(wire.RoomID(c.Room), c.Card)
	if err != nil {
		t.Fatal(err)
	}
	same(t, "member", got.Member[:], c.Member)
	same(t, "x25519", got.HPKE[:], c.X25519)
	same(t, "ed25519", got.Identity[:], c.Ed25519)
	if got.Alias != c.Alias || got.Rotation != c.Rotation || got.Created.UnixMilli() != c.Created {
		t.Errorf("got %+v, want %+v", got, c)
	}
}

func makeRefusedCards(*testing.T) (out []refusedCardCase) {
	good := testCard("alice", "Alice", 1_800_000_000_000, 5)
	id := testIdentity("alice")
	body := good.Card[:len(good.Card)-64]
	resign := func(b []byte) []byte { return append(slices.Clone(b), id.sign("card", good.Room, b)...) }
	alias := func(s string) []byte { return resign(slices.Concat(body[:93], lp([]byte(s)))) }
	add := func(why string, card []byte) { out = append(out, refusedCardCase{why, good.Room, card}) }
	edit := func(b []byte, i int) []byte {
		b = slices.Clone(b)
		b[i] ^= 1
		return b
	}
	for _, i := range []int{1, 17, 28, 29, 61, 96} {
		add("a bit changed", edit(good.Card, i))
	}
	add("signature changed", edit(good.Card, len(good.Card)-1))
	add("empty", nil)
	add("truncated", good.Card[:len(good.Card)-1])
	add("another suite", resign(edit(body, 0)))
	add("bytes after the alias", resign(append(slices.Clone(body), 0)))
	add("an alias longer than there is", resign(body[:len(body)-1]))
	add("empty alias", alias(""))
	add("alias of 65 bytes", alias(string(slices.Repeat([]byte("a"), 65))))
	add("control character in the alias", alias("a\nb"))
	add("C1 control character in the alias", alias("a\u0085b"))
	add("alias is not UTF-8", alias("a\xffb"))
	add("created beyond 2^53-1", resign(slices.Concat(body[:17], u64(1<<53), body[25:])))
	other := Root(fixed("another root")).Keys().Room
	out = append(out, refusedCardCase{"signed for another room", other[:], good.Card})
	return out
}

func checkRefusedCard(t *testing.T, c refusedCardCase) {
	if _, err := ParseCard(wire.RoomID(c.Room), c.Card); !errors.Is(err, ErrDamaged) && !errors.Is(err, ErrBadSignature) {
		t.Errorf("%s: got %v", c.Why, err)
	}
}

func fingerprintVectors() map[string]vector {
	return map[string]vector{"fingerprint": casesOf(makeFingerprints, checkFingerprint), "safetyCode": casesOf(makeSafety, checkSafety)}
}

func makeFingerprints(*testing.T) (out []fingerprintCase) {
	for _, name := range []string{"alice", "bob", "carol", "dave"} {
		k := testIdentity(name).Public()
		out = append(out, fingerprintCase{k[:], Fingerprint(k)})
	}
	return out
}

func checkFingerprint(t *testing.T, c fingerprintCase) {
	if got := Fingerprint([32]byte(c.Identity)); got != c.Fingerprint {
		t.Errorf("got %s, want %s", got, c.Fingerprint)
	}
}

func makeSafety(*testing.T) (out []safetyCase) {
	room := Root(fixed("root")).Keys().Room
	for _, names := range [][]string{{"alice"}, {"alice", "bob"}, {"bob", "alice"}, {"dave", "carol", "bob", "alice"}} {
		c := safetyCase{Room: room[:]}
		var keys [][32]byte
		for _, n := range names {
			k := testIdentity(n).Public()
			keys = append(keys, k)
			c.Identities = append(c.Identities, k[:])
		}
		c.Code = SafetyCode(room, keys)
		out = append(out, c)
	}
	return out
}

func checkSafety(t *testing.T, c safetyCase) {
	var keys [][32]byte
	for _, k := range c.Identities {
		keys = append(keys, [32]byte(k))
	}
	if got := SafetyCode(wire.RoomID(c.Room), keys); got != c.Code {
		t.Errorf("got %s, want %s", got, c.Code)
	}
}
