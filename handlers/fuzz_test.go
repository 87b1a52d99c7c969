package handlers

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"
	"time"

	"snug/hub"
	"snug/wire"
)

func FuzzQuery(f *testing.F) {
	for _, s := range []string{"", "s=a&after=b", "hold=25", "hold=-1", "hold=99999999999999999999", "a=1&a=2", "%", "hold=%32", ";"} {
		f.Add(s)
	}
	bounds := span{time.Second, 25 * time.Second, 10 * time.Second}
	f.Fuzz(func(t *testing.T, raw string) {
		q, err := parseQuery(raw)
		if err != nil {
			return
		}
		values, err := url.ParseQuery(raw)
		if err != nil || len(values) != len(q) {
			t.Fatalf("%q: got %v, want %v (%v)", raw, q, values, err)
		}
		if d, err := q.seconds("hold", bounds); err == nil && (d < bounds.min || d > bounds.max) {
			t.Errorf("%q: hold %v is out of bounds", raw, d)
		}
		if w, err := q.oneOf("mode", "stream", "batch"); err == nil && w != "stream" && w != "batch" {
			t.Errorf("%q: got mode %q", raw, w)
		}
	})
}

func FuzzJoinBody(f *testing.F) {
	f.Add(wire.MustJSON(wire.JoinRequest{Access: wire.AccessToken{1}, Secret: wire.MemberSecret{2}, Card: frame(3)}))
	f.Add([]byte(`{"known":[{"id":"AAAAAAAAAAAAAAAAAAAAAA","card":"AQ"}],"cursor":"AAAAAAAAAAA.1"}`))
	f.Add([]byte(`{} {}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		var req wire.JoinRequest
		if decodeJSON(body, &req) != nil || checkJoin(req) != nil {
			return
		}
		var again wire.JoinRequest
		if err := decodeJSON(wire.MustJSON(req), &again); err != nil {
			t.Fatalf("what was taken is refused when written again: %v", err)
		}
		if len(req.Known) > wire.MaxKnown || len(req.Card) > wire.MaxCard || len(req.Card) < wire.MinFrame {
			t.Errorf("taken: %d known, a card of %d", len(req.Known), len(req.Card))
		}
	})
}

// FuzzRequest: no request at all brings a 5xx.
func FuzzRequest(f *testing.F) {
	h := hub.NewMemory(hub.Limits{})
	s, err := New(Config{Hub: h, Streams: Streams{Hold: time.Millisecond}})
	if err != nil {
		f.Fatal(err)
	}
	room := wire.RoomID{1}
	j, err := h.Join(room, hub.Join{Member: wire.MemberID{1}, Card: frame(1)})
	if err != nil {
		f.Fatal(err)
	}
	base, who := "/r/"+room.String(), "?s="+j.Session.String()
	for _, target := range []string{
		"/", "/poll", base + "/join", base + "/poll" + who + "&after=" + j.Cursor.String(), base + "/messages" + who + "&id=AAAAAAAAAAAAAAAAAAAAAA",
		base + "/ack" + who, base + "/card" + who, base + "/chunks" + who + "&id=AAAAAAAAAAAAAAAAAAAAAA.0", base + "/knock", base + "/knock/poll", base + "?auth=x",
	} {
		f.Add("POST", target, jsons, []byte(`{"got":[]}`))
		f.Add("GET", target, octets, frame(1))
	}
	f.Fuzz(func(t *testing.T, method, target, kind string, body []byte) {
		u, err := url.ParseRequestURI(target)
		if err != nil || method == "" || !bytes.Equal([]byte(method), bytes.ToUpper([]byte(method))) {
			return
		}
		req := &http.Request{Method: method, URL: u, RequestURI: target, Host: "x", Proto: "HTTP/1.1", Header: http.Header{"Content-Type": {kind}}}
		req.Body, req.ContentLength = http.NoBody, 0
		if len(body) > 0 {
			with := httptest.NewRequest("POST", "/", bytes.NewReader(body))
			req.Body, req.ContentLength = with.Body, with.ContentLength
		}
		w := httptest.NewRecorder()
		s.ServeHTTP(w, req)
		if w.Code >= 500 {
			t.Errorf("%s %q: got %d %s", method, target, w.Code, w.Body)
		}
	})
}
