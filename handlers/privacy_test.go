package handlers

import (
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"strings"
	"testing"

	"snug/hub"
	"snug/wire"
)

// TestNothingOfTheClientsIsLoggedOrMeasured sends canaries through every route, well formed and not, and looks for them.
func TestNothingOfTheClientsIsLoggedOrMeasured(t *testing.T) {
	onBothSinks(t, testNothingOfTheClientsIsLoggedOrMeasured)
}

func testNothingOfTheClientsIsLoggedOrMeasured(t *testing.T, sink Sink) {
	r := newRelay(t, written(sink))
	room := r.room(1)
	a, b := room.join(1), room.join(2)
	canaries := []string{
		"canary", "CANARY", room.id.String(), a.member.String(), a.Session.String(), a.Cursor.String()[:11],
		b.Session.String(), b64(a.access), b64(a.access.Post()), b64(a.secret), "127.0.0.1",
	}
	var addrs []string
	dial := (&net.Dialer{}).DialContext
	r.web.Client().Transport.(*http.Transport).DialContext = dial

	sendAs := func(method, path, kind, body string) {
		req, err := http.NewRequest(method, r.web.URL+path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Content-Type", kind)
		req.Header.Set("User-Agent", "canary-agent")
		req.Header.Set("Referer", "https://canary.example/")
		req.Header.Set("X-Forwarded-For", "192.0.2.77")
		req.Header.Set("Authorization", "Bearer "+b64(a.access.Post()))
		r.send(req)
	}
	canaries = append(canaries, "192.0.2.77")
	id := wire.MessageID{3}.String()
	canaries = append(canaries, id)
	for _, route := range r.server.echo.Routes() {
		path := strings.NewReplacer(":room", room.id.String(), ":chunk", id+".1", ":knock", id).Replace(route.Path)
		for _, q := range []string{"", "?canary=1", "?s=canary", "?s=" + a.Session.String() + "&after=" + b.Cursor.String() + "&through=" + b.Cursor.String() + "&id=" + id + "&mode=batch&hold=0", "?s=" + a.Session.String() + "&id=" + id + ".1"} {
			for _, body := range []string{"", "canary", `{"canary":1}`, string(frame('c')), sealed("canary"),
				string(wire.MustJSON(wire.JoinRequest{Access: a.access, Secret: b.secret, Card: frame(1)})),
				string(wire.MustJSON(wire.KnockRequest{Secret: a.secret, Body: []byte("canary")}))} {
				if route.Path == "/r/:room/leave" && body != "" {
					continue // once is enough
				}
				sendAs(route.Method, path+q, octets, body)
				sendAs(route.Method, path+q, jsons, body)
			}
		}
	}
	sendAs("CANARY", "/canary", "canary/canary", "canary")
	sendAs("GET", "/"+strings.Repeat("canary", 2000), "", "")
	sendAs("GET", "/r/canary%0a/members?s=canary", "", "")
	for _, raw := range []string{"GET /canary HTTP/9.9\r\n\r\n", "CANARY\r\n\r\n", "GET / HTTP/1.1\r\nHost: canary canary\r\n\r\n"} {
		conn := r.dial(raw)
		addrs = append(addrs, conn.LocalAddr().String())
		if _, err := conn.Read(make([]byte, 1)); err != nil {
			t.Fatal(err)
		}
	}
	logged, measured := r.log.String(), r.gathered()
	if !strings.Contains(logged, `"route":"/r/:room/messages"`) || !strings.Contains(measured, "/r/:room/messages") {
		t.Fatal("nothing is logged or measured at all")
	}
	for _, c := range append(canaries, addrs...) {
		if strings.Contains(logged, c) {
			t.Errorf("the log holds %q: %s", c, lineWith(logged, c))
		}
		if strings.Contains(measured, c) {
			t.Errorf("the metrics hold %q: %s", c, lineWith(measured, c))
		}
	}
	for line := range strings.Lines(logged) {
		var fields map[string]any
		if err := json.Unmarshal([]byte(line), &fields); err != nil {
			t.Fatal(err)
		}
		for name := range fields {
			if !strings.Contains(" time level msg route method status took bytes reason ", " "+name+" ") {
				t.Errorf("unexpected field %s in %s", name, line)
			}
		}
	}
}

func lineWith(text, part string) string {
	for line := range strings.Lines(text) {
		if strings.Contains(line, part) {
			return line
		}
	}
	return ""
}

// faulty is a hub with a bug.
type faulty struct {
	hub.Hub
	how func()
}

func (f faulty) Members(wire.RoomID, wire.SessionID) (wire.Roster, error) {
	f.how()
	return wire.Roster{}, fmt.Errorf("members: %w", net.ErrClosed)
}

func TestPanicsAndMistakesAreInternalErrors(t *testing.T) {
	var list []int
	for name, c := range map[string]struct {
		how  func()
		logs string
	}{
		"a panic with a secret":  {func() { panic("canary") }, "not a runtime error"},
		"a panic of the runtime": {func() { list[len(list)] = 1 }, "index out of range"},
		"an unknown error":       {func() {}, "use of closed network connection"},
	} {
		r := newRelay(t, func(r *relay) { r.hub = faulty{hub.NewMemory(r.limits), c.how} })
		a := r.room(1).join(1)
		resp, body := r.do("GET", a.path("/members"), "", nil)
		if e := parse[wire.Error](t, body); resp.StatusCode != 500 || e.Code != wire.CodeInternal || strings.Contains(string(body), "canary") {
			t.Errorf("%s: got %d %s", name, resp.StatusCode, body)
		}
		if logged := r.log.String(); !strings.Contains(logged, c.logs) || strings.Contains(logged, "canary") || strings.Contains(logged, a.Session.String()) {
			t.Errorf("%s: logged %s", name, logged)
		}
		if resp, _ := r.do("GET", "/healthz", "", nil); resp.StatusCode != 200 {
			t.Errorf("%s: the relay is down", name)
		}
	}
}

func TestServerLogKeepsAddressesOut(t *testing.T) {
	r := newRelay(t)
	log := r.web.Config.ErrorLog
	for line, reason := range map[string]string{
		"http: TLS handshake error from 192.0.2.77:1234: EOF":             "tls_handshake",
		"http: Accept error: accept tcp: too many open files; retrying":   "accept",
		"http: panic serving 192.0.2.77:1234: canary":                     "panic",
		"http2: server: error reading preface from client 192.0.2.77:123": "other",
	} {
		log.Print(line)
		if r.metric("snug_server_errors_total", reason) != 1 || !strings.Contains(r.log.String(), `"reason":"`+reason+`"`) {
			t.Errorf("%s: not counted as %s", line, reason)
		}
	}
	if logged := r.log.String(); strings.Contains(logged, "192.0.2.77") || strings.Contains(logged, "canary") {
		t.Errorf("logged %s", logged)
	}
}
