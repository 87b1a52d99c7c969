package e2ee

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"snug/wire"
)

// stateVersion is of the saved form, which only this package reads.
const stateVersion = 1

type (
	savedGroup struct {
		V       int
		Root    []byte
		Secret  []byte
		Seed    []byte
		Alias   string
		HPKE    []savedHPKE
		E       uint32
		Peers   []savedPeer
		Lock    savedLock `json:",omitzero"`
		Waits   bool      `json:",omitempty"`
		Shells  [][]byte
		Repeats uint64
	}
	savedLock struct {
		On       bool
		Turn     uint32
		Admitted []savedAdmission
	}
	savedAdmission struct {
		ID  wire.MemberID
		Key [32]byte
	}
	savedHPKE struct {
		Rotation uint32
		Private  []byte
		Retired  time.Time `json:",omitzero"`
	}
	savedPeer struct {
		Card    Card
		Known   bool
		Pending *Card
		Present bool
		Waiting bool      `json:",omitempty"`
		Gone    time.Time `json:",omitzero"`
		Chains  []savedChain
	}
	savedChain struct {
		E, First, Next uint32
		CK             []byte    `json:",omitempty"` // none once erased
		Until          time.Time `json:",omitzero"`
		Skipped        []savedSkipped
	}
	savedSkipped struct {
		N   uint32
		Key []byte `json:",omitempty"` // none once lost
		At  time.Time
	}
)

// Export is the state in a form for Import. It is all secrets, and the caller's to keep sealed and to erase. The sending
// chain is not in it: a group imported from an old copy must not use a message key twice. Save it after Open, too, or
// messages opened since are open to replay.
func (g *Group) Export() ([]byte, error) {
	_, err := g.lock()
	defer g.mu.Unlock()
	if err != nil {
		return nil, err
	}
	s := savedGroup{V: stateVersion, Root: g.root[:], Secret: g.id.Secret[:], Seed: g.id.Seed[:], Alias: g.alias, E: g.send.e, Repeats: g.repeats, Waits: g.waits}
	s.Lock = savedLock{On: g.roomLock.on, Turn: g.roomLock.turn}
	for _, a := range g.roomLock.admitted {
		s.Lock.Admitted = append(s.Lock.Admitted, savedAdmission{a.id, a.key})
	}
	for _, k := range g.hpke {
		s.HPKE = append(s.HPKE, savedHPKE{k.rotation, k.private[:], k.retired})
	}
	for _, p := range g.peers {
		s.Peers = append(s.Peers, p.save())
	}
	slices.SortFunc(s.Peers, func(a, b savedPeer) int { return slices.Compare(a.Card.Member[:], b.Card.Member[:]) })
	for _, sum := range g.shells {
		s.Shells = append(s.Shells, sum[:])
	}
	return json.Marshal(s)
}

func (p *peer) save() savedPeer {
	out := savedPeer{Card: p.card, Known: p.known, Pending: p.pending, Present: p.present, Waiting: p.waiting, Gone: p.gone}
	for _, c := range p.recv.chains {
		sc := savedChain{E: c.e, First: c.first, Next: c.next, Until: c.until}
		if !c.erased {
			sc.CK = c.ck[:]
		}
		for i := range c.skipped {
			s := &c.skipped[i]
			ss := savedSkipped{N: s.n, At: s.at}
			if !s.lost {
				ss.Key = s.key[:]
			}
			sc.Skipped = append(sc.Skipped, ss)
		}
		out.Chains = append(out.Chains, sc)
	}
	return out
}

// Import takes up what Export saved; of c it uses Now and Rand. The HPKE key is replaced at once, since nobody knows how old
// the copy is, so publish Card; the first Seal starts a new chain. It fails with ErrMalformed.
func Import(state []byte, c Config) (*Group, error) {
	var s savedGroup
	if err := json.Unmarshal(state, &s); err != nil || s.V != stateVersion || !s.wellFormed() {
		return nil, fmt.Errorf("saved group: %w", ErrMalformed)
	}
	c.Root, c.Alias = Root(s.Root), s.Alias
	g, err := newGroup(c)
	if err != nil {
		return nil, err
	}
	g.id = Identity{Secret: wire.MemberSecret(s.Secret), Seed: [32]byte(s.Seed)}
	g.self, g.send.e, g.repeats, g.waits = g.id.Member(), s.E, s.Repeats, s.Waits
	g.roomLock = roomLock{on: s.Lock.On, turn: s.Lock.Turn}
	for _, a := range s.Lock.Admitted {
		g.roomLock.admit(admission{a.ID, a.Key})
	}
	for _, k := range s.HPKE {
		g.hpke = append(g.hpke, &hpkeKey{k.Rotation, [32]byte(k.Private), k.Retired})
	}
	for _, p := range s.Peers {
		g.peers[p.Card.Member] = p.load()
	}
	for _, sum := range s.Shells {
		g.shell[[32]byte(sum)] = true
		g.shells = append(g.shells, [32]byte(sum))
	}
	if err := g.rotateLocked(g.now()); err != nil {
		return nil, err
	}
	return g, nil
}

func (s *savedGroup) wellFormed() bool {
	ok := len(s.Root) == 32 && len(s.Secret) == 32 && len(s.Seed) == 32 && len(s.HPKE) > 0
	for _, k := range s.HPKE {
		ok = ok && len(k.Private) == 32
	}
	for _, sum := range s.Shells {
		ok = ok && len(sum) == 32
	}
	for _, p := range s.Peers {
		ok = ok && slices.IsSortedFunc(p.Chains, func(a, b savedChain) int { return int(int64(a.E) - int64(b.E)) })
		for _, c := range p.Chains {
			ok = ok && c.wellFormed()
		}
	}
	return ok
}

func (c *savedChain) wellFormed() bool {
	ok := (len(c.CK) == 0 || len(c.CK) == 32) && c.First <= c.Next
	ok = ok && slices.IsSortedFunc(c.Skipped, func(a, b savedSkipped) int { return int(int64(a.N) - int64(b.N)) })
	for _, s := range c.Skipped {
		ok = ok && (len(s.Key) == 0 || len(s.Key) == 32)
	}
	return ok
}

func (s savedPeer) load() *peer {
	p := &peer{card: s.Card, known: s.Known, pending: s.Pending, present: s.Present, waiting: s.Waiting, gone: s.Gone}
	for _, sc := range s.Chains {
		c := &recvChain{e: sc.E, first: sc.First, next: sc.Next, until: sc.Until, erased: len(sc.CK) == 0}
		copy(c.ck[:], sc.CK)
		for _, ss := range sc.Skipped {
			k := skippedKey{n: ss.N, at: ss.At, lost: len(ss.Key) == 0}
			copy(k.key[:], ss.Key)
			c.skipped = append(c.skipped, k)
		}
		p.recv.chains = append(p.recv.chains, c)
	}
	return p
}
