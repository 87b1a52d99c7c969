package handlers

import (
	_ "embed"
	"net/http"
	"strings"

	"github.com/labstack/echo/v4"
)

// helpText is help.txt, in which {{URL}} stands for the address of the relay. Static.
//
//go:embed help.txt
var helpText string

// help is GET /help: what this is and how to use it from a terminal.
func (s *Server) help(c echo.Context) error {
	return text(c, http.StatusOK, renderText(helpText, s.origin(c)))
}

func renderText(text, origin string) string { return strings.ReplaceAll(text, "{{URL}}", origin) }

// root is GET /: the page, or the help for people at a terminal.
func (s *Server) root(c echo.Context) error {
	c.Response().Header().Add("Vary", "Accept, User-Agent")
	index, ok := s.page["/index.html"]
	if !ok || wantsText(c.Request()) {
		return s.help(c)
	}
	return index.serve(c)
}
