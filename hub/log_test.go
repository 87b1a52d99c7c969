package hub

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"slices"
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
	for _, held := range l.latest.events {
		if !slices.ContainsFunc(l.entries, func(e entry) bool { return e.live() && &e.event[0] == &held[0] }) {
			return fmt.Errorf("%q is freed, and what was read last holds it", held)
		}
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
	for seed := range uint64(16) {
		steps := make([]byte, 1000)
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

func TestPlan(t *testing.T) {
	const cost = entryCost + 4
	tests := []struct {
		name     string
		away     string // in the order of their names, all with nothing acked
		posters  string // one message of each
		bytes    int64
		messages int
		want     int
		ok       bool
	}{
		{"nobody is away", "", "ab", 1, 1, 0, false},
		{"one that is here waits too", "b", "a", 1, 1, 0, false},
		{"all that wait are away", "bc", "aa", 1, 1, 2, true},
		{"a poster that is away does not wait for its own", "ac", "b", 1, 1, 2, true},
		{"and is not let go for it", "bc", "c", 1, 1, 0, false},
		{"both that wait", "ab", "c", 2 * cost, 0, 2, false},
		{"by messages", "bc", "aaa", 0, 3, 2, true},
		{"by more messages than there are", "bc", "aaa", 0, 4, 2, false},
		{"by bytes", "bc", "aaa", 3 * cost, 0, 2, true},
		{"by more bytes than there are", "bc", "aaa", 3*cost + 1, 0, 2, false},
		{"all, the poster first", "abc", "a", 1, 1, 3, true},
		{"all, the poster last", "bca", "a", 1, 1, 2, true},
		{"a poster and one of two others", "ab", "a", 1, 1, 1, false},
	}
	for _, x := range tests {
		t.Run(x.name, func(t *testing.T) {
			var l log
			all := make(map[rune]*reader)
			for _, name := range "abc" {
				all[name] = &reader{id: wire.MemberID{byte(name)}}
				l.join(all[name])
			}
			l.note(nil, wire.Framed("kept"), 0)
			for _, name := range "abc" {
				l.ack(all[name], 1)
			}
			l.note(nil, wire.Framed("kept"), 0) // so that what is posted is behind something owed
			for i, name := range x.posters {
				l.post(all[name], wire.MessageID{byte(i)}, wire.Framed("text"), 0)
			}
			var idle []*reader
			for _, name := range x.away {
				all[name].away = true
				idle = append(idle, all[name])
			}
			k, _, ok := l.plan(idle, x.bytes, x.messages, 0)
			if ok != x.ok || ok && k != x.want {
				t.Errorf("plan %d, %v; want %d, %v", k, ok, x.want, x.ok)
			}
		})
	}
}
