package e2ee

import (
	"crypto/ecdh"
	"crypto/pbkdf2"
	"crypto/sha512"
	"fmt"
	"io"
	"net/url"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/cases"
	"golang.org/x/text/language"
	"golang.org/x/text/unicode/norm"

	"snug/wire"
)

// rounds of PBKDF2: half a second to a second of one core, for every guess at a passphrase.
const rounds = 1_000_000

// Root is the secret of a room. Whoever has it can join.
type Root [32]byte

// NewLinkRoot draws the root of a link room. A nil r is crypto/rand.
func NewLinkRoot(r io.Reader) (Root, error) {
	b, err := random(r)
	return Root(b), err
}

// PassphraseRoot derives the root of a passphrase room, which takes about a second. Case and the width of
// characters make no difference in the room name; in the passphrase case does.
// It fails with ErrEmpty if either is empty after trimming, and with ErrMalformed if it is not UTF-8.
func PassphraseRoot(passphrase, roomName string) (Root, error) {
	p, err := normalPassphrase(passphrase)
	if err != nil {
		return Root{}, fmt.Errorf("passphrase: %w", err)
	}
	salt, err := nameSalt(roomName)
	if err != nil {
		return Root{}, fmt.Errorf("room name: %w", err)
	}
	key, err := pbkdf2.Key(sha512.New, p, salt[:], rounds, 32)
	if err != nil {
		return Root{}, fmt.Errorf("passphrase root: %w", err)
	}
	defer clear(key)
	return Root(key), nil
}

func normalPassphrase(s string) (string, error) {
	if !utf8.ValidString(s) {
		return "", fmt.Errorf("%w: not UTF-8", ErrMalformed)
	}
	if s = trim(s); s == "" {
		return "", ErrEmpty
	}
	return norm.NFKC.String(s), nil
}

func nameSalt(name string) ([32]byte, error) {
	s, err := normalPassphrase(name)
	if err != nil {
		return [32]byte{}, err
	}
	s = cases.Lower(language.Und).String(s)
	if len(s) > 0xffff {
		return [32]byte{}, fmt.Errorf("%w: longer than 65,535 bytes", ErrMalformed)
	}
	return hash("salt", lp([]byte(s))), nil
}

// trim removes what JavaScript's String.prototype.trim removes; unicode.IsSpace differs from it by U+0085 and U+FEFF.
func trim(s string) string {
	return strings.TrimFunc(s, func(r rune) bool {
		switch {
		case r >= 0x09 && r <= 0x0d, r >= 0x2000 && r <= 0x200a:
			return true
		}
		switch r {
		case 0x20, 0xa0, 0x1680, 0x2028, 0x2029, 0x202f, 0x205f, 0x3000, 0xfeff:
			return true
		}
		return false
	})
}

// Link is the address that lets whoever opens it join the room. Origin is scheme://host[:port], without a path.
func (r Root) Link(origin string) string { return origin + "/#" + b64u.EncodeToString(r[:]) }

// ParseLink takes a link apart. It fails with ErrMalformed for anything but http or https, a host, an empty path and
// 43 characters of base64url in the fragment. The error never holds the link.
func ParseLink(link string) (origin string, root Root, err error) {
	head, fragment, ok := strings.Cut(link, "#")
	u, perr := url.Parse(head)
	if !ok || perr != nil || (u.Scheme != "https" && u.Scheme != "http") || u.Host == "" {
		return "", Root{}, fmt.Errorf("link: %w: want ORIGIN/#SECRET", ErrMalformed)
	}
	origin = u.Scheme + "://" + u.Host
	b, err := decode64(fragment, len(root))
	if err != nil || u.Path != "/" || u.RawQuery != "" || u.ForceQuery || u.User != nil {
		return "", Root{}, fmt.Errorf("link: %w: want ORIGIN/#SECRET", ErrMalformed)
	}
	return origin, Root(b), nil
}

// Keys is what follows from a root.
type Keys struct {
	Access wire.AccessToken // proves the right to join; shown to the relay at join
	Post   wire.PostToken   // the right to send from a shell
	Room   wire.RoomID      // may be known to everybody
	Outer  [32]byte         // seals frames
	Drop   [32]byte         // X25519 private key that opens shell posts
}

// Keys derives them.
func (r Root) Keys() Keys {
	k := Keys{
		Access: wire.AccessToken(expand(r[:], "access")),
		Outer:  expand(r[:], "outer"),
		Drop:   expand(r[:], "drop"),
	}
	k.Post = wire.PostToken(hash("post", k.Access[:]))
	room := hash("room", k.Post[:])
	k.Room = wire.RoomID(room[:20])
	return k
}

// DropPublic is the public key that shell posts are sealed to.
func (k Keys) DropPublic() [32]byte { return publicX25519(k.Drop) }

// NewMemberSecret draws the secret a member shows at join. A nil r is crypto/rand.
func NewMemberSecret(r io.Reader) (wire.MemberSecret, error) {
	b, err := random(r)
	return wire.MemberSecret(b), err
}

// MemberID is the id of the member that holds the secret.
func MemberID(secret wire.MemberSecret) wire.MemberID { return secret.Member() }

func publicX25519(private [32]byte) [32]byte {
	k, err := ecdh.X25519().NewPrivateKey(private[:])
	if err != nil {
		panic("e2ee: X25519: " + err.Error()) // every 32 bytes are a key
	}
	return [32]byte(k.PublicKey().Bytes())
}
