package handlers

import (
	"fmt"
	"math"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"snug/wire"
)

// caller is the room of the path and the session of the query, which most requests have. The session is checked by the hub.
type caller struct {
	room    wire.RoomID
	session wire.SessionID
	query   query
}

// parseCaller reads a caller. Errors: wire.ErrMalformed.
func parseCaller(c echo.Context) (caller, error) {
	room, q, err := parseRoom(c)
	if err != nil {
		return caller{}, err
	}
	who := caller{room: room, query: q}
	who.session, err = param(q, "s", wire.ParseSessionID)
	return who, err
}

// parseSender is parseCaller for a request with a body: whose session is unknown is refused before anything is read. What a
// small body holds then, net/http passes over, to keep the connection; a large one ends it with the answer.
func (s *Server) parseSender(c echo.Context) (caller, error) {
	who, err := parseCaller(c)
	if err == nil {
		err = s.conf.Hub.Known(who.room, who.session)
	}
	return who, err
}

// parseRoom reads the room of the path, and the query.
func parseRoom(c echo.Context) (wire.RoomID, query, error) {
	room, err := wire.ParseRoomID(c.Param("room"))
	if err != nil {
		return room, nil, err
	}
	q, err := parseQuery(c.Request().URL.RawQuery)
	return room, q, err
}

// query holds what a URL asks, each name once.
type query map[string]string

// parseQuery reads a query. A name given twice is refused, since a box in between could read it otherwise than we do.
func parseQuery(raw string) (query, error) {
	q := make(query, strings.Count(raw, "&")+1)
	for part := range strings.SplitSeq(raw, "&") {
		if part == "" {
			continue
		}
		escapedName, escapedValue, _ := strings.Cut(part, "=")
		name, err1 := url.QueryUnescape(escapedName)
		value, err2 := url.QueryUnescape(escapedValue)
		if err1 != nil || err2 != nil || strings.Contains(part, ";") { // their texts would quote the query
			return nil, fmt.Errorf("query: %w", wire.ErrMalformed)
		}
		if _, twice := q[name]; twice {
			return nil, fmt.Errorf("query: %w: a parameter is given twice", wire.ErrMalformed)
		}
		q[name] = value
	}
	return q, nil
}

// param parses a parameter that must be there.
func param[T any](q query, name string, parse func(string) (T, error)) (T, error) {
	v, err := parse(q[name])
	if err != nil {
		return v, fmt.Errorf("parameter %s: %w", name, err)
	}
	return v, nil
}

// optional parses a parameter that may be missing or empty; then it is nil.
func optional[T any](q query, name string, parse func(string) (T, error)) (*T, error) {
	if q[name] == "" {
		return nil, nil
	}
	v, err := param(q, name, parse)
	return &v, err
}

// span is a number of seconds brought into its bounds. Clients adapt these to what they meet on the way, so out of
// bounds is no mistake; the hello says what holds.
type span struct{ min, max, fallback time.Duration }

// seconds parses a whole number of seconds.
func (q query) seconds(name string, s span) (time.Duration, error) {
	n, err := optional(q, name, parseNumber)
	if err != nil || n == nil {
		return s.fallback, err
	}
	return s.clamp(*n), nil
}

func (s span) clamp(seconds uint64) time.Duration {
	d := time.Duration(min(seconds, math.MaxInt32)) * time.Second
	return min(max(d, s.min), s.max)
}

func parseNumber(s string) (uint64, error) {
	n, err := strconv.ParseUint(s, 10, 64)
	if err != nil {
		return 0, fmt.Errorf("%w: want a whole number", wire.ErrMalformed)
	}
	return n, nil
}

// number parses a whole number that may be missing.
func (q query) number(name string, fallback uint64) (uint64, error) {
	n, err := optional(q, name, parseNumber)
	if err != nil || n == nil {
		return fallback, err
	}
	return *n, nil
}

// oneOf parses a word out of a short list; nothing means the first of them.
func (q query) oneOf(name string, words ...string) (string, error) {
	if q[name] == "" {
		return words[0], nil
	}
	for _, w := range words {
		if q[name] == w {
			return w, nil
		}
	}
	return "", fmt.Errorf("parameter %s: %w: want one of %q", name, wire.ErrMalformed, words)
}

// holdSpan bounds how long a poll or batch waits.
func (s *Server) holdSpan() span {
	return span{0, s.conf.Streams.Hold, s.conf.Streams.Hold}
}
