package handlers

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"

	"github.com/labstack/echo/v4"

	"snug/wire"
)

// answer writes v as JSON with its Content-Length, which gets through proxies that hold chunked answers.
func answer(c echo.Context, status int, v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return err
	}
	return blob(c, status, "application/json", b)
}

// text writes plain text for people at a terminal.
func text(c echo.Context, status int, s string) error {
	return blob(c, status, "text/plain; charset=utf-8", []byte(s))
}

// blob writes an answer of known length that no cache keeps.
func blob(c echo.Context, status int, kind string, b []byte) error {
	h := c.Response().Header()
	h["Cache-Control"] = noStore
	h["Content-Length"] = []string{strconv.Itoa(len(b))}
	return c.Blob(status, kind, b)
}

// origin is the address under which people reach this relay, without a slash at its end. The Host header is the client's
// word, so it counts only where it is nothing but a host.
func (s *Server) origin(c echo.Context) string {
	if s.conf.PublicURL != "" {
		return s.conf.PublicURL
	}
	r := c.Request()
	u, err := url.Parse("//" + r.Host)
	if err != nil || r.Host == "" || u.Host != r.Host || u.User != nil {
		return ""
	}
	if r.TLS != nil || r.Header.Get("X-Forwarded-Proto") == "https" {
		return "https://" + r.Host
	}
	return "http://" + r.Host
}

// ok is the answer of what has nothing else to say.
func ok(c echo.Context) error { return blob(c, http.StatusOK, "application/json", okBody) }

// Static parts of answers, shared by all and never changed. Their names are in the form that net/http gives them.
var (
	okBody     = wire.MustJSON(wire.OK{OK: true})
	noStore    = []string{"no-store"}
	noSniff    = []string{"nosniff"}
	noReferrer = []string{"no-referrer"}
	sameOrigin = []string{"same-origin"}
)
