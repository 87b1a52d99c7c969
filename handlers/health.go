package handlers

import (
	"net/http"

	"github.com/labstack/echo/v4"

	"snug/hub"
)

// healthz is GET /healthz: the process answers.
func (s *Server) healthz(c echo.Context) error { return text(c, http.StatusOK, "ok\n") }

// readyz is GET /readyz: new clients may be sent here. Not while draining.
func (s *Server) readyz(c echo.Context) error {
	if s.isDraining() {
		return later{hub.ErrClosed, s.conf.Streams.Spread}
	}
	return text(c, http.StatusOK, "ready\n")
}
