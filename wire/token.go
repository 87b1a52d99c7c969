package wire

import (
	"crypto/sha256"
	"crypto/subtle"
)

type (
	// AccessToken proves the right to join a room. PostToken follows from it by one hash, the room id by another.
	AccessToken [32]byte
	// PostToken proves the right to send from a shell. It cannot join and cannot read.
	PostToken [32]byte
	// MemberSecret is shown at join only; its hash is the member id.
	MemberSecret [32]byte
)

// ParsePostToken reads the 43 characters of a post token.
func ParsePostToken(s string) (t PostToken, err error) { return t, decode(t[:], s, "post token") }

// ParseAccessToken reads the 43 characters of an access token.
func ParseAccessToken(s string) (t AccessToken, err error) { return t, decode(t[:], s, "access token") }

// Opens tells whether the token belongs to the room, in constant time.
func (t AccessToken) Opens(room RoomID) bool { return t.Post().Opens(room) }

// Post is the post token that follows from an access token: H("post", access).
func (t AccessToken) Post() PostToken { return hash("post", t[:]) }

// Opens tells whether the token belongs to the room, in constant time.
func (t PostToken) Opens(room RoomID) bool {
	own := t.Room()
	return subtle.ConstantTimeCompare(own[:], room[:]) == 1
}

// Room is the id of the room a post token belongs to: H("room", post)[:20].
func (t PostToken) Room() RoomID {
	h := hash("room", t[:])
	return RoomID(h[:20])
}

// Member is the id of the member that holds the secret.
func (s MemberSecret) Member() MemberID {
	h := sha256.Sum256(s[:])
	return MemberID(h[:16])
}

// Knock is the id of the knock that a stranger holding the secret makes.
func (s MemberSecret) Knock() KnockID { return KnockID(s.Member()) }

func (t AccessToken) MarshalText() ([]byte, error)  { return encoding.AppendEncode(nil, t[:]), nil }
func (t PostToken) MarshalText() ([]byte, error)    { return encoding.AppendEncode(nil, t[:]), nil }
func (s MemberSecret) MarshalText() ([]byte, error) { return encoding.AppendEncode(nil, s[:]), nil }

func (t *AccessToken) UnmarshalText(b []byte) error  { return decode(t[:], string(b), "access token") }
func (t *PostToken) UnmarshalText(b []byte) error    { return decode(t[:], string(b), "post token") }
func (s *MemberSecret) UnmarshalText(b []byte) error { return decode(s[:], string(b), "member secret") }

// hash is H(label, b) of docs/PROTOCOL.md: SHA-256("snug/1 " || label || 0x00 || b).
func hash(label string, b []byte) [32]byte {
	h := sha256.New()
	h.Write([]byte("snug/1 " + label + "\x00"))
	h.Write(b)
	return [32]byte(h.Sum(nil))
}
