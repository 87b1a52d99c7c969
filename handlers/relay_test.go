package handlers

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"snug/hub"
	"snug/wire"
)

// patience is how long a test waits for what must come.
const patience = 10 * time.Second

// relay is a Server over real HTTP with a real hub, which keeps its log and metrics.
type relay struct {
	t       *testing.T
	conf    Config
	limits  hub.Limits
	hub     hub.Hub
	server  *Server
	web     *httptest.Server
	secure  bool // over TLS
	log     *syncBuffer
	metrics *prometheus.Registry
}

// newRelay starts a relay after edit has set it up.
func newRelay(t *testing.T, edit ...func(*relay)) *relay {
	t.Helper()
	r := &relay{t: t, log: &syncBuffer{}, metrics: prometheus.NewRegistry()}
	r.conf = Config{Metrics: r.metrics, Log: slog.New(slog.NewJSONHandler(r.log, &slog.HandlerOptions{Level: slog.LevelDebug}))}
	r.web = httptest.NewUnstartedServer(nil)
	for _, e := range edit {
		e(r)
	}
	if r.hub == nil {
		r.hub = hub.NewMemory(r.limits)
	}
	r.conf.Hub, r.conf.Limits = r.hub, r.limits.Wire()
	var err error
	if r.server, err = New(r.conf); err != nil {
		t.Fatal(err)
	}
	r.web.Config = r.server.HTTP("")
	if r.secure {
		r.web.StartTLS()
	} else {
		r.web.Listener = r.server.Listener(r.web.Listener)
		r.web.Start()
	}
	t.Cleanup(func() {
		r.server.Drain() // or Close would wait for the streams
		r.web.Close()
		r.hub.Close()
	})
	return r
}

// do sends one request as a program would and returns the answer with its body read.
func (r *relay) do(method, path, kind string, body []byte) (*http.Response, []byte) {
	r.t.Helper()
	req, err := http.NewRequest(method, r.web.URL+path, bytes.NewReader(body))
	if err != nil {
		r.t.Fatal(err)
	}
	if kind != "" {
		req.Header.Set("Content-Type", kind)
	}
	return r.send(req)
}

func (r *relay) send(req *http.Request) (*http.Response, []byte) {
	r.t.Helper()
	resp, err := r.web.Client().Do(req)
	if err != nil {
		r.t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		r.t.Fatal(err)
	}
	return resp, b
}

// call is do for what must succeed, with JSON back.
func call[T any](r *relay, method, path, kind string, body []byte) (out T) {
	r.t.Helper()
	resp, b := r.do(method, path, kind, body)
	if resp.StatusCode/100 != 2 {
		r.t.Fatalf("%s %s: got %d %s", method, path, resp.StatusCode, b)
	}
	if err := json.Unmarshal(b, &out); err != nil {
		r.t.Fatalf("%s %s: %v in %s", method, path, err, b)
	}
	return out
}

// room is a room that a test knows the access token of.
type room struct {
	*relay
	access wire.AccessToken
	id     wire.RoomID
}

func (r *relay) room(n byte) room {
	access := wire.AccessToken{n, 1}
	return room{r, access, access.Post().Room()}
}

// person is a member with a session.
type person struct {
	room
	secret wire.MemberSecret
	member wire.MemberID
	wire.Joined
	posted int
}

// join makes the nth person a member of the room, or joins it again.
func (r room) join(n int) *person {
	r.t.Helper()
	p := &person{room: r, secret: wire.MemberSecret{1, byte(n), byte(n >> 8)}}
	p.member = p.secret.Member()
	p.Joined = call[wire.Joined](r.relay, "POST", r.path("/join"), jsons, wire.MustJSON(wire.JoinRequest{
		Access: r.access, Secret: p.secret, Card: frame(byte(n)),
	}))
	return p
}

// path is the address of a resource of the room.
func (r room) path(resource string) string { return "/r/" + r.id.String() + resource }

// path is the address of a resource of the room with the person's session and further pairs of parameters.
func (p *person) path(resource string, more ...string) string {
	q := "?s=" + p.Session.String()
	for i := 0; i < len(more); i += 2 {
		q += "&" + more[i] + "=" + more[i+1]
	}
	return p.room.path(resource) + q
}

// post sends a frame with a message id of its own.
func (p *person) post(body []byte) wire.Posted {
	p.t.Helper()
	p.posted++
	id := wire.MessageID{p.member[0], p.member[1], byte(p.posted), byte(p.posted >> 8)}
	return call[wire.Posted](p.relay, "POST", p.path("/messages", "id", id.String()), octets, body)
}

func (p *person) ack(c wire.Cursor) {
	p.t.Helper()
	call[wire.OK](p.relay, "POST", p.path("/ack", "through", c.String()), "", nil)
}

func (p *person) poll(after wire.Cursor, hold int) wire.Polled {
	p.t.Helper()
	return call[wire.Polled](p.relay, "POST", p.path("/poll", "after", after.String(), "hold", fmt.Sprint(hold)), "", nil)
}

func parse[T any](t *testing.T, b []byte) (out T) {
	t.Helper()
	if err := json.Unmarshal(b, &out); err != nil {
		t.Fatalf("%v in %s", err, b)
	}
	return out
}

// frame is something that looks like a frame.
func frame(n byte) []byte { return sizedFrame(n, wire.MinFrame) }

func sizedFrame(n byte, size int) []byte {
	b := bytes.Repeat([]byte{n}, size)
	b[0] = 1
	return b
}

// sealed is something that looks like a JWE.
func sealed(payload string) string {
	e := base64.RawURLEncoding.EncodeToString
	return strings.Join([]string{e([]byte(`{"alg":"ECDH-ES","enc":"A256GCM"}`)), "", e([]byte("iv")), e([]byte(payload)), e([]byte("tag"))}, ".")
}

// gathered is all metrics as text, to search in.
func (r *relay) gathered() string {
	r.t.Helper()
	families, err := r.metrics.Gather()
	if err != nil {
		r.t.Fatal(err)
	}
	var b strings.Builder
	for _, f := range families {
		b.WriteString(f.String() + "\n")
	}
	return b.String()
}

// metric adds up the samples of a metric that have the label value, of all if it is empty.
func (r *relay) metric(name, label string) (sum float64) {
	r.t.Helper()
	families, err := r.metrics.Gather()
	if err != nil {
		r.t.Fatal(err)
	}
	for _, f := range families {
		for _, m := range f.GetMetric() {
			matches := label == ""
			for _, l := range m.GetLabel() {
				matches = matches || l.GetValue() == label
			}
			if f.GetName() == name && matches {
				sum += m.GetCounter().GetValue() + m.GetGauge().GetValue()
			}
		}
	}
	return sum
}

// eventually waits for what another goroutine brings about and gives no event for.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	late := time.After(patience)
	for !ok() {
		select {
		case <-tick.C:
		case <-late:
			t.Fatalf("never: %s", what)
		}
	}
}

// syncBuffer is a bytes.Buffer for many goroutines.
type syncBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *syncBuffer) Write(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(b)
}

func (s *syncBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}
