package hub

import (
	"testing"
	"time"

	"snug/wire"
)

// TestShellsLeaveRoomForMembers: who has only the post token cannot have members let go by filling the room for them.
func TestShellsLeaveRoomForMembers(t *testing.T) {
	for name, l := range map[string]Limits{"messages": {RoomMessages: 40}, "bytes": {RoomBytes: 40_000}} {
		timed(t, l, func(f *fixture) {
			one, _ := f.join(1), f.join(2)
			stay(time.Minute, one)
			for sent, err := 0, error(nil); err == nil; sent++ {
				if _, err = f.PostShell(f.room, f.newID(), "jwe"); err != nil && sent < 20 {
					t.Errorf("%s: %v after %d", name, err, sent)
				}
			}
			for range 8 {
				one.post(10)
			}
			f.equal(f.registered(), []byte{1, 2})
		})
	}
}

// TestAllAreLetGoForWhoComes: a joiner may cost everybody else, who were away, their membership. Nothing of them is left
// but what they missed.
func TestAllAreLetGoForWhoComes(t *testing.T) {
	timed(t, Limits{RoomBytes: 20_000}, func(f *fixture) {
		one := f.join(1)
		for range 30 {
			f.PostShell(f.room, f.newID(), string(make([]byte, 1000)))
		}
		stay(time.Minute)
		f.equal(len(f.next(one.subscribe(Stream)).Away), 1)
		last := f.joinAs(Join{Member: wire.MemberID{9}, Card: make([]byte, 4000)})
		f.equal(f.registered(), []byte{9})
		f.equal(last.update().Away, []byte{})
		f.equal(gap(f.join(1).Gap)[0] > 5, true)
	})
}

// TestRelayFullOfMembersThatNeverCome: rooms of members that somebody claims to know, and that owe nobody a message, give way.
func TestRelayFullOfMembersThatNeverCome(t *testing.T) {
	timed(t, Limits{RelayBytes: 1 << 20, RoomBytes: 1 << 20}, func(f *fixture) {
		time.Sleep(time.Second)
		own, friend := f.join(1), f.join(2)
		var known []wire.Member
		for n := range byte(250) {
			known = append(known, wire.Member{ID: wire.MemberID{7, n}, Card: make([]byte, wire.MaxCard)})
		}
		squat := f.elsewhere(1)
		squat.joinAs(Join{Member: wire.MemberID{1}, Card: make([]byte, wire.MaxCard), Known: known})
		f.want(second(own.tryPost(50_000)), nil)
		f.equal(f.registered(), []byte{1, 2})
		if n := f.Stats().Members; n < 150 {
			t.Errorf("%d members are left, more are gone than needed", n)
		}
		friend.leave()
	})
}

// TestFileCostsNoOtherRoomItsMembers: to make place for a file other rooms give up files, not members.
func TestFileCostsNoOtherRoomItsMembers(t *testing.T) {
	timed(t, Limits{RelayBytes: 1 << 20, RoomBytes: 1 << 20}, func(f *fixture) {
		time.Sleep(time.Second)
		other := f.elsewhere(1)
		big, _ := other.join(1), other.join(2)
		for range 4 {
			big.post(70_000)
		}
		f.check(big.put(1, 150_000))
		own, friend := f.join(1), f.join(2)
		stay(time.Minute, own, friend, big)
		f.check(own.put(1, 300_000))
		f.equal(f.Stats().ChunksDropped, 1)
		f.want(own.put(2, 300_000), ErrRelayFull)
		f.equal(other.registered(), []byte{1, 2})
	})
}

// TestRoomsThatNobodyAcksLeaveRoomForOthers: members who are present and never ack cannot hold the whole relay, in however
// many rooms.
func TestRoomsThatNobodyAcksLeaveRoomForOthers(t *testing.T) {
	for _, rooms := range []byte{1, 8, 16} {
		f := newFixture(t, Limits{RelayBytes: 64 << 20, RoomBytes: 8 << 20})
		for n := range rooms {
			x := f.elsewhere(n + 1)
			greedy, _ := x.join(1), x.join(2)
			for err := error(nil); err == nil; _, err = greedy.tryPost(10_000) {
			}
			f.equal(greedy.update().Near, true)
		}
		held := f.bytes.Load()
		if rooms == 1 && held < 7<<20 || rooms > 8 && held < 56<<20 {
			t.Errorf("%d rooms hold only %d", rooms, held)
		}
		own, _ := f.join(1), f.join(2)
		f.equal(own.update().Near, false)
		for range 10 {
			own.post(1000)
		}
		f.verify()
	}
}

// TestNearTheShare: a room whose share of the relay is nearly used tells its readers to ack at once.
func TestNearTheShare(t *testing.T) {
	f := newFixture(t, Limits{RelayBytes: 1 << 20, RoomBytes: 1 << 20})
	one, _ := f.join(1), f.join(2)
	for near := false; !near; near = one.update().Near {
		f.want(second(one.tryPost(1000)), nil)
	}
	if held := f.bytes.Load(); held < 1<<18 || held > 6<<17 {
		t.Errorf("near its budget with %d bytes", held)
	}
}

// TestLargeRoomCostsNoSmallOneItsSleepers: a room that wants more than its share gets it from rooms that hold more than
// itself, or not at all.
func TestLargeRoomCostsNoSmallOneItsSleepers(t *testing.T) {
	timed(t, Limits{RelayBytes: 1 << 20, RoomBytes: 1 << 20}, func(f *fixture) {
		time.Sleep(time.Second)
		small := f.elsewhere(1)
		poster, _ := small.join(1), small.join(2)
		for range 10 {
			poster.post(10_000)
		}
		large, reader := f.join(1), f.join(2)
		stay(time.Minute, poster, large, reader)
		for err := error(nil); err == nil; _, err = large.tryPost(10_000) {
		}
		f.equal(small.registered(), []byte{1, 2})
	})
}
