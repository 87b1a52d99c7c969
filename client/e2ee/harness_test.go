package e2ee

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"testing"
	"time"

	"snug/wire"
)

// skipOrFail skips a test that needs something which is not here, and fails it where everything has to run.
func skipOrFail(t *testing.T, why string) {
	t.Helper()
	if os.Getenv("SNUG_TEST_ALL") == "1" {
		t.Fatal(why)
	}
	t.Skip(why)
}

// hx is hexadecimal in JSON.
type hx []byte

func (h hx) MarshalText() ([]byte, error) { return []byte(hex.EncodeToString(h)), nil }
func (h *hx) UnmarshalText(b []byte) (err error) {
	*h, err = hex.DecodeString(string(b))
	return err
}

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// stream is randomness that is the same in each run: SHA-256 of a name and a counter.
type stream struct {
	name string
	n    uint64
	buf  []byte
}

func (s *stream) Read(p []byte) (int, error) {
	for len(s.buf) < len(p) {
		sum := sha256.Sum256(binary.BigEndian.AppendUint64([]byte(s.name), s.n))
		s.n++
		s.buf = append(s.buf, sum[:]...)
	}
	n := copy(p, s.buf)
	s.buf = s.buf[n:]
	return n, nil
}

func seeded(name string) io.Reader { return &stream{name: name} }

// fixed gives 32 bytes that follow from a name.
func fixed(name string) [32]byte { return sha256.Sum256([]byte("snug test " + name)) }

// must takes the error of a call that cannot fail in this test.
func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// clock is a clock that stands still until told.
type clock struct{ t time.Time }

func newClock() *clock { return &clock{time.UnixMilli(1_800_000_000_000)} }

func (c *clock) now() time.Time       { return c.t }
func (c *clock) pass(d time.Duration) { c.t = c.t.Add(d) }
func say(text string) []byte          { return fmt.Appendf(nil, `{"k":"text","body":%q}`, text) }
func idOf(name string) wire.MemberID  { return MemberID(wire.MemberSecret(fixed(name + " secret"))) }
func testIdentity(name string) Identity {
	return Identity{wire.MemberSecret(fixed(name + " secret")), fixed(name + " seed")}
}

// room is some members in one room, each of whom has learned the cards of the others.
type room struct {
	t      testing.TB
	root   Root
	clock  *clock
	member map[string]*Group
}

func newRoom(t testing.TB, names ...string) *room {
	r := &room{t: t, root: Root(fixed(t.Name())), clock: newClock(), member: make(map[string]*Group)}
	for _, name := range names {
		r.join(name)
	}
	return r
}

// enter makes a member that nobody knows yet.
func (r *room) enter(name string) *Group {
	id := testIdentity(name)
	return r.enterAs(name, id)
}

func (r *room) enterAs(name string, id Identity) *Group {
	r.t.Helper()
	g, err := NewGroup(Config{Root: r.root, Identity: &id, Alias: name, Now: r.clock.now, Rand: seeded(r.t.Name() + name)})
	if err != nil {
		r.t.Fatal(err)
	}
	return g
}

func (r *room) join(name string) *Group {
	r.t.Helper()
	g := r.enter(name)
	for other, o := range r.member {
		if s := o.Learn(g.Self(), must(g.Card())); s != StatusNew {
			r.t.Fatalf("%s learns %s: %v", other, name, s)
		}
		if s := g.Learn(o.Self(), must(o.Card())); s != StatusNew {
			r.t.Fatalf("%s learns %s: %v", name, other, s)
		}
	}
	r.member[name] = g
	return g
}

// leave takes a member out, for all who remain.
func (r *room) leave(name string) *Group {
	g := r.member[name]
	delete(r.member, name)
	for _, o := range r.member {
		o.Left(g.Self())
	}
	return g
}

// send seals text; the frames are not delivered.
func (r *room) send(from, text string) [][]byte {
	r.t.Helper()
	frames, err := r.member[from].Seal(say(text))
	if err != nil {
		r.t.Fatal(err)
	}
	return frames
}

// sees delivers frames of from to a member and compares what the last of them was: "content: BODY", a kind, or a reason.
func (r *room) sees(name, from, want string, frames ...[]byte) {
	r.t.Helper()
	g := r.member[name]
	if g == nil {
		r.t.Fatalf("no member %s", name)
	}
	if got := deliver(g, idOf(from), frames...); got != want {
		r.t.Errorf("%s opens a frame from %s: got %q, want %q", name, from, got, want)
	}
}

func deliver(g *Group, from wire.MemberID, frames ...[]byte) string {
	got := ""
	for _, f := range frames {
		o, err := g.Open(from, f)
		switch {
		case err != nil:
			got = Reason(err)
		case o.Kind == KindContent:
			got = "content: " + string(o.Content)
		default:
			got = o.Kind.String()
		}
	}
	return got
}

func content(text string) string { return "content: " + string(say(text)) }
