//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"time"
)

// scenario is one kind of load.
type scenario struct {
	name, what     string
	targets        []string
	rooms, members int     // 0 rooms: as many as options.crowd fill
	rate           float64 // posts a second; 0: each room posts as fast as it is answered
	stalled        int     // of the members of each room do not read
	idle           bool    // no posts
	churn, rejoin  bool
	size           int    // of a message; 0: options.payload
	flags          string // more flags for snug, by space
}

var scenarios = []scenario{
	{name: "idle", what: "members in rooms of 25, and silence: memory", targets: []string{"snug-b", "snug-a", "r3labs", "nchan"}, members: 25, idle: true},
	{name: "fanout", what: "200 rooms of 25, 400 posts a second", targets: []string{"snug-b", "snug-b-acks", "snug-a", "r3labs", "nchan"}, rooms: 200, members: 25, rate: 400},
	{name: "big", what: "1 room of 1,000, 20 posts a second", targets: []string{"snug-b", "snug-a", "r3labs", "nchan"}, rooms: 1, members: 1000, rate: 20},
	{name: "flatout", what: "100 rooms of 10, each posting as fast as it is answered", targets: []string{"snug-b", "snug-a", "r3labs", "nchan"}, rooms: 100, members: 10},
	{name: "stalled", what: "10 rooms of 25, 40 posts a second of 16 KB, streams closed after 2 s without a reader; in the first room 10 do not read", targets: []string{"snug-b", "snug-a"}, rooms: 10, members: 25, rate: 40, stalled: 10, size: 16000, flags: "--write-timeout 2s"},
	{name: "unstalled", what: "the same with nobody stalled", targets: []string{"snug-b", "snug-a"}, rooms: 10, members: 25, rate: 40, size: 16000, flags: "--write-timeout 2s"},
	{name: "churn", what: "10,000 rooms of 2 come and go, 5 times", targets: []string{"snug-b", "snug-a"}, churn: true},
	{name: "rejoin", what: "everybody comes back after a restart in one go", targets: []string{"snug-b", "snug-a"}, members: 25, rejoin: true},
}

// turn is one server under one load.
type turn struct {
	scenario
	*options
	*target
	base    usage
	reader  *reader
	list    []*room
	posters []guest // of snug, one for each room; they have no stream
	streams []*stream
	ackers  sync.WaitGroup
	toAck   chan ackJob
	refused atomic.Uint64

	refusals sync.Once // tells of the first
}

func (s scenario) turn(ctx context.Context, o *options, t *target) (r result, err error) {
	u := &turn{scenario: s, options: o, target: t}
	if s.size != 0 {
		own := *o
		own.payload = s.size
		u.options = &own
	}
	if u.rooms == 0 && u.scenario.members > 0 {
		u.rooms = o.crowd / u.scenario.members
	}
	if err := t.start(ctx, ""); err != nil {
		return r, err
	}
	time.Sleep(300 * time.Millisecond)
	if u.base, err = t.usage(); err != nil {
		return r, err
	}
	switch {
	case s.churn:
		return u.comeAndGo(ctx)
	case s.rejoin:
		return u.comeBack(ctx)
	}
	if u.reader, err = newReader(); err != nil {
		return r, err
	}
	defer u.reader.close()
	if err := u.enter(ctx); err != nil {
		return r, err
	}
	if u.snug {
		u.startAckers()
	}
	go u.reader.run()
	defer func() { err = errors.Join(err, u.end()) }()
	want := int64(u.rooms*u.scenario.members - u.stalledNow())
	for n := 0; u.snug && u.reader.hellos.Load() < want; n++ {
		if n > 3000 {
			return r, fmt.Errorf("%d of %d streams have begun", u.reader.hellos.Load(), want)
		}
		time.Sleep(10 * time.Millisecond)
	}
	if u.idle {
		return u.rest()
	}
	return u.flow(ctx)
}

func (u *turn) end() error {
	err := u.reader.stop()
	if u.toAck != nil {
		close(u.toAck)
		u.ackers.Wait()
	}
	return err
}

func (u *turn) stalledNow() int { return u.stalled }

// parallel calls f for 0 to n-1 from some goroutines, each with a caller of its own, until one fails.
func (t *target) parallel(ctx context.Context, workers, n int, f func(c *caller, i int) error) error {
	var next atomic.Int64
	var wg sync.WaitGroup
	var mu sync.Mutex
	var first error
	for range workers {
		wg.Go(func() {
			c := &caller{addr: t.addr}
			defer c.close()
			for i := int(next.Add(1)) - 1; i < n && ctx.Err() == nil; i = int(next.Add(1)) - 1 {
				if err := f(c, i); err != nil {
					mu.Lock()
					first = errors.Join(first, err)
					mu.Unlock()
					next.Store(int64(n))
				}
			}
		})
	}
	wg.Wait()
	return errors.Join(first, ctx.Err())
}

// enter lets everybody join, in rooms one after the other so that they do not all hear of each other for long, and opens the streams.
func (u *turn) enter(ctx context.Context) error {
	u.list = make([]*room, u.rooms)
	u.posters = make([]guest, u.rooms)
	var mu sync.Mutex
	return u.parallel(ctx, 8, u.rooms, func(c *caller, n int) error {
		rm := &room{number: n}
		u.list[n] = rm
		guests := make([]guest, u.scenario.members)
		if u.snug {
			for i := range guests {
				g, err := join(c, n, i, nil)
				if err != nil {
					return err
				}
				guests[i] = g
			}
			var err error
			if u.posters[n], err = join(c, n, 9999, nil); err != nil {
				return err
			}
		}
		for i, g := range guests {
			s := &stream{room: rm, session: g.session, stalled: n == 0 && i < u.stalled}
			if u.snug {
				g.cursor = u.posters[n].cursor // they have their own way of learning who is there
				s.cursor = g.cursor
			}
			fd, err := open(u.addr, u.streamRequest(g, n), s.stalled)
			if err != nil {
				return err
			}
			s.fd = fd
			s.acks.Sent(time.Now())
			mu.Lock()
			u.streams = append(u.streams, s)
			err = u.reader.add(s)
			mu.Unlock()
			if err != nil {
				return err
			}
		}
		if !u.snug {
			return nil
		}
		for _, s := range append(guests, u.posters[n]) {
			if err := ack(c, u.posters[n].path, s.session, u.posters[n].cursor); err != nil {
				return err
			}
		}
		return nil
	})
}

type ackJob struct{ path, session, cursor string }

func ack(c *caller, path, session, cursor string) error {
	status, body, err := c.post(path+"/ack?s="+session+"&through="+cursor, "text/plain", nil)
	if err == nil && status != 200 {
		err = fmt.Errorf("ack: %d %s", status, body)
	}
	return err
}

// startAckers has the reader's acks sent.
func (u *turn) startAckers() {
	u.toAck = make(chan ackJob, 1<<16)
	u.reader.ack = func(s *stream) { u.toAck <- ackJob{u.posters[s.room.number].path, s.session, s.cursor} }
	for range 4 {
		u.ackers.Go(func() {
			c := &caller{addr: u.addr}
			defer c.close()
			for j := range u.toAck {
				if err := ack(c, j.path, j.session, j.cursor); err != nil {
					u.refused.Add(1)
					u.refusals.Do(func() { fmt.Fprintln(os.Stderr, "the first refusal:", err) })
				}
			}
		})
	}
}

// rest waits until a server has nothing to do, and looks at what it holds.
func (u *turn) rest() (r result, err error) {
	time.Sleep(3 * time.Second)
	before, err := u.usage()
	if err != nil {
		return r, err
	}
	start := time.Now()
	time.Sleep(u.time)
	after, err := u.usage()
	if err != nil {
		return r, err
	}
	members := float64(len(u.streams))
	r.set("KB/member", float64(after.rss-u.base.rss)/members/1000)
	r.set("KB/member at 3 s", float64(before.rss-u.base.rss)/members/1000)
	r.set("goroutines", u.metric("go_goroutines"))
	r.set("idle CPU %", 100*(after.cpu-before.cpu).Seconds()/time.Since(start).Seconds())
	return r, nil
}
