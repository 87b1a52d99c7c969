package handlers

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"testing"
	"time"

	"snug/wire"
)

// TestMembersHoldLittle: what the bodies under way of one room hold is bounded, as no budget counts them before they are whole.
func TestMembersHoldLittle(t *testing.T) {
	r := newRelay(t)
	one, two := r.room(1), r.room(2)
	a, other := one.join(1), two.join(1)
	one.join(2)
	two.join(2)
	path := func(p *person, n int) string { return p.path("/chunks", "id", fmt.Sprintf("%s.%d", wire.FileID{1}, n)) }
	for n := range roomBodies {
		r.dial(fmt.Sprintf("POST %s HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n", path(a, n), proof+1))
	}
	eventually(t, "all places of the room are taken", func() bool { return r.server.bodies.count(one.id) == roomBodies })
	put := func(p *person, size int) *http.Response {
		resp, _ := r.do("POST", path(p, 1000), octets, make([]byte, size))
		return resp
	}
	if resp := put(a, proof+1); resp.StatusCode != 429 || resp.Header.Get("Retry-After") == "" {
		t.Errorf("one more in the room: got %d %v", resp.StatusCode, resp.Header)
	}
	if resp := put(a, 1000); resp.StatusCode != 200 {
		t.Errorf("a small one: got %d", resp.StatusCode)
	}
	if resp := put(other, proof+1); resp.StatusCode != 200 {
		t.Errorf("in another room: got %d", resp.StatusCode)
	}
}

// TestStalledDownload: who stops in the middle of a large answer is let go before the two minutes are over that all of an answer may
// take. One who reads on is not, however long that takes.
func TestStalledDownload(t *testing.T) {
	for _, as := range []string{"octet-stream", "text"} {
		r := newRelay(t, func(r *relay) { r.conf.partTime, r.limits.MaxChunk = time.Second, 16<<20 })
		room := r.room(1)
		a, b := room.join(1), room.join(2)
		id := wire.FileID{1}.String() + ".0"
		if resp, body := r.do("POST", a.path("/chunks", "id", id), octets, make([]byte, 12<<20)); resp.StatusCode != 200 {
			t.Fatalf("got %d %s", resp.StatusCode, body)
		}
		get := func() net.Conn {
			conn := r.dial("")
			conn.(*net.TCPConn).SetReadBuffer(64 << 10)
			io.WriteString(conn, "GET "+b.path("/chunks/"+id, "as", as)+" HTTP/1.1\r\nHost: x\r\n\r\n")
			return conn
		}
		resp, err := http.ReadResponse(bufio.NewReaderSize(get(), 16), nil)
		if err != nil {
			t.Fatal(err)
		}
		n := int64(0)
		slow := time.NewTicker(20 * time.Millisecond)
		defer slow.Stop()
		for range 75 { // longer than a part may take
			m, err := io.CopyN(io.Discard, resp.Body, 128<<10)
			if n += m; err != nil {
				t.Fatalf("%s: cut after %d bytes: %v", as, n, err)
			}
			<-slow.C
		}
		if m, err := io.Copy(io.Discard, resp.Body); err != nil || n+m != resp.ContentLength {
			t.Errorf("%s: got %d bytes of %d, %v", as, n+m, resp.ContentLength, err)
		}
		get()
		eventually(t, as+": the stalled one is let go", func() bool { return r.metric("snug_answers_unsent_total", "") == 1 })
	}
}
