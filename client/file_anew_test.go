package client

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"snug/client/e2ee"
	"snug/hub"
)

// TestFileOfASenderThatBeganAnew: a sender that ends in the middle of a transfer goes on with another, and nobody waits for the rest of the first.
func TestFileOfASenderThatBeganAnew(t *testing.T) {
	waits := make(chan struct{}, 1)
	// A relay that holds requests without end: it never says that a chunk is not there yet.
	r := newRelay(t, hub.Limits{}, func(h http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
			if hold := q.FormValue("hold"); hold == "" || hold == "0" || !strings.Contains(q.URL.Path, "/chunks/") {
				h.ServeHTTP(w, q)
				return
			}
			if strings.HasSuffix(q.URL.Path, ".1") {
				poke(waits)
			}
			answer := httptest.NewRecorder()
			h.ServeHTTP(answer, q)
			if answer.Code == http.StatusNotFound {
				<-q.Context().Done()
				return
			}
			maps.Copy(w.Header(), answer.Header())
			w.WriteHeader(answer.Code)
			answer.Body.WriteTo(w)
		})
	})
	root := newRoot(t)
	ann := r.join(Config{Root: root, Alias: "ann"})
	bob := r.collect(Config{Root: root, Alias: "bob"})
	ann.until("bob", func(e Event) bool { return e.Kind == KindJoined })

	body := randomContent(300_000)
	shape := e2ee.FileShape{Size: int64(len(body)), Segment: 1 << 16}
	sealer, err := e2ee.NewFileSealer(shape, bytes.NewReader(body), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	key, id := sealer.Key(), newID()
	put := func(tr Transfer, from, to uint32) {
		t.Helper()
		for n := from; n < to; n++ {
			chunk, at, size := tr.chunk(n, shape.Sealed())
			b := make([]byte, size)
			if _, err := sealer.ReadAt(b, at); err != nil {
				t.Fatal(err)
			}
			if err := ann.life().putChunk(t.Context(), chunk, b); err != nil {
				t.Fatal(err)
			}
		}
	}
	say := func(c content) {
		t.Helper()
		b, err := json.Marshal(c)
		if err != nil {
			t.Fatal(err)
		}
		ann.raw(string(b))
	}
	first := Transfer{ID: randomID(), Piece: 100_000}
	put(first, 0, 1)
	say(content{K: "file", ID: id, File: &descriptor{Key: key[:], Size: shape.Size, Segment: shape.Segment, Name: "a.bin"}, Put: &first})
	<-waits
	second := Transfer{ID: randomID(), Piece: 60_000}
	put(second, 0, 1)
	say(content{K: "put", Of: Ref{ann.Self(), id}.String(), Put: &second})
	put(second, 1, 6)
	bob.has(body)
	r.holdsNoChunks()
}
