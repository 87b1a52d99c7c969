// Package hubtest holds what every hub.Hub must keep, as testing/fstest does for file systems. A hub may be distributed:
// sequence numbers may have holes, and a reader may hear of things a moment later. What depends on limits and on long
// times is tested with each hub.
package hubtest

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"snug/hub"
	"snug/wire"
)

// Run tests the hubs that open returns: a new one with default limits for each test. Run closes them.
func Run(t *testing.T, open func(t *testing.T) hub.Hub) {
	tests := []struct {
		name string
		test func(*bench)
	}{
		{"a member joins and finds itself", joins},
		{"a member comes back as itself", rejoins},
		{"only the newest session is known", sessions},
		{"roster events stand between messages", rosterEvents},
		{"a changed card is told", cards},
		{"a room ends with its last member", roomEnds},
		{"a fresh room takes back whom the first in it knew, and those who come back", knownMembers},
		{"members list what each has acked", memberList},

		{"messages arrive once, in one order, not at their poster", order},
		{"a repeated post is stored once", repeats},
		{"a repeated shell post is stored once", shellRepeats},
		{"a shell post into nothing is refused", shellNobody},
		{"a post for an older list of members is refused", staleRoster},
		{"a member's own card does not make its list old", ownRoster},
		{"a poll tells at once what was acked since the last", ackedBetweenPolls},
		{"what was not acked is read again", notAcked},
		{"a cursor ahead of the room is refused", badCursors},
		{"a poster hears when everybody has its message", acked},
		{"Next keeps to max and says that there is more", pieces},
		{"of each kind a session has one subscription", replaced},
		{"a session's end ends its subscriptions", sessionEnds},
		{"a reader is woken", woken},
		{"a reader without a goroutine is called", readers},

		{"a chunk is kept until all have it", chunks},
		{"a file nobody wants is refused", skippedFiles},
		{"who still lacks a file is told", owedFiles},
		{"who comes in the middle of a file is not owed it", lateForAFile},
		{"a knock is told once and answered", knocks},
		{"a large thing is refused", tooLarge},
		{"freeing everything reads zero", zero},
		{"a closed hub refuses everything", closed},
	}
	for _, x := range tests {
		t.Run(x.name, func(t *testing.T) {
			h := open(t)
			defer h.Close()
			x.test(&bench{T: t, Hub: h, room: wire.RoomID{1, 2, 3}})
		})
	}
}

// quiet is how long a test waits for what must not come; patience for what must.
const (
	quiet    = 50 * time.Millisecond
	patience = 5 * time.Second
)

// bench is a hub under test and a room in it.
type bench struct {
	*testing.T
	hub.Hub
	room wire.RoomID
	ids  uint32
}

// guest is a member that a test has let join.
type guest struct {
	*bench
	wire.Joined
}

func member(n byte) wire.MemberID { return wire.MemberID{n, 0xee} }

func card(n byte) []byte { return fmt.Appendf(nil, "card %d", n) }

func (b *bench) newID() (id wire.MessageID) {
	b.ids++
	copy(id[:], fmt.Sprintf("%016d", b.ids))
	return id
}

func (b *bench) check(err error) {
	b.Helper()
	if err != nil {
		b.Fatal(err)
	}
}

func (b *bench) want(got, want error) {
	b.Helper()
	if !errors.Is(got, want) {
		b.Fatalf("got error %v, want %v", got, want)
	}
}

func (b *bench) join(n byte) guest {
	b.Helper()
	return b.joinAs(hub.Join{Member: member(n), Card: card(n)})
}

func (b *bench) joinAs(j hub.Join) guest {
	b.Helper()
	joined, err := b.Hub.Join(b.room, j)
	b.check(err)
	return guest{b, joined}
}

func (g guest) post(text string) wire.Cursor {
	g.Helper()
	posted, err := g.Post(g.room, g.Session, hub.Post{ID: g.newID(), Frame: []byte(text)})
	g.check(err)
	return posted.Cursor
}

func (g guest) ack(c wire.Cursor) {
	g.Helper()
	g.check(g.Ack(g.room, g.Session, c))
}

func (g guest) leave() {
	g.Helper()
	g.check(g.Leave(g.room, g.Session))
}

func (g guest) subscribe(after wire.Cursor, kind hub.Kind) hub.Subscription {
	g.Helper()
	s, err := g.Subscribe(g.room, g.Session, after, kind)
	g.check(err)
	g.Cleanup(s.Close)
	return s
}

// read reads n events behind the cursor, each as its name and what is in it, and acks them.
func (g guest) read(after wire.Cursor, n int) []string {
	g.Helper()
	s := g.subscribe(after, hub.Poll)
	defer s.Close()
	var out []string
	for deadline := time.Now().Add(patience); len(out) < n; {
		u := g.next(s, deadline)
		for _, f := range u.Events {
			out = append(out, g.describe(f))
		}
		g.ack(u.Cursor)
	}
	return out
}

// next waits for an update with something in it.
func (b *bench) next(s hub.Subscription, deadline time.Time) hub.Update {
	b.Helper()
	for {
		u, err := s.Next(1 << 20)
		b.check(err)
		if len(u.Events) > 0 || u.Gap != nil || u.Acked != nil || len(u.Knocks) > 0 {
			return u
		}
		select {
		case <-s.Ready():
		case <-time.After(time.Until(deadline)):
			b.Fatal("nothing came")
		}
	}
}

// silent expects nothing more to be read.
func (b *bench) silent(s hub.Subscription) {
	b.Helper()
	time.Sleep(quiet)
	u, err := s.Next(1 << 20)
	b.check(err)
	if len(u.Events) > 0 || u.Gap != nil {
		b.Fatalf("read %q, gap %v; want nothing", u.Events, u.Gap)
	}
}

func (b *bench) describe(f wire.Framed) string {
	b.Helper()
	if _, err := wire.ParseCursor(f.ID()); err != nil {
		b.Fatalf("event %q has no place: %v", f, err)
	}
	var data struct {
		From    *wire.MemberID
		ID      string
		Body    wire.Bytes
		JWE     string
		Why     string
		Card    wire.Bytes
		Ignored json.RawMessage `json:"at"`
	}
	b.check(json.Unmarshal(f.Data(), &data))
	switch f.Name() {
	case wire.EventMsg:
		return "msg " + string(data.Body) + data.JWE
	case wire.EventLeft:
		return "left " + b.name(data.ID) + " " + data.Why
	default:
		return f.Name() + " " + b.name(data.ID) + " " + string(data.Card)
	}
}

func (b *bench) name(id string) string {
	b.Helper()
	m, err := wire.ParseMemberID(id)
	b.check(err)
	return fmt.Sprint(m[0])
}

func (b *bench) equal(got, want []string) {
	b.Helper()
	if !slices.Equal(got, want) {
		b.Fatalf("got %q, want %q", got, want)
	}
}

// closes waits for the hub to close c.
func (b *bench) closes(c <-chan struct{}, what string) {
	b.Helper()
	select {
	case <-c:
	case <-time.After(patience):
		b.Fatalf("not in time: %s", what)
	}
}

// eventually waits until it is so.
func (b *bench) eventually(what string, f func() bool) {
	b.Helper()
	for deadline := time.Now().Add(patience); !f(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			b.Fatalf("not in time: %s", what)
		}
	}
}
