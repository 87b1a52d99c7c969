package handlers

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"runtime"
	"runtime/debug"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"snug/wire"
)

// requestTime bounds the answer of everything but a stream, which sets its own deadline for each write: the longest
// body and the longest hold fit in with half a minute to spare.
const requestTime = 2 * time.Minute

// observe counts each request and logs it at debug level: route pattern, method, status, time and size, nothing that the
// client chose. Outermost, so it sees the final status.
func (s *Server) observe(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		start := time.Now()
		if err := next(c); err != nil {
			c.Error(err)
		}
		if !handedOver(c) {
			s.answered(route(c), knownMethod(c.Request().Method), c.Response().Status, time.Since(start), c.Response().Size)
		}
		return nil
	}
}

// answered counts and logs a request.
func (s *Server) answered(route, method string, status int, took time.Duration, bytes int64) {
	s.metrics.request(route, method, status)
	if s.log.Enabled(context.Background(), slog.LevelDebug) {
		s.log.LogAttrs(context.Background(), slog.LevelDebug, "request",
			slog.String("route", route), slog.String("method", method), slog.Int("status", status),
			slog.Duration("took", took), slog.Int64("bytes", bytes))
	}
}

// knownMethod keeps made-up methods out of logs and labels.
func knownMethod(m string) string {
	switch m {
	case http.MethodGet, http.MethodPost, http.MethodPut, http.MethodHead, http.MethodOptions, http.MethodDelete:
		return m
	}
	return "other"
}

// recoverPanic turns a panic into a 500.
func (s *Server) recoverPanic(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) (err error) {
		defer func() {
			r := recover()
			if r == nil {
				return
			}
			if r == http.ErrAbortHandler { // ends the connection, on purpose
				panic(r)
			}
			s.panicked(route(c), r)
			err = errPanic
		}()
		return next(c)
	}
}

// panicked counts and logs a panic. The log gets the place; it gets the value only if the runtime made it, since any other
// may hold what a client sent.
func (s *Server) panicked(route string, r any) {
	s.metrics.panics.Inc()
	what := "not a runtime error"
	if e, ok := r.(runtime.Error); ok {
		what = e.Error()
	}
	s.log.Error("panic", "route", route, "what", what, "stack", string(debug.Stack()))
}

// errPanic has no row in the table of refusals, so it is 500 internal. It is logged where it is caught.
var errPanic = errors.New("handler panicked")

// commonHeaders sets the headers that every answer has.
func commonHeaders(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		h := c.Response().Header()
		h["X-Content-Type-Options"] = noSniff
		h["Referrer-Policy"] = noReferrer
		h["Cross-Origin-Resource-Policy"] = sameOrigin
		return next(c)
	}
}

// bound refuses what is too long and gives the answer a deadline.
func (s *Server) bound(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		if err := s.setDeadlines(c); err != nil && !errors.Is(err, http.ErrNotSupported) { // as in tests without a socket
			return err
		}
		if len(c.Request().RequestURI) > wire.MaxURL {
			return errURLTooLong
		}
		return next(c)
	}
}

// setDeadlines bounds the answer, and the body even where no handler reads it: net/http reads what a handler has left, to
// keep the connection.
func (s *Server) setDeadlines(c echo.Context) error {
	now := time.Now()
	if err := controller(c).SetWriteDeadline(now.Add(requestTime)); err != nil {
		return err
	}
	if c.Request().ContentLength == 0 {
		return nil
	}
	return controller(c).SetReadDeadline(now.Add(s.conf.BodyTimeout))
}

// noOptions makes OPTIONS a method like any other: Echo would answer 204, and there is nothing here for other origins.
func (s *Server) noOptions(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		allow, ok := c.Get(echo.ContextKeyHeaderAllow).(string)
		if !ok {
			return next(c)
		}
		c.Response().Header().Set("Allow", strings.TrimPrefix(allow, "OPTIONS, "))
		return echo.ErrMethodNotAllowed
	}
}

// controller reaches the connection. It goes around Echo's Response, whose Flush would swallow the error.
func controller(c echo.Context) *http.ResponseController {
	return http.NewResponseController(c.Response().Writer)
}
