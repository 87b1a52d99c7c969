package hub

import (
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"snug/wire"
)

// timed runs a test in a bubble with a clock of its own, and ends with the hub closed and all its goroutines gone.
func timed(t *testing.T, l Limits, test func(f *fixture)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, l)
		test(f)
		f.verify()
	})
}

// stay keeps members present for d.
func stay(d time.Duration, who ...guest) {
	for ; d > 0; d -= 20 * time.Second {
		time.Sleep(min(d, 20*time.Second))
		for _, g := range who {
			g.ack(g.Cursor)
		}
	}
}

func TestMessageExpires(t *testing.T) {
	timed(t, Limits{TTL: time.Hour}, func(f *fixture) {
		one := f.join(1)
		two := f.join(2)
		s := one.subscribe(Stream)
		two.post(10) // one never acks this, nor the joining of two
		first := one.post(10)
		last := one.post(10)
		stay(30*time.Minute, one, two)
		kept := one.post(10)
		stay(30*time.Minute, one, two)

		f.equal(f.Stats().Expired, 3)
		f.equal(f.Stats().Messages, 1)
		u := two.update()
		f.equal(gap(u.Gap), [2]int{2, 0})
		f.equal(u.GapAt, last)
		f.equal(len(u.Events), 1)
		f.equal(u.Cursor, kept)
		f.equal(gap(two.update().Gap), [2]int{2, 0}) // told until it is acked
		f.equal(gap(one.update().Gap), [2]int{1, 0})

		u = f.next(s)
		f.equal(u.Acked.Through, last)
		f.equal(u.Acked.Expired, []uint64{first.Seq, last.Seq})
		two.ack(last)
		f.equal(gap(two.update().Gap), [2]int{-2, 0})
		two.ack(kept)
		f.equal(f.next(s).Acked.Through, kept)
		f.equal(one.update().Acked.Through, kept) // a poll tells it as well
		f.equal(one.update().Acked == nil, true)  // once
		f.equal(f.join(1).Acked.Expired, []uint64{first.Seq, last.Seq})
		f.equal(f.Stats().Freed, 1)
	})
}

func TestNewestExpiredAreTold(t *testing.T) {
	timed(t, Limits{TTL: time.Minute}, func(f *fixture) {
		one, two := f.join(1), f.join(2)
		var last wire.Cursor
		for range maxExpired + 10 {
			last = one.post(1)
		}
		stay(time.Minute, one, two)
		expired := one.join(1).Acked.Expired
		f.equal(len(expired), maxExpired)
		f.equal(expired[maxExpired-1], last.Seq)
		f.equal(gap(two.update().Gap), [2]int{maxExpired + 10, 0})
	})
}

func TestLostRosterEventIsAGap(t *testing.T) {
	timed(t, Limits{TTL: time.Hour}, func(f *fixture) {
		one := f.join(1)
		two := f.join(2)
		stay(time.Hour, one, two)
		u := one.update()
		f.equal(gap(u.Gap), [2]int{0, 0})
		f.equal(u.GapAt, two.Cursor)
		f.equal(gap(two.update().Gap), [2]int{-2, 0})
		f.equal(f.Stats().Expired, 0)
	})
}

func TestAwayAndGrace(t *testing.T) {
	timed(t, Limits{Grace: time.Hour, AwayAfter: time.Minute}, func(f *fixture) {
		one, two := f.join(1), f.join(2)
		s := one.subscribe(Stream)
		<-s.Ready()
		f.next(s)
		stay(59*time.Second, one)
		f.equal(f.present(), []byte{1, 2})
		f.equal(f.next(s).AwayChanged, false)
		time.Sleep(time.Second)
		f.equal(f.present(), []byte{1})
		select {
		case <-s.Ready():
			t.Fatal("a change of presence wakes readers")
		default:
		}
		u := f.next(s)
		f.equal(u.AwayChanged, true)
		f.equal(u.Away, []wire.MemberID{{2}})
		f.equal(f.next(s).AwayChanged, false)
		posted, err := f.Post(f.room, one.Session, Post{ID: f.newID()})
		f.check(err)
		f.equal(posted.Online, 1)
		f.equal(posted.Members, 2)

		f.join(2)
		f.equal(f.next(s).AwayChanged, true)
		stay(time.Hour-time.Second, one)
		f.equal(f.registered(), []byte{1, 2})
		stay(time.Second, one)
		f.equal(f.registered(), []byte{1})
		f.equal(string(f.next(s).Events[0].Data()), `{"id":"`+wire.MemberID{2}.String()+`","why":"grace"}`)
		f.equal(f.Stats().LetGo, map[string]uint64{"full": 0, "grace": 1})
		_, err = f.Members(f.room, two.Session)
		f.want(err, ErrNoSession)
		f.equal(gap(f.join(2).Gap), [2]int{1, 0})
		time.Sleep(time.Hour)
		synctest.Wait() // the janitor alone ends the room
		f.equal(f.bytes.Load(), 0)
		f.equal(f.Stats().Rooms, 0)
		_, err = s.Next(1)
		f.want(err, ErrNoSession)
	})
}

func TestWhatCountsAsPresence(t *testing.T) {
	tests := []struct {
		name string
		do   func(g guest)
		want bool
	}{
		{"ack", func(g guest) { g.ack(g.Cursor) }, true},
		{"a wrong ack", func(g guest) { g.Ack(g.room, g.Session, wire.Cursor{}) }, true},
		{"post", func(g guest) { g.post(1) }, true},
		{"card", func(g guest) { g.SetCard(g.room, g.Session, nil) }, true},
		{"put a chunk", func(g guest) { g.put(1, 1) }, true},
		{"ack chunks", func(g guest) { g.gotChunk(1) }, true},
		{"answer a knock", func(g guest) { g.AnswerKnock(g.room, g.Session, wire.KnockID{}, nil) }, true},
		{"join", func(g guest) { g.join(2) }, true},
		{"poll", func(g guest) { g.subscribe(Poll) }, true},
		{"stream", func(g guest) { g.next(g.subscribe(Stream)) }, false},
		{"batch", func(g guest) { g.next(g.subscribe(Batch)) }, false},
		{"get a chunk", func(g guest) { g.chunk(1) }, false},
		{"members", func(g guest) { g.Memory.Members(g.room, g.Session) }, false},
		{"another's join", func(g guest) { g.join(3) }, false},
	}
	for _, x := range tests {
		t.Run(x.name, func(t *testing.T) {
			timed(t, Limits{}, func(f *fixture) {
				f.join(1)
				two := f.join(2)
				time.Sleep(time.Minute)
				f.equal(len(f.present()), 0)
				x.do(two)
				f.equal(len(f.present()) > 0 && f.present()[0] == 2, x.want)
			})
		})
	}
}

func TestKnocksExpire(t *testing.T) {
	timed(t, Limits{RoomKnocks: 2, KnockNotes: 2}, func(f *fixture) {
		one := f.join(1)
		id := wire.KnockID{1}
		f.check(f.Knock(f.room, id, []byte("hello")))
		stay(5*time.Minute, one)
		f.check(f.Knock(f.room, wire.KnockID{2}, nil))
		f.check(f.Knock(f.room, wire.KnockID{2}, []byte("changed")))
		f.check(f.AnswerKnock(f.room, one.Session, id, []byte("who")))
		f.check(f.AnswerKnock(f.room, one.Session, id, []byte("are you")))
		f.want(f.AnswerKnock(f.room, one.Session, id, []byte("?")), ErrKnocksFull)
		_, more, err := f.KnockAnswers(f.room, id, 2)
		f.check(err)
		f.verify()
		stay(5*time.Minute, one)
		<-more // its end wakes the stranger
		_, _, err = f.KnockAnswers(f.room, id, 2)
		f.want(err, ErrNoKnock)
		f.equal(len(one.update().Knocks), 1)
		time.Sleep(time.Minute)
		f.want(f.Knock(f.room, id, nil), ErrNobody) // nobody is present
	})
}

// TestKnockStaysWhileItIsRepeated: a stranger that is still there repeats its note.
func TestKnockStaysWhileItIsRepeated(t *testing.T) {
	timed(t, Limits{}, func(f *fixture) {
		one := f.join(1)
		id := wire.KnockID{1}
		for range 3 {
			f.check(f.Knock(f.room, id, []byte("hello")))
			stay(9*time.Minute, one)
		}
		_, _, err := f.KnockAnswers(f.room, id, 0)
		f.check(err)
		f.equal(len(one.update().Knocks), 1)
		stay(2*time.Minute, one)
		_, _, err = f.KnockAnswers(f.room, id, 0)
		f.want(err, ErrNoKnock)
	})
}

// TestOldestKnockYields: strangers who knock and run keep nobody out; whom somebody has answered stays.
func TestOldestKnockYields(t *testing.T) {
	timed(t, Limits{RoomKnocks: 2}, func(f *fixture) {
		one := f.join(1)
		f.check(f.Knock(f.room, wire.KnockID{0}, nil))
		_, more, err := f.KnockAnswers(f.room, wire.KnockID{0}, 0)
		f.check(err)
		for n := range byte(2) {
			f.check(f.Knock(f.room, wire.KnockID{1 + n}, nil))
		}
		<-more // its end wakes the stranger
		_, _, err = f.KnockAnswers(f.room, wire.KnockID{0}, 0)
		f.want(err, ErrNoKnock)
		f.check(f.AnswerKnock(f.room, one.Session, wire.KnockID{1}, []byte("who")))
		f.check(f.AnswerKnock(f.room, one.Session, wire.KnockID{2}, []byte("who")))
		f.want(f.Knock(f.room, wire.KnockID{3}, nil), ErrKnocksFull)
		f.verify()
	})
}

func TestCloseLeavesNoGoroutine(t *testing.T) {
	before := runtime.NumGoroutine()
	f := newFixture(t, Limits{})
	for n := range byte(20) {
		f.join(n).subscribe(Stream)
	}
	f.join(30).post(10)
	f.check(f.Close())
	f.equal(f.Stats().Bytes, 0)
	// Close has waited for them; they only have to leave the scheduler's list.
	for i := 0; runtime.NumGoroutine() > before && i < 1000; i++ {
		runtime.Gosched()
		time.Sleep(time.Millisecond)
	}
	if after := runtime.NumGoroutine(); after > before {
		t.Fatalf("%d goroutines, %d before", after, before)
	}
}
