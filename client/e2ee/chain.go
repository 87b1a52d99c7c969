package e2ee

import (
	"fmt"
	"math"
	"time"

	"snug/wire"
)

const (
	chainMessages = 100       // after so many messages a sender starts a new chain
	chainAge      = time.Hour // or after so long
	keepKeys      = time.Hour // how long replaced chains and skipped message keys are kept
	maxSkip       = 2000      // skipped message keys kept for one sender, and the furthest jump ahead
)

// ratchet gives the message key of a chain key, and puts the next chain key in its place.
func ratchet(ck *[32]byte) (mk [32]byte) {
	mk = expand(ck[:], "message")
	*ck = expand(ck[:], "chain")
	return mk
}

// sendChain is the chain of this member. The zero value has no chain yet.
type sendChain struct {
	e, n   uint32
	ck     [32]byte
	begun  time.Time
	live   bool
	sealed map[wire.MemberID]bool // who can compute ck
	again  map[wire.MemberID]bool // who of them asked for it once more
}

// due tells whether the next message needs a new chain.
func (s *sendChain) due(now time.Time) bool {
	return !s.live || s.n >= chainMessages || now.Sub(s.begun) >= chainAge
}

// start erases the chain and begins number e with ck.
func (s *sendChain) start(e uint32, ck [32]byte, now time.Time) {
	clear(s.ck[:])
	*s = sendChain{e: e, ck: ck, begun: now, live: true, sealed: make(map[wire.MemberID]bool), again: make(map[wire.MemberID]bool)}
}

// nextNumber is the number that follows last, and at least the time in seconds since 1970: a member that comes back from
// an old state, or with its identity alone, must not use a number again that others hold. It fails with ErrExhausted.
func nextNumber(last uint32, now time.Time) (uint32, error) {
	n := max(int64(last)+1, now.Unix())
	if n > math.MaxUint32 {
		return 0, fmt.Errorf("number of a chain or card: %w", ErrExhausted)
	}
	return uint32(n), nil
}

// leave makes the next message start a new chain if the member can compute this one.
func (s *sendChain) leave(id wire.MemberID) {
	if s.live && s.sealed[id] {
		s.erase()
	}
}

func (s *sendChain) erase() {
	clear(s.ck[:])
	s.live = false
}
