package handlers

import (
	"bytes"
	"net/http"
	"strconv"
	"time"

	"snug/hub"
	"snug/wire"
)

// laneRoute is what a lane knows to answer.
type laneRoute uint8

const (
	laneOther laneRoute = iota
	laneMessages
	laneAck
)

// patterns are the routes of Server.register, for logs and metrics.
var lanePatterns = [...]string{laneMessages: "/r/:room/messages", laneAck: "/r/:room/ack"}

// laneRequest is a request as a lane understands it.
type laneRequest struct {
	route   laneRoute
	length  int // of the body
	room    wire.RoomID
	session wire.SessionID
	id      wire.MessageID
	roster  *uint64
	through wire.Cursor
	wake    func() // to be called behind the answer; may be nil
}

// parseLane reads the head of the request at the beginning of b. size is that of the head, 0 if it is not all there yet.
// sure: the request is HTTP/1.1, keeps the connection, and its body has the length that it says, by rules that no two readers
// disagree on; only then are size and length of any use.
func parseLane(b []byte) (req laneRequest, size int, sure bool) {
	end := bytes.Index(b, []byte("\r\n\r\n"))
	if end < 0 {
		return req, 0, len(b) > 0 && 'A' <= b[0] && b[0] <= 'Z' && !bareLF(b)
	}
	size = end + len("\r\n\r\n")
	line, rest, _ := bytes.Cut(b[:end+len("\r\n")], []byte("\r\n"))
	method, target, ok := cutLine(line)
	if !ok {
		return req, size, false
	}
	kind, hosts, lengths := []byte(nil), 0, 0
	for len(rest) > 0 {
		line, rest, _ = bytes.Cut(rest, []byte("\r\n"))
		name, value, ok := cutField(line)
		if !ok {
			return req, size, false
		}
		switch {
		case same(name, "host"):
			hosts++
			ok = plainHost(value)
		case same(name, "content-length"):
			lengths++
			if req.length, ok = digits(value); !ok {
				return req, size, false
			}
		case same(name, "connection"):
			ok = same(value, "keep-alive")
		case same(name, "content-type"):
			ok = kind == nil
			kind = value
		case same(name, "transfer-encoding"), same(name, "upgrade"), same(name, "expect"), same(name, "trailer"), same(name, "te"):
			ok = false
		}
		if !ok {
			return req, size, false
		}
	}
	if hosts != 1 || lengths > 1 {
		return req, size, false
	}
	if string(method) == http.MethodPost && lengths == 1 && len(target) <= wire.MaxURL {
		req.route = req.parse(target, kind)
	}
	return req, size, true
}

// bareLF: a line ends without CR. net/http takes that, so the head may end at it.
func bareLF(b []byte) bool {
	for i := 0; ; i++ {
		n := bytes.IndexByte(b[i:], '\n')
		if n < 0 {
			return false
		}
		if i += n; i == 0 || b[i-1] != '\r' {
			return true
		}
	}
}

// plainHost: nothing but a name or an address, and maybe a port. net/http takes some more and refuses the rest.
func plainHost(b []byte) bool {
	for _, c := range b {
		if !('a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '-' || c == '_' || c == '.' || c == ':' || c == '[' || c == ']') {
			return false
		}
	}
	return true
}

// cutLine reads the line of a request: one of the methods that we have, a path with nothing escaped (net/http refuses some escapes), HTTP/1.1.
func cutLine(line []byte) (method, target []byte, ok bool) {
	method, rest, _ := bytes.Cut(line, []byte(" "))
	target, version, _ := bytes.Cut(rest, []byte(" "))
	switch string(method) {
	case http.MethodGet, http.MethodPost, http.MethodPut, http.MethodHead:
	default:
		return nil, nil, false
	}
	if string(version) != "HTTP/1.1" || len(target) == 0 || target[0] != '/' {
		return nil, nil, false
	}
	path, _, _ := bytes.Cut(target, []byte("?"))
	if bytes.IndexByte(path, '%') >= 0 {
		return nil, nil, false
	}
	for _, c := range target {
		if c <= ' ' || c >= 0x7f {
			return nil, nil, false
		}
	}
	return method, target, true
}

// cutField reads the line of a header. No continued lines, no space before the colon, nothing but printable ASCII.
func cutField(line []byte) (name, value []byte, ok bool) {
	name, value, ok = bytes.Cut(line, []byte(":"))
	if !ok || len(name) == 0 {
		return nil, nil, false
	}
	for _, c := range name {
		if !('a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '-' || c == '_') {
			return nil, nil, false
		}
	}
	for _, c := range value {
		if c < ' ' && c != '\t' || c >= 0x7f {
			return nil, nil, false
		}
	}
	return name, bytes.Trim(value, " \t"), true
}

// same compares with a name in small letters.
func same(b []byte, name string) bool {
	if len(b) != len(name) {
		return false
	}
	for i, c := range b {
		if 'A' <= c && c <= 'Z' {
			c += 'a' - 'A'
		}
		if c != name[i] {
			return false
		}
	}
	return true
}

func digits(b []byte) (n int, ok bool) {
	for _, c := range b {
		if c < '0' || c > '9' {
			return 0, false
		}
		n = 10*n + int(c-'0')
	}
	return n, 0 < len(b) && len(b) <= 9
}

// parse reads /r/ROOM/messages?… and /r/ROOM/ack?…, with nothing escaped and no parameter but those that there are.
func (r *laneRequest) parse(target, kind []byte) laneRoute {
	const roomSize = 27 // characters of an id of 20 bytes
	path, query, _ := bytes.Cut(target, []byte("?"))
	if len(path) < len("/r/")+roomSize || string(path[:3]) != "/r/" {
		return laneOther
	}
	route := laneOther
	switch string(path[len("/r/")+roomSize:]) {
	case "/messages":
		if kind == nil || string(kind) == octets {
			route = laneMessages
		}
	case "/ack":
		if r.length == 0 {
			route = laneAck
		}
	}
	var err error
	if r.room, err = wire.ParseRoomID(string(path[3 : 3+roomSize])); err != nil || route == laneOther {
		return laneOther
	}
	if !r.parseQuery(query, route) {
		return laneOther
	}
	return route
}

// parseQuery reads the parameters; each may be there once.
func (r *laneRequest) parseQuery(query []byte, route laneRoute) bool {
	const session, id, roster, through, nonce = 1, 2, 4, 8, 16
	seen := 0
	for len(query) > 0 {
		var part []byte
		part, query, _ = bytes.Cut(query, []byte("&"))
		name, value, _ := bytes.Cut(part, []byte("="))
		for _, c := range value {
			if !('a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '-' || c == '_' || c == '.') {
				return false
			}
		}
		which := 0
		var err error
		switch string(name) {
		case "s":
			which = session
			r.session, err = wire.ParseSessionID(string(value))
		case "id":
			which = id
			r.id, err = wire.ParseMessageID(string(value))
		case "roster":
			which = roster
			var n uint64
			n, err = parseRoster(string(value))
			r.roster = &n
		case "through":
			which = through
			r.through, err = wire.ParseCursor(string(value))
		case "n":
			which = nonce
		}
		if which == 0 || seen&which != 0 || err != nil {
			return false
		}
		seen |= which
	}
	if route == laneAck {
		return seen&^nonce == session|through
	}
	return seen&^(nonce|roster) == session|id
}

// answer does what a request asks and leaves the answer in the buffer; the request is gone then. It reports false, and nothing
// is done, if there is anything but success to tell.
func (k *lane) answer(req *laneRequest, body []byte) bool {
	s := k.server
	s.lanes.working.RLock()
	defer s.lanes.working.RUnlock()
	began := time.Now()
	out := okBody
	switch req.route {
	case laneMessages:
		if wire.CheckFrame(body) != nil || len(body) > s.conf.Limits.Message {
			return false
		}
		posted, err := s.conf.Hub.Post(req.room, req.session, hub.Post{ID: req.id, Frame: body, Roster: req.roster, Lend: true})
		if err != nil {
			return false
		}
		var scratch [192]byte
		out, req.wake = posted.AppendJSON(scratch[:0]), posted.Wake
	case laneAck:
		if s.conf.Hub.Ack(req.room, req.session, req.through) != nil {
			return false
		}
	}
	b := append(k.buf.b[:0], laneHead...)
	b = strconv.AppendInt(b, int64(len(out)), 10)
	b = append(b, "\r\nDate: "...)
	b = append(b, s.dates.text(began)...)
	b = append(b, "\r\n\r\n"...)
	k.buf.n = len(append(b, out...))
	s.answered(lanePatterns[req.route], http.MethodPost, http.StatusOK, time.Since(began), int64(len(out)))
	return true
}

// laneHead is the head of an answer, as commonHeaders and blob make it.
const laneHead = "HTTP/1.1 200 OK\r\nCache-Control: no-store\r\nContent-Type: " + jsons + "\r\nCross-Origin-Resource-Policy: same-origin\r\n" +
	"Referrer-Policy: no-referrer\r\nX-Content-Type-Options: nosniff\r\nContent-Length: "
