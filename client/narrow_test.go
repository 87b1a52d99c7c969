package client

import (
	"context"
	"fmt"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"snug/e2e/proxies"
	"snug/hub"
)

// TestLookForRoom: what gives way, by how many requests the network lets go on and what takes their places.
func TestLookForRoom(t *testing.T) {
	const never = 2 * narrowFor // longer than the test
	tests := []struct {
		name   string
		places int
		waits  []purpose     // ours, which came first
		others int           // of other people, after ours; they stay
		news   bool          // something comes by a stream each second
		takes  time.Duration // that the short request is on its way
		on     purpose       // what may not wait in the end, with what gives way before it
		vain   bool
	}{
		{name: "there is room", places: 3, waits: []purpose{forFiles, forStream}, news: true},
		{name: "a slow network", places: 3, waits: []purpose{forFiles, forStream}, news: true, takes: 3 * time.Second},
		{name: "files beside a stream", places: 2, waits: []purpose{forFiles, forStream}, news: true},
		{name: "files beside a poll", places: 2, waits: []purpose{forFiles, forPoll}},
		{name: "a stream beside that of others", places: 2, waits: []purpose{forStream}, others: 1, news: true, on: forStream},
		{name: "a poll beside that of others", places: 2, waits: []purpose{forPoll}, others: 1, on: forStream},
		{name: "files were not enough", places: 2, waits: []purpose{forFiles, forStream}, others: 1, news: true, on: forStream},
		{name: "a stream that nothing comes by", places: 2, waits: []purpose{forStream}, others: 1},
		{name: "nothing gets through", places: 3, waits: []purpose{forFiles, forStream}, news: true, takes: never, vain: true},
		{name: "nothing waits", places: 1, others: 1},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithCancel(t.Context())
				defer synctest.Wait()
				defer cancel()
				n, places := newNarrow(time.Time{}), make(chan struct{}, test.places)
				pass := func(ctx context.Context, takes time.Duration) bool {
					select {
					case places <- struct{}{}:
						defer func() { <-places }()
						return pause(ctx, takes) == nil
					case <-ctx.Done():
						return false
					}
				}
				for _, what := range test.waits {
					held, release, ok := n.hold(ctx, what)
					if !ok {
						t.Fatal("may not even begin to wait")
					}
					go func() {
						defer release()
						pass(held, never)
						if held.Err() != nil && ctx.Err() == nil && context.Cause(held) != errNarrow {
							t.Errorf("gave way for %v", context.Cause(held))
						}
					}()
					synctest.Wait()
				}
				for range test.others {
					go pass(ctx, never)
					synctest.Wait()
				}
				if test.news {
					go func() {
						for pause(ctx, time.Second) == nil {
							n.hears()
						}
					}()
				}
				n.isLate()
				vain := n.look(ctx, func(ctx context.Context) bool { return pass(ctx, test.takes) })
				if vain != test.vain {
					t.Errorf("in vain: %v, want %v", vain, test.vain)
				}
				check := func(when string, on purpose) {
					t.Helper()
					for what := forFiles; what <= forStream; what++ {
						if n.isOn(what) != (what <= on) {
							t.Errorf("%s: %d may not wait: %v, want %v", when, what, n.isOn(what), what <= on)
						}
					}
				}
				check("after the look", test.on)
				time.Sleep(narrowFor) // of the bubble
				check("an hour later", -1)
			})
		})
	}
}

// TestTwoConnectionsForBoth: a proxy of two connections for everybody behind it. The streams of two people take both, and must give way to what
// they say and send. Who comes back knows that.
func TestTwoConnectionsForBoth(t *testing.T) {
	if testing.Short() {
		t.Skip("takes a while")
	}
	tests := []struct {
		name   string
		habits []proxies.Habit
	}{
		{"streams", []proxies.Habit{proxies.Connections{Max: 2}}},
		{"held answers", []proxies.Habit{proxies.Connections{Max: 2}, proxies.Hold{}}},
		{"a third is refused", []proxies.Habit{proxies.Connections{Max: 2, Refuse: true}}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			r := newRelay(t, hub.Limits{}, nil)
			conf := Config{Root: newRoot(t), Proxy: proxies.Start(t, proxies.Config{Habits: test.habits}).URL}
			conf.Alias = "ann"
			ann := r.join(conf)
			conf.Alias = "bob"
			bob := r.collect(conf)
			ann.untilKind(KindJoined)
			const n = 5
			for i := range n {
				ann.send(fmt.Sprint("ann", i))
				bob.send(fmt.Sprint("bob", i))
			}
			ann.checkOnce("bob", n)
			bob.checkOnce("ann", n)
			content := randomContent(1 << 20)
			parcel := ann.ship("a", content)
			bob.has(content)
			ann.untilDone(parcel)
			p := ann
			if !p.narrow.isOn(forStream) {
				p = bob.person
			}
			if !p.narrow.isOn(forStream) {
				t.Fatalf("nobody gave way: %v, %v", ann.Status(), bob.Status())
			}
			state, err := p.State()
			if err != nil {
				t.Fatal(err)
			}
			p.Close()
			back := r.join(Config{State: state, Proxy: conf.Proxy})
			if !back.narrow.isOn(forStream) {
				t.Error("who comes back has forgotten it")
			}
		})
	}
}

// TestGivingWayInVain: nothing at all can be sent, and the stream is not what stands in the way. So it comes back.
func TestGivingWayInVain(t *testing.T) {
	if testing.Short() {
		t.Skip("takes a while")
	}
	t.Parallel()
	r := newRelay(t, hub.Limits{}, nil)
	proxy := proxies.Start(t, proxies.Config{})
	root := newRoot(t)
	ann := r.join(Config{Root: root, Alias: "ann", Proxy: proxy.URL})
	bob := r.join(Config{Root: root, Alias: "bob"})
	ann.untilKind(KindJoined)
	await(t, "live", func() bool { return ann.Status().State == StateLive })
	stop := stopping{make(chan struct{})}
	proxy.Become(stop)
	ann.send("ann0")
	await(t, "giving way", func() bool { return ann.narrow.isOn(forStream) })
	await(t, "taking that back", func() bool { return !ann.narrow.isOn(forStream) })
	close(stop.gone)
	bob.checkOnce("ann", 1)
	bob.send("bob0")
	ann.checkOnce("bob", 1)
	await(t, "live again", func() bool { return ann.Status().State == StateLive })
}

// stopping lets no POST pass until it is gone.
type stopping struct{ gone chan struct{} }

func (s stopping) Wrap(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost {
			select {
			case <-s.gone:
			case <-r.Context().Done():
				return
			}
		}
		next.ServeHTTP(w, r)
	})
}
