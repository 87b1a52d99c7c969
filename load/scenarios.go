//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"snug/wire"
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
}

var scenarios = []scenario{
	{name: "idle", what: "members in rooms of 25, and silence: memory", targets: []string{"snug-b", "snug-a", "r3labs", "nchan"}, members: 25, idle: true},
	{name: "fanout", what: "200 rooms of 25, 400 posts a second", targets: []string{"snug-b", "snug-b-acks", "snug-a", "r3labs", "nchan"}, rooms: 200, members: 25, rate: 400},
	{name: "big", what: "1 room of 1,000, 20 posts a second", targets: []string{"snug-b", "snug-a", "r3labs", "nchan"}, rooms: 1, members: 1000, rate: 20},
	{name: "flatout", what: "100 rooms of 10, each posting as fast as it is answered", targets: []string{"snug-b", "snug-a", "r3labs", "nchan"}, rooms: 100, members: 10},
	{name: "stalled", what: "10 rooms of 25, 40 posts a second of 3 KB; in the first room 10 do not read", targets: []string{"snug-b", "snug-a"}, rooms: 10, members: 25, rate: 40, stalled: 10},
	{name: "unstalled", what: "the same with nobody stalled", targets: []string{"snug-b", "snug-a"}, rooms: 10, members: 25, rate: 40},
	{name: "churn", what: "10,000 rooms of 2 come and go, 5 times", targets: []string{"snug-b", "snug-a"}, churn: true},
	{name: "rejoin", what: "everybody comes back after a restart in one go", targets: []string{"snug-b", "snug-a"}, members: 25, rejoin: true},
}

// turn is one server under one load.
type turn struct {
	scenario
	*options
	*target
	base     usage
	reader   *reader
	list     []*room
	posters  []guest // of snug, one for each room; they have no stream
	streams  []*stream
	ackers   sync.WaitGroup
	toAck    chan ackJob
	refused  atomic.Uint64
	postTime atomic.Int64
}

func (s scenario) turn(ctx context.Context, o *options, t *target) (r result, err error) {
	u := &turn{scenario: s, options: o, target: t}
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
			s.acks.sent(time.Now())
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
				if ack(c, j.path, j.session, j.cursor) != nil {
					u.refused.Add(1)
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

// flow posts for the time, waits until everything has come, and counts.
func (u *turn) flow(ctx context.Context) (r result, err error) {
	// Each room says something and all ack it as clients do, so that the relay knows its readers before it is measured.
	u.reader.acking.Store(u.snug)
	warm := 1500 * time.Millisecond
	if u.acks {
		warm = 7 * time.Second // a flow is known as one
	}
	rate := u.rate
	if err := u.postFor(ctx, warm, max(rate, 1)); err != nil {
		return r, err
	}
	time.Sleep(700 * time.Millisecond)
	u.reader.acking.Store(u.acks)
	time.Sleep(100 * time.Millisecond)
	counted, late := u.reader.counted.Load(), len(u.reader.late)
	posted := u.posted()
	before, err := u.usage()
	if err != nil {
		return r, err
	}
	start := time.Now()
	if err := u.postFor(ctx, u.time, rate); err != nil {
		return r, err
	}
	took := time.Since(start)
	u.settle()
	after, err := u.usage()
	if err != nil {
		return r, err
	}
	u.reader.acking.Store(false)
	if err := u.end(); err != nil {
		return r, err
	}
	u.toAck = nil
	u.reader.quit, u.reader.done = make(chan struct{}), make(chan struct{}) // for the deferred end
	close(u.reader.done)
	got := float64(u.reader.counted.Load() - counted)
	r.set("µs/delivery", float64((after.cpu-before.cpu).Microseconds())/got)
	r.set("posts/s", float64(u.posted()-posted)/took.Seconds())
	sorted := slices.Sorted(slices.Values(u.reader.late[late:]))
	r.set("p50 ms", percentile(sorted, 0.5))
	r.set("p99 ms", percentile(sorted, 0.99))
	r.set("p999 ms", percentile(sorted, 0.999))
	lost, ended := u.lost()
	r.set("lost", lost)
	r.set("doubled", float64(u.reader.doubled))
	r.set("out of order", float64(u.reader.disorder))
	r.set("refused", float64(u.refused.Load()))
	if u.stalled > 0 {
		r.set("RSS MB", float64(after.rss)/1e6)
		r.set("stalled closed", u.hungUp())
		r.set("others closed", ended)
	} else {
		r.set("RSS MB", float64(after.rss)/1e6)
	}
	return r, nil
}

// settle waits until everything has come, or nothing comes any more.
func (u *turn) settle() {
	want := u.posted() * uint64(u.scenario.members)
	last, still := uint64(0), 0
	for still < 40 {
		got := u.reader.counted.Load()
		if got >= want && u.stalled == 0 {
			return
		}
		if still++; got != last {
			last, still = got, 0
		}
		time.Sleep(25 * time.Millisecond)
	}
}

func (u *turn) posted() (n uint64) {
	for _, r := range u.list {
		n += r.posted.Load()
	}
	return n
}

// lost counts what was posted and has not come. The reader must have stopped.
func (u *turn) lost() (lost, ended float64) {
	for _, s := range u.streams {
		if s.stalled {
			continue
		}
		lost += float64(s.room.posted.Load() - s.count)
		if s.ended {
			ended++
		}
	}
	return lost, ended
}

// hungUp counts the stalled streams that the server has closed, by reading what they still hold.
func (u *turn) hungUp() (n float64) {
	buf := make([]byte, 64<<10)
	for _, s := range u.streams {
		for s.stalled {
			got, err := syscall.Read(s.fd, buf)
			if got > 0 {
				continue
			}
			if err != syscall.EAGAIN {
				n++
			}
			break
		}
	}
	return n
}

// postFor posts at the rate, or as fast as it is answered if that is 0, from a goroutine for some rooms each.
func (u *turn) postFor(ctx context.Context, d time.Duration, rate float64) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	workers := min(8, u.rooms)
	if rate == 0 {
		workers = u.rooms
	}
	var wg sync.WaitGroup
	errs := make(chan error, workers)
	start := time.Now()
	end := start.Add(d)
	for w := range workers {
		wg.Go(func() {
			c := &caller{addr: u.addr}
			defer c.close()
			for i := 0; ctx.Err() == nil; i++ {
				if rate > 0 {
					at := start.Add(time.Duration(float64(i*workers+w) / rate * float64(time.Second)))
					time.Sleep(time.Until(at))
				}
				if !time.Now().Before(end) {
					return
				}
				n := (i*workers + w) % u.rooms
				if rate == 0 {
					n = w
				}
				if err := u.say(c, n); err != nil {
					errs <- err
					cancel()
					return
				}
			}
		})
	}
	wg.Wait()
	select {
	case err := <-errs:
		return err
	default:
		return ctx.Err()
	}
}

// say posts the next message of a room.
func (u *turn) say(c *caller, n int) error {
	rm := u.list[n]
	number := rm.posted.Load() + 1
	status, body, err := u.target.post(c, u.posters[n], n, number, u.payload)
	if err != nil {
		return err
	}
	if status/100 != 2 {
		u.refused.Add(1)
		return fmt.Errorf("post: %d %s", status, body)
	}
	rm.posted.Add(1)
	return nil
}

// comeAndGo lets 10,000 rooms of two come and go, five times.
func (u *turn) comeAndGo(ctx context.Context) (r result, err error) {
	const rooms, turns = 10_000, 5
	goroutines := u.metric("go_goroutines")
	var rss []float64
	start := time.Now()
	for range turns {
		err := u.parallel(ctx, 8, rooms, func(c *caller, n int) error {
			var people [2]guest
			var fds [2]int
			for i := range people {
				if people[i], err = join(c, n, i, nil); err != nil {
					return err
				}
				if fds[i], err = open(u.addr, u.streamRequest(people[i], n), false); err != nil {
					return err
				}
			}
			if status, body, err := u.target.post(c, people[0], n, 1, u.payload); err != nil || status != 200 {
				return fmt.Errorf("post: %d %s %w", status, body, err)
			}
			for i, g := range people {
				if status, body, err := c.post(g.path+"/leave?s="+g.session, "text/plain", nil); err != nil || status != 200 {
					return fmt.Errorf("leave: %d %s %w", status, body, err)
				}
				syscall.Close(fds[i])
			}
			return nil
		})
		if err != nil {
			return r, err
		}
		time.Sleep(2 * time.Second)
		now, err := u.usage()
		if err != nil {
			return r, err
		}
		rss = append(rss, float64(now.rss)/1e6)
	}
	after, err := u.usage()
	if err != nil {
		return r, err
	}
	r.set("RSS MB first", rss[0])
	r.set("RSS MB last", rss[turns-1])
	r.set("growth %", 100*(rss[turns-1]-rss[0])/rss[0])
	r.set("goroutines", u.metric("go_goroutines"))
	r.set("at start", goroutines)
	r.set("rooms left", u.metric("snug_rooms"))
	r.set("ms CPU/room", (after.cpu-u.base.cpu).Seconds()*1000/rooms/turns)
	r.set("rooms/s", rooms*turns/time.Since(start).Seconds())
	return r, nil
}

// comeBack lets everybody join, restarts the server as a crash would, and lets everybody come back at once, with the
// posters posting again what was not acked.
func (u *turn) comeBack(ctx context.Context) (r result, err error) {
	if u.reader, err = newReader(); err != nil {
		return r, err
	}
	if err := u.enter(ctx); err != nil {
		return r, err
	}
	addr := u.addr.String()
	_ = u.cmd.Process.Kill() // as a crash
	_ = u.cmd.Wait()
	u.out.Close()
	u.reader.close()
	if u.reader, err = newReader(); err != nil {
		return r, err
	}
	defer u.reader.close()
	u.streams = nil
	start := time.Now()
	if err := u.target.start(ctx, addr); err != nil {
		return r, err
	}
	go u.reader.run()
	defer func() { err = errors.Join(err, u.end()) }()
	var mu sync.Mutex
	total := u.rooms * u.scenario.members
	var epoch wire.Cursor
	guests := make([]guest, total)
	err = u.parallel(ctx, 256, total, func(c *caller, i int) error {
		n := i % u.rooms // all rooms fill at once, as they would
		if guests[i], err = join(c, n, i/u.rooms, &epoch); err != nil {
			return err
		}
		s := &stream{room: u.list[n], session: guests[i].session}
		fd, err := open(u.addr, u.streamRequest(guests[i], n), false)
		if err != nil {
			return err
		}
		s.fd = fd
		mu.Lock()
		defer mu.Unlock()
		u.streams = append(u.streams, s)
		return u.reader.addLate(s)
	})
	if err != nil {
		return r, err
	}
	for u.reader.hellos.Load() < int64(total) && time.Since(start) < time.Minute {
		time.Sleep(5 * time.Millisecond)
	}
	r.set("s until all stream", time.Since(start).Seconds())
	r.set("streams", float64(u.reader.hellos.Load()))
	used, err := u.usage()
	if err != nil {
		return r, err
	}
	r.set("CPU s", used.cpu.Seconds())
	r.set("RSS MB", float64(used.rss)/1e6)
	err = u.parallel(ctx, 64, u.rooms, func(c *caller, n int) error {
		if u.posters[n], err = join(c, n, 9999, nil); err != nil {
			return err
		}
		return u.say(c, n)
	})
	if err != nil {
		return r, err
	}
	u.settle()
	r.set("lost", float64(uint64(total)-u.reader.counted.Load()))
	r.set("s until all is read", time.Since(start).Seconds())
	return r, nil
}
