package handlers

import (
	"bufio"
	"io"
	"net"
	"net/http/httptest"
	"testing"

	"snug/hub"
	"snug/wire"
)

// BenchmarkAck is an ack over a socket, client included, as a lane and as net/http answer it.
func BenchmarkAck(b *testing.B) {
	for name, more := range map[string][]string{"lane": nil, "net/http": {"Te: trailers"}} {
		b.Run(name, func(b *testing.B) {
			h := hub.NewMemory(hub.Limits{})
			defer h.Close()
			s, err := New(Config{Hub: h})
			if err != nil {
				b.Fatal(err)
			}
			web := httptest.NewUnstartedServer(nil)
			web.Config = s.HTTP("")
			web.Listener = s.Listener(web.Listener)
			web.Start()
			defer web.Close()
			room := wire.RoomID{1}
			joined, err := h.Join(room, hub.Join{Member: wire.MemberID{1}, Card: frame(1)})
			if err != nil {
				b.Fatal(err)
			}
			conn, err := net.Dial("tcp", web.Listener.Addr().String())
			if err != nil {
				b.Fatal(err)
			}
			defer conn.Close()
			in := bufio.NewReader(conn)
			request := []byte(wireText("POST", "/r/"+room.String()+"/ack?s="+joined.Session.String()+"&through="+joined.Cursor.String(), nil, more...))
			size := 0
			b.ReportAllocs()
			for b.Loop() {
				if _, err := conn.Write(request); err != nil {
					b.Fatal(err)
				}
				if size == 0 { // all answers are as long as the first
					if _, err := in.Peek(1); err != nil {
						b.Fatal(err)
					}
					size = in.Buffered()
				}
				if _, err := io.CopyN(io.Discard, in, int64(size)); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkParseLane is what a lane makes of a message.
func BenchmarkParseLane(b *testing.B) {
	request := []byte(wireText("POST", "/r/"+wire.RoomID{1}.String()+"/messages?s="+wire.SessionID{1}.String()+"&id="+wire.MessageID{1}.String()+"&roster=7", frame(1)))
	b.ReportAllocs()
	for b.Loop() {
		if req, _, _ := parseLane(request); req.route != laneMessages {
			b.Fatal(req)
		}
	}
}
