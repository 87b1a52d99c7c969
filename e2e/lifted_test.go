package e2e

import (
	"context"
	"testing"
	"time"

	"snug/client"
	"snug/e2e/proxies"
	"snug/handlers"
)

// obstacle is what stands in the way for a while.
type obstacle struct {
	name  string
	habit proxies.Habit
}

func (o obstacle) String() string { return o.name }

// TestObstacleGoes: the network lets streams through at last, and within 90 s the room is live again, without a message lost on the way.
func TestObstacleGoes(t *testing.T) {
	if testing.Short() {
		t.Skip("takes more than a minute")
	}
	t.Parallel()
	sideBySide(t, 8, []obstacle{
		{"answers were held", proxies.Hold{}},
		{"streams were refused", proxies.Types{Answers: []string{events, octets}}},
		{"all was refused", proxies.Blocked{}},
		{"a captive portal", proxies.Blocked{Disguise: true}},
		{"streams were cut soon", proxies.Life{After: 2 * time.Second}},
	}, obstacle.String, func(t *testing.T, o obstacle) {
		h := newHouse(t, handlers.Streams{Heartbeat: 5 * time.Second}, nil)
		proxy := proxies.Start(t, proxies.Config{})
		ann, bob := joinBoth(t, newRoot(t), way{origin: h.origin(), proxy: proxy.URL}, way{origin: h.origin()})
		both := []*talker{ann, bob}
		ann.settles(t)
		proxy.Become(o.habit)
		proxy.Cut() // or the stream from before would go on
		fell := ann.await(patience, func() bool {
			s := ann.statuses[len(ann.statuses)-1]
			return s.State == client.StateBlocked || s.State == client.StatePolling && s.Reason != "looking for live answers"
		})
		if !fell {
			t.Fatalf("it shows nothing of it; %s", ann.history())
		}
		talk(t, both, 3, pace)
		proxy.Become()
		lifted := time.Now()
		if !ann.await(90*time.Second, func() bool { return ann.statuses[len(ann.statuses)-1].State == client.StateLive }) {
			t.Errorf("not live again after 90 s; %s", ann.history())
		}
		t.Logf("live again after %.1f s; %s", time.Since(lifted).Seconds(), ann.history())
		talk(t, both, 3, pace)
		account(t, &row{}, ann, bob)
		freed(t, h)
	})
}

// TestTotalBlock: who sends behind a total block sees each message wait, and why; when the block lifts, they arrive once and in order.
func TestTotalBlock(t *testing.T) {
	t.Parallel()
	sideBySide(t, 8, []obstacle{
		{"block page", proxies.Blocked{}},
		{"block page with 200", proxies.Blocked{Disguise: true}},
		{"login", proxies.Login{User: "x", Password: "y"}},
		{"silence", proxies.Hole{After: time.Nanosecond}},
	}, obstacle.String, func(t *testing.T, o obstacle) {
		h := newHouse(t, handlers.Streams{Heartbeat: 5 * time.Second}, nil)
		proxy := proxies.Start(t, proxies.Config{})
		ann, bob := joinBoth(t, newRoot(t), way{origin: h.origin(), proxy: proxy.URL}, way{origin: h.origin()})
		ann.settles(t)
		talk(t, []*talker{ann, bob}, 2, pace)
		proxy.Become(o.habit)
		proxy.Cut()
		for range 5 {
			ann.say(t, 0)
		}
		talk(t, []*talker{bob}, 3, pace)
		first := ann.letters[2]
		for end := time.Now().Add(patience); first.Reason() == ""; time.Sleep(20 * time.Millisecond) {
			if time.Now().After(end) {
				t.Fatalf("the message does not say why it waits; %s", ann.history())
			}
		}
		for i, l := range ann.letters[2:] {
			ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
			if _, err := l.Posted(ctx); err == nil {
				t.Errorf("message %d counts as posted", i)
			}
			cancel()
			if l.Reason() == "" {
				t.Errorf("message %d does not say why it waits; the first one: %q", i, first.Reason())
			}
		}
		reason := first.Reason()
		proxy.Become()
		lifted := time.Now()
		account(t, &row{}, ann, bob)
		t.Logf("waited for: %q; all there %.1f s after the block was lifted; %s", reason, time.Since(lifted).Seconds(), ann.history())
		freed(t, h)
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		defer cancel()
		for i, l := range ann.letters {
			if err := l.Acked(ctx); err != nil || l.Reason() != "" {
				t.Errorf("message %d: %v, %q", i, err, l.Reason())
			}
		}
	})
}
