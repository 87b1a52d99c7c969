package handlers

import (
	"bufio"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// dial opens a connection, with TLS if the relay has it, and sends raw bytes.
func (r *relay) dial(raw string) net.Conn {
	r.t.Helper()
	conn, err := net.Dial("tcp", r.web.Listener.Addr().String())
	if err != nil {
		r.t.Fatal(err)
	}
	if r.secure {
		conf := r.web.Client().Transport.(*http.Transport).TLSClientConfig.Clone()
		conf.ServerName = r.web.Certificate().DNSNames[0]
		conn = tls.Client(conn, conf)
	}
	r.t.Cleanup(func() { conn.Close() })
	conn.SetDeadline(time.Now().Add(patience))
	if _, err := io.WriteString(conn, raw); err != nil {
		r.t.Fatal(err)
	}
	return conn
}

func TestHTTP10StreamIsNotChunked(t *testing.T) { onBothSinks(t, testHTTP10StreamIsNotChunked) }

func testHTTP10StreamIsNotChunked(t *testing.T, sink Sink) {
	r := newRelay(t, written(sink))
	p := r.room(1).join(1)
	conn := r.dial("GET " + p.path("/stream", "after", p.Cursor.String()) + " HTTP/1.0\r\n\r\n")
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	if len(resp.TransferEncoding) != 0 || resp.ContentLength != -1 || resp.StatusCode != 200 {
		t.Errorf("got %+v", resp)
	}
	body := afterHello(t, resp.Body)
	r.server.Drain()
	rest, err := io.ReadAll(body)
	if err != nil || !strings.Contains(string(rest), "event: bye\n") {
		t.Errorf("got %q, %v", rest, err)
	}
}

// TestPipelinedRequestWaitsForTheBatch: the connections of batches stay net/http's, whichever way streams are written.
func TestPipelinedRequestWaitsForTheBatch(t *testing.T) {
	onBothSinks(t, testPipelinedRequestWaitsForTheBatch)
}

func testPipelinedRequestWaitsForTheBatch(t *testing.T, sink Sink) {
	r := newRelay(t, written(sink))
	p := r.room(1).join(1)
	conn := r.dial("GET " + p.path("/stream", "mode", "batch", "after", p.Cursor.String()) + " HTTP/1.1\r\nHost: x\r\n\r\nGET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
	br := bufio.NewReader(conn)
	stream, err := http.ReadResponse(br, nil)
	if err != nil {
		t.Fatal(err)
	}
	body := afterHello(t, stream.Body)
	r.server.Drain()
	if rest, err := io.ReadAll(body); err != nil || stream.Close {
		t.Fatalf("got %q, %v", rest, err)
	}
	health, err := http.ReadResponse(br, nil)
	if err != nil {
		t.Fatal(err)
	}
	if b, err := io.ReadAll(health.Body); err != nil || string(b) != "ok\n" {
		t.Errorf("got %q, %v", b, err)
	}
}

// TestHTTP2StreamOutlivesItsWriteDeadline: on HTTP/2 a deadline that passes while nothing is written resets the stream.
func TestHTTP2StreamOutlivesItsWriteDeadline(t *testing.T) {
	r := newRelay(t, func(r *relay) {
		r.conf.Streams.Write, r.conf.Streams.Heartbeat = 50*time.Millisecond, 200*time.Millisecond
	})
	secure := httptest.NewUnstartedServer(r.server)
	secure.EnableHTTP2 = true
	secure.StartTLS()
	t.Cleanup(secure.Close)
	t.Cleanup(r.server.Drain)
	p := r.room(1).join(1)
	resp, err := secure.Client().Get(secure.URL + p.path("/stream", "after", p.Cursor.String()))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.ProtoMajor != 2 {
		t.Fatalf("got %s", resp.Proto)
	}
	lines := bufio.NewScanner(resp.Body)
	for beats := 0; beats < 3; {
		if !lines.Scan() {
			t.Fatalf("ended after %d heartbeats: %v", beats, lines.Err())
		}
		if lines.Text() == "event: hb" {
			beats++
		}
	}
}

// TestHTTP2StalledStream: on HTTP/2 a stalled stream ends as on a connection of its own, and what shares its connection goes on.
func TestHTTP2StalledStream(t *testing.T) {
	r := newRelay(t, func(r *relay) { r.conf.Streams.Write = 300 * time.Millisecond })
	secure := httptest.NewUnstartedServer(r.server)
	secure.EnableHTTP2 = true
	secure.StartTLS()
	t.Cleanup(secure.Close)
	t.Cleanup(r.server.Drain)
	room := r.room(1)
	sender, stalled := room.join(1), room.join(2)
	resp, err := secure.Client().Get(secure.URL + stalled.path("/stream", "after", stalled.Cursor.String()))
	if err != nil || resp.ProtoMajor != 2 {
		t.Fatal(resp, err)
	}
	defer resp.Body.Close()
	for n := range 80 { // 10 MiB, more than the window of Go's client
		sender.post(sizedFrame(byte(n), 128<<10))
	}
	eventually(t, "the stalled stream has ended", func() bool { return r.metric("snug_streams_ended_total", endStalled) == 1 })
	if resp, err := secure.Client().Get(secure.URL + "/healthz"); err != nil || resp.StatusCode != 200 {
		t.Errorf("beside it: got %v, %v", resp, err)
	}
	if _, err := io.Copy(io.Discard, resp.Body); err == nil {
		t.Error("it ended as if it were whole")
	}
}
