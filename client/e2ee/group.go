package e2ee

import (
	"io"
	"sync"
	"time"

	"snug/wire"
)

const (
	rotateAge      = time.Hour // after so long a member changes its HPKE key
	rotateMessages = 200       // or after it sent so many messages
	sweepEvery     = time.Second
	maxShellSeen   = 20_000 // what a relay holds for a room by default; older posts cannot come again from an honest one
)

// Config makes a Group. Root and Alias are required.
type Config struct {
	Root     Root
	Identity *Identity        // nil: a new one
	Alias    string           // see CheckAlias
	Now      func() time.Time // nil: time.Now
	Rand     io.Reader        // nil: crypto/rand. HPKE and the runtime draw their own randomness in any case
}

// Group is one member's end-to-end state in one room. It holds no connection: frames go in and out, and the caller
// carries them, tells it who is there (Learn, Left) and keeps the order of what Seal returns.
//
// A Group is safe for concurrent use; its mutex is held for computing only. Close erases its keys.
type Group struct {
	now  func() time.Time // static after construction
	rand io.Reader        // static after construction
	self wire.MemberID    // static after construction

	mu       sync.Mutex // guards all below
	root     Root
	keys     Keys
	id       Identity
	alias    string
	created  time.Time
	hpke     hpkeKeys
	since    time.Time // of the last rotation
	sent     int       // messages since then
	sealer   *FrameSealer
	send     sendChain
	peers    map[wire.MemberID]*peer
	roomLock roomLock
	waits    bool // somebody said that this member is not let in yet
	shell    map[[32]byte]bool
	shells   [][32]byte // the same, oldest first
	repeats  uint64
	swept    time.Time // when keys were last looked through for those to erase
	closed   bool
}

// NewGroup enters a room as a member nobody has heard of, or as Identity. Publish Card before the first Seal. It fails with
// ErrMalformed for an alias that CheckAlias refuses.
func NewGroup(c Config) (*Group, error) {
	g, err := newGroup(c)
	if err != nil {
		return nil, err
	}
	if c.Identity != nil {
		g.id = *c.Identity
	} else if g.id, err = NewIdentity(c.Rand); err != nil {
		return nil, err
	}
	g.self = g.id.Member()
	if err := g.rotateLocked(g.now()); err != nil {
		return nil, err
	}
	return g, nil
}

// newGroup makes what NewGroup and Import have in common.
func newGroup(c Config) (*Group, error) {
	if err := CheckAlias(c.Alias); err != nil {
		return nil, err
	}
	g := &Group{now: c.Now, rand: c.Rand, root: c.Root, keys: c.Root.Keys(), alias: c.Alias,
		peers: make(map[wire.MemberID]*peer), shell: make(map[[32]byte]bool)}
	if g.now == nil {
		g.now = time.Now
	}
	var err error
	g.sealer, err = NewFrameSealer(g.keys, c.Rand)
	return g, err
}

// Keys is what follows from the room's root: id, tokens and keys.
func (g *Group) Keys() Keys {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.keys
}

// Root is the secret of the room, for making a link.
func (g *Group) Root() Root {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.root
}

// Identity is a copy of this member's secrets.
func (g *Group) Identity() Identity {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.id
}

// Self is this member's id.
func (g *Group) Self() wire.MemberID { return g.self }

// lock takes the mutex and erases what is due. The caller unlocks, also after an error.
func (g *Group) lock() (time.Time, error) {
	g.mu.Lock()
	now := g.now()
	if g.closed {
		return now, ErrClosed
	}
	if d := now.Sub(g.swept); d < 0 || d >= sweepEvery {
		g.swept = now
		g.hpke.expire(now)
		for _, p := range g.peers {
			p.recv.expire(now)
		}
	}
	return now, nil
}

// Card is this member's card in a frame, to be shown at join.
func (g *Group) Card() ([]byte, error) {
	_, err := g.lock()
	defer g.mu.Unlock()
	if err != nil {
		return nil, err
	}
	return g.cardLocked()
}

func (g *Group) cardLocked() ([]byte, error) {
	key := g.hpke.current()
	b, err := SignCard(g.keys.Room, g.id, Card{Created: g.created, Rotation: key.rotation, HPKE: publicX25519(key.private), Alias: g.alias})
	if err != nil {
		return nil, err
	}
	return g.sealer.Seal(TypeCard, b)
}

// RotateIfDue gives a card with a new HPKE key when the current one has served an hour or 200 messages sent, and nil when not. The
// old key opens what is under way for another 15 minutes. Call it every minute or so: it also erases what is due.
func (g *Group) RotateIfDue() ([]byte, error) {
	now, err := g.lock()
	defer g.mu.Unlock()
	if err != nil || (g.sent < rotateMessages && now.Sub(g.since) < rotateAge) {
		return nil, err
	}
	return g.rotateCardLocked(now)
}

// Rename gives a card with another alias, and a new HPKE key. It fails with ErrMalformed for an alias that CheckAlias refuses.
func (g *Group) Rename(alias string) ([]byte, error) {
	now, err := g.lock()
	defer g.mu.Unlock()
	if err != nil {
		return nil, err
	}
	if err := CheckAlias(alias); err != nil {
		return nil, err
	}
	g.alias = alias
	return g.rotateCardLocked(now)
}

func (g *Group) rotateCardLocked(now time.Time) ([]byte, error) {
	if err := g.rotateLocked(now); err != nil {
		return nil, err
	}
	return g.cardLocked()
}

func (g *Group) rotateLocked(now time.Time) error {
	private, err := random(g.rand)
	if err != nil {
		return err
	}
	var last uint32
	if len(g.hpke) > 0 {
		last = g.hpke.current().rotation
	}
	rotation, err := nextNumber(last, now)
	if err != nil {
		return err
	}
	g.hpke.add(&hpkeKey{rotation: rotation, private: private}, now)
	g.created, g.since, g.sent = now, now, 0
	return nil
}

// Repeats counts the frames and posts that were dropped because they came before.
func (g *Group) Repeats() uint64 {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.repeats
}

// Close erases the keys. Everything but Self, Members and Repeats fails afterwards or gives zero values.
func (g *Group) Close() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.closed = true
	g.sealer.Close()
	g.send.erase()
	g.hpke.erase()
	for _, p := range g.peers {
		p.recv.erase()
	}
	clear(g.root[:])
	g.keys, g.id = Keys{}, Identity{}
}
