//go:build linux

package main

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"
)

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
	if !u.acks { // a pause would end the flow
		time.Sleep(1300 * time.Millisecond)
		u.reader.acking.Store(false)
		time.Sleep(100 * time.Millisecond)
	}
	counted, late := u.reader.counted.Load(), len(u.reader.late)
	posted := u.posted()
	writes := u.metric(`snug_flushes_total{kind="stream"}`)
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
	writes = u.metric(`snug_flushes_total{kind="stream"}`) - writes
	owed, closed := u.metric("snug_bytes_held"), u.metric(`snug_streams_ended_total{reason="stalled"}`)
	u.reader.acking.Store(false)
	if err := u.end(); err != nil {
		return r, err
	}
	u.toAck = nil
	u.reader.quit, u.reader.done = make(chan struct{}), make(chan struct{}) // for the deferred end
	close(u.reader.done)
	got := float64(u.reader.counted.Load() - counted)
	r.set("µs/delivery", float64((after.cpu-before.cpu).Microseconds())/got)
	r.set("writes/delivery", writes/got)
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
	r.set("RSS MB", float64(after.rss)/1e6)
	if u.snug {
		r.set("owed MB", owed/1e6)
	}
	if u.stalled > 0 {
		r.set("stalled closed", closed)
		r.set("others closed", ended)
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

// postFor posts at the rate, or as fast as it is answered if that is 0, from a goroutine for some rooms each.
func (u *turn) postFor(ctx context.Context, d time.Duration, rate float64) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	workers := min(8, u.rooms)
	for u.rooms%workers != 0 { // a room belongs to one of them
		workers--
	}
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
