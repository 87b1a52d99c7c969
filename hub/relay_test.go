package hub

import (
	"testing"
	"time"

	"snug/wire"
)

func TestRelayFullSquattingRoom(t *testing.T) {
	timed(t, Limits{RelayBytes: 1 << 20, RoomBytes: 1 << 20}, func(f *fixture) {
		time.Sleep(time.Second)
		squat := f.elsewhere(1)
		squatter, sleeper := squat.join(1), squat.join(2)
		own, friend := f.join(1), f.join(2)
		fill := func() {
			for {
				if _, err := squatter.tryPost(10_000); err != nil {
					f.want(err, ErrRelayFull)
					return
				}
			}
		}
		fill()
		own.post(50_000) // a third is left
		own.post(50_000)
		f.want(second(own.tryPost(50_000)), ErrRelayFull) // all are present everywhere
		stay(time.Minute, own, friend, squatter)
		time.Sleep(time.Second)
		own.post(50_000)
		f.equal(squat.registered(), []byte{1})
		f.equal(f.registered(), []byte{1, 2})
		_, err := f.Memory.Members(squat.room, sleeper.Session)
		f.want(err, ErrNoSession)
		if held := f.bytes.Load(); held > 1<<20 {
			t.Fatalf("the relay holds %d", held)
		}
		f.equal(gap(squat.join(2).Gap)[0] > 40, true)
	})
}

// left is what the fixture's room may still hold, if it asks for the given bytes.
func (f *fixture) left(bytes int64) (n int64) {
	f.room1(func(r *room) { n = r.share(bytes, f.limits.RelayBytes) - f.bytes.Load() })
	return n
}

func TestRelayFullOwnRoomFirst(t *testing.T) {
	timed(t, Limits{RelayBytes: 1 << 20, RoomBytes: 1 << 20}, func(f *fixture) {
		other := f.elsewhere(1)
		big, _ := other.join(1), other.join(2)
		for range 40 {
			big.post(10_000)
		}
		own, _ := f.join(1), f.join(2)
		for range 20 {
			own.post(10_000)
		}
		f.join(3)
		for f.left(14_000) > 14_000 {
			own.post(10_000)
		}
		stay(time.Minute, own, big)
		own.post(10_000)
		f.equal(f.registered(), []byte{1, 3}) // 3 is away too, but as much as is needed is free
		f.equal(other.registered(), []byte{1, 2})
		_, err := f.PostShell(other.room, f.newID(), "jwe")
		f.check(err)
	})
}

func TestNoMoreAreLetGoThanNeeded(t *testing.T) {
	timed(t, Limits{RelayBytes: 1 << 20, RoomBytes: 2 << 20}, func(f *fixture) {
		own, _ := f.join(1), f.join(2)
		own.post(10_000)
		f.join(3)
		for f.left(54_000) > 45_000 {
			own.post(1000)
		}
		stay(time.Minute, own)
		own.post(40_000) // lacks less than what only two has not read
		f.equal(f.registered(), []byte{1, 3})
	})
}

func TestRelayBytesBoundsRooms(t *testing.T) {
	for size := 500; size < 1500; size += 100 {
		f := newFixture(t, Limits{RelayBytes: 100_000})
		var rooms []guest
		for n := range byte(250) {
			x := f.elsewhere(n)
			joined, err := x.Join(x.room, Join{Member: wire.MemberID{1}, Card: make([]byte, size)})
			if err != nil {
				f.want(err, ErrRelayFull)
				break
			}
			rooms = append(rooms, guest{x, joined})
		}
		s := f.Stats()
		if n := len(rooms); n < 20 || n > 45 || s.Rooms != n || s.Bytes > 100_000 {
			t.Fatalf("%d rooms in 100 KB: %+v", n, s)
		}
		f.verify()
		for _, g := range rooms {
			g.leave()
		}
		f.equal(f.Stats().Bytes, 0)
	}
}
