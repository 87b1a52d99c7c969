package handlers

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io/fs"
	"net/http"
	"path"
	"strconv"
	"strings"

	"github.com/labstack/echo/v4"
)

// page is what the browser gets, by path: every file, compressed and hashed once at start. Static after construction.
type page map[string]asset

// asset is one file. Static.
type asset struct {
	kind string
	etag string // without quotes
	*compressed
}

// securityHeaders of the page. A page that holds keys runs nothing but the files of this relay, talks to nobody else,
// and is framed by nobody. The camera is for reading a room's QR code, asked for by the person alone. Trusted Types make every string-to-code sink of the DOM throw; the one policy, in js/ui/offline.js, gives the address of the
// service worker and nothing else. Static.
var securityHeaders = map[string]string{
	"Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; " +
		"media-src blob:; connect-src 'self'; manifest-src 'self'; worker-src 'self'; base-uri 'none'; form-action 'none'; " +
		"frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types snug-worker",
	"Cross-Origin-Opener-Policy": "same-origin",
	"Permissions-Policy": "accelerometer=(), browsing-topics=(), camera=(self), display-capture=(), geolocation=(), gyroscope=(), " +
		"magnetometer=(), microphone=(), midi=(), payment=(), serial=(), usb=()",
}

// PagePolicy is the content security policy that every file of the page comes with.
func PagePolicy() string { return securityHeaders["Content-Security-Policy"] }

// kinds are the media types of the files a page is made of. A table of our own, since mime reads the machine's. Static.
var kinds = map[string]string{
	".css":         "text/css; charset=utf-8",
	".html":        "text/html; charset=utf-8",
	".ico":         "image/x-icon",
	".js":          "text/javascript; charset=utf-8",
	".json":        "application/json",
	".mjs":         "text/javascript; charset=utf-8",
	".png":         "image/png",
	".svg":         "image/svg+xml",
	".txt":         "text/plain; charset=utf-8",
	".webmanifest": "application/manifest+json",
	".webp":        "image/webp",
	".woff2":       "font/woff2",
}

// loadPage reads all files whose kind it knows; others, like the sources that embed them, are not for the browser.
// A file x.html is found at /x as well.
func loadPage(files fs.FS) (page, error) {
	p := page{}
	if files == nil {
		return p, nil
	}
	sums := map[string]string{}
	err := fs.WalkDir(files, ".", func(name string, d fs.DirEntry, err error) error {
		kind, known := kinds[path.Ext(name)]
		if err != nil || d.IsDir() || !known || strings.ContainsAny(name, ":*") { // Echo's wildcards
			return err
		}
		b, err := fs.ReadFile(files, name)
		if err != nil {
			return err
		}
		p["/"+name] = newAsset(kind, b)
		sums[name] = fmt.Sprintf("%x", sha256.Sum256(b))
		if bare, isHTML := strings.CutSuffix(name, ".html"); isHTML && bare != "index" {
			p["/"+bare] = p["/"+name]
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("handlers: read the page: %w", err)
	}
	p["/files.json"] = newAsset(kinds[".json"], listing(sums))
	return p, nil
}

// listing is GET /files.json: the files of the page with their hashes, and a hash of them all that changes with each. The service worker
// keeps them by it for a time without a network, and an open page learns by it that there is a newer one.
func listing(sums map[string]string) []byte {
	files, err := json.Marshal(sums) // sorted by name
	if err != nil {
		panic("handlers: list the page: " + err.Error()) // strings marshal
	}
	return fmt.Appendf(nil, `{"hash":"%x","files":%s}`, sha256.Sum256(files), files)
}

func newAsset(kind string, b []byte) asset {
	hash := sha256.Sum256(b)
	return asset{kind: kind, etag: hex.EncodeToString(hash[:12]), compressed: compressOnce(hash, b)}
}

// file is GET of a file of the page.
func (s *Server) file(c echo.Context) error { return s.page[c.Path()].serve(c) }

// serve writes the asset, or 304 to whom has it. The browser asks each time: a new relay means a new page at once.
func (a asset) serve(c echo.Context) error {
	h := c.Response().Header()
	for name, value := range securityHeaders {
		h.Set(name, value)
	}
	h.Set("Cache-Control", "no-cache")
	body, etag := a.plain, a.etag
	if a.gzip != nil {
		h.Add("Vary", "Accept-Encoding")
		accepted := c.Request().Header.Get("Accept-Encoding")
		var best []byte
		if accepts(accepted, "br") {
			best = a.best()
		}
		switch {
		case best != nil:
			body, etag = best, a.etag+"-br"
			h.Set("Content-Encoding", "br")
		case accepts(accepted, "gzip"):
			body, etag = a.gzip, a.etag+"-gz"
			h.Set("Content-Encoding", "gzip")
		}
	}
	h.Set("ETag", `"`+etag+`"`)
	if strings.Contains(c.Request().Header.Get("If-None-Match"), `"`+a.etag) { // a hash is found whole or not at all
		h.Del("Content-Encoding")
		return c.NoContent(http.StatusNotModified)
	}
	h.Set("Content-Length", strconv.Itoa(len(body)))
	return c.Blob(http.StatusOK, a.kind, body)
}

// headAsGet makes GET of HEAD where answers are documents, since probes ask like that. net/http, whose own request stays what it is, leaves
// the body out. Elsewhere HEAD is no method, as a stream, or a wait, for the sake of its head makes no sense.
func headAsGet(r *http.Request) *http.Request {
	if path := r.URL.Path; r.Method != http.MethodHead || path == "/poll" || strings.HasPrefix(path, "/r/") || strings.HasPrefix(path, "/check/") {
		return r
	}
	get := r.WithContext(r.Context()) // a copy
	get.Method = http.MethodGet
	return get
}

// accepts reads an Accept-Encoding as far as it matters: the coding is named and not with weight zero.
func accepts(header, coding string) bool {
	for part := range strings.SplitSeq(header, ",") {
		name, weight, _ := strings.Cut(part, ";")
		if strings.EqualFold(strings.TrimSpace(name), coding) {
			q, given := strings.CutPrefix(strings.ReplaceAll(weight, " ", ""), "q=")
			n, err := strconv.ParseFloat(q, 32)
			return !given || (err == nil && n > 0)
		}
	}
	return false
}
