package handlers

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"snug/wire"
)

// TestMalformed: whatever is wrong with a request, the answer is a refusal of the right kind, never a 5xx.
func TestMalformed(t *testing.T) {
	r := newRelay(t)
	a := r.room(1).join(1)
	room, s, at, id := a.room.id.String(), a.Session.String(), a.Cursor.String(), wire.MessageID{1}.String()
	base := "/r/" + room
	long := strings.Repeat("x", 8<<10)
	valid := string(frame(1))
	join := func(edit string) string {
		return fmt.Sprintf(`{"access":%q,"secret":%q,"card":%q%s}`, b64(a.access), b64(a.secret), b64(wire.Bytes(frame(1))), edit)
	}
	for _, c := range []struct {
		name, method, path, kind, body string
		status                         int
		code                           string
	}{
		{"short room id", "POST", "/r/abc/join", jsons, join(""), 400, wire.CodeBadRequest},
		{"long room id", "POST", "/r/" + room + "A/join", jsons, join(""), 400, wire.CodeBadRequest},
		{"room id with other last bits", "GET", "/r/" + room[:26] + "_/members?s=" + s, "", "", 400, wire.CodeBadRequest},
		{"room id in another alphabet", "GET", "/r/" + strings.Repeat("+", 27) + "/members?s=" + s, "", "", 400, wire.CodeBadRequest},
		{"room id with NUL", "GET", "/r/" + room[:26] + "%00/members?s=" + s, "", "", 400, wire.CodeBadRequest},
		{"room id with CR", "GET", "/r/" + room[:26] + "%0d/members?s=" + s, "", "", 400, wire.CodeBadRequest},
		{"room id with LF", "GET", "/r/" + room[:26] + "%0a/members?s=" + s, "", "", 400, wire.CodeBadRequest},
		{"room id with a slash", "GET", "/r/" + room[:26] + "%2f/members?s=" + s, "", "", 400, wire.CodeBadRequest},
		{"another room", "GET", "/r/" + r.room(2).id.String() + "/members?s=" + s, "", "", 401, wire.CodeNoSession},
		{"dots", "GET", "/r/../../etc/passwd", "", "", 404, wire.CodeNotFound},
		{"no session", "GET", base + "/members", "", "", 400, wire.CodeBadRequest},
		{"short session", "GET", base + "/members?s=abc", "", "", 400, wire.CodeBadRequest},
		{"session with LF", "GET", base + "/members?s=" + s[:21] + "%0A", "", "", 400, wire.CodeBadRequest},
		{"session with NUL", "GET", base + "/members?s=" + s[:21] + "%00", "", "", 400, wire.CodeBadRequest},
		{"session padded", "GET", base + "/members?s=" + s + "==", "", "", 400, wire.CodeBadRequest},
		{"unknown session", "GET", base + "/members?s=" + wire.SessionID{}.String(), "", "", 401, wire.CodeNoSession},
		{"two sessions", "GET", base + "/members?s=" + s + "&s=" + s, "", "", 400, wire.CodeBadRequest},
		{"broken escape", "GET", base + "/members?s=" + s + "&n=%zz", "", "", 400, wire.CodeBadRequest},
		{"semicolon", "GET", base + "/members?s=" + s + ";n=1", "", "", 400, wire.CodeBadRequest},
		{"8 KiB of query", "GET", base + "/members?s=" + s + "&n=" + long, "", "", 414, wire.CodeURLTooLong},
		{"8 KiB of path", "GET", "/" + long, "", "", 414, wire.CodeURLTooLong},
		{"8 KiB of room id", "POST", "/r/" + long + "/join", jsons, join(""), 414, wire.CodeURLTooLong},

		{"no cursor", "GET", base + "/stream?s=" + s, "", "", 400, wire.CodeBadRequest},
		{"cursor without number", "GET", base + "/stream?s=" + s + "&after=" + at[:12], "", "", 400, wire.CodeBadRequest},
		{"cursor with leading zero", "GET", base + "/stream?s=" + s + "&after=" + at[:12] + "01", "", "", 400, wire.CodeBadRequest},
		{"negative cursor", "GET", base + "/stream?s=" + s + "&after=" + at[:12] + "-1", "", "", 400, wire.CodeBadRequest},
		{"cursor beyond 64 bits", "GET", base + "/stream?s=" + s + "&after=" + at[:12] + "18446744073709551616", "", "", 400, wire.CodeBadRequest},
		{"cursor with LF", "GET", base + "/stream?s=" + s + "&after=" + at + "%0a", "", "", 400, wire.CodeBadRequest},
		{"cursor ahead", "GET", base + "/stream?s=" + s + "&after=" + at[:12] + "999", "", "", 400, wire.CodeBadCursor},
		{"poll with cursor ahead", "POST", base + "/poll?s=" + s + "&after=" + at[:12] + "999", "", "", 400, wire.CodeBadCursor},
		{"poll without cursor", "POST", base + "/poll?s=" + s, "", "", 400, wire.CodeBadRequest},
		{"unknown mode", "GET", base + "/stream?s=" + s + "&after=" + at + "&mode=websocket", "", "", 400, wire.CodeBadRequest},
		{"unknown as", "GET", base + "/stream?s=" + s + "&after=" + at + "&as=text/html", "", "", 400, wire.CodeBadRequest},
		{"heartbeat of words", "GET", base + "/stream?s=" + s + "&after=" + at + "&hb=often", "", "", 400, wire.CodeBadRequest},
		{"negative hold", "POST", base + "/poll?s=" + s + "&after=" + at + "&hold=-1", "", "", 400, wire.CodeBadRequest},
		{"life with a unit", "GET", base + "/stream?s=" + s + "&after=" + at + "&life=10s", "", "", 400, wire.CodeBadRequest},

		{"join with nothing", "POST", base + "/join", jsons, "", 400, wire.CodeBadRequest},
		{"join with a list", "POST", base + "/join", jsons, "[]", 400, wire.CodeBadRequest},
		{"join with null", "POST", base + "/join", jsons, "null", 403, wire.CodeWrongToken},
		{"join with more behind", "POST", base + "/join", jsons, join("") + "{}", 400, wire.CodeBadRequest},
		{"join with an unknown field", "POST", base + "/join", jsons, join(`,"admin":true`), 400, wire.CodeBadRequest},
		{"join with half a body", "POST", base + "/join", jsons, join("")[:60], 400, wire.CodeBadRequest},
		{"join as a form", "POST", base + "/join", "application/x-www-form-urlencoded", join(""), 415, wire.CodeMediaType},
		{"join as nonsense", "POST", base + "/join", ";;;", join(""), 415, wire.CodeMediaType},
		{"join with a short token", "POST", base + "/join", jsons, `{"access":"abc"}`, 400, wire.CodeBadRequest},
		{"join with a token with LF", "POST", base + "/join", jsons, `{"access":"` + b64(a.access)[:42] + `\n"}`, 400, wire.CodeBadRequest},
		{"join with the post token", "POST", base + "/join", jsons, strings.Replace(join(""), b64(a.access), b64(a.access.Post()), 1), 403, wire.CodeWrongToken},
		{"join without a secret", "POST", base + "/join", jsons, `{"access":"` + b64(a.access) + `"}`, 400, wire.CodeBadRequest},
		{"join with a card in clear", "POST", base + "/join", jsons, strings.Replace(join(""), b64(wire.Bytes(frame(1))), "AAAA", 1), 400, wire.CodeNotSealed},
		{"join with a huge card", "POST", base + "/join", jsons, strings.Replace(join(""), b64(wire.Bytes(frame(1))), b64(wire.Bytes(sizedFrame(1, wire.MaxCard+1))), 1), 413, wire.CodeTooLarge},
		{"join knowing too many", "POST", base + "/join", jsons, join(`,"known":[{"id":"` + id + `"}` + strings.Repeat(`,{"id":"`+id+`"}`, wire.MaxKnown) + `]`), 413, wire.CodeTooLarge},
		{"join of 2 MiB", "POST", base + "/join", jsons, strings.Repeat(" ", 2<<20), 413, wire.CodeTooLarge},
		{"deep JSON", "POST", base + "/join", jsons, strings.Repeat("[", 100_000), 400, wire.CodeBadRequest},

		{"message without id", "POST", base + "/messages?s=" + s, octets, valid, 400, wire.CodeBadRequest},
		{"message with a long id", "POST", base + "/messages?s=" + s + "&id=" + id + "A", octets, valid, 400, wire.CodeBadRequest},
		{"message with roster of words", "POST", base + "/messages?s=" + s + "&id=" + id + "&roster=new", octets, valid, 400, wire.CodeBadRequest},
		{"message in clear", "POST", base + "/messages?s=" + s + "&id=" + id, octets, "hello", 400, wire.CodeNotSealed},
		{"message of another version", "POST", base + "/messages?s=" + s + "&id=" + id, octets, "\x02" + valid[1:], 400, wire.CodeNotSealed},
		{"message as JSON", "POST", base + "/messages?s=" + s + "&id=" + id, jsons, valid, 415, wire.CodeMediaType},
		{"message as bad base64", "POST", base + "/messages?s=" + s + "&id=" + id, plain, "a+b/", 400, wire.CodeBadRequest},
		{"message as base64 in lines", "POST", base + "/messages?s=" + s + "&id=" + id, plain, b64(wire.Bytes(valid))[:76] + "\n" + b64(wire.Bytes(valid))[76:], 400, wire.CodeBadRequest},
		{"message too large", "POST", base + "/messages?s=" + s + "&id=" + id, octets, string(sizedFrame(1, r.conf.Limits.Message+1)), 413, wire.CodeTooLarge},
		{"message too large as text", "POST", base + "/messages?s=" + s + "&id=" + id, plain, b64(wire.Bytes(sizedFrame(1, r.conf.Limits.Message+4))), 413, wire.CodeTooLarge},

		{"ack of nothing", "POST", base + "/ack?s=" + s, "", "", 400, wire.CodeBadRequest},
		{"ack of an empty object", "POST", base + "/ack?s=" + s, jsons, "{}", 400, wire.CodeBadRequest},
		{"ack ahead", "POST", base + "/ack?s=" + s + "&through=" + at[:12] + "999", "", "", 400, wire.CodeBadCursor},
		{"ack of a bad chunk", "POST", base + "/ack?s=" + s, jsons, `{"got":["` + id + `"]}`, 400, wire.CodeBadRequest},
		{"ack with a number", "POST", base + "/ack?s=" + s, jsons, `{"got":[1]}`, 400, wire.CodeBadRequest},
		{"ack of 100 KiB", "POST", base + "/ack?s=" + s, jsons, strings.Repeat(" ", 100<<10), 413, wire.CodeTooLarge},
		{"card in clear", "POST", base + "/card?s=" + s, octets, "me", 400, wire.CodeNotSealed},
		{"card too large", "POST", base + "/card?s=" + s, octets, string(sizedFrame(1, wire.MaxCard+1)), 413, wire.CodeTooLarge},
		{"leave without session", "POST", base + "/leave", "", "", 400, wire.CodeBadRequest},

		{"chunk without number", "POST", base + "/chunks?s=" + s + "&id=" + id, octets, "x", 400, wire.CodeBadRequest},
		{"chunk beyond 32 bits", "POST", base + "/chunks?s=" + s + "&id=" + id + ".4294967296", octets, "x", 400, wire.CodeBadRequest},
		{"empty chunk", "POST", base + "/chunks?s=" + s + "&id=" + id + ".0", octets, "", 400, wire.CodeBadRequest},
		{"chunk nobody wants", "POST", base + "/chunks?s=" + s + "&id=" + id + ".0", octets, "x", 404, wire.CodeNobody},
		{"chunk too large", "POST", base + "/chunks?s=" + s + "&id=" + id + ".0", octets, strings.Repeat("x", r.conf.Limits.Chunk+1), 413, wire.CodeTooLarge},
		{"bad chunk", "GET", base + "/chunks/abc?s=" + s, "", "", 400, wire.CodeBadRequest},
		{"no chunk", "GET", base + "/chunks/" + id + ".0?s=" + s, "", "", 404, wire.CodeNoChunk},
		{"bad part of a chunk", "GET", base + "/chunks/" + id + ".0?from=-1&s=" + s, "", "", 400, wire.CodeBadRequest},
		{"bad hold for a chunk", "GET", base + "/chunks/" + id + ".0?hold=x&s=" + s, "", "", 400, wire.CodeBadRequest},
		{"bad file", "GET", base + "/files/" + id + ".0?s=" + s, "", "", 400, wire.CodeBadRequest},
		{"file, unknown session", "GET", base + "/files/" + id + "?s=" + id, "", "", 401, wire.CodeNoSession},

		{"knock without secret", "POST", base + "/knock", jsons, `{"body":"AAAA"}`, 400, wire.CodeBadRequest},
		{"knock without note", "POST", base + "/knock", jsons, `{"secret":"` + b64(a.secret) + `"}`, 400, wire.CodeBadRequest},
		{"knock too large", "POST", base + "/knock", jsons, `{"secret":"` + b64(a.secret) + `","body":"` + b64(make(wire.Bytes, wire.MaxKnock+1)) + `"}`, 413, wire.CodeTooLarge},
		{"knock poll of the past", "POST", base + "/knock/poll", jsons, `{"secret":"` + b64(a.secret) + `","after":-1}`, 400, wire.CodeBadRequest},
		{"knock poll of nothing", "POST", base + "/knock/poll", jsons, `{"secret":"` + b64(a.secret) + `"}`, 404, wire.CodeNoKnock},
		{"answer to a bad knock", "POST", base + "/knock/abc?s=" + s, octets, "x", 400, wire.CodeBadRequest},
		{"answer to no knock", "POST", base + "/knock/" + id + "?s=" + s, octets, "x", 404, wire.CodeNoKnock},
		{"empty answer", "POST", base + "/knock/" + id + "?s=" + s, octets, "", 400, wire.CodeBadRequest},
		{"answer too large", "POST", base + "/knock/" + id + "?s=" + s, octets, strings.Repeat("x", wire.MaxKnock+1), 413, wire.CodeTooLarge},

		{"poll of an object", "POST", "/poll", jsons, "{}", 400, wire.CodeBadRequest},
		{"poll of a bad room", "POST", "/poll", jsons, `[{"room":"x"}]`, 400, wire.CodeBadRequest},
		{"poll with hold of words", "POST", "/poll?hold=long", jsons, "[]", 400, wire.CodeBadRequest},

		{"no such page", "GET", "/nothing", "", "", 404, wire.CodeNotFound},
		{"no such page to post", "POST", "/nothing", "", "", 404, wire.CodeNotFound},
		{"no such resource", "POST", base + "/nothing?s=" + s, "", "", 404, wire.CodeNotFound},
		{"GET of a post", "GET", base + "/join", "", "", 405, wire.CodeMethod},
		{"POST of a get", "POST", base + "/stream", "", "", 405, wire.CodeMethod},
		{"DELETE", "DELETE", base, "", "", 405, wire.CodeMethod},
		{"OPTIONS", "OPTIONS", base + "/join", "", "", 405, wire.CodeMethod},
		{"a made-up method", "CANARY", base + "/join", "", "", 405, wire.CodeMethod},
		{"PATCH of the page", "PATCH", "/", "", "", 405, wire.CodeMethod},
	} {
		resp, body := r.do(c.method, c.path, c.kind, []byte(c.body))
		e := parse[wire.Error](t, body)
		if resp.StatusCode != c.status || e.Code != c.code {
			t.Errorf("%s: got %d %s, want %d %s", c.name, resp.StatusCode, body, c.status, c.code)
		}
		if e.HTTP != resp.StatusCode || e.Error == "" || e.Link != r.web.URL+"/help#"+e.Code || e.Rejoin != (e.Code == wire.CodeNoSession) {
			t.Errorf("%s: got %+v", c.name, e)
		}
		if c.status == 405 && (resp.Header.Get("Allow") == "" || strings.Contains(resp.Header.Get("Allow"), "OPTIONS")) {
			t.Errorf("%s: got Allow %q", c.name, resp.Header.Get("Allow"))
		}
	}
	if n := r.metric("snug_panics_total", ""); n != 0 {
		t.Errorf("%v panics", n)
	}
	a.poll(a.Cursor, 0) // the room has survived all that
}

// TestRawNonsense sends what an HTTP client would not.
func TestRawNonsense(t *testing.T) {
	r := newRelay(t)
	a := r.room(1).join(1)
	for name, c := range map[string]struct {
		raw    string
		status int
	}{
		"NUL in the target":   {"GET /r/\x00 HTTP/1.1\r\nHost: x\r\n\r\n", 400},
		"no host":             {"GET / HTTP/1.1\r\n\r\n", 400},
		"24 KiB of headers":   {"GET / HTTP/1.1\r\nHost: x\r\nX: " + strings.Repeat("x", 24<<10) + "\r\n\r\n", 431},
		"large, not sent":     {"POST " + a.path("/card") + " HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999\r\n\r\n", 413},
		"large, asks first":   {"POST " + a.path("/card") + " HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999\r\nExpect: 100-continue\r\n\r\n", 413},
		"large, chunked":      {"POST " + a.path("/card") + " HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n2000\r\n" + strings.Repeat("x", 0x2000) + "\r\n0\r\n\r\n", 413},
		"negative length":     {"POST " + a.path("/card") + " HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n", 400},
		"two lengths":         {"POST " + a.path("/card") + " HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nxx", 400},
		"bad chunk of a body": {"POST " + a.path("/card") + " HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", 400},
		"chunked, right":      {"POST " + a.path("/card") + " HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n12a\r\n" + string(frame(3)) + "\r\n0\r\n\r\n", 200},
	} {
		resp, err := http.ReadResponse(bufio.NewReader(r.dial(c.raw)), nil)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if resp.StatusCode != c.status {
			body, _ := io.ReadAll(resp.Body)
			t.Errorf("%s: got %d %s, want %d", name, resp.StatusCode, body, c.status)
		}
	}
}

// TestSlowBodyIsGivenUp: with an answer that clients take for a reason to try again, and not for a mistake of theirs.
func TestSlowBodyIsGivenUp(t *testing.T) {
	r := newRelay(t, func(r *relay) { r.conf.BodyTimeout = 50 * time.Millisecond })
	a := r.room(1).join(1)
	for name, path := range map[string]string{"where it is read": a.path("/card"), "where it is not": "/nothing"} {
		conn := r.dial("POST " + path + " HTTP/1.1\r\nHost: x\r\nContent-Length: 400\r\n\r\nx")
		br := bufio.NewReader(conn)
		resp, err := http.ReadResponse(br, nil)
		if err != nil {
			t.Fatal(err)
		}
		if resp.StatusCode/100 != 4 || resp.StatusCode == 400 {
			t.Errorf("%s: got %d", name, resp.StatusCode)
		}
		if _, err := io.Copy(io.Discard, br); err != nil { // a time-out of ours if the server keeps it open
			t.Errorf("%s: the connection stays: %v", name, err)
		}
	}
}

// TestUnknownSessionIsRefusedBeforeItsBody: who shows no session has nothing read into memory, and hears of it, also when
// its client sends all of the body before it looks.
func TestUnknownSessionIsRefusedBeforeItsBody(t *testing.T) {
	r := newRelay(t)
	a := r.room(1).join(1)
	a.Session = wire.SessionID{}
	id := wire.MessageID{7}.String()
	for _, path := range []string{
		a.path("/messages", "id", id), a.path("/chunks", "id", id+".0"), a.path("/card"), a.path("/ack", "through", a.Cursor.String()),
		a.path("/knock/" + id),
	} {
		conn := r.dial("POST " + path + " HTTP/1.1\r\nHost: x\r\nContent-Length: 1048576\r\n\r\n")
		resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err != nil || resp.StatusCode != 401 || !resp.Close {
			t.Errorf("%s: got %+v, %v", path, resp, err)
		}
		for _, size := range []int{1000, 1 << 20} {
			if resp, body := r.do("POST", path, octets, make([]byte, size)); resp.StatusCode != 401 || !parse[wire.Error](t, body).Rejoin {
				t.Errorf("%s with %d bytes: got %d %s", path, size, resp.StatusCode, body)
			}
		}
	}
	conn := r.dial("POST " + a.path("/card") + " HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhelloGET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
	br := bufio.NewReader(conn)
	for _, status := range []int{401, 200} {
		resp, err := http.ReadResponse(br, nil)
		if err != nil || resp.StatusCode != status {
			t.Fatalf("after a small body: got %+v, %v, want %d", resp, err, status)
		}
		io.Copy(io.Discard, resp.Body)
	}
}

// TestConnectionOutlivesABody: the deadline of a body must not cut what comes later on the connection.
func TestConnectionOutlivesABody(t *testing.T) {
	r := newRelay(t, func(r *relay) { r.conf.BodyTimeout = 100 * time.Millisecond })
	room := r.room(1)
	a, b := room.join(1), room.join(2)
	body := string(wire.MustJSON([]wire.PollRoom{{Room: room.id, Session: a.Session, After: b.Cursor}}))
	conn := r.dial(fmt.Sprintf("POST /poll HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%s", len(body), body))
	eventually(t, "the poll waits", func() bool { return r.metric("snug_readers", kindPoll) == 1 })
	time.AfterFunc(300*time.Millisecond, func() { b.post(frame(1)) })
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	got, err := io.ReadAll(resp.Body)
	if polled := parse[[]wire.Polled](t, got); err != nil || len(polled[0].Events) != 1 {
		t.Errorf("got %s, %v", got, err)
	}
}

// TestCursorOfAnotherLife: of a room that began anew a cursor is not ahead, and the sentence once said so.
func TestCursorOfAnotherLife(t *testing.T) {
	a := newRelay(t).room(1).join(1)
	a.Cursor.Epoch[0]++
	resp, body := a.do("POST", a.path("/ack", "through", a.Cursor.String()), "", nil)
	if e := parse[wire.Error](t, body); resp.StatusCode != 400 || e.Code != wire.CodeBadCursor || !strings.Contains(e.Error, "another life") {
		t.Errorf("got %d %s", resp.StatusCode, body)
	}
}

func TestTableOfRefusals(t *testing.T) {
	for _, r := range append(refusals, internal) {
		if slices.ContainsFunc(refusals, func(o refusal) bool { return o.code == r.code && o.status != r.status }) {
			t.Errorf("%s has two statuses", r.code)
		}
		if r.status == http.StatusTooManyRequests && r.retry == 0 && r.err != errSlowDown {
			t.Errorf("%s says not when to come again", r.code)
		}
		if !bytes.Contains(description, []byte(`"`+r.code+`"`)) {
			t.Errorf("openapi.json does not know %s", r.code)
		}
	}
}
