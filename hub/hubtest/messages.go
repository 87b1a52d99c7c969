package hubtest

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"snug/hub"
	"snug/wire"
)

func order(b *bench) {
	one, two, three := b.join(1), b.join(2), b.join(3)
	var all, odd []string
	last := one.Cursor
	for i := range 40 {
		text := fmt.Sprint(i)
		from := one
		if i%2 == 1 {
			from, odd = two, append(odd, "msg "+text)
		}
		at := from.post(text)
		if at.Epoch != last.Epoch || at.Seq <= last.Seq {
			b.Fatalf("posted at %v after %v", at, last)
		}
		last, all = at, append(all, "msg "+text)
	}
	b.equal(three.read(three.Cursor, 40), all)
	b.equal(one.read(three.Cursor, 20), odd)
}

func repeats(b *bench) {
	one, two := b.join(1), b.join(2)
	p := hub.Post{ID: b.newID(), Frame: []byte("a")}
	first, err := b.Post(b.room, one.Session, p)
	b.check(err)
	if first.Duplicate || first.Members != 2 || first.Online != 2 || first.ID != p.ID {
		b.Fatalf("posted %+v", first)
	}
	one.post("b")
	stale := uint64(0)
	p.Roster = &stale // whoever repeats what was taken needs no newer list
	again, err := b.Post(b.room, one.Session, p)
	b.check(err)
	if !again.Duplicate || again.Cursor != first.Cursor {
		b.Fatalf("posted again %+v, want the place of %+v", again, first)
	}
	b.equal(two.read(two.Cursor, 2), []string{"msg a", "msg b"})
	again, err = b.Post(b.room, b.join(1).Session, p) // freed by now, and with a newer session
	b.check(err)
	if !again.Duplicate || again.Cursor != first.Cursor {
		b.Fatalf("posted after freeing %+v, want the place of %+v", again, first)
	}
	other, err := b.Post(b.room, two.Session, hub.Post{ID: p.ID, Frame: []byte("other")})
	b.check(err)
	if other.Duplicate {
		b.Fatal("the id of another poster counts as a repetition")
	}
}

func shellRepeats(b *bench) {
	one := b.join(1)
	id := b.newID()
	first, err := b.PostShell(b.room, id, "head..iv.body.tag")
	b.check(err)
	again, err := b.PostShell(b.room, id, "head..iv.body.tag")
	b.check(err)
	if first.Duplicate || !again.Duplicate || again.Cursor != first.Cursor || first.Members != 1 {
		b.Fatalf("posted %+v and %+v", first, again)
	}
	one.post("own")
	_, err = b.PostShell(b.room, b.newID(), "second")
	b.check(err)
	b.equal(one.read(one.Cursor, 2), []string{"msg head..iv.body.tag", "msg second"})
}

func shellNobody(b *bench) {
	_, err := b.PostShell(b.room, b.newID(), "jwe")
	b.want(err, hub.ErrNobody)
}

func staleRoster(b *bench) {
	one := b.join(1)
	b.join(2)
	two := b.join(3)
	p := hub.Post{ID: b.newID(), Frame: []byte("a"), Roster: &one.Roster}
	refused, err := b.Post(b.room, one.Session, p)
	b.want(err, hub.ErrRosterStale)
	if refused.Roster == nil || refused.Roster.Roster != two.Roster || len(refused.Roster.Members) != 3 {
		b.Fatalf("refused with %+v", refused.Roster)
	}
	for _, m := range refused.Roster.Members {
		if (m.Card == nil) != (m.ID == member(1)) {
			b.Errorf("member %v comes with card %q; want all that are newer, and not its own", m.ID, m.Card)
		}
	}
	b.check(b.SetCard(b.room, two.Session, []byte("new")))
	p.Roster = &refused.Roster.Roster
	refused, err = b.Post(b.room, one.Session, p)
	b.want(err, hub.ErrRosterStale)
	for _, m := range refused.Roster.Members {
		if (m.Card != nil) != (m.ID == member(3)) {
			b.Errorf("member %v comes with card %q; want only the changed one", m.ID, m.Card)
		}
	}
	p.Roster = &refused.Roster.Roster
	_, err = b.Post(b.room, one.Session, p)
	b.check(err)
	b.equal(two.read(two.Cursor, 1), []string{"msg a"})
}

func ownRoster(b *bench) {
	one := b.join(1)
	two := b.join(2)
	p := hub.Post{ID: b.newID(), Frame: []byte("a"), Roster: &two.Roster}
	b.check(b.SetCard(b.room, one.Session, []byte("new")))
	_, err := b.Post(b.room, one.Session, p)
	b.check(err) // it knows its own card
	_, err = b.Post(b.room, two.Session, hub.Post{ID: b.newID(), Frame: []byte("b"), Roster: &two.Roster})
	b.want(err, hub.ErrRosterStale)
}

func ackedBetweenPolls(b *bench) {
	one, two := b.join(1), b.join(2)
	one.ack(two.Cursor)
	s := one.subscribe(two.Cursor, hub.Poll)
	_, err := s.Next(1 << 20)
	b.check(err)
	place := one.post("a")
	s.Close()
	two.ack(place)
	s = one.subscribe(two.Cursor, hub.Poll)
	for deadline := time.Now().Add(patience); ; {
		if u := b.next(s, deadline); u.Acked != nil && u.Acked.Through.Seq >= place.Seq {
			break
		}
	}
	s.Close()
	b.silent(one.subscribe(place, hub.Poll)) // told once
}

func notAcked(b *bench) {
	one, two := b.join(1), b.join(2)
	one.post("a")
	at := one.post("b")
	s := two.subscribe(two.Cursor, hub.Stream)
	if u := b.next(s, time.Now().Add(patience)); len(u.Events) == 0 {
		b.Fatalf("read %+v", u)
	}
	b.equal(two.read(two.Cursor, 2), []string{"msg a", "msg b"})
	two.ack(two.Cursor) // older, changes nothing
	b.join(3)
	old := two.subscribe(two.Cursor, hub.Stream)
	two.ack(one.post("c")) // three has not, so it is still held
	b.eventually("the ack counts", func() bool {
		u, err := two.subscribe(two.Cursor, hub.Poll).Next(1 << 20)
		return err == nil && len(u.Events) == 0
	})
	b.silent(old)
	s = two.subscribe(two.Cursor, hub.Stream)
	if got := s.Hello().Cursor; got.Seq < at.Seq {
		b.Fatalf("subscribed at %v, want behind what was acked, %v", got, at)
	}
	b.silent(s)
}

func badCursors(b *bench) {
	one := b.join(1)
	ahead := wire.Cursor{Epoch: one.Cursor.Epoch, Seq: one.Cursor.Seq + 1000}
	other := wire.Cursor{Epoch: wire.Epoch{1}, Seq: one.Cursor.Seq}
	for _, c := range []wire.Cursor{ahead, other} {
		b.want(b.Ack(b.room, one.Session, c), hub.ErrBadCursor)
		_, err := b.Subscribe(b.room, one.Session, c, hub.Stream)
		b.want(err, hub.ErrBadCursor)
	}
	again := b.joinAs(hub.Join{Member: member(1), Card: card(1), Cursor: &ahead}) // as good as none
	if again.Cursor.Seq > one.Cursor.Seq {
		b.Fatalf("joined at %v", again.Cursor)
	}
}

func acked(b *bench) {
	one, two, three := b.join(1), b.join(2), b.join(3)
	one.ack(three.Cursor)
	two.ack(three.Cursor)
	s, silent := one.subscribe(three.Cursor, hub.Stream), two.subscribe(three.Cursor, hub.Stream)
	first, last := one.post("a"), one.post("b")
	two.ack(last)
	three.ack(first)
	through := func(want wire.Cursor) {
		b.Helper()
		for deadline := time.Now().Add(patience); ; {
			u := b.next(s, deadline)
			if u.Acked != nil && u.Acked.Through.Seq > want.Seq {
				b.Fatalf("acked through %v, want %v", u.Acked.Through, want)
			}
			if u.Acked != nil && u.Acked.Through == want && len(u.Acked.Expired) == 0 {
				return
			}
		}
	}
	through(first)
	three.leave()
	for deadline := time.Now().Add(patience); ; {
		if u := b.next(s, deadline); u.Acked != nil && u.Acked.Through.Seq >= last.Seq {
			break
		}
	}
	if u, err := silent.Next(1 << 20); err != nil || u.Acked != nil {
		b.Fatalf("who posted nothing was told %+v, %v", u.Acked, err)
	}
}

func pieces(b *bench) {
	one, two := b.join(1), b.join(2)
	for range 5 {
		one.post(strings.Repeat("x", 1000))
	}
	s := two.subscribe(two.Cursor, hub.Batch)
	b.eventually("all is there", func() bool {
		u, err := two.subscribe(two.Cursor, hub.Poll).Next(1 << 20)
		return err == nil && len(u.Events) == 5
	})
	var sizes []int
	for {
		u, err := s.Next(2000)
		b.check(err)
		sizes = append(sizes, len(u.Events))
		if len(u.Events) > 0 && u.Events[len(u.Events)-1].ID() != u.Cursor.String() {
			b.Errorf("stands at %v after %v", u.Cursor, u.Events[len(u.Events)-1].ID())
		}
		if !u.More {
			break
		}
	}
	if !slices.Equal(sizes, []int{2, 2, 1}) {
		b.Fatalf("read %v events at a time, want 2, 2, 1", sizes)
	}
	if u, err := two.subscribe(two.Cursor, hub.Batch).Next(1); err != nil || len(u.Events) != 1 {
		b.Fatalf("read %d events, %v, want at least one", len(u.Events), err)
	}
}

func replaced(b *bench) {
	one := b.join(1)
	old, poll := one.subscribe(one.Cursor, hub.Stream), one.subscribe(one.Cursor, hub.Poll)
	newer := one.subscribe(one.Cursor, hub.Stream)
	b.ended(old, hub.ErrReplaced)
	old.Close()
	for _, s := range []hub.Subscription{newer, poll} {
		_, err := s.Next(1)
		b.check(err)
		s.Close()
		s.Close()
	}
}

// ended waits for the subscription's end.
func (b *bench) ended(s hub.Subscription, want error) {
	b.Helper()
	select {
	case <-s.Done():
	case <-time.After(patience):
		b.Fatal("the subscription goes on")
	}
	if _, err := s.Next(1); !errors.Is(err, want) {
		b.Fatalf("ended with %v, want %v", err, want)
	}
}

func sessionEnds(b *bench) {
	one := b.join(1)
	s := one.subscribe(one.Cursor, hub.Stream)
	again := b.join(1)
	b.ended(s, hub.ErrNoSession)
	s = again.subscribe(again.Cursor, hub.Stream)
	again.leave()
	b.ended(s, hub.ErrNoSession)
}

func woken(b *bench) {
	one, two := b.join(1), b.join(2)
	s := two.subscribe(two.Cursor, hub.Stream)
	got := make(chan string, 1)
	go func() {
		for {
			u, err := s.Next(1 << 20)
			if err != nil || len(u.Events) > 0 {
				got <- fmt.Sprint(len(u.Events), err)
				return
			}
			<-s.Ready()
		}
	}()
	time.Sleep(quiet / 10)
	one.post("a")
	select {
	case g := <-got:
		if g != "1 <nil>" {
			b.Fatalf("read %s", g)
		}
	case <-time.After(patience):
		b.Fatal("the reader sleeps")
	}
}
