package proxies

import (
	"bytes"
	"io"
	"maps"
	"net/http"
	"slices"
	"sync"
	"time"
)

// Headers takes away headers.
type Headers struct {
	Keep []string // the only ones of a request that pass, with what HTTP itself needs; nil: all
	Drop []string // of an answer
}

// HTTP10 answers as HTTP/1.0: no chunks, no keep-alive, the end of the connection is the end of the answer. It must be the first of a
// proxy's habits.
type HTTP10 struct{}

// Twice sends each POST to the server two times, one after the other, and returns the second answer.
type Twice struct{}

// Cache answers a GET for so long from what it has seen, whatever the server says about that.
type Cache struct {
	For       time.Duration
	BlindPath bool // takes URLs that differ in the query alone for the same
}

// Connections lets so many requests go on at the same time. The others wait.
type Connections struct {
	Max    int
	Refuse bool // they get a 503 instead
}

// Wrap implements Habit.
func (h Headers) Wrap(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if h.Keep != nil && r.Method != http.MethodConnect {
			kept := r.Clone(r.Context())
			maps.DeleteFunc(kept.Header, func(name string, _ []string) bool {
				return name != "Content-Length" && !slices.Contains(h.Keep, name)
			})
			if kept.Header["User-Agent"] == nil {
				kept.Header["User-Agent"] = nil // or net/http sets its own
			}
			r = kept
		}
		next.ServeHTTP(&stripped{w, h.Drop}, r)
	})
}

type stripped struct {
	http.ResponseWriter
	drop []string
}

func (s *stripped) Unwrap() http.ResponseWriter { return s.ResponseWriter }

func (s *stripped) WriteHeader(status int) {
	for _, name := range s.drop {
		s.Header().Del(name)
	}
	s.ResponseWriter.WriteHeader(status)
}

// Wrap implements Habit.
func (HTTP10) Wrap(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked := r.Clone(r.Context()) // this one goes on to the server
		if r.Method != http.MethodConnect {
			// net/http's server words its answer by the request it has read, so this makes the answer one of HTTP/1.0.
			r.Proto, r.ProtoMajor, r.ProtoMinor = "HTTP/1.0", 1, 0
			w.Header().Set("Connection", "close")
		}
		next.ServeHTTP(w, asked)
	})
}

// Wrap implements Habit.
func (Twice) Wrap(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodPost {
			next.ServeHTTP(w, r)
			return
		}
		body, err := io.ReadAll(r.Body)
		if err != nil {
			panic(http.ErrAbortHandler)
		}
		again := func() *http.Request {
			c := r.Clone(r.Context())
			c.Body = io.NopCloser(bytes.NewReader(body))
			return c
		}
		next.ServeHTTP(&recorder{header: http.Header{}}, again())
		next.ServeHTTP(w, again())
	})
}

// Wrap implements Habit.
func (h Cache) Wrap(next http.Handler) http.Handler {
	var mu sync.Mutex
	seen := map[string]*recorder{}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet {
			next.ServeHTTP(w, r)
			return
		}
		key := r.Host + r.URL.Path
		if !h.BlindPath {
			key += "?" + r.URL.RawQuery
		}
		mu.Lock()
		old := seen[key]
		mu.Unlock()
		if old != nil && time.Since(old.at) < h.For {
			maps.Copy(w.Header(), old.header)
			w.Header().Set("Age", "1")
			w.WriteHeader(old.status)
			w.Write(old.body.Bytes())
			return
		}
		both := &recorder{header: w.Header(), to: w}
		next.ServeHTTP(both, r)
		if both.status == http.StatusOK {
			mu.Lock()
			defer mu.Unlock()
			both.at, both.header, both.to = time.Now(), both.header.Clone(), nil
			seen[key] = both
		}
	})
}

// recorder keeps an answer, and passes it on if there is somebody.
type recorder struct {
	header http.Header
	to     http.ResponseWriter // nil: nobody
	status int
	body   bytes.Buffer
	at     time.Time
}

func (r *recorder) Header() http.Header { return r.header }

func (r *recorder) WriteHeader(status int) {
	r.status = status
	if r.to != nil {
		r.to.WriteHeader(status)
	}
}

func (r *recorder) Write(p []byte) (int, error) {
	r.body.Write(p)
	if r.to != nil {
		return r.to.Write(p)
	}
	return len(p), nil
}

func (r *recorder) Flush() {
	if r.to != nil {
		http.NewResponseController(r.to).Flush()
	}
}

// Wrap implements Habit.
func (h Connections) Wrap(next http.Handler) http.Handler {
	free := make(chan struct{}, h.Max)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if h.Refuse && len(free) == h.Max {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		select {
		case free <- struct{}{}:
			defer func() { <-free }()
			next.ServeHTTP(w, r)
		case <-r.Context().Done():
		}
	})
}
