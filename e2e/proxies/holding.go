package proxies

import (
	"compress/gzip"
	"context"
	"net/http"
	"strings"
	"sync"
	"time"
)

// Hold keeps back the whole answer until it has ended, as antivirus gateways and content filters do.
type Hold struct {
	Status  bool          // the status and headers go at once, so that it looks as if all were well
	Trickle time.Duration // lets one byte through so often, to keep the client from giving up; 0: none
	Max     time.Duration // answers 504 when the server takes longer; 0: waits for ever
}

// Blocks passes only full blocks of Size bytes, and the rest at the end: the usual buffer.
type Blocks struct{ Size int }

// Preview keeps back the first Size bytes and then passes everything, as scanners do that look at the beginning.
type Preview struct{ Size int }

// OneBehind keeps back the newest piece until the next one comes.
type OneBehind struct{}

// Gzip compresses what the client takes compressed, and so keeps it back until the end, whatever no-transform says.
type Gzip struct{}

// Wrap implements Habit.
func (h Hold) Wrap(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodConnect {
			next.ServeHTTP(w, r)
			return
		}
		if h.Max > 0 {
			ctx, cancel := context.WithTimeoutCause(r.Context(), h.Max, errTime)
			defer cancel()
			r = r.WithContext(ctx)
		}
		b := &holdback{ResponseWriter: w, status: !h.Status && h.Trickle == 0, pass: func([]byte, int) int { return 0 }}
		if h.Trickle > 0 {
			stop := b.trickle(h.Trickle)
			defer stop()
		}
		defer func() {
			if !b.sent() && context.Cause(r.Context()) == errTime && recover() != nil {
				page(w, http.StatusGatewayTimeout, "scanning took too long")
			}
		}()
		next.ServeHTTP(b, r)
		b.end()
	})
}

// Wrap implements Habit.
func (h Blocks) Wrap(next http.Handler) http.Handler {
	return holdBack(next, func(held []byte, _ int) int { return len(held) / h.Size * h.Size })
}

// Wrap implements Habit.
func (h Preview) Wrap(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		seen := 0
		pass := func(held []byte, newest int) int {
			if seen += newest; seen < h.Size {
				return 0
			}
			return len(held)
		}
		b := &holdback{ResponseWriter: w, status: true, pass: pass}
		next.ServeHTTP(b, r)
		b.end()
	})
}

// Wrap implements Habit.
func (OneBehind) Wrap(next http.Handler) http.Handler {
	return holdBack(next, func(held []byte, newest int) int { return len(held) - newest })
}

func holdBack(next http.Handler, pass func(held []byte, newest int) int) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b := &holdback{ResponseWriter: w, pass: pass}
		next.ServeHTTP(b, r)
		b.end()
	})
}

// Wrap implements Habit.
func (Gzip) Wrap(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodConnect || !strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
			next.ServeHTTP(w, r)
			return
		}
		z := &zipped{ResponseWriter: w}
		next.ServeHTTP(z, r)
		if z.gzip != nil {
			z.gzip.Close()
		}
	})
}

type zipped struct {
	http.ResponseWriter
	gzip *gzip.Writer // nil: the answer was compressed before
}

func (z *zipped) WriteHeader(status int) {
	if z.Header().Get("Content-Encoding") == "" {
		z.Header().Set("Content-Encoding", "gzip")
		z.Header().Del("Content-Length")
		z.gzip = gzip.NewWriter(z.ResponseWriter)
	}
	z.ResponseWriter.WriteHeader(status)
}

func (z *zipped) Write(p []byte) (int, error) {
	if z.gzip == nil {
		return z.ResponseWriter.Write(p)
	}
	return z.gzip.Write(p)
}

func (z *zipped) Flush() {}

// holdback is a ResponseWriter that passes on only what pass allows: given all that is held and the length of its newest
// piece, it says how many bytes may go.
type holdback struct {
	http.ResponseWriter
	pass   func(held []byte, newest int) int
	status bool // is held back as well, until something goes

	mu   sync.Mutex // guards all below; the trickle is beside the handler
	code int
	gone bool // the status went
	held []byte
}

// Unwrap lets http.ResponseController reach the connection.
func (b *holdback) Unwrap() http.ResponseWriter { return b.ResponseWriter }

func (b *holdback) WriteHeader(code int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.code = code
	if !b.status {
		b.headLocked()
	}
}

func (b *holdback) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.held = append(b.held, p...)
	return len(p), b.letLocked(b.pass(b.held, len(p)))
}

// Flush is the server's wish, which does not count here; only what was let through already is not kept longer.
func (b *holdback) Flush() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.gone {
		http.NewResponseController(b.ResponseWriter).Flush()
	}
}

func (b *holdback) headLocked() {
	if b.gone {
		return
	}
	b.gone = true
	if b.code == 0 {
		b.code = http.StatusOK
	}
	b.ResponseWriter.WriteHeader(b.code)
}

func (b *holdback) letLocked(n int) error {
	if n == 0 {
		return nil
	}
	b.headLocked()
	_, err := b.ResponseWriter.Write(b.held[:n])
	b.held = append([]byte(nil), b.held[n:]...)
	if err == nil {
		http.NewResponseController(b.ResponseWriter).Flush()
	}
	return err
}

// end lets go of everything: the server has ended its answer as it should.
func (b *holdback) end() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.code == 0 && len(b.held) == 0 {
		return // a hijacked connection
	}
	b.headLocked()
	b.letLocked(len(b.held))
}

func (b *holdback) sent() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.gone
}

// trickle lets one byte go so often, until stop.
func (b *holdback) trickle(every time.Duration) (stop func()) {
	tick, done := time.NewTicker(every), make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				b.mu.Lock()
				b.letLocked(min(1, len(b.held)))
				b.mu.Unlock()
			case <-done:
				return
			}
		}
	})
	return func() { close(done); wg.Wait() }
}
