package handlers

import (
	"errors"
	"fmt"
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"snug/hub"
	"snug/wire"
)

// What handlers themselves refuse. A malformed id, number or body is wire.ErrMalformed, wrapped with what was wrong.
var (
	errNotSealed  = errors.New("body is not sealed")
	errNoToken    = errors.New("no post token")
	errWrongToken = errors.New("token of another room")
	errURLTooLong = errors.New("url too long")
	errMediaType  = errors.New("media type not taken here")
	errSlowDown   = errors.New("rate limit")
	errChecksBusy = errors.New("too many checks")
	errBodyLate   = errors.New("body did not arrive in time")
)

// later is a refusal that knows when to come again.
type later struct {
	error
	in time.Duration
}

func (l later) Unwrap() error { return l.error }

// rosterStale carries the newer list of members to the answer.
type rosterStale struct{ roster *wire.Roster }

func (rosterStale) Error() string { return hub.ErrRosterStale.Error() }
func (rosterStale) Unwrap() error { return hub.ErrRosterStale }

// refusal is what the client is told for an error. An empty text stands for the error's own, which then names no value.
type refusal struct {
	err    error
	status int
	code   string
	text   string
	retry  int // seconds
}

// refusals is the one table from error to answer; the first row that matches counts. Static.
var refusals = []refusal{
	{errNotSealed, http.StatusBadRequest, wire.CodeNotSealed, "the body is not sealed, and this relay carries only what it cannot read; seal it first, for example with `snug seal`", 0},
	{errBodyLate, http.StatusRequestTimeout, wire.CodeBodyLate, "the body did not arrive in time", 0},
	{errURLTooLong, http.StatusRequestURITooLong, wire.CodeURLTooLong, "the URL is longer than any that this relay has", 0},
	{errMediaType, http.StatusUnsupportedMediaType, wire.CodeMediaType, "this path does not take a body of that Content-Type", 0},
	{errNoToken, http.StatusUnauthorized, wire.CodeNoToken, "sending into a room needs its post token: Authorization: Bearer TOKEN, or ?auth=TOKEN", 0},
	{errWrongToken, http.StatusForbidden, wire.CodeWrongToken, "this token does not belong to this room", 0},
	{errSlowDown, http.StatusTooManyRequests, wire.CodeSlowDown, "too many requests; come again a little later", 0},
	{errChecksBusy, http.StatusTooManyRequests, wire.CodeSlowDown, "too many network checks at once; come again a little later", 5},
	{errForeignHost, http.StatusNotFound, wire.CodeNotFound, "this is a page for the machine it runs on, open it as localhost", 0},
	{wire.ErrMalformed, http.StatusBadRequest, wire.CodeBadRequest, "", 0},
	{hub.ErrBadCursor, http.StatusBadRequest, wire.CodeBadCursor, "the cursor is ahead of the room, or of another life of it", 0},
	{hub.ErrNoSession, http.StatusUnauthorized, wire.CodeNoSession, "this session is unknown or has ended; join again", 0},
	{hub.ErrNobody, http.StatusNotFound, wire.CodeNobody, "nobody is in the room, so nobody would receive it", 0},
	{hub.ErrNoChunk, http.StatusNotFound, wire.CodeNoChunk, "there is no such chunk here (yet)", 0},
	{hub.ErrNoKnock, http.StatusNotFound, wire.CodeNoKnock, "there is no such knock, or it is too old", 0},
	{hub.ErrChunkGone, http.StatusGone, wire.CodeChunkGone, "the chunk was freed before you had it", 0},
	{hub.ErrRosterStale, http.StatusConflict, wire.CodeRosterStale, "the members changed; seal for them and post again", 0},
	{hub.ErrTooLarge, http.StatusRequestEntityTooLarge, wire.CodeTooLarge, "the body is larger than this path takes", 0},
	{hub.ErrRoomFull, http.StatusTooManyRequests, wire.CodeRoomFull, "the room holds all it may until its members have read on", 2},
	{hub.ErrMembersFull, http.StatusTooManyRequests, wire.CodeMembersFull, "the room has all the members it may have", 60},
	{hub.ErrChunksFull, http.StatusTooManyRequests, wire.CodeChunksFull, "too much of the files in this room is still to be fetched", 2},
	{hub.ErrKnocksFull, http.StatusTooManyRequests, wire.CodeKnocksFull, "too many knocks at this room", 10},
	{hub.ErrRelayFull, http.StatusTooManyRequests, wire.CodeRelayFull, "the relay holds all it may", 10},
	{hub.ErrClosed, http.StatusServiceUnavailable, wire.CodeShuttingDown, "the relay is shutting down; come again in a moment", 2},
	{echo.ErrNotFound, http.StatusNotFound, wire.CodeNotFound, "there is nothing at this address", 0},
	{echo.ErrMethodNotAllowed, http.StatusMethodNotAllowed, wire.CodeMethod, "this address does not take that method", 0},
}

// internal is the answer to what no row knows: a mistake of ours.
var internal = refusal{nil, http.StatusInternalServerError, wire.CodeInternal, "something went wrong in the relay", 0}

// refusalFor finds the row of an error.
func refusalFor(err error) refusal {
	for _, r := range refusals {
		if errors.Is(err, r.err) {
			if r.text == "" {
				r.text = err.Error()
			}
			return r
		}
	}
	return internal
}

// describe makes the one shape of every refusal out of an error.
func (s *Server) describe(c echo.Context, err error) wire.Error {
	r := refusalFor(err)
	e := wire.Error{Code: r.code, HTTP: r.status, Error: r.text, RetryAfter: r.retry}
	e.Link = s.origin(c) + "/help#" + r.code
	e.Rejoin = r.code == wire.CodeNoSession
	if l, ok := errors.AsType[later](err); ok {
		e.RetryAfter = max(1, int(math.Ceil(l.in.Seconds())))
	}
	if stale, ok := errors.AsType[rosterStale](err); ok {
		e.Roster = stale.roster
	}
	return e
}

// refuse is Echo's HTTPErrorHandler: it answers an error that a handler has returned. After the answer has begun, an
// error means that it could not be written, and is only counted.
func (s *Server) refuse(err error, c echo.Context) {
	if c.Response().Committed {
		s.metrics.unsent.Inc()
		return
	}
	e := s.describe(c, err)
	s.metrics.refused.WithLabelValues(e.Code).Inc()
	if e.Code == wire.CodeInternal && !errors.Is(err, errPanic) {
		s.log.Error("internal error", "route", route(c), "cause", err)
	}
	if err := s.writeRefusal(c, e); err != nil {
		s.metrics.unsent.Inc()
	}
}

func (s *Server) writeRefusal(c echo.Context, e wire.Error) error {
	h := c.Response().Header()
	if e.RetryAfter > 0 {
		h.Set("Retry-After", strconv.Itoa(e.RetryAfter))
	}
	if e.Code == wire.CodeNoToken {
		h.Set("WWW-Authenticate", "Bearer")
	}
	if wantsText(c.Request()) {
		return text(c, e.HTTP, fmt.Sprintf("snug: %s (%s, HTTP %d). See %s\n", e.Error, e.Code, e.HTTP, e.Link))
	}
	return answer(c, e.HTTP, e)
}

// wantsText tells whether a person at a terminal reads the answer. Accept decides only where it does not ask for JSON
// too, because common JavaScript clients send "application/json, text/plain, */*".
func wantsText(r *http.Request) bool {
	agent := r.UserAgent()
	if strings.HasPrefix(agent, "curl/") || strings.HasPrefix(agent, "Wget/") {
		return true
	}
	accept := r.Header.Get("Accept")
	return strings.Contains(accept, "text/plain") && !strings.Contains(accept, "json") && !strings.Contains(accept, "html")
}
