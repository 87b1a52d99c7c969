package handlers

import (
	"sync"
	"time"

	"golang.org/x/time/rate"

	"snug/wire"
)

// limiterRooms bounds a generation of a limiter: about a megabyte.
const limiterRooms = 4096

// limiter holds each room to a pace. It keeps two generations of rooms and forgets the older one when the younger is
// full or has lived for as long as a whole burst takes to refill, when forgetting a room changes nothing for it. So it is
// bounded, and a flood of made-up rooms costs it constant time.
type limiter struct {
	every time.Duration
	burst int

	mu         sync.Mutex
	young, old map[wire.RoomID]*rate.Limiter // guarded by mu
	born       time.Time                     // of young; guarded by mu
}

func newLimiter(every time.Duration, burst int) *limiter {
	return &limiter{every: every, burst: burst, young: map[wire.RoomID]*rate.Limiter{}, born: time.Now()}
}

// allow tells whether the room may do it once more now.
func (l *limiter) allow(room wire.RoomID) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	r := l.young[room]
	if r == nil {
		l.renewLocked()
		if r = l.old[room]; r == nil {
			r = rate.NewLimiter(rate.Every(l.every), l.burst)
		}
		l.young[room] = r
	}
	return r.Allow()
}

// renewLocked begins a new generation when the young one is full or old enough.
func (l *limiter) renewLocked() {
	refill := l.every * time.Duration(l.burst)
	if len(l.young) >= limiterRooms || time.Since(l.born) > refill {
		l.young, l.old, l.born = map[wire.RoomID]*rate.Limiter{}, l.young, time.Now()
	}
}
