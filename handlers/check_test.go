package handlers

import (
	"bufio"
	"bytes"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"

	"snug/wire"
)

func checkBody(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = wire.CheckByte(i)
	}
	return b
}

func TestCheckPost(t *testing.T) {
	r := newRelay(t)
	for _, kind := range []string{octets, plain} {
		if got := call[wire.CheckPosted](r, "POST", "/check/post", kind, checkBody(wire.MaxCheckBody)); got != (wire.CheckPosted{Bytes: wire.MaxCheckBody, Intact: true}) {
			t.Errorf("%s: got %+v", kind, got)
		}
	}
	changed := checkBody(1000)
	changed[999]++
	if got := call[wire.CheckPosted](r, "POST", "/check/post", octets, changed); got.Intact || got.Bytes != 1000 {
		t.Errorf("a changed byte: got %+v", got)
	}
	if resp, _ := r.do("POST", "/check/post", octets, checkBody(wire.MaxCheckBody+1)); resp.StatusCode != 413 {
		t.Errorf("a body beyond the bound: got %d", resp.StatusCode)
	}
	if resp, _ := r.do("POST", "/check/post", jsons, nil); resp.StatusCode != 415 {
		t.Errorf("JSON: got %d", resp.StatusCode)
	}
	req, _ := http.NewRequest("POST", r.web.URL+"/check/post", struct{ *bytes.Reader }{bytes.NewReader(checkBody(70000))})
	_, b := r.send(req)
	if want := `{"bytes":70000,"intact":true,"chunked":true}`; string(b) != want {
		t.Errorf("chunked: got %s", b)
	}
}

func TestCheckEcho(t *testing.T) {
	r := newRelay(t)
	resp, b := r.get("/check/echo?n=1", "Last-Event-ID", "canary", "Via", "1.1 office")
	var first wire.CheckEcho
	if err := json.Unmarshal(b, &first); err != nil || resp.Header.Get("Cache-Control") != "no-store" {
		t.Fatalf("got %v %s", resp.Header, b)
	}
	if !slices.Contains(first.Headers, "Last-Event-Id") || first.Via != "1.1 office" || strings.Contains(string(b), "canary") {
		t.Errorf("got %+v", first)
	}
	if again := call[wire.CheckEcho](r, "GET", "/check/echo?n=1", "", nil); again.Answer == first.Answer {
		t.Error("two answers with one number")
	}
	if _, page := r.get("/check/page"); string(page) != first.Page {
		t.Errorf("the page is %s", page)
	}
}

func TestCheckStream(t *testing.T) {
	r := newRelay(t)
	resp, err := r.web.Client().Get(r.web.URL + "/check/stream?every=20&count=3&size=500&as=octet-stream")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var got []wire.CheckPiece
	lines := bufio.NewScanner(resp.Body)
	total := 0
	for lines.Scan() {
		total += len(lines.Bytes()) + 1
		if data, ok := strings.CutPrefix(lines.Text(), "data: "); ok {
			var p wire.CheckPiece
			if err := json.Unmarshal([]byte(data), &p); err != nil {
				t.Fatal(err)
			}
			got = append(got, p)
		}
	}
	if len(got) != 3 || got[2].N != 2 || got[0].At < 20 || got[2].At < 60 || resp.Header.Get("Content-Type") != octets || total != len(preamble)+1+1500 {
		t.Errorf("got %v, %d bytes, %v", got, total, resp.Header)
	}
	if resp, _ := r.get("/check/stream?every=often"); resp.StatusCode != 400 {
		t.Errorf("every=often: got %d", resp.StatusCode)
	}
}

// TestChecksAreBounded: neither time nor bytes nor number can be asked for without end.
func TestChecksAreBounded(t *testing.T) {
	r := newRelay(t)
	r.server.checking.Store(maxChecks)
	for _, path := range []string{"/check/stream", "/check/echo"} {
		if resp, _ := r.get(path); resp.StatusCode != 429 || resp.Header.Get("Retry-After") == "" {
			t.Errorf("%s beside %d others: got %d", path, maxChecks, resp.StatusCode)
		}
	}
	if n := r.server.checking.Load(); n != maxChecks {
		t.Errorf("a refusal leaves %d", n)
	}
	r.server.checking.Store(0)
	r.server.Drain()
	if resp, _ := r.get("/check/stream?every=30000"); resp.StatusCode != 503 {
		t.Errorf("while draining: got %d", resp.StatusCode)
	}
}

func TestCheckIsTextAtATerminal(t *testing.T) {
	if resp, body := pageRelay(t).get("/check", "User-Agent", "curl/8"); !strings.Contains(string(body), "snug check http://") || resp.StatusCode != 200 {
		t.Errorf("got %d %s", resp.StatusCode, body)
	}
}
