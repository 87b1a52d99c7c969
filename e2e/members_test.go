package e2e

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"snug/client"
	"snug/hub"
)

// gopher is a Go member of a room, and the texts it has read.
type gopher struct {
	*client.Session
	t       testing.TB
	mu      sync.Mutex
	read    []string      // guarded by mu
	removed bool          // guarded by mu
	news    chan struct{} // closed and replaced when the two change; guarded by mu
}

// gopherIn joins by link, and reads until the test ends.
func gopherIn(t testing.TB, link string) *gopher {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	s, err := client.Join(ctx, client.Config{Link: link, Alias: "Gopher"})
	if err != nil {
		t.Fatal(err)
	}
	g := &gopher{Session: s, t: t, news: make(chan struct{})}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for e := range s.Events(ctx) {
			g.hear(e)
		}
	}()
	t.Cleanup(func() {
		cancel()
		s.Close()
		<-done
	})
	return g
}

func (g *gopher) hear(e client.Event) {
	g.mu.Lock()
	defer g.mu.Unlock()
	switch e.Kind {
	case client.KindText:
		g.read = append(g.read, e.Body)
	case client.KindFailed:
		g.read = append(g.read, "failed: "+e.Reason)
	case client.KindRemoved:
		g.removed = true
	}
	close(g.news)
	g.news = make(chan struct{})
}

// await returns when fine is true of what it has heard.
func (g *gopher) await(what string, fine func() bool) {
	g.t.Helper()
	late := time.After(patience)
	for {
		g.mu.Lock()
		ok, news := fine(), g.news
		g.mu.Unlock()
		if ok {
			return
		}
		select {
		case <-news:
		case <-late:
			g.t.Fatalf("the Go member waits for %s; it has read %q", what, g.read)
		}
	}
}

func (g *gopher) sees(want ...string) {
	g.t.Helper()
	g.await(fmt.Sprintf("%q", want), func() bool { return slices.Equal(g.read, want) })
}

// say sends and waits until the relay has it, so that the order is the test's.
func (g *gopher) say(text string) {
	g.t.Helper()
	ctx, cancel := context.WithTimeout(g.t.Context(), patience)
	defer cancel()
	letter, err := g.Send(ctx, text)
	if err == nil {
		_, err = letter.Posted(ctx)
	}
	if err != nil {
		g.t.Fatal(err)
	}
}

// TestGoMemberAndTwoBrowsers: a member of the Go library and two browsers talk through joins, leaves, a new chain after a hundred messages and a
// removal, and each reads exactly what was said while it was a member.
func TestGoMemberAndTwoBrowsers(t *testing.T) {
	w := New(t, hub.Limits{})
	ann := w.Person("Ann").Tab("/")
	link := ann.NewRoom(false)
	ann.Say("only for Ann")

	gopher := gopherIn(t, w.URL+"/"+link)
	ann.Members(2)
	ann.Say("hello, Gopher")
	gopher.sees("hello, Gopher")
	gopher.say("hello, Ann")
	ann.Sees("only for Ann", "hello, Gopher", "hello, Ann")

	ben := w.Person("Ben").Tab("/" + link)
	ben.Enter(false)
	ann.Members(3)
	gopher.say("hello, Ben")
	ben.Sees("hello, Ben")
	ben.Say("hello, all")
	gopher.sees("hello, Gopher", "hello, all")

	heard := []string{"hello, Gopher", "hello, all"}
	said := []string{"hello, Ben", "hello, all"}
	for n := range 105 { // past the hundred after which a sender begins a new chain
		text := fmt.Sprintf("line %d", n)
		gopher.say(text)
		said = append(said, text)
	}
	ben.Sees(said...)

	ben.Leave()
	ann.Members(2)
	ann.Say("Ben has left")
	gopher.sees(append(heard, "Ben has left")...)

	back := w.Person("Ben").Tab("/" + link)
	back.Enter(false)
	ann.Members(3)
	gopher.say("who is back?")
	back.Sees("who is back?")
	gopher.await("the next member", func() bool { return len(gopher.Members()) == 3 })

	ann.Removes("Gopher")
	gopher.await("its removal", func() bool { return gopher.removed })
	back.Members(2)
	ann.Members(2)
	ann.Say("without Gopher")
	back.Sees("who is back?", "without Gopher")
	gopher.sees(append(heard, "Ben has left")...)
}
