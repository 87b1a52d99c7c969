package handlers

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"os"
	"sync"
	"time"

	"github.com/labstack/echo/v4"

	"snug/hub"
	"snug/wire"
)

// Media types of bodies.
const (
	octets = "application/octet-stream"
	plain  = "text/plain"
	jsons  = "application/json"
)

// maxList bounds JSON bodies that hold a list of ids: some thousand chunks.
const maxList = 64 << 10

// maxJoin bounds a join: the joiner's card and those of the members it knew, in base64 with room for the ids around them.
const maxJoin = (wire.MaxKnown + 1) * (wire.MaxCard*4/3 + 128)

// readBytes reads a body of at most max bytes: raw, or base64url as text/plain for networks that refuse binary posts.
// Errors: hub.ErrTooLarge, errMediaType, errBodyLate, wire.ErrMalformed.
func readBytes(c echo.Context, max int) ([]byte, error) {
	kind, err := mediaType(c.Request(), octets)
	switch {
	case err != nil:
		return nil, err
	case kind == octets:
		return readBody(c, max)
	case kind != plain:
		return nil, errMediaType
	}
	b, err := readBody(c, base64.RawURLEncoding.EncodedLen(max)+len("\r\n"))
	if err != nil {
		return nil, err
	}
	var out wire.Bytes
	if err := out.UnmarshalText(bytes.TrimRight(b, "\r\n")); err != nil {
		return nil, fmt.Errorf("body: %w", err)
	}
	return out, nil
}

// readJSON reads a body of at most max bytes as exactly one JSON value of the kind of v, with no field that v lacks. An
// empty body leaves v as it is if optional. Errors: as readBytes.
func readJSON(c echo.Context, max int, v any, optional bool) error {
	kind, err := mediaType(c.Request(), jsons)
	if err == nil && kind != jsons && kind != plain { // text/plain is what sendBeacon sends
		err = errMediaType
	}
	if err != nil {
		return err
	}
	b, err := readBody(c, max)
	if err != nil || (optional && len(b) == 0) {
		return err
	}
	return decodeJSON(b, v)
}

// decodeJSON is the parser of readJSON. The decoder's own words quote the body, so they are not passed on; those of wire do not.
func decodeJSON(b []byte, v any) error {
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	err := d.Decode(v)
	switch {
	case errors.Is(err, wire.ErrMalformed):
		return fmt.Errorf("body: %w", err)
	case err != nil:
		return fmt.Errorf("body: %w: not the JSON that this path takes", wire.ErrMalformed)
	}
	if _, err := d.Token(); err != io.EOF {
		return fmt.Errorf("body: %w: something follows the JSON", wire.ErrMalformed)
	}
	return nil
}

// mediaType is the type of the body without parameters; fallback if there is none.
func mediaType(r *http.Request, fallback string) (string, error) {
	value := r.Header.Get("Content-Type")
	switch value {
	case "":
		return fallback, nil
	case octets, jsons, plain: // as nearly always; parsing costs more
		return value, nil
	}
	kind, _, err := mime.ParseMediaType(value)
	if err != nil {
		return "", errMediaType
	}
	return kind, nil
}

// readBody reads at most max bytes, refusing a larger Content-Length before it reads anything. The deadline that bound has
// set for those who send a byte a minute holds until the end of the body; then net/http takes it back.
func readBody(c echo.Context, max int) ([]byte, error) {
	r := c.Request()
	if r.ContentLength > int64(max) {
		return nil, hub.ErrTooLarge
	}
	b, err := readUpTo(http.MaxBytesReader(c.Response().Writer, r.Body, int64(max)), r.ContentLength)
	switch {
	case err == nil:
		return b, nil
	case isType[*http.MaxBytesError](err):
		return nil, hub.ErrTooLarge
	case errors.Is(err, os.ErrDeadlineExceeded):
		return nil, errBodyLate
	}
	return nil, fmt.Errorf("body: %w: it ended too early", wire.ErrMalformed)
}

// How much of a body must have come before more memory is set aside for it, so that a claimed length costs nothing: first,
// then what is proof enough for all of it.
const (
	first = 4 << 10
	proof = 64 << 10
)

// readUpTo reads to the end. With the length known the result has no slack, since chunks are kept as they are read.
func readUpTo(r io.Reader, length int64) (b []byte, err error) {
	if length < 0 {
		b, err := io.ReadAll(r)
		return bytes.Clone(b), err
	}
	for _, size := range []int64{first, proof, length} {
		n := len(b)
		b = append(make([]byte, 0, min(size, length)), b...)[:min(size, length)]
		if _, err = io.ReadFull(r, b[n:]); err != nil || size >= length {
			break
		}
	}
	return b, err
}

// strangers is how many large bodies are read at once of senders who have shown no session: a join that brings a list of
// members, a long post from a shell. Its token stands in the body or is anybody's to make up, so what such bodies hold
// meanwhile (45 MB at most) is bounded here, and not by any room's budget.
const strangers = 32

// readStranger reads a body of a sender without session by read. Errors: errSlowDown if it may be large and too many are.
func (s *Server) readStranger(c echo.Context, read func() error) error {
	if n := c.Request().ContentLength; n >= 0 && n <= proof {
		return read()
	}
	select {
	case s.strangers <- struct{}{}:
		defer func() { <-s.strangers }()
		return read()
	default:
		return later{errSlowDown, 2 * time.Second}
	}
}

// Of the large bodies of members, which the budget of their room does not count before they are whole, so many are read at a time, and
// so many of one room, so that one that stalls leaves places for the others. With the default sizes all hold 128 MiB at most.
const (
	allBodies  = 128
	roomBodies = 16
)

// crowd counts large bodies under way, by room.
type crowd struct {
	mu   sync.Mutex
	all  int                 // guarded by mu
	room map[wire.RoomID]int // guarded by mu
}

// enter takes a place; false: there is none.
func (w *crowd) enter(room wire.RoomID) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.all == allBodies || w.room[room] == roomBodies {
		return false
	}
	if w.room == nil {
		w.room = make(map[wire.RoomID]int)
	}
	w.all++
	w.room[room]++
	return true
}

func (w *crowd) leave(room wire.RoomID) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.all--
	if w.room[room]--; w.room[room] == 0 {
		delete(w.room, room)
	}
}

func (w *crowd) count(room wire.RoomID) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.room[room]
}

// readMember is readBytes for a body that may be large. Errors: errSlowDown besides those.
func (s *Server) readMember(c echo.Context, room wire.RoomID, max int) ([]byte, error) {
	if n := c.Request().ContentLength; n >= 0 && n <= proof {
		return readBytes(c, max)
	}
	if !s.bodies.enter(room) {
		return nil, later{errSlowDown, 2 * time.Second}
	}
	defer s.bodies.leave(room)
	return readBytes(c, max)
}

func isType[T error](err error) bool {
	_, ok := errors.AsType[T](err)
	return ok
}
