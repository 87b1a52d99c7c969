package hub

import (
	"slices"
	"time"

	"snug/wire"
)

// log is the order of a room: its messages and the changes of its roster, shared by all who read it. It is a pure
// structure: no lock, no clock, no goroutine; times are passed in and only grow.
//
// An entry is owed to every reader of the moment it was added, except to the one it is from. It is in one of three states:
//
//	live  owed to somebody and its event is held
//	lost  owed to somebody, but expired: its event is dropped, the entry stays so that each reader it was owed to learns
//	      of the loss, exactly
//	dead  owed to nobody: event and cost are gone, the slot is swept later
//
// Adding, acking and leaving cost amortised O(1) for each pair of reader and entry, because a reader passes each entry once.
// The lost ones are in front of all live ones, since all entries live equally long.
type log struct {
	entries  []entry // by seq, which may have holes
	head     uint64  // seq of the newest entry ever
	floor    uint64  // everything up to here is no longer waited for: dead or lost
	horizon  uint64  // everything up to here is dead or lost by time
	readers  int
	dead     int   // entries of that state
	messages int   // live entries that are messages
	bytes    int64 // cost of live and lost entries

	total       uint64 // messages ever
	lastMessage uint64 // seq of the newest message ever
	shell       reader // stands for the shells as a poster; reads nothing
	ids         ids

	latest         latest    // what was read last
	concerned      []*reader // have something new to hear about their own messages; the room takes them
	freed, expired uint64    // messages since the room last took the figures
}

// entry is one place in the log.
type entry struct {
	seq     uint64
	at      time.Duration
	event   wire.Framed // nil unless live
	from    *reader     // nil for what nobody here has said, as a left
	id      wire.MessageID
	owed    int32 // readers that have not acked it
	message bool  // else a change of the roster
}

func (e *entry) live() bool  { return e.event != nil }
func (e *entry) dead() bool  { return e.owed == 0 }
func (e *entry) cost() int64 { return entryCost + int64(len(e.event)) }

// reader is a member's place in the log. Its acked is always just before the first entry that is owed to it, or the head.
type reader struct {
	id      wire.MemberID // static
	reading bool          // between join and leave
	away    bool          // kept by the room; plan asks for it
	acked   uint64
	settled uint64   // its newest message at or below the floor, as far as told to it
	ahead   uint64   // its newest message that is dead and swept, but above the floor
	stirred bool     // in log.concerned
	expired []uint64 // its newest messages that were lost, at most maxExpired
	losses  uint64   // how many there were ever
	recent  recentIDs
}

// maxExpired is wire.Acked's bound: a poster that was away longer than that learns the rest from its own outbox.
const maxExpired = 256

// join makes r a reader of everything added from now on.
func (l *log) join(r *reader) {
	l.readers++
	r.reading, r.acked = true, l.head
}

// leave ends the reading: what was owed to r is owed no more. It returns how many messages those were.
func (l *log) leave(r *reader) (messages int) {
	messages = l.pass(r, l.head)
	l.readers--
	r.reading = false
	l.ids.forget(r)
	l.advance()
	return messages
}

// post adds a message. event must end with the id of the next place, l.head+1.
func (l *log) post(from *reader, id wire.MessageID, event wire.Framed, at time.Duration) uint64 {
	l.total++
	l.lastMessage = l.head + 1
	l.ids.hold(from, id, l.lastMessage)
	return l.add(entry{from: from, id: id, event: event, at: at, message: true})
}

// note adds a change of the roster. from does not get to read it; it may be nil.
func (l *log) note(from *reader, event wire.Framed, at time.Duration) uint64 {
	return l.add(entry{from: from, event: event, at: at})
}

func (l *log) add(e entry) uint64 {
	l.head++
	e.seq, e.owed = l.head, int32(l.readers)
	if e.from != nil && e.from.reading {
		e.owed--
		if e.from.acked == l.head-1 {
			e.from.acked = l.head
		}
	}
	l.entries = append(l.entries, e)
	l.bytes += e.cost()
	if e.message {
		l.messages++
	}
	if e.owed == 0 {
		l.kill(&l.entries[len(l.entries)-1])
	}
	l.advance()
	return l.head
}

// ack records that r has everything up to and including seq, which is not above the head.
func (l *log) ack(r *reader, seq uint64) {
	if seq <= r.acked {
		return
	}
	l.pass(r, seq)
	l.advance()
	if r.settled < r.ahead && r.ahead <= l.floor {
		l.settle(r, r.ahead)
	}
}

// pass takes r over the entries up to through, and over those behind them that are not owed to it.
func (l *log) pass(r *reader, through uint64) (messages int) {
	for i := l.find(r.acked + 1); i < len(l.entries); i++ {
		e := &l.entries[i]
		if e.dead() || e.from == r {
			continue
		}
		if e.seq > through {
			r.acked = e.seq - 1
			return messages
		}
		if e.message {
			messages++
		}
		if e.owed--; e.owed == 0 {
			l.kill(e)
		}
	}
	r.acked = l.head
	return messages
}

// kill gives back what an entry costs that is owed to nobody any more.
func (l *log) kill(e *entry) {
	l.bytes -= e.cost()
	l.dead++
	if e.live() && e.message {
		l.messages--
		l.freed++
		l.ids.release(e.from, e.id, e.from == &l.shell)
	}
	e.event = nil
	l.latest.forget(e.seq)
}

// expire drops what was added at or before the given time.
func (l *log) expire(before time.Duration) {
	for i := l.find(l.horizon + 1); i < len(l.entries) && l.entries[i].at <= before; i++ {
		e := &l.entries[i]
		l.horizon = e.seq
		if !e.live() {
			continue
		}
		l.bytes -= int64(len(e.event))
		e.event = nil
		l.latest.forget(e.seq)
		if e.message {
			l.messages--
			l.expired++
			l.ids.release(e.from, e.id, e.from == &l.shell)
			l.mourn(e.from, e.seq)
		}
	}
	l.advance()
}

// mourn tells the poster that a message was lost before everybody had it.
func (l *log) mourn(r *reader, seq uint64) {
	if !r.reading {
		return
	}
	if len(r.expired) == maxExpired {
		r.expired = append(r.expired[:0], r.expired[1:]...)
	}
	r.expired = append(r.expired, seq)
	r.losses++
	l.stir(r)
}

// oldest returns when the first live entry was added.
func (l *log) oldest() (at time.Duration, ok bool) {
	i := l.find(l.floor + 1)
	if i == len(l.entries) {
		return 0, false
	}
	return l.entries[i].at, true
}

// advance moves the floor up to the first live entry and tells the posters that it passed.
func (l *log) advance() {
	i := l.find(l.floor + 1)
	for ; i < len(l.entries) && !l.entries[i].live(); i++ {
		if e := &l.entries[i]; e.message {
			l.settle(e.from, e.seq)
		}
	}
	l.floor = l.head
	if i < len(l.entries) {
		l.floor = l.entries[i].seq - 1
	}
	l.sweep()
}

func (l *log) settle(r *reader, seq uint64) {
	if r.reading {
		r.settled = seq
		l.stir(r)
	}
}

func (l *log) stir(r *reader) {
	if !r.stirred {
		r.stirred = true
		l.concerned = append(l.concerned, r)
	}
}

// sweep removes the dead entries when they are the greater part, so that a log is never much larger than what it holds.
// Dead ones above the floor are from the one reader that is behind; it alone is to hear of them, later.
func (l *log) sweep() {
	const few = 32 // not worth moving anything
	if l.dead == 0 || l.dead < len(l.entries) && (l.dead < few || l.dead < len(l.entries)/2) {
		return
	}
	for i := l.find(l.floor + 1); i < len(l.entries); i++ {
		if e := &l.entries[i]; e.dead() && e.message {
			e.from.ahead = e.seq
		}
	}
	l.entries = slices.DeleteFunc(l.entries, func(e entry) bool { return e.dead() })
	l.dead = 0
	if n := len(l.entries); cap(l.entries) > 4*max(n, few) {
		l.entries = append(make([]entry, 0, 2*n), l.entries...)
	}
}

// find returns the index of the first entry at or behind seq.
func (l *log) find(seq uint64) int {
	n := len(l.entries)
	if n == 0 || l.entries[n-1].seq < seq {
		return n
	}
	if i := seq - l.entries[0].seq; seq >= l.entries[0].seq && i < uint64(n) && l.entries[i].seq == seq {
		return int(i) // no holes: the common case
	}
	i, _ := slices.BinarySearchFunc(l.entries, seq, func(e entry, seq uint64) int {
		if e.seq < seq {
			return -1
		}
		return 1 // never equal: the first at or behind is wanted
	})
	return i
}
