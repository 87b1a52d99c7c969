package handlers

import (
	"errors"
	"math/rand/v2"
	"net/http"
	"time"

	"github.com/labstack/echo/v4"

	"snug/hub"
	"snug/wire"
)

// streamRequest is what GET /r/{room}/stream asks for.
type streamRequest struct {
	caller
	after  wire.Cursor
	batch  bool // end after the first events, or after age
	octets bool // as octet-stream, for networks that hold text back
	hb     time.Duration
	age    time.Duration // planned, before jitter
}

// stream is GET /r/{room}/stream: events as they come. It ends the older stream of the session and changes nothing else.
func (s *Server) stream(c echo.Context) error {
	k, err := s.openStream(c)
	if k == nil {
		return err
	}
	defer k.sub.Close()
	s.closed(&k.feed, k.run(c.Request().Context().Done()))
	return nil
}

// openStream begins an answer that the goroutine of the request is to write. It returns nil if another or a socket writes it, or with an
// error. It is a function of its own so that what it needs is off the stack while the stream waits: when less than a fifth of
// a stack is in use the next garbage collection halves it.
func (s *Server) openStream(c echo.Context) (*sink, error) {
	req, err := s.parseStream(c)
	if err != nil {
		return nil, err
	}
	if s.isDraining() {
		return nil, later{hub.ErrClosed, s.spread()}
	}
	kind, of := req.kind()
	f := s.newFeed(req, s.metrics.kinds[kind])
	if conn := s.socketOf(c.Request()); conn != nil && !req.batch {
		return nil, s.streamSocket(c, conn, f, req)
	}
	if f.sub, err = s.conf.Hub.Subscribe(req.room, req.session, req.after, of); err != nil {
		return nil, err
	}
	if req.takesOver(c.Request()) {
		switch err := s.streamTaken(c, f, req.octets); {
		case err == nil:
			return nil, nil
		case !errors.Is(err, http.ErrNotSupported): // as in tests without a socket
			f.sub.Close()
			return nil, err
		}
	}
	s.opened(&f)
	streamHeaders(c, req.octets)
	c.Response().WriteHeader(http.StatusOK)
	return s.newSink(c, f), nil
}

func (s *Server) opened(f *feed) {
	f.count.open.Inc()
	s.tidy.changed()
}

func (s *Server) closed(f *feed, why string) {
	f.count.open.Dec()
	s.metrics.ended.WithLabelValues(why).Inc()
	s.tidy.changed()
}

func (s *Server) parseStream(c echo.Context) (req streamRequest, err error) {
	if req.caller, err = parseCaller(c); err != nil {
		return req, err
	}
	if req.after, err = param(req.query, "after", wire.ParseCursor); err != nil {
		return req, err
	}
	mode, err := req.query.oneOf("mode", "stream", "batch")
	if err != nil {
		return req, err
	}
	as, err := req.query.oneOf("as", "event-stream", "octet-stream")
	if err != nil {
		return req, err
	}
	req.batch, req.octets = mode == "batch", as == "octet-stream"
	own := s.conf.Streams
	if req.hb, err = req.query.seconds("hb", span{wire.MinHeartbeat, wire.MaxHeartbeat, own.Heartbeat}); err != nil {
		return req, err
	}
	life, err := req.query.seconds("life", span{wire.MinLife, own.Life, own.Life})
	if err != nil {
		return req, err
	}
	hold, err := req.query.seconds("hold", s.holdSpan())
	if req.age = life; req.batch {
		req.age = hold
	}
	return req, err
}

// kind is the metrics label and the hub's kind of the reader.
func (r streamRequest) kind() (string, hub.Kind) {
	switch {
	case r.batch:
		return kindBatch, hub.Batch
	case r.octets:
		return kindOctets, hub.Stream
	}
	return kindStream, hub.Stream
}

// takesOver tells whether a goroutine should write the stream to the connection itself. A batch is left to net/http, as it is where
// sockets are: it ends soon, and the next one wants the connection, which costs a proxy or a browser a new one otherwise.
func (r streamRequest) takesOver(of *http.Request) bool {
	return of.ProtoMajor == 1 && of.ProtoAtLeast(1, 1) && !r.batch
}

// streamHeaders are what gets a stream through proxies. The types have no charset, because some products know streams by
// the exact type only.
func streamHeaders(c echo.Context, asOctets bool) {
	h := c.Response().Header()
	h.Set("Content-Type", "text/event-stream")
	if asOctets {
		h.Set("Content-Type", octets)
	}
	h.Set("Cache-Control", "no-cache, no-store, no-transform")
	h.Set("X-Accel-Buffering", "no")
}

// spread is a random delay before coming back after a shutdown, so that not everybody comes at once.
func (s *Server) spread() time.Duration { return rand.N(s.conf.Streams.Spread) }

// jitter adds up to a tenth, so that streams opened together do not end together.
func jitter(d time.Duration) time.Duration { return d + rand.N(d/10+1) }
