package hub

import "snug/wire"

// reading is what a reader finds behind a place in the log.
type reading struct {
	lost   int    // messages owed and lost, in front of the events
	gap    bool   // something was lost, maybe only changes of the roster
	gapAt  uint64 // where the reader stands after the lost
	events []wire.Framed
	at     uint64 // where it stands after the events
	more   bool   // max was reached
}

// read returns what is owed to r behind pos, which is not below r.acked: about max bytes of it, at least one event.
func (l *log) read(r *reader, pos uint64, max int) (out reading) {
	i := l.find(pos + 1)
	for ; i < len(l.entries) && !l.entries[i].live(); i++ {
		if e := &l.entries[i]; !e.dead() && e.from != r {
			out.gap, out.gapAt = true, e.seq
			if e.message {
				out.lost++
			}
		}
	}
	for size := 0; i < len(l.entries); i++ {
		e := &l.entries[i]
		if e.from == r || e.dead() {
			continue
		}
		if size >= max && size > 0 {
			out.more = true
			return out
		}
		size += len(e.event)
		out.events = append(out.events, e.event)
		out.at = e.seq
	}
	out.at = l.head
	return out
}

// plan tells how many of the given readers have to leave, in this order, so that their leaving frees bytes and messages,
// when each that leaves costs the log each bytes. idle holds all readers that are away, the furthest behind first. If ok
// is false, all that would help frees less; then freed, net of the cost, is what k of them would free.
//
// An entry is freed when those who are away are the only ones it is owed to, and all of those go.
func (l *log) plan(idle []*reader, bytes int64, messages int, each int64) (k int, freed int64, ok bool) {
	behind, leaving, gross := 0, 0, int64(0)
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
		gross += e.cost()
		leaving = max(leaving, last)
		if e.message && e.live() {
			messages--
		}
		net := gross - int64(leaving)*each
		if net >= bytes && messages <= 0 {
			return leaving, net, true
		}
		if net > freed {
			k, freed = leaving, net
		}
	}
	return k, freed, false
}
