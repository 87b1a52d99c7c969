package e2e

import (
	"context"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"snug/e2e/proxies"
)

// tap is a habit that does nothing to what passes but know it, and can break it.
type tap struct {
	mu      sync.Mutex
	begun   map[kind]int                  // guarded by mu, like all below
	open    map[kind]int                  // of those, how many are under way
	most    map[kind]int                  // how many were at the same time
	changed chan struct{}                 // closed and replaced at each change
	cuts    map[*http.Request]func(error) // breaks a request under way
}

// kind is what a request is for.
type kind string

const (
	aStream     kind = "stream"
	aBatch      kind = "batch"
	aPoll       kind = "poll"        // of one room, held
	aShortPoll  kind = "short poll"  // of one room
	aSharedPoll kind = "shared poll" // of several rooms, held
	aPost       kind = "post"        // of a message
	another     kind = "another"
)

func kindOf(r *http.Request) kind {
	q, path := r.URL.Query(), r.URL.Path
	switch {
	case strings.HasSuffix(path, "/stream"):
		return kind(q.Get("mode"))
	case path == "/poll":
		return aSharedPoll
	case strings.HasSuffix(path, "/poll") && q.Get("hold") == "0":
		return aShortPoll
	case strings.HasSuffix(path, "/poll"):
		return aPoll
	case strings.HasSuffix(path, "/messages"):
		return aPost
	}
	return another
}

func newTap() *tap {
	return &tap{begun: map[kind]int{}, open: map[kind]int{}, most: map[kind]int{}, changed: make(chan struct{}), cuts: map[*http.Request]func(error){}}
}

// Wrap implements proxies.Habit.
func (p *tap) Wrap(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx, cut := context.WithCancelCause(r.Context())
		defer cut(nil)
		k := kindOf(r)
		p.note(func() {
			p.begun[k]++
			p.open[k]++
			p.most[k] = max(p.most[k], p.open[k])
			p.cuts[r] = cut
		})
		defer p.note(func() {
			p.open[k]--
			delete(p.cuts, r)
		})
		next.ServeHTTP(w, r.WithContext(ctx))
	})
}

func (p *tap) note(change func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	change()
	close(p.changed)
	p.changed = make(chan struct{})
}

// cut breaks all that is under way.
func (p *tap) cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, cut := range p.cuts {
		cut(context.Canceled)
	}
}

// count is how many requests of a kind have begun.
func (p *tap) count(k kind) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.begun[k]
}

// await returns when it has come to that, with the tap locked in between, or fails the test.
func (p *tap) await(t testing.TB, what string, fine func() bool) {
	t.Helper()
	late := time.After(patience)
	for {
		p.mu.Lock()
		ok, changed := fine(), p.changed
		p.mu.Unlock()
		if ok {
			return
		}
		select {
		case <-changed:
		case <-late:
			p.mu.Lock()
			defer p.mu.Unlock()
			t.Fatalf("%s: it never came to that; begun: %v; open: %v", what, p.begun, p.open)
		}
	}
}

// behind starts a proxy with a tap before its habits.
func behind(t testing.TB, habits ...proxies.Habit) (*proxies.Proxy, *tap) {
	t.Helper()
	p := newTap()
	return proxies.Start(t, proxies.Config{Habits: append([]proxies.Habit{p}, habits...)}), p
}
