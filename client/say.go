package client

import (
	"context"
	"encoding/json"
	"fmt"
	"time"
)

// Seconds is how long a message is shown before it disappears; 0: for good.
type Seconds int64

// Duration is the same as a time.
func (s Seconds) Duration() time.Duration { return time.Duration(s) * time.Second }

// Text is something to say.
type Text struct {
	Body string
	Re   Ref     // what it answers; zero: nothing
	Me   bool    // "/me": it says what its author does
	TTL  Seconds // 0: as the room's timer says
}

// Send seals a text for everybody in the room and posts it as soon as the network lets it; it waits only while 1,000
// messages are waiting already. It fails with ErrClosed, ErrRemoved or the error of ctx. What becomes of the message, the Letter tells.
func (s *Session) Send(ctx context.Context, text string) (*Letter, error) {
	return s.Say(ctx, Text{Body: text})
}

// Say is Send for a text that is more than its words.
func (s *Session) Say(ctx context.Context, t Text) (*Letter, error) {
	return s.post(ctx, content{K: "text", ID: newID(), Body: t.Body, Re: t.Re.String(), Me: t.Me, TTL: s.ttl(t.TTL)})
}

// Edit replaces the body of a text or the caption of a file that this member sent under the id. It fails as Send does.
func (s *Session) Edit(ctx context.Context, id, body string) (*Letter, error) {
	return s.post(ctx, content{K: "edit", Of: s.own(id).String(), Body: body})
}

// Delete takes back what this member sent under the id. It fails as Send does.
func (s *Session) Delete(ctx context.Context, id string) (*Letter, error) {
	return s.post(ctx, content{K: "delete", Of: s.own(id).String()})
}

// React puts an emoji under something, or takes its own away again. It fails as Send does.
func (s *Session) React(ctx context.Context, of Ref, emoji string, on bool) (*Letter, error) {
	return s.post(ctx, content{K: "react", Of: of.String(), Emoji: emoji, On: &on})
}

// SetTimer makes what is said in the room from now on disappear after the time; 0 turns that off. It fails as Send does.
func (s *Session) SetTimer(ctx context.Context, ttl Seconds) (*Letter, error) {
	n := int64(ttl)
	l, err := s.post(ctx, content{K: "timer", TTL: &n})
	if err == nil {
		s.setTimer(ttl)
	}
	return l, err
}

// Timer is the room's timer, as far as this member has heard of it.
func (s *Session) Timer() Seconds {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.timer
}

func (s *Session) setTimer(ttl Seconds) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.timer = ttl
}

// ttl is what a message says about its time: its own, else the room's, else nothing.
func (s *Session) ttl(own Seconds) *int64 {
	if own == 0 {
		own = s.Timer()
	}
	if own == 0 {
		return nil
	}
	n := int64(own)
	return &n
}

func (s *Session) own(id string) Ref { return Ref{s.Self(), id} }

// post queues a content.
func (s *Session) post(ctx context.Context, c content) (*Letter, error) {
	b, err := json.Marshal(c)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", c.K, err)
	}
	l := newLetter(c.ID, b, nil)
	if err := s.out.add(ctx, l); err != nil {
		return nil, err
	}
	s.current().line.active()
	return l, nil
}
