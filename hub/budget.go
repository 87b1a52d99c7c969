package hub

import (
	"cmp"
	"errors"
	"math"
	"slices"
	"sync"
	"time"

	"snug/wire"
)

// need is what an operation is going to add to a room.
type need struct {
	log      int64 // bytes of the log
	messages int
	beside   int64 // other bytes
	letGo    bool  // members that are away may be let go for it; else the last quarter of the log's budget is not for it
}

// admit makes sure that what is needed fits into the room and into the relay, and reserves the bytes. Whoever has to be
// let go for it is let go. Errors: ErrRoomFull, ErrRelayFull.
func (r *room) admit(n need) error {
	if err := r.makeRoom(n); err != nil {
		return err
	}
	bytes, limit := n.log+n.beside, r.hub.limits.RelayBytes
	if n.messages > 0 {
		limit = r.share(bytes, limit)
	}
	if r.reserve(bytes, limit) {
		return nil
	}
	if n.letGo {
		r.yield(r.hub.bytes.Load() + bytes - limit)
		if r.reserve(bytes, limit) {
			return nil
		}
	}
	return ErrRelayFull
}

// makeRoom lets go of members that are away, the furthest behind first, if only that makes the log fit its budget.
func (r *room) makeRoom(n need) error {
	maxBytes, maxMessages := r.hub.limits.RoomBytes, r.hub.limits.RoomMessages
	if !n.letGo { // or shells could fill the room, and the next message of a member would have others let go
		maxBytes, maxMessages = maxBytes-maxBytes/4, maxMessages-maxMessages/4
	}
	bytes, messages := r.log.bytes+n.log-maxBytes, r.log.messages+n.messages-maxMessages
	if (bytes <= 0 || n.log == 0) && (messages <= 0 || n.messages == 0) {
		return nil
	}
	if !n.letGo {
		return ErrRoomFull
	}
	idle := r.idle()
	k, _, ok := r.log.plan(readers(idle), bytes, messages, leftCost)
	if !ok {
		return ErrRoomFull
	}
	r.letGo(idle[:k])
	return nil
}

// leftCost is what telling the others that a member was let go adds to the log.
const leftCost = entryCost + 160

// idle lists the members that are away, the furthest behind first.
func (r *room) idle() (list []*member) {
	for _, m := range r.list {
		if m.away {
			list = append(list, m)
		}
	}
	slices.SortStableFunc(list, func(a, b *member) int { return cmp.Compare(a.acked, b.acked) })
	return list
}

func readers(list []*member) []*reader {
	out := make([]*reader, len(list))
	for i, m := range list {
		out[i] = &m.reader
	}
	return out
}

func (r *room) letGo(list []*member) {
	for _, m := range list {
		r.remove(m, wire.ReasonFull)
		r.hub.tally.full.Add(1)
	}
}

// yield frees about the given bytes of what is owed only to members that are away: chunks first, since losing a file is
// less than losing the membership, then members. It frees what it can, and books it.
func (r *room) yield(bytes int64) {
	before := r.total()
	r.dropChunks(bytes)
	if bytes -= before - r.total(); bytes > 0 {
		idle := r.idle()
		k, _, _ := r.log.plan(readers(idle), bytes, 0, leftCost)
		r.letGo(idle[:k])
	}
	r.book()
}

// dismiss lets go of members that are away, the furthest behind first, until about the given bytes are free: all of what
// the room keeps of them counts, not only what they are owed.
func (r *room) dismiss(bytes int64) {
	goal := r.total() - bytes
	for _, m := range r.idle() {
		if r.total() <= goal {
			break
		}
		r.letGo([]*member{m})
	}
}

// share is the limit of the relay as it is for this room when it wants to hold more messages or files: the more it holds, the
// more it has to leave free, as much as it holds itself once that is an eighth of the relay. So members who are present and
// never ack cannot hold all of it: seven rooms of the default size leave 64 MiB, and each further one a part of what was left
// that shrinks with it, so that after n of them about one nth of 64 MiB is still there for the others. A room that has the
// relay for itself may fill two thirds. A room that holds little, and what is small, as members, need no share.
func (r *room) share(bytes, limit int64) int64 {
	const eighth, little = 8, 4096 // of the relay: 64 MiB and 128 KiB
	all := r.total() + bytes
	if all <= limit/little {
		return limit
	}
	return limit - int64(math.Sqrt(float64(all)*float64(limit)/eighth))
}

// reserve books bytes that are about to be added to the room, if the relay then holds limit at most. What is not used
// is given back when the room is unlocked.
func (r *room) reserve(bytes, limit int64) bool {
	for {
		held := r.hub.bytes.Load()
		if held+bytes > limit {
			return false
		}
		if r.hub.bytes.CompareAndSwap(held, held+bytes) {
			r.holds.Add(bytes)
			return true
		}
	}
}

// relief makes other rooms yield when the relay is full. Its mutex is held while one room after the other is locked.
type relief struct {
	give func(r *room, bytes int64) // static: about the bytes, of what is for members that are away

	mu     sync.Mutex
	failed time.Duration // when it was last of no use, guarded by mu; zero: never
}

const (
	reliefRooms = 4                      // rooms asked at a time: the largest hold the most
	reliefPause = 250 * time.Millisecond // after a failure; looking for the largest costs a walk over all rooms
)

// giveAll is what other rooms give for messages and members: files, then members. For a file they give files only, by
// dropChunks, since its sender can wait.
func (r *room) giveAll(bytes int64) {
	before := r.total()
	r.yield(bytes)
	r.dismiss(bytes - before + r.total())
}

// relieved runs f, and again each time ErrRelayFull could be mended by making other rooms give. need is about what f adds;
// shared says that it needs the room's share for that.
func (h *Memory) relieved(by *relief, own wire.RoomID, need int64, shared bool, f func() error) error {
	const tries = 3 // another may take what was freed
	err := f()
	for i := 1; i < tries && errors.Is(err, ErrRelayFull); i++ {
		all := need
		if r, _ := h.lock(own); r != nil {
			if shared {
				all += h.limits.RelayBytes - r.share(need, h.limits.RelayBytes)
			}
			r.unlock()
		}
		if !h.relieve(by, own, all) {
			break
		}
		err = f()
	}
	return err
}

// relieve makes the rooms that hold the most give up what is owed only to members that are away. The own room has
// yielded already. No room may be locked by the caller.
func (h *Memory) relieve(by *relief, own wire.RoomID, need int64) bool {
	by.mu.Lock()
	defer by.mu.Unlock()
	limit := h.limits.RelayBytes
	if h.bytes.Load()+need <= limit {
		return true // somebody else has made room
	}
	if f := by.failed; f != 0 && h.now()-f < reliefPause {
		return false
	}
	for _, r := range h.largest(own) {
		r.mu.Lock()
		by.give(r, h.bytes.Load()+need-limit)
		r.unlock()
		if h.bytes.Load()+need <= limit {
			by.failed = 0
			return true
		}
	}
	by.failed = h.now()
	return false
}

// largest lists the rooms that hold the most, but none that holds less than the own one: a large room costs no small one its sleepers.
func (h *Memory) largest(own wire.RoomID) []*room {
	type held struct {
		room  *room
		bytes int64 // read once: it changes while the list is sorted
	}
	var list []held
	var least int64
	if r, _ := h.shard(own).find(own); r != nil {
		least = r.holds.Load()
	}
	for _, r := range h.rooms(func(r *room) bool { return r.id != own }) {
		if bytes := r.holds.Load(); bytes >= least {
			list = append(list, held{r, bytes})
		}
	}
	slices.SortFunc(list, func(a, b held) int { return cmp.Compare(b.bytes, a.bytes) })
	out := make([]*room, 0, reliefRooms)
	for _, x := range list[:min(len(list), reliefRooms)] {
		out = append(out, x.room)
	}
	return out
}
