package handlers

import (
	_ "embed"
	"net/http"

	"github.com/labstack/echo/v4"
)

// description is openapi.json, written by hand; a test holds it to the routes. Static.
//
//go:embed openapi.json
var description []byte

// openAPI is GET /openapi.json: this interface for machines.
func (s *Server) openAPI(c echo.Context) error {
	return blob(c, http.StatusOK, jsons, description)
}
