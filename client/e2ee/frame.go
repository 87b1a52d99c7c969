package e2ee

import (
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"math/bits"
	"slices"

	"snug/wire"
)

// FrameType says what is inside a frame. The relay can see it.
type FrameType uint8

// The types of snug/1.
const (
	TypeCard    FrameType = 1 // a signed card
	TypeKeys    FrameType = 2 // a sender's chain, sealed to its recipients
	TypeMessage FrameType = 3 // one sender-key message
	TypeMove    FrameType = 4 // the room moves to a new root
	TypeWaiting FrameType = 5 // who is not let in yet
)

const (
	frameVersion = 1
	frameHeader  = 1 + 1 + 16 + 8
	minPadded    = 256
	tagSize      = 16
)

// padme is the padded length of n bytes: at most 12 % more, and only O(log log n) bits of the length stay visible.
func padme(n int) int {
	if n <= minPadded {
		return minPadded
	}
	e := bits.Len(uint(n)) - 1
	s := bits.Len(uint(e))
	mask := 1<<(e-s) - 1
	return (n + mask) &^ mask
}

// FrameSealer seals frames with a session id of its own and a counter. It is not safe for concurrent use.
type FrameSealer struct {
	room wire.RoomID
	key  [32]byte
	sid  [16]byte
	ctr  uint64
}

// NewFrameSealer draws a session id. Make a new one at each start: a counter is never continued. A nil r is crypto/rand.
func NewFrameSealer(k Keys, r io.Reader) (*FrameSealer, error) {
	b, err := random(r)
	if err != nil {
		return nil, err
	}
	s := &FrameSealer{room: k.Room, sid: [16]byte(b[:16])}
	s.key = frameKey(k.Outer, s.sid[:])
	return s, nil
}

// Seal pads and seals inner. It fails with ErrExhausted when the counter is at its end.
func (s *FrameSealer) Seal(t FrameType, inner []byte) ([]byte, error) {
	if s.ctr == math.MaxUint64 || len(inner) > math.MaxInt32 {
		return nil, fmt.Errorf("frame: %w", ErrExhausted)
	}
	head := slices.Concat([]byte{frameVersion, byte(t)}, s.sid[:], u64(s.ctr))
	s.ctr++
	padded := make([]byte, padme(len(inner)+4))
	binary.BigEndian.PutUint32(padded, uint32(len(inner)))
	copy(padded[4:], inner)
	return newGCM(s.key).Seal(head, frameNonce(head), padded, slices.Concat(s.room[:], head)), nil
}

// Close erases the key.
func (s *FrameSealer) Close() {
	clear(s.key[:])
	s.ctr = math.MaxUint64
}

// OpenFrame gives the type and the inner of a frame of this room. It fails with ErrDamaged, or with ErrNewer for another
// version. The type is not checked.
func OpenFrame(k Keys, frame []byte) (FrameType, []byte, error) {
	if len(frame) < frameHeader+minPadded+tagSize {
		return 0, nil, fmt.Errorf("frame: %w", ErrDamaged)
	}
	if frame[0] != frameVersion {
		return 0, nil, fmt.Errorf("frame: %w", ErrNewer)
	}
	head := frame[:frameHeader:frameHeader]
	gcm := newGCM(frameKey(k.Outer, head[2:18]))
	padded, err := gcm.Open(nil, frameNonce(head), frame[frameHeader:], slices.Concat(k.Room[:], head))
	if err != nil {
		return 0, nil, fmt.Errorf("frame: %w", ErrDamaged)
	}
	inner, ok := unpad(padded)
	if !ok {
		return 0, nil, fmt.Errorf("frame: %w: padding", ErrDamaged)
	}
	return FrameType(head[1]), inner, nil
}

func unpad(padded []byte) ([]byte, bool) {
	n := uint64(binary.BigEndian.Uint32(padded))
	rest := padded[4:]
	if n > uint64(len(rest)) {
		return nil, false
	}
	for _, b := range rest[n:] {
		if b != 0 {
			return nil, false
		}
	}
	return rest[:n:n], true
}

func frameKey(outer [32]byte, sid []byte) [32]byte { return expand(outer[:], "frame"+string(sid)) }

// frameNonce is four zero bytes and the counter.
func frameNonce(head []byte) []byte { return append(make([]byte, 4), head[18:26]...) }
