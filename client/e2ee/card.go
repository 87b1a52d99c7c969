package e2ee

import (
	"crypto/ed25519"
	"fmt"
	"io"
	"slices"
	"time"
	"unicode"
	"unicode/utf8"

	"snug/wire"
)

const (
	cardSuite = 1
	maxAlias  = 64
)

// Identity is what makes a member the same member again: the secret its id follows from and its signing key.
// It stays the same in all rooms the member moves to, and is worth keeping secret like a password.
type Identity struct {
	Secret wire.MemberSecret
	Seed   [ed25519.SeedSize]byte // RFC 8032 private key
}

// NewIdentity draws one. A nil r is crypto/rand.
func NewIdentity(r io.Reader) (id Identity, err error) {
	if id.Secret, err = NewMemberSecret(r); err != nil {
		return Identity{}, err
	}
	id.Seed, err = random(r)
	return id, err
}

// Member is the member id.
func (id Identity) Member() wire.MemberID { return MemberID(id.Secret) }

// Public is the identity key that others see.
func (id Identity) Public() [32]byte {
	key := ed25519.NewKeyFromSeed(id.Seed[:])
	defer clear(key)
	return [32]byte(key[32:])
}

// sign is Sign(k, l, b) of docs/PROTOCOL.md.
func (id *Identity) sign(l string, parts ...[]byte) []byte {
	key := ed25519.NewKeyFromSeed(id.Seed[:])
	defer clear(key)
	return ed25519.Sign(key, signed(l, parts...))
}

// Card is what a member shows of itself.
type Card struct {
	Member   wire.MemberID
	Created  time.Time // to the millisecond
	Rotation uint32    // grows with each new HPKE key
	HPKE     [32]byte  // X25519 public key that chains are sealed to
	Identity [32]byte  // Ed25519 public key, the same for as long as the member is the same
	Alias    string
}

// CheckAlias tells whether an alias may be on a card: 1 to 64 bytes of UTF-8 without control characters. It fails with ErrMalformed.
func CheckAlias(alias string) error {
	ok := alias != "" && len(alias) <= maxAlias && utf8.ValidString(alias)
	for _, r := range alias {
		ok = ok && !unicode.IsControl(r)
	}
	if !ok {
		return fmt.Errorf("alias: %w: want 1 to %d bytes of UTF-8 without control characters", ErrMalformed, maxAlias)
	}
	return nil
}

// SignCard gives the bytes of a card in a room, signed by id. Member and Identity are taken from id.
// It fails with ErrMalformed for an alias that CheckAlias refuses, or a time before 1970.
func SignCard(room wire.RoomID, id Identity, c Card) ([]byte, error) {
	if err := CheckAlias(c.Alias); err != nil {
		return nil, err
	}
	if ms := c.Created.UnixMilli(); ms < 0 || ms > maxMilli {
		return nil, fmt.Errorf("card: %w: created", ErrMalformed)
	}
	member, public := id.Member(), id.Public()
	body := slices.Concat([]byte{cardSuite}, member[:], u64(uint64(c.Created.UnixMilli())), u32(c.Rotation),
		c.HPKE[:], public[:], lp([]byte(c.Alias)))
	return append(body, id.sign("card", room[:], body)...), nil
}

// ParseCard reads a card and checks its signature. Whether the identity key is the one known for the member is the
// caller's to check. It fails with ErrDamaged or ErrBadSignature.
func ParseCard(room wire.RoomID, b []byte) (Card, error) {
	body, sig, ok := cutSig(b)
	if !ok {
		return Card{}, fmt.Errorf("card: %w", ErrDamaged)
	}
	r := reader{b: body}
	suite := r.u8()
	c := Card{Member: wire.MemberID(r.take(16))}
	created := r.u64()
	c.Rotation, c.HPKE, c.Identity = r.u32(), [32]byte(r.take(32)), [32]byte(r.take(32))
	c.Alias = string(r.take(r.u16()))
	if !r.end() || suite != cardSuite || created > maxMilli || CheckAlias(c.Alias) != nil {
		return Card{}, fmt.Errorf("card: %w", ErrDamaged)
	}
	if !verify(c.Identity, "card", sig, room[:], body) {
		return Card{}, fmt.Errorf("card: %w", ErrBadSignature)
	}
	c.Created = time.UnixMilli(int64(created))
	return c, nil
}

// maxMilli is the largest number that both Go and JavaScript hold exactly.
const maxMilli = 1<<53 - 1
