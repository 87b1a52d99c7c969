package client

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"snug/hub"
)

// TestFileDeclinedBeforeItIsSent: who did not want a file of which nothing was sent yet told nobody, and its sender waited for it as long as it was there.
func TestFileDeclinedBeforeItIsSent(t *testing.T) {
	r := newRelay(t, hub.Limits{}, nil)
	root := newRoot(t)
	ann, bob, carol := r.join(Config{Root: root, Alias: "ann"}), r.join(Config{Root: root, Alias: "bob"}), r.enter(Config{Root: root, Alias: "carol"})
	ann.until("carol", func(e Event) bool { return e.Kind == KindJoined && e.Alias == "carol" })
	tooLate, cancel := context.WithCancel(t.Context())
	cancel()
	go carol.read(func(e Event) {
		if e.Kind == KindFile { // she wanted it, and cannot after all
			carol.Fetch(e.File).Copy(tooLate, io.Discard)
		}
	})
	content := randomContent(PushLimit + 1)
	parcel := ann.ship("big", content)
	ann.untilDone(parcel)
	if got := parcel.Progress(); got.Sent != 0 || len(got.Missing) != 0 {
		t.Errorf("%+v", got)
	}
	bob.copy(bob.untilKind(KindFile).File, content) // and can be had later all the same
	ann.untilDone(parcel)
	r.holdsNoChunks()
}

// TestFileDeclinedOnItsWay: when nobody takes any more of a file, and all have said so, its sender waits no longer for those who miss some of it to say so.
func TestFileDeclinedOnItsWay(t *testing.T) {
	declined := make(chan struct{})
	var once sync.Once
	r := newRelay(t, hub.Limits{}, func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
			if strings.HasSuffix(req.URL.Query().Get("id"), ".1") {
				<-declined
			}
			var body bytes.Buffer
			if strings.HasSuffix(req.URL.Path, "/ack") {
				req.Body = io.NopCloser(io.TeeReader(req.Body, &body))
			}
			next.ServeHTTP(w, req)
			if bytes.Contains(body.Bytes(), []byte(`"skip"`)) {
				once.Do(func() { close(declined) })
			}
		})
	})
	root := newRoot(t)
	ann := r.join(Config{Root: root, Alias: "ann"})
	r.join(Config{Root: root, Alias: "bob"})
	ann.untilKind(KindJoined)
	parcel := ann.ship("a", randomContent(3<<20))
	began := time.Now()
	ann.untilDone(parcel)
	if took := time.Since(began); took > lostTime/2 {
		t.Errorf("it took %v", took)
	}
	r.holdsNoChunks()
}
