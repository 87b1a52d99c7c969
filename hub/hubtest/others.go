package hubtest

import (
	"slices"
	"time"

	"snug/hub"
	"snug/wire"
)

func chunks(b *bench) {
	one, two, three := b.join(1), b.join(2), b.join(3)
	id := wire.ChunkID{File: wire.FileID{1}, N: 3}
	_, more, err := b.Chunk(b.room, two.Session, id)
	b.want(err, hub.ErrNoChunk)
	b.check(b.PutChunk(b.room, one.Session, id, []byte("bytes")))
	b.closes(more, "whoever waits for a chunk is told")
	b.check(b.PutChunk(b.room, one.Session, id, []byte("again")))
	for _, g := range []guest{two, three} {
		body, _, err := b.Chunk(b.room, g.Session, id)
		if err != nil || string(body) != "bytes" {
			b.Fatalf("got chunk %q, %v", body, err)
		}
	}
	late := b.join(4)
	_, _, err = b.Chunk(b.room, late.Session, id)
	b.want(err, hub.ErrChunkGone) // it will never be owed to it
	b.check(b.AckChunks(b.room, two.Session, wire.AckRequest{Got: []wire.ChunkID{id, {N: 9}}}))
	if n := b.Stats().Chunks; n != 1 {
		b.Fatalf("%d chunks, want 1 that is owed to another", n)
	}
	three.leave()
	b.eventually("the chunk is freed", func() bool { return b.Stats().Chunks == 0 })
	_, _, err = b.Chunk(b.room, two.Session, id)
	b.want(err, hub.ErrChunkGone)
	b.check(b.PutChunk(b.room, one.Session, id, []byte("again"))) // its answer was lost
	if n := b.Stats().Chunks; n != 0 {
		b.Fatalf("%d chunks after a repeated put", n)
	}
}

func owedFiles(b *bench) {
	one, two, three := b.join(1), b.join(2), b.join(3)
	file := wire.FileID{1}
	owed := func(chunks int, members ...byte) <-chan struct{} {
		b.Helper()
		o, more, err := b.Owed(b.room, one.Session, file)
		b.check(err)
		if o.Chunks != chunks || o.Members == nil || len(o.Members) != len(members) || o.Away != 0 {
			b.Fatalf("owed %+v, want %d to %d", o, chunks, members)
		}
		for _, m := range members {
			if !slices.Contains(o.Members, member(m)) {
				b.Fatalf("owed to %v, not to %d", o.Members, m)
			}
		}
		return more
	}
	owed(0)
	b.check(b.PutChunk(b.room, one.Session, wire.ChunkID{File: file}, []byte("x")))
	b.check(b.PutChunk(b.room, one.Session, wire.ChunkID{File: file, N: 1}, []byte("x")))
	b.check(b.PutChunk(b.room, one.Session, wire.ChunkID{File: wire.FileID{2}}, []byte("another")))
	more := owed(2, 2, 3)
	b.check(b.AckChunks(b.room, two.Session, wire.AckRequest{Got: []wire.ChunkID{{File: file}}}))
	b.closes(more, "whoever waits for a file to be fetched is told")
	more = owed(2, 2, 3)
	b.check(b.AckChunks(b.room, two.Session, wire.AckRequest{Got: []wire.ChunkID{{File: file, N: 1}}}))
	b.closes(more, "the same once more")
	more = owed(2, 3)
	b.check(b.AckChunks(b.room, three.Session, wire.AckRequest{Skip: []wire.FileID{file}}))
	b.closes(more, "a file that is not wanted is fetched")
	owed(0)
}

// Who comes in the middle of a file is owed nothing of it: it could neither use nor decline it, and would hold its sender back.
func lateForAFile(b *bench) {
	one, two := b.join(1), b.join(2)
	file := wire.FileID{1}
	b.check(b.PutChunk(b.room, one.Session, wire.ChunkID{File: file}, []byte("x")))
	late := b.join(3)
	b.check(b.PutChunk(b.room, one.Session, wire.ChunkID{File: file, N: 1}, []byte("x")))
	b.check(b.PutChunk(b.room, one.Session, wire.ChunkID{File: wire.FileID{2}}, []byte("x")))
	for _, id := range []wire.ChunkID{{File: file}, {File: file, N: 1}} {
		_, _, err := b.Chunk(b.room, late.Session, id)
		b.want(err, hub.ErrChunkGone)
	}
	_, _, err := b.Chunk(b.room, late.Session, wire.ChunkID{File: wire.FileID{2}})
	b.check(err)
	b.check(b.AckChunks(b.room, two.Session, wire.AckRequest{Skip: []wire.FileID{file}}))
	b.want(b.PutChunk(b.room, one.Session, wire.ChunkID{File: file, N: 2}, []byte("x")), hub.ErrNobody)
}

func skippedFiles(b *bench) {
	one := b.join(1)
	file := wire.FileID{1}
	b.want(b.PutChunk(b.room, one.Session, wire.ChunkID{File: file}, []byte("x")), hub.ErrNobody)
	two := b.join(2)
	b.check(b.PutChunk(b.room, one.Session, wire.ChunkID{File: file}, []byte("x")))
	b.check(b.PutChunk(b.room, one.Session, wire.ChunkID{File: wire.FileID{2}}, []byte("other")))
	b.check(b.AckChunks(b.room, two.Session, wire.AckRequest{Skip: []wire.FileID{file}}))
	if n := b.Stats().Chunks; n != 1 {
		b.Fatalf("%d chunks after one of two files was skipped", n)
	}
	b.want(b.PutChunk(b.room, one.Session, wire.ChunkID{File: file, N: 1}, []byte("x")), hub.ErrNobody)
	b.check(b.AckChunks(b.room, two.Session, wire.AckRequest{SkipAll: true}))
	if n := b.Stats().Chunks; n != 0 {
		b.Fatalf("%d chunks after all files were skipped", n)
	}
	b.want(b.PutChunk(b.room, one.Session, wire.ChunkID{File: wire.FileID{2}, N: 1}, []byte("other")), hub.ErrNobody)
	b.check(b.PutChunk(b.room, one.Session, wire.ChunkID{File: wire.FileID{3}}, []byte("a later one")))
}

func knocks(b *bench) {
	id := wire.KnockID{1}
	b.want(b.Knock(b.room, id, []byte("hello")), hub.ErrNobody)
	_, _, err := b.KnockAnswers(b.room, id, 0)
	b.want(err, hub.ErrNoKnock)
	one := b.join(1)
	_, _, err = b.KnockAnswers(b.room, id, 0)
	b.want(err, hub.ErrNoKnock)
	b.want(b.AnswerKnock(b.room, one.Session, id, []byte("x")), hub.ErrNoKnock)

	s := one.subscribe(one.Cursor, hub.Stream)
	b.silent(s)
	select {
	case <-s.Ready(): // from before
	default:
	}
	b.check(b.Knock(b.room, id, []byte("hello")))
	b.check(b.Knock(b.room, id, []byte("hello")))
	select {
	case <-s.Ready():
	case <-time.After(patience):
		b.Fatal("the members are not woken")
	}
	u := b.next(s, time.Now().Add(patience))
	if len(u.Knocks) != 1 || u.Knocks[0].ID != id || string(u.Knocks[0].Body) != "hello" {
		b.Fatalf("told %+v", u.Knocks)
	}
	time.Sleep(quiet / 5)
	if u, err := s.Next(1); err != nil || len(u.Knocks) != 0 {
		b.Fatalf("told again %+v, %v", u.Knocks, err)
	}
	if u, err := one.subscribe(one.Cursor, hub.Poll).Next(1); err != nil || len(u.Knocks) != 1 {
		b.Fatalf("another subscription is told %+v, %v", u.Knocks, err)
	}

	notes, more, err := b.KnockAnswers(b.room, id, 0)
	b.check(err)
	b.check(b.AnswerKnock(b.room, one.Session, id, []byte("come in")))
	select {
	case <-more:
	case <-time.After(patience):
		b.Fatal("the stranger is not told that there is more")
	}
	if len(notes) != 0 {
		b.Fatalf("notes %q", notes)
	}
	for after, want := range []int{1, 0, 0} {
		if notes, _, err := b.KnockAnswers(b.room, id, after); err != nil || len(notes) != want {
			b.Fatalf("after %d notes %q, %v", after, notes, err)
		}
	}
}

func tooLarge(b *bench) {
	one := b.join(1)
	b.join(2)
	big := make([]byte, 4<<20)
	_, err := b.Hub.Join(b.room, hub.Join{Member: member(3), Card: big})
	b.want(err, hub.ErrTooLarge)
	_, err = b.Post(b.room, one.Session, hub.Post{ID: b.newID(), Frame: big})
	b.want(err, hub.ErrTooLarge)
	_, err = b.PostShell(b.room, b.newID(), string(big))
	b.want(err, hub.ErrTooLarge)
	b.want(b.SetCard(b.room, one.Session, big), hub.ErrTooLarge)
	b.want(b.PutChunk(b.room, one.Session, wire.ChunkID{}, big), hub.ErrTooLarge)
	b.want(b.Knock(b.room, wire.KnockID{1}, big), hub.ErrTooLarge)
	b.check(b.Knock(b.room, wire.KnockID{1}, nil))
	b.want(b.AnswerKnock(b.room, one.Session, wire.KnockID{1}, big), hub.ErrTooLarge)
}

func zero(b *bench) {
	one, two := b.join(1), b.join(2)
	for range 100 {
		one.post("a message")
	}
	_, err := b.PostShell(b.room, b.newID(), "jwe")
	b.check(err)
	b.check(b.PutChunk(b.room, one.Session, wire.ChunkID{}, make([]byte, 1000)))
	b.check(b.AckChunks(b.room, two.Session, wire.AckRequest{Skip: []wire.FileID{{5}, {6}}}))
	b.check(b.Knock(b.room, wire.KnockID{1}, []byte("hello")))
	b.check(b.AnswerKnock(b.room, one.Session, wire.KnockID{1}, []byte("no")))
	s := b.Stats()
	if s.Rooms != 1 || s.Members != 2 || s.Messages != 101 || s.Chunks != 1 || s.Bytes < 3000 || s.Posted != 101 {
		b.Fatalf("holding %+v", s)
	}
	one.leave()
	two.leave()
	b.eventually("nothing is left", func() bool {
		s := b.Stats()
		return s.Rooms+s.Members+s.Away+s.Subscriptions+s.Messages+s.Chunks == 0 && s.Bytes == 0 && s.Freed == 101
	})
}

func closed(b *bench) {
	one := b.join(1)
	s := one.subscribe(one.Cursor, hub.Stream)
	b.check(b.Close())
	b.ended(s, hub.ErrClosed)
	s.Close()
	_, err := b.Hub.Join(b.room, hub.Join{Member: member(1)})
	b.want(err, hub.ErrClosed)
	_, err = b.Post(b.room, one.Session, hub.Post{})
	b.want(err, hub.ErrClosed)
	b.want(b.Ack(b.room, one.Session, one.Cursor), hub.ErrClosed)
	b.want(b.Leave(b.room, one.Session), hub.ErrClosed)
	b.want(b.Known(b.room, one.Session), hub.ErrClosed)
	_, err = b.PostShell(b.room, b.newID(), "jwe")
	b.want(err, hub.ErrClosed)
	b.want(b.Knock(b.room, wire.KnockID{}, nil), hub.ErrClosed)
	if s := b.Stats(); s.Bytes != 0 || s.Rooms != 0 {
		b.Fatalf("a closed hub holds %+v", s)
	}
	b.check(b.Close())
}
