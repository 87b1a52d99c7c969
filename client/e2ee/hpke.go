package e2ee

import (
	"crypto/ecdh"
	"crypto/hpke"
	"fmt"
	"time"
)

// sealedKey is the size of 32 bytes sealed by HPKE: enc(32) and ct(32+16).
const sealedKey = 32 + 32 + tagSize

// hpkeGrace is how long a retired private key opens what was sealed to it and was still under way.
const hpkeGrace = 15 * time.Minute

func suite() (hpke.KDF, hpke.AEAD) { return hpke.HKDFSHA256(), hpke.AES256GCM() }

// sealTo is Seal(pk, i, b) of docs/PROTOCOL.md. It fails for a public key of low order.
func sealTo(public [32]byte, info, b []byte) ([]byte, error) {
	pub, err := hpke.DHKEM(ecdh.X25519()).NewPublicKey(public[:])
	if err != nil {
		return nil, fmt.Errorf("seal: %w: public key", ErrMalformed)
	}
	kdf, aead := suite()
	out, err := hpke.Seal(pub, kdf, aead, info, b)
	if err != nil {
		return nil, fmt.Errorf("seal: %w", err)
	}
	return out, nil
}

// openKey opens 32 sealed bytes. It fails with ErrDamaged.
func openKey(private [32]byte, info, sealed []byte) (out [32]byte, err error) {
	priv, err := hpke.DHKEM(ecdh.X25519()).NewPrivateKey(private[:])
	if err != nil {
		return out, fmt.Errorf("open: %w: private key", ErrMalformed)
	}
	kdf, aead := suite()
	b, err := hpke.Open(priv, kdf, aead, info, sealed)
	defer clear(b)
	if err != nil || len(b) != len(out) {
		return out, fmt.Errorf("sealed key: %w", ErrDamaged)
	}
	return [32]byte(b), nil
}

// hpkeKey is one private key. The bytes are kept rather than a crypto/hpke key because they can be erased.
type hpkeKey struct {
	rotation uint32
	private  [32]byte
	retired  time.Time // zero for the current one
}

// hpkeKeys is a member's current private key, last, and those in their grace before it.
type hpkeKeys []*hpkeKey

func (h hpkeKeys) current() *hpkeKey { return h[len(h)-1] }

func (h hpkeKeys) clone() hpkeKeys {
	out := make(hpkeKeys, len(h))
	for i, k := range h {
		c := *k
		out[i] = &c
	}
	return out
}

// add makes k the current key and retires the one before.
func (h *hpkeKeys) add(k *hpkeKey, now time.Time) {
	if len(*h) > 0 {
		h.current().retired = now
	}
	*h = append(*h, k)
}

// find gives the key of a rotation. It fails with ErrExpired.
func (h hpkeKeys) find(rotation uint32) (*hpkeKey, error) {
	for _, k := range h {
		if k.rotation == rotation {
			return k, nil
		}
	}
	return nil, ErrExpired
}

// expire erases the keys whose grace is over.
func (h *hpkeKeys) expire(now time.Time) {
	kept := (*h)[:0]
	for _, k := range *h {
		if !k.retired.IsZero() && now.Sub(k.retired) >= hpkeGrace {
			clear(k.private[:])
			continue
		}
		kept = append(kept, k)
	}
	clear((*h)[len(kept):])
	*h = kept
}

func (h hpkeKeys) erase() {
	for _, k := range h {
		clear(k.private[:])
	}
}
