package client

import (
	"testing"

	"snug/hub"
)

func TestTwoTalk(t *testing.T) {
	r := newRelay(t, hub.Limits{}, nil)
	root := newRoot(t)
	ann := r.join(Config{Root: root, Alias: "ann"})
	bob := r.join(Config{Root: root, Alias: "bob"})
	ann.untilKind(KindJoined)
	l := ann.say("hello")
	bob.untilText("hello")
	ann.everybody(l)
	bob.say("hi")
	if e := ann.untilText("hi"); e.Alias != "bob" || e.From != bob.Self() {
		t.Errorf("got %+v", e)
	}
	if a, b := ann.SafetyCode(), bob.SafetyCode(); a != b {
		t.Errorf("safety codes %s and %s", a, b)
	}
}
