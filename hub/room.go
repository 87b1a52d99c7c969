package hub

import (
	"crypto/rand"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"snug/wire"
)

// room is one life of a room: it begins with the first join and ends with the last member.
type room struct {
	hub   *Memory     // static
	id    wire.RoomID // static
	epoch wire.Epoch  // static

	due   atomic.Int64 // written under mu: the time at which something of the room may have to be swept, or earlier
	holds atomic.Int64 // written under mu: what the room counts for in hub.bytes

	mu       sync.Mutex // guards all below
	ended    bool
	log      log
	list     []*member // in the order they came
	members  map[wire.MemberID]*member
	sessions map[wire.SessionID]*member
	roster   uint64 // seq of the newest change of the roster
	left     uint64 // seq of the newest that says that somebody is gone
	comers   uint64 // members that ever came
	extra    int64  // bytes of members, their cards and skips
	chunks   chunks
	knocks   knocks
	ghosts   ghosts
	online   int             // members that are present
	away     []wire.MemberID // who is not; nil when out of date
	awayGen  uint64          // grows with every change of who is away
	wakes    wakes
}

func newRoom(h *Memory, id wire.RoomID) *room {
	r := &room{
		hub:      h,
		id:       id,
		members:  make(map[wire.MemberID]*member),
		sessions: make(map[wire.SessionID]*member),
	}
	rand.Read(r.epoch[:]) // never fails
	r.due.Store(never)
	return r
}

// total is what the room holds now, to the byte.
func (r *room) total() int64 {
	if r.ended {
		return 0
	}
	return roomCost + r.extra + r.log.bytes + r.log.ids.bytes + r.chunks.cost() + r.knocks.bytes + r.ghosts.cost()
}

// unlock ends the room if nobody is left, books what has changed and has the readers woken.
func (r *room) unlock() {
	if len(r.list) == 0 {
		r.endLocked(ErrNoSession)
	}
	r.book()
	r.wakeLocked()
	r.mu.Unlock()
}

// book brings the hub's figures up to date.
func (r *room) book() {
	if d := r.total() - r.holds.Load(); d != 0 {
		r.holds.Add(d)
		r.hub.bytes.Add(d)
	}
	for _, rd := range r.log.concerned {
		rd.stirred = false
		if m := r.members[rd.id]; m != nil && &m.reader == rd {
			r.poke(m)
		}
	}
	clear(r.log.concerned)
	r.log.concerned = r.log.concerned[:0]
	take(&r.hub.tally.freed, &r.log.freed)
	take(&r.hub.tally.expired, &r.log.expired)
	take(&r.hub.tally.chunksDropped, &r.chunks.dropped)
}

func take(to *atomic.Uint64, from *uint64) {
	if *from != 0 {
		to.Add(*from)
		*from = 0
	}
}

// endLocked ends this life of the room: nobody is in it any more, or the hub closes.
func (r *room) endLocked(why error) {
	if r.ended {
		return
	}
	for _, m := range r.list {
		m.endSubscriptions(r, why)
	}
	r.knocks.clear()
	tell(&r.chunks.came)
	tell(&r.chunks.went)
	r.ended = true
	r.hub.shard(r.id).remove(r)
	r.log, r.chunks, r.ghosts = log{freed: r.log.freed, expired: r.log.expired}, chunks{dropped: r.chunks.dropped}, ghosts{}
	r.list, r.members, r.sessions = nil, nil, nil
	r.due.Store(never)
}

func (r *room) cursor(seq uint64) wire.Cursor { return wire.Cursor{Epoch: r.epoch, Seq: seq} }

// behind reports whether c is a place in this life of the room.
func (r *room) behind(c wire.Cursor) bool { return c.Epoch == r.epoch && c.Seq <= r.log.head }

// note adds a change of the roster, made by m itself or, if nil, about somebody who is gone.
func (r *room) note(m *member, name string, data []byte) {
	var from *reader
	if m != nil {
		from = &m.reader
	}
	event := wire.AppendEvent(make([]byte, 0, len(data)+noteFraming), name, data)
	r.roster = r.log.note(from, wire.AppendID(event, r.cursor(r.log.head+1)), r.hub.now())
	if m == nil {
		r.left = r.roster
	}
	r.dueAt(r.hub.now() + r.hub.limits.TTL)
	r.wakes.all = true
}

// noteFraming is what the longest name and id add to the data of an event.
const noteFraming = 80

// stale reports whether somebody else has come, left or replaced a card since the roster number.
func (r *room) stale(since uint64, m *member) bool {
	if since >= r.roster {
		return false
	}
	return r.left > since || slices.ContainsFunc(r.list, func(k *member) bool { return k != m && k.cardSeq > since })
}

// rosterSince lists the members, with the cards newer than the roster number since but not with reader's own.
func (r *room) rosterSince(since uint64, reader *member) *wire.Roster {
	out := &wire.Roster{Roster: r.roster, Members: make([]wire.Member, len(r.list))}
	for i, m := range r.list {
		out.Members[i] = wire.Member{ID: m.id, Away: m.away}
		if m.cardSeq > since && m != reader {
			out.Members[i].Card = m.card
		}
	}
	return out
}

// roll lists the members with their cards, and with what they have acked if that is asked for.
func (r *room) roll(acked bool) []wire.Member {
	out := make([]wire.Member, len(r.list))
	for i, m := range r.list {
		out[i] = wire.Member{ID: m.id, Card: m.card, Away: m.away}
		if acked {
			c := r.cursor(m.acked)
			out[i].Acked = &c
		}
	}
	return out
}

// awayIDs lists who is away. The list is shared: it is made anew after a change, never changed.
func (r *room) awayIDs() []wire.MemberID {
	if r.away == nil {
		r.away = make([]wire.MemberID, 0, len(r.list)-r.online)
		for _, m := range r.list {
			if m.away {
				r.away = append(r.away, m.id)
			}
		}
	}
	return r.away
}

func (r *room) awayChanged() {
	r.away = nil
	r.awayGen++
}

// acked tells a member what has become of its messages.
func (r *room) acked(m *member) wire.Acked {
	return wire.Acked{Through: r.cursor(r.log.floor), Expired: slices.Clone(m.expired)}
}

// near reports whether a quarter of the budget or less is left, or the share of the relay is used up if it grows by a third.
func (r *room) near() bool {
	l := &r.hub.limits
	return r.log.bytes > l.RoomBytes/4*3 || r.log.messages > l.RoomMessages/4*3 ||
		r.hub.bytes.Load() > r.share(r.total()/3, l.RelayBytes)
}

// count adds the room to the figures.
func (r *room) count(s *Stats) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.ended {
		return
	}
	s.Rooms++
	s.Members += len(r.list)
	s.Away += len(r.list) - r.online
	s.Subscriptions += r.wakes.count()
	s.Messages += r.log.messages
	s.Chunks += len(r.chunks.held)
}

// dueAt has the room swept at t or earlier.
func (r *room) dueAt(t time.Duration) {
	if int64(t) < r.due.Load() {
		r.due.Store(int64(t))
	}
}
