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
		for range 8 {
			big.post(70_000)
		}
		f.check(big.put(1, 100_000))
		own, friend := f.join(1), f.join(2)
		stay(time.Minute, own, friend, big)
		f.check(own.put(1, 200_000))
		f.equal(f.Stats().ChunksDropped, 1)
		f.want(own.put(2, 200_000), ErrRelayFull)
		f.equal(other.registered(), []byte{1, 2})
	})
}
