package handlers

import (
	"fmt"
	"strings"
	"testing"

	"snug/wire"
)

// TestStrangersHoldLittle: bodies of those who have shown no session are large in a few requests at a time only, however
// many send them; small ones always come through.
func TestStrangersHoldLittle(t *testing.T) {
	r := newRelay(t)
	room := r.room(1)
	a := room.join(1)
	large := make([]byte, proof+1)
	refused := func(path, kind string) bool {
		resp, body := r.do("POST", path, kind, large)
		slow := resp.StatusCode == 429 && parse[wire.Error](t, body).Code == wire.CodeSlowDown
		if slow != (resp.Header.Get("Retry-After") != "") {
			t.Errorf("got %d %s, %v", resp.StatusCode, body, resp.Header)
		}
		return slow
	}
	join, shell := room.path("/join"), room.path("?auth="+b64(room.access.Post()))
	if refused(join, jsons) || refused(shell, "") {
		t.Error("refused while nobody else sends")
	}
	head := fmt.Sprintf("POST %s HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n", join, maxJoin)
	for range strangers {
		r.dial(head + strings.Repeat(" ", proof+1))
	}
	eventually(t, "all places are taken", func() bool { return len(r.server.strangers) == strangers })
	if !refused(join, jsons) || !refused(shell, "") {
		t.Error("there is a place for one more")
	}
	room.join(2)
	if resp, body := r.do("POST", shell, "", []byte(sealed("x"))); resp.StatusCode != 201 {
		t.Errorf("small: got %d %s", resp.StatusCode, body)
	}
	a.post(sizedFrame(1, 2*proof)) // a member is no stranger
}
