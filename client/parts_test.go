package client

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"

	"snug/client/e2ee"
	"snug/hub"
	"snug/wire"
)

// TestWholeEvents: an event cut short is never passed on, however the bytes arrive.
func TestWholeEvents(t *testing.T) {
	const in = ":\nevent: msg\ndata: {}\nid: a.1\n\nevent: hb\ndata: {}\n\nevent: msg\ndata: {}\nid: a.12"
	want, _, _ := strings.Cut(in, "event: msg\ndata: {}\nid: a.12")
	for name, r := range map[string]io.Reader{"at once": strings.NewReader(in), "byte by byte": iotest.OneByteReader(strings.NewReader(in))} {
		got, err := io.ReadAll(&wholeEvents{ReadCloser: io.NopCloser(r)})
		if string(got) != want || err != nil {
			t.Errorf("%s: got %q, %v", name, got, err)
		}
	}
	if _, err := io.ReadAll(&wholeEvents{ReadCloser: io.NopCloser(endless{})}); !errors.Is(err, errNotOurs) {
		t.Errorf("an event without end: %v", err)
	}
}

type endless struct{}

func (endless) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

// TestAnswersThatAreNotOurs: what networks answer in the relay's place.
func TestAnswersThatAreNotOurs(t *testing.T) {
	tests := []struct {
		name   string
		answer http.HandlerFunc
		want   string
	}{
		{"login at the proxy", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(407) }, "the proxy asks for a login (407)"},
		{"captive portal", func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "http://portal.example/", http.StatusFound)
		}, "the network sends us to another page, perhaps to log in"},
		{"block page", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/html; charset=utf-8")
			fmt.Fprint(w, "<h1>Blocked</h1>")
		}, "a page instead of the relay's answer (200)"},
		{"somebody's JSON", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, `{"ok":true}`) }, "an answer that is not the relay's (200)"},
		{"gateway", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(502) }, "the way to the relay is broken (502)"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			server := httptest.NewServer(test.answer)
			defer server.Close()
			_, err := Join(t.Context(), Config{Origin: server.URL, Root: newRoot(t), Alias: "ann"})
			if blocked, ok := errors.AsType[*BlockedError](err); !ok || blocked.Error() != test.want {
				t.Errorf("got %T %v, want %q", err, err, test.want)
			}
		})
	}
}

func TestJoinFails(t *testing.T) {
	r := newRelay(t, hub.Limits{RoomMembers: 1}, nil)
	root := newRoot(t)
	r.join(Config{Root: root, Alias: "ann"})
	good := Config{Origin: r.origin(), Root: root, Alias: "bob"}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	tests := []struct {
		name   string
		ctx    context.Context
		change func(*Config)
		want   func(error) bool
	}{
		{"members full", t.Context(), func(*Config) {}, func(err error) bool {
			relay, ok := errors.AsType[*RelayError](err)
			return ok && relay.Code == wire.CodeMembersFull && relay.RetryAfter == time.Minute
		}},
		{"nobody listens", t.Context(), func(c *Config) { c.Origin = "http://127.0.0.1:1" }, func(err error) bool {
			_, ok := errors.AsType[*NetworkError](err)
			return ok && !strings.Contains(err.Error(), "/r/")
		}},
		{"ctx is over", ended, func(*Config) {}, func(err error) bool { return errors.Is(err, context.Canceled) }},
		{"no room", t.Context(), func(c *Config) { c.Root = e2ee.Root{} }, func(err error) bool { return errors.Is(err, e2ee.ErrMalformed) }},
		{"no origin", t.Context(), func(c *Config) { c.Origin = "relay" }, func(err error) bool { return errors.Is(err, e2ee.ErrMalformed) }},
		{"no alias", t.Context(), func(c *Config) { c.Alias = "" }, func(err error) bool { return errors.Is(err, e2ee.ErrMalformed) }},
		{"a wrong link", t.Context(), func(c *Config) { c.Link = "https://x/#y" }, func(err error) bool { return errors.Is(err, e2ee.ErrMalformed) }},
		{"a wrong state", t.Context(), func(c *Config) { c.State = []byte("{}") }, func(err error) bool { return errors.Is(err, errNoState) }},
		{"an empty passphrase", t.Context(), func(c *Config) { c.Name = "x" }, func(err error) bool { return errors.Is(err, e2ee.ErrEmpty) }},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			c := good
			test.change(&c)
			if s, err := Join(test.ctx, c); !test.want(err) {
				t.Errorf("got %v, %v", s, err)
			}
		})
	}
}

// TestJoinGivenUp: a join that is given up after the relay has heard it leaves no member behind.
func TestJoinGivenUp(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	r := newRelay(t, hub.Limits{}, func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
			next.ServeHTTP(w, req)
			if ctx.Err() == nil {
				cancel()
				<-req.Context().Done() // the answer comes too late
			}
		})
	})
	if _, err := Join(ctx, Config{Origin: r.origin(), Root: newRoot(t), Alias: "ann"}); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	if n := r.hub.Stats().Members; n != 0 {
		t.Errorf("%d members remain", n)
	}
}

// TestSealedForWhomItSays: a message that was sealed before somebody joined is not posted as sealed for them, even if the join is
// heard of in between.
func TestSealedForWhomItSays(t *testing.T) {
	r := newRelay(t, hub.Limits{}, nil)
	root := newRoot(t)
	ann := r.join(Config{Root: root, Alias: "ann"})
	ann.out.hold(true)
	ann.send("hello")
	ann.out.mu.Lock()
	ann.out.sealLocked()
	ann.out.mu.Unlock()
	bob := r.join(Config{Root: root, Alias: "bob"})
	ann.untilKind(KindJoined)
	ann.out.hold(false)
	bob.sees("ann:hello")
}

// TestEnds: Leave and Close end everything, once and for all.
func TestEnds(t *testing.T) {
	r := newRelay(t, hub.Limits{}, nil)
	root := newRoot(t)
	ann := r.join(Config{Root: root, Alias: "ann"})
	bob := r.join(Config{Root: root, Alias: "bob"})
	r.kill()
	l := ann.send("never")
	ann.Close()
	ann.Close()
	<-ann.done
	if _, err := l.Posted(t.Context()); !errors.Is(err, ErrClosed) {
		t.Errorf("a letter of a closed session: %v", err)
	}
	if err := ann.Remove(t.Context(), bob.Self()); !errors.Is(err, ErrClosed) {
		t.Errorf("remove after close: %v", err)
	}
	if _, err := ann.Next(t.Context()); !errors.Is(err, ErrClosed) {
		t.Errorf("next after close: %v", err)
	}
	if err := bob.Leave(t.Context()); err == nil {
		t.Error("leaving a relay that is gone tells no error")
	}
	if err := bob.Leave(t.Context()); err != nil {
		t.Errorf("leaving twice: %v", err)
	}
}

// TestStopwatch: the ladder's time stands still while the caller has too much to do.
func TestStopwatch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newStopwatch()
		time.Sleep(time.Second)
		w.pause()
		w.pause()
		time.Sleep(time.Minute)
		if ms, running := w.now(); ms != 1000 || running {
			t.Errorf("halted: %d ms, %v", ms, running)
		}
		w.resume()
		w.resume()
		time.Sleep(time.Second)
		if ms, running := w.now(); ms != 2000 || !running {
			t.Errorf("running again: %d ms, %v", ms, running)
		}
	})
}

// TestOverHTTP2: sse.Client sends a Connection header, which HTTP/2 forbids and net/http leaves out.
func TestOverHTTP2(t *testing.T) {
	r := newRelay(t, hub.Limits{}, nil)
	server := httptest.NewUnstartedServer(r.server.Handler)
	server.EnableHTTP2 = true
	server.StartTLS()
	t.Cleanup(server.Close)
	root := newRoot(t)
	ann := r.join(Config{Origin: server.URL, HTTP: server.Client(), Root: root, Alias: "ann"})
	bob := r.join(Config{Origin: server.URL, HTTP: server.Client(), Root: root, Alias: "bob"})
	await(t, "live", func() bool { return ann.Status().State == StateLive && bob.Status().State == StateLive })
	ann.everybody(ann.say("hello"))
	bob.sees("ann:hello")
	ann.Close()
	bob.Close() // before the server, which waits for them
}
