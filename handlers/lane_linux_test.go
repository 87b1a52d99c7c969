package handlers

import (
	"bufio"
	"bytes"
	"context"
	"encoding/base64"
	"fmt"
	"io"
	"log"
	"maps"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"snug/hub"
	"snug/wire"
)

// lending notes which messages a lane posts, as only lanes lend the waker.
type lending struct {
	hub.Hub
	mu    sync.Mutex
	lanes int           // guarded by mu
	pause chan struct{} // nil, or a post waits for it
	begun chan struct{}
}

func (l *lending) Post(room wire.RoomID, s wire.SessionID, p hub.Post) (hub.Posted, error) {
	if p.Lend {
		l.mu.Lock()
		l.lanes++
		l.mu.Unlock()
		if l.pause != nil {
			l.begun <- struct{}{}
			<-l.pause
		}
	}
	return l.Hub.Post(room, s, p)
}

func (l *lending) take() (n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	n, l.lanes = l.lanes, 0
	return n
}

func newLaneRelay(t *testing.T, l *lending) *relay {
	return newRelay(t, func(r *relay) {
		l.Hub = hub.NewMemory(r.limits)
		r.hub = l
	})
}

// wireText is a request as a client writes it.
func wireText(method, target string, body []byte, headers ...string) string {
	head := fmt.Sprintf("%s %s HTTP/1.1\r\nHost: x\r\nUser-Agent: test\r\nContent-Length: %d\r\n", method, target, len(body))
	for _, h := range headers {
		head += h + "\r\n"
	}
	return head + "\r\n" + string(body)
}

func (p *person) message(n byte) (path string, body []byte) {
	return p.path("/messages", "id", wire.MessageID{n, 7}.String()), frame(n)
}

func (r *relay) connect() (net.Conn, *bufio.Reader) {
	r.t.Helper()
	conn, err := net.Dial("tcp", r.web.Listener.Addr().String())
	if err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(func() { conn.Close() })
	if err := conn.SetDeadline(time.Now().Add(patience)); err != nil {
		r.t.Fatal(err)
	}
	return conn, bufio.NewReader(conn)
}

func readAnswer(t *testing.T, in *bufio.Reader) (*http.Response, string) {
	t.Helper()
	resp, err := http.ReadResponse(in, nil)
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp, string(body)
}

// TestLaneAnswersLikeTheRest: nobody can tell from an answer who has given it.
func TestLaneAnswersLikeTheRest(t *testing.T) {
	lent := &lending{}
	r := newLaneRelay(t, lent)
	p := r.room(1).join(1)
	r.room(1).join(2)
	const aside = "Te: trailers" // not for a lane
	for _, name := range []string{"messages", "ack"} {
		conn, in := r.connect()
		var heads []http.Header
		var bodies []string
		for i, more := range [][]string{nil, {aside}} {
			target, body := p.message(byte(i))
			if name == "ack" {
				target, body = p.path("/ack", "through", p.Cursor.String(), "n", "x1"), nil
			}
			if _, err := io.WriteString(conn, wireText("POST", target, body, more...)); err != nil {
				t.Fatal(err)
			}
			resp, text := readAnswer(t, in)
			if _, err := http.ParseTime(resp.Header.Get("Date")); err != nil || resp.StatusCode != http.StatusOK {
				t.Fatalf("%s: got %s, %v", name, resp.Status, err)
			}
			resp.Header.Del("Date")
			heads, bodies = append(heads, resp.Header), append(bodies, text)
		}
		if !maps.EqualFunc(heads[0], heads[1], func(a, b []string) bool { return strings.Join(a, "\n") == strings.Join(b, "\n") }) {
			t.Errorf("%s: a lane answers with %v, net/http with %v", name, heads[0], heads[1])
		}
		if len(bodies[0]) != len(bodies[1]) {
			t.Errorf("%s: a lane answers %s, net/http %s", name, bodies[0], bodies[1])
		}
	}
	if n := lent.take(); n != 1 {
		t.Errorf("the lane has posted %d messages, want 1", n)
	}
	eventually(t, "both are counted", func() bool { return r.metric("snug_requests_total", "/r/:room/messages") == 2 })
}

// TestLaneLeavesTheUnusual: whatever comes, it is answered as without lanes, and the connection goes on.
func TestLaneLeavesTheUnusual(t *testing.T) {
	lent := &lending{}
	r := newLaneRelay(t, lent)
	p := r.room(1).join(1)
	r.room(1).join(2)
	n := byte(10)
	message := func(headers ...string) string {
		n++
		target, body := p.message(n)
		return wireText("POST", target, body, headers...)
	}
	big := func() string {
		n++
		target, _ := p.message(n)
		return wireText("POST", target, sizedFrame(1, 20_000))
	}
	target, body := p.message(1)
	tests := []struct {
		name  string
		parts []string // written one by one
		want  []int
		lanes int  // messages that the lane posts itself
		ends  bool // the connection ends
	}{
		{"a message", []string{message()}, []int{200}, 1, false},
		{"two at once", []string{message() + message()}, []int{200, 200}, 0, false},
		{"head and body apart", strings.SplitAfter(message(), "\r\n\r\n"), []int{200}, 1, false},
		{"a head in two parts", strings.SplitAfterN(message(), "Host", 2), []int{200}, 1, false},
		{"larger than a buffer", []string{big()}, []int{200}, 0, false},
		{"a page between", []string{wireText("GET", "/healthz", nil), message()}, []int{200, 200}, 1, false},
		{"as text", []string{wireText("POST", target, []byte(base64.RawURLEncoding.EncodeToString(body)), "Content-Type: text/plain")}, []int{200}, 0, false},
		{"once more", []string{message(), wireText("POST", target, body)}, []int{200, 200}, 2, false},
		{"another session", []string{wireText("POST", strings.Replace(target, p.Session.String(), wire.SessionID{1}.String(), 1), body), message()}, []int{401, 200}, 2, false},
		{"an old roster", []string{wireText("POST", target2(p)+"&roster=0", body), message()}, []int{409, 200}, 2, false},
		{"a parameter twice", []string{wireText("POST", target+"&n=1&n=2", body), message()}, []int{400, 200}, 1, false},
		{"an escape", []string{wireText("POST", target+"&n=%41", body), message()}, []int{200, 200}, 1, false},
		{"not sealed", []string{wireText("POST", target2(p), []byte("hello")), message()}, []int{400, 200}, 1, false},
		{"an ack of chunks", []string{wireText("POST", p.path("/ack"), []byte(`{"got":[]}`), "Content-Type: application/json"), message()}, []int{400, 200}, 1, false},
		{"chunked", []string{strings.Replace(strings.Replace(message(), "Content-Length: 298\r\n", "Transfer-Encoding: chunked\r\n", 1), "\r\n\r\n", "\r\n\r\n12a\r\n", 1) + "\r\n0\r\n\r\n"}, []int{200}, 0, false},
		{"two lengths", []string{message("Content-Length: 298")}, []int{200}, 0, false},
		{"two different lengths", []string{message("Content-Length: 3")}, []int{400}, 0, true},
		{"the last one", []string{message("Connection: close")}, []int{200}, 0, true},
		{"a line that goes on", []string{message("X: a\r\n b")}, []int{200}, 0, false},
		{"no host", []string{strings.Replace(message(), "Host: x\r\n", "", 1)}, []int{400}, 0, true},
		{"nonsense", []string{"nonsense\r\n\r\n"}, []int{400}, 0, true},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			lent.take()
			conn, in := r.connect()
			answers := 0
			for i, part := range test.parts {
				if _, err := io.WriteString(conn, part); err != nil {
					t.Fatal(err)
				}
				if len(test.parts) == len(test.want) {
					if resp, text := readAnswer(t, in); resp.StatusCode != test.want[i] {
						t.Fatalf("part %d: got %d %s, want %d", i, resp.StatusCode, text, test.want[i])
					}
					answers++
				}
			}
			for ; answers < len(test.want); answers++ {
				if resp, text := readAnswer(t, in); resp.StatusCode != test.want[answers] {
					t.Fatalf("got %d %s, want %d", resp.StatusCode, text, test.want[answers])
				}
			}
			if got := lent.take(); got != test.lanes {
				t.Errorf("the lane has posted %d, want %d", got, test.lanes)
			}
			_, err := io.WriteString(conn, wireText("POST", p.path("/ack", "through", p.Cursor.String()), nil))
			if test.ends {
				if b, _ := io.ReadAll(in); err == nil && len(b) > 0 {
					t.Errorf("the connection goes on with %q", b)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if resp, text := readAnswer(t, in); resp.StatusCode != http.StatusOK {
				t.Errorf("then an ack: got %d %s", resp.StatusCode, text)
			}
		})
	}
}

// target2 is a path for a message that is posted nowhere else.
func target2(p *person) string { return p.path("/messages", "id", wire.MessageID{99, 99}.String()) }

// TestLaneAnswersBeforeItStops: a message that has come is answered though the server shuts down meanwhile, and Wait waits for it.
func TestLaneAnswersBeforeItStops(t *testing.T) {
	lent := &lending{pause: make(chan struct{}), begun: make(chan struct{})}
	r := newLaneRelay(t, lent)
	p := r.room(1).join(1)
	r.room(1).join(2)
	conn, in := r.connect()
	idle, idleIn := r.connect()
	for i, c := range []net.Conn{conn, idle} { // net/http has had both for a while
		if _, err := io.WriteString(c, wireText("GET", "/healthz", nil)); err != nil {
			t.Fatal(err)
		}
		readAnswer(t, []*bufio.Reader{in, idleIn}[i])
	}
	target, body := p.message(1)
	if _, err := io.WriteString(conn, wireText("POST", target, body)); err != nil {
		t.Fatal(err)
	}
	<-lent.begun
	stopped := make(chan error, 1)
	go func() {
		err := r.web.Config.Shutdown(context.Background())
		if err == nil {
			err = r.server.Wait(context.Background())
		}
		stopped <- err
	}()
	if b, err := io.ReadAll(idleIn); err != nil || len(b) > 0 { // it is closed at once
		t.Fatalf("got %q, %v", b, err)
	}
	close(lent.pause)
	if resp, text := readAnswer(t, in); resp.StatusCode != http.StatusOK {
		t.Fatalf("got %d %s", resp.StatusCode, text)
	}
	if b, err := io.ReadAll(in); err != nil || len(b) > 0 {
		t.Fatalf("got %q, %v", b, err)
	}
	if err := <-stopped; err != nil {
		t.Fatal(err)
	}
	r.server.lanes.mu.Lock()
	defer r.server.lanes.mu.Unlock()
	if n := len(r.server.lanes.open); n != 0 {
		t.Errorf("%d lanes are left", n)
	}
}

// TestLaneLetsGoOfStreams: a stream that was taken over is no lane any more.
func TestLaneLetsGoOfStreams(t *testing.T) {
	r := newRelay(t)
	p := r.room(1).join(1)
	conn, in := r.connect()
	fmt.Fprintf(conn, "GET %s HTTP/1.1\r\nHost: x\r\n\r\n", p.path("/stream", "after", p.Cursor.String()))
	if resp, err := http.ReadResponse(in, nil); err != nil || resp.StatusCode != http.StatusOK {
		t.Fatal(resp, err)
	}
	eventually(t, "the lane is gone", func() bool {
		r.server.lanes.mu.Lock()
		defer r.server.lanes.mu.Unlock()
		for k := range r.server.lanes.open {
			if k.RemoteAddr().String() == conn.LocalAddr().String() {
				return false
			}
		}
		return true
	})
}

// FuzzLane: what a lane is sure of, net/http reads the same way.
func FuzzLane(f *testing.F) {
	room := "/r/" + wire.RoomID{1}.String()
	query := "?s=" + wire.SessionID{2}.String()
	f.Add([]byte(wireText("POST", room+"/messages"+query+"&id="+wire.MessageID{3}.String()+"&roster=7&n=a", frame(1), "Content-Type: application/octet-stream")))
	f.Add([]byte(wireText("POST", room+"/ack"+query+"&through="+wire.Cursor{Seq: 5}.String(), nil, "Connection: keep-alive")))
	f.Add([]byte(wireText("GET", "/healthz", nil, "Transfer-Encoding: chunked", "X: a\r\n b")))
	f.Add([]byte("POST / HTTP/1.1\nHost: x\n\n\r\n\r\n"))
	f.Add([]byte(wireText("POST", "/%X0", nil)))
	f.Add([]byte(wireText("POST", room+"/ack?%X0", nil)))
	for _, text := range []string{"GET / HTTP/1.0\n\n", "GET / HTTP/1.0\n\r\n", "GET / HTTP/1.0\r\n\n", "GET / HTTP/1.1\r\nHost: x\n\r\n", "GET / HTTP/1.1\r\nHost: x\r\n\n"} {
		f.Add([]byte(text))
	}
	for _, host := range []string{"a b", `"<>`, "[::1]:8080", "a%b"} {
		f.Add([]byte(strings.Replace(wireText("POST", "/", nil), "Host: x", "Host: "+host, 1)))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		req, size, sure := parseLane(b)
		if !sure {
			return
		}
		if size == 0 { // the lane waits, so there must be something to wait for
			if _, err := http.ReadRequest(bufio.NewReader(bytes.NewReader(b))); err == nil {
				t.Fatalf("%q: net/http has all of the head, and a lane waits for more", b)
			}
			return
		}
		if answer := servedBy(b[:size]); !strings.HasPrefix(answer, "HTTP/1.1 200 ") {
			t.Fatalf("%q: net/http's server says %q", b[:size], answer)
		}
		body := bytes.Repeat([]byte("b"), min(req.length, 1<<16))
		in := bufio.NewReader(io.MultiReader(bytes.NewReader(b[:size]), bytes.NewReader(body), strings.NewReader("rest")))
		theirs, err := http.ReadRequest(in)
		if err != nil {
			t.Fatalf("%q: net/http refuses it: %v", b[:size], err)
		}
		if theirs.ContentLength != int64(req.length) || theirs.Close || len(theirs.TransferEncoding) > 0 || theirs.ProtoMinor != 1 {
			t.Fatalf("%q: a lane reads %d, net/http %d, %v", b[:size], req.length, theirs.ContentLength, theirs.Close)
		}
		if len(body) == req.length {
			io.Copy(io.Discard, theirs.Body)
			if rest, _ := io.ReadAll(in); string(rest) != "rest" {
				t.Fatalf("%q: behind it net/http reads %q", b[:size], rest)
			}
		}
		if req.route == laneOther {
			return
		}
		q, err := parseQuery(theirs.URL.RawQuery)
		want := "/r/" + req.room.String() + map[laneRoute]string{laneMessages: "/messages", laneAck: "/ack"}[req.route]
		if err != nil || theirs.URL.Path != want || theirs.Method != http.MethodPost || q["s"] != req.session.String() {
			t.Fatalf("%q: a lane reads %+v, net/http %s %v %v", b[:size], req, theirs.URL.Path, q, err)
		}
		roster, err := optional(q, "roster", parseRoster)
		switch {
		case req.route == laneMessages && (q["id"] != req.id.String() || err != nil || (roster == nil) != (req.roster == nil) || roster != nil && *roster != *req.roster):
			t.Fatalf("%q: a lane reads %+v", b[:size], req)
		case req.route == laneAck && q["through"] != req.through.String():
			t.Fatalf("%q: a lane reads %+v", b[:size], req)
		}
	})
}

// servedBy is what an http.Server answers, whose checks ReadRequest does not have all, to one who sends b and shuts its side.
func servedBy(b []byte) string {
	conn := &taped{in: bytes.NewReader(b), closed: make(chan struct{})}
	conns := make(chan net.Conn, 1)
	conns <- conn
	ok := http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})
	(&http.Server{Handler: ok, ErrorLog: log.New(io.Discard, "", 0)}).Serve(tapes{conn: conns})
	<-conn.closed
	return conn.out.String()
}

// tapes is a listener that has one connection.
type tapes struct {
	net.Listener
	conn chan net.Conn
}

func (l tapes) Accept() (net.Conn, error) {
	select {
	case c := <-l.conn:
		return c, nil
	default:
		return nil, io.EOF
	}
}

func (tapes) Close() error { return nil }

// taped is a connection of which all is known that comes.
type taped struct {
	net.Conn
	in     *bytes.Reader
	out    bytes.Buffer
	once   sync.Once
	closed chan struct{}
}

func (c *taped) Read(b []byte) (int, error)     { return c.in.Read(b) }
func (c *taped) Write(b []byte) (int, error)    { return c.out.Write(b) }
func (c *taped) Close() error                   { c.once.Do(func() { close(c.closed) }); return nil }
func (*taped) RemoteAddr() net.Addr             { return &net.TCPAddr{} }
func (*taped) LocalAddr() net.Addr              { return &net.TCPAddr{} }
func (*taped) SetDeadline(time.Time) error      { return nil }
func (*taped) SetReadDeadline(time.Time) error  { return nil }
func (*taped) SetWriteDeadline(time.Time) error { return nil }
