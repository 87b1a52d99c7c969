//go:build linux

package main

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net"
	"strings"

	"snug/wire"
)

// access is the token of the nth room.
func access(n int) wire.AccessToken { return wire.AccessToken{1, byte(n), byte(n >> 8), byte(n >> 16)} }

// guest is a member of a room of snug.
type guest struct {
	path    string // /r/ROOM
	session string
	cursor  string
}

var card = append([]byte{1}, bytes.Repeat([]byte("card"), 150)...) // about what a client's is

// join makes somebody a member of the nth room.
func join(c *caller, n, who int, cursor *wire.Cursor) (guest, error) {
	token := access(n)
	g := guest{path: "/r/" + token.Post().Room().String()}
	status, body, err := c.post(g.path+"/join", "application/json", wire.MustJSON(wire.JoinRequest{
		Access: token, Secret: wire.MemberSecret{1, byte(n), byte(n >> 8), byte(n >> 16), byte(who), byte(who >> 8)}, Card: card, Cursor: cursor,
	}))
	if err == nil && status != 200 {
		err = fmt.Errorf("join: %d %s", status, body)
	}
	if err != nil {
		return g, err
	}
	var joined wire.Joined
	err = json.Unmarshal(body, &joined)
	g.session, g.cursor = joined.Session.String(), joined.Cursor.String()
	return g, err
}

// streamRequest is what a browser would send to open a stream, but for its longer headers.
func (t *target) streamRequest(g guest, room int) []byte {
	path := fmt.Sprintf("/events?stream=room%d", room)
	if t.snug {
		path = g.path + "/stream?s=" + g.session + "&after=" + g.cursor + "&n=1"
	}
	return fmt.Appendf(nil, "GET %s HTTP/1.1\r\nHost: %s\r\nAccept: text/event-stream\r\nUser-Agent: load\r\n\r\n", path, t.addr)
}

// post sends a message.
func (t *target) post(c *caller, g guest, room int, number uint64, payload int) (int, []byte, error) {
	text := message(room, number, payload)
	if !t.snug {
		return c.post(fmt.Sprintf("/post?stream=room%d", room), "application/octet-stream", text)
	}
	frame := make([]byte, base64.RawURLEncoding.DecodedLen(len(text)))
	if _, err := base64.RawURLEncoding.Decode(frame, text); err != nil {
		return 0, nil, err
	}
	id := wire.MessageID{byte(room), byte(room >> 8), byte(number), byte(number >> 8), byte(number >> 16), byte(number >> 24), 1}
	return c.post(g.path+"/messages?s="+g.session+"&id="+id.String(), "application/octet-stream", frame)
}

// caller posts over one connection that it keeps. It belongs to one goroutine.
type caller struct {
	addr *net.TCPAddr
	conn net.Conn
	in   *bufio.Reader
	out  []byte
}

func (c *caller) post(path, kind string, body []byte) (status int, answer []byte, err error) {
	if c.conn == nil {
		conn, err := net.DialTCP("tcp", nil, c.addr)
		if err != nil {
			return 0, nil, err
		}
		c.conn = conn
		c.in = bufio.NewReaderSize(c.conn, 8<<10)
	}
	c.out = fmt.Appendf(c.out[:0], "POST %s HTTP/1.1\r\nHost: %s\r\nContent-Type: %s\r\nContent-Length: %d\r\n\r\n", path, c.addr, kind, len(body))
	c.out = append(c.out, body...)
	if _, err = c.conn.Write(c.out); err == nil {
		status, answer, err = c.read()
	}
	if err != nil {
		c.close()
	}
	return status, answer, err
}

// read reads an answer, of which there is either a Content-Length, chunks, or nothing.
func (c *caller) read() (status int, body []byte, err error) {
	line, err := c.in.ReadSlice('\n')
	if err != nil {
		return 0, nil, err
	}
	if _, err = fmt.Sscanf(string(line), "HTTP/1.1 %d", &status); err != nil {
		return 0, nil, err
	}
	length := 0
	for {
		if line, err = c.in.ReadSlice('\n'); err != nil {
			return status, nil, err
		}
		if len(bytes.TrimSpace(line)) == 0 {
			break
		}
		if len(line) > 16 && strings.EqualFold(string(line[:15]), "Content-Length:") {
			_, err = fmt.Sscan(string(line[15:]), &length)
		}
		if err != nil {
			return status, nil, err
		}
	}
	body = make([]byte, length)
	for n := 0; n < length && err == nil; {
		var more int
		more, err = c.in.Read(body[n:])
		n += more
	}
	return status, body, err
}

func (c *caller) close() {
	if c.conn != nil {
		c.conn.Close()
		c.conn = nil
	}
}
