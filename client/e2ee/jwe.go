package e2ee

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/ecdh"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding/unicode"
)

// Enc is a JWE content encryption.
type Enc string

// The two that snug takes. The first is the default because openssl and dgst can make it in a shell.
const (
	A256CBCHS512 Enc = "A256CBC-HS512"
	A256GCM      Enc = "A256GCM"
)

const (
	maxJWE       = 512 << 10 // twice the 256 KiB that a relay takes from a shell
	maxJWEHeader = 4096      // characters; a genuine one has some 150
)

// SealJWE seals text to a room's drop key as a compact JWE, which is what a shell posts. An empty enc is A256CBCHS512, a nil r
// is crypto/rand. It fails with ErrMalformed for another enc, text that is not UTF-8, or a key of low order.
func SealJWE(drop [32]byte, enc Enc, text []byte, r io.Reader) (string, error) {
	if enc == "" {
		enc = A256CBCHS512
	}
	if (enc != A256CBCHS512 && enc != A256GCM) || !utf8.Valid(text) {
		return "", fmt.Errorf("jwe: %w: want UTF-8 and A256CBC-HS512 or A256GCM", ErrMalformed)
	}
	ephemeral, err := random(r)
	if err != nil {
		return "", err
	}
	nonce, err := random(r)
	if err != nil {
		return "", err
	}
	z, err := agree(ephemeral, drop[:])
	if err != nil {
		return "", fmt.Errorf("jwe: %w: drop key", ErrMalformed)
	}
	public := publicX25519(ephemeral)
	header := b64u.EncodeToString([]byte(`{"alg":"ECDH-ES","enc":"` + string(enc) +
		`","epk":{"kty":"OKP","crv":"X25519","x":"` + b64u.EncodeToString(public[:]) + `"}}`))
	cek := concatKDF(z, string(enc), nil, nil, cekSize(enc))
	iv := nonce[:ivSize(enc)]
	ct, tag := sealContent(enc, cek, iv, text, []byte(header))
	return strings.Join([]string{header, "", b64u.EncodeToString(iv), b64u.EncodeToString(ct), b64u.EncodeToString(tag)}, "."), nil
}

// OpenJWE opens a compact JWE with the room's drop key. It fails with ErrDamaged for anything that docs/PROTOCOL.md does
// not describe under Shell. What is no UTF-8 in it becomes U+FFFD as in browsers: a shell seals what a program printed, and is told that it was sent.
func OpenJWE(drop [32]byte, jwe string) ([]byte, error) {
	text, ok := openJWE(drop, jwe)
	if !ok {
		return nil, fmt.Errorf("jwe: %w", ErrDamaged)
	}
	return unicode.UTF8.NewDecoder().Bytes(text) // never fails; Go's own replaces other numbers of bytes at once
}

func openJWE(drop [32]byte, jwe string) ([]byte, bool) {
	parts := strings.Split(jwe, ".")
	if len(jwe) > maxJWE || len(parts) != 5 || len(parts[0]) > maxJWEHeader || parts[1] != "" {
		return nil, false
	}
	raw := make([][]byte, 5)
	for i, p := range parts {
		var err error
		if raw[i], err = decode64(p, -1); err != nil {
			return nil, false
		}
	}
	h, ok := parseJWEHeader(raw[0])
	if !ok {
		return nil, false
	}
	z, err := agree(drop, h.epk)
	if err != nil {
		return nil, false
	}
	cek := concatKDF(z, string(h.enc), h.apu, h.apv, cekSize(h.enc))
	return openContent(h.enc, cek, raw[2], raw[3], raw[4], []byte(parts[0]))
}

type jweHeader struct {
	enc           Enc
	epk, apu, apv []byte
}

// parseJWEHeader reads into maps, because encoding/json matches the fields of a struct in any case.
func parseJWEHeader(b []byte) (h jweHeader, ok bool) {
	var m, epk map[string]json.RawMessage
	if !utf8.Valid(b) || json.Unmarshal(b, &m) != nil || json.Unmarshal(m["epk"], &epk) != nil {
		return h, false
	}
	_, zip := m["zip"]
	_, crit := m["crit"]
	h.enc = Enc(text(m["enc"]))
	_, private := epk["d"]
	if zip || crit || private || text(m["alg"]) != "ECDH-ES" || (h.enc != A256CBCHS512 && h.enc != A256GCM) ||
		text(epk["kty"]) != "OKP" || text(epk["crv"]) != "X25519" {
		return h, false
	}
	var err error
	if h.epk, err = decode64(text(epk["x"]), 32); err != nil {
		return h, false
	}
	if h.apu, ok = optional64(m, "apu"); !ok {
		return h, false
	}
	h.apv, ok = optional64(m, "apv")
	return h, ok
}

// text is a JSON string, or "" for anything else.
func text(raw json.RawMessage) string {
	var s any
	if json.Unmarshal(raw, &s) != nil {
		return ""
	}
	out, _ := s.(string)
	return out
}

// optional64 is a base64url member of m, or nil if there is none.
func optional64(m map[string]json.RawMessage, name string) ([]byte, bool) {
	raw, there := m[name]
	if !there {
		return nil, true
	}
	var s any
	if json.Unmarshal(raw, &s) != nil {
		return nil, false
	}
	str, isString := s.(string)
	b, err := decode64(str, -1)
	return b, isString && err == nil
}

// agree is X25519. It fails for the all-zero secret.
func agree(private [32]byte, public []byte) ([]byte, error) {
	priv, err := ecdh.X25519().NewPrivateKey(private[:])
	if err != nil {
		return nil, err
	}
	pub, err := ecdh.X25519().NewPublicKey(public)
	if err != nil {
		return nil, err
	}
	return priv.ECDH(pub)
}

// concatKDF is RFC 7518 section 4.6.2 with SHA-256, giving n bytes. It erases z.
func concatKDF(z []byte, alg string, apu, apv []byte, n int) []byte {
	defer clear(z)
	field := func(b []byte) []byte { return append(u32(uint32(len(b))), b...) }
	info := slices.Concat(field([]byte(alg)), field(apu), field(apv), u32(uint32(8*n)))
	var out []byte
	for round := uint32(1); len(out) < n; round++ {
		sum := sha256.Sum256(slices.Concat(u32(round), z, info))
		out = append(out, sum[:]...)
	}
	return out[:n]
}

func cekSize(enc Enc) int {
	if enc == A256GCM {
		return 32
	}
	return 64
}

func ivSize(enc Enc) int {
	if enc == A256GCM {
		return 12
	}
	return aes.BlockSize
}

func sealContent(enc Enc, cek, iv, text, aad []byte) (ct, tag []byte) {
	defer clear(cek)
	if enc == A256GCM {
		out := newGCM([32]byte(cek)).Seal(nil, iv, text, aad)
		return out[:len(text)], out[len(text):]
	}
	pad := aes.BlockSize - len(text)%aes.BlockSize
	ct = slices.Concat(text, slices.Repeat([]byte{byte(pad)}, pad))
	cipher.NewCBCEncrypter(newAES(cek[32:]), iv).CryptBlocks(ct, ct)
	return ct, cbcTag(cek[:32], aad, iv, ct)
}

func openContent(enc Enc, cek, iv, ct, tag, aad []byte) ([]byte, bool) {
	defer clear(cek)
	if len(iv) != ivSize(enc) {
		return nil, false
	}
	if enc == A256GCM {
		if len(tag) != tagSize {
			return nil, false
		}
		out, err := newGCM([32]byte(cek)).Open(nil, iv, slices.Concat(ct, tag), aad)
		return out, err == nil
	}
	if !hmac.Equal(tag, cbcTag(cek[:32], aad, iv, ct)) || len(ct) == 0 || len(ct)%aes.BlockSize != 0 {
		return nil, false
	}
	out := make([]byte, len(ct))
	cipher.NewCBCDecrypter(newAES(cek[32:]), iv).CryptBlocks(out, ct)
	return unpad7(out)
}

// unpad7 removes PKCS #7 padding. It need not be constant in time: the tag was checked before.
func unpad7(b []byte) ([]byte, bool) {
	pad := int(b[len(b)-1])
	if pad == 0 || pad > aes.BlockSize {
		return nil, false
	}
	for _, p := range b[len(b)-pad:] {
		if int(p) != pad {
			return nil, false
		}
	}
	return b[:len(b)-pad], true
}

// cbcTag is the HMAC-SHA-512 of RFC 7518 section 5.2.2.1, cut to half.
func cbcTag(key, aad, iv, ct []byte) []byte {
	mac := hmac.New(sha512.New, key)
	mac.Write(slices.Concat(aad, iv, ct, u64(uint64(8*len(aad)))))
	return mac.Sum(nil)[:32]
}

func newAES(key []byte) cipher.Block {
	b, err := aes.NewCipher(key)
	if err != nil {
		panic("e2ee: AES-256: " + err.Error()) // the length is fixed by the callers
	}
	return b
}
