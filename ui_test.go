package main

import (
	"bufio"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"syscall"
	"testing"

	"snug/static"
)

// newUI serves the page in front of a relay, as snug ui does.
func newUI(t *testing.T, relay string, proxy string) *httptest.Server {
	t.Helper()
	c := uiCmd{relayFlags: relayFlags{URL: relayURL(relay), Proxy: proxyURL(proxy)}}
	srv, err := c.server()
	if err != nil {
		t.Fatal(err)
	}
	local := httptest.NewUnstartedServer(nil)
	local.Config = srv
	local.Start()
	t.Cleanup(local.Close)
	return local
}

func TestUIServesItsOwnPage(t *testing.T) {
	relay := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		t.Errorf("the relay is asked for %s", r.URL)
	}))
	defer relay.Close()
	ui := newUI(t, relay.URL, "")
	for _, name := range static.Names() {
		want, _ := static.Files.ReadFile(name)
		if resp, body := get(t, ui.Client(), ui.URL+"/"+name); resp.StatusCode != 200 || body != string(want) {
			t.Errorf("%s: got %d and %d bytes", name, resp.StatusCode, len(body))
		}
	}
	if resp, err := ui.Client().Head(ui.URL); err != nil || resp.StatusCode != 200 || resp.Body.Close() != nil {
		t.Errorf("HEAD, as probes ask: got %v, %v", resp, err)
	}
	if _, body := get(t, ui.Client(), ui.URL+"/origin.json"); body != `{"origin":"`+relay.URL+`"}` {
		t.Errorf("links would carry %s", body)
	}
}

// TestUIForwards: only what the relay needs goes out, only what the page needs comes back, and no answer runs as a page of ours.
func TestUIForwards(t *testing.T) {
	var seen *http.Request
	var body []byte
	relay := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		seen = r
		body, _ = io.ReadAll(r.Body)
		for name, v := range map[string]string{"Set-Cookie": "a=b", "Service-Worker-Allowed": "/", "Retry-After": "7", "Content-Type": "text/html", "Location": "/x"} {
			w.Header().Set(name, v)
		}
		w.WriteHeader(http.StatusProxyAuthRequired)
		io.WriteString(w, "<script>alert(1)</script>")
	}))
	defer relay.Close()
	ui := newUI(t, relay.URL, "")
	req, _ := http.NewRequest("POST", ui.URL+"/r/x/messages?s=1&n=2", strings.NewReader("frame"))
	for _, name := range []string{"Cookie", "Referer", "Origin", "Accept-Language", "X-Forwarded-For", "Sec-Fetch-Mode", "Accept-Encoding"} {
		req.Header.Set(name, "canary")
	}
	req.Header.Set("Origin", ui.URL)
	req.Header.Set("Content-Type", "application/octet-stream")
	req.Header.Set("User-Agent", "browser")
	resp, err := ui.Client().Do(req)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if seen.URL.String() != "/r/x/messages?s=1&n=2" || string(body) != "frame" || seen.ContentLength != 5 || seen.UserAgent() != "browser" || seen.Host != strings.TrimPrefix(relay.URL, "http://") {
		t.Errorf("the relay got %s %q, %d bytes, from %q for %s", seen.URL, body, seen.ContentLength, seen.UserAgent(), seen.Host)
	}
	if len(seen.Header) != 3 {
		t.Errorf("the relay got the headers %v", seen.Header)
	}
	h := resp.Header
	if resp.StatusCode != http.StatusNetworkAuthenticationRequired || h.Get("Retry-After") != "7" || h.Get("Set-Cookie")+h.Get("Service-Worker-Allowed")+h.Get("Location") != "" {
		t.Errorf("the page got %d %v", resp.StatusCode, h)
	}
	if h.Get("Content-Security-Policy") != "sandbox; default-src 'none'" || h.Get("X-Content-Type-Options") != "nosniff" {
		t.Errorf("an answer of the network could run here: %v", h)
	}
}

func TestUIForwardsStreamsAsTheyCome(t *testing.T) {
	next := make(chan bool)
	relay := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for range 3 {
			io.WriteString(w, "piece\n")
			w.(http.Flusher).Flush()
			<-next
		}
	}))
	defer relay.Close()
	ui := newUI(t, relay.URL, "")
	resp, err := ui.Client().Get(ui.URL + "/r/x/stream")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	r := bufio.NewReader(resp.Body)
	for range 3 {
		if line, err := r.ReadString('\n'); err != nil || line != "piece\n" { // a held piece would never come
			t.Fatalf("got %q, %v", line, err)
		}
		next <- true
	}
}

// TestUIIsForThisMachine: a page of another site neither reaches it under its own name nor posts to it.
func TestUIIsForThisMachine(t *testing.T) {
	ui := newUI(t, "http://127.0.0.1:1", "")
	for _, c := range []struct {
		method, host, from string
		want               int
	}{
		{"GET", "localhost:7684", "", 200}, {"GET", "127.0.0.1", "", 200}, {"GET", "[::1]:7684", "", 200}, {"GET", "[::1]", "", 200},
		{"GET", "rebound.example:7684", "", 404}, {"GET", "localhost.rebound.example", "", 404}, {"GET", "", "", 404},
		{"POST", "localhost:7684", "cross-site", 403}, {"POST", "localhost:7684", "same-origin", 405},
	} {
		req := httptest.NewRequest(c.method, "/", nil)
		req.Host = c.host
		req.Header.Set("Sec-Fetch-Site", c.from)
		req.Header.Set("Accept", "text/html")
		w := httptest.NewRecorder()
		ui.Config.Handler.ServeHTTP(w, req)
		if w.Code != c.want {
			t.Errorf("%s for %q from %q: got %d, want %d", c.method, c.host, c.from, w.Code, c.want)
		}
	}
}

// TestUIWithoutRelay: the page sees a broken connection where there is silence, and a refusal where a proxy refuses.
func TestUIWithoutRelay(t *testing.T) {
	ui := newUI(t, "http://127.0.0.1:1", "")
	if resp, err := ui.Client().Get(ui.URL + "/poll"); err == nil {
		t.Errorf("nobody answers, and the page gets %s", resp.Status)
	}
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusProxyAuthRequired) }))
	defer proxy.Close()
	ui = newUI(t, "https://snug.invalid", proxy.URL)
	if resp, body := get(t, ui.Client(), ui.URL+"/r/x/stream"); resp.StatusCode != 511 || !strings.Contains(body, "the proxy asks for a login (407)") {
		t.Errorf("got %s %s", resp.Status, body)
	}
}

func TestUIStartsAndStops(t *testing.T) {
	ui := start(t, 3, nil, "ui", "--listen", "127.0.0.1:0", "https://snug.invalid/#secret")
	if strings.Contains(strings.Join(ui.hello, "\n"), "#") || !strings.Contains(ui.hello[1], static.Hash()) || !strings.Contains(ui.hello[2], "https://snug.invalid,") {
		t.Errorf("it says %q", ui.hello)
	}
	if resp, body := get(t, http.DefaultClient, ui.url+"/index.html"); resp.StatusCode != 200 || !strings.Contains(body, "<title>snug</title>") {
		t.Errorf("got %d %.80s", resp.StatusCode, body)
	}
	ui.cmd.Process.Signal(os.Signal(syscall.SIGTERM))
	if code := ui.wait(t); code != 0 {
		t.Errorf("exit code %d", code)
	}
}
