package client

import (
	"bytes"
	"errors"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"snug/e2e/proxies"
	"snug/hub"
)

// TestFilesThroughProxies: a file arrives as it was, through what limits bodies and forms.
func TestFilesThroughProxies(t *testing.T) {
	const octets = "application/octet-stream"
	tests := []struct {
		name   string
		habits []proxies.Habit
		size   int // of chunks in the end
	}{
		{"nothing in between", nil, 1 << 20},
		{"bodies over 64 KiB refused", []proxies.Habit{proxies.Limits{Body: 64 << 10}}, 64 << 10},
		{"bodies over 20 KiB refused", []proxies.Habit{proxies.Limits{Body: 20 << 10}}, 16 << 10},
		{"binary posts refused", []proxies.Habit{proxies.Types{Bodies: []string{octets}}}, 768 << 10},
		{"binary refused both ways", []proxies.Habit{proxies.Types{Bodies: []string{octets}, Answers: []string{octets}}}, 768 << 10},
		{"binary answered with pages", []proxies.Habit{proxies.Types{Answers: []string{octets}, Disguise: true}}, 1 << 20},
		{"text over 64 KiB refused", []proxies.Habit{proxies.Types{Bodies: []string{octets}}, proxies.Limits{Body: 64 << 10}}, 48 << 10},
		{"large bodies forbidden", []proxies.Habit{forbidden{64 << 10}}, 64 << 10},
		{"posts twice", []proxies.Habit{proxies.Twice{}}, 1 << 20},
		{"holds answers", []proxies.Habit{proxies.Hold{}}, 1 << 20},
		{"cuts at 2 s", []proxies.Habit{proxies.Life{After: 2 * time.Second}}, 1 << 20},
		{"long answers stop", []proxies.Habit{proxies.Stall{After: 64 << 10}}, 1 << 20},
		{"two connections", []proxies.Habit{proxies.Connections{Max: 2}}, 1 << 20},
		{"caches", []proxies.Habit{proxies.Cache{For: time.Hour}}, 1 << 20},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			r := newRelay(t, hub.Limits{}, nil)
			root := newRoot(t)
			conf := func(alias string) Config {
				return Config{Root: root, Alias: alias, Proxy: proxies.Start(t, proxies.Config{Habits: test.habits}).URL}
			}
			ann, bob := r.join(conf("ann")), r.collect(conf("bob"))
			ann.untilKind(KindJoined)
			content := randomContent(2<<20 + 17)
			parcel := ann.ship("a", content)
			bob.has(content)
			ann.untilDone(parcel)
			a := ann.current().api
			if got := a.chunks.size(a.asText.Load()); got != test.size {
				t.Errorf("chunks of %d, want %d", got, test.size)
			}
			r.holdsNoChunks()
		})
	}
}

// forbidden refuses large bodies with a 403.
type forbidden struct{ body int64 }

func (f forbidden) Wrap(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.ContentLength > f.body {
			w.WriteHeader(http.StatusForbidden)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// TestFileTooBigForTheNetwork: a network that lets nothing of a file pass.
func TestFileTooBigForTheNetwork(t *testing.T) {
	r := newRelay(t, hub.Limits{}, nil)
	root := newRoot(t)
	one := func(alias string) *person {
		return r.join(Config{Root: root, Alias: alias, Proxy: proxies.Start(t, proxies.Config{Habits: []proxies.Habit{proxies.Limits{Body: 3 << 10}}}).URL})
	}
	ann, _ := one("ann"), one("bob")
	ann.untilKind(KindJoined)
	content := randomContent(1 << 20)
	_, err := ann.SendFile(t.Context(), File{Name: "a", Size: int64(len(content)), Body: bytes.NewReader(content)})
	if big, ok := errors.AsType[*TooBigError](err); !ok || big.Size != 0 {
		t.Errorf("got %v", err)
	}
}

// TestFileHeldBack: more than the room may hold goes through as the others fetch.
func TestFileHeldBack(t *testing.T) {
	full := make(chan struct{})
	r := newRelay(t, hub.Limits{ChunkRoomBytes: 3 << 20}, nil)
	root := newRoot(t)
	ann := r.join(Config{Root: root, Alias: "ann", Proxy: proxies.Start(t, proxies.Config{Habits: []proxies.Habit{&refusals{full: full}}}).URL})
	bob := r.join(Config{Root: root, Alias: "bob"})
	ann.untilKind(KindJoined)
	content := randomContent(PushLimit + 100)
	parcel := ann.ship("a", content)
	e := bob.untilKind(KindFile)
	var got bytes.Buffer
	slow := writerFunc(func(p []byte) (int, error) {
		select {
		case <-full: // only then does it go on
		case <-time.After(30 * time.Second):
			t.Error("the room was never full")
		}
		return got.Write(p)
	})
	if err := bob.Fetch(e.File).Copy(t.Context(), slow); err != nil || !bytes.Equal(got.Bytes(), content) {
		t.Errorf("%d bytes, %v", got.Len(), err)
	}
	ann.untilDone(parcel)
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }

// refusals tells when the first answer of 429 passes.
type refusals struct {
	full chan struct{}
	once atomic.Bool
}

func (f *refusals) Wrap(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { next.ServeHTTP(&refusing{w, f}, r) })
}

type refusing struct {
	http.ResponseWriter
	f *refusals
}

func (r *refusing) Unwrap() http.ResponseWriter { return r.ResponseWriter }

func (r *refusing) WriteHeader(status int) {
	if status == http.StatusTooManyRequests && r.f.once.CompareAndSwap(false, true) {
		close(r.f.full)
	}
	r.ResponseWriter.WriteHeader(status)
}
