package e2ee

import (
	"errors"
	"testing"

	"snug/wire"
)

type (
	keysCase struct {
		Root       hx     `json:"root"`
		Fragment   string `json:"fragment"`
		Access     hx     `json:"access"`
		Post       hx     `json:"post"`
		Room       hx     `json:"room"`
		RoomID     string `json:"roomId"`
		Outer      hx     `json:"outer"`
		Drop       hx     `json:"drop"`
		DropPublic hx     `json:"dropPublic"`
	}
	memberCase struct {
		Secret hx     `json:"secret"`
		Raw    hx     `json:"raw"`
		ID     string `json:"id"`
	}
	inputsCase struct {
		Passphrase string `json:"passphrase"`
		RoomName   string `json:"roomName"`
		Password   hx     `json:"password,omitempty"`
		Salt       hx     `json:"salt,omitempty"`
		Root       hx     `json:"root,omitempty"`
	}
	fragmentCase struct {
		Fragment string `json:"fragment"`
		Root     hx     `json:"root"` // empty: refused
	}
)

func rootVectors() map[string]vector {
	return map[string]vector{
		"roomKeys":          casesOf(makeKeys, checkKeys),
		"memberId":          casesOf(makeMembers, checkMember),
		"passphraseInputs":  casesOf(makeInputs, checkInputs),
		"passphraseRoot":    casesOf(makePassphraseRoots, checkPassphraseRoot),
		"passphraseRefused": casesOf(makeRefusedPassphrases, checkRefusedPassphrase),
		"parseFragment":     casesOf(makeFragments, checkFragment),
	}
}

func keysOf(root Root) keysCase {
	k := root.Keys()
	public := k.DropPublic()
	return keysCase{root[:], root.Link("")[1:], k.Access[:], k.Post[:], k.Room[:], k.Room.String(), k.Outer[:], k.Drop[:], public[:]}
}

func makeKeys(*testing.T) []keysCase {
	return []keysCase{keysOf(Root{}), keysOf(Root(fixed("root"))), keysOf(Root(fixed("another root")))}
}

func checkKeys(t *testing.T, c keysCase) {
	got := keysOf(Root(c.Root))
	same(t, "access", got.Access, c.Access)
	same(t, "post", got.Post, c.Post)
	same(t, "room", got.Room, c.Room)
	same(t, "outer", got.Outer, c.Outer)
	same(t, "drop", got.Drop, c.Drop)
	same(t, "dropPublic", got.DropPublic, c.DropPublic)
	if got.Fragment != c.Fragment || got.RoomID != c.RoomID {
		t.Errorf("got %s %s, want %s %s", got.Fragment, got.RoomID, c.Fragment, c.RoomID)
	}
	if access := wire.AccessToken(c.Access); !access.Opens(wire.RoomID(c.Room)) || access.Post() != wire.PostToken(c.Post) {
		t.Error("the relay would not take these tokens")
	}
}

func makeMembers(*testing.T) []memberCase {
	var out []memberCase
	for _, secret := range [][32]byte{{}, fixed("member secret")} {
		id := MemberID(wire.MemberSecret(secret))
		out = append(out, memberCase{secret[:], id[:], id.String()})
	}
	return out
}

func checkMember(t *testing.T, c memberCase) {
	id := MemberID(wire.MemberSecret(c.Secret))
	same(t, "member id", id[:], c.Raw)
	if id.String() != c.ID {
		t.Errorf("member id: got %s, want %s", id, c.ID)
	}
}

func makeInputs(t *testing.T) []inputsCase {
	var out []inputsCase
	for _, in := range [][2]string{
		{"correct horse battery staple", "Kitchen"},
		{"\u00a0\ufeff\t Correct Horse \u3000\u2029", "\u2003 kITCHEN \u205f"}, // trimmed; case matters in the passphrase only
		{"ﬁne Å ﹖", "ＫＩＴＣＨＥＮ"},                                                 // ligature, Angstrom sign and fullwidth under NFKC
		{"ＡＢＣ　１２３", "ｷﾞﾀｰ"},                                                    // ideographic space inside, halfwidth kana with a mark
		{"e\u0301", "É"}, // composed
		{"x", "ΟΔΟΣ"},    // final sigma
		{"x", "ΟΔΟΣ ΣΟΦΟΣ. Σ ΑΣ'Β ΑΣ·Β ΑΣ-Β"}, // sigma before a word's end, alone, and before signs within words
		{"x", "İSTANBUL Iı"},      // becomes two characters; no Turkish rules
		{"x", "STRASSE STRAẞE ſ"}, // capital sharp s, long s under NFKC
		{"👩‍👩‍👧‍👦 🗝️", "🏠 Party 🎉"},
		{"a b", "a b\u0085"}, // U+0085 is not trimmed
		{"\u180ex\u200b", "x\u200b"},
		{"x", "ᏣᎳᎩ Ꭰ ǅ ΑΙ ᾼ"}, // Cherokee, titlecase digraph, iota subscript
		{"a\u0301\u0323", "Å\u0323"},
	} {
		p, err := normalPassphrase(in[0])
		salt, err2 := nameSalt(in[1])
		if err != nil || err2 != nil {
			t.Fatal(in, err, err2)
		}
		out = append(out, inputsCase{Passphrase: in[0], RoomName: in[1], Password: hx(p), Salt: salt[:]})
	}
	return out
}

func checkInputs(t *testing.T, c inputsCase) {
	p, err := normalPassphrase(c.Passphrase)
	salt, err2 := nameSalt(c.RoomName)
	if err != nil || err2 != nil {
		t.Errorf("%q %q: %v %v", c.Passphrase, c.RoomName, err, err2)
	}
	same(t, "password of "+c.Passphrase, []byte(p), c.Password)
	same(t, "salt of "+c.RoomName, salt[:], c.Salt)
}

func makePassphraseRoots(*testing.T) []inputsCase {
	var out []inputsCase
	for _, in := range [][2]string{{" Correct Horse\u00a0", "Kitchen"}, {"👩‍👩‍👧‍👦 ﬁne", " ΟΔΟΣ İ "}} {
		root := must(PassphraseRoot(in[0], in[1]))
		out = append(out, inputsCase{Passphrase: in[0], RoomName: in[1], Root: root[:]})
	}
	return out
}

func checkPassphraseRoot(t *testing.T, c inputsCase) {
	root, err := PassphraseRoot(c.Passphrase, c.RoomName)
	if err != nil {
		t.Fatal(err)
	}
	same(t, "root", root[:], c.Root)
}

func makeRefusedPassphrases(*testing.T) []inputsCase {
	return []inputsCase{{RoomName: "x"}, {Passphrase: "x"}, {Passphrase: "\ufeff \u2028", RoomName: "x"}, {Passphrase: "x", RoomName: "\u00a0\t"}}
}

func checkRefusedPassphrase(t *testing.T, c inputsCase) {
	if _, err := PassphraseRoot(c.Passphrase, c.RoomName); !errors.Is(err, ErrEmpty) {
		t.Errorf("%q %q: got %v, want %v", c.Passphrase, c.RoomName, err, ErrEmpty)
	}
}

func makeFragments(*testing.T) []fragmentCase {
	root := Root(fixed("root"))
	good := root.Link("")[1:]
	out := []fragmentCase{{good, root[:]}}
	zero := Root{}
	out = append(out, fragmentCase{zero.Link("")[1:], zero[:]})
	for _, bad := range []string{"#", good + "=", good[:43], good + "A", good[:20] + "+" + good[21:], good[:20] + "\n" + good[21:],
		zero.Link("")[1:43] + "B", good[:43] + " ", good + "\n"} {
		out = append(out, fragmentCase{Fragment: bad})
	}
	return out
}

func checkFragment(t *testing.T, c fragmentCase) {
	_, root, err := ParseLink("https://snug.example/" + c.Fragment)
	if refused := len(c.Root) == 0; refused != errors.Is(err, ErrMalformed) || (err != nil) != refused {
		t.Errorf("%q: %v", c.Fragment, err)
	} else if !refused {
		same(t, "root", root[:], c.Root)
	}
}
