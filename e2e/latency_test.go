package e2e

import (
	"bufio"
	"bytes"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"snug/client/e2ee"
	"snug/e2e/proxies"
	"snug/handlers"
	"snug/wire"
)

// TestLadderLatency: on a live path the ladder adds next to nothing to what a raw reader of the same room's events sees, message by message;
// one chunk behind costs less than 100 ms.
func TestLadderLatency(t *testing.T) {
	const n = 100
	for name, c := range map[string]struct {
		habits []proxies.Habit
		added  time.Duration // of p50, to the raw reader's
		p50    time.Duration
		pace   time.Duration // slow, where the next message would push the one before through
	}{
		"live":             {nil, 2 * time.Millisecond, 0, 20 * time.Millisecond},
		"one chunk behind": {[]proxies.Habit{proxies.OneBehind{}}, 0, 100 * time.Millisecond, 80 * time.Millisecond},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHouse(t, handlers.Streams{}, nil)
			root := newRoot(t)
			proxy := proxies.Start(t, proxies.Config{Habits: c.habits})
			ann, bob := joinBoth(t, root, way{origin: h.origin()}, way{origin: h.origin(), proxy: proxy.URL})
			ann.settles(t)
			bob.settles(t)
			raw := listen(t, h, root)
			if !ann.await(patience, func() bool { return len(ann.Members()) == 3 }) {
				t.Fatal("ann never saw the raw reader come")
			}
			ann.say(t, 0) // makes new keys for the newcomer
			if !bob.await(patience, func() bool { return len(bob.got) == 1 }) {
				t.Fatal("bob heard nothing")
			}
			time.Sleep(100 * time.Millisecond)
			for range n {
				ann.say(t, 0)
				time.Sleep(c.pace)
			}
			if !bob.await(patience, func() bool { return len(bob.got) == n+1 }) {
				t.Fatalf("bob heard %d of %d", len(bob.got)-1, n)
			}
			var ladder, direct, added []time.Duration
			for _, a := range bob.got[1:] {
				at := raw.await(t, a.posted)
				ladder = append(ladder, a.at.Sub(ann.sent[a.number]))
				direct = append(direct, at.Sub(ann.sent[a.number]))
				added = append(added, a.at.Sub(at))
			}
			t.Logf("p50 / p99 in ms: through the ladder, decrypted %s / %s; raw %s / %s; added %s / %s",
				milliseconds(quantile(ladder, .5)), milliseconds(quantile(ladder, .99)), milliseconds(quantile(direct, .5)),
				milliseconds(quantile(direct, .99)), milliseconds(quantile(added, .5)), milliseconds(quantile(added, .99)))
			slack := time.Duration(1)
			if slow() {
				slack = 10
			}
			if got := quantile(added, .5); c.added > 0 && got > slack*c.added {
				t.Errorf("the ladder adds %v", got)
			}
			if got := quantile(ladder, .5); c.p50 > 0 && got > slack*c.p50 {
				t.Errorf("p50 is %v", got)
			}
		})
	}
}

// rawReader is a member that does no more than read the lines of a stream.
type rawReader struct {
	mu sync.Mutex
	at map[int64]time.Time // when the last message came that was posted in a millisecond of the relay's clock; guarded by mu
}

// listen lets a member with nothing but net/http join and read.
func listen(t *testing.T, h *house, root e2ee.Root) *rawReader {
	t.Helper()
	group, err := e2ee.NewGroup(e2ee.Config{Root: root, Alias: "raw"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(group.Close)
	card, err := group.Card()
	if err != nil {
		t.Fatal(err)
	}
	keys := group.Keys()
	base := h.origin() + "/r/" + keys.Room.String()
	body, _ := json.Marshal(wire.JoinRequest{Access: keys.Access, Secret: group.Identity().Secret, Card: card})
	resp, err := http.Post(base+"/join", "application/json", bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var joined wire.Joined
	if err := json.NewDecoder(resp.Body).Decode(&joined); err != nil {
		t.Fatal(err)
	}
	q := url.Values{"s": {joined.Session.String()}, "after": {joined.Cursor.String()}}
	req, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, base+"/stream?"+q.Encode(), nil)
	stream, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	r := &rawReader{at: map[int64]time.Time{}}
	var wg sync.WaitGroup
	wg.Go(func() {
		defer stream.Body.Close()
		lines := bufio.NewScanner(stream.Body)
		lines.Buffer(nil, 1<<20)
		for lines.Scan() {
			data, ok := strings.CutPrefix(lines.Text(), "data: ")
			now := time.Now()
			var m wire.Msg
			if ok && json.Unmarshal([]byte(data), &m) == nil && m.At > 0 {
				r.mu.Lock()
				r.at[m.At] = now
				r.mu.Unlock()
			}
		}
	})
	t.Cleanup(wg.Wait) // t.Context has ended by then
	return r
}

// await waits for the message of a millisecond and tells when it came.
func (r *rawReader) await(t *testing.T, posted int64) time.Time {
	t.Helper()
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		r.mu.Lock()
		at, ok := r.at[posted]
		r.mu.Unlock()
		if ok {
			return at
		}
	}
	t.Fatal("the raw reader missed a message")
	return time.Time{}
}
