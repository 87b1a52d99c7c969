package handlers

import (
	"context"
	"fmt"
	"math"
	"net/http"

	"github.com/labstack/echo/v4"

	"snug/wire"
)

// putChunk is POST /r/{room}/chunks?s=&id=FILE.N: a piece of a file for all the others.
func (s *Server) putChunk(c echo.Context) error {
	who, err := s.parseSender(c)
	if err != nil {
		return err
	}
	id, err := param(who.query, "id", wire.ParseChunkID)
	if err != nil {
		return err
	}
	body, err := s.readMember(c, who.room, s.conf.Limits.Chunk)
	if err != nil {
		return err
	}
	if len(body) == 0 {
		return fmt.Errorf("body: %w: an empty chunk", wire.ErrMalformed)
	}
	if err := s.conf.Hub.PutChunk(who.room, who.session, id, body); err != nil {
		return err
	}
	return ok(c)
}

// chunk is GET /r/{room}/chunks/{FILE.N}?s=&as=&hold=&from=&size=: the piece as it was put, or as base64url text for networks that refuse binary
// answers, or size bytes of it for those that refuse large ones. If it is not there yet, it is waited for up to hold, none by default. Fetching it is no ack.
func (s *Server) chunk(c echo.Context) error {
	who, err := parseCaller(c)
	if err != nil {
		return err
	}
	id, err := wire.ParseChunkID(c.Param("chunk"))
	if err != nil {
		return err
	}
	as, err := who.query.oneOf("as", "octet-stream", "text")
	if err != nil {
		return err
	}
	from, err := who.query.number("from", 0)
	if err != nil {
		return err
	}
	size, err := who.query.number("size", math.MaxUint64)
	if err != nil {
		return err
	}
	var body []byte
	err = s.hold(c, who.query, func() (more <-chan struct{}, err error) {
		body, more, err = s.conf.Hub.Chunk(who.room, who.session, id)
		return more, err
	})
	if err != nil {
		return err
	}
	body = body[min(from, uint64(len(body))):]
	body = body[:min(size, uint64(len(body)))]
	// Ciphertext is nothing to look at, and a download by hand must never be taken for a page of ours.
	c.Response().Header().Set("Content-Disposition", "attachment")
	if as == "text" {
		return s.largeText(c, body)
	}
	return s.largeBlob(c, octets, body)
}

// owed is GET /r/{room}/files/{FILE}?s=&hold=: what is held of a transfer, and for whom. It waits up to hold until that is nothing.
func (s *Server) owed(c echo.Context) error {
	who, err := parseCaller(c)
	if err != nil {
		return err
	}
	file, err := wire.ParseFileID(c.Param("file"))
	if err != nil {
		return err
	}
	var owed wire.Owed
	err = s.hold(c, who.query, func() (more <-chan struct{}, err error) {
		if owed, more, err = s.conf.Hub.Owed(who.room, who.session, file); owed.Chunks == 0 {
			more = nil
		}
		return more, err
	})
	if err != nil {
		return err
	}
	return answer(c, http.StatusOK, owed)
}

// hold waits for the seconds that the query gives, none by default.
func (s *Server) hold(c echo.Context, q query, ask func() (more <-chan struct{}, err error)) error {
	held := s.holdSpan()
	held.fallback = 0
	d, err := q.seconds("hold", held)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(c.Request().Context(), d)
	defer cancel()
	return s.await(ctx, ask)
}

// await asks again whenever there may be more, until there is nothing to wait for, ctx ends or the relay drains. It gives the last error.
func (s *Server) await(ctx context.Context, ask func() (more <-chan struct{}, err error)) error {
	for {
		more, err := ask()
		if more == nil {
			return err
		}
		select {
		case <-more:
		case <-ctx.Done():
			return err
		case <-s.draining:
			return err
		}
	}
}
