package handlers

import (
	"fmt"
	"net/http"
	"testing"

	"snug/wire"
)

func TestPoll(t *testing.T) {
	r := newRelay(t)
	room := r.room(1)
	a, b := room.join(1), room.join(2)
	resp, body := r.do("POST", a.path("/poll", "after", a.Cursor.String(), "hold", "25"), "", nil)
	if resp.ContentLength != int64(len(body)) || resp.TransferEncoding != nil {
		t.Errorf("no Content-Length: %v %v", resp.ContentLength, resp.TransferEncoding)
	}
	first := parse[wire.Polled](t, body)
	if len(first.Events) != 1 || first.Events[0].Event != wire.EventJoined || first.Events[0].ID != b.Cursor.String() || first.Cursor != b.Cursor {
		t.Fatalf("got %+v", first)
	}
	if empty := a.poll(first.Cursor, 0); len(empty.Events) != 0 || empty.Events == nil || empty.Away == nil || empty.Cursor != first.Cursor {
		t.Errorf("hold 0: got %+v", empty)
	}

	answers := make(chan wire.Polled, 1)
	go func() { answers <- a.poll(first.Cursor, 25) }()
	eventually(t, "the poll waits", func() bool { return r.metric("snug_readers", kindPoll) == 1 })
	posted := b.post(frame(5))
	got := <-answers
	if len(got.Events) != 1 || got.Events[0].Event != wire.EventMsg || got.Cursor != posted.Cursor {
		t.Fatalf("got %+v", got)
	}
	if m := parse[wire.Msg](t, got.Events[0].Data); m.ID != posted.ID || string(m.Body) != string(frame(5)) {
		t.Errorf("got %+v", m)
	}

	go func() { answers <- b.poll(posted.Cursor, 25) }()
	eventually(t, "the poll waits", func() bool { return r.metric("snug_readers", kindPoll) == 1 })
	a.poll(posted.Cursor, 0) // acks
	if p := <-answers; p.Acked.Through != posted.Cursor {
		t.Errorf("got acked %+v, want %v: a poll's after is an ack", p.Acked, posted.Cursor)
	}
}

func TestPollIsReplacedByANewerOne(t *testing.T) {
	r := newRelay(t)
	p := r.room(1).join(1)
	old, young := make(chan wire.Polled, 1), make(chan wire.Polled, 1)
	go func() { old <- p.poll(p.Cursor, 25) }()
	eventually(t, "the poll waits", func() bool { return r.metric("snug_readers", kindPoll) == 1 })
	go func() { young <- p.poll(p.Cursor, 25) }()
	if got := <-old; len(got.Events) != 0 || got.Cursor != p.Cursor {
		t.Errorf("the older poll got %+v", got)
	}
	p.join(2)
	if got := <-young; len(got.Events) != 1 {
		t.Errorf("the newer poll got %+v", got)
	}
}

func (r *relay) polls(hold int, rooms ...wire.PollRoom) []wire.Polled {
	r.t.Helper()
	return call[[]wire.Polled](r, "POST", fmt.Sprintf("/poll?hold=%d", hold), jsons, wire.MustJSON(rooms))
}

func TestPollOfSeveralRooms(t *testing.T) {
	r := newRelay(t)
	var mine []wire.PollRoom
	var others []*person
	for n := range maxPollRooms {
		room := r.room(byte(n + 1))
		me, other := room.join(1), room.join(2)
		mine = append(mine, wire.PollRoom{Room: room.id, Session: me.Session, After: other.Cursor})
		others = append(others, other)
	}
	answers := make(chan []wire.Polled, 1)
	go func() { answers <- r.polls(25, mine...) }()
	eventually(t, "the poll waits", func() bool { return r.metric("snug_subscriptions", "") == maxPollRooms })
	posted := others[9].post(frame(3))
	got := <-answers
	if len(got) != len(mine) {
		t.Fatalf("got %d answers", len(got))
	}
	for i, p := range got {
		want := mine[i].After
		if i == 9 {
			want = posted.Cursor
		}
		if p.Cursor != want || p.Error != nil || (len(p.Events) == 1) != (i == 9) {
			t.Errorf("room %d: got %+v, want cursor %v", i, p, want)
		}
	}

	mine[3].Session = wire.SessionID{1}
	got = r.polls(25, mine...) // answers at once
	if e := got[3].Error; e == nil || e.Code != wire.CodeNoSession || !e.Rejoin || e.HTTP != http.StatusUnauthorized || len(got[3].Events) != 0 {
		t.Errorf("got %+v", got[3])
	}
	if got[2].Error != nil || got[2].Cursor != mine[2].After {
		t.Errorf("got %+v", got[2])
	}
}

func TestPollOfSeveralRoomsRefuses(t *testing.T) {
	r := newRelay(t)
	p := r.room(1).join(1)
	one := wire.PollRoom{Room: p.id, Session: p.Session, After: p.Cursor}
	many := make([]wire.PollRoom, maxPollRooms+1)
	for i := range many {
		many[i].Room = wire.RoomID{byte(i)}
	}
	for name, rooms := range map[string][]wire.PollRoom{"none": {}, "too many": many, "the same twice": {one, one}} {
		resp, body := r.do("POST", "/poll", jsons, wire.MustJSON(rooms))
		if e := parse[wire.Error](t, body); resp.StatusCode != 400 || e.Code != wire.CodeBadRequest {
			t.Errorf("%s: got %d %s", name, resp.StatusCode, body)
		}
	}
}
