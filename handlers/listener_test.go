package handlers

import (
	"context"
	"testing"
	"time"

	"github.com/r3labs/sse/v2"
	"gopkg.in/cenkalti/backoff.v1"

	"snug/wire"
)

// listener reads a stream with r3labs, which knows nothing of our code.
type listener struct {
	t      *testing.T
	events chan *sse.Event // closed at the end of the stream
	cancel context.CancelFunc
}

func (p *person) listen(after wire.Cursor, more ...string) *listener {
	p.t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	p.t.Cleanup(cancel)
	l := &listener{t: p.t, events: make(chan *sse.Event, 4096), cancel: cancel}
	url := p.web.URL + p.path("/stream", append([]string{"after", after.String()}, more...)...)
	c := sse.NewClient(url, sse.ClientMaxBufferSize(1<<20))
	c.Connection = p.web.Client()
	c.ReconnectStrategy = &backoff.StopBackOff{}
	go func() {
		defer close(l.events)
		if err := c.SubscribeRawWithContext(ctx, func(e *sse.Event) { l.events <- e }); err != nil && ctx.Err() == nil {
			p.t.Errorf("stream: %v", err)
		}
	}()
	return l
}

// next waits for the next event, which must be of this name.
func (l *listener) next(name string) *sse.Event {
	l.t.Helper()
	e := l.wait(name)
	if string(e.Event) != name {
		l.t.Fatalf("got event %q %s, want %q", e.Event, e.Data, name)
	}
	return e
}

// skip reads up to the next event of this name, past heartbeats and roster changes.
func (l *listener) skip(name string) *sse.Event {
	l.t.Helper()
	for {
		if e := l.wait(name); string(e.Event) == name {
			return e
		}
	}
}

func (l *listener) wait(name string) *sse.Event {
	l.t.Helper()
	select {
	case e, ok := <-l.events:
		if !ok {
			l.t.Fatalf("stream ended before %q", name)
		}
		return e
	case <-time.After(patience):
		l.t.Fatalf("no %q", name)
	}
	return nil
}

func cursorOf(t *testing.T, e *sse.Event) wire.Cursor {
	t.Helper()
	c, err := wire.ParseCursor(string(e.ID))
	if err != nil {
		t.Fatal(err)
	}
	return c
}
