package handlers

import "github.com/labstack/echo/v4"

// leave is POST /r/{room}/leave?s=: the membership ends at once. A body, as sendBeacon may send one, is not looked at.
func (s *Server) leave(c echo.Context) error {
	who, err := parseCaller(c)
	if err != nil {
		return err
	}
	if err := s.conf.Hub.Leave(who.room, who.session); err != nil {
		return err
	}
	return ok(c)
}
