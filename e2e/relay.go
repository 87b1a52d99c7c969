// Package e2e drives the real page in a real browser against the real relay, all in one process but the browser.
// A test makes a World, lets people open pages in it, and reads what they see; whatever a page writes to its console as
// an error, throws, or tries against its content security policy fails the test.
package e2e

import (
	"context"
	"io/fs"
	"net"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"snug/handlers"
	"snug/hub"
	"snug/static"
	"snug/wire"
)

// patience is how long anything may take that a person waits for: long, because the machine may be busy with other
// tests, and never waited out when all is well.
const patience = time.Minute

// Relay is a relay on a loopback port, with a hub that can be waited for.
type Relay struct {
	URL string
	Hub *Watched // of this life of the relay; another one after Restart
	// Files of the page, from the next Restart on.
	Files fs.FS

	t      testing.TB
	limits hub.Limits
	addr   string
	srv    *http.Server
	served chan error
}

// startRelay serves until the test ends.
func startRelay(t testing.TB, limits hub.Limits) *Relay {
	t.Helper()
	limit(t, testTime, func() string { return "" })
	r := &Relay{t: t, limits: limits, addr: "127.0.0.1:0", Files: static.Files}
	r.start()
	// localhost, not 127.0.0.1: both are secure contexts, and this is what people type.
	_, port, _ := net.SplitHostPort(r.addr)
	r.URL = "http://localhost:" + port
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		r.srv.Shutdown(ctx)
		r.Crash()
	})
	return r
}

func (r *Relay) start() {
	r.t.Helper()
	r.Hub = &Watched{Hub: hub.NewMemory(r.limits), changed: make(chan struct{}), members: make(map[wire.SessionID]wire.MemberID)}
	h, err := handlers.New(handlers.Config{Hub: r.Hub, Limits: r.limits.Wire(), Static: r.Files})
	if err != nil {
		r.t.Fatal(err)
	}
	ln, err := net.Listen("tcp", r.addr)
	if err != nil {
		r.t.Fatal(err)
	}
	r.addr, r.srv, r.served = ln.Addr().String(), h.HTTP(ln.Addr().String()), make(chan error, 1)
	go func() { r.served <- r.srv.Serve(h.Listener(ln)) }()
}

// Crash cuts every connection and forgets everything, as `kill -9` does.
func (r *Relay) Crash() {
	r.t.Helper()
	r.srv.Close()
	if err := <-r.served; err != http.ErrServerClosed {
		r.t.Errorf("the relay ended with %v", err)
	}
	r.Hub.Close()
}

// Restart starts an empty relay at the same address, after a Crash.
func (r *Relay) Restart() {
	r.t.Helper()
	r.start()
}

// Watched is a hub that tells when something was done to it, so that a test waits for an event and not for a time.
type Watched struct {
	hub.Hub
	mu      sync.Mutex
	changed chan struct{}                    // closed and replaced by note; guarded by mu
	members map[wire.SessionID]wire.MemberID // guarded by mu
	carried []Carried                        // guarded by mu
	damages atomic.Bool
}

// Carried is a frame as the relay, or whoever listens there, gets to see it.
type Carried struct {
	Room  wire.RoomID
	From  wire.MemberID
	Frame []byte
}

// Carried is every frame that was posted, in this life of the relay, in order.
func (w *Watched) Carried() []Carried {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.carried)
}

// Await returns when the hub's numbers are as they should be, or fails the test.
func (w *Watched) Await(t testing.TB, what string, fine func(hub.Stats) bool) {
	t.Helper()
	late := time.After(patience)
	for {
		w.mu.Lock()
		changed := w.changed
		w.mu.Unlock()
		if fine(w.Stats()) {
			return
		}
		select {
		case <-changed:
		case <-late:
			t.Fatalf("%s: it never came to that; the hub holds %+v", what, w.Stats())
		}
	}
}

func (w *Watched) note() {
	w.mu.Lock()
	defer w.mu.Unlock()
	close(w.changed)
	w.changed = make(chan struct{})
}

// Join implements hub.Hub.
func (w *Watched) Join(room wire.RoomID, j hub.Join) (wire.Joined, error) {
	defer w.note()
	joined, err := w.Hub.Join(room, j)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.members[joined.Session] = joined.Member
	return joined, err
}

// Leave implements hub.Hub.
func (w *Watched) Leave(room wire.RoomID, s wire.SessionID) error {
	defer w.note()
	return w.Hub.Leave(room, s)
}

// Post implements hub.Hub.
func (w *Watched) Post(room wire.RoomID, s wire.SessionID, p hub.Post) (hub.Posted, error) {
	defer w.note()
	posted, err := w.Hub.Post(room, s, p)
	if err == nil && !posted.Duplicate {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.carried = append(w.carried, Carried{room, w.members[s], slices.Clone(p.Frame)})
	}
	return posted, err
}

// Damages has every chunk changed that is put from now on, or no longer.
func (w *Watched) Damages(on bool) { w.damages.Store(on) }

// PutChunk implements hub.Hub.
func (w *Watched) PutChunk(room wire.RoomID, s wire.SessionID, id wire.ChunkID, body []byte) error {
	defer w.note()
	if w.damages.Load() {
		body = slices.Clone(body)
		body[len(body)/2] ^= 1
	}
	return w.Hub.PutChunk(room, s, id, body)
}

// PostShell implements hub.Hub.
func (w *Watched) PostShell(room wire.RoomID, id wire.MessageID, jwe string) (hub.Posted, error) {
	defer w.note()
	return w.Hub.PostShell(room, id, jwe)
}

// Ack implements hub.Hub.
func (w *Watched) Ack(room wire.RoomID, s wire.SessionID, through wire.Cursor) error {
	defer w.note()
	return w.Hub.Ack(room, s, through)
}
