package e2ee

import (
	"bytes"
	_ "embed"
	"encoding/binary"
	"fmt"
	"io"
	"slices"
	"strings"

	"snug/wire"
)

//go:embed words.txt
var wordList string

// words splits the 1,024-word list; index i is word i of static/js/lib/words.js.
func words() []string { return strings.Fields(wordList) }

// NewPassphrase draws n words, 10 bits of entropy each, with spaces between; fewer than 7 become 7. A nil r is crypto/rand.
func NewPassphrase(r io.Reader, n int) (string, error) {
	list, out := words(), make([]string, max(n, 7))
	for i := range out {
		b, err := random(r)
		if err != nil {
			return "", err
		}
		out[i] = list[binary.BigEndian.Uint16(b[:])%1024]
	}
	return strings.Join(out, " "), nil
}

// Fingerprint is what two people compare to know that an identity key is the one they mean: word word word word 01234 56789.
func Fingerprint(identity [32]byte) string {
	h := hash("fingerprint", identity[:])
	bits := bigEndian(h[:5])
	list, w := words(), make([]string, 4)
	for i := range w {
		w[i] = list[bits>>(30-10*i)&1023]
	}
	return strings.Join(w, " ") + " " + digits(h[5:10]) + " " + digits(h[10:15])
}

// SafetyCode is equal on all screens of a room on which the same identity keys are seen: six groups of five digits.
func SafetyCode(room wire.RoomID, identities [][32]byte) string {
	sorted := slices.Clone(identities)
	slices.SortFunc(sorted, func(a, b [32]byte) int { return bytes.Compare(a[:], b[:]) })
	parts := [][]byte{room[:]}
	for i := range sorted {
		parts = append(parts, sorted[i][:])
	}
	h := hash("safety", parts...)
	groups := make([]string, 6)
	for i := range groups {
		groups[i] = digits(h[5*i : 5*i+5])
	}
	return strings.Join(groups, " ")
}

// digits is five bytes as a big-endian number mod 100,000.
func digits(b []byte) string { return fmt.Sprintf("%05d", bigEndian(b)%100_000) }

func bigEndian(b []byte) (n uint64) {
	for _, c := range b {
		n = n<<8 | uint64(c)
	}
	return n
}
