// Package handlers is the relay's HTTP side: it parses what comes in, asks a hub.Hub, and writes what goes out as
// docs/HTTP.md has it. It stores nothing, and it logs and measures no room, member, session, address, query or body.
//
// Start reading at Server.register, which shows every route.
package handlers

import (
	"cmp"
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/labstack/echo/v4"
	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/time/rate"

	"snug/hub"
	"snug/wire"
)

// Config is what a Server needs. Only Hub must be set.
type Config struct {
	Hub hub.Hub
	// Limits are told to clients and bound the bodies of messages and chunks; they should be the hub's own, hub.Limits.Wire.
	// Zero: those of a hub with default limits.
	Limits wire.Limits
	// Static is the page. Nil: there is none, and / gives the help text to everybody.
	Static fs.FS
	// Log gets one line for each request at debug level, and what goes wrong here at error level. Nil: no log.
	Log *slog.Logger
	// Metrics is where the counters are registered. Nil: they are kept and shown to nobody.
	Metrics prometheus.Registerer
	// PublicURL is the address people use, like https://snug.example, for the help text and the links in errors.
	// Empty: taken from each request.
	PublicURL string
	Streams   Streams
	// BodyTimeout is how long a request may take to send its body. Zero: 60 s, enough for a chunk over a poor line.
	BodyTimeout time.Duration
	// KnockEvery and ShellEvery are the steady pace of knocks and shell posts of one room, after a burst of
	// KnockBurst and ShellBurst. Zero: 5 s and 10, 200 ms and 50.
	KnockEvery, ShellEvery time.Duration
	KnockBurst, ShellBurst int

	headTime time.Duration // for the head of a request; zero: 10 s
	partTime time.Duration // for a part of a large answer; zero: 30 s, as the kernel may have much of it before it waits for a slow reader
}

// Streams tunes how events go out. Every zero field takes the value named beside it.
type Streams struct {
	Heartbeat time.Duration // where the client asks for none; zero: wire.DefaultHeartbeat
	Life      time.Duration // longest planned age of a stream; zero: wire.DefaultLife
	Hold      time.Duration // longest wait of polls and batches; zero: wire.MaxHold
	// Write is how long one write may wait for the reader before its stream is closed. Zero: 10 s, one heartbeat.
	Write time.Duration
	// Linger is how long a stream gathers events when it has written just now. Zero: 2 ms, which costs nobody anything
	// that shows and cuts the CPU of a busy room to a sixth. Negative: never.
	Linger time.Duration
	// PushThrough is how long after a burst a small comment follows, for scanners that stay one chunk behind.
	// Zero: 40 ms. Negative: never.
	PushThrough time.Duration
	// Spread is over how long clients are told to come back after a shutdown. Zero: 5 s.
	Spread time.Duration
	// Sink is how streams are written. Zero: SinkAuto.
	Sink Sink
}

// Sink is a way to write streams. They send the same bytes.
type Sink uint8

const (
	// SinkAuto takes SinkSocket where it can: streams over plain HTTP/1 over TCP on Linux, under an http.Server that Server.HTTP has made.
	SinkAuto Sink = iota
	// SinkGoroutine writes from a goroutine for each stream: to the connection, taken over from net/http, on HTTP/1.1, plain
	// or TLS; through net/http on HTTP/2 and HTTP/1.0, and batches.
	SinkGoroutine
	// SinkSocket takes the connection over and writes to its socket; an idle stream has no goroutine. New refuses it where
	// there is no such thing; connections that are not plain HTTP/1, and batches, still have a goroutine.
	SinkSocket
)

// Server is the relay's http.Handler. It is static after construction, but for draining and the rate limits.
type Server struct {
	conf    Config
	log     *slog.Logger
	echo    *echo.Echo
	page    page
	metrics *metrics
	knocks  *limiter
	shells  *limiter
	checks  *rate.Limiter
	buffers sync.Pool // of *[]byte, for sinks: an idle stream holds none
	start   time.Time // static; the clock of feeds counts from here
	sockets sockets
	taken   running // streams on connections that were taken over, with a goroutine
	lanes   lanes
	dates   dates
	tidy    tidy

	strangers chan struct{} // a place for each large body that is read of somebody who has shown no session
	bodies    crowd         // the large bodies of members

	checking  atomic.Int64 // requests of network checks under way
	drainOnce sync.Once
	draining  chan struct{} // closed by Drain
}

// New builds a Server and registers its metrics. Errors: a Config without a Hub, a Static that cannot be read, metrics
// that are registered already.
func New(conf Config) (*Server, error) {
	if conf.Hub == nil {
		return nil, errors.New("handlers: config without a hub")
	}
	conf = conf.withDefaults()
	s := &Server{
		conf:     conf,
		log:      cmp.Or(conf.Log, slog.New(slog.DiscardHandler)),
		echo:     echo.New(),
		metrics:  newMetrics(conf.Hub),
		knocks:   newLimiter(conf.KnockEvery, conf.KnockBurst),
		shells:   newLimiter(conf.ShellEvery, conf.ShellBurst),
		checks:   rate.NewLimiter(rate.Every(checkPace), checkBurst),
		draining: make(chan struct{}),
		start:    time.Now().Add(-time.Second), // so that no time is zero

		strangers: make(chan struct{}, strangers),
	}
	if conf.Streams.Sink == SinkSocket && !socketsWork {
		return nil, errors.New("handlers: this system has no sockets to write to directly")
	}
	var err error
	if s.page, err = loadPage(conf.Static); err != nil {
		return nil, err
	}
	if err = s.metrics.register(conf.Metrics); err != nil {
		return nil, err
	}
	s.register()
	return s, nil
}

func (c Config) withDefaults() Config {
	c.Limits = cmp.Or(c.Limits, hub.Limits{}.Wire())
	c.PublicURL = strings.TrimSuffix(c.PublicURL, "/")
	c.BodyTimeout = cmp.Or(c.BodyTimeout, 60*time.Second)
	c.headTime = cmp.Or(c.headTime, 10*time.Second)
	c.partTime = cmp.Or(c.partTime, 30*time.Second)
	c.KnockEvery = cmp.Or(c.KnockEvery, 5*time.Second)
	c.KnockBurst = cmp.Or(c.KnockBurst, 10)
	c.ShellEvery = cmp.Or(c.ShellEvery, 200*time.Millisecond)
	c.ShellBurst = cmp.Or(c.ShellBurst, 50)
	s := &c.Streams
	s.Heartbeat = cmp.Or(s.Heartbeat, wire.DefaultHeartbeat)
	s.Life = cmp.Or(s.Life, wire.DefaultLife)
	s.Hold = cmp.Or(s.Hold, wire.MaxHold)
	s.Write = cmp.Or(s.Write, 10*time.Second)
	s.Linger = cmp.Or(s.Linger, 2*time.Millisecond)
	s.PushThrough = cmp.Or(s.PushThrough, 40*time.Millisecond)
	s.Spread = cmp.Or(s.Spread, 5*time.Second)
	return c
}

// ServeHTTP answers one request. It may be called from any goroutine.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.echo.ServeHTTP(w, headAsGet(r)) }

// Drain tells every stream and poll to end: streams say bye with a delay spread over Streams.Spread, polls answer at
// once, and no new ones begin. It returns at once and may be called more than once; http.Server.Shutdown and Wait do the waiting.
func (s *Server) Drain() {
	s.drainOnce.Do(func() {
		close(s.draining)
		s.sockets.drain()
		s.lanes.drain()
	})
}

// Wait returns when the streams that http.Server.Shutdown does not know of have ended after Drain, and the requests that it
// does not know of are answered, or with ctx's error.
func (s *Server) Wait(ctx context.Context) error {
	if err := s.lanes.wait(ctx); err != nil {
		return err
	}
	if err := s.taken.wait(ctx); err != nil {
		return err
	}
	return s.sockets.wait(ctx)
}

// now is the clock of feeds. It is never zero.
func (s *Server) now() time.Duration { return time.Since(s.start) }

func (s *Server) isDraining() bool {
	select {
	case <-s.draining:
		return true
	default:
		return false
	}
}
