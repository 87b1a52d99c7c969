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
	stalled  bool // flushes wait for their deadline
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
	return p.pending.Write(b) // as net/http takes what is small

}

func (p *tape) FlushError() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.stalled {
		time.Sleep(time.Until(p.deadline))
		return os.ErrDeadlineExceeded
	}
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
	last   wire.Cursor
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
	posted, err := b.hub.Post(b.room, b.b.Session, hub.Post{ID: wire.MessageID{b.posted}, Frame: frame(b.posted)})
	if err != nil {
		b.t.Fatal(err)
	}
	b.last = posted.Cursor
	synctest.Wait()
}

// ack is a's of the last message.
func (b *bench) ack() {
	b.t.Helper()
	if err := b.hub.Ack(b.room, b.a.Session, b.last); err != nil {
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
