package client

import (
	"errors"
	"strings"
	"testing"

	"snug/e2e/proxies"
	"snug/hub"
)

// TestTooBigForTheNetwork: a message that a box in between refuses for its size was tried again for ever, and nothing behind it went out.
func TestTooBigForTheNetwork(t *testing.T) {
	r := newRelay(t, hub.Limits{}, nil)
	root := newRoot(t)
	p := proxies.Start(t, proxies.Config{Habits: []proxies.Habit{proxies.Limits{Body: 32 << 10}}})
	ann, bob := r.join(Config{Root: root, Alias: "ann", Proxy: p.URL}), r.join(Config{Root: root, Alias: "bob"})
	ann.untilKind(KindJoined)
	ann.everybody(ann.say("before"))
	big := ann.send(strings.Repeat("big", 20<<10))
	ann.everybody(ann.say("after"))
	bob.untilText("after")
	_, err := big.Posted(t.Context())
	blocked, ok := errors.AsType[*BlockedError](err)
	if !ok || blocked.Status != 413 || !strings.HasPrefix(err.Error(), "too big for this network, which refuses a message of 6") {
		t.Errorf("got %T %v", err, err)
	}
	if err := big.Acked(t.Context()); err == nil {
		t.Error("everybody has it")
	}
	if got := bob.texts(); got != "ann:before ann:after" {
		t.Errorf("bob read %s", got)
	}
	if got := big.Reason(); got != "" {
		t.Errorf("it still waits: %s", got)
	}
}
