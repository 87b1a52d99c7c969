package hub

import (
	"math"
	"time"

	"snug/wire"
)

// never is a time at which nothing is due.
const never = math.MaxInt64

// sweepLocked does what is due: expires messages, chunks and knocks, marks members as away and lets those go that were
// away longer than Grace. Every operation does it first, so limits hold to the moment; the janitor does it for rooms that
// nobody asks for.
func (r *room) sweepLocked(now time.Duration) {
	if int64(now) < r.due.Load() || r.ended {
		return
	}
	l := &r.hub.limits
	r.due.Store(never)
	r.log.expire(now - l.TTL)
	r.knocks.expire(now - l.KnockTTL)
	for x := r.chunks.oldest(); x != nil && x.at <= now-l.ChunkTTL; x = r.chunks.oldest() {
		r.drop([]*chunk{x})
	}
	r.sweepMembers(now)
	r.nextDue()
}

func (r *room) sweepMembers(now time.Duration) {
	l := &r.hub.limits
	var gone []*member
	for _, m := range r.list {
		if !m.away && now-m.seen >= l.AwayAfter {
			m.away = true
			r.online--
			r.awayChanged()
		}
		if m.away && now-m.seen >= l.Grace {
			gone = append(gone, m)
		}
	}
	for _, m := range gone {
		r.remove(m, wire.ReasonGrace)
		r.hub.tally.grace.Add(1)
	}
}

// nextDue finds out when the next sweep is due. Things only move later in between, or say so with dueAt.
func (r *room) nextDue() {
	l := &r.hub.limits
	if at, ok := r.log.oldest(); ok {
		r.dueAt(at + l.TTL)
	}
	if x := r.chunks.oldest(); x != nil {
		r.dueAt(x.at + l.ChunkTTL)
	}
	for _, k := range r.knocks.list {
		r.dueAt(k.at + l.KnockTTL)
	}
	for _, m := range r.list {
		if m.away {
			r.dueAt(m.seen + l.Grace)
		} else {
			r.dueAt(m.seen + l.AwayAfter)
		}
	}
}

// janitor sweeps the rooms that nobody asks for, until the hub closes. Owned by NewMemory.
func (h *Memory) janitor() {
	tick := time.NewTicker(h.period())
	defer tick.Stop()
	for {
		select {
		case <-h.done:
			return
		case <-tick.C:
		}
		now := h.now()
		for _, r := range h.rooms(func(r *room) bool { return int64(now) >= r.due.Load() }) {
			r.mu.Lock()
			r.sweepLocked(now)
			r.unlock()
		}
	}
}

// period is how often the janitor looks: a quarter of the shortest time it has to keep, since a quiet room can wait, but
// a walk over ten thousand rooms every 10 s costs nothing (about 1 ms).
func (h *Memory) period() time.Duration {
	l := &h.limits
	shortest := min(l.TTL, l.Grace, l.AwayAfter, l.ChunkTTL, l.KnockTTL)
	return min(max(shortest/4, 10*time.Millisecond), 10*time.Second)
}
