package e2e

import (
	"cmp"
	"crypto/x509"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"snug/client"
	"snug/client/e2ee"
	"snug/e2e/products"
	"snug/e2e/proxies"
	"snug/handlers"
	"snug/wire"
)

// How much is said in each row, by each of the two.
const (
	early  = 15 // at once, while the way is still looked for
	steady = 60 // when it is found; these are measured
	pace   = 40 * time.Millisecond
	bound  = 20 * time.Second // for a working rung; the promise is 10 s, on a machine that does nothing else
	rows   = 14               // at a time: they mostly wait
)

// row is what the matrix shows of one set-up.
type row struct {
	name                      string
	rungs                     []client.Rung // of both in the end
	first, settled            time.Duration // until a message had come both ways; until the rung was found
	p50, p99                  time.Duration
	lone                      time.Duration // a message after a silence, the slower of both ways
	files                     time.Duration // until both had the other's
	sent                      int
	lost, doubled, disordered int
}

// TestMatrix lets two people talk through every proxy there is here. Nothing may be lost, doubled or out of order.
func TestMatrix(t *testing.T) {
	if testing.Short() {
		t.Skip("takes minutes")
	}
	t.Parallel()
	m := newMatrix(t)
	var mu sync.Mutex
	var done []row
	all := slices.Concat(synthetic(), real())
	sideBySide(t, rows, all, func(s setup) string { return s.name }, func(t *testing.T, s setup) {
		r := m.run(t, s)
		mu.Lock()
		defer mu.Unlock()
		done = append(done, r)
	})
	report(t, all, done)
}

// sideBySide runs subtests that mostly wait, so many at a time; t.Parallel would allow only as many as there are processors.
func sideBySide[C any](t *testing.T, n int, cases []C, name func(C) string, run func(*testing.T, C)) {
	t.Helper()
	var wg sync.WaitGroup
	free := make(chan struct{}, n)
	for _, c := range cases {
		wg.Go(func() {
			free <- struct{}{}
			defer func() { <-free }()
			t.Run(name(c), func(t *testing.T) { run(t, c) })
		})
	}
	wg.Wait()
}

// matrix has what all rows share.
type matrix struct {
	office, public *proxies.CA
}

func newMatrix(t *testing.T) *matrix {
	t.Helper()
	office, err := proxies.NewCA("Office Web Gateway")
	if err != nil {
		t.Fatal(err)
	}
	public, err := proxies.NewCA("Public Authority")
	if err != nil {
		t.Fatal(err)
	}
	return &matrix{office, public}
}

// ways sets up the relay and what stands before it; each of the two gets a synthetic proxy of their own, as in two offices, unless the row says otherwise.
func (m *matrix) ways(t *testing.T, s setup) (h *house, ann, bob way) {
	t.Helper()
	life := cmp.Or(s.life, 10*time.Second)
	var public *proxies.CA
	if s.secure {
		public = m.public
	}
	heartbeat := 5 * time.Second
	if s.lone > 0 {
		heartbeat = wire.DefaultHeartbeat
	}
	h = newHouse(t, handlers.Streams{Heartbeat: heartbeat, Life: life}, public)
	var trust *x509.CertPool
	switch {
	case s.inspect:
		trust = m.office.Pool()
	case s.secure:
		trust = m.public.Pool()
	}
	one := func() way {
		var at *url.URL
		if s.product != nil {
			at = s.product.Start(t, products.Env{Server: h.addr, Office: m.office, Public: m.public})
		} else {
			c := s.proxy
			if s.inspect {
				c.Inspect, c.Servers = m.office, m.public.Pool()
			}
			if s.reverse {
				c.Reverse = h.addr
			}
			at = proxies.Start(t, c).URL
			if strings.HasPrefix(s.name, "login") {
				at.User = url.UserPassword("ann", "secret")
			}
		}
		if s.reverse {
			return way{origin: at.String(), trust: trust}
		}
		return way{origin: h.origin(), proxy: at, trust: trust}
	}
	ann = one()
	bob = ann
	if s.product == nil && !s.shared {
		bob = one()
	}
	return h, ann, bob
}

func (m *matrix) run(t *testing.T, s setup) row {
	h, forAnn, forBob := m.ways(t, s)
	r := s.pass(t, forAnn, forBob)
	freed(t, h)
	return r
}

// pass lets two people talk and send each other files, and tells how that went.
func (s setup) pass(t *testing.T, forAnn, forBob way) row {
	root := newRoot(t)
	begun := time.Now()
	ann, bob := joinBoth(t, root, forAnn, forBob)
	both := []*talker{ann, bob}
	talk(t, both, early, pace)
	r := row{name: s.name}
	for _, p := range both {
		if !p.await(patience, func() bool { return len(p.got) > 0 }) { // a way that is live may still let nothing be sent
			t.Errorf("nothing has come to %s; %s", p.name, p.history())
		}
		r.settled = max(r.settled, p.settles(t))
	}
	from := len(ann.sent)
	talk(t, both, steady, pace)
	for _, p := range both {
		p.say(t, 40<<10)
	}
	r.lone = max(lone(t, ann, bob), lone(t, bob, ann))
	r.files = files(t, ann, bob)
	for time.Since(begun) < s.stay {
		talk(t, both, 1, cmp.Or(s.quiet, 250*time.Millisecond))
	}
	talk(t, both, 1, 0)
	r.sent = len(ann.sent) + len(bob.sent)
	account(t, &r, ann, bob)
	delays := append(ann.delays(bob, from, from+steady), bob.delays(ann, from, from+steady)...)
	r.p50, r.p99 = quantile(delays, .5), quantile(delays, .99)
	r.first = max(ann.firstAfter(begun), bob.firstAfter(begun))
	for _, p := range both {
		r.rungs = append(r.rungs, p.Status().Rung)
		if got := p.Status(); !s.allows(got.Rung) {
			t.Errorf("%s ended up as %+v, want rung %s", p.name, got, s.rung)
		}
		for _, trouble := range p.trouble {
			t.Error(trouble)
		}
	}
	if r.settled > bound {
		t.Errorf("a working rung after %v", r.settled)
	}
	if s.rung == "2" && !slow() && r.p50 > 5*pace { // long polls once rested for a second after each answer that only said what others have
		t.Errorf("p50 is %v", r.p50)
	}
	if s.lone > 0 && r.lone > s.lone {
		t.Errorf("a lone message takes %v", r.lone)
	}
	t.Logf("%s%s\n%s", r, ann.history(), bob.history())
	return r
}

func joinBoth(t *testing.T, root e2ee.Root, forAnn, forBob way) (ann, bob *talker) {
	t.Helper()
	ann, bob = join(t, "ann", root, forAnn), join(t, "bob", root, forBob)
	if !ann.await(patience, func() bool { return len(ann.Members()) == 2 }) { // what is sent before is for nobody
		t.Fatalf("ann never saw bob come; %s", ann.history())
	}
	return ann, bob
}

// talk lets both say n messages.
func talk(t *testing.T, both []*talker, n int, pace time.Duration) {
	t.Helper()
	for range n {
		for _, p := range both {
			p.say(t, 0)
		}
		time.Sleep(pace)
	}
}

// lone is how long a message takes that nothing follows, after a moment without any. Buffers are emptied by what comes
// next; this is what it takes when nothing does.
func lone(t *testing.T, from, to *talker) time.Duration {
	t.Helper()
	time.Sleep(time.Second)
	n := len(from.sent)
	from.say(t, 0)
	here := func() bool { return slices.ContainsFunc(to.got, func(a arrival) bool { return a.number == n }) }
	if !to.await(patience, here) {
		t.Errorf("a lone message from %s never came; %s", from.name, to.history())
	}
	return quantile(to.delays(from, n, n+1), 0)
}

// settles waits until a way to receive is found, and returns how long that took from the beginning.
func (p *talker) settles(t *testing.T) (took time.Duration) {
	t.Helper()
	ok := p.await(patience, func() bool {
		at, ok := p.settledLocked(p.come)
		took = at.Sub(p.come)
		return ok
	})
	if !ok {
		t.Fatalf("never settled; %s", p.history())
	}
	return took
}

// firstAfter is when the first message arrived.
func (p *talker) firstAfter(begun time.Time) time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.got) == 0 {
		return 0
	}
	return p.got[0].at.Sub(begun)
}

// account waits until all has arrived, and counts.
func account(t *testing.T, r *row, ann, bob *talker) {
	t.Helper()
	for _, pair := range [][2]*talker{{ann, bob}, {bob, ann}} {
		to, from := pair[0], pair[1]
		from.mu.Lock()
		last := len(from.sent) - 1
		from.mu.Unlock()
		to.await(patience, func() bool {
			return slices.ContainsFunc(to.got, func(a arrival) bool { return a.number == last })
		})
		lost, doubled, disordered := to.account(from)
		r.lost, r.doubled, r.disordered = r.lost+lost, r.doubled+doubled, r.disordered+disordered
		if lost+doubled+disordered > 0 {
			t.Errorf("from %s to %s: %d lost, %d doubled, %d out of order; %s; %s; the last one waits for: %q", from.name, to.name, lost, doubled, disordered,
				from.history(), to.history(), from.letters[last].Reason())
		}
	}
}

// freed waits until the relay holds nothing any more, because everybody has everything.
func freed(t *testing.T, h *house) {
	t.Helper()
	held := func() int { return h.hub.Stats().Messages + h.hub.Stats().Chunks }
	for end := time.Now().Add(patience); held() > 0; time.Sleep(50 * time.Millisecond) {
		if time.Now().After(end) {
			t.Errorf("the relay still holds %+v", h.hub.Stats())
			return
		}
	}
}
