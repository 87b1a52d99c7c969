package handlers

import (
	"bytes"
	"compress/gzip"
	"crypto/rand"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/andybalholm/brotli"
)

func pageRelay(t *testing.T) *relay {
	return newRelay(t, func(r *relay) {
		r.conf.Static = fstest.MapFS{
			"index.html":      {Data: []byte("<!doctype html><title>snug</title>" + strings.Repeat("<p>room</p>", 200))},
			"check.html":      {Data: []byte("<!doctype html><title>check</title>")},
			"js/app.js":       {Data: []byte(strings.Repeat("export const room = 1;\n", 100) + "// " + rand.Text())},
			"icons/small.png": {Data: []byte("\x89PNG")},
			"static.go":       {Data: []byte("package static")},
		}
	})
}

// get asks as a browser that does not decompress by itself.
func (r *relay) get(path string, headers ...string) (*http.Response, []byte) {
	r.t.Helper()
	req, err := http.NewRequest("GET", r.web.URL+path, nil)
	if err != nil {
		r.t.Fatal(err)
	}
	req.Header.Set("Accept-Encoding", "identity")
	for i := 0; i < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	return r.send(req)
}

func TestPage(t *testing.T) {
	r := pageRelay(t)
	for path, kind := range map[string]string{
		"/": "text/html; charset=utf-8", "/index.html": "text/html; charset=utf-8", "/check": "text/html; charset=utf-8",
		"/js/app.js": "text/javascript; charset=utf-8", "/icons/small.png": "image/png",
	} {
		resp, body := r.get(path)
		etag := resp.Header.Get("ETag")
		if resp.StatusCode != 200 || resp.Header.Get("Content-Type") != kind || etag == "" || len(body) == 0 {
			t.Fatalf("%s: got %d %v", path, resp.StatusCode, resp.Header)
		}
		csp := resp.Header.Get("Content-Security-Policy")
		if !strings.HasPrefix(csp, "default-src 'none'; script-src 'self'") || !strings.HasSuffix(csp, "trusted-types snug-worker") ||
			resp.Header.Get("Cache-Control") != "no-cache" || resp.Header.Get("Referrer-Policy") != "no-referrer" ||
			resp.Header.Get("X-Content-Type-Options") != "nosniff" || resp.Header.Get("Cross-Origin-Opener-Policy") != "same-origin" ||
			resp.Header.Get("Cross-Origin-Resource-Policy") != "same-origin" || resp.Header.Get("Permissions-Policy") == "" {
			t.Errorf("%s: got %v", path, resp.Header)
		}
		for _, match := range []string{etag, `"x", ` + etag, "W/" + etag} {
			if resp, body := r.get(path, "If-None-Match", match); resp.StatusCode != 304 || len(body) != 0 || resp.Header.Get("ETag") != etag {
				t.Errorf("%s with If-None-Match %s: got %d %v", path, match, resp.StatusCode, resp.Header)
			}
		}
		if resp, _ := r.get(path, "If-None-Match", `"0123"`); resp.StatusCode != 200 {
			t.Errorf("%s with another ETag: got %d", path, resp.StatusCode)
		}
	}
	for path, status := range map[string]int{"/static.go": 404, "/js/": 404, "/js": 404, "/js/nothing.js": 404, "/js/../js/app.js": 404, "/js%2fapp.js": 404} {
		if resp, _ := r.get(path); resp.StatusCode != status {
			t.Errorf("%s: got %d, want %d", path, resp.StatusCode, status)
		}
	}
	if resp, _ := r.do("POST", "/js/app.js", "", nil); resp.StatusCode != 405 {
		t.Errorf("POST of a file: got %d", resp.StatusCode)
	}
}

func TestPageIsCompressedForWhoAsks(t *testing.T) {
	r := pageRelay(t)
	plainResp, want := r.get("/js/app.js")
	readers := map[string]func(io.Reader) io.Reader{
		"":   func(r io.Reader) io.Reader { return r },
		"br": func(r io.Reader) io.Reader { return brotli.NewReader(r) },
		"gzip": func(r io.Reader) io.Reader {
			z, err := gzip.NewReader(r)
			if err != nil {
				t.Fatal(err)
			}
			return z
		},
	}
	compressing.Lock() // so brotli takes its time
	first, _ := r.get("/js/app.js", "Accept-Encoding", "gzip, br")
	if coding := first.Header.Get("Content-Encoding"); coding != "gzip" {
		t.Errorf("the first who asks gets %q instead of what is there", coding)
	}
	if resp, _ := r.get("/js/app.js", "Accept-Encoding", "br"); resp.StatusCode != 200 {
		t.Errorf("who takes brotli only: got %d", resp.StatusCode)
	}
	compressing.Unlock()
	<-r.server.page["/js/app.js"].made
	tags := map[string]string{"": plainResp.Header.Get("ETag")}
	for accept, coding := range map[string]string{"gzip": "gzip", "br;q=0, GZIP;q=0.5": "gzip", "gzip;q=0": "", "gzip; q=0.0": "", "gzip, deflate, br, zstd": "br", "": ""} {
		resp, body := r.get("/js/app.js", "Accept-Encoding", accept)
		if resp.Header.Get("Content-Encoding") != coding || resp.Header.Get("Vary") != "Accept-Encoding" || resp.ContentLength != int64(len(body)) {
			t.Errorf("Accept-Encoding %q: got %v", accept, resp.Header)
		}
		tag := resp.Header.Get("ETag")
		for other, theirs := range tags {
			if (tag == theirs) != (coding == other) {
				t.Errorf("Accept-Encoding %q: ETag %s, and %s for %q", accept, tag, theirs, other)
			}
		}
		tags[coding] = tag
		if got, err := io.ReadAll(readers[coding](bytes.NewReader(body))); err != nil || !bytes.Equal(got, want) {
			t.Errorf("Accept-Encoding %q: got %d bytes, %v", accept, len(got), err)
		}
	}
	if resp, _ := r.get("/icons/small.png", "Accept-Encoding", "gzip"); resp.Header.Get("Content-Encoding") != "" {
		t.Error("a picture is compressed again")
	}
}

// TestPageListing: /files.json names every file with the hash of what is given for it, and its own hash changes with any of them.
func TestPageListing(t *testing.T) {
	type listing struct {
		Hash  string
		Files map[string]string
	}
	list := func(r *relay) (l listing) {
		_, body := r.get("/files.json")
		if err := json.Unmarshal(body, &l); err != nil {
			t.Fatal(err)
		}
		return l
	}
	r := pageRelay(t)
	got := list(r)
	for _, name := range []string{"index.html", "check.html", "js/app.js", "icons/small.png"} {
		_, body := r.get("/" + name)
		if sum := fmt.Sprintf("%x", sha256.Sum256(body)); got.Files[name] != sum {
			t.Errorf("%s: got %s, want %s", name, got.Files[name], sum)
		}
	}
	if len(got.Files) != 4 || len(got.Hash) != 64 {
		t.Errorf("got %+v", got)
	}
	other := newRelay(t, func(r *relay) { r.conf.Static = fstest.MapFS{"index.html": {Data: []byte("<!doctype html>")}} })
	if list(other).Hash == got.Hash {
		t.Error("two pages have one hash")
	}
}

func TestRootIsHelpAtATerminal(t *testing.T) {
	r := pageRelay(t)
	if resp, body := r.get("/", "User-Agent", "curl/8.5.0"); !strings.HasPrefix(string(body), "snug - ") || !strings.Contains(resp.Header.Get("Vary"), "User-Agent") {
		t.Errorf("got %v %.40s", resp.Header, body)
	}
	bare := newRelay(t)
	if resp, body := bare.get("/"); resp.StatusCode != 200 || !strings.HasPrefix(string(body), "snug - ") {
		t.Errorf("without a page: got %d %.40s", resp.StatusCode, body)
	}
}

// TestHeadOfDocuments: probes ask by HEAD; they hear what GET says, without the body. Where an answer is no document it is no method.
func TestHeadOfDocuments(t *testing.T) {
	r := newRelay(t, func(r *relay) {
		r.conf.Static = fstest.MapFS{"index.html": {Data: []byte("<p>page")}, "app.css": {Data: []byte("a{}")}}
	})
	for _, path := range []string{"/", "/help", "/healthz", "/readyz", "/openapi.json", "/origin.json", "/app.css", "/check", "/nothing"} {
		get, body := r.do("GET", path, "", nil)
		head, none := r.do("HEAD", path, "", nil)
		if head.StatusCode != get.StatusCode || len(none) != 0 || head.ContentLength != int64(len(body)) {
			t.Errorf("%s: got %d, %d bytes said and %d sent, want %d, %d, 0", path, head.StatusCode, head.ContentLength, len(none), get.StatusCode, len(body))
		}
		for _, name := range []string{"Content-Type", "ETag", "Content-Security-Policy", "Vary"} {
			if head.Header.Get(name) != get.Header.Get(name) {
				t.Errorf("%s: %s: got %q, want %q", path, name, head.Header.Get(name), get.Header.Get(name))
			}
		}
	}
	for _, path := range []string{"/check/echo", "/poll", r.room(1).path("/members")} {
		if resp, _ := r.do("HEAD", path, "", nil); resp.StatusCode != 405 {
			t.Errorf("%s: got %d", path, resp.StatusCode)
		}
	}
}
