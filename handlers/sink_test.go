package handlers

import (
	"context"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"snug/hub"
	"snug/wire"
)

// tape is a ResponseWriter that notes what is flushed when. It belongs to a synctest bubble, so its times are exact.
type tape struct {
	start  time.Time
	header http.Header

	mu       sync.Mutex
	pending  strings.Builder // the rest is guarded by mu
	notes    []note
	deadline time.Time
	stalled  bool // writes wait for their deadline
}

type note struct {
	at   time.Duration
	text string
}

func (p *tape) Header() http.Header { return p.header }
func (p *tape) WriteHeader(int)     {}

func (p *tape) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.stalled {
		time.Sleep(time.Until(p.deadline))
		return 0, os.ErrDeadlineExceeded
	}
	return p.pending.Write(b)
}

func (p *tape) FlushError() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.notes = append(p.notes, note{time.Since(p.start), p.pending.String()})
	p.pending.Reset()
	return nil
}

func (p *tape) SetWriteDeadline(t time.Time) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.deadline = t
	return nil
}

// take returns the notes so far and forgets them.
func (p *tape) take() []note {
	p.mu.Lock()
	defer p.mu.Unlock()
	notes := p.notes
	p.notes = nil
	return notes
}

func (p *tape) stall() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.stalled = true
}

// deadlineAt is the write deadline on the clock of the notes, negative if there is none.
func (p *tape) deadlineAt() time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.deadline.Sub(p.start)
}

// bench is a relay in a bubble, called without a socket, with two members in one room.
type bench struct {
	t      *testing.T
	server *Server
	hub    *hub.Memory
	room   wire.RoomID
	a, b   wire.Joined
	posted byte
}

// inBubble runs a test in virtual time. All goroutines must have ended when f returns.
func inBubble(t *testing.T, conf Config, f func(*bench)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		b := &bench{t: t, hub: hub.NewMemory(hub.Limits{}), room: wire.RoomID{1}}
		conf.Hub = b.hub
		var err error
		if b.server, err = New(conf); err != nil {
			t.Fatal(err)
		}
		b.a, b.b = b.join(1), b.join(2)
		f(b)
		b.hub.Close()
	})
}

func (b *bench) join(n byte) wire.Joined {
	b.t.Helper()
	j, err := b.hub.Join(b.room, hub.Join{Member: wire.MemberID{n}, Card: frame(n)})
	if err != nil {
		b.t.Fatal(err)
	}
	return j
}

// post is a message of b.
func (b *bench) post() {
	b.t.Helper()
	b.posted++
	if _, err := b.hub.Post(b.room, b.b.Session, hub.Post{ID: wire.MessageID{b.posted}, Frame: frame(b.posted)}); err != nil {
		b.t.Fatal(err)
	}
	synctest.Wait()
}

// stream opens a stream of a that has read everything; stop hangs up, or waits for the end if it comes by itself.
func (b *bench) stream(query string) (out *tape, stop func()) {
	out = &tape{start: time.Now(), header: http.Header{}}
	ctx, cancel := context.WithCancel(context.Background())
	req := httptest.NewRequestWithContext(ctx, "GET", "/r/"+b.room.String()+"/stream?s="+b.a.Session.String()+"&after="+b.b.Cursor.String()+query, nil)
	done := make(chan struct{})
	go func() {
		defer close(done)
		b.server.ServeHTTP(out, req)
	}()
	synctest.Wait()
	return out, func() {
		cancel()
		<-done
	}
}

// pass lets virtual time go by, and everything due happen.
func pass(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

// check compares what was flushed with the beginnings of what is wanted, each "TIME TEXT", and forgets it.
func (p *tape) check(t *testing.T, want ...string) {
	t.Helper()
	notes := p.take()
	for i, n := range notes {
		got := n.at.String() + " " + strings.TrimLeft(n.text, ": \n")
		if strings.HasPrefix(n.text, ":\n") {
			got = n.at.String() + " :"
		}
		if i >= len(want) || !strings.HasPrefix(strings.ReplaceAll(got, "\n", " "), want[i]) {
			t.Errorf("flush %d: got %.100q, want %q", i, got, append(want, "nothing")[min(i, len(want))])
		}
	}
	if len(notes) < len(want) {
		t.Errorf("got %d flushes, want %q too", len(notes), want[len(notes):])
	}
}

func TestPushThroughFollowsABurstOnce(t *testing.T) {
	inBubble(t, Config{}, func(b *bench) {
		out, stop := b.stream("")
		pass(time.Second)
		out.check(t, "0s retry: 1000 event: hello", "40ms :")
		b.post()
		pass(20 * time.Millisecond)
		b.post()
		pass(time.Second)
		out.check(t, "1s event: msg", "1.02s event: msg", "1.06s :")
		stop()
	})
}

func TestLingerOnlyWhenBusy(t *testing.T) {
	inBubble(t, Config{Streams: Streams{PushThrough: -1}}, func(b *bench) {
		out, stop := b.stream("")
		pass(time.Second)
		b.post()
		for range 5 { // within the linger of the first
			pass(100 * time.Microsecond)
			b.post()
		}
		pass(time.Second)
		notes := out.take()
		if len(notes) != 3 {
			t.Fatalf("got %d flushes, want the hello, a message at once, and five together", len(notes))
		}
		if n := notes[2]; n.at != time.Second+2*time.Millisecond || strings.Count(n.text, "event: msg") != 5 {
			t.Errorf("got %v with %d messages", n.at, strings.Count(n.text, "event: msg"))
		}
		stop()
	})
}

func TestNoLingerIfTurnedOff(t *testing.T) {
	inBubble(t, Config{Streams: Streams{PushThrough: -1, Linger: -1}}, func(b *bench) {
		out, stop := b.stream("")
		b.post()
		b.post()
		out.check(t, "0s retry", "0s event: msg", "0s event: msg")
		stop()
	})
}

func TestHeartbeatTellsWhoIsAwayWhenItChanges(t *testing.T) {
	inBubble(t, Config{Streams: Streams{PushThrough: -1}}, func(b *bench) {
		out, stop := b.stream("&hb=20")
		out.check(t, "0s retry")
		pass(41 * time.Second)
		out.check(t, "20s event: hb data: {}", "40s event: hb data: {}")
		if err := b.hub.Ack(b.room, b.a.Session, b.b.Cursor); err != nil { // b stays silent
			t.Fatal(err)
		}
		pass(40 * time.Second)
		out.check(t, `1m0s event: hb data: {"away":["`+wire.MemberID{2}.String()+`"]}`, "1m20s event: hb data: {}")
		stop()
	})
}

func TestHeartbeatsKeepTheirPaceInABusyRoom(t *testing.T) {
	inBubble(t, Config{Streams: Streams{PushThrough: -1}}, func(b *bench) {
		out, stop := b.stream("&hb=5")
		beats := 0
		for range 55 {
			pass(290 * time.Millisecond)
			b.post()
		}
		for _, n := range out.take() {
			beats += strings.Count(n.text, "event: hb")
		}
		if beats != 3 {
			t.Errorf("got %d heartbeats in 16 s, want 3", beats)
		}
		stop()
	})
}

func TestPlannedEnd(t *testing.T) {
	inBubble(t, Config{}, func(b *bench) {
		ends := map[time.Duration]bool{}
		for range 5 {
			out, stop := b.stream("&life=100&hb=25")
			pass(111 * time.Second)
			notes := out.take()
			last := notes[len(notes)-1]
			if last.text != "event: bye\ndata: {\"why\":\"life\",\"in\":0}\n\n" || last.at < 100*time.Second || last.at > 110*time.Second {
				t.Errorf("got %v at %v", last.text, last.at)
			}
			if at := out.deadlineAt(); at != last.at+10*time.Second {
				t.Errorf("the end of the answer has the deadline %v, want one behind %v", at, last.at)
			}
			ends[last.at] = true
			stop()
		}
		if len(ends) < 2 {
			t.Errorf("no jitter: %v", ends)
		}
	})
}

func TestLongestLifeIsTheRelays(t *testing.T) {
	inBubble(t, Config{Streams: Streams{Life: time.Minute}}, func(b *bench) {
		out, stop := b.stream("&life=999999999999")
		pass(67 * time.Second)
		notes := out.take()
		if !strings.Contains(notes[0].text, `"life":60,`) || !strings.HasPrefix(notes[len(notes)-1].text, "event: bye") {
			t.Errorf("got %+v", notes)
		}
		stop()
	})
}

func TestStalledStreamEndsAtItsDeadline(t *testing.T) {
	inBubble(t, Config{}, func(b *bench) {
		out, stop := b.stream("&hb=25")
		pass(time.Second)
		out.stall()
		b.post()
		pass(9 * time.Second)
		if n := b.hub.Stats().Subscriptions; n != 1 {
			t.Errorf("ended early: %d subscriptions", n)
		}
		pass(2 * time.Second)
		if n := b.hub.Stats().Subscriptions; n != 0 {
			t.Errorf("still open after its deadline: %d subscriptions", n)
		}
		stop()
	})
}

func TestIdleStreamHasNoDeadline(t *testing.T) {
	inBubble(t, Config{}, func(b *bench) {
		out, stop := b.stream("")
		pass(5 * time.Second)
		if at := out.deadlineAt(); at > 0 {
			t.Errorf("got deadline %v", at)
		}
		stop()
	})
}

func TestBatchEndsAfterItsHold(t *testing.T) {
	inBubble(t, Config{}, func(b *bench) {
		out, stop := b.stream("&mode=batch&hold=7")
		pass(26 * time.Second)
		out.check(t, "0s event: hello")
		if n := b.hub.Stats().Subscriptions; n != 0 {
			t.Errorf("still open")
		}
		stop()
	})
}

// TestKnockAtTheDoorDoesNotShortenBatches: each new subscription is told of all knocks.
func TestKnockAtTheDoorDoesNotShortenBatches(t *testing.T) {
	inBubble(t, Config{}, func(b *bench) {
		knock := func(n byte) {
			if err := b.hub.Knock(b.room, wire.KnockID{n}, []byte("note")); err != nil {
				t.Fatal(err)
			}
		}
		knock(1)
		out, stop := b.stream("&mode=batch&hold=7")
		pass(6 * time.Second)
		out.check(t, "0s event: hello")
		knock(2)
		synctest.Wait()
		out.check(t, "6s event: knock")
		stop()
	})
}
