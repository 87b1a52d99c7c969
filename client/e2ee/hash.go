package e2ee

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/ed25519"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"io"
	"slices"
)

// label is the prefix of every hash, derivation, signature and info of this protocol.
const label = "snug/1 "

// b64u is base64url without padding; Strict refuses non-zero trailing bits, so each value has one spelling.
var b64u = base64.RawURLEncoding.Strict()

// decode64 reads exactly n bytes of base64url, or any number if n is negative. DecodeString skips line breaks, so it looks for them.
func decode64(s string, n int) ([]byte, error) {
	b, err := b64u.DecodeString(s)
	if err != nil || (n >= 0 && len(b) != n) || b64u.EncodedLen(len(b)) != len(s) {
		return nil, fmt.Errorf("%w: not base64url of the right length", ErrMalformed)
	}
	return b, nil
}

// hash is H(l, b) of docs/PROTOCOL.md.
func hash(l string, parts ...[]byte) [32]byte {
	h := sha256.New()
	h.Write([]byte(label + l + "\x00"))
	for _, p := range parts {
		h.Write(p)
	}
	return [32]byte(h.Sum(nil))
}

// expand is X(k, l) of docs/PROTOCOL.md.
func expand(k []byte, l string) [32]byte {
	out, err := hkdf.Key(sha256.New, k, nil, label+l, 32)
	if err != nil {
		panic("e2ee: HKDF of 32 bytes: " + err.Error()) // only asked for lengths beyond 8,160 does it fail
	}
	defer clear(out)
	return [32]byte(out)
}

// lp prefixes b with its length as u16.
func lp(b []byte) []byte {
	return append(binary.BigEndian.AppendUint16(nil, uint16(len(b))), b...)
}

// signed is what Sign(k, l, b) of docs/PROTOCOL.md signs.
func signed(l string, parts ...[]byte) []byte {
	return slices.Concat(append([][]byte{[]byte(label + l + "\x00")}, parts...)...)
}

func verify(key [32]byte, l string, sig []byte, parts ...[]byte) bool {
	return len(sig) == ed25519.SignatureSize && ed25519.Verify(key[:], signed(l, parts...), sig)
}

// newGCM is AES-256-GCM with a 12-byte nonce.
func newGCM(key [32]byte) cipher.AEAD {
	block, err := aes.NewCipher(key[:])
	if err != nil {
		panic("e2ee: AES-256: " + err.Error()) // the length is right by type
	}
	gcm, err := cipher.NewGCM(block)
	if err != nil {
		panic("e2ee: AES-256-GCM: " + err.Error())
	}
	return gcm
}

// random fills 32 bytes from r, or from crypto/rand if r is nil.
func random(r io.Reader) (b [32]byte, err error) {
	if r == nil {
		r = rand.Reader
	}
	if _, err = io.ReadFull(r, b[:]); err != nil {
		return b, fmt.Errorf("random: %w", err)
	}
	return b, nil
}

func u16(v int) []byte    { return binary.BigEndian.AppendUint16(nil, uint16(v)) }
func u32(v uint32) []byte { return binary.BigEndian.AppendUint32(nil, v) }
func u64(v uint64) []byte { return binary.BigEndian.AppendUint64(nil, v) }

// reader takes fields from the front of b. The first that is missing sets bad, and everything after is zero.
type reader struct {
	b   []byte
	bad bool
}

func (r *reader) take(n int) []byte {
	if r.bad || len(r.b) < n {
		r.bad = true
		return make([]byte, n)
	}
	out := r.b[:n:n]
	r.b = r.b[n:]
	return out
}

func (r *reader) u8() int     { return int(r.take(1)[0]) }
func (r *reader) u16() int    { return int(binary.BigEndian.Uint16(r.take(2))) }
func (r *reader) u32() uint32 { return binary.BigEndian.Uint32(r.take(4)) }
func (r *reader) u64() uint64 { return binary.BigEndian.Uint64(r.take(8)) }

// end tells whether everything was there and nothing is left.
func (r *reader) end() bool { return !r.bad && len(r.b) == 0 }

// cutSig splits a signature off the end.
func cutSig(b []byte) (body, sig []byte, ok bool) {
	if len(b) < ed25519.SignatureSize {
		return nil, nil, false
	}
	n := len(b) - ed25519.SignatureSize
	return b[:n:n], b[n:], true
}
