package handlers

import (
	"bytes"
	"encoding/base64"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"snug/wire"
)

func TestJoin(t *testing.T) {
	r := newRelay(t)
	room := r.room(1)
	a := room.join(1)
	if !a.Fresh || a.Joined.Member != a.member || len(a.Members) != 1 || a.Limits != r.conf.Limits {
		t.Errorf("got %+v", a.Joined)
	}
	again := room.join(1)
	if again.Fresh || again.Session == a.Session || again.Joined.Member != a.member {
		t.Errorf("joined again: got %+v", again.Joined)
	}
	if resp, body := r.do("GET", a.path("/members"), "", nil); resp.StatusCode != 401 || !parse[wire.Error](t, body).Rejoin {
		t.Errorf("with the old session: got %d %s", resp.StatusCode, body)
	}
	wrong := wire.MustJSON(wire.JoinRequest{Access: wire.AccessToken{9}, Secret: a.secret, Card: frame(1)})
	if resp, body := r.do("POST", room.path("/join"), jsons, wrong); resp.StatusCode != 403 || parse[wire.Error](t, body).Code != wire.CodeWrongToken {
		t.Errorf("wrong token: got %d %s", resp.StatusCode, body)
	}
}

func TestJoinBringsBackWhoWasKnown(t *testing.T) {
	r := newRelay(t)
	room := r.room(1)
	asleep := wire.Member{ID: wire.MemberSecret{1, 2}.Member(), Card: frame(2)}
	got := call[wire.Joined](r, "POST", room.path("/join"), plain, wire.MustJSON(wire.JoinRequest{
		Access: room.access, Secret: wire.MemberSecret{1, 1}, Card: frame(1), Known: []wire.Member{asleep},
	}))
	if len(got.Members) != 2 {
		t.Fatalf("got %+v", got.Members)
	}
	if back := room.join(2); back.Fresh {
		t.Errorf("who slept is fresh: %+v", back.Joined)
	}
}

func TestMessages(t *testing.T) {
	r := newRelay(t)
	room := r.room(1)
	a, b := room.join(1), room.join(2)
	id := wire.MessageID{7}.String()
	path := a.path("/messages", "id", id)
	first := call[wire.Posted](r, "POST", path, octets, frame(1))
	if first.Members != 2 || first.Online != 2 || first.Duplicate || first.ID.String() != id {
		t.Errorf("got %+v", first)
	}
	inText := []byte(base64.RawURLEncoding.EncodeToString(frame(1)) + "\r\n")
	again := call[wire.Posted](r, "POST", path, "text/plain; charset=utf-8", inText)
	if !again.Duplicate || again.Cursor != first.Cursor {
		t.Errorf("again, as text: got %+v, want the place %v", again, first.Cursor)
	}
	resp, body := r.do("POST", a.path("/messages", "id", wire.MessageID{8}.String(), "roster", "1"), octets, frame(1))
	e := parse[wire.Error](t, body)
	if resp.StatusCode != 409 || e.Code != wire.CodeRosterStale || e.Roster == nil || e.Roster.Roster != b.Joined.Roster {
		t.Fatalf("stale roster: got %d %s", resp.StatusCode, body)
	}
	if got := call[wire.Roster](r, "GET", a.path("/members"), "", nil); got.Roster != e.Roster.Roster || len(got.Members) != 2 || got.Members[0].Acked == nil {
		t.Errorf("got %+v", got)
	}
	fresh := call[wire.Posted](r, "POST", a.path("/messages", "id", wire.MessageID{8}.String(), "roster", "2"), octets, frame(1))
	if fresh.Duplicate {
		t.Errorf("got %+v", fresh)
	}
}

func TestCardReachesTheOthers(t *testing.T) {
	r := newRelay(t)
	room := r.room(1)
	a, b := room.join(1), room.join(2)
	call[wire.OK](r, "POST", b.path("/card"), octets, frame(9))
	got := a.poll(b.Cursor, 5)
	if len(got.Events) != 1 || got.Events[0].Event != wire.EventCard || !bytes.Equal(parse[wire.Member](t, got.Events[0].Data).Card, frame(9)) {
		t.Errorf("got %+v", got)
	}
}

func TestChunks(t *testing.T) {
	r := newRelay(t)
	room := r.room(1)
	a, b := room.join(1), room.join(2)
	id := wire.ChunkID{File: wire.FileID{4}, N: 2}.String()
	piece := bytes.Repeat([]byte("snug"), 64<<10)
	call[wire.OK](r, "POST", a.path("/chunks", "id", id), octets, piece)
	resp, got := r.do("GET", b.path("/chunks/"+id), "", nil)
	if !bytes.Equal(got, piece) || resp.Header.Get("Content-Type") != octets || resp.ContentLength != int64(len(piece)) {
		t.Errorf("got %d bytes, %v", len(got), resp.Header)
	}
	resp, got = r.do("GET", b.path("/chunks/"+id, "as", "text"), "", nil)
	if text := base64.RawURLEncoding.EncodeToString(piece); string(got) != text || resp.Header.Get("Content-Type") != plain {
		t.Errorf("as text: got %d bytes, %v", len(got), resp.Header)
	}
	for _, part := range []struct {
		from, size string
		want       []byte
	}{
		{"0", "3", piece[:3]}, {"1", "", piece[1:]}, {"262140", "4", piece[262140:]}, {"262142", "9", []byte("ug")}, {"262144", "9", nil},
		{"18446744073709551615", "18446744073709551615", nil}, {"", "5", piece[:5]},
	} {
		if resp, got := r.do("GET", b.path("/chunks/"+id, "from", part.from, "size", part.size), "", nil); resp.StatusCode != 200 || !bytes.Equal(got, part.want) {
			t.Errorf("%s bytes from %s: got %d, %d bytes", part.size, part.from, resp.StatusCode, len(got))
		}
	}
	call[wire.OK](r, "POST", b.path("/ack"), plain, []byte(`{"got":["`+id+`"]}`))
	if held := r.metric("snug_chunks_held", ""); held != 0 {
		t.Errorf("got %v chunks held after the ack, want 0", held)
	}
	if resp, body := r.do("GET", b.path("/chunks/"+wire.ChunkID{}.String()), "", nil); resp.StatusCode != 404 || parse[wire.Error](t, body).Code != wire.CodeNoChunk {
		t.Errorf("got %d %s", resp.StatusCode, body)
	}
}

func TestKnock(t *testing.T) {
	r := newRelay(t)
	room := r.room(1)
	a := room.join(1)
	s := a.listen(a.Cursor)
	s.next(wire.EventHello)
	secret := wire.MemberSecret{42}
	call[wire.OK](r, "POST", room.path("/knock"), jsons, wire.MustJSON(wire.KnockRequest{Secret: secret, Body: []byte("let me in")}))
	knock := parse[wire.Knock](t, s.next(wire.EventKnock).Data)
	if knock.ID != secret.Knock() || string(knock.Body) != "let me in" {
		t.Fatalf("got %+v", knock)
	}
	poll := func(after, hold int) wire.KnockAnswers {
		t.Helper()
		return call[wire.KnockAnswers](r, "POST", room.path("/knock/poll"), jsons, wire.MustJSON(wire.KnockRequest{Secret: secret, After: after, Hold: hold}))
	}
	if got := poll(0, 0); len(got.Notes) != 0 || got.Notes == nil {
		t.Errorf("got %+v", got)
	}
	answers := make(chan wire.KnockAnswers, 1)
	go func() { answers <- poll(0, 25) }()
	call[wire.OK](r, "POST", a.path("/knock/"+knock.ID.String()), octets, []byte("who are you?"))
	if got := <-answers; len(got.Notes) != 1 || string(got.Notes[0]) != "who are you?" {
		t.Errorf("got %+v", got)
	}
	if got := poll(1, 0); len(got.Notes) != 0 {
		t.Errorf("got %+v", got)
	}
}

func TestKnocksAndShellsAreHeldToTheirPace(t *testing.T) {
	r := newRelay(t, func(r *relay) {
		r.conf.KnockEvery, r.conf.KnockBurst = time.Hour, 2
		r.conf.ShellEvery, r.conf.ShellBurst = time.Hour, 2
	})
	busy, other := r.room(1), r.room(2)
	busy.join(1)
	other.join(1)
	knock := func(at room) (int, string) {
		resp, _ := r.do("POST", at.path("/knock"), jsons, wire.MustJSON(wire.KnockRequest{Secret: wire.MemberSecret{1}, Body: []byte("x")}))
		return resp.StatusCode, resp.Header.Get("Retry-After")
	}
	shell := func(at room) (int, string) {
		resp, _ := r.do("POST", at.path("?auth="+b64(at.access.Post())), "", []byte(sealed("x")))
		return resp.StatusCode, resp.Header.Get("Retry-After")
	}
	for name, try := range map[string]func(room) (int, string){"knock": knock, "shell": shell} {
		for n := range 3 {
			if status, after := try(busy); (status == 429) != (n == 2) || (after == "3600") != (n == 2) {
				t.Errorf("%s %d: got %d, Retry-After %q", name, n, status, after)
			}
		}
		if status, _ := try(other); status/100 != 2 {
			t.Errorf("%s in another room: got %d", name, status)
		}
	}
}

func b64(v interface{ MarshalText() ([]byte, error) }) string {
	b, _ := v.MarshalText() // cannot fail
	return string(b)
}

func TestShell(t *testing.T) {
	r := newRelay(t)
	room := r.room(1)
	token := b64(room.access.Post())
	send := func(method, path, body string, headers ...string) (*http.Response, string) {
		t.Helper()
		req, err := http.NewRequest(method, r.web.URL+path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded") // as curl -d has it
		for i := 0; i < len(headers); i += 2 {
			req.Header.Set(headers[i], headers[i+1])
		}
		resp, b := r.send(req)
		return resp, string(b)
	}
	if resp, body := send("POST", room.path("?auth="+token), sealed("x")); resp.StatusCode != 404 || !strings.Contains(body, wire.CodeNobody) {
		t.Errorf("empty room: got %d %s", resp.StatusCode, body)
	}
	a := room.join(1)
	resp, body := send("POST", room.path(""), sealed("hello")+"\n", "Authorization", "Bearer "+token)
	posted := parse[wire.Posted](t, []byte(body))
	if resp.StatusCode != 201 || posted.Members != 1 || posted.Online != 1 {
		t.Errorf("got %d %s", resp.StatusCode, body)
	}
	resp, body = send("PUT", room.path("?auth="+token), sealed("hello"))
	if again := parse[wire.Posted](t, []byte(body)); resp.StatusCode != 201 || !again.Duplicate || again.Cursor != posted.Cursor || again.ID != posted.ID {
		t.Errorf("again without the newline: got %d %s", resp.StatusCode, body)
	}
	got := a.poll(a.Cursor, 5)
	if m := parse[wire.Msg](t, got.Events[0].Data); m.From != nil || m.JWE != sealed("hello") || m.ID != posted.ID {
		t.Errorf("got %+v", got.Events[0])
	}

	for _, c := range []struct {
		name, path, body, header string
		status                   int
		code                     string
	}{
		{"no token", "", sealed("x"), "", 401, wire.CodeNoToken},
		{"basic auth", "", sealed("x"), "Basic " + token, 401, wire.CodeNoToken},
		{"malformed token", "?auth=xyz", sealed("x"), "", 400, wire.CodeBadRequest},
		{"another room's token", "?auth=" + b64(r.room(2).access.Post()), sealed("x"), "", 403, wire.CodeWrongToken},
		{"the access token", "?auth=" + b64(room.access), sealed("x"), "", 403, wire.CodeWrongToken},
		{"clear text", "?auth=" + token, "backup done", "", 400, wire.CodeNotSealed},
		{"nothing", "?auth=" + token, "", "", 400, wire.CodeNotSealed},
		{"too large", "?auth=" + token, strings.Repeat("x", wire.MaxShell+1), "", 413, wire.CodeTooLarge},
	} {
		resp, body := send("POST", room.path(c.path), c.body, "Authorization", c.header)
		if e := parse[wire.Error](t, []byte(body)); resp.StatusCode != c.status || e.Code != c.code {
			t.Errorf("%s: got %d %s, want %d %s", c.name, resp.StatusCode, body, c.status, c.code)
		}
	}
}

func TestCurlGetsLinesOfText(t *testing.T) {
	r := newRelay(t, func(r *relay) { r.conf.PublicURL = "https://snug.example/" })
	room := r.room(1)
	room.join(1)
	token := b64(room.access.Post())
	for _, c := range []struct{ path, body, want string }{
		{"?auth=" + token, sealed("x"), "sent to 1 member, 1 here now (id "},
		{"?auth=" + token, sealed("x"), "sent to 1 member, 1 here now; it had been sent before (id "},
		{"?auth=" + token, "clear", "snug: the body is not sealed, and this relay carries only what it cannot read; seal it first, for example with `snug seal` (not_sealed, HTTP 400). See https://snug.example/help#not_sealed\n"},
		{"", sealed("x"), "snug: sending into a room needs its post token"},
	} {
		req, _ := http.NewRequest("POST", r.web.URL+room.path(c.path), strings.NewReader(c.body))
		req.Header.Set("User-Agent", "curl/8.5.0")
		resp, body := r.send(req)
		if !strings.HasPrefix(string(body), c.want) || strings.Count(string(body), "\n") != 1 || !strings.HasPrefix(resp.Header.Get("Content-Type"), "text/plain") {
			t.Errorf("got %q, want %q", body, c.want)
		}
	}
	for accept, want := range map[string]bool{"text/plain": true, "application/json, text/plain, */*": false, "*/*": false} {
		req, _ := http.NewRequest("GET", r.web.URL+"/nothing", nil)
		req.Header.Set("Accept", accept)
		if _, body := r.send(req); strings.HasPrefix(string(body), "snug: ") != want {
			t.Errorf("Accept %s: got %s", accept, body)
		}
	}
}

func TestHelpIsTrue(t *testing.T) {
	r := newRelay(t)
	_, body := r.do("GET", "/help", "", nil)
	if strings.Contains(string(body), "{{") || !strings.Contains(string(body), r.web.URL+"/r/ROOM") {
		t.Errorf("the address is not filled in:\n%s", body)
	}
	for _, refusal := range append(refusals, internal) {
		if !strings.Contains(string(body), "\n  "+refusal.code+" ") {
			t.Errorf("help says nothing about %s", refusal.code)
		}
	}
}

// A chunk that is not there yet answers when it comes, and a transfer when it is fetched; both by what the other side does, not by time.
func TestChunksAreWaitedFor(t *testing.T) {
	r := newRelay(t)
	room := r.room(1)
	a, b := room.join(1), room.join(2)
	id := wire.ChunkID{File: wire.FileID{4}}
	piece := []byte("a piece")
	fetched := make(chan []byte)
	go func() {
		_, got := r.do("GET", b.path("/chunks/"+id.String(), "hold", "25"), "", nil)
		fetched <- got
	}()
	call[wire.OK](r, "POST", a.path("/chunks", "id", id.String()), octets, piece)
	if got := <-fetched; !bytes.Equal(got, piece) {
		t.Errorf("fetched %q", got)
	}
	file := "/files/" + id.File.String()
	if owed := call[wire.Owed](r, "GET", a.path(file), "", nil); owed.Chunks != 1 || !slices.Equal(owed.Members, []wire.MemberID{b.member}) {
		t.Errorf("owed: %+v", owed)
	}
	owed := make(chan wire.Owed)
	go func() { owed <- call[wire.Owed](r, "GET", a.path(file, "hold", "25"), "", nil) }()
	call[wire.OK](r, "POST", b.path("/ack"), plain, []byte(`{"got":["`+id.String()+`"]}`))
	if got := <-owed; got.Chunks != 0 || len(got.Members) != 0 {
		t.Errorf("owed: %+v", got)
	}
}

func TestHeldChunkEndsWithTheRelay(t *testing.T) {
	r := newRelay(t)
	room := r.room(1)
	room.join(1)
	b := room.join(2)
	answered := make(chan int)
	go func() {
		resp, _ := r.do("GET", b.path("/chunks/"+wire.ChunkID{}.String(), "hold", "25"), "", nil)
		answered <- resp.StatusCode
	}()
	r.server.Drain()
	if got := <-answered; got != 404 {
		t.Errorf("got %d", got)
	}
}
