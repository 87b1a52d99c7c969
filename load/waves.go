//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"syscall"
	"time"

	"snug/wire"
)

// comeAndGo lets 10,000 rooms of two come and go, five times.
func (u *turn) comeAndGo(ctx context.Context) (r result, err error) {
	const rooms, turns = 10_000, 5
	goroutines := u.metric("go_goroutines")
	var rss []float64
	start := time.Now()
	for range turns {
		err := u.parallel(ctx, 8, rooms, func(c *caller, n int) (err error) {
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
	err = u.parallel(ctx, 256, total, func(c *caller, i int) (err error) {
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
	err = u.parallel(ctx, 64, u.rooms, func(c *caller, n int) (err error) {
		if u.posters[n], err = join(c, n, 9999, nil); err != nil {
			return err
		}
		return u.say(c, n)
	})
	if err != nil {
		return r, err
	}
	u.settle()
	r.set("lost", float64(total)-float64(u.reader.counted.Load()))
	r.set("s until all is read", time.Since(start).Seconds())
	return r, nil
}
