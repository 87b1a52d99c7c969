package handlers

import (
	"math/bits"
	"sync"
	"time"
)

// wheel wakes sockets when something is due for them: one goroutine and one timer for all of them, where a timer each
// would cost memory and a heap operation for each message. Times are rounded up to a tick.
type wheel struct {
	now   func() time.Duration // static
	early chan struct{}        // one slot: something is due before next

	mu    sync.Mutex
	slots [wheelSlots]*socket // guarded by mu, like all below: the first of a list each, by tick modulo wheelSlots
	used  [wheelSlots / 64]uint64
	past  int64 // the last tick that was looked at
	next  int64 // the tick that is waited for; 0: none
}

const (
	wheelTick  = 10 * time.Millisecond
	wheelSlots = 4096 // 41 s, longer than any heartbeat or hold; what is due later is looked at then and set again
)

func newWheel(now func() time.Duration) *wheel {
	return &wheel{now: now, early: make(chan struct{}, 1), past: int64(now() / wheelTick)}
}

// set has the socket woken at the time, instead of when it was to be before. The socket's owner calls it.
func (w *wheel) set(k *socket, at time.Duration) {
	tick := int64((at + wheelTick - 1) / wheelTick)
	if k.tick.Load() == tick {
		return // if that has just been taken out, the socket is woken and its owner comes here again
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.removeLocked(k)
	tick = min(max(tick, w.past+1), w.past+wheelSlots-1)
	slot := tick % wheelSlots
	if first := w.slots[slot]; first != nil {
		k.after, first.before = first, k
	}
	w.slots[slot] = k
	w.used[slot/64] |= 1 << (slot % 64)
	k.tick.Store(tick)
	if w.next == 0 || tick < w.next {
		w.next = tick
		select {
		case w.early <- struct{}{}:
		default:
		}
	}
}

func (w *wheel) remove(k *socket) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.removeLocked(k)
}

func (w *wheel) removeLocked(k *socket) {
	tick := k.tick.Swap(0)
	if tick == 0 {
		return
	}
	slot := tick % wheelSlots
	if k.before != nil {
		k.before.after = k.after
	} else if w.slots[slot] = k.after; k.after == nil {
		w.used[slot/64] &^= 1 << (slot % 64)
	}
	if k.after != nil {
		k.after.before = k.before
	}
	k.before, k.after = nil, nil
}

// take returns the sockets that are due, and when the next ones are; never if there are none.
func (w *wheel) take(list []*socket) ([]*socket, time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	now := int64(w.now() / wheelTick)
	for w.next != 0 && w.next <= now {
		for k := w.slots[w.next%wheelSlots]; k != nil; k = w.slots[w.next%wheelSlots] {
			list = append(list, k)
			w.removeLocked(k)
		}
		w.past = w.next
		w.next = w.nextLocked()
	}
	w.past = max(w.past, now)
	if w.next == 0 {
		return list, never
	}
	return list, time.Duration(w.next) * wheelTick
}

// never is later than anything.
const never = time.Duration(1<<63 - 1)

// nextLocked finds the next tick behind past with something in it, 0 if there is none.
func (w *wheel) nextLocked() int64 {
	from := w.past + 1
	for at := from; at < from+wheelSlots; {
		slot := at % wheelSlots
		if word := w.used[slot/64] >> (slot % 64); word != 0 {
			return at + int64(bits.TrailingZeros64(word))
		}
		at += 64 - slot%64
	}
	return 0
}

// run wakes sockets until quit is closed.
func (w *wheel) run(quit <-chan struct{}) {
	timer := time.NewTimer(never)
	defer timer.Stop()
	var list []*socket
	for {
		var at time.Duration
		list, at = w.take(list[:0])
		for i, k := range list {
			k.wake(nil)
			list[i] = nil
		}
		if len(list) > 0 {
			continue // that took its time
		}
		if at == never {
			timer.Reset(never)
		} else {
			timer.Reset(at - w.now())
		}
		select {
		case <-timer.C:
		case <-w.early:
		case <-quit:
			return
		}
	}
}
