package hubtest

import (
	"bytes"

	"snug/hub"
	"snug/wire"
)

func joins(b *bench) {
	one := b.join(1)
	if !one.Fresh || one.Member != member(1) || len(one.Members) != 1 || !bytes.Equal(one.Members[0].Card, card(1)) {
		b.Fatalf("joined as %+v", one.Joined)
	}
	if one.Gap != nil || one.Cursor.Epoch == (wire.Epoch{}) || one.Limits.Message == 0 {
		b.Fatalf("joined as %+v", one.Joined)
	}
	two := b.join(2)
	if len(two.Members) != 2 || two.Cursor.Epoch != one.Cursor.Epoch || two.Roster <= one.Roster {
		b.Fatalf("second joined as %+v", two.Joined)
	}
	b.equal(one.read(one.Cursor, 1), []string{"joined 2 card 2"})
	b.silent(two.subscribe(two.Cursor, hub.Stream))
}

func rejoins(b *bench) {
	one, two := b.join(1), b.join(2)
	one.post("a")
	one.post("b")
	again := b.join(2)
	if again.Fresh || again.Gap != nil || again.Session == two.Session || again.Roster != two.Roster {
		b.Fatalf("rejoined as %+v after %+v", again.Joined, two.Joined)
	}
	b.equal(again.read(again.Cursor, 2), []string{"msg a", "msg b"})

	c := one.post("c")
	one.post("d")
	acks := b.joinAs(hub.Join{Member: member(2), Card: card(2), Cursor: &c})
	b.equal(acks.read(acks.Cursor, 1), []string{"msg d"})

	other := wire.Cursor{Epoch: wire.Epoch{9}, Seq: 1 << 40}
	one.post("e")
	acks = b.joinAs(hub.Join{Member: member(2), Card: card(2), Cursor: &other})
	b.equal(acks.read(acks.Cursor, 1), []string{"msg e"})
}

func sessions(b *bench) {
	old := b.join(1)
	two := b.join(2)
	again := b.join(1)
	for _, s := range []wire.SessionID{old.Session, {}, {1}} {
		_, err := b.Post(b.room, s, hub.Post{ID: b.newID(), Frame: []byte("x")})
		b.want(err, hub.ErrNoSession)
		b.want(b.Ack(b.room, s, old.Cursor), hub.ErrNoSession)
		b.want(b.SetCard(b.room, s, card(1)), hub.ErrNoSession)
		b.want(b.Leave(b.room, s), hub.ErrNoSession)
		b.want(b.Known(b.room, s), hub.ErrNoSession)
		b.want(b.PutChunk(b.room, s, wire.ChunkID{}, []byte("x")), hub.ErrNoSession)
		b.want(b.AckChunks(b.room, s, wire.AckRequest{}), hub.ErrNoSession)
		b.want(b.AnswerKnock(b.room, s, wire.KnockID{}, nil), hub.ErrNoSession)
		_, err = b.Members(b.room, s)
		b.want(err, hub.ErrNoSession)
		_, _, err = b.Chunk(b.room, s, wire.ChunkID{})
		b.want(err, hub.ErrNoSession)
		_, _, err = b.Owed(b.room, s, wire.FileID{})
		b.want(err, hub.ErrNoSession)
		_, err = b.Subscribe(b.room, s, old.Cursor, hub.Stream)
		b.want(err, hub.ErrNoSession)
	}
	_, err := b.Members(wire.RoomID{7}, two.Session)
	b.want(err, hub.ErrNoSession) // good for its own room only
	b.want(b.Known(wire.RoomID{7}, two.Session), hub.ErrNoSession)
	b.check(b.Known(b.room, two.Session))
	_, err = b.Members(b.room, again.Session)
	b.check(err)
}

func rosterEvents(b *bench) {
	one := b.join(1)
	one.post("to nobody")
	two := b.join(2)
	two.post("a")
	three := b.join(3)
	two.post("b")
	three.leave()
	two.post("c")
	b.equal(one.read(one.Cursor, 6), []string{"joined 2 card 2", "msg a", "joined 3 card 3", "msg b", "left 3 leave", "msg c"})
}

func cards(b *bench) {
	one, two := b.join(1), b.join(2)
	b.check(b.SetCard(b.room, two.Session, []byte("new")))
	b.check(b.SetCard(b.room, two.Session, []byte("new"))) // changes nothing
	b.joinAs(hub.Join{Member: member(2), Card: []byte("newer")})
	b.equal(one.read(two.Cursor, 2), []string{"card 2 new", "card 2 newer"})
	list, err := b.Members(b.room, one.Session)
	b.check(err)
	if string(list.Members[1].Card) != "newer" || list.Roster <= two.Roster {
		b.Fatalf("members %+v", list)
	}
}

func roomEnds(b *bench) {
	one, two := b.join(1), b.join(2)
	one.post("a")
	one.leave()
	two.leave()
	_, err := b.PostShell(b.room, b.newID(), "jwe")
	b.want(err, hub.ErrNobody)
	again := b.joinAs(hub.Join{Member: member(2), Card: card(2), Cursor: &two.Cursor})
	if !again.Fresh || again.Cursor.Epoch == two.Cursor.Epoch || again.Gap != nil {
		b.Fatalf("joined a room that was over as %+v", again.Joined)
	}
	b.silent(again.subscribe(again.Cursor, hub.Stream))
}

func knownMembers(b *bench) {
	known := []wire.Member{{ID: member(1), Card: card(9)}, {ID: member(2), Card: card(2)}, {ID: member(2)}, {ID: member(3), Card: card(3)}}
	one := b.joinAs(hub.Join{Member: member(1), Card: card(1), Known: known})
	if len(one.Members) != 3 || !one.Fresh {
		b.Fatalf("joined as %+v, want three members", one.Joined)
	}
	for _, m := range one.Members {
		if m.Away == (m.ID == member(1)) || !bytes.Equal(m.Card, card(m.ID[0])) {
			b.Errorf("member %+v", m)
		}
	}
	one.post("a")
	old := wire.Cursor{Epoch: wire.Epoch{5}, Seq: 77}
	two := b.joinAs(hub.Join{Member: member(2), Card: card(2), Cursor: &old, Known: []wire.Member{{ID: member(1)}, {ID: member(4), Card: card(4)}}})
	if two.Fresh || len(two.Members) != 4 || two.Gap != nil {
		b.Fatalf("joined as %+v, want to be known, to bring back another, and the room not to be fresh", two.Joined)
	}
	b.equal(two.read(two.Cursor, 3), []string{"joined 1 card 1", "msg a", "joined 4 card 4"})
	one.post("b") // for all four

	// A newcomer knows nobody from before, nor does one who was here already; and once somebody has left, it might be just that one who is named.
	b.joinAs(hub.Join{Member: member(5), Card: card(5), Known: []wire.Member{{ID: member(6)}}})
	two = b.joinAs(hub.Join{Member: member(2), Card: card(2), Cursor: &old, Known: []wire.Member{{ID: member(6)}}})
	two.leave()
	last := b.joinAs(hub.Join{Member: member(7), Card: card(7), Cursor: &old, Known: []wire.Member{{ID: member(2)}, {ID: member(6)}}})
	if len(last.Members) != 5 {
		b.Fatalf("joined as %+v, want members 1, 3, 4, 5 and 7", last.Joined)
	}
	four := b.joinAs(hub.Join{Member: member(4), Card: card(4), Cursor: &old})
	if four.Fresh {
		b.Fatalf("joined as %+v, want to be known", four.Joined)
	}
	b.equal(four.read(four.Cursor, 4), []string{"msg b", "joined 5 card 5", "left 2 leave", "joined 7 card 7"})
}

func memberList(b *bench) {
	one, two := b.join(1), b.join(2)
	one.post("a")
	at := one.post("b")
	two.ack(at)
	b.eventually("the ack is seen", func() bool {
		list, err := b.Members(b.room, one.Session)
		b.check(err)
		if len(list.Members) != 2 || list.Members[1].Acked == nil || !bytes.Equal(list.Members[0].Card, card(1)) {
			b.Fatalf("members %+v", list)
		}
		return list.Members[1].Acked.Seq >= at.Seq
	})
}
