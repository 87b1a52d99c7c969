package handlers

import (
	"encoding/base64"
	"fmt"
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
	body, err := readBytes(c, s.conf.Limits.Chunk)
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

// chunk is GET /r/{room}/chunks/{FILE.N}?s=&as=: the piece as it was put, or as base64url text for networks that refuse binary
// answers. Fetching it is no ack.
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
	body, err := s.conf.Hub.Chunk(who.room, who.session, id)
	if err != nil {
		return err
	}
	// Ciphertext is nothing to look at, and a download by hand must never be taken for a page of ours.
	c.Response().Header().Set("Content-Disposition", "attachment")
	if as == "text" {
		return blob(c, http.StatusOK, "text/plain", []byte(base64.RawURLEncoding.EncodeToString(body)))
	}
	return blob(c, http.StatusOK, octets, body)
}
