package wire

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
)

const (
	id16 = "AAECAwQFBgcICQoLDA0ODw"      // 16 bytes
	id20 = "AAECAwQFBgcICQoLDA0ODxAREhM" // 20 bytes
)

func TestParseIDs(t *testing.T) {
	parsers := map[string]struct {
		good  string
		parse func(string) (string, error)
	}{
		"room":    {id20, func(s string) (string, error) { v, err := ParseRoomID(s); return v.String(), err }},
		"member":  {id16, func(s string) (string, error) { v, err := ParseMemberID(s); return v.String(), err }},
		"session": {id16, func(s string) (string, error) { v, err := ParseSessionID(s); return v.String(), err }},
		"message": {id16, func(s string) (string, error) { v, err := ParseMessageID(s); return v.String(), err }},
		"file":    {id16, func(s string) (string, error) { v, err := ParseFileID(s); return v.String(), err }},
		"knock":   {id16, func(s string) (string, error) { v, err := ParseKnockID(s); return v.String(), err }},
		"chunk":   {id16 + ".4294967295", func(s string) (string, error) { v, err := ParseChunkID(s); return v.String(), err }},
	}
	for name, p := range parsers {
		t.Run(name, func(t *testing.T) {
			got, err := p.parse(p.good)
			if err != nil || got != p.good {
				t.Fatalf("parse(%q) = %q, %v; want it back", p.good, got, err)
			}
			for _, bad := range spoiled(p.good) {
				if _, err := p.parse(bad); !errors.Is(err, ErrMalformed) {
					t.Errorf("parse(%q): error %v, want ErrMalformed", bad, err)
				} else if len(bad) > 8 && strings.Contains(err.Error(), bad) {
					t.Errorf("the error repeats the value: %v", err)
				}
			}
		})
	}
}

// spoiled are ways to get an id nearly right.
func spoiled(good string) []string {
	return []string{
		"", good + "A", good[1:], good + "=", " " + good, good + "\n", good + "\r", "\x00" + good[1:],
		good[:4] + "\n" + good[5:], good[:4] + "+" + good[5:], good[:4] + "/" + good[5:], good[:4] + "é" + good[6:],
		good[:len(good)-1] + "\x00", strings.Repeat("A", 9000),
	}
}

// TestOneSpelling: trailing bits that no byte holds would let two texts name one room.
func TestOneSpelling(t *testing.T) {
	if _, err := ParseMemberID(id16[:21] + "x"); !errors.Is(err, ErrMalformed) {
		t.Errorf("an id with stray bits at its end: error %v, want ErrMalformed", err)
	}
}

func TestParseChunkIDNumbers(t *testing.T) {
	for _, bad := range []string{"", ".", ".-1", ".+1", ".01", ".4294967296", ".1e3", ". 1", ".1.2", "1"} {
		if c, err := ParseChunkID(id16 + bad); !errors.Is(err, ErrMalformed) {
			t.Errorf("ParseChunkID(FILE%q) = %v, %v; want ErrMalformed", bad, c, err)
		}
	}
}

func TestCursor(t *testing.T) {
	for _, good := range []string{"AAECAwQFBgc.0", "AAECAwQFBgc.18446744073709551615"} {
		c, err := ParseCursor(good)
		if err != nil || c.String() != good {
			t.Errorf("ParseCursor(%q) = %v, %v; want it back", good, c, err)
		}
	}
	for _, bad := range []string{"", ".", "AAECAwQFBgc", "AAECAwQFBgc.", "AAECAwQFBgc.01", "AAECAwQFBgc.-1", "AAECAwQFBgc.18446744073709551616", "AAECAwQFBg.1", "AAECAwQFBgc.1\n", "AAECAwQFBgc.1.2"} {
		if c, err := ParseCursor(bad); !errors.Is(err, ErrMalformed) || c != (Cursor{}) {
			t.Errorf("ParseCursor(%q) = %v, %v; want nothing and ErrMalformed", bad, c, err)
		}
	}
}

// FuzzParse: what parses comes back as it was, in text and in JSON; everything else is ErrMalformed.
func FuzzParse(f *testing.F) {
	for _, seed := range append(spoiled(id16), id16, id20, id16+".7", "AAECAwQFBgc.12") {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, s string) {
		check(t, s, ParseRoomID)
		check(t, s, ParseMemberID)
		check(t, s, ParseChunkID)
		check(t, s, ParseCursor)
		check(t, s, ParsePostToken)
		check(t, s, ParseAccessToken)
	})
}

func check[T interface{ MarshalText() ([]byte, error) }](t *testing.T, s string, parse func(string) (T, error)) {
	t.Helper()
	v, err := parse(s)
	if err != nil {
		if !errors.Is(err, ErrMalformed) {
			t.Errorf("parse(%q): %v, want ErrMalformed", s, err)
		}
		return
	}
	text, err := v.MarshalText()
	if err != nil || string(text) != s {
		t.Errorf("parse(%q) marshals to %q, %v", s, text, err)
	}
	quoted, _ := json.Marshal(s)
	if back, err := json.Marshal(v); err != nil || string(back) != string(quoted) {
		t.Errorf("parse(%q) is %s in JSON, %v", s, back, err)
	}
}

func TestBytesJSON(t *testing.T) {
	for n := range 70 {
		in := Bytes(strings.Repeat("\xff", n))
		text := MustJSON(in)
		var out Bytes
		if err := json.Unmarshal(text, &out); err != nil || string(out) != string(in) {
			t.Errorf("%d bytes come back as %d, %v", n, len(out), err)
		}
	}
	for _, bad := range []string{`"A"`, `"AA=="`, `"A+AA"`, `"AAAA\n"`, `"AB"`, `7`} {
		var out Bytes
		if err := json.Unmarshal([]byte(bad), &out); err == nil {
			t.Errorf("%s is taken as %v", bad, out)
		}
	}
}
