package handlers

import "github.com/labstack/echo/v4"

// members is GET /r/{room}/members?s=: who is in the room, with cards and acks.
func (s *Server) members(c echo.Context) error {
	who, err := parseCaller(c)
	if err != nil {
		return err
	}
	roster, err := s.conf.Hub.Members(who.room, who.session)
	if err != nil {
		return err
	}
	return s.large(c, roster)
}
