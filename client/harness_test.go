package client

import (
	"context"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"snug/client/e2ee"
	"snug/handlers"
	"snug/hub"
)

// skipOrFail skips a test that needs something which is not here, and fails it where everything has to run.
func skipOrFail(t *testing.T, why string) {
	t.Helper()
	if os.Getenv("SNUG_TEST_ALL") == "1" {
		t.Fatal(why)
	}
	t.Skip(why)
}

// relay is a real relay that can be killed and started again, with fresh memory, on the same port.
type relay struct {
	t      *testing.T
	addr   string
	limits hub.Limits
	body   time.Duration                   // that a body may take; zero: as the relay has it
	wrap   func(http.Handler) http.Handler // what stands between the relay and its members

	hub    *hub.Memory
	server *http.Server
	served chan struct{}
}

func newRelay(t *testing.T, limits hub.Limits, wrap func(http.Handler) http.Handler) *relay {
	t.Helper()
	r := &relay{t: t, addr: "127.0.0.1:0", limits: limits, wrap: wrap}
	r.start()
	t.Cleanup(r.kill)
	return r
}

func (r *relay) start() {
	r.t.Helper()
	r.hub = hub.NewMemory(r.limits)
	s, err := handlers.New(handlers.Config{Hub: r.hub, Limits: r.limits.Wire(), BodyTimeout: r.body})
	if err != nil {
		r.t.Fatal(err)
	}
	ln, err := net.Listen("tcp", r.addr)
	if err != nil {
		r.t.Fatal(err)
	}
	r.addr = ln.Addr().String()
	var h http.Handler = s
	if r.wrap != nil {
		h = r.wrap(h)
	}
	r.server, r.served = &http.Server{Handler: h}, make(chan struct{})
	go func(server *http.Server, served chan struct{}) {
		server.Serve(ln)
		close(served)
	}(r.server, r.served)
}

// kill ends the relay at once, without a bye.
func (r *relay) kill() {
	r.server.Close()
	<-r.served
	r.hub.Close()
}

func (r *relay) origin() string { return "http://" + r.addr }

// person is a session with what it has seen.
type person struct {
	*Session
	t    *testing.T
	name string

	mu     sync.Mutex
	events []Event
	more   chan struct{}
	done   chan struct{}
}

// join lets somebody join who handles events at once.
func (r *relay) join(c Config) *person {
	r.t.Helper()
	p := r.enter(c)
	go p.read(func(Event) {})
	return p
}

// read handles events until the session ends.
func (p *person) read(handle func(Event)) {
	defer close(p.done)
	for e := range p.Events(context.Background()) {
		handle(e)
		p.mu.Lock()
		p.events = append(p.events, e)
		close(p.more)
		p.more = make(chan struct{})
		p.mu.Unlock()
	}
}

// enter is join without a reader.
func (r *relay) enter(c Config) *person {
	r.t.Helper()
	if c.Origin == "" {
		c.Origin = r.origin()
	}
	ctx, cancel := context.WithTimeout(r.t.Context(), 10*time.Second)
	defer cancel()
	s, err := Join(ctx, c)
	if err != nil {
		r.t.Fatalf("%s joins: %v", c.Alias, err)
	}
	r.t.Cleanup(s.Close)
	return &person{Session: s, t: r.t, name: c.Alias, more: make(chan struct{}), done: make(chan struct{})}
}

func (p *person) seen() []Event {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.events[:len(p.events):len(p.events)]
}

// until waits for an event that is as wanted.
func (p *person) until(what string, want func(Event) bool) Event {
	p.t.Helper()
	deadline := time.After(30 * time.Second)
	for i := 0; ; {
		p.mu.Lock()
		events, more := p.events, p.more
		p.mu.Unlock()
		for ; i < len(events); i++ {
			if want(events[i]) {
				return events[i]
			}
		}
		select {
		case <-more:
		case <-deadline:
			p.t.Fatalf("%s has not seen %s; it saw %s; %+v", p.name, what, summary(events), p.Status())
		}
	}
}

func (p *person) untilText(body string) Event {
	p.t.Helper()
	return p.until("the text "+body, func(e Event) bool { return e.Kind == KindText && e.Body == body })
}

func (p *person) untilKind(k Kind) Event {
	p.t.Helper()
	return p.until("an event "+string(k), func(e Event) bool { return e.Kind == k })
}

// texts are the bodies of what it could read.
func (p *person) texts() string {
	var out []string
	for _, e := range p.seen() {
		if e.Kind == KindText {
			out = append(out, e.Alias+":"+e.Body)
		}
	}
	return strings.Join(out, " ")
}

func summary(events []Event) string {
	var out []string
	for _, e := range events {
		out = append(out, string(e.Kind)+"("+e.Alias+" "+e.Body+e.Reason+")")
	}
	return strings.Join(out, " ")
}

// say sends and waits until the relay has it.
func (p *person) say(text string) *Letter {
	p.t.Helper()
	l, err := p.Send(p.t.Context(), text)
	if err != nil {
		p.t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(p.t.Context(), 30*time.Second)
	defer cancel()
	if _, err := l.Posted(ctx); err != nil {
		p.t.Fatalf("%s says %q: %v (%s)", p.name, text, err, l.Reason())
	}
	return l
}

// everybody waits until all have the message.
func (p *person) everybody(l *Letter) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.t.Context(), 30*time.Second)
	defer cancel()
	if err := l.Acked(ctx); err != nil {
		p.t.Fatalf("%s waits for everybody: %v", p.name, err)
	}
}

func newRoot(t *testing.T) e2ee.Root {
	t.Helper()
	root, err := e2ee.NewLinkRoot(nil)
	if err != nil {
		t.Fatal(err)
	}
	return root
}
