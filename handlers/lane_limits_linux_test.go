package handlers

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"
)

// dribble writes a text byte by byte, waiting for an answer after each, and returns all that comes once something has.
func dribble(t *testing.T, conn net.Conn, in *bufio.Reader, text string) (answer string, sent int) {
	t.Helper()
	for ; sent < len(text); sent++ {
		if _, err := io.WriteString(conn, text[sent:sent+1]); err != nil {
			return "", sent
		}
		if err := conn.SetReadDeadline(time.Now().Add(5 * time.Millisecond)); err != nil {
			t.Fatal(err)
		}
		if _, err := in.Peek(1); err == nil || !errors.Is(err, os.ErrDeadlineExceeded) {
			break
		}
	}
	if err := conn.SetReadDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	b, err := io.ReadAll(in)
	if errors.Is(err, os.ErrDeadlineExceeded) { // a reset is an end too: the last byte may cross the answer
		t.Fatal(err)
	}
	return string(b), sent
}

// TestLaneCutsADribble: who sends a byte now and then has the time for a head, or a body, all the same; and no more.
func TestLaneCutsADribble(t *testing.T) {
	r := newRelay(t, func(r *relay) { r.conf.BodyTimeout, r.conf.headTime = 100*time.Millisecond, 100*time.Millisecond })
	p := r.room(1).join(1)
	target, body := p.message(1)
	head, rest, _ := strings.Cut(wireText("POST", target, body), "\r\n\r\n")
	ack := wireText("POST", p.path("/ack", "through", p.Cursor.String()), nil)
	for _, test := range []struct{ name, first, dribbled string }{
		{"a head", "", head},
		{"a later head", ack, head},
		{"a body", head + "\r\n\r\n", rest},
		{"a later body", ack + head + "\r\n\r\n", rest},
	} {
		t.Run(test.name, func(t *testing.T) {
			conn, in := r.connect()
			first, isAck := strings.CutPrefix(test.first, ack)
			if isAck {
				io.WriteString(conn, ack)
				readAnswer(t, in)
			}
			io.WriteString(conn, first)
			got, sent := dribble(t, conn, in, test.dribbled)
			want := "HTTP/1.1 400 " // net/http's answer to half a line
			if test.dribbled == rest {
				want = "HTTP/1.1 408 " // ours to half a body
			}
			if sent == len(test.dribbled) || got != "" && !strings.HasPrefix(got, want) {
				t.Errorf("after %d bytes of %d: got %q, want a %s", sent, len(test.dribbled), got, want)
			}
		})
	}
}

// TestLaneLeavesBareLineEnds: net/http takes a LF for the end of a line, and so of a head.
func TestLaneLeavesBareLineEnds(t *testing.T) {
	r := newRelay(t)
	for _, text := range []string{
		"GET /healthz HTTP/1.0\n\n", "GET /healthz HTTP/1.0\n\r\n", "GET /healthz HTTP/1.0\r\n\n",
		"GET /healthz HTTP/1.1\r\nHost: x\n\r\n", "GET /healthz HTTP/1.1\r\nHost: x\r\n\n",
	} {
		conn, in := r.connect()
		io.WriteString(conn, text)
		if resp, body := readAnswer(t, in); resp.StatusCode != http.StatusOK {
			t.Errorf("%q: got %d %s", text, resp.StatusCode, body)
		}
	}
}

// TestLaneAnswersHalfARequest: one who has shut its side in the middle of a request hears that it was too short.
func TestLaneAnswersHalfARequest(t *testing.T) {
	r := newRelay(t)
	p := r.room(1).join(1)
	target, body := p.message(1)
	whole := wireText("POST", target, body)
	for name, text := range map[string]string{"in the head": whole[:40], "in the body": whole[:len(whole)-1]} {
		conn, in := r.connect()
		io.WriteString(conn, text)
		if err := conn.(*net.TCPConn).CloseWrite(); err != nil {
			t.Fatal(err)
		}
		if resp, text := readAnswer(t, in); resp.StatusCode != http.StatusBadRequest {
			t.Errorf("%s: got %d %s", name, resp.StatusCode, text)
		}
	}
}

// TestLaneTakesItsWriteDeadlineBack: it is for one answer, not for those that come long after.
func TestLaneTakesItsWriteDeadlineBack(t *testing.T) {
	const limit = 200 * time.Millisecond
	s := &Server{conf: Config{Streams: Streams{Write: limit}}}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	client, err := net.Dial("tcp", ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	conn, err := s.Listener(ln).Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	k := conn.(*lane)
	if err := k.sendRest([]byte("first")); err != nil {
		t.Fatal(err)
	}
	if err := k.SetReadDeadline(time.Now().Add(limit * 3 / 2)); err != nil {
		t.Fatal(err)
	}
	if err := k.hangUp(); err == nil {
		t.Fatal("nobody has hung up")
	}
	if _, err := k.Write([]byte("second")); err != nil {
		t.Error(err)
	}
}

// TestLaneReadsABodyBeforeItStops: a message whose head has come before the stop is taken, within the time for that.
func TestLaneReadsABodyBeforeItStops(t *testing.T) {
	for _, used := range []bool{false, true} { // of which net/http does not, or does, think that it is idle
		r := newLaneRelay(t, &lending{})
		p := r.room(1).join(1)
		r.room(1).join(2)
		r.web.CloseClientConnections()
		conn, in := r.connect()
		idle, idleIn := r.connect()
		for _, c := range []struct {
			net.Conn
			*bufio.Reader
		}{{conn, in}, {idle, idleIn}} {
			if used || c.Conn == idle {
				io.WriteString(c.Conn, wireText("GET", "/healthz", nil))
				readAnswer(t, c.Reader)
			}
		}
		target, body := p.message(1)
		head, rest, _ := strings.Cut(wireText("POST", target, body), "\r\n\r\n")
		io.WriteString(conn, head+"\r\n\r\n"+rest[:1])
		eventually(t, "the lane has the head", func() bool { return r.reading() == 1 })
		stopped := make(chan error, 1)
		go func() {
			err := r.web.Config.Shutdown(context.Background())
			if err == nil {
				err = r.server.Wait(context.Background())
			}
			stopped <- err
		}()
		if b, err := io.ReadAll(idleIn); err != nil || len(b) > 0 {
			t.Fatalf("got %q, %v", b, err)
		}
		<-r.server.draining
		io.WriteString(conn, rest[1:])
		if resp, text := readAnswer(t, in); resp.StatusCode != http.StatusOK {
			t.Fatalf("got %d %s", resp.StatusCode, text)
		}
		if b, err := io.ReadAll(in); err != nil || len(b) > 0 {
			t.Fatalf("got %q, %v", b, err)
		}
		if err := <-stopped; err != nil {
			t.Fatal(err)
		}
		eventually(t, "no lane is left", func() bool { return r.openLanes() == 0 })
	}
}

// TestLaneStopsReadingInTheEnd: a body that does not come holds a stop up for its time only.
func TestLaneStopsReadingInTheEnd(t *testing.T) {
	r := newLaneRelay(t, &lending{})
	p := r.room(1).join(1)
	conn, in := r.connect()
	target, body := p.message(1)
	text := wireText("POST", target, body)
	io.WriteString(conn, text[:len(text)-1])
	eventually(t, "the lane has the head", func() bool { return r.reading() == 1 })
	r.server.Drain()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := r.server.Wait(ctx); err != context.Canceled {
		t.Errorf("got %v, want %v", err, context.Canceled)
	}
	if b, err := io.ReadAll(in); err != nil || len(b) > 0 {
		t.Errorf("got %q, %v", b, err)
	}
	eventually(t, "the lane has gone", func() bool { return r.reading() == 0 })
}

func (r *relay) reading() int {
	r.server.lanes.reading.mu.Lock()
	defer r.server.lanes.reading.mu.Unlock()
	return r.server.lanes.reading.n
}

func (r *relay) openLanes() int {
	r.server.lanes.mu.Lock()
	defer r.server.lanes.mu.Unlock()
	return len(r.server.lanes.open)
}

// TestLaneLeavesOddHosts: net/http refuses some of them.
func TestLaneLeavesOddHosts(t *testing.T) {
	lent := &lending{}
	r := newLaneRelay(t, lent)
	p := r.room(1).join(1)
	r.room(1).join(2)
	for host, want := range map[string]int{
		"a b": 400, `"<>`: 400, "a\\b": 400, "a/b": 400,
		"relay.example": 200, "127.0.0.1:8080": 200, "[::1]:8080": 200, "a_b": 200, "": 200, "a%b": 200,
	} {
		conn, in := r.connect()
		target, body := p.message(byte(len(host)))
		io.WriteString(conn, strings.Replace(wireText("POST", target, body), "Host: x", "Host: "+host, 1))
		if resp, text := readAnswer(t, in); resp.StatusCode != want {
			t.Errorf("%q: got %d %s, want %d", host, resp.StatusCode, text, want)
		}
	}
	if n := lent.take(); n != 5 {
		t.Errorf("the lane has posted %d, want 5", n)
	}
}
