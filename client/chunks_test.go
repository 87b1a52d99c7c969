package client

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"snug/e2e/proxies"
	"snug/hub"
	"snug/wire"
)

func newFile() (id wire.FileID, content []byte) {
	rand.Read(id[:]) // never fails
	content = make([]byte, 1<<20)
	rand.Read(content)
	return id, content
}

// fetch reads the chunks and says that they are here.
func (p *person) fetch(ids []wire.ChunkID) []byte {
	p.t.Helper()
	var out []byte
	for _, id := range ids {
		b, err := p.Chunk(p.t.Context(), id)
		if err != nil {
			p.t.Fatalf("%s fetches %d: %v", p.name, id.N, err)
		}
		out = append(out, b...)
		if err := p.GotChunks(p.t.Context(), id); err != nil {
			p.t.Fatal(err)
		}
	}
	return out
}

// two people, the first behind what the handler or the habits do.
func twoForChunks(t *testing.T, limits hub.Limits, wrap func(http.Handler) http.Handler, habits ...proxies.Habit) (r *relay, ann, bob *person) {
	t.Helper()
	r = newRelay(t, limits, wrap)
	root := newRoot(t)
	one := func(alias string) *person {
		return r.join(Config{Root: root, Alias: alias, Proxy: proxies.Start(t, proxies.Config{Habits: habits}).URL})
	}
	ann, bob = one("ann"), one("bob")
	ann.untilKind(KindJoined)
	return r, ann, bob
}

// TestChunksThroughProxies: a file arrives as it was, through what limits bodies and forms.
func TestChunksThroughProxies(t *testing.T) {
	const octets = "application/octet-stream"
	tests := []struct {
		name   string
		habits []proxies.Habit
		size   int // of chunks in the end
		n      int
		first  uint32
	}{
		{"nothing in between", nil, 256 << 10, 4, 0},
		{"bodies over 64 KiB refused", []proxies.Habit{proxies.Limits{Body: 64 << 10}}, 64 << 10, 16, 0},
		{"bodies over 20 KiB refused", []proxies.Habit{proxies.Limits{Body: 20 << 10}}, 16 << 10, 64, 0},
		// The first of these goes out whole, as nobody knows yet that it has to be text.
		{"binary posts refused", []proxies.Habit{proxies.Types{Bodies: []string{octets}}}, 192 << 10, 5, 0},
		{"binary refused both ways", []proxies.Habit{proxies.Types{Bodies: []string{octets}, Answers: []string{octets}}}, 192 << 10, 5, 0},
		{"binary answered with pages", []proxies.Habit{proxies.Types{Answers: []string{octets}, Disguise: true}}, 256 << 10, 4, 0},
		{"text over 64 KiB refused", []proxies.Habit{proxies.Types{Bodies: []string{octets}}, proxies.Limits{Body: 64 << 10}}, 48 << 10, 22, 0},
		{"large bodies forbidden", []proxies.Habit{forbidden{64 << 10}}, 64 << 10, 16, 1}, // whether it was for the size, a 403 does not say
		{"posts twice", []proxies.Habit{proxies.Twice{}}, 256 << 10, 4, 0},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			r, ann, bob := twoForChunks(t, hub.Limits{}, nil, test.habits...)
			file, content := newFile()
			ids, err := ann.PutChunks(t.Context(), file, bytes.NewReader(content))
			if err != nil {
				t.Fatal(err)
			}
			if got := bob.fetch(ids); !bytes.Equal(got, content) {
				t.Errorf("%d bytes arrived, and not those that were sent", len(got))
			}
			if got := ann.ChunkSize(); got != test.size {
				t.Errorf("chunks of %d, want %d", got, test.size)
			}
			if ids[0].N != test.first || len(ids) != test.n {
				t.Errorf("%d chunks from %d", len(ids), ids[0].N)
			}
			if got := r.hub.Stats().Chunks; got != 0 {
				t.Errorf("the relay still holds %d", got)
			}
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

// TestChunksTooBig: a network that lets nothing of a file pass.
func TestChunksTooBig(t *testing.T) {
	_, ann, _ := twoForChunks(t, hub.Limits{}, nil, proxies.Limits{Body: 3 << 10})
	file, content := newFile()
	ids, err := ann.PutChunks(t.Context(), file, bytes.NewReader(content))
	big, ok := errors.AsType[*TooBigError](err)
	if !ok || big.Size != 0 || len(ids) != 0 || ann.ChunkSize() != smallestChunk {
		t.Errorf("got %v, %v after %d chunks", err, ann.ChunkSize(), len(ids))
	}
	if err := ann.PutChunk(t.Context(), wire.ChunkID{File: file}, content[:1<<10]); err != nil {
		t.Errorf("a small one: %v", err)
	}
}

// TestChunksHeldBack: more than the room may hold goes through as the other fetches, and what nobody wants is no burden.
func TestChunksHeldBack(t *testing.T) {
	var full atomic.Int32
	r, ann, bob := twoForChunks(t, hub.Limits{ChunkRoomBytes: 600 << 10}, nil, count{&full})
	file, content := newFile()
	var ids []wire.ChunkID
	for n := range uint32(4) {
		ids = append(ids, wire.ChunkID{File: file, N: n})
	}
	fetched := make(chan []byte)
	go func() {
		for end := time.Now().Add(20 * time.Second); full.Load() == 0 && time.Now().Before(end); {
			time.Sleep(10 * time.Millisecond)
		}
		var all []byte
		for _, id := range ids {
			b, err := bob.Chunk(t.Context(), id)
			for ; isCode(err, wire.CodeNoChunk) && t.Context().Err() == nil; b, err = bob.Chunk(t.Context(), id) {
				time.Sleep(20 * time.Millisecond)
			}
			all = append(all, b...)
			bob.GotChunks(t.Context(), id)
		}
		fetched <- all
	}()
	if _, err := ann.PutChunks(t.Context(), file, bytes.NewReader(content)); err != nil {
		t.Fatal(err)
	}
	if got := <-fetched; !bytes.Equal(got, content) {
		t.Errorf("%d bytes arrived, and not those that were sent", len(got))
	}
	if full.Load() == 0 {
		t.Error("the room was never full")
	}
	unwanted, _ := newFile()
	if err := bob.SkipFiles(t.Context(), unwanted); err != nil {
		t.Fatal(err)
	}
	if _, err := ann.PutChunks(t.Context(), unwanted, bytes.NewReader(content)); !isCode(err, wire.CodeNobody) {
		t.Errorf("a file that nobody wants: %v", err)
	}
	if got := r.hub.Stats().Chunks; got != 0 {
		t.Errorf("the relay still holds %d", got)
	}
}

func isCode(err error, code string) bool {
	relay, ok := errors.AsType[*RelayError](err)
	return ok && relay.Code == code
}

// count counts answers of 429.
type count struct{ n *atomic.Int32 }

func (c count) Wrap(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { next.ServeHTTP(&counted{w, c.n}, r) })
}

type counted struct {
	http.ResponseWriter
	n *atomic.Int32
}

func (c *counted) Unwrap() http.ResponseWriter { return c.ResponseWriter }

func (c *counted) WriteHeader(status int) {
	if status == http.StatusTooManyRequests {
		c.n.Add(1)
	}
	c.ResponseWriter.WriteHeader(status)
}

// TestChunksAndRestart: the relay comes back with nothing. A sender in the middle is told, one at the beginning need not know.
func TestChunksAndRestart(t *testing.T) {
	r, ann, bob := twoForChunks(t, hub.Limits{}, nil)
	file, content := newFile()
	half := &interrupted{Reader: bytes.NewReader(content), at: 512 << 10, what: func() { r.kill(); r.start() }}
	if _, err := ann.PutChunks(t.Context(), file, half); !errors.Is(err, ErrForgotten) && !isCode(err, wire.CodeNobody) { // as bob is not back yet
		t.Errorf("got %v", err)
	}
	bob.everybody(bob.say("back"))
	ann.untilText("back")
	r.kill()
	r.start()
	put := func() (ids []wire.ChunkID, err error) {
		file, _ := newFile()
		return ann.PutChunks(t.Context(), file, bytes.NewReader(content))
	}
	ids, err := put()
	for end := time.Now().Add(20 * time.Second); isCode(err, wire.CodeNobody) && time.Now().Before(end); ids, err = put() {
		time.Sleep(50 * time.Millisecond) // bob is not back yet
	}
	if err != nil {
		t.Fatal(err)
	}
	if got := bob.fetch(ids); !bytes.Equal(got, content) {
		t.Errorf("%d bytes arrived, and not those that were sent", len(got))
	}
}

// interrupted does something when a reader has come so far.
type interrupted struct {
	io.Reader
	at   int
	what func()
}

func (i *interrupted) Read(p []byte) (n int, err error) {
	if i.at <= 0 && i.what != nil {
		i.what()
		i.what = nil
	}
	n, err = i.Reader.Read(p)
	i.at -= n
	return n, err
}

func TestChunksEnd(t *testing.T) {
	_, ann, _ := twoForChunks(t, hub.Limits{}, func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if strings.Contains(r.URL.Path, "/chunks") {
				w.WriteHeader(http.StatusBadGateway)
				return
			}
			next.ServeHTTP(w, r)
		})
	})
	file, content := newFile()
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if _, err := ann.PutChunks(ctx, file, bytes.NewReader(content)); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
	time.AfterFunc(100*time.Millisecond, ann.Close)
	if _, err := ann.Chunk(t.Context(), wire.ChunkID{File: file}); !errors.Is(err, ErrClosed) {
		t.Errorf("got %v", err)
	}
}
