package proxies

import (
	"context"
	"errors"
	"net/http"
	"sync/atomic"
	"time"
)

// errTime is the cause of a context that ended because the proxy lost its patience.
var errTime = errors.New("the proxy's time is up")

// Life cuts every answer at this age; one that has not begun by then becomes a 504.
type Life struct{ After time.Duration }

// Idle cuts an answer in which nothing passed for so long; one that has not begun becomes a 504.
type Idle struct{ After time.Duration }

// Hole passes nothing more of an answer once it has this age, and tells nobody: both sides believe that all is well.
type Hole struct{ After time.Duration }

// Stall passes so many bytes of an answer that is no stream, and never the rest, as squid 5 does behind a scanner.
type Stall struct{ After int }

// Wrap implements Habit.
func (h Life) Wrap(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodConnect {
			next.ServeHTTP(w, r)
			return
		}
		ctx, cancel := context.WithTimeoutCause(r.Context(), h.After, errTime)
		defer cancel()
		next.ServeHTTP(w, r.WithContext(ctx))
	})
}

// Wrap implements Habit.
func (h Idle) Wrap(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodConnect {
			next.ServeHTTP(w, r)
			return
		}
		ctx, cancel := context.WithCancelCause(r.Context())
		defer cancel(nil)
		timer := time.AfterFunc(h.After, func() { cancel(errTime) })
		defer timer.Stop()
		next.ServeHTTP(&watched{w, func() { timer.Reset(h.After) }}, r.WithContext(ctx))
	})
}

// watched tells of each byte that passes.
type watched struct {
	http.ResponseWriter
	touch func()
}

func (w *watched) Unwrap() http.ResponseWriter { return w.ResponseWriter }

func (w *watched) WriteHeader(status int) {
	w.touch()
	w.ResponseWriter.WriteHeader(status)
}

func (w *watched) Write(p []byte) (int, error) {
	w.touch()
	return w.ResponseWriter.Write(p)
}

// Wrap implements Habit.
func (h Hole) Wrap(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodConnect {
			next.ServeHTTP(w, r)
			return
		}
		hole := &hole{ResponseWriter: w}
		defer time.AfterFunc(h.After, func() { hole.open.Store(true) }).Stop()
		client := r.Context()
		next.ServeHTTP(hole, r)
		if hole.open.Load() { // the end falls in as well
			<-client.Done()
		}
	})
}

type hole struct {
	http.ResponseWriter
	open atomic.Bool
}

func (h *hole) Unwrap() http.ResponseWriter { return h.ResponseWriter }

func (h *hole) WriteHeader(status int) {
	if !h.open.Load() {
		h.ResponseWriter.WriteHeader(status)
	}
}

func (h *hole) Write(p []byte) (int, error) {
	if h.open.Load() {
		return len(p), nil
	}
	return h.ResponseWriter.Write(p)
}

func (h *hole) Flush() {
	if !h.open.Load() {
		http.NewResponseController(h.ResponseWriter).Flush()
	}
}

// Wrap implements Habit.
func (h Stall) Wrap(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodConnect {
			w = &stalling{w, r.Context().Done(), h.After}
		}
		next.ServeHTTP(w, r)
	})
}

type stalling struct {
	http.ResponseWriter
	gone <-chan struct{}
	left int
}

func (s *stalling) Unwrap() http.ResponseWriter { return s.ResponseWriter }

func (s *stalling) Write(p []byte) (int, error) {
	if s.Header().Get("Content-Type") == "text/event-stream" {
		return s.ResponseWriter.Write(p)
	}
	n := min(s.left, len(p))
	s.left -= n
	if n, err := s.ResponseWriter.Write(p[:n]); n == len(p) || err != nil {
		return n, err
	}
	http.NewResponseController(s.ResponseWriter).Flush()
	<-s.gone
	return n, context.Canceled
}
