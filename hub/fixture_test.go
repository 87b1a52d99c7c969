package hub

import (
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"slices"
	"testing"

	"snug/wire"
)

// invariants counts everything that the hub holds from scratch, and compares.
func (h *Memory) invariants() error {
	var sum int64
	for _, r := range h.rooms(nil) {
		r.mu.Lock()
		err := r.invariants()
		sum += r.holds.Load()
		r.mu.Unlock()
		if err != nil {
			return err
		}
	}
	if got := h.bytes.Load(); got != sum {
		return fmt.Errorf("hub holds %d bytes, its rooms %d", got, sum)
	}
	return nil
}

func (r *room) invariants() error {
	if err := r.log.invariants(); err != nil {
		return err
	}
	var extra, ids, chunks, knocks int64
	online := 0
	for _, m := range r.list {
		extra += memberCost + int64(len(m.card)+len(m.skips)*skipCost)
		ids += int64(len(m.recent.ids)) * idCost
		if !m.away {
			online++
		}
		if r.members[m.id] != m || !m.reading {
			return errors.New("a listed member is not registered")
		}
	}
	ids += int64(len(r.log.shell.recent.ids)) * idCost
	for _, x := range r.chunks.held {
		chunks += x.cost
		if len(x.owed) == 0 {
			return errors.New("a chunk is owed to nobody")
		}
		for _, m := range x.owed {
			if !slices.Contains(r.list, m) {
				return errors.New("a chunk is owed to somebody who left")
			}
		}
	}
	lacking := 0
	for id, f := range r.chunks.wasHere {
		if r.chunks.gone[f.place] != id {
			return errors.New("a freed chunk is remembered at another place")
		}
		lacking += len(f.lack)
		for _, m := range f.lack {
			if !slices.Contains(r.list, m) {
				return errors.New("a dropped chunk is remembered for somebody who left")
			}
		}
	}
	if lacking != r.chunks.lacking {
		return fmt.Errorf("dropped chunks are lacked %d times, counted %d", lacking, r.chunks.lacking)
	}
	for _, k := range r.knocks.list {
		knocks += k.cost()
	}
	switch {
	case extra != r.extra || ids != r.log.ids.bytes || chunks != r.chunks.bytes || knocks != r.knocks.bytes:
		return fmt.Errorf("members %d, ids %d, chunks %d, knocks %d bytes; counted %d, %d, %d, %d",
			r.extra, r.log.ids.bytes, r.chunks.bytes, r.knocks.bytes, extra, ids, chunks, knocks)
	case r.total() != r.holds.Load():
		return fmt.Errorf("room holds %d, booked %d", r.total(), r.holds.Load())
	case online != r.online || r.log.readers != len(r.list) || len(r.members) != len(r.list):
		return fmt.Errorf("online %d of %d, readers %d, members %d; counted %d", r.online, len(r.list), r.log.readers, len(r.members), online)
	case len(r.chunks.gone) < len(r.chunks.wasHere) || len(r.chunks.gone) > maxGone || r.chunks.order.Len() != len(r.chunks.held):
		return errors.New("indexes of chunks differ")
	}
	return nil
}

// fixture is a hub under test and a room in it.
type fixture struct {
	*testing.T
	*Memory
	room wire.RoomID
	ids  uint64
}

// guest is a member that a test has let join.
type guest struct {
	*fixture
	wire.Joined
}

func newFixture(t *testing.T, l Limits) *fixture {
	f := &fixture{T: t, Memory: NewMemory(l), room: wire.RoomID{1}}
	t.Cleanup(func() { f.Close() })
	return f
}

// verify checks the books.
func (f *fixture) verify() {
	f.Helper()
	f.check(f.invariants())
}

func (f *fixture) check(err error) {
	f.Helper()
	if err != nil {
		f.Fatal(err)
	}
}

func (f *fixture) want(got, want error) {
	f.Helper()
	if !errors.Is(got, want) {
		f.Fatalf("got error %v, want %v", got, want)
	}
}

func (f *fixture) elsewhere(n byte) *fixture {
	return &fixture{T: f.T, Memory: f.Memory, room: wire.RoomID{1, n}}
}

func (f *fixture) join(n byte) guest {
	f.Helper()
	return f.joinAs(Join{Member: wire.MemberID{n}, Card: []byte{n}})
}

func (f *fixture) joinAs(j Join) guest {
	f.Helper()
	joined, err := f.Join(f.room, j)
	f.check(err)
	return guest{f, joined}
}

func (f *fixture) newID() (id wire.MessageID) {
	f.ids++
	binary.BigEndian.PutUint64(id[:], f.ids)
	return id
}

func (g guest) tryPost(size int) (wire.Cursor, error) {
	posted, err := g.Post(g.room, g.Session, Post{ID: g.newID(), Frame: make([]byte, size)})
	return posted.Cursor, err
}

func (g guest) post(size int) wire.Cursor {
	g.Helper()
	c, err := g.tryPost(size)
	g.check(err)
	return c
}

func (g guest) ack(c wire.Cursor) {
	g.Helper()
	g.check(g.Ack(g.room, g.Session, c))
}

func (g guest) leave() {
	g.Helper()
	g.check(g.Leave(g.room, g.Session))
}

func (g guest) subscribe(kind Kind) Subscription {
	g.Helper()
	s, err := g.Subscribe(g.room, g.Session, g.Cursor, kind)
	g.check(err)
	return s
}

// update returns what is pending for a new subscription.
func (g guest) update() Update {
	g.Helper()
	s := g.subscribe(Batch)
	defer s.Close()
	return g.next(s)
}

func (f *fixture) next(s Subscription) Update {
	f.Helper()
	u, err := s.Next(1 << 30)
	f.check(err)
	return u
}

func (g guest) put(n uint32, size int) error {
	return g.PutChunk(g.room, g.Session, wire.ChunkID{File: wire.FileID{1}, N: n}, make([]byte, size))
}

func (g guest) chunk(n uint32) error {
	_, _, err := g.Chunk(g.room, g.Session, wire.ChunkID{File: wire.FileID{1}, N: n})
	return err
}

func (g guest) gotChunk(n uint32) {
	g.Helper()
	g.check(g.AckChunks(g.room, g.Session, wire.AckRequest{Got: []wire.ChunkID{{File: wire.FileID{1}, N: n}}}))
}

// gap is what a Gap says, with -2 for none.
func gap(g *wire.Gap) [2]int {
	if g == nil {
		return [2]int{-2, 0}
	}
	return [2]int{g.Messages, g.Chunks}
}

// present lists who is in the room and not away.
func (f *fixture) present() (list []byte) {
	f.room1(func(r *room) {
		for _, m := range r.list {
			if !m.away {
				list = append(list, m.id[0])
			}
		}
	})
	return list
}

// registered lists who is in the room.
func (f *fixture) registered() (list []byte) {
	f.room1(func(r *room) { list = slices.Collect(maps.Keys(firstBytes(r.members))) })
	slices.Sort(list)
	return list
}

func firstBytes(in map[wire.MemberID]*member) map[byte]bool {
	out := make(map[byte]bool)
	for id := range in {
		out[id[0]] = true
	}
	return out
}

func (f *fixture) room1(do func(*room)) {
	r, err := f.lock(f.room)
	f.check(err)
	if r == nil {
		return
	}
	defer r.unlock()
	do(r)
}

func (f *fixture) equal(got, want any) {
	f.Helper()
	if g, w := fmt.Sprint(got), fmt.Sprint(want); g != w {
		f.Fatalf("got %v, want %v", g, w)
	}
}
