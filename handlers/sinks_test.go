package handlers

import (
	"bufio"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"snug/wire"
)

// overTLS stands for SinkAuto on HTTP/1.1 over TLS, where a goroutine writes.
const overTLS Sink = 255

// onBothSinks runs a test with each way of writing streams, that of a goroutine plain and over TLS; where there are no sockets,
// with what works everywhere.
func onBothSinks(t *testing.T, test func(*testing.T, Sink)) {
	t.Run("goroutine", func(t *testing.T) { test(t, SinkGoroutine) })
	t.Run("tls", func(t *testing.T) { test(t, overTLS) })
	if socketsWork {
		t.Run("socket", func(t *testing.T) { test(t, SinkSocket) })
	}
}

// written has a relay write its streams in this way.
func written(sink Sink) func(*relay) {
	return func(r *relay) {
		if r.secure = sink == overTLS; !r.secure {
			r.conf.Streams.Sink = sink
		}
	}
}

// TestSinksSendTheSameHead: where the connection ends with the stream anyway, not a byte differs.
func TestSinksSendTheSameHead(t *testing.T) {
	for _, request := range []string{" HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", " HTTP/1.0\r\n\r\n"} {
		var heads []string
		onBothSinks(t, func(t *testing.T, sink Sink) {
			r := newRelay(t, written(sink))
			p := r.room(1).join(1)
			in := bufio.NewReader(r.dial("GET " + p.path("/stream", "after", p.Cursor.String()) + request))
			var head strings.Builder
			for line := ""; line != "\r\n"; {
				var err error
				if line, err = in.ReadString('\n'); err != nil {
					t.Fatal(err)
				}
				if !strings.HasPrefix(line, "Date: ") {
					head.WriteString(line)
				}
			}
			heads = append(heads, head.String())
		})
		if heads = slices.Compact(heads); len(heads) != 1 {
			t.Errorf("got %q", heads)
		}
	}
}

// TestStalledReaderOnThisMachine: to a proxy beside it the kernel would take some MiB for a reader that has stopped, before a write waits.
func TestStalledReaderOnThisMachine(t *testing.T) { onBothSinks(t, testStalledReaderOnThisMachine) }

func testStalledReaderOnThisMachine(t *testing.T, sink Sink) {
	if !socketsWork {
		t.Skip("the kernel's buffer is bounded on Linux only")
	}
	r := newRelay(t, written(sink), func(r *relay) { r.conf.Streams.Write = time.Second })
	room := r.room(1)
	sender, stalled := room.join(1), room.join(2)
	conn := r.dial("GET " + stalled.path("/stream", "after", stalled.Cursor.String()) + " HTTP/1.1\r\nHost: x\r\n\r\n")
	if secure, ok := conn.(*tls.Conn); ok {
		conn = secure.NetConn()
	}
	if err := conn.(*net.TCPConn).SetReadBuffer(4 << 10); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the stream is open", func() bool { return r.metric("snug_readers", kindStream) == 1 })
	for n := range 8 { // 1 MiB
		sender.post(sizedFrame(byte(n), 128<<10))
	}
	eventually(t, "the stalled stream has ended", func() bool { return r.metric("snug_streams_ended_total", endStalled) == 1 })
}

func TestHeartbeatsAndPlannedEnd(t *testing.T) { onBothSinks(t, testHeartbeatsAndPlannedEnd) }

func testHeartbeatsAndPlannedEnd(t *testing.T, sink Sink) {
	r := newRelay(t, written(sink), func(r *relay) {
		r.conf.Streams.Heartbeat, r.conf.Streams.Life = 50*time.Millisecond, 400*time.Millisecond
	})
	p := r.room(1).join(1)
	start := time.Now()
	rest, err := io.ReadAll(p.openRaw("after", p.Cursor.String()))
	if took := time.Since(start); err != nil || took < 400*time.Millisecond {
		t.Errorf("ended after %v with %v", took, err)
	}
	beats := strings.Count(string(rest), "event: hb\n")
	if !strings.HasSuffix(string(rest), "event: bye\ndata: {\"why\":\"life\",\"in\":0}\n\n") || beats < 1 || beats > 8 {
		t.Errorf("got %d heartbeats in %q", beats, rest)
	}
	eventually(t, "it is counted", func() bool { return r.metric("snug_streams_ended_total", wire.ByeLife) == 1 })
}

// TestNearIsTold: a stream says at once that the room is near its budget, and with a heartbeat that it is not any more.
func TestNearIsTold(t *testing.T) { onBothSinks(t, testNearIsTold) }

func testNearIsTold(t *testing.T, sink Sink) {
	fill := func(beat time.Duration) (*listener, *person, wire.Cursor) {
		r := newRelay(t, written(sink), func(r *relay) { r.limits.RoomMessages, r.conf.Streams.Heartbeat = 8, beat })
		room := r.room(1)
		a, b := room.join(1), room.join(2)
		s := a.listen(b.Cursor)
		if hello := parse[wire.Hello](t, s.next(wire.EventHello).Data); hello.Limits.Near {
			t.Errorf("got hello %+v of an empty room", hello)
		}
		var last wire.Posted
		for n := range 7 {
			last = b.post(frame(byte(n)))
		}
		return s, a, last.Cursor
	}

	s, _, _ := fill(time.Hour)
	if hb := parse[wire.HB](t, s.skip(wire.EventHB).Data); !hb.Near {
		t.Errorf("long before the next heartbeat: got %+v", hb)
	}
	s, a, last := fill(100 * time.Millisecond)
	for near := false; !near; {
		near = parse[wire.HB](t, s.skip(wire.EventHB).Data).Near
	}
	a.ack(last)
	for near := true; near; {
		near = parse[wire.HB](t, s.skip(wire.EventHB).Data).Near
	}
}

func TestHangUpIsSeen(t *testing.T) { onBothSinks(t, testHangUpIsSeen) }

// closer is a *net.TCPConn or a *tls.Conn.
type closer interface {
	net.Conn
	CloseWrite() error
}

func testHangUpIsSeen(t *testing.T, sink Sink) {
	r := newRelay(t, written(sink))
	p := r.room(1).join(1)
	ways := map[string]func(closer) error{"close": closer.Close, "half": closer.CloseWrite}
	if sink != SinkGoroutine { // a lane does not look behind data
		ways["with data"] = func(c closer) error { io.WriteString(c, "what is this"); return c.Close() }
	}
	for name, hangUp := range ways {
		conn := r.dial("GET " + p.path("/stream", "after", p.Cursor.String()) + " HTTP/1.1\r\nHost: x\r\n\r\n").(closer)
		resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err != nil {
			t.Fatal(err)
		}
		afterHello(t, resp.Body)
		if err := hangUp(conn); err != nil {
			t.Fatal(err)
		}
		eventually(t, name+": the stream has ended", func() bool { return r.metric("snug_readers", "")+r.metric("snug_subscriptions", "") == 0 })
	}
	eventually(t, "they have ended as gone", func() bool { return r.metric("snug_streams_ended_total", endGone) == float64(len(ways)) })
	eventually(t, "each is logged and counted", func() bool {
		return strings.Count(r.log.String(), `"route":"/r/:room/stream","method":"GET","status":200`) == len(ways) &&
			r.metric("snug_requests_total", "/r/:room/stream") == float64(len(ways))
	})
}

// TestPipelinedRequestIsRefused: what follows a stream on a connection that was taken over would never be answered.
func TestPipelinedRequestIsRefused(t *testing.T) { onBothSinks(t, testPipelinedRequestIsRefused) }

func testPipelinedRequestIsRefused(t *testing.T, sink Sink) {
	r := newRelay(t, written(sink))
	p := r.room(1).join(1)
	conn := r.dial("GET " + p.path("/stream", "after", p.Cursor.String()) + " HTTP/1.1\r\nHost: x\r\n\r\nGET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != 400 || !resp.Close || parse[wire.Error](t, body).Code != wire.CodeBadRequest {
		t.Errorf("got %d %s, %v", resp.StatusCode, body, err)
	}
	if n := r.metric("snug_subscriptions", "") + r.metric("snug_readers", ""); n != 0 {
		t.Errorf("%v subscriptions are left", n)
	}
}

// small gives the next connection after it is armed the smallest send buffer.
type small struct {
	net.Listener
	armed *atomic.Bool
}

func (n small) Accept() (net.Conn, error) {
	conn, err := n.Listener.Accept()
	if err == nil && n.armed.CompareAndSwap(true, false) {
		err = conn.(*net.TCPConn).SetWriteBuffer(4 << 10)
	}
	return conn, err
}

// TestStalledSocketHurtsOnlyItself is TestStalledReaderHurtsOnlyItself for sockets, with two deadlines in real time: one
// who reads slowly gets everything, one who reads nothing is let go and resumes.
func TestStalledSocketHurtsOnlyItself(t *testing.T) {
	if !socketsWork {
		t.Skip("there are no sockets here")
	}
	const members, messages, size = 40, 24, 8 << 10 // more would take the slow one, whose windows the kernel opens every quarter of a second, all of patience
	var armed atomic.Bool
	r := newRelay(t, written(SinkSocket), func(r *relay) {
		r.web.Listener = small{r.web.Listener, &armed}
		r.conf.Streams.Write = 3 * time.Second
	})
	room := r.room(1)
	people := make([]*person, members)
	for n := range people {
		people[n] = room.join(n)
	}
	start := people[members-1].Cursor
	open := func(p *person) *net.TCPConn {
		t.Helper()
		before := r.metric("snug_readers", kindStream)
		armed.Store(true)
		conn := r.dial("GET " + p.path("/stream", "after", start.String()) + " HTTP/1.1\r\nHost: x\r\n\r\n").(*net.TCPConn)
		if err := conn.SetReadBuffer(4 << 10); err != nil {
			t.Fatal(err)
		}
		eventually(t, "the stream is open", func() bool { return r.metric("snug_readers", kindStream) == before+1 })
		return conn
	}
	sender, stalled, slow := people[0], people[1], people[2]
	stalledConn, slowConn := open(stalled), open(slow)
	var others sync.WaitGroup
	read := func(body io.Reader) {
		if got, err := readMessages(body, messages); err != nil || len(got) != messages {
			t.Errorf("got %d messages, %v", len(got), err)
		}
	}
	for _, p := range people[3:] {
		body := p.openRaw("after", start.String())
		others.Go(func() { read(body) })
	}
	others.Go(func() {
		resp, err := http.ReadResponse(bufio.NewReader(slowConn), nil)
		if err != nil {
			t.Error(err)
			return
		}
		read(slowly{resp.Body})
	})
	for n := range messages {
		sender.post(sizedFrame(byte(n), size))
	}
	others.Wait()
	eventually(t, "the stalled stream has ended", func() bool { return r.metric("snug_streams_ended_total", endStalled) == 1 })
	resp, err := http.ReadResponse(bufio.NewReader(stalledConn), nil)
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
	if err != nil || len(rest)+len(got) != messages {
		t.Fatalf("got %d and then %d, %v", len(got), len(rest), err)
	}
}

// slowly reads little at a time, with pauses much shorter than the deadline.
type slowly struct{ io.Reader }

func (s slowly) Read(b []byte) (int, error) {
	time.Sleep(10 * time.Millisecond)
	return s.Reader.Read(b[:min(len(b), 8<<10)])
}

// TestManyReadersOfOneRoom: more than one pump.
func TestManyReadersOfOneRoom(t *testing.T) {
	const members = twoPumpsTest
	r := newRelay(t, func(r *relay) { r.limits.RoomMembers = members + 1 })
	room := r.room(1)
	sender := room.join(0)
	var all sync.WaitGroup
	for n := range members {
		p := room.join(n + 1)
		body := p.openRaw("after", p.Cursor.String())
		all.Go(func() {
			if got, err := readMessages(body, 3); err != nil || len(got) != 3 {
				t.Errorf("got %d messages, %v", len(got), err)
			}
		})
	}
	for n := range 3 {
		sender.post(frame(byte(n)))
	}
	all.Wait()
}

const twoPumpsTest = 520 // of which a second pump serves half
