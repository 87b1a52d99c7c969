package hub

import (
	"slices"

	"snug/wire"
)

// reading is what a reader finds behind a place in the log.
type reading struct {
	lost   int    // messages owed and lost, in front of the events
	gap    bool   // something was lost, maybe only changes of the roster
	gapAt  uint64 // where the reader stands after the lost
	events []wire.Framed
	at     uint64 // where it stands after the events
	more   bool   // max was reached
}

// latest is what was read last, kept for the many who read the same: a room's readers are nearly all at the same place.
// Any reader at that place gets the same, because what stands behind it is owed to all of them but its poster.
type latest struct {
	reading
	pos  uint64
	max  int
	from []*reader // who said something in it
}

// forget drops the reading if it holds the entry, so that what is freed is free.
func (c *latest) forget(seq uint64) {
	if seq > c.pos && seq <= c.at {
		*c = latest{}
	}
}

// read returns what is owed to r behind pos, which is not below r.acked: about max bytes of it, at least one event.
func (l *log) read(r *reader, pos uint64, max int) reading {
	if pos == l.head {
		return reading{at: pos}
	}
	c := &l.latest
	if len(c.events) > 0 && c.pos == pos && c.max == max && (c.more || c.at == l.head) && !slices.Contains(c.from, r) {
		return c.reading
	}
	out, own := l.collect(r, pos, max)
	if !out.gap && !own {
		*c = latest{reading: out, pos: pos, max: max, from: l.posters(pos, out.at)}
	}
	return out
}

// posters lists who said something behind pos and up to at.
func (l *log) posters(pos, at uint64) (list []*reader) {
	for i := l.find(pos + 1); i < len(l.entries) && l.entries[i].seq <= at; i++ {
		if f := l.entries[i].from; f != nil && !slices.Contains(list, f) {
			list = append(list, f)
		}
	}
	return list
}

// collect reads without the help of what was read last. own says that something of the reader's own was left out.
func (l *log) collect(r *reader, pos uint64, max int) (out reading, own bool) {
	i := l.find(pos + 1)
	for ; i < len(l.entries) && !l.entries[i].live(); i++ {
		e := &l.entries[i]
		own = own || e.from == r
		if !e.dead() && e.from != r {
			out.gap, out.gapAt = true, e.seq
			if e.message {
				out.lost++
			}
		}
	}
	for size := 0; i < len(l.entries); i++ {
		e := &l.entries[i]
		if e.from == r || e.dead() {
			own = true
			continue
		}
		if size >= max && size > 0 {
			out.more = true
			return out, own
		}
		size += len(e.event)
		out.events = append(out.events, e.event)
		out.at = e.seq
	}
	out.at = l.head
	return out, own
}

// plan tells how many of the given readers have to leave, in this order, so that their leaving frees bytes and messages,
// when each that leaves costs the log each bytes. idle holds all readers that are away, the furthest behind first. If ok
// is false, not even all of them would do; then freed is the most that some can free, net of the cost, and k how many.
//
// An entry is freed when those who are away are the only ones it is owed to, and the last of these goes.
func (l *log) plan(idle []*reader, bytes int64, messages int, each int64) (k int, freed int64, ok bool) {
	gains := l.gains(idle)
	var net int64
	for i, g := range gains {
		if net += g.bytes; i > 0 {
			net -= each
		}
		messages -= g.messages
		if net >= bytes && messages <= 0 {
			return i, net, true
		}
		if net > freed {
			k, freed = i, net
		}
	}
	return k, freed, false
}

// gain is what the leaving of one more reader frees.
type gain struct {
	bytes    int64
	messages int
}

// gains tells what the leaving of the first, of one more, and so on, frees; at 0 stands what the leaving of none does.
func (l *log) gains(idle []*reader) []gain {
	out := make([]gain, len(idle)+1)
	behind := 0
	for i := range l.entries {
		e := &l.entries[i]
		for behind < len(idle) && idle[behind].acked < e.seq {
			behind++
		}
		waiting, last := behind, behind
		if f := e.from; f != nil && f.reading && f.away && f.acked < e.seq {
			waiting-- // it does not wait for its own
			if idle[behind-1] == f {
				last--
			}
		}
		if e.dead() || waiting != int(e.owed) {
			continue
		}
		out[last].bytes += e.cost()
		if e.message && e.live() {
			out[last].messages++
		}
	}
	return out
}
