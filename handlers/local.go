package handlers

import (
	"errors"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"net/url"

	"github.com/labstack/echo/v4"

	"snug/wire"
)

// errForeignHost: a request under a name that does not mean this machine, as a page of somebody else's would send it after
// pointing its own name at 127.0.0.1.
var errForeignHost = errors.New("request for another host")

// NewLocal serves the page to browsers on this machine and gives forward what is meant for the relay: /r/…, /poll and /check/….
// origin is the relay's address, which the page puts into links. A page of another site can neither reach it by a name of its own nor
// post to it. Errors: files that cannot be read.
func NewLocal(files fs.FS, origin string, forward http.Handler) (http.Handler, error) {
	page, err := loadPage(files)
	if err != nil {
		return nil, err
	}
	e := echo.New()
	s := &Server{conf: Config{PublicURL: origin}, page: page, metrics: newMetrics(nil), log: slog.New(slog.DiscardHandler), echo: e}
	e.Logger.SetOutput(io.Discard)
	e.HTTPErrorHandler = s.refuse
	e.Pre(onlyThisMachine, commonHeaders)
	e.Use(s.noOptions)
	for _, path := range []string{"/r/*", "/poll", "/check/*"} {
		e.Match([]string{http.MethodGet, http.MethodPost, http.MethodPut}, path, sandboxed(forward))
	}
	e.GET("/", s.root)
	e.GET("/help", s.help)
	e.GET("/origin.json", s.publicOrigin)
	e.GET("/check", s.check)
	for path := range page {
		if path != "/check" {
			e.GET(path, s.file)
		}
	}
	return http.NewCrossOriginProtection().Handler(s), nil
}

// onlyThisMachine refuses names but localhost. An address cannot be pointed elsewhere, so every address is fine.
func onlyThisMachine(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		host := (&url.URL{Host: c.Request().Host}).Hostname()
		if host != "localhost" && net.ParseIP(host) == nil {
			return errForeignHost
		}
		return next(c)
	}
}

// sandboxed keeps what comes from the network out of the page's origin: an answer opened as a document has no script and no storage.
func sandboxed(forward http.Handler) echo.HandlerFunc {
	return func(c echo.Context) error {
		c.Response().Header().Set("Content-Security-Policy", "sandbox; default-src 'none'")
		forward.ServeHTTP(c.Response().Writer, c.Request())
		return nil
	}
}

// publicOrigin is GET /origin.json: where others reach this relay, for pages that came by another way, as from snug ui or through a tunnel.
func (s *Server) publicOrigin(c echo.Context) error {
	return answer(c, http.StatusOK, wire.Origin{Origin: s.origin(c)})
}
