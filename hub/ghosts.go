package hub

import (
	"slices"

	"snug/wire"
)

// ghosts remembers the members that a room let go, so that one that returns can be told what it has missed.
type ghosts struct {
	list []ghost // the newest maxGhosts, oldest first
}

// ghost is what a member missed until it was let go, and how many messages the room had seen by then.
type ghost struct {
	member           wire.MemberID
	messages, chunks int
	total            uint64
}

// maxGhosts is as many as a room has members by default. Who was forgotten and still has its cursor learns that it missed
// an unknown number.
const maxGhosts = 256

func (g *ghosts) cost() int64 { return int64(len(g.list)) * ghostCost }

func (g *ghosts) add(x ghost) {
	g.remove(x.member)
	if len(g.list) == maxGhosts {
		g.list = slices.Delete(g.list, 0, 1)
	}
	g.list = append(g.list, x)
}

func (g *ghosts) remove(id wire.MemberID) {
	g.list = slices.DeleteFunc(g.list, func(x ghost) bool { return x.member == id })
}

// missed tells what a member missed that is about to join as new: nil if nothing. handled is the place up to which it
// has handled this life of the room, nil if it does not say.
func (g *ghosts) missed(l *log, id wire.MemberID, handled *uint64) *wire.Gap {
	i := slices.IndexFunc(g.list, func(x ghost) bool { return x.member == id })
	if i < 0 && handled == nil {
		return nil // never here in this life of the room
	}
	gap := wire.Gap{Messages: -1}
	if i >= 0 {
		x := g.list[i]
		gap = wire.Gap{Messages: x.messages + int(l.total-x.total), Chunks: x.chunks}
	}
	if handled != nil && *handled >= l.lastMessage {
		gap.Messages = 0 // it acks by joining what it could not ack before it was let go
	}
	if gap == (wire.Gap{}) {
		return nil
	}
	return &gap
}
