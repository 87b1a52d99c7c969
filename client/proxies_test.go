package client

import (
	"fmt"
	"testing"
	"time"

	"snug/e2e/proxies"
	"snug/hub"
)

// TestThroughProxies: a conversation through proxies that each do one thing to it, with the relay killed half-way. Nothing is lost, doubled or
// out of order.
func TestThroughProxies(t *testing.T) {
	if testing.Short() {
		t.Skip("takes a while")
	}
	tests := []struct {
		name   string
		habits []proxies.Habit
	}{
		{"well-behaved", nil},
		{"holds answers", []proxies.Habit{proxies.Hold{}}},
		{"holds bodies", []proxies.Habit{proxies.Hold{Status: true}}},
		{"passes blocks", []proxies.Habit{proxies.Blocks{Size: 64 << 10}}},
		{"one behind", []proxies.Habit{proxies.OneBehind{}}},
		{"gzip", []proxies.Habit{proxies.Gzip{}}},
		{"cuts at 2 s", []proxies.Habit{proxies.Life{After: 2 * time.Second}}},
		{"cuts silence", []proxies.Habit{proxies.Idle{After: 1500 * time.Millisecond}}},
		{"HTTP/1.0", []proxies.Habit{proxies.HTTP10{}}},
		{"posts twice", []proxies.Habit{proxies.Twice{}}},
		{"two connections", []proxies.Habit{proxies.Connections{Max: 2}}},
		{"caches", []proxies.Habit{proxies.Cache{For: time.Hour}}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			r := newRelay(t, hub.Limits{}, nil)
			root := newRoot(t)
			join := func(alias string) *person {
				p := proxies.Start(t, proxies.Config{Habits: test.habits})
				return r.join(Config{Root: root, Alias: alias, Proxy: p.URL})
			}
			ann, bob := join("ann"), join("bob")
			const n = 12
			for i := range n {
				ann.send(fmt.Sprint("ann", i))
				bob.send(fmt.Sprint("bob", i))
				if i == n/2 {
					r.kill()
					r.start()
				}
				time.Sleep(300 * time.Millisecond) // it is about what happens meanwhile
			}
			ann.checkOnce("bob", n)
			bob.checkOnce("ann", n)
			t.Logf("ended as %v", ann.Status())
		})
	}
}

// send queues a text.
func (p *person) send(text string) *Letter {
	p.t.Helper()
	l, err := p.Send(p.t.Context(), text)
	if err != nil {
		p.t.Fatal(err)
	}
	return l
}
