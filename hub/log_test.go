package hub

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"testing"

	"snug/wire"
)

// invariants checks what is true of a log between any two operations.
func (l *log) invariants() error {
	var bytes int64
	var messages, dead int
	last := uint64(0)
	for i := range l.entries {
		e := &l.entries[i]
		if e.seq <= last || e.seq > l.head {
			return fmt.Errorf("entry %d has seq %d after %d, head %d", i, e.seq, last, l.head)
		}
		last = e.seq
		switch {
		case e.dead():
			dead++
			if e.live() {
				return fmt.Errorf("seq %d is owed to nobody and holds its event", e.seq)
			}
			continue
		case !e.live() && e.seq > l.horizon:
			return fmt.Errorf("seq %d is lost above the horizon %d", e.seq, l.horizon)
		case e.live() && e.seq <= l.floor:
			return fmt.Errorf("seq %d is live below the floor %d", e.seq, l.floor)
		case e.live() && e.message:
			messages++
		}
		bytes += e.cost()
	}
	if bytes != l.bytes || messages != l.messages || dead != l.dead {
		return fmt.Errorf("bytes %d, messages %d, dead %d; counted %d, %d, %d", l.bytes, l.messages, l.dead, bytes, messages, dead)
	}
	if len(l.entries) > 64 && l.dead > len(l.entries)/2+1 {
		return fmt.Errorf("%d of %d entries are dead and not swept", l.dead, len(l.entries))
	}
	return nil
}

func FuzzLog(f *testing.F) {
	for seed := range uint64(8) {
		steps := make([]byte, 600)
		r := rand.New(rand.NewPCG(seed, 1))
		for i := range steps {
			steps[i] = byte(r.Uint32())
		}
		f.Add(seed, steps)
	}
	f.Fuzz(func(t *testing.T, seed uint64, steps []byte) {
		m := newModel(t, seed)
		for ; len(steps) > 1 && len(m.all) < 2000; steps = steps[2:] {
			m.step(steps[0], steps[1])
		}
		m.drain()
	})
}

// TestPosterBehindHearsOfSweptMessages: a poster that has not acked something older still hears, once it has, that all
// have what it posted since, though the log has forgotten those messages.
func TestPosterBehindHearsOfSweptMessages(t *testing.T) {
	var l log
	one, two := &reader{id: wire.MemberID{1}}, &reader{id: wire.MemberID{2}}
	l.join(one)
	l.join(two)
	l.note(two, wire.Framed("joined"), 0)
	for n := uint64(1); n < 100 || l.dead > 0; n++ {
		var id wire.MessageID
		binary.LittleEndian.PutUint64(id[:], n)
		l.post(one, id, wire.Framed("message"), 0)
		l.ack(two, l.head)
	}
	if one.settled != 0 || len(l.entries) != 1 {
		t.Fatalf("settled %d with %d entries, want none and the one that is owed", one.settled, len(l.entries))
	}
	l.concerned = nil
	one.stirred = false
	l.ack(one, 1)
	if one.settled != l.head || len(l.concerned) != 1 {
		t.Fatalf("settled %d and told %d readers, want %d and one", one.settled, len(l.concerned), l.head)
	}
}
