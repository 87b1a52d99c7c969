package hub

import (
	"sync"
	"sync/atomic"
	"time"

	"snug/wire"
)

// Memory is the Hub that keeps everything in the memory of one process. Make it with NewMemory, end it with Close.
//
// Locks are taken in this order: relief, one room, one shard. No two rooms are ever locked together, and no lock is held
// for anything but memory work.
type Memory struct {
	limits Limits    // static, defaults filled in
	start  time.Time // static; the hub's clock counts from here, so it never jumps
	shards [64]shard
	tally  tally
	bytes  atomic.Int64 // what all rooms hold; never above limits.RelayBytes but for what cannot be refused

	relief     relief // for messages and members
	fileRelief relief // for files

	wakeLists sync.Pool // of *wakeList

	done chan struct{}  // closed by Close
	once sync.Once      // guards the closing of done
	wg   sync.WaitGroup // the janitor and the rooms' wakers; Close waits for them
}

// shard is a part of the rooms, so that rooms do not wait for each other to be found.
type shard struct {
	mu     sync.RWMutex
	rooms  map[wire.RoomID]*room // guarded by mu
	closed bool                  // guarded by mu
}

// tally counts since the start.
type tally struct {
	posted, freed, expired, chunksDropped, full, grace atomic.Uint64
}

var _ Hub = (*Memory)(nil)

// NewMemory returns an empty hub. It starts one goroutine, which frees what nobody asks for any more; Close ends it.
func NewMemory(limits Limits) *Memory {
	h := &Memory{limits: limits.orDefaults(), start: time.Now(), done: make(chan struct{})}
	h.wakeLists.New = func() any { return new(wakeList) }
	h.relief.give, h.fileRelief.give = (*room).giveAll, (*room).dropChunks
	for i := range h.shards {
		h.shards[i].rooms = make(map[wire.RoomID]*room)
	}
	h.wg.Go(h.janitor)
	return h
}

// Close ends every subscription with ErrClosed, frees everything and waits for the hub's goroutines.
// Everything but Stats answers ErrClosed afterwards. It may be called more than once.
func (h *Memory) Close() error {
	for i := range h.shards {
		h.shards[i].close()
	}
	for _, r := range h.rooms(nil) {
		r.mu.Lock()
		r.endLocked(ErrClosed)
		r.unlock()
	}
	h.once.Do(func() { close(h.done) })
	h.wg.Wait()
	return nil
}

// Stats counts what the hub holds, room by room: it is exact when nothing else goes on.
func (h *Memory) Stats() Stats {
	s := Stats{
		Bytes:         h.bytes.Load(),
		Posted:        h.tally.posted.Load(),
		Freed:         h.tally.freed.Load(),
		Expired:       h.tally.expired.Load(),
		ChunksDropped: h.tally.chunksDropped.Load(),
		LetGo: map[string]uint64{
			wire.ReasonFull:  h.tally.full.Load(),
			wire.ReasonGrace: h.tally.grace.Load(),
		},
	}
	for _, r := range h.rooms(nil) {
		r.count(&s)
	}
	return s
}

// now is the hub's clock. It is monotonic: a corrected wall clock neither expires nor preserves anything.
func (h *Memory) now() time.Duration { return time.Since(h.start) }

func (h *Memory) shard(id wire.RoomID) *shard { return &h.shards[int(id[0])%len(h.shards)] }

// rooms lists the rooms for which want is true; nil stands for all. want runs under the lock of a shard.
func (h *Memory) rooms(want func(*room) bool) (list []*room) {
	for i := range h.shards {
		s := &h.shards[i]
		s.mu.RLock()
		for _, r := range s.rooms {
			if want == nil || want(r) {
				list = append(list, r)
			}
		}
		s.mu.RUnlock()
	}
	return list
}

// lock returns the room, locked and swept, or nil if nobody is in it. The caller unlocks it.
func (h *Memory) lock(id wire.RoomID) (*room, error) {
	r, closed := h.shard(id).find(id)
	if closed {
		return nil, ErrClosed
	}
	if r == nil {
		return nil, nil
	}
	r.mu.Lock()
	r.sweepLocked(h.now())
	if len(r.list) == 0 {
		r.unlock()
		return nil, nil
	}
	return r, nil
}

// lockOrMake returns the room, locked and swept, maybe a new one. If nobody is in it at unlock, it ends again.
func (h *Memory) lockOrMake(id wire.RoomID) (*room, error) {
	for {
		r, err := h.shard(id).findOrMake(h, id)
		if err != nil {
			return nil, err
		}
		r.mu.Lock()
		r.sweepLocked(h.now())
		if !r.ended && (len(r.list) > 0 || r.log.head == 0) {
			return r, nil
		}
		r.unlock() // its last member went just now: that life of the room is over
	}
}

// enter returns the session's room and member, the room locked. The caller unlocks it.
func (h *Memory) enter(id wire.RoomID, s wire.SessionID) (*room, *member, error) {
	r, err := h.lock(id)
	if err != nil {
		return nil, nil, err
	}
	if r == nil {
		return nil, nil, ErrNoSession
	}
	m := r.sessions[s]
	if m == nil {
		r.unlock()
		return nil, nil, ErrNoSession
	}
	return r, m, nil
}

// Known tells whether the session is one of the room's; see Hub.
func (h *Memory) Known(id wire.RoomID, s wire.SessionID) error {
	r, _, err := h.enter(id, s)
	if err == nil {
		r.unlock()
	}
	return err
}

// enterPresent is enter, and counts as presence.
func (h *Memory) enterPresent(id wire.RoomID, s wire.SessionID) (*room, *member, error) {
	r, m, err := h.enter(id, s)
	if err == nil {
		r.touch(m)
	}
	return r, m, err
}

func (s *shard) find(id wire.RoomID) (r *room, closed bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.rooms[id], s.closed
}

func (s *shard) findOrMake(h *Memory, id wire.RoomID) (*room, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil, ErrClosed
	}
	r := s.rooms[id]
	if r == nil {
		r = newRoom(h, id)
		s.rooms[id] = r
	}
	return r, nil
}

// remove forgets the room, unless a newer life of it is there already.
func (s *shard) remove(r *room) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.rooms[r.id] == r {
		delete(s.rooms, r.id)
	}
}

func (s *shard) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
}
