// Package wire holds what snug's relay and its clients say to each other: ids, tokens, cursors, events, limits
// and the JSON of requests and answers. It knows no HTTP, no storage and no keys but the two tokens, and imports
// the standard library only.
//
// Everything that comes from outside is parsed once into one of these types; a value of such a type is well formed.
package wire

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// ErrMalformed is wrapped by every parse error of this package.
var ErrMalformed = errors.New("malformed")

// encoding is base64url without padding. Strict refuses non-zero trailing bits, so an id has one spelling only.
var encoding = base64.RawURLEncoding.Strict()

type (
	// RoomID names a room: the last hash of the token chain, cut to 20 bytes. Anybody may see it.
	RoomID [20]byte
	// MemberID names a member of a room: SHA-256 of its secret, cut to 16 bytes.
	MemberID [16]byte
	// SessionID is a member's short-lived handle, random, new at every join. Whoever has it can act as the member.
	SessionID [16]byte
	// MessageID is chosen by the poster; (member, message id) makes a post idempotent.
	MessageID [16]byte
	// KnockID names a stranger's mailbox: SHA-256 of its secret, cut to 16 bytes, as a member id is.
	KnockID [16]byte
	// FileID groups the chunks of one file; chosen by the sender.
	FileID [16]byte
)

// ChunkID names one piece of a file.
type ChunkID struct {
	File FileID
	N    uint32
}

// ParseRoomID reads the 27 characters of a room id.
func ParseRoomID(s string) (id RoomID, err error) { return id, decode(id[:], s, "room id") }

// ParseMemberID reads the 22 characters of a member id.
func ParseMemberID(s string) (id MemberID, err error) { return id, decode(id[:], s, "member id") }

// ParseSessionID reads the 22 characters of a session id.
func ParseSessionID(s string) (id SessionID, err error) { return id, decode(id[:], s, "session") }

// ParseMessageID reads the 22 characters of a message id.
func ParseMessageID(s string) (id MessageID, err error) { return id, decode(id[:], s, "message id") }

// ParseKnockID reads the 22 characters of a knock id.
func ParseKnockID(s string) (id KnockID, err error) { return id, decode(id[:], s, "knock id") }

// ParseFileID reads the 22 characters of a file id.
func ParseFileID(s string) (id FileID, err error) { return id, decode(id[:], s, "file id") }

// ParseChunkID reads FILE.N, a file id and a decimal number without leading zeros.
func ParseChunkID(s string) (ChunkID, error) {
	file, n, ok := strings.Cut(s, ".")
	if !ok {
		return ChunkID{}, fmt.Errorf("chunk id: %w: want FILE.NUMBER", ErrMalformed)
	}
	f, err := ParseFileID(file)
	if err != nil {
		return ChunkID{}, err
	}
	u, err := parseUint(n, 32)
	if err != nil {
		return ChunkID{}, fmt.Errorf("chunk number: %w", err)
	}
	return ChunkID{File: f, N: uint32(u)}, nil
}

func (id RoomID) String() string    { return encoding.EncodeToString(id[:]) }
func (id MemberID) String() string  { return encoding.EncodeToString(id[:]) }
func (id SessionID) String() string { return encoding.EncodeToString(id[:]) }
func (id MessageID) String() string { return encoding.EncodeToString(id[:]) }
func (id KnockID) String() string   { return encoding.EncodeToString(id[:]) }
func (id FileID) String() string    { return encoding.EncodeToString(id[:]) }
func (id ChunkID) String() string {
	return id.File.String() + "." + strconv.FormatUint(uint64(id.N), 10)
}

// MarshalText makes the id a JSON string.
func (id RoomID) MarshalText() ([]byte, error)    { return encoding.AppendEncode(nil, id[:]), nil }
func (id MemberID) MarshalText() ([]byte, error)  { return encoding.AppendEncode(nil, id[:]), nil }
func (id SessionID) MarshalText() ([]byte, error) { return encoding.AppendEncode(nil, id[:]), nil }
func (id MessageID) MarshalText() ([]byte, error) { return encoding.AppendEncode(nil, id[:]), nil }
func (id KnockID) MarshalText() ([]byte, error)   { return encoding.AppendEncode(nil, id[:]), nil }
func (id FileID) MarshalText() ([]byte, error)    { return encoding.AppendEncode(nil, id[:]), nil }
func (id ChunkID) MarshalText() ([]byte, error)   { return []byte(id.String()), nil }

// UnmarshalText refuses everything its Parse function refuses.
func (id *RoomID) UnmarshalText(b []byte) error    { return decode(id[:], string(b), "room id") }
func (id *MemberID) UnmarshalText(b []byte) error  { return decode(id[:], string(b), "member id") }
func (id *SessionID) UnmarshalText(b []byte) error { return decode(id[:], string(b), "session") }
func (id *MessageID) UnmarshalText(b []byte) error { return decode(id[:], string(b), "message id") }
func (id *KnockID) UnmarshalText(b []byte) error   { return decode(id[:], string(b), "knock id") }
func (id *FileID) UnmarshalText(b []byte) error    { return decode(id[:], string(b), "file id") }
func (id *ChunkID) UnmarshalText(b []byte) (err error) {
	*id, err = ParseChunkID(string(b))
	return err
}

// decode fills dst from exactly its length of base64url. The value itself stays out of the error: errors get logged.
func decode(dst []byte, s, what string) error {
	if len(s) != encoding.EncodedLen(len(dst)) {
		return fmt.Errorf("%s: %w: want %d characters of base64url, got %d", what, ErrMalformed, encoding.EncodedLen(len(dst)), len(s))
	}
	// DecodeString skips CR and LF, so a string with one in it is shorter than it looks.
	if n, err := encoding.Decode(dst, []byte(s)); err != nil || n != len(dst) {
		return fmt.Errorf("%s: %w: not base64url without padding", what, ErrMalformed)
	}
	return nil
}

// parseUint reads a canonical decimal: no sign, no leading zero.
func parseUint(s string, bits int) (uint64, error) {
	u, err := strconv.ParseUint(s, 10, bits)
	if err != nil || strconv.FormatUint(u, 10) != s {
		return 0, fmt.Errorf("%w: want a decimal number without leading zeros", ErrMalformed)
	}
	return u, nil
}
