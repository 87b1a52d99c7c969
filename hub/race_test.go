package hub

import (
	"errors"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"snug/wire"
)

// TestRace lets many do everything at once in few rooms with small budgets and short times, and then counts the books.
func TestRace(t *testing.T) {
	f := newFixture(t, Limits{
		RoomBytes: 40_000, RoomMessages: 50, RelayBytes: 150_000, RoomMembers: 12, ChunkRoomBytes: 10_000,
		TTL: 30 * time.Millisecond, Grace: 40 * time.Millisecond, AwayAfter: 5 * time.Millisecond, KnockTTL: 10 * time.Millisecond,
	})
	var wg sync.WaitGroup
	for n := range byte(16) {
		wg.Go(func() {
			x := &actor{fixture: f.elsewhere(n % 4), rand: rand.New(rand.NewPCG(uint64(n), 3))}
			x.ids = uint64(n) << 32
			for end := time.Now().Add(700 * time.Millisecond); time.Now().Before(end); {
				x.step(wire.MemberID{n})
			}
			if x.sub != nil {
				x.sub.Close()
			}
		})
	}
	for range 20 {
		time.Sleep(30 * time.Millisecond)
		f.Stats()
		for _, r := range f.rooms(nil) {
			r.mu.Lock()
			var err error
			if begun := len(r.list) > 0 || r.log.head > 0; begun { // or whoever made it has not locked it yet, and nothing is booked
				err = r.invariants()
			}
			r.mu.Unlock()
			if err != nil {
				t.Error(err) // not Fatal: the others still run
			}
		}
	}
	wg.Wait()
	f.verify()
	time.Sleep(100 * time.Millisecond) // all are away for longer than grace
	if s := f.Stats(); s.Bytes != 0 || s.Rooms+s.Members+s.Messages+s.Chunks+s.Subscriptions != 0 || s.Posted != s.Freed+s.Expired {
		t.Fatalf("left: %+v", s)
	}
	s := f.Stats()
	t.Logf("posted %d, freed %d, expired %d, let go %v, chunks dropped %d", s.Posted, s.Freed, s.Expired, s.LetGo, s.ChunksDropped)
}

// actor is a client that behaves at random.
type actor struct {
	*fixture
	rand *rand.Rand
	g    guest
	sub  Subscription
	at   wire.Cursor
}

func (x *actor) step(id wire.MemberID) {
	var err error
	switch op := x.rand.IntN(40); {
	case op == 0 || x.g.fixture == nil:
		err = x.rejoin(id)
	case op == 1:
		err = x.Leave(x.room, x.g.Session)
	case op == 2:
		err = x.SetCard(x.room, x.g.Session, make([]byte, x.rand.IntN(500)))
	case op == 3:
		_, err = x.Memory.Members(x.room, x.g.Session)
	case op == 4:
		err = x.Knock(x.room, wire.KnockID{byte(x.rand.IntN(10))}, make([]byte, x.rand.IntN(9)))
	case op == 5:
		err = x.AnswerKnock(x.room, x.g.Session, wire.KnockID{byte(x.rand.IntN(10))}, nil)
	case op == 6:
		_, err = x.PostShell(x.room, x.newID(), "jwe")
	case op < 10:
		err = x.g.put(uint32(x.rand.IntN(100)), 2000)
	case op < 14:
		err = x.fetch(uint32(x.rand.IntN(100)))
	case op < 25:
		_, err = x.g.tryPost(x.rand.IntN(2000))
	case op < 30:
		err = x.Ack(x.room, x.g.Session, x.at)
	case op == 30:
		time.Sleep(time.Duration(x.rand.IntN(20)) * time.Millisecond)
	default:
		err = x.read()
	}
	if errors.Is(err, ErrNoSession) {
		err = x.rejoin(id)
	}
	if errors.Is(err, ErrBadCursor) || errors.Is(err, ErrTooLarge) || errors.Is(err, ErrClosed) {
		x.Errorf("unexpected: %v", err)
	}
}

func (x *actor) rejoin(id wire.MemberID) error {
	joined, err := x.Join(x.room, Join{Member: id, Card: []byte{id[0]}, Cursor: &x.at, Known: []wire.Member{{ID: wire.MemberID{99}}}})
	if err != nil {
		return nil // full, or let go again at once
	}
	x.g, x.at, x.sub = guest{x.fixture, joined}, joined.Cursor, nil
	return nil
}

func (x *actor) fetch(n uint32) error {
	if err := x.g.chunk(n); err != nil {
		return err
	}
	return x.AckChunks(x.room, x.g.Session, wire.AckRequest{Got: []wire.ChunkID{{File: wire.FileID{1}, N: n}}})
}

func (x *actor) read() error {
	if x.sub == nil {
		s, err := x.Subscribe(x.room, x.g.Session, x.at, Kind(x.rand.IntN(3)))
		if err != nil {
			return err
		}
		x.sub = s
	}
	select {
	case <-x.sub.Done():
	case <-x.sub.Ready():
	default:
	}
	u, err := x.sub.Next(5000)
	if err != nil {
		x.sub = nil
		return err
	}
	if u.Cursor.Seq < x.at.Seq && u.Cursor.Epoch == x.at.Epoch {
		x.Errorf("read back to %v from %v", u.Cursor, x.at)
	}
	x.at = u.Cursor
	return nil
}
