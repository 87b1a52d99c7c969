package handlers

import (
	"bufio"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"testing"
	"time"

	"snug/wire"
)

func TestStreamAsR3labsReadsIt(t *testing.T) { onBothSinks(t, testStreamAsR3labsReadsIt) }

func testStreamAsR3labsReadsIt(t *testing.T, sink Sink) {
	r := newRelay(t, written(sink))
	room := r.room(1)
	a, b := room.join(1), room.join(2)
	s := a.listen(a.Cursor)

	hello := parse[wire.Hello](t, s.next(wire.EventHello).Data)
	if hello.Cursor != a.Cursor || hello.HB != 10 || hello.Life != 280 || hello.Limits.Message != r.conf.Limits.Message {
		t.Errorf("got hello %+v", hello)
	}
	joined := s.next(wire.EventJoined)
	if m := parse[wire.Member](t, joined.Data); m.ID != b.member || string(m.Card) != string(frame(2)) {
		t.Errorf("got joined %+v", m)
	}
	posted := b.post(sizedFrame(7, 1000))
	got := s.next(wire.EventMsg)
	msg := parse[wire.Msg](t, got.Data)
	if *msg.From != b.member || msg.ID != posted.ID || string(msg.Body) != string(sizedFrame(7, 1000)) {
		t.Errorf("got msg %+v", msg)
	}
	if c := cursorOf(t, got); c != posted.Cursor {
		t.Errorf("got id %v, want %v", c, posted.Cursor)
	}

	own := b.listen(posted.Cursor)
	own.next(wire.EventHello)
	a.ack(posted.Cursor)
	if acked := parse[wire.Acked](t, own.next(wire.EventAcked).Data); acked.Through != posted.Cursor {
		t.Errorf("got acked %+v, want %v", acked, posted.Cursor)
	}
	a.post(frame(9))
	own.next(wire.EventMsg)
	call[wire.OK](r, "POST", b.path("/leave"), "", nil)
	if left := parse[wire.Left](t, s.skip(wire.EventLeft).Data); left.ID != b.member || left.Why != wire.ReasonLeave {
		t.Errorf("got left %+v", left)
	}
	if bye := parse[wire.Bye](t, own.next(wire.EventBye).Data); bye.Why != wire.ByeSession {
		t.Errorf("got bye %+v, want %v", bye, wire.ByeSession)
	}
}

func TestStreamHeaders(t *testing.T) { onBothSinks(t, testStreamHeaders) }

func testStreamHeaders(t *testing.T, sink Sink) {
	r := newRelay(t, written(sink))
	p := r.room(1).join(1)
	for as, kind := range map[string]string{"": "text/event-stream", "event-stream": "text/event-stream", "octet-stream": "application/octet-stream"} {
		req, _ := http.NewRequest("GET", r.web.URL+p.path("/stream", "after", p.Cursor.String(), "as", as), nil)
		req.Header.Set("Accept-Encoding", "gzip, br")
		resp, err := r.web.Client().Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		for name, want := range map[string]string{
			"Content-Type": kind, "Cache-Control": "no-cache, no-store, no-transform", "X-Accel-Buffering": "no",
			"X-Content-Type-Options": "nosniff", "Content-Encoding": "", "Content-Length": "",
		} {
			if got := resp.Header.Get(name); got != want {
				t.Errorf("as=%s: %s: got %q, want %q", as, name, got, want)
			}
		}
		lines := bufio.NewReader(resp.Body)
		first, _ := lines.ReadString('\n')
		retry, _ := lines.ReadString('\n')
		hello, _ := lines.ReadString('\n')
		if len(first) != 2048 || first[0] != ':' || retry != "retry: 1000\n" || hello != "event: hello\n" {
			t.Errorf("as=%s: starts with %d bytes, %q, %q", as, len(first), retry, hello)
		}
	}
	if resp, _ := r.do("HEAD", p.path("/stream", "after", p.Cursor.String()), "", nil); resp.StatusCode != 405 || resp.Header.Get("Allow") != "GET" {
		t.Errorf("HEAD: got %d, Allow %q", resp.StatusCode, resp.Header.Get("Allow"))
	}
}

func TestStreamIsReplacedByANewerOne(t *testing.T) { onBothSinks(t, testStreamIsReplacedByANewerOne) }

func testStreamIsReplacedByANewerOne(t *testing.T, sink Sink) {
	p := newRelay(t, written(sink)).room(1).join(1)
	old := p.listen(p.Cursor)
	old.next(wire.EventHello)
	young := p.listen(p.Cursor)
	young.next(wire.EventHello)
	if bye := parse[wire.Bye](t, old.next(wire.EventBye).Data); bye.Why != wire.ByeReplaced {
		t.Errorf("got bye %+v", bye)
	}
	again := p.join(1)
	if bye := parse[wire.Bye](t, young.next(wire.EventBye).Data); bye.Why != wire.ByeSession {
		t.Errorf("after a new join: got bye %+v", bye)
	}
	again.listen(again.Cursor).next(wire.EventHello)
}

func TestBatch(t *testing.T) { onBothSinks(t, testBatch) }

func testBatch(t *testing.T, sink Sink) {
	r := newRelay(t, written(sink))
	room := r.room(1)
	a, b := room.join(1), room.join(2)
	read := func(p *person, after wire.Cursor, hold string) string {
		t.Helper()
		resp, body := r.do("GET", p.path("/stream", "after", after.String(), "mode", "batch", "hold", hold), "", nil)
		if resp.StatusCode != 200 || resp.Header.Get("Content-Type") != "text/event-stream" {
			t.Fatalf("got %d %v", resp.StatusCode, resp.Header)
		}
		return string(body)
	}
	if got := read(a, a.Cursor, "25"); !strings.HasPrefix(got, "event: hello\n") || !strings.Contains(got, "event: joined\n") {
		t.Errorf("pending events: got %q", got)
	}
	if got := read(a, b.Cursor, "0"); strings.Count(got, "event:") != 1 {
		t.Errorf("hold 0: got %q", got)
	}
	waiting := make(chan string, 1)
	held := a.openRaw("mode", "batch", "after", b.Cursor.String())
	go func() {
		rest, _ := io.ReadAll(held)
		waiting <- string(rest)
	}()
	posted := b.post(frame(3))
	if got := <-waiting; !strings.Contains(got, "id: "+posted.Cursor.String()+"\n\n") || strings.Contains(got, "bye") {
		t.Errorf("after a post: got %q", got)
	}
}

// openRaw opens a stream and returns its body behind the hello.
func (p *person) openRaw(query ...string) io.Reader {
	p.t.Helper()
	resp, err := p.web.Client().Get(p.web.URL + p.path("/stream", query...))
	if err != nil {
		p.t.Fatal(err)
	}
	p.t.Cleanup(func() { resp.Body.Close() })
	return afterHello(p.t, resp.Body)
}

func afterHello(t *testing.T, body io.Reader) io.Reader {
	t.Helper()
	lines := bufio.NewReader(body)
	for {
		line, err := lines.ReadString('\n')
		if err != nil {
			t.Fatal(err)
		}
		if strings.HasPrefix(line, "data: ") {
			return lines
		}
	}
}

func TestDrain(t *testing.T) { onBothSinks(t, testDrain) }

func testDrain(t *testing.T, sink Sink) {
	r := newRelay(t, written(sink), func(r *relay) { r.conf.Streams.Spread = time.Minute })
	room := r.room(1)
	a, b := room.join(1), room.join(2)
	s := a.listen(b.Cursor)
	s.next(wire.EventHello)
	polled := make(chan wire.Polled, 1)
	go func() { polled <- b.poll(b.Cursor, 25) }()
	eventually(t, "the poll waits", func() bool { return r.metric("snug_readers", kindPoll) == 1 })

	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := r.web.Config.Shutdown(ctx); err != nil {
		t.Errorf("Shutdown waited for a stream: %v", err)
	}
	if err := r.server.Wait(ctx); err != nil {
		t.Errorf("Wait: %v", err)
	}
	if got := r.metric("snug_readers", ""); got != 0 {
		t.Errorf("%v readers after Shutdown and Wait", got)
	}
	if bye := parse[wire.Bye](t, s.next(wire.EventBye).Data); bye.Why != wire.ByeShutdown || bye.In < 0 || bye.In >= 60_000 {
		t.Errorf("got bye %+v", bye)
	}
	if p := <-polled; len(p.Events) != 0 || p.Cursor != b.Cursor {
		t.Errorf("got poll %+v", p)
	}
	for _, target := range []string{"GET /readyz", "GET " + a.path("/stream", "after", a.Cursor.String()), "POST " + a.path("/poll", "after", a.Cursor.String())} {
		method, path, _ := strings.Cut(target, " ")
		w := httptest.NewRecorder()
		r.server.ServeHTTP(w, httptest.NewRequest(method, path, nil))
		if e := parse[wire.Error](t, w.Body.Bytes()); w.Code != 503 || e.Code != wire.CodeShuttingDown || w.Header().Get("Retry-After") == "" {
			t.Errorf("%s while draining: got %d %+v", target, w.Code, e)
		}
	}
}

func TestNothingStaysBehind(t *testing.T) { onBothSinks(t, testNothingStaysBehind) }

func testNothingStaysBehind(t *testing.T, sink Sink) {
	r := newRelay(t, written(sink))
	before := runtime.NumGoroutine()
	room := r.room(1)
	var people []*person
	var streams []*listener
	for n := range 30 {
		p := room.join(n)
		s := p.listen(p.Cursor)
		s.next(wire.EventHello)
		people, streams = append(people, p), append(streams, s)
	}
	for i, p := range people {
		if i%2 == 0 { // half say so, half hang up
			call[wire.OK](r, "POST", p.path("/leave"), "", nil)
			streams[i].skip(wire.EventBye)
		} else {
			streams[i].cancel()
		}
	}
	eventually(t, "no stream is open", func() bool { return r.metric("snug_readers", "")+r.metric("snug_subscriptions", "") == 0 })
	r.web.CloseClientConnections()
	eventually(t, "no goroutine is left", func() bool { return runtime.NumGoroutine() <= before })
	if got := r.metric("snug_members", ""); got != 15 {
		t.Errorf("got %v members, want those who hung up: 15", got)
	}
}
