package handlers

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/labstack/echo/v4"
)

// paced writes an answer that may be large, each part under a deadline of its own: who stops reading is let go
// with what is held for it, and who reads slowly gets all of it, however long that takes.
type paced struct {
	c       echo.Context
	timeout time.Duration // for a part
	left    int           // bytes that the deadline is for
}

func (s *Server) paced(c echo.Context) *paced {
	return &paced{c: c, timeout: s.conf.partTime}
}

// Write implements io.Writer.
func (p *paced) Write(b []byte) (n int, err error) {
	for part := range slices.Chunk(b, maxWrite) {
		if p.left -= len(part); p.left < 0 {
			p.left = maxWrite
			_ = controller(p.c).SetWriteDeadline(time.Now().Add(p.timeout)) // in tests without a socket there is none
		}
		m, err := p.c.Response().Write(part)
		if n += m; err != nil {
			return n, err
		}
	}
	return n, nil
}

// large is answer for what may be large.
func (s *Server) large(c echo.Context, v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return err
	}
	return s.largeBlob(c, jsons, b)
}

func (s *Server) largeBlob(c echo.Context, kind string, b []byte) error {
	if len(b) <= maxWrite {
		return blob(c, http.StatusOK, kind, b)
	}
	beginBlob(c, kind, len(b))
	_, err := s.paced(c).Write(b)
	return err
}

// largeText is b as base64url, made while it is written, so that it is held for nobody.
func (s *Server) largeText(c echo.Context, b []byte) error {
	beginBlob(c, plain, base64.RawURLEncoding.EncodedLen(len(b)))
	w := base64.NewEncoder(base64.RawURLEncoding, s.paced(c))
	if _, err := w.Write(b); err != nil {
		return err
	}
	return w.Close()
}

func beginBlob(c echo.Context, kind string, size int) {
	h := c.Response().Header()
	h["Cache-Control"] = noStore
	h["Content-Length"] = []string{strconv.Itoa(size)}
	h["Content-Type"] = []string{kind}
	c.Response().WriteHeader(http.StatusOK)
}
