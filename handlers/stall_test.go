package handlers

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"snug/wire"
)

// narrow gives the next connection after it is armed the smallest send buffer, so that it is full as soon as its reader stops.
type narrow struct {
	net.Listener
	armed  *atomic.Bool
	narrow chan *held
}

func (n narrow) Accept() (net.Conn, error) {
	conn, err := n.Listener.Accept()
	if err != nil || !n.armed.CompareAndSwap(true, false) {
		return conn, err
	}
	h := &held{Conn: conn, closed: make(chan struct{})}
	n.narrow <- h
	return h, conn.(*net.TCPConn).SetWriteBuffer(4 << 10)
}

// held is a connection whose write deadlines wait for release, so that a slow machine does not decide the test.
type held struct {
	net.Conn
	closed chan struct{}
	once   sync.Once

	mu       sync.Mutex
	released bool
	deadline time.Time
}

func (h *held) SetWriteDeadline(t time.Time) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.deadline = t
	if !h.released {
		t = time.Time{}
	}
	return h.Conn.SetWriteDeadline(t)
}

// release lets the deadline count that is set, and be now. There must be one.
func (h *held) release() error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.deadline.IsZero() {
		return errors.New("no write is under a deadline")
	}
	h.released = true
	return h.Conn.SetWriteDeadline(time.Now())
}

func (h *held) Close() error {
	h.once.Do(func() { close(h.closed) })
	return h.Conn.Close()
}

// TestStalledReaderHurtsOnlyItself: of 100 members one stops reading. The others have everything while a write to it hangs;
// at the deadline of the write its stream is closed, and it reads on from its cursor with nothing lost and nothing twice.
func TestStalledReaderHurtsOnlyItself(t *testing.T) {
	t.Run("plain", func(t *testing.T) { testStalledReaderHurtsOnlyItself(t, SinkAuto) })
	t.Run("tls", func(t *testing.T) { testStalledReaderHurtsOnlyItself(t, overTLS) })
}

func testStalledReaderHurtsOnlyItself(t *testing.T, sink Sink) {
	const members, messages, size = 100, 40, 4 << 10 // more than narrow socket buffers can hide
	var armed atomic.Bool
	conns := make(chan *held, 1)
	r := newRelay(t, written(sink), func(r *relay) {
		r.web.Listener = narrow{r.web.Listener, &armed, conns}
	})
	room := r.room(1)
	people := make([]*person, members)
	for n := range people {
		people[n] = room.join(n)
	}
	start := people[members-1].Cursor
	sender, stalled := people[0], people[1]

	armed.Store(true)
	conn := r.dial("GET " + stalled.path("/stream", "after", start.String()) + " HTTP/1.1\r\nHost: x\r\n\r\n")
	raw := conn
	if secure, ok := conn.(*tls.Conn); ok {
		raw = secure.NetConn()
	}
	if err := raw.(*net.TCPConn).SetReadBuffer(4 << 10); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the stalled stream is open", func() bool { return r.metric("snug_readers", kindStream) == 1 })

	var others sync.WaitGroup
	for _, p := range people[2:] {
		body := p.openRaw("after", start.String())
		others.Go(func() {
			if got, err := readMessages(body, messages); err != nil || len(got) != messages {
				t.Errorf("got %d messages, %v", len(got), err)
			}
		})
	}
	sent := map[wire.MessageID]int{}
	for n := range messages {
		sent[sender.post(sizedFrame(byte(n), size)).ID]++
	}
	others.Wait()
	if n := r.metric("snug_streams_ended_total", endStalled); n != 0 {
		t.Error("the stalled stream was closed before the others had everything")
	}
	held := <-conns
	if err := held.release(); err != nil {
		t.Fatal(err)
	}
	select {
	case <-held.closed:
	case <-time.After(patience):
		t.Fatal("the stalled stream stays open")
	}
	eventually(t, "one stream ended as stalled", func() bool { return r.metric("snug_streams_ended_total", endStalled) == 1 })

	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	got, err := readMessages(resp.Body, messages)
	if err == nil || len(got) >= messages {
		t.Fatalf("got %d messages and %v from a stream that was cut", len(got), err)
	}
	cursor := start
	if len(got) > 0 {
		cursor = got[len(got)-1].at
	}
	rest, err := readMessages(stalled.openRaw("after", cursor.String()), messages-len(got))
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range append(got, rest...) {
		sent[m.id]--
	}
	for id, n := range sent {
		if n != 0 {
			t.Errorf("message %v: %+d", id, -n)
		}
	}
}

// received is a message as a reader has it.
type received struct {
	id wire.MessageID
	at wire.Cursor
}

// readMessages reads whole messages from a stream until it has n or the stream ends.
func readMessages(body io.Reader, n int) (got []received, err error) {
	lines := bufio.NewReaderSize(body, 64<<10)
	var id wire.MessageID
	for len(got) < n {
		line, err := lines.ReadBytes('\n')
		if err != nil {
			return got, err
		}
		if data, ok := bytes.CutPrefix(line, []byte(`data: {"from":"`)); ok {
			id, err = wire.ParseMessageID(string(data[len(`AAAAAAAAAAAAAAAAAAAAAA","id":"`):][:22]))
		}
		if at, ok := bytes.CutPrefix(line, []byte("id: ")); ok && err == nil {
			var m received
			m.id = id
			m.at, err = wire.ParseCursor(string(bytes.TrimSpace(at)))
			got = append(got, m)
		}
		if err != nil {
			return got, err
		}
	}
	return got, nil
}
