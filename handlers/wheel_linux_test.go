package handlers

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

// TestWheel sets and removes at random, and compares with a list.
func TestWheel(t *testing.T) {
	var now time.Duration
	w := newWheel(func() time.Duration { return now })
	random := rand.New(rand.NewPCG(1, 2))
	sockets := make([]*socket, 200)
	due := map[*socket]time.Duration{}
	for i := range sockets {
		sockets[i] = new(socket)
	}
	for step := range 20_000 {
		k := sockets[random.IntN(len(sockets))]
		switch random.IntN(4) {
		case 0:
			w.remove(k)
			delete(due, k)
		case 1:
			now += time.Duration(random.IntN(int(40 * time.Millisecond)))
			list, next := w.take(nil)
			for _, k := range list {
				at, ok := due[k]
				if !ok || at > now {
					t.Fatalf("step %d: at %v one came that is due at %v (%v)", step, now, at, ok)
				}
				delete(due, k)
			}
			first := never
			for _, at := range due {
				if at+2*wheelTick <= now {
					t.Fatalf("step %d: at %v one due at %v has not come", step, now, at)
				}
				first = min(first, at)
			}
			if first != never && next > first+2*wheelTick {
				t.Fatalf("step %d: the next is due at %v, but %v is waited for", step, first, next)
			}
		default:
			at := now + time.Duration(random.IntN(int(30*time.Second)))
			w.set(k, at)
			due[k] = at
		}
	}
	for i, first := range w.slots {
		n := 0
		for k := first; k != nil; k = k.after {
			n++
		}
		if used := w.used[i/64]>>(i%64)&1 == 1; used != (n > 0) {
			t.Fatalf("slot %d has %d sockets, marked %v", i, n, used)
		}
	}
	now += time.Hour
	if list, next := w.take(nil); len(list) != len(due) || next != never {
		t.Errorf("at the end %d came of %d, then %v", len(list), len(due), next)
	}
}

func TestWheelLooksAgainAtWhatIsFarOff(t *testing.T) {
	var now time.Duration
	w := newWheel(func() time.Duration { return now })
	k := new(socket)
	w.set(k, time.Hour)
	list, next := w.take(nil)
	if len(list) != 0 || next > wheelSlots*wheelTick {
		t.Fatalf("got %d, next %v", len(list), next)
	}
	now = next
	if list, _ := w.take(nil); !slices.Equal(list, []*socket{k}) {
		t.Errorf("got %v", list)
	}
}
