package hub

import (
	"testing"
	"testing/synctest"
	"time"

	"snug/wire"
)

func TestLetGoFurthestBehindOfTheAway(t *testing.T) {
	timed(t, Limits{RoomMessages: 10}, func(f *fixture) {
		one := f.join(1)
		two, three, four := f.join(2), f.join(3), f.join(4)
		var at [10]wire.Cursor
		for i := range at {
			at[i] = one.post(10)
		}
		two.ack(at[1])
		three.ack(at[0])
		four.ack(at[2])
		stay(time.Minute, one)
		four.Cursor = at[2]
		four.ack(at[2])

		one.post(10) // the first is with everybody, so there is room for one
		f.equal(f.registered(), []byte{1, 2, 3, 4})
		one.post(10) // for the second only three is waited
		f.equal(f.registered(), []byte{1, 2, 4})
		one.post(10) // for the third only two
		f.equal(f.registered(), []byte{1, 4})
		f.equal(f.Stats().Messages, 10)
		f.want(second(one.tryPost(10)), ErrRoomFull) // everybody left is present
		f.equal(f.registered(), []byte{1, 4})
		f.equal(f.next(four.subscribe(Stream)).Near, true)
		f.equal(f.Stats().LetGo["full"], 2)

		f.equal(gap(f.join(3).Gap), [2]int{12, 0}) // ten it was owed, and two since
		f.equal(gap(f.join(2).Gap), [2]int{11, 0})
		f.equal(gap(f.join(5).Gap), [2]int{-2, 0})
		f.equal(gap(f.join(3).Gap), [2]int{-2, 0}) // it knows
		reasons := 0
		for _, e := range one.update().Events {
			if e.Name() == wire.EventLeft {
				reasons++
			}
		}
		f.equal(reasons, 2)
	})
}

func second[A, B any](_ A, b B) B { return b }

func TestNobodyIsLetGoForNothing(t *testing.T) {
	timed(t, Limits{RoomMessages: 10}, func(f *fixture) {
		one, two := f.join(1), f.join(2)
		three := f.join(3)
		for range 10 {
			one.post(10)
		}
		stay(time.Minute, one, two) // two is here and has acked as little as three, which is away
		f.want(second(one.tryPost(10)), ErrRoomFull)
		f.equal(f.registered(), []byte{1, 2, 3})
		two.leave()
		_, err := f.PostShell(f.room, f.newID(), "jwe")
		f.want(err, ErrRoomFull) // a shell costs nobody its membership
		f.equal(f.registered(), []byte{1, 3})
		one.post(10)
		f.equal(f.registered(), []byte{1})
		_, err = f.Memory.Members(f.room, three.Session)
		f.want(err, ErrNoSession)
		f.equal(f.Stats().Messages, 0)
	})
}

func TestRoomBytes(t *testing.T) {
	timed(t, Limits{RoomBytes: 100_000}, func(f *fixture) {
		one, two := f.join(1), f.join(2)
		for {
			if _, err := one.tryPost(1000); err != nil {
				f.want(err, ErrRoomFull)
				break
			}
			if !one.update().Near && f.bytes.Load() > 90_000 {
				t.Fatal("the room is not near its budget")
			}
		}
		f.room1(func(r *room) {
			if r.log.bytes > 100_000 || r.log.bytes < 97_000 {
				t.Fatalf("a full room holds %d", r.log.bytes)
			}
		})
		_, err := f.Join(f.room, Join{Member: wire.MemberID{9}, Card: make([]byte, 4000)})
		f.want(err, ErrRoomFull) // there is no room to tell the others
		f.want(f.SetCard(f.room, one.Session, make([]byte, 4000)), ErrRoomFull)
		stay(time.Minute, one)
		f.joinAs(Join{Member: wire.MemberID{9}, Card: make([]byte, 4000)})
		f.equal(f.registered(), []byte{1, 9})
		f.verify()
		f.equal(gap(f.joinAs(Join{Member: two.Member, Cursor: &two.Cursor}).Gap)[0] > 50, true)
	})
}

func TestGhosts(t *testing.T) {
	timed(t, Limits{RoomMessages: 4, RoomMembers: 400, AwayAfter: time.Minute}, func(f *fixture) {
		one := f.join(1)
		two := f.join(2)
		last := one.post(1)
		f.check(two.put(1, 10)) // owed to one
		f.check(one.put(2, 10)) // owed to two
		for range 3 {
			last = one.post(1)
		}
		stay(2*time.Minute, one)
		one.post(1)
		f.equal(f.registered(), []byte{1})
		for range 6 {
			last = one.post(1)
		}
		again := f.joinAs(Join{Member: two.Member, Cursor: &two.Cursor})
		f.equal(gap(again.Gap), [2]int{11, 1})
		f.equal(again.Fresh, true)
		f.equal(again.Cursor.Seq > last.Seq, true)
		again.leave()
		f.equal(gap(f.join(2).Gap), [2]int{-2, 0}) // who leaves is owed nothing
		f.joinAs(Join{Member: two.Member}).leave()
		f.equal(gap(f.joinAs(Join{Member: two.Member, Cursor: &again.Cursor}).Gap), [2]int{-2, 0}) // nothing was posted since
		f.joinAs(Join{Member: two.Member}).leave()
		one.post(1)
		f.equal(gap(f.join(2).Gap), [2]int{-2, 0})

		f.room1(func(r *room) {
			for n := range maxGhosts + 5 {
				r.ghosts.add(ghost{member: wire.MemberID{7, byte(n), byte(n >> 8)}, messages: 3, total: r.log.total})
			}
		})
		forgotten := wire.MemberID{7}
		f.equal(gap(f.joinAs(Join{Member: forgotten, Cursor: &two.Cursor}).Gap), [2]int{-1, 0})
		kept := wire.MemberID{7, 9}
		f.equal(gap(f.joinAs(Join{Member: kept}).Gap), [2]int{3, 0})
	})
}

func TestMembersFull(t *testing.T) {
	timed(t, Limits{RoomMembers: 3}, func(f *fixture) {
		known := []wire.Member{{ID: wire.MemberID{2}}, {ID: wire.MemberID{3}}, {ID: wire.MemberID{4}}, {ID: wire.MemberID{5}}}
		f.equal(len(f.joinAs(Join{Member: wire.MemberID{1}, Known: known}).Members), 3)
		f.equal(f.join(3).Fresh, false)
		f.equal(f.join(5).Fresh, true) // in the place of 2, who is away
		f.equal(f.registered(), []byte{1, 3, 5})
		_, err := f.Join(f.room, Join{Member: wire.MemberID{6}})
		f.want(err, ErrMembersFull) // all are here
		f.equal(f.Stats().LetGo[wire.ReasonFull], 1)
	})
}

// TestHundredMembersOneNeverReads: what one does not read is held once, not for each, and only until it is let go.
func TestHundredMembersOneNeverReads(t *testing.T) {
	timed(t, Limits{RoomMessages: 1000}, func(f *fixture) {
		var all []guest
		for n := range byte(100) {
			all = append(all, f.join(n))
		}
		readers := all[1:]
		for i := range 2000 {
			c := readers[i%len(readers)].post(100)
			if i%100 == 99 {
				for j := range readers {
					readers[j].Cursor = c
				}
				stay(20*time.Second, readers...)
			}
		}
		f.equal(len(f.registered()), 99)
		f.equal(f.Stats().Messages, 0) // the others have everything
		f.equal(gap(all[0].join(0).Gap), [2]int{2000, 0})
		for _, g := range append(readers, f.join(0)) {
			g.leave()
		}
		f.equal(f.Stats().Bytes, 0)
	})
}

func TestDrainedLogIsSmall(t *testing.T) {
	f := newFixture(t, Limits{})
	one, two := f.join(1), f.join(2)
	one.ack(two.Cursor)
	var last wire.Cursor
	for range 20_000 {
		last = one.post(1)
	}
	if err := second(one.tryPost(1)); err != ErrRoomFull {
		t.Fatal(err)
	}
	f.check(f.Ack(f.room, two.Session, last))
	f.room1(func(r *room) {
		if n, ids := cap(r.log.entries), r.log.ids.peak; n > 128 || ids > 1024 {
			t.Errorf("a drained log has %d slots and an index of %d", n, ids)
		}
		f.equal(len(r.log.ids.seqs), maxRecent)
		f.equal(r.log.bytes, 0)
	})
	f.verify()
}

// TestPosterThatNeverReads: what it posts and everybody has is not kept because it has not acked something before.
func TestPosterThatNeverReads(t *testing.T) {
	f := newFixture(t, Limits{})
	one, two := f.join(1), f.join(2) // one has not acked that two came
	for range 5000 {
		two.ack(one.post(1))
	}
	f.room1(func(r *room) {
		if n := len(r.log.entries); n > 100 {
			t.Errorf("%d entries for one that is owed", n)
		}
		f.equal(r.log.floor, one.Cursor.Seq)
	})
	s := one.subscribe(Stream)
	one.ack(two.Cursor)
	f.equal(f.next(s).Acked.Through.Seq, two.Cursor.Seq+5000)
}

func TestRepeatedIDsAreRememberedAfterFreeing(t *testing.T) {
	f := newFixture(t, Limits{})
	one, two := f.join(1), f.join(2)
	var posts []Post
	for range maxRecent + 1 {
		p := Post{ID: f.newID(), Frame: []byte("x")}
		posted, err := f.Post(f.room, one.Session, p)
		f.check(err)
		two.ack(posted.Cursor)
		posts = append(posts, p)
	}
	again, err := f.Post(f.room, one.Session, posts[1])
	f.check(err)
	f.equal(again.Duplicate, true)
	again, err = f.Post(f.room, one.Session, posts[0]) // too long ago
	f.check(err)
	f.equal(again.Duplicate, false)
	f.verify()
}

func TestReadersAreWokenTogether(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, Limits{RoomMembers: 1000})
		poster := f.join(0)
		own := poster.subscribe(Stream)
		got := make(chan int)
		for n := range 300 {
			g := f.joinAs(Join{Member: wire.MemberID{byte(n), byte(n >> 8), 1}})
			go func() {
				s := g.subscribe(Stream)
				for events := 0; events < 3; <-s.Ready() {
					events += len(f.next(s).Events)
					if events >= 3 {
						break
					}
				}
				s.Close()
				got <- 1
			}()
		}
		synctest.Wait()
		<-own.Ready()
		poster.ack(f.next(own).Cursor)
		for range 3 {
			poster.post(10)
		}
		for range 300 {
			<-got
		}
		synctest.Wait()
		select {
		case <-own.Ready():
			t.Error("the poster is woken by what it posts")
		default:
		}
	})
}
