package e2ee

import (
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"time"
	"unicode/utf8"

	"snug/wire"
)

// Open opens a frame that the relay says from posted. It fails with one of this package's reasons, and changes nothing then;
// after ErrUnknownSender and ErrBeforeYou the same frame may open later, when the sender's card or keys have come.
func (g *Group) Open(from wire.MemberID, frame []byte) (Opened, error) {
	now, err := g.lock()
	defer g.mu.Unlock()
	if err != nil {
		return Opened{}, err
	}
	if from == g.self {
		return Opened{}, ErrOwn
	}
	t, inner, err := OpenFrame(g.keys, frame)
	if err != nil {
		return Opened{}, err
	}
	switch t {
	case TypeCard:
		status, err := g.learnLocked(from, inner)
		if err != nil {
			return Opened{From: from}, err
		}
		return Opened{Kind: KindCard, From: from, Status: status}, nil
	case TypeKeys, TypeMessage, TypeMove, TypeWaiting:
		p := g.peers[from]
		if p == nil || !p.known {
			return Opened{From: from}, ErrUnknownSender
		}
		return g.openFromLocked(p, from, t, inner, now)
	}
	return Opened{}, fmt.Errorf("frame type %d: %w", t, ErrNewer)
}

func (g *Group) openFromLocked(p *peer, from wire.MemberID, t FrameType, inner []byte, now time.Time) (Opened, error) {
	switch t {
	case TypeKeys:
		return g.openKeysLocked(p, from, inner, now)
	case TypeMove:
		return g.openMoveLocked(p, from, inner)
	case TypeWaiting:
		return g.openWaitingLocked(p, from, inner)
	}
	return g.openMessageLocked(p, from, inner, now)
}

// checkLocked verifies a signature by the identity key held for the sender.
func (g *Group) checkLocked(p *peer, what string, from wire.MemberID, body, sig []byte) error {
	if verify(p.card.Identity, what, sig, g.keys.Room[:], from[:], body) {
		return nil
	}
	if p.pending != nil && verify(p.pending.Identity, what, sig, g.keys.Room[:], from[:], body) {
		return fmt.Errorf("%s: %w", what, ErrChanged)
	}
	return fmt.Errorf("%s: %w", what, ErrBadSignature)
}

func (g *Group) openMessageLocked(p *peer, from wire.MemberID, inner []byte, now time.Time) (Opened, error) {
	m, err := parseMessage(inner)
	if err != nil {
		return Opened{From: from}, err
	}
	out := Opened{From: from, E: m.e, N: m.n}
	if err := g.checkLocked(p, "message", from, m.body, m.sig); err != nil {
		return out, err
	}
	content, err := p.recv.open(m, messageAAD(g.keys.Room, from, m.e, m.n), now)
	switch {
	case errors.Is(err, errRepeat):
		g.repeats++
		out.Kind = KindRepeat
		return out, nil
	case err == nil && kindOf(content) == "":
		err = ErrDamaged
	}
	if err != nil {
		out.Need = err != ErrDamaged && p.recv.lacks(m.e)
		return out, fmt.Errorf("message: %w", err)
	}
	out.Kind, out.Content = KindContent, content
	return g.heedLocked(p, out)
}

// kindOf is the kind of content, a JSON object; "" if it is none.
func kindOf(b []byte) (kind string) {
	var m map[string]json.RawMessage
	if !utf8.Valid(b) || json.Unmarshal(b, &m) != nil || json.Unmarshal(m["k"], &kind) != nil {
		return ""
	}
	return kind
}

func (g *Group) openKeysLocked(p *peer, from wire.MemberID, inner []byte, now time.Time) (Opened, error) {
	k, err := parseKeys(inner)
	if err != nil {
		return Opened{From: from}, err
	}
	out := Opened{From: from, E: k.e, N: k.n}
	if err := g.checkLocked(p, "keys", from, k.body, k.sig); err != nil {
		return out, err
	}
	e := g.entryLocked(k.entries)
	if e == nil {
		out.Kind = KindKeys
		return out, nil
	}
	ck, err := g.openEntryLocked(e, keysInfo(g.keys.Room, from, g.self, k.e, k.n))
	defer clear(ck[:])
	had := err == ErrExpired && !p.recv.lacks(k.e) // a restarted relay may be told again
	if err != nil && !had {
		out.Need = err == ErrExpired
		return out, fmt.Errorf("keys: %w", err)
	}
	if had || !p.recv.start(k.e, k.n, ck, now) {
		g.repeats++
		out.Kind = KindRepeat
		return out, nil
	}
	out.Kind, out.ForYou = KindKeys, true
	return out, nil
}

func (g *Group) openMoveLocked(p *peer, from wire.MemberID, inner []byte) (Opened, error) {
	out := Opened{From: from}
	m, err := parseMove(inner)
	if err != nil {
		return out, err
	}
	if err := g.checkLocked(p, "move", from, m.body, m.sig); err != nil {
		return out, err
	}
	if err := p.ruled(); err != nil {
		return out, fmt.Errorf("move: %w", err)
	}
	mv := &Move{By: from, Removed: m.removed}
	if e := g.entryLocked(m.entries); e != nil {
		b, err := g.openEntryLocked(e, moveInfo(g.keys.Room, from, g.self))
		if err != nil {
			return out, fmt.Errorf("move: %w", err)
		}
		root := Root(b)
		mv.Root = &root
	}
	out.Kind, out.Move = KindMove, mv
	return out, nil
}

// entryLocked is the entry for this member, or nil.
func (g *Group) entryLocked(entries []entry) *entry {
	for i := range entries {
		if entries[i].recipient == g.self {
			return &entries[i]
		}
	}
	return nil
}

func (g *Group) openEntryLocked(e *entry, info []byte) ([32]byte, error) {
	key, err := g.hpke.find(e.rotation)
	if err != nil {
		return [32]byte{}, err
	}
	return openKey(key.private, info, e.sealed)
}

// OpenShell opens a post from a shell. Its sender is not verified: whoever has the post token can be it. A post that
// came before is KindRepeat. It fails with ErrDamaged.
func (g *Group) OpenShell(jwe string) (Opened, error) {
	_, err := g.lock()
	defer g.mu.Unlock()
	if err != nil {
		return Opened{}, err
	}
	sum := sha256.Sum256([]byte(jwe))
	if g.shell[sum] {
		g.repeats++
		return Opened{Kind: KindRepeat}, nil
	}
	text, err := OpenJWE(g.keys.Drop, jwe)
	if err != nil {
		return Opened{}, err
	}
	if len(g.shells) >= maxShellSeen {
		delete(g.shell, g.shells[0])
		g.shells = g.shells[1:]
	}
	g.shell[sum] = true
	g.shells = append(g.shells, sum)
	return Opened{Kind: KindShell, Content: text}, nil
}
