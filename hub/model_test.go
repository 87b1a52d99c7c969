package hub

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"snug/wire"
)

// modelEntry and model say naively, with sets, what a log has to do.
type modelEntry struct {
	seq     uint64
	from    *reader
	id      wire.MessageID
	event   wire.Framed
	at      time.Duration
	message bool
	lost    bool
	owed    map[*reader]bool
}

type model struct {
	t       *testing.T
	log     log
	readers []*reader
	all     []*modelEntry
	now     time.Duration
	rand    *rand.Rand
	names   byte
}

func (m *model) head() uint64 { return uint64(len(m.all)) }

func (m *model) add(from *reader, message bool) {
	e := &modelEntry{seq: m.head() + 1, from: from, at: m.now, message: message, owed: make(map[*reader]bool)}
	e.event = fmt.Appendf(nil, "event %d%s", e.seq, bytes.Repeat([]byte("x"), m.rand.IntN(50)))
	for _, r := range m.readers {
		if r != from {
			e.owed[r] = true
		}
	}
	m.all = append(m.all, e)
	var seq uint64
	if message {
		e.id = wire.MessageID{byte(e.seq), byte(e.seq >> 8), byte(e.seq >> 16)}
		seq = m.log.post(from, e.id, e.event, m.now)
	} else {
		seq = m.log.note(from, e.event, m.now)
	}
	if seq != e.seq {
		m.t.Fatalf("added as %d, want %d", seq, e.seq)
	}
}

func (m *model) join() {
	m.names++
	r := &reader{id: wire.MemberID{m.names}}
	m.log.join(r)
	m.readers = append(m.readers, r)
	m.add(r, false)
}

func (m *model) leave(r *reader) {
	want := 0
	for _, e := range m.all {
		if e.owed[r] && e.message {
			want++
		}
		delete(e.owed, r)
	}
	if got := m.log.leave(r); got != want {
		m.t.Fatalf("left owing %d messages, want %d", got, want)
	}
	m.readers = slices.DeleteFunc(m.readers, func(x *reader) bool { return x == r })
	if len(m.readers) > 0 && m.rand.IntN(2) == 0 {
		m.add(nil, false)
	}
}

func (m *model) ack(r *reader, seq uint64) {
	for _, e := range m.all {
		if e.seq <= seq {
			delete(e.owed, r)
		}
	}
	m.log.ack(r, seq)
}

func (m *model) expire(ttl time.Duration) {
	for _, e := range m.all {
		if e.at <= m.now-ttl {
			e.lost = true
		}
	}
	m.log.expire(m.now - ttl)
}

// checkRead compares a whole read from pos, in steps of max bytes.
func (m *model) checkRead(r *reader, pos uint64, max int) {
	var lost int
	var gap bool
	var want []wire.Framed
	for _, e := range m.all {
		if e.seq <= pos || !e.owed[r] {
			continue
		}
		if e.lost {
			gap = true
			if e.message {
				lost++
			}
			continue
		}
		want = append(want, e.event)
	}
	got := m.log.read(r, pos, max)
	if got.gap != gap || got.lost != lost {
		m.t.Fatalf("read behind %d: gap %v of %d, want %v of %d", pos, got.gap, got.lost, gap, lost)
	}
	events := got.events
	for got.more {
		at := got.at
		got = m.log.read(r, at, max)
		if got.at <= at || len(got.events) == 0 || got.gap {
			m.t.Fatalf("read behind %d made no progress", at)
		}
		events = append(events, got.events...)
	}
	if got.at != m.head() {
		m.t.Fatalf("read to %d, want %d", got.at, m.head())
	}
	if !slices.EqualFunc(events, want, func(a, b wire.Framed) bool { return bytes.Equal(a, b) }) {
		m.t.Fatalf("read %q, want %q", events, want)
	}
}

// checkPlan lets some be away and does what plan says.
func (m *model) checkPlan(bytes int64, messages int, each int64) {
	var idle []*reader
	for _, r := range m.readers {
		if r.away = m.rand.IntN(2) == 0; r.away {
			idle = append(idle, r)
		}
	}
	slices.SortStableFunc(idle, func(a, b *reader) int { return int(a.acked) - int(b.acked) })
	k, freed, ok := m.log.plan(idle, bytes, messages, each)
	if k > len(idle) || freed < 0 {
		m.t.Fatalf("plan: %d of %d to free %d", k, len(idle), freed)
	}
	n := len(idle)
	if ok {
		n = k
	}
	before, held := m.log.bytes, m.log.messages
	entries := len(m.all)
	for _, r := range idle[:n] {
		m.leave(r)
	}
	for _, e := range m.all[entries:] { // what leaving added is what each stands for
		if len(e.owed) > 0 {
			before += entryCost + int64(len(e.event))
		}
	}
	net, gone := before-m.log.bytes-int64(n)*each, held-m.log.messages
	if enough := net >= bytes && gone >= messages; enough != ok {
		m.t.Fatalf("plan for %d bytes, %d messages of %d readers: %d, %v; that frees %d, %d", bytes, messages, len(idle), k, ok, net, gone)
	}
}

func (m *model) check() {
	m.t.Helper()
	if err := m.log.invariants(); err != nil {
		m.t.Fatal(err)
	}
	if l := &m.log; l.freed+l.expired+uint64(l.messages) != l.total {
		m.t.Fatalf("freed %d, expired %d, held %d of %d", l.freed, l.expired, l.messages, l.total)
	}
	floor, held, bytes := m.head(), 0, int64(0)
	acked := make(map[*reader]uint64)
	for _, e := range m.all {
		live := len(e.owed) > 0 && !e.lost
		if live && floor == m.head() {
			floor = min(floor, e.seq-1)
		}
		if live && e.message {
			held++
		}
		if live {
			bytes += int64(len(e.event))
		}
		if len(e.owed) > 0 {
			bytes += entryCost
		}
		for r := range e.owed {
			if _, ok := acked[r]; !ok {
				acked[r] = e.seq - 1
			}
		}
	}
	if m.log.floor != floor || m.log.messages != held || m.log.bytes != bytes {
		m.t.Fatalf("floor %d, held %d, bytes %d, want %d, %d, %d", m.log.floor, m.log.messages, m.log.bytes, floor, held, bytes)
	}
	for _, r := range m.readers {
		want, ok := acked[r]
		if !ok {
			want = m.head()
		}
		if r.acked != want {
			m.t.Fatalf("acked %d, want %d", r.acked, want)
		}
		m.checkOwn(r, floor)
	}
}

// checkOwn compares what a poster is told of its own messages, and which of them would be recognised.
func (m *model) checkOwn(r *reader, floor uint64) {
	var settled uint64
	var expired []uint64
	for _, e := range m.all {
		if e.from != r || !e.message {
			continue
		}
		if e.seq <= floor {
			settled = e.seq
		}
		if e.lost && slices.Contains(r.expired, e.seq) {
			expired = append(expired, e.seq)
		}
		if seq, ok := m.log.ids.seq(r.id, e.id); ok && seq != e.seq {
			m.t.Fatalf("id of %d is known as that of %d", e.seq, seq)
		} else if !ok && len(e.owed) > 0 && !e.lost {
			m.t.Fatalf("id of %d, which is held, is not known", e.seq)
		}
	}
	if r.settled > settled || r.acked == m.head() && r.settled != settled {
		m.t.Fatalf("settled %d, want %d", r.settled, settled)
	}
	if !slices.Equal(expired, r.expired) {
		m.t.Fatalf("expired %v, want %v", r.expired, expired)
	}
}

// step does one operation chosen by two bytes.
func (m *model) step(op, arg byte) {
	var r *reader
	if n := len(m.readers); n > 0 {
		r = m.readers[int(arg)%n]
	}
	switch op := op % 16; {
	case r == nil || op == 0 && len(m.readers) < 10:
		m.join()
	case op == 1:
		m.leave(r)
	case op == 2:
		m.add(&m.log.shell, true)
	case op == 3:
		m.add(r, false)
	case op == 4:
		m.now += time.Duration(arg)
		m.expire(200)
	case op == 5:
		m.checkPlan(int64(arg)*20+1, int(arg)%7, int64(arg%3)*100)
	case op < 9:
		m.now += time.Duration(arg % 5)
		m.add(r, true)
	case op < 12:
		m.ack(r, r.acked+uint64(m.rand.IntN(int(m.head()-r.acked)+1)))
	case op == 12:
		m.ack(r, m.head())
	default:
		m.checkRead(r, r.acked+uint64(m.rand.IntN(int(m.head()-r.acked)+1)), int(arg))
	}
	m.check()
}

// drain lets everybody leave and expects nothing to be left.
func (m *model) drain() {
	for len(m.readers) > 0 {
		m.leave(m.readers[0])
		m.check()
	}
	m.log.ids.forget(&m.log.shell)
	if l := &m.log; l.bytes != 0 || l.ids.bytes != 0 || l.messages != 0 || len(l.ids.seqs) != 0 {
		m.t.Fatalf("left: bytes %d, ids %d (%d bytes), messages %d", l.bytes, len(l.ids.seqs), l.ids.bytes, l.messages)
	}
}

func newModel(t *testing.T, seed uint64) *model {
	return &model{t: t, rand: rand.New(rand.NewPCG(seed, 0))}
}
