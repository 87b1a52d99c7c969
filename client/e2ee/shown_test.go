package e2ee

import "testing"

// TestAliasThatDeceives: a name cannot turn the line it stands in or be empty to the eye; a card with one stays valid.
func TestAliasThatDeceives(t *testing.T) {
	for alias, want := range map[string]string{
		"ann": "ann", "\u202egnp.exe": "gnp.exe", "\u200b\u2060": "?", "\u2066a\u2069 b": "a b", "\u2800": "?", "\u3164": "?", "\ufe0f": "?",
		" \u2029": "?", "\u05d3\u05e0\u05d4": "\u05d3\u05e0\u05d4", "❤\ufe0f": "❤\ufe0f", "\U000e0041": "?", "\ue000x": "x",
	} {
		r := newRoom(t, "alice")
		other, err := NewGroup(Config{Root: r.root, Alias: alias, Now: r.clock.now})
		if err != nil {
			t.Fatal(err)
		}
		card, err := other.Card()
		if err != nil {
			t.Fatal(err)
		}
		alice := r.member["alice"]
		if status := alice.Learn(other.Self(), card); status != StatusNew {
			t.Errorf("%q: got status %v", alias, status)
		}
		if got := alice.Members()[0].Alias; got != want {
			t.Errorf("%q: shown as %q, want %q", alias, got, want)
		}
	}
}
