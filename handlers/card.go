package handlers

import (
	"github.com/labstack/echo/v4"

	"snug/wire"
)

// card is POST /r/{room}/card?s=: the member's new card, a frame.
func (s *Server) card(c echo.Context) error {
	who, err := s.parseSender(c)
	if err != nil {
		return err
	}
	card, err := readBytes(c, wire.MaxCard)
	if err != nil {
		return err
	}
	if err := checkCard(card); err != nil {
		return err
	}
	if err := s.conf.Hub.SetCard(who.room, who.session, card); err != nil {
		return err
	}
	return ok(c)
}
