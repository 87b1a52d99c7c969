package handlers

import (
	"github.com/labstack/echo/v4"

	"snug/wire"
)

// ack is POST /r/{room}/ack?s=&through=: the member has handled everything up to through. The body, if any, is an
// AckRequest about chunks; with one, through may be left out.
func (s *Server) ack(c echo.Context) error {
	who, err := s.parseSender(c)
	if err != nil {
		return err
	}
	var req wire.AckRequest
	if c.Request().ContentLength != 0 {
		if err := readJSON(c, maxList, &req, true); err != nil {
			return err
		}
	}
	files := len(req.Got)+len(req.Skip) > 0 || req.SkipAll
	if who.query["through"] != "" || !files {
		through, err := param(who.query, "through", wire.ParseCursor)
		if err != nil {
			return err
		}
		if err := s.conf.Hub.Ack(who.room, who.session, through); err != nil {
			return err
		}
	}
	if files {
		if err := s.conf.Hub.AckChunks(who.room, who.session, req); err != nil {
			return err
		}
	}
	return ok(c)
}
