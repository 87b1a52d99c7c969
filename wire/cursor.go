package wire

import (
	"fmt"
	"strconv"
	"strings"
)

// Epoch is random for each life of a room, so a cursor of an older life is recognised. Zero is no epoch.
type Epoch [8]byte

// Cursor is a place in a room's log, written EPOCH.SEQ. Everything up to and including Seq lies behind it.
// Sequence numbers only grow; they may have holes, so nobody infers loss from one.
type Cursor struct {
	Epoch Epoch
	Seq   uint64
}

// ParseCursor reads EPOCH.SEQ: 11 characters of base64url, a dot, a decimal number without leading zeros.
func ParseCursor(s string) (c Cursor, err error) {
	epoch, seq, ok := strings.Cut(s, ".")
	if !ok {
		return c, fmt.Errorf("cursor: %w: want EPOCH.NUMBER", ErrMalformed)
	}
	if err := decode(c.Epoch[:], epoch, "cursor epoch"); err != nil {
		return c, err
	}
	if c.Seq, err = parseUint(seq, 64); err != nil {
		return Cursor{}, fmt.Errorf("cursor: %w", err)
	}
	return c, nil
}

func (c Cursor) String() string { return string(c.append(nil)) }

// MarshalText makes the cursor a JSON string.
func (c Cursor) MarshalText() ([]byte, error) { return c.append(nil), nil }

// UnmarshalText refuses everything ParseCursor refuses.
func (c *Cursor) UnmarshalText(b []byte) (err error) {
	*c, err = ParseCursor(string(b))
	return err
}

func (c Cursor) append(b []byte) []byte {
	b = encoding.AppendEncode(b, c.Epoch[:])
	b = append(b, '.')
	return strconv.AppendUint(b, c.Seq, 10)
}
