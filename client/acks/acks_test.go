package acks

import (
	"bytes"
	"encoding/json"
	"os"
	"testing"
	"time"
)

// TestAcks runs the cases of testdata/acks.json, which the page passes too.
func TestAcks(t *testing.T) {
	b, err := os.ReadFile("../../testdata/acks.json")
	if err != nil {
		t.Fatal(err)
	}
	var cases []struct {
		Name  string
		Steps []struct {
			T, Due int64 // ms
			Do     string
			Urgent bool
		}
	}
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	if err := d.Decode(&cases); err != nil || len(cases) == 0 {
		t.Fatal(len(cases), err)
	}
	start := time.Now()
	for _, test := range cases {
		t.Run(test.Name, func(t *testing.T) {
			var a Pace
			a.Sent(start)
			for i, step := range test.Steps {
				now := start.Add(time.Duration(step.T) * time.Millisecond)
				switch step.Do {
				case "handled":
					a.Handled(now, step.Urgent)
				case "sent":
					a.Sent(now)
				case "failed":
					a.Failed(now)
				default:
					t.Fatalf("step %d does %q", i, step.Do)
				}
				if got := a.Due().Sub(start).Milliseconds(); got != step.Due {
					t.Errorf("step %d: due at %d ms, want %d", i, got, step.Due)
				}
			}
		})
	}
}

// TestAcksHaveNoCliff: whatever the pace, there are never many more acks than one in a second and a half, the longest
// anybody waits for one is five seconds, and a lone message is acked soon.
func TestAcksHaveNoCliff(t *testing.T) {
	const span = 10 * time.Minute
	for _, every := range []time.Duration{
		10 * time.Millisecond, 100 * time.Millisecond, 300 * time.Millisecond, 499 * time.Millisecond, 501 * time.Millisecond,
		555 * time.Millisecond, 700 * time.Millisecond, time.Second, 1500 * time.Millisecond, 2 * time.Second, 3 * time.Second,
	} {
		var a Pace
		var now, first time.Time
		start := first
		a.Sent(start)
		n, longest := 0, time.Duration(0)
		ack := func(until time.Time) {
			if a.owed && !a.Due().After(until) {
				longest = max(longest, a.Due().Sub(first))
				a.Sent(a.Due())
				n++
			}
		}
		for now = start; now.Sub(start) < span; now = now.Add(every) {
			ack(now)
			if !a.owed {
				first = now
			}
			a.Handled(now, false)
		}
		if pace := span / time.Duration(max(n, 1)); pace < 1500*time.Millisecond || longest > 5*time.Second {
			t.Errorf("a message every %v: an ack every %v, %v after a message at most", every, pace, longest)
		}
	}
}
