package e2e

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"snug/client"
	"snug/client/e2ee"
	"snug/e2e/proxies"
	"snug/handlers"
	"snug/hub"
)

// house is a relay for people without a browser, on a plain port or on one with TLS.
type house struct {
	hub    *hub.Memory
	addr   string
	public *proxies.CA // that its certificate is from; nil: plain
}

func newHouse(t testing.TB, streams handlers.Streams, public *proxies.CA) *house {
	t.Helper()
	limit(t, testTime, func() string { return "" })
	h := &house{hub: hub.NewMemory(hub.Limits{}), public: public}
	server, err := handlers.New(handlers.Config{Hub: h.hub, Limits: hub.Limits{}.Wire(), Streams: streams})
	if err != nil {
		t.Fatal(err)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	h.addr = ln.Addr().String()
	if public != nil {
		cert, err := public.Certificate("127.0.0.1")
		if err != nil {
			t.Fatal(err)
		}
		ln = tls.NewListener(ln, &tls.Config{Certificates: []tls.Certificate{*cert}, NextProtos: []string{"http/1.1"}})
	}
	s := server.HTTP(h.addr)
	var served sync.WaitGroup
	served.Go(func() { s.Serve(ln) })
	t.Cleanup(func() {
		s.Close()
		served.Wait()
		h.hub.Close()
	})
	return h
}

func (h *house) origin() string {
	if h.public != nil {
		return "https://" + h.addr
	}
	return "http://" + h.addr
}

// way is how one person reaches the relay.
type way struct {
	origin string
	proxy  *url.URL       // nil: none
	trust  *x509.CertPool // whose certificates are trusted; nil: the relay is plain
}

func (w way) config() client.Config {
	c := client.Config{Origin: w.origin, Proxy: w.proxy}
	if w.trust != nil {
		tr := client.Transport(w.proxy)
		tr.TLSClientConfig = &tls.Config{RootCAs: w.trust}
		c.HTTP = &http.Client{Transport: tr}
	}
	return c
}

// talker is somebody with a client, who counts what arrives.
type talker struct {
	*client.Session
	name string
	come time.Time // when joining began

	fetching sync.WaitGroup

	mu       sync.Mutex
	changed  chan struct{} // closed and replaced at each change; this and all below is guarded by mu
	statuses []change
	sent     []time.Time
	letters  []*client.Letter
	got      []arrival
	files    []received
	trouble  []string // events that should not be
}

type change struct {
	client.Status
	at time.Time
}

// arrival is a numbered text of the other.
type arrival struct {
	number int
	at     time.Time
	posted int64 // by the relay's clock, in milliseconds
}

// join brings somebody in. Joining itself is tried until it works, as a person would.
func join(t testing.TB, name string, root e2ee.Root, w way) *talker {
	t.Helper()
	p := &talker{name: name, come: time.Now(), changed: make(chan struct{})}
	limit(t, testTime, p.history)
	c := w.config()
	c.Root, c.Alias = root, name
	c.Status = func(s client.Status) {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.statuses = append(p.statuses, change{s, time.Now()})
		p.changeLocked()
	}
	for tries := 1; ; tries++ {
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		s, err := client.Join(ctx, c)
		cancel()
		if err == nil {
			p.Session = s
			break
		}
		if tries == 3 {
			t.Fatalf("%s joins: %v", name, err)
		}
	}
	heard := make(chan struct{})
	t.Cleanup(func() {
		p.Close()
		<-heard
		p.fetching.Wait()
	})
	go func() {
		defer close(heard)
		for e := range p.Events(context.Background()) {
			p.hear(e)
		}
	}()
	return p
}

func newRoot(t testing.TB) e2ee.Root {
	t.Helper()
	root, err := e2ee.NewLinkRoot(nil)
	if err != nil {
		t.Fatal(err)
	}
	return root
}

func (p *talker) changeLocked() {
	close(p.changed)
	p.changed = make(chan struct{})
}

func (p *talker) hear(e client.Event) {
	p.mu.Lock()
	defer p.mu.Unlock()
	defer p.changeLocked()
	var from string
	var n int
	switch e.Kind {
	case client.KindText:
		if _, err := fmt.Sscan(e.Body, &from, &n); err == nil && from == e.Alias {
			p.got = append(p.got, arrival{n, time.Now(), e.At.UnixMilli()})
			return
		}
	case client.KindFile:
		p.collect(e.File)
		return
	case client.KindJoined, client.KindLeft:
		return
	}
	p.trouble = append(p.trouble, fmt.Sprintf("%s saw %s %s %d %.40s", p.name, e.Kind, e.Reason, e.Count, e.Body))
}

// say sends the next of the numbered messages, filled up to a size.
func (p *talker) say(t testing.TB, size int) *client.Letter {
	t.Helper()
	p.mu.Lock()
	n := len(p.sent)
	p.sent = append(p.sent, time.Now())
	p.mu.Unlock()
	text := fmt.Sprint(p.name, " ", n, " ")
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	l, err := p.Send(ctx, text+strings.Repeat("x", max(0, size-len(text))))
	if err != nil {
		t.Fatalf("%s sends: %v", p.name, err)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.letters = append(p.letters, l)
	return l
}

// await returns when it has come to that, with p locked in between; false: it did not in time.
func (p *talker) await(within time.Duration, fine func() bool) bool {
	late := time.After(within)
	for {
		p.mu.Lock()
		ok, changed := fine(), p.changed
		p.mu.Unlock()
		if ok {
			return true
		}
		select {
		case <-changed:
		case <-late:
			return false
		}
	}
}

// settledLocked is when the newest way to receive was found, after a moment; false: it is looked for still.
func (p *talker) settledLocked(after time.Time) (time.Time, bool) {
	for _, s := range slices.Backward(p.statuses) {
		settled := s.State == client.StateLive || s.State == client.StatePolling && s.Reason != "looking for live answers"
		return s.at, settled && s.at.After(after)
	}
	return time.Time{}, false
}

// history is what the status was, for messages of tests.
func (p *talker) history() string {
	for tries := 0; !p.mu.TryLock(); tries++ { // who asks may want to know why everything hangs
		if tries == 100 {
			return p.name + ": somebody holds the lock"
		}
		time.Sleep(10 * time.Millisecond)
	}
	defer p.mu.Unlock()
	var out []string
	for _, s := range p.statuses {
		out = append(out, fmt.Sprintf("%.1fs %s %s (%s)", s.at.Sub(p.come).Seconds(), s.State, s.Rung, s.Reason))
	}
	return p.name + ": " + strings.Join(out, ", ")
}

// account compares what arrived with what the other has sent.
func (p *talker) account(other *talker) (lost, doubled, disordered int) {
	other.mu.Lock()
	sent := len(other.sent)
	other.mu.Unlock()
	p.mu.Lock()
	defer p.mu.Unlock()
	times := make([]int, sent)
	newest := -1
	for _, a := range p.got {
		if a.number >= sent {
			disordered++
			continue
		}
		if times[a.number]++; times[a.number] > 1 {
			doubled++
		}
		if a.number < newest {
			disordered++
		}
		newest = max(newest, a.number)
	}
	for _, n := range times {
		if n == 0 {
			lost++
		}
	}
	return lost, doubled, disordered
}

// delays are how long the messages of the other from..to took.
func (p *talker) delays(other *talker, from, to int) (out []time.Duration) {
	other.mu.Lock()
	sent := slices.Clone(other.sent)
	other.mu.Unlock()
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, a := range p.got {
		if a.number >= from && a.number < to {
			out = append(out, a.at.Sub(sent[a.number]))
		}
	}
	return out
}

// slow tells whether times say more about the machine than about us: with the race detector, or when many others want its processors.
func slow() bool {
	var load float64
	b, err := os.ReadFile("/proc/loadavg")
	if err == nil {
		fmt.Sscan(string(b), &load)
	}
	return raceDetector || load > float64(4*runtime.NumCPU())
}

// quantile sorts and picks.
func quantile(d []time.Duration, q float64) time.Duration {
	if len(d) == 0 {
		return 0
	}
	d = slices.Sorted(slices.Values(d))
	return d[int(q*float64(len(d)-1))]
}
