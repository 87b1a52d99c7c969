package e2ee

import (
	"crypto/subtle"
	"encoding/binary"
	"fmt"
	"io"
	"slices"

	"snug/wire"
)

// The sizes of the four notes of a knock, in order.
const (
	KnockCommitSize = 32
	KnockAnswerSize = 64
	KnockRevealSize = 64
	KnockSealedSize = sealedKey + 64
)

// Arrival is as which member a stranger will come, and under which identity key.
type Arrival struct {
	Member   wire.MemberID
	Identity [32]byte
}

// knockArrivalSize is an arrival and 32 random bytes.
const knockArrivalSize = 16 + 32 + 32

// Knocker is the stranger's side of one knock: NewKnocker, Reveal, Code shown and compared by voice, Open. Every step works once,
// in this order; a failed one erases the keys, and a new knock is made. It is not safe for concurrent use.
type Knocker struct {
	room    wire.RoomID
	private [32]byte
	nonce   [32]byte
	arrival []byte // and salt; nil if it does not say as whom it comes
	commit  [32]byte
	member  [32]byte // the identity key of the member that answered
	t       []byte   // the transcript, nil until the answer came
	over    bool
}

// NewKnocker starts a knock. Commit is the first note. A nil r is crypto/rand.
func NewKnocker(room wire.RoomID, r io.Reader) (k *Knocker, commit []byte, err error) {
	k = &Knocker{room: room}
	if k.private, err = random(r); err != nil {
		return nil, nil, err
	}
	if k.nonce, err = random(r); err != nil {
		return nil, nil, err
	}
	public := publicX25519(k.private)
	k.commit = hash("knock-commit", room[:], public[:], k.nonce[:])
	return k, k.commit[:], nil
}

// NewKnockerAs starts a knock of somebody who says as which member it will come, and sends Arrival with the third note: the code that two people
// compare vouches for that too, and whoever approves lets exactly that member in. Otherwise it is NewKnocker.
func NewKnockerAs(room wire.RoomID, as Arrival, r io.Reader) (k *Knocker, commit []byte, err error) {
	if k, _, err = NewKnocker(room, r); err != nil {
		return nil, nil, err
	}
	k.arrival = slices.Concat(as.Member[:], as.Identity[:], k.nonce[:]) // its salt is what would have been the nonce
	k.nonce = hash("knock-nonce", k.arrival)
	public := publicX25519(k.private)
	k.commit = hash("knock-commit", room[:], public[:], k.nonce[:])
	return k, k.commit[:], nil
}

// Arrival is what goes along with the third note; nil after NewKnocker.
func (k *Knocker) Arrival() []byte { return slices.Clone(k.arrival) }

// Reveal takes the member's answer and gives the third note. It fails with ErrDamaged, or ErrClosed out of turn.
func (k *Knocker) Reveal(answer []byte) (reveal []byte, err error) {
	if k.over || k.t != nil {
		k.Close()
		return nil, fmt.Errorf("knock: %w", ErrClosed)
	}
	if len(answer) != KnockAnswerSize {
		k.Close()
		return nil, fmt.Errorf("knock answer: %w", ErrDamaged)
	}
	k.member = [32]byte(answer)
	public := publicX25519(k.private)
	reveal = slices.Concat(public[:], k.nonce[:])
	k.t = slices.Concat(k.room[:], k.commit[:], answer, reveal)
	return reveal, nil
}

// Code is what both people read to each other, six digits; empty before Reveal and after the end.
func (k *Knocker) Code() string { return knockCode(k.t) }

// Open gives the root of the room that was knocked at. It ends the knock. It fails with ErrBadSignature if it is not from
// the member whose code was shown, with ErrDamaged if it is no root of this room, and ErrClosed out of turn.
func (k *Knocker) Open(sealed []byte) (Root, error) {
	defer k.Close()
	if k.over || k.t == nil {
		return Root{}, fmt.Errorf("knock: %w", ErrClosed)
	}
	if len(sealed) != KnockSealedSize {
		return Root{}, fmt.Errorf("knock root: %w", ErrDamaged)
	}
	body, sig := sealed[:sealedKey], sealed[sealedKey:]
	if !verify(k.member, "knock", sig, k.t, body) {
		return Root{}, fmt.Errorf("knock root: %w", ErrBadSignature)
	}
	b, err := openKey(k.private, knockInfo(k.t), body)
	if err != nil {
		return Root{}, fmt.Errorf("knock root: %w", err)
	}
	root := Root(b)
	if root.Keys().Room != k.room {
		return Root{}, fmt.Errorf("knock root: %w: of another room", ErrDamaged)
	}
	return root, nil
}

// Close erases the keys of the knock.
func (k *Knocker) Close() {
	k.over, k.t = true, nil
	clear(k.private[:])
	clear(k.nonce[:])
}

// KnockHost is the member's side of one knock: AnswerKnock, Code once Check went well, Approve. Every step works once, in this
// order; a failed one ends the knock. It is not safe for concurrent use.
type KnockHost struct {
	root   Root
	id     Identity
	room   wire.RoomID
	commit [32]byte
	answer []byte
	public [32]byte // the stranger's key
	nonce  [32]byte // and nonce
	t      []byte   // the transcript, nil until the reveal came
	over   bool
}

// AnswerKnock takes a stranger's commitment. Answer is the second note. Let one knock at a time be open, and end it with
// Approve or Close. It fails with ErrDamaged or ErrClosed.
func (g *Group) AnswerKnock(commit []byte) (h *KnockHost, answer []byte, err error) {
	_, err = g.lock()
	defer g.mu.Unlock()
	if err != nil {
		return nil, nil, err
	}
	if len(commit) != KnockCommitSize {
		return nil, nil, fmt.Errorf("knock: %w", ErrDamaged)
	}
	nonce, err := random(g.rand)
	if err != nil {
		return nil, nil, err
	}
	public := g.id.Public()
	h = &KnockHost{root: g.root, id: g.id, room: g.keys.Room, commit: [32]byte(commit), answer: slices.Concat(public[:], nonce[:])}
	return h, slices.Clone(h.answer), nil
}

// Check takes the third note and holds it against the commitment. It fails with ErrDamaged, or ErrClosed out of turn.
func (h *KnockHost) Check(reveal []byte) error {
	if h.over || h.t != nil {
		h.Close()
		return fmt.Errorf("knock: %w", ErrClosed)
	}
	if len(reveal) != KnockRevealSize {
		h.Close()
		return fmt.Errorf("knock reveal: %w", ErrDamaged)
	}
	c := hash("knock-commit", h.room[:], reveal)
	if subtle.ConstantTimeCompare(c[:], h.commit[:]) != 1 {
		h.Close()
		return fmt.Errorf("knock reveal: %w: not what was committed to", ErrDamaged)
	}
	h.public, h.nonce = [32]byte(reveal), [32]byte(reveal[32:])
	h.t = slices.Concat(h.room[:], h.commit[:], h.answer, reveal)
	return nil
}

// Arrival reads as which member the stranger will come, after Check: the code vouches for it. It ends the knock and fails with ErrDamaged if that is
// not what was committed to, and with ErrClosed out of turn.
func (h *KnockHost) Arrival(note []byte) (Arrival, error) {
	if h.over || h.t == nil {
		h.Close()
		return Arrival{}, fmt.Errorf("knock: %w", ErrClosed)
	}
	if n := hash("knock-nonce", note); len(note) != knockArrivalSize || subtle.ConstantTimeCompare(n[:], h.nonce[:]) != 1 {
		h.Close()
		return Arrival{}, fmt.Errorf("knock arrival: %w: not what was committed to", ErrDamaged)
	}
	return Arrival{wire.MemberID(note[:16]), [32]byte(note[16:48])}, nil
}

// Code is what both people read to each other, six digits; empty before Check and after the end.
func (h *KnockHost) Code() string { return knockCode(h.t) }

// Approve gives the fourth note: the root, for the stranger whose code is the same. Call it when the two people have
// compared the code by voice, and not before. It ends the knock. It fails with ErrClosed out of turn.
func (h *KnockHost) Approve() ([]byte, error) {
	defer h.Close()
	if h.over || h.t == nil {
		return nil, fmt.Errorf("knock: %w", ErrClosed)
	}
	sealed, err := sealTo(h.public, knockInfo(h.t), h.root[:])
	if err != nil {
		return nil, fmt.Errorf("knock root: %w", ErrDamaged)
	}
	return append(sealed, h.id.sign("knock", h.t, sealed)...), nil
}

// Close ends the knock and erases its copy of the secrets.
func (h *KnockHost) Close() {
	h.over, h.t = true, nil
	clear(h.root[:])
	h.id = Identity{}
}

func knockInfo(t []byte) []byte { return append([]byte(label+"knock"), t...) }

func knockCode(t []byte) string {
	if t == nil {
		return ""
	}
	h := hash("knock-code", t)
	return fmt.Sprintf("%06d", binary.BigEndian.Uint64(h[:8])%1_000_000)
}
