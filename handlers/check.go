package handlers

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/labstack/echo/v4"

	"snug/hub"
	"snug/wire"
)

// The network check: what a page and snug check ask to learn what stands between them and here. All of it is stateless and bounded:
// a stream by wire.MaxCheckTime and wire.MaxCheckBytes, a body by wire.MaxCheckBody, all together by the two below.
const (
	maxChecks  = 64                   // streams and polls of checks open at once, a few dozen checks
	checkPace  = 5 * time.Millisecond // one check makes about 40 requests in 10 s
	checkBurst = 400
)

// checkText is GET /check for people at a terminal.
const checkText = `What does the network between you and this relay do to it?

  snug check {{URL}}          tells, with the reason and what to tell an administrator
  {{URL}}/check               the same in a browser

By hand, with curl: pieces that should come one by one, four a second. All at once means that something holds streams back.
  curl -N "{{URL}}/check/stream?every=250&count=8"
`

// checkPage is what /check/page answers: a document of the kind that some networks write into. The page and the program compare it.
const checkPage = "<!doctype html>\n<html lang=\"en\"><head><title>check</title></head>\n<body><p>Nothing is to be added to this, and nothing taken away.</p></body></html>\n"

// check is GET /check: the page that looks at the network, or a text.
func (s *Server) check(c echo.Context) error {
	c.Response().Header().Add("Vary", "Accept, User-Agent")
	page, ok := s.page["/check"]
	if !ok || wantsText(c.Request()) {
		return text(c, http.StatusOK, renderText(checkText, s.origin(c)))
	}
	return page.serve(c)
}

// beginCheck counts a request of a check in, and refuses it when there are too many. end must be called.
func (s *Server) beginCheck() (end func(), err error) {
	if s.isDraining() {
		return nil, later{hub.ErrClosed, s.spread()}
	}
	if n := s.checking.Add(1); n > maxChecks || !s.checks.Allow() {
		s.checking.Add(-1)
		return nil, later{errChecksBusy, 5 * time.Second}
	}
	return func() { s.checking.Add(-1) }, nil
}

// checkEcho is GET /check/echo: which headers have arrived, by name, and the answer's own number, so that a cached one is known.
func (s *Server) checkEcho(c echo.Context) error {
	end, err := s.beginCheck()
	if err != nil {
		return err
	}
	defer end()
	r := c.Request()
	e := wire.CheckEcho{Answer: strconv.FormatUint(rand.Uint64(), 36), Protocol: r.Proto, Via: r.Header.Get("Via"), Page: checkPage, Headers: []string{}}
	for name := range r.Header {
		e.Headers = append(e.Headers, name)
	}
	slices.Sort(e.Headers)
	return answer(c, http.StatusOK, e)
}

// checkDocument is GET /check/page.
func (s *Server) checkDocument(c echo.Context) error {
	c.Response().Header().Set("Content-Security-Policy", "sandbox; default-src 'none'")
	return blob(c, http.StatusOK, "text/html; charset=utf-8", []byte(checkPage))
}

// checkPost is POST /check/post: how much of a body arrives, and whether as it was sent. Nothing of it is kept.
func (s *Server) checkPost(c echo.Context) error {
	end, err := s.beginCheck()
	if err != nil {
		return err
	}
	defer end()
	kind, err := mediaType(c.Request(), octets)
	if err != nil || (kind != octets && kind != plain) {
		return errMediaType
	}
	r := c.Request()
	if r.ContentLength > wire.MaxCheckBody {
		return hub.ErrTooLarge
	}
	p := wire.CheckPosted{Intact: true, Chunked: r.ContentLength < 0}
	buf := make([]byte, 16<<10)
	for err == nil {
		var n int
		n, err = r.Body.Read(buf)
		for _, b := range buf[:n] {
			p.Intact = p.Intact && b == wire.CheckByte(p.Bytes)
			p.Bytes++
		}
		if p.Bytes > wire.MaxCheckBody {
			return hub.ErrTooLarge
		}
	}
	if err != io.EOF {
		return errBodyLate
	}
	return answer(c, http.StatusOK, p)
}

// checkPoll is POST /check/poll: an answer after hold seconds, as a long poll has it.
func (s *Server) checkPoll(c echo.Context) error {
	q, err := parseQuery(c.Request().URL.RawQuery)
	if err != nil {
		return err
	}
	hold, err := q.seconds("hold", span{0, s.conf.Streams.Hold, 0})
	if err != nil {
		return err
	}
	end, err := s.beginCheck()
	if err != nil {
		return err
	}
	defer end()
	if !s.pause(c.Request().Context(), time.Now().Add(hold)) {
		return later{hub.ErrClosed, s.spread()}
	}
	return ok(c)
}

// checkStream is GET /check/stream: count pieces of size bytes, one every so many milliseconds, each with its number and the time
// since the beginning. Otherwise a stream like those of a room.
func (s *Server) checkStream(c echo.Context) error {
	plan, err := parsePieces(c)
	if err != nil {
		return err
	}
	end, err := s.beginCheck()
	if err != nil {
		return err
	}
	defer end()
	streamHeaders(c, plan.octets)
	began := time.Now()
	out := append([]byte(preamble), "\n"...)
	for n := 0; ; n++ {
		if _, err := c.Response().Writer.Write(out); err != nil {
			return err
		}
		if err := controller(c).Flush(); err != nil {
			return err
		}
		if n == plan.count || !s.pause(c.Request().Context(), began.Add(time.Duration(n+1)*plan.every)) {
			return nil
		}
		data, err := json.Marshal(wire.CheckPiece{N: n, At: time.Since(began).Milliseconds()})
		if err != nil {
			return err
		}
		out = fmt.Appendf(out[:0], "event: piece\ndata: %s\n\n", data)
		if fill := plan.size - len(out) - len(":\n\n"); fill > 0 {
			out = fmt.Appendf(out, ":%0*d\n\n", fill, 0)
		}
	}
}

// pieces is what GET /check/stream asks for, within bounds.
type pieces struct {
	octets      bool
	every       time.Duration
	count, size int
}

func parsePieces(c echo.Context) (p pieces, err error) {
	q, err := parseQuery(c.Request().URL.RawQuery)
	if err != nil {
		return p, err
	}
	as, err := q.oneOf("as", "event-stream", "octet-stream")
	if err != nil {
		return p, err
	}
	p.octets = as == "octet-stream"
	var millis int
	for _, n := range []struct {
		name               string
		into               *int
		min, max, fallback int
	}{{"every", &millis, 20, 30_000, 20}, {"count", &p.count, 1, 200, 1}, {"size", &p.size, 0, 16 << 10, 0}} {
		v, err := optional(q, n.name, strconv.Atoi)
		if err != nil {
			return p, fmt.Errorf("parameter %s: %w: want a whole number", n.name, wire.ErrMalformed)
		}
		if *n.into = n.fallback; v != nil {
			*n.into = min(max(*v, n.min), n.max)
		}
	}
	p.every = time.Duration(millis) * time.Millisecond
	p.count = min(p.count, int(wire.MaxCheckTime/p.every))
	if p.size > 0 {
		p.count = min(p.count, wire.MaxCheckBytes/p.size)
	}
	return p, nil
}

// pause waits for a moment; false: the reader has gone, or the relay goes down.
func (s *Server) pause(ctx context.Context, until time.Time) bool {
	timer := time.NewTimer(time.Until(until))
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
	case <-s.draining:
	}
	return false
}
