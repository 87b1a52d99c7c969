package e2ee

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
	"time"

	"snug/wire"
)

// addVectors gives a fuzzer one field of the cases of some functions as a start.
func addVectors(f *testing.F, file, field string, functions ...string) {
	f.Helper()
	var all map[string][]map[string]json.RawMessage
	b, err := os.ReadFile(filepath.Join(vectorDir, file))
	if err == nil {
		err = json.Unmarshal(b, &all)
	}
	if err != nil {
		f.Fatal(err)
	}
	for _, fn := range functions {
		for _, c := range all[fn] {
			var v hx
			if json.Unmarshal(c[field], &v) == nil {
				f.Add([]byte(v))
			}
		}
	}
}

func FuzzOpenFrame(f *testing.F) {
	addVectors(f, "frame.json", "frame", "sealFrame", "refusedFrame")
	k := Root(fixed("root")).Keys()
	f.Fuzz(func(t *testing.T, b []byte) {
		typ, inner, err := OpenFrame(k, b)
		if err != nil {
			return
		}
		s := testSealer(Root(fixed("root")), b[2:18], new(reader{b: b[18:26]}).u64())
		if again, err := s.Seal(typ, inner); err == nil && !bytes.Equal(again, b) {
			t.Errorf("two frames for one content: %x and %x", b, again)
		}
	})
}

func FuzzUnpad(f *testing.F) {
	f.Add(make([]byte, 256))
	f.Add(append(u32(3), 1, 2, 3, 0, 0))
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) < minPadded {
			return // GCM over a frame of the smallest size gives no less
		}
		if inner, ok := unpad(b); ok && !bytes.HasPrefix(b[4:], inner) {
			t.Error("made up bytes")
		}
	})
}

func FuzzParseCard(f *testing.F) {
	addVectors(f, "card.json", "card", "signCard", "refusedCard")
	id, room := testIdentity("alice"), Root(fixed("root")).Keys().Room
	f.Fuzz(func(t *testing.T, b []byte) {
		if body, _, ok := cutSig(b); ok && len(body) >= 93 { // signed, so that the parser is what refuses
			public := id.Public()
			body = bytes.Clone(body)
			copy(body[61:93], public[:])
			b = append(body, id.sign("card", room[:], body)...)
		}
		c, err := ParseCard(room, b)
		if err != nil {
			return
		}
		if CheckAlias(c.Alias) != nil {
			t.Errorf("took the alias %q", c.Alias)
		}
		id := Identity{Seed: id.Seed}
		again, err := SignCard(room, id, c)
		if err != nil || !bytes.Equal(again[17:len(b)-64], b[17:len(b)-64]) {
			t.Errorf("does not make the same card: %v", err)
		}
	})
}

func FuzzParseMessage(f *testing.F) {
	addVectors(f, "chain.json", "message", "message")
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := parseMessage(b)
		if err == nil && !bytes.Equal(bytes.Join([][]byte{u32(m.e), u32(m.n), m.ciphertext, m.sig}, nil), b) {
			t.Error("does not make the same message")
		}
	})
}

func FuzzParseKeys(f *testing.F) {
	addVectors(f, "chain.json", "keys", "keys")
	f.Fuzz(func(t *testing.T, b []byte) {
		k, err := parseKeys(b)
		if err == nil && !bytes.Equal(append(appendEntries(append(u32(k.e), u32(k.n)...), k.entries), k.sig...), b) {
			t.Error("does not make the same keys")
		}
	})
}

func FuzzParseMove(f *testing.F) {
	addVectors(f, "chain.json", "move", "move")
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := parseMove(b)
		if err != nil {
			return
		}
		again := []byte{byte(len(m.removed))}
		for _, id := range m.removed {
			again = append(again, id[:]...)
		}
		if !bytes.Equal(append(appendEntries(again, m.entries), m.sig...), b) {
			t.Error("does not make the same move")
		}
	})
}

func FuzzOpenJWE(f *testing.F) {
	for _, c := range makeSealJWE(nil) {
		f.Add(c.JWE)
	}
	for _, c := range makeRefusedJWE(nil) {
		f.Add(c.JWE)
	}
	drop := Root(fixed("root")).Keys().Drop
	f.Fuzz(func(t *testing.T, jwe string) {
		_, _ = OpenJWE(drop, jwe)
		_, _ = parseJWEHeader([]byte(jwe))
	})
}

func FuzzParseLink(f *testing.F) {
	f.Add(Root(fixed("root")).Link("https://snug.example"))
	f.Add("https://snug.example/#")
	f.Add("http://[::1]:8080/#AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")
	f.Fuzz(func(t *testing.T, link string) {
		origin, root, err := ParseLink(link)
		if err != nil {
			return
		}
		o, r, err := ParseLink(root.Link(origin))
		if err != nil || o != origin || r != root {
			t.Errorf("%q gives %q, which gives %v", link, root.Link(origin), err)
		}
	})
}

func FuzzKnock(f *testing.F) {
	for _, c := range append(makeKnocks(nil), knockCase{}) {
		f.Add([]byte(c.Commit), []byte(c.Answer), []byte(c.Reveal), []byte(c.Sealed))
	}
	c := makeKnocks(nil)[0]
	f.Fuzz(func(t *testing.T, commit, answer, reveal, sealed []byte) {
		k, _, g := knockSides(c, Root(c.Root))
		if h, _, err := g.AnswerKnock(commit); err == nil {
			if h.Check(reveal) == nil {
				_, _ = h.Approve()
			}
		}
		if _, err := k.Reveal(answer); err == nil {
			if root, err := k.Open(sealed); err == nil && root != Root(c.Root) {
				t.Error("took a root of another room")
			}
		}
	})
}

// FuzzReceiver plays any order of starting, losing, repeating and waiting, and holds the receiver to one promise: no message
// opens twice, and none opens that was not sealed to it.
func FuzzReceiver(f *testing.F) {
	f.Add([]byte{0, 1, 2, 3})
	f.Add([]byte("any order of operations will do for a start"))
	f.Fuzz(func(t *testing.T, ops []byte) {
		var r receiver
		now := time.Unix(0, 0)
		opened, from := make(map[[2]uint32]bool), make(map[uint32]uint32)
		for i := 0; i+1 < len(ops) && i < 200; i += 2 {
			e, n := uint32(ops[i]>>4&3), uint32(ops[i+1]&15)
			switch ops[i] & 3 {
			case 0:
				if _, held := from[e]; r.start(e, n, chainAt(e, n), now) && !held {
					from[e] = n
				}
			case 1:
				now = now.Add(time.Duration(ops[i+1]) * time.Minute)
				r.expire(now)
			case 2:
				r.end(now)
			case 3:
				ck := chainAt(e, n)
				ct := newGCM(ratchet(&ck)).Seal(nil, make([]byte, 12), nil, nil)
				if _, err := r.open(message{e: e, n: n, ciphertext: ct}, nil, now); err == nil {
					if first, held := from[e]; opened[[2]uint32{e, n}] || !held || n < first {
						t.Fatalf("message %d of chain %d opened again, or without a right to it", n, e)
					}
					opened[[2]uint32{e, n}] = true
				}
			}
		}
	})
}

func FuzzImport(f *testing.F) {
	r := newRoom(f, "alice", "bob")
	deliver(r.member["bob"], idOf("alice"), r.send("alice", "x")...)
	f.Add(must(r.member["bob"].Export()))
	f.Fuzz(func(t *testing.T, b []byte) {
		g, err := Import(b, Config{})
		if err != nil {
			return
		}
		for id := range g.peers {
			_ = deliver(g, id, make([]byte, 298))
		}
		_, _ = g.Seal(say("x"))
		_ = wire.MemberID(g.Self())
	})
}
