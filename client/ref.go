package client

import (
	"fmt"
	"strings"

	"snug/wire"
)

// Ref names what a member said: a text or a file, by who said it and the id that it has in there.
type Ref struct {
	From wire.MemberID
	ID   string
}

// maxID bounds the ids of others; ours have 22 characters.
const maxID = 64

// ParseRef reads what String gives. It fails with wire.ErrMalformed.
func ParseRef(s string) (r Ref, err error) {
	from, id, ok := strings.Cut(s, " ")
	if !ok || id == "" || len(id) > maxID || strings.ContainsFunc(id, isControl) {
		return Ref{}, fmt.Errorf("reference: %w: want MEMBER ID", wire.ErrMalformed)
	}
	r.ID = id
	r.From, err = wire.ParseMemberID(from)
	return r, err
}

// String is MEMBER ID; "" for the zero Ref.
func (r Ref) String() string {
	if r == (Ref{}) {
		return ""
	}
	return r.From.String() + " " + r.ID
}

// MarshalText gives String.
func (r Ref) MarshalText() ([]byte, error) { return []byte(r.String()), nil }

// UnmarshalText is ParseRef, and takes "" for the zero Ref.
func (r *Ref) UnmarshalText(b []byte) (err error) {
	if len(b) == 0 {
		*r = Ref{}
		return nil
	}
	*r, err = ParseRef(string(b))
	return err
}

func isControl(r rune) bool { return r < 0x20 || r >= 0x7f && r < 0xa0 }
