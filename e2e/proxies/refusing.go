package proxies

import (
	"encoding/base64"
	"mime"
	"net/http"
	"slices"
)

// Methods refuses all methods but these with 405.
type Methods struct{ Allow []string }

// Types refuses by media type. Disguise makes its refusals a page with 200 OK, as captive portals and block pages have it.
type Types struct {
	Answers  []string // content types of answers
	Bodies   []string // content types of request bodies
	Disguise bool
}

// Login wants a name and a password (407), on each request.
type Login struct{ User, Password string }

// Limits refuses what is larger: bodies with 413, URLs with 414. Zero: no limit.
type Limits struct {
	Body int64
	URL  int
}

// Blocked answers every request with a block page: a total block. Disguise: with 200.
type Blocked struct{ Disguise bool }

// Wrap implements Habit.
func (h Methods) Wrap(next http.Handler) http.Handler {
	return refuseIf(next, http.StatusMethodNotAllowed, func(r *http.Request) bool { return !slices.Contains(h.Allow, r.Method) })
}

// Wrap implements Habit.
func (h Limits) Wrap(next http.Handler) http.Handler {
	next = refuseIf(next, http.StatusRequestEntityTooLarge, func(r *http.Request) bool { return h.Body > 0 && r.ContentLength > h.Body })
	return refuseIf(next, http.StatusRequestURITooLong, func(r *http.Request) bool { return h.URL > 0 && len(r.RequestURI) > h.URL })
}

// Wrap implements Habit.
func (h Login) Wrap(next http.Handler) http.Handler {
	want := "Basic " + base64.StdEncoding.EncodeToString([]byte(h.User+":"+h.Password))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, inside := r.Context().Value(targetKey{}).(string)
		if !inside && r.Header.Get("Proxy-Authorization") != want {
			w.Header().Set("Proxy-Authenticate", `Basic realm="office"`)
			page(w, http.StatusProxyAuthRequired, "who are you?")
			return
		}
		next.ServeHTTP(w, r)
	})
}

// Wrap implements Habit.
func (h Blocked) Wrap(http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { block(w, h.Disguise) })
}

// Wrap implements Habit.
func (h Types) Wrap(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if slices.Contains(h.Bodies, mediaType(r.Header)) {
			block(w, h.Disguise)
			return
		}
		t := &typed{ResponseWriter: w, types: h}
		defer func() {
			if t.refused { // the rest of the answer ended in an error of its own
				_ = recover()
			}
		}()
		next.ServeHTTP(t, r)
	})
}

func refuseIf(next http.Handler, status int, bad func(*http.Request) bool) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if bad(r) {
			page(w, status, "not allowed here")
			return
		}
		next.ServeHTTP(w, r)
	})
}

func block(w http.ResponseWriter, disguise bool) {
	status := http.StatusForbidden
	if disguise {
		status = http.StatusOK
	}
	page(w, status, "blocked by policy")
}

func mediaType(h http.Header) string {
	kind, _, err := mime.ParseMediaType(h.Get("Content-Type"))
	if err != nil {
		return ""
	}
	return kind
}

// typed puts a block page in the place of answers of the wrong type.
type typed struct {
	http.ResponseWriter
	types   Types
	refused bool
}

func (t *typed) Unwrap() http.ResponseWriter { return t.ResponseWriter }

func (t *typed) WriteHeader(status int) {
	if t.refused = slices.Contains(t.types.Answers, mediaType(t.Header())); t.refused {
		clear(t.Header())
		block(t.ResponseWriter, t.types.Disguise)
		panic(http.ErrAbortHandler) // the server's answer is not read any further
	}
	t.ResponseWriter.WriteHeader(status)
}
