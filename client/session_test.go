package client

import (
	"sync"
	"testing"
	"time"

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

// TestStatusUnderALock: whoever is told of a status may take a lock under which others ask the session. The two once waited for each other, which
// is how a row of the proxy matrix hung.
func TestStatusUnderALock(t *testing.T) {
	r := newRelay(t, hub.Limits{}, nil)
	var mu sync.Mutex
	mu.Lock()
	defer mu.Unlock()
	told := make(chan struct{}, 100)
	ann := r.join(Config{Root: newRoot(t), Alias: "ann", Status: func(Status) {
		told <- struct{}{}
		mu.Lock()
		defer mu.Unlock()
	}})
	<-told // and waits for the lock, which is ours
	asked := make(chan struct{})
	go func() {
		defer close(asked)
		ann.Members()
		ann.Status()
	}()
	select {
	case <-asked:
	case <-time.After(10 * time.Second):
		t.Error("the session does not answer while somebody is told of its status")
	}
}
