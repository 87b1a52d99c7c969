// Package e2e drives the real page in a real browser against the real relay, all in one process but the browser.
// A test makes a World, lets people open pages in it, and reads what they see; whatever a page writes to its console as
// an error, throws, or tries against its content security policy fails the test.
package e2e

import (
	"context"
	"net"
	"net/http"
	"sync"
	"testing"
	"time"

	"snug/handlers"
	"snug/hub"
	"snug/static"
	"snug/wire"
)

// patience is how long anything may take that a person waits for: long, because the machine may be busy with other
// tests, and never waited out when all is well.
const patience = 40 * time.Second

// Relay is a relay on a loopback port, with a hub that can be waited for.
type Relay struct {
	URL string
	Hub *Watched
}

// startRelay serves until the test ends.
func startRelay(t testing.TB, limits hub.Limits) *Relay {
	t.Helper()
	memory := hub.NewMemory(limits)
	watched := &Watched{Hub: memory, changed: make(chan struct{})}
	h, err := handlers.New(handlers.Config{Hub: watched, Limits: limits.Wire(), Static: static.Files})
	if err != nil {
		t.Fatal(err)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	srv := h.HTTP(ln.Addr().String())
	served := make(chan error, 1)
	go func() { served <- srv.Serve(ln) }()
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		if srv.Shutdown(ctx) != nil {
			srv.Close()
		}
		if err := <-served; err != http.ErrServerClosed {
			t.Errorf("the relay ended with %v", err)
		}
		memory.Close()
	})
	// localhost, not 127.0.0.1: both are secure contexts, and this is what people type.
	_, port, _ := net.SplitHostPort(ln.Addr().String())
	return &Relay{URL: "http://localhost:" + port, Hub: watched}
}

// Watched is a hub that tells when something was done to it, so that a test waits for an event and not for a time.
type Watched struct {
	hub.Hub
	mu      sync.Mutex
	changed chan struct{} // closed and replaced by note; guarded by mu
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
	return w.Hub.Join(room, j)
}

// Leave implements hub.Hub.
func (w *Watched) Leave(room wire.RoomID, s wire.SessionID) error {
	defer w.note()
	return w.Hub.Leave(room, s)
}

// Post implements hub.Hub.
func (w *Watched) Post(room wire.RoomID, s wire.SessionID, p hub.Post) (hub.Posted, error) {
	defer w.note()
	return w.Hub.Post(room, s, p)
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
