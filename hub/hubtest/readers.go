package hubtest

import (
	"sync"
	"time"

	"snug/hub"
)

// pumped is a reader without a goroutine, which notes that it was called.
type pumped struct {
	mu    sync.Mutex
	calls int // guarded by mu
}

func (p *pumped) Pump(batch []hub.Reader) time.Duration {
	for _, r := range batch {
		q := r.(*pumped)
		q.mu.Lock()
		q.calls++
		q.mu.Unlock()
	}
	return 0
}

func (p *pumped) count() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.calls
}

func (g guest) subscribeReader(r hub.Reader) hub.Subscription {
	g.Helper()
	s, err := g.SubscribeReader(g.room, g.Session, g.Cursor, hub.Stream, r)
	g.check(err)
	g.Cleanup(s.Close)
	return s
}

func readers(b *bench) {
	one, two, three := b.join(1), b.join(2), b.join(3)
	var r2, r3 pumped
	s2, s3 := two.subscribeReader(&r2), three.subscribeReader(&r3)
	if s2.Ready() != nil || s2.Done() != nil {
		b.Fatal("a reader has channels too")
	}
	s2.Hello()
	for _, s := range []hub.Subscription{s2, s3} {
		_, err := s.Next(1 << 20)
		b.check(err)
	}
	before2, before3 := r2.count(), r3.count()
	one.post("hello")
	b.eventually("both readers are called", func() bool { return r2.count() > before2 && r3.count() > before3 })
	for _, s := range []hub.Subscription{s2, s3} {
		u, err := s.Next(1 << 20)
		if err != nil || len(u.Events) == 0 || u.Handled.Seq >= u.Cursor.Seq {
			b.Fatalf("got %+v, %v", u, err)
		}
		two.ack(u.Cursor)
	}
	if u, err := s2.Next(1 << 20); err != nil || u.Handled != u.Cursor {
		b.Fatalf("after the ack: got %+v, %v", u, err)
	}

	s3.Close()
	time.Sleep(quiet) // what was under way has come
	before3 = r3.count()
	one.post("again")
	b.eventually("the other is called", func() bool { return r2.count() > before2+1 })
	time.Sleep(quiet)
	if n := r3.count(); n != before3 {
		b.Fatal("a closed reader is called")
	}

	before2 = r2.count()
	two.subscribe(two.Cursor, hub.Stream)
	b.eventually("a replaced reader is told", func() bool { return r2.count() > before2 })
	_, err := s2.Next(1 << 20)
	b.want(err, hub.ErrReplaced)

	var last pumped
	s := three.subscribeReader(&last)
	before := last.count()
	b.check(b.Close())
	b.eventually("a reader is told of the end", func() bool { return last.count() > before })
	_, err = s.Next(1 << 20)
	b.want(err, hub.ErrClosed)
}
