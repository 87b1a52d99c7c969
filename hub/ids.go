package hub

import "snug/wire"

// ids tells which messages were posted before: those the log holds, and the last ones of each poster that it has freed.
// Pure, part of log.
type ids struct {
	seqs  map[idKey]uint64
	peak  int   // the most that seqs held since it was made
	bytes int64 // idCost for each id that outlived its message
}

type idKey struct {
	from wire.MemberID // zero for shells; no secret is known that hashes to it
	id   wire.MessageID
}

// recentIDs is a ring of a poster's freed ids, the oldest at next once it is full.
type recentIDs struct {
	ids  []wire.MessageID
	next int
}

// maxRecent is how many freed ids of a poster are remembered: more than an outbox has on the way at once, so that a post
// whose answer was lost is recognised when it comes again.
const maxRecent = 256

func (x *ids) seq(from wire.MemberID, id wire.MessageID) (uint64, bool) {
	seq, ok := x.seqs[idKey{from, id}]
	return seq, ok
}

func (x *ids) hold(from *reader, id wire.MessageID, seq uint64) {
	if x.seqs == nil {
		x.seqs = make(map[idKey]uint64)
	}
	x.seqs[idKey{from.id, id}] = seq
	x.peak = max(x.peak, len(x.seqs))
}

// release turns the id of a held message into a recent one, if its poster is still here.
func (x *ids) release(from *reader, id wire.MessageID, shell bool) {
	defer x.shrink()
	if !from.reading && !shell {
		delete(x.seqs, idKey{from.id, id})
		return
	}
	r := &from.recent
	if len(r.ids) < maxRecent {
		r.ids = append(r.ids, id)
		x.bytes += idCost
		return
	}
	delete(x.seqs, idKey{from.id, r.ids[r.next]})
	r.ids[r.next] = id
	r.next = (r.next + 1) % maxRecent
}

// forget drops the recent ids of a poster.
func (x *ids) forget(from *reader) {
	for _, id := range from.recent.ids {
		delete(x.seqs, idKey{from.id, id})
	}
	x.bytes -= int64(len(from.recent.ids)) * idCost
	from.recent = recentIDs{}
	x.shrink()
}

// shrink makes the map anew when it is much too large, since a Go map never gives memory back.
func (x *ids) shrink() {
	if x.peak < 1024 || len(x.seqs) > x.peak/4 {
		return
	}
	seqs := make(map[idKey]uint64, len(x.seqs))
	for k, v := range x.seqs {
		seqs[k] = v
	}
	x.seqs, x.peak = seqs, len(seqs)
}
