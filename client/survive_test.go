package client

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"snug/client/e2ee"
	"snug/hub"
	"snug/wire"
)

// checkOnce fails unless the member has read each of the texts exactly once, those of one sender in order.
func (p *person) checkOnce(from string, n int) {
	p.t.Helper()
	p.untilText(fmt.Sprint(from, n-1))
	next := 0
	for _, e := range p.seen() {
		if e.Kind == KindFailed || e.Kind == KindGap {
			p.t.Errorf("%s saw %+v", p.name, e)
		}
		if e.Kind != KindText || !strings.HasPrefix(e.Body, from) {
			continue
		}
		if want := fmt.Sprint(from, next); e.Body != want {
			p.t.Fatalf("%s read %q, want %q; all: %s", p.name, e.Body, want, p.texts())
		}
		next++
	}
	if next != n {
		p.t.Errorf("%s read %d of %d", p.name, next, n)
	}
}

// TestRelayRestarts: the relay is killed in the middle of a conversation, three times, and comes back with nothing.
func TestRelayRestarts(t *testing.T) {
	r := newRelay(t, hub.Limits{}, nil)
	root := newRoot(t)
	ann, bob := r.join(Config{Root: root, Alias: "ann"}), r.join(Config{Root: root, Alias: "bob"})
	ann.untilKind(KindJoined)
	const each = 10
	var letters []*Letter
	for i := range 4 * each {
		for _, p := range []*person{ann, bob} {
			l, err := p.Send(t.Context(), fmt.Sprint(p.name, i))
			if err != nil {
				t.Fatal(err)
			}
			letters = append(letters, l)
		}
		if i%each == each/2 && i < 3*each {
			r.kill()
			r.start()
		}
	}
	ann.checkOnce("bob", 4*each)
	bob.checkOnce("ann", 4*each)
	for _, l := range letters {
		ann.everybody(l)
	}
	await(t, "rid of all entries", func() bool {
		ann.out.mu.Lock()
		defer ann.out.mu.Unlock()
		return len(ann.out.entries) == 0 && ann.out.kept == 0
	})
}

// badNetwork is what stands between the relay and its members; its mood changes during the test.
type badNetwork struct {
	refuse atomic.Bool // of all streams
	deaf   atomic.Bool // no streams and no polls, but posts and joins
	hold   atomic.Bool // streams arrive when they have ended
	binary atomic.Bool // refuses binary posts
}

func (b *badNetwork) wrap(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		stream := strings.HasSuffix(req.URL.Path, "/stream")
		if b.deaf.Load() && (stream || strings.HasSuffix(req.URL.Path, "/poll")) {
			w.WriteHeader(http.StatusBadGateway)
			return
		}
		switch {
		case stream && b.refuse.Load(), b.binary.Load() && req.Header.Get("Content-Type") == "application/octet-stream":
			w.Header().Set("Content-Type", "text/html")
			w.WriteHeader(http.StatusForbidden)
			fmt.Fprint(w, "<html>Blocked by policy</html>")
			return
		case stream && b.hold.Load():
			w = &holding{w}
		}
		next.ServeHTTP(w, req)
	})
}

// holding passes nothing on before the end, and gives nobody the connection.
type holding struct{ http.ResponseWriter }

func (h *holding) Flush() {}

func (h *holding) SetWriteDeadline(at time.Time) error {
	return http.NewResponseController(h.ResponseWriter).SetWriteDeadline(at)
}

// TestChangesOfTransport: streams are refused from the start, then let through, then refused again.
func TestChangesOfTransport(t *testing.T) {
	var b badNetwork
	b.refuse.Store(true)
	b.binary.Store(true)
	r := newRelay(t, hub.Limits{}, b.wrap)
	root := newRoot(t)
	ann, bob := r.join(Config{Root: root, Alias: "ann"}), r.join(Config{Root: root, Alias: "bob"})
	send := func(from, n int) {
		for i := from; i < from+n; i++ {
			ann.say(fmt.Sprint("ann", i))
			bob.say(fmt.Sprint("bob", i))
		}
	}
	send(0, 5)
	ann.checkOnce("bob", 5)
	bob.checkOnce("ann", 5)
	if s := ann.Status(); s.State != StatePolling {
		t.Errorf("without streams: %+v", s)
	}
	b.refuse.Store(false)
	ann.change()
	bob.change()
	await(t, "live", func() bool { return ann.Status().State == StateLive && bob.Status().State == StateLive })
	send(5, 5)
	ann.checkOnce("bob", 10)
	bob.checkOnce("ann", 10)
	b.refuse.Store(true)
	ann.change()
	send(10, 5)
	ann.checkOnce("bob", 15)
	bob.checkOnce("ann", 15)
}

// change tells the session that the network is another one.
func (p *person) change() { p.current().line.clock.stir <- "change" }

func await(t *testing.T, what string, ready func() bool) {
	t.Helper()
	for end := time.Now().Add(30 * time.Second); !ready(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("never %s", what)
		}
	}
}

// TestHeldStreams: a scanner holds every stream back until it ends; batches come through.
func TestHeldStreams(t *testing.T) {
	if testing.Short() {
		t.Skip("waits for two hellos that do not come")
	}
	t.Parallel()
	var b badNetwork
	b.hold.Store(true)
	r := newRelay(t, hub.Limits{}, b.wrap)
	root := newRoot(t)
	ann, bob := r.join(Config{Root: root, Alias: "ann"}), r.join(Config{Root: root, Alias: "bob"})
	ann.say("ann0")
	bob.untilText("ann0")
	await(t, "on batches", func() bool { s := bob.Status(); return s.State == StatePolling && s.Rung == "1" })
	ann.say("ann1")
	bob.checkOnce("ann", 2)
}

// TestSlowCaller: events that the caller does not take are not acknowledged, reading stops at the bound, and nothing is lost.
func TestSlowCaller(t *testing.T) {
	r := newRelay(t, hub.Limits{}, nil)
	root := newRoot(t)
	slow := r.enter(Config{Root: root, Alias: "slow"})
	ann := r.join(Config{Root: root, Alias: "ann"})
	const n = maxQueue + 60
	var last *Letter
	for i := range n {
		last = ann.say(fmt.Sprint("ann", i))
	}
	await(t, "full", func() bool { return len(slow.queue.waiting()) == maxQueue })
	if got := r.hub.Stats(); got.Freed > 0 {
		t.Errorf("the relay freed %d messages that nobody has handled", got.Freed)
	}
	for i := 0; i < n; {
		e, err := slow.Next(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if e.Kind != KindText {
			continue
		}
		if e.Body != fmt.Sprint("ann", i) {
			t.Fatalf("got %q, want number %d", e.Body, i)
		}
		i++
	}
	if isClosed(last.done) {
		t.Error("the last message counts as handled while the caller has it in its hands")
	}
	go slow.Next(t.Context())
	ann.everybody(last)
}

// TestComesBack: a member closes with its state, misses a while, and comes back as itself with what it had not handled.
func TestComesBack(t *testing.T) {
	r := newRelay(t, hub.Limits{}, nil)
	root := newRoot(t)
	ann := r.join(Config{Root: root, Alias: "ann"})
	bob := r.enter(Config{Root: root, Alias: "bob"})
	ann.untilKind(KindJoined)
	ann.say("ann0")
	ann.say("ann1")
	await(t, "there", func() bool { return len(bob.queue.waiting()) == 2 })
	if e, err := bob.Next(t.Context()); err != nil || e.Body != "ann0" {
		t.Fatal(e, err)
	}
	state, err := bob.State()
	if err != nil {
		t.Fatal(err)
	}
	self := bob.Self()
	bob.Close()
	if _, err := bob.State(); err != ErrClosed {
		t.Errorf("state of a closed session: %v", err)
	}
	l := ann.say("ann2")
	back := r.join(Config{State: state})
	back.name = "bob"
	if back.Self() != self || back.Alias() != "bob" {
		t.Errorf("came back as %v %q", back.Self(), back.Alias())
	}
	back.checkOnce("ann", 3)
	ann.everybody(l)
	back.say("bob0")
	ann.checkOnce("bob", 1)
}

// TestGap: a member misses messages for good, keys among them. It is told how many, asks for the keys, and reads on.
func TestGap(t *testing.T) {
	r := newRelay(t, hub.Limits{TTL: 400 * time.Millisecond}, nil)
	root := newRoot(t)
	at := &clock{t: time.Now()}
	ann := r.join(Config{Root: root, Alias: "ann", Now: at.now})
	bob := r.enter(Config{Root: root, Alias: "bob", Now: at.now})
	ann.untilKind(KindJoined)
	ann.say("ann0")
	await(t, "there", func() bool { return len(bob.queue.waiting()) == 1 })
	state, err := bob.State()
	if err != nil {
		t.Fatal(err)
	}
	bob.Close()
	at.pass(2 * time.Hour) // so that ann starts a new chain, whose keys will be lost
	lost := ann.say("lost")
	if err := lost.Acked(t.Context()); !errors.Is(err, ErrExpired) {
		t.Errorf("the fate of a message that expired: %v", err)
	}
	back := r.join(Config{State: state, Now: at.now})
	back.name = "bob"
	if e := back.untilKind(KindGap); e.Count < 1 {
		t.Errorf("got %+v", e)
	}
	ann.say("unreadable")
	if e := back.untilKind(KindFailed); !errors.Is(e.Err, e2ee.ErrBeforeYou) || e.Alias != "ann" {
		t.Errorf("got %+v", e)
	}
	await(t, "asked for its keys", func() bool {
		ann.say("again")
		return strings.Contains(back.texts(), "again")
	})
}

// TestRejoinsALargeRoom: a relay takes no more than wire.MaxKnown members to be brought back, and who knew more was refused for good.
func TestRejoinsALargeRoom(t *testing.T) {
	r := newRelay(t, hub.Limits{RoomMembers: 1000}, nil)
	ann := r.join(Config{Root: newRoot(t), Alias: "ann"})
	st := ann.current()
	st.mu.Lock()
	for n := range wire.MaxKnown + 50 {
		card := make([]byte, wire.MinFrame)
		card[0] = 1
		st.cards[wire.MemberID{1, byte(n), byte(n >> 8)}] = card
	}
	st.mu.Unlock()
	r.kill()
	r.start()
	ann.say("back")
	if got := r.hub.Stats().Members; got != wire.MaxKnown+1 {
		t.Errorf("%d members are back", got)
	}
}
