package handlers

import (
	"errors"
	"fmt"
	"net/http"
	"strconv"

	"github.com/labstack/echo/v4"

	"snug/hub"
	"snug/wire"
)

// postMessage is POST /r/{room}/messages?s=&id=&roster=: a member's frame for all the others.
func (s *Server) postMessage(c echo.Context) error {
	who, err := s.parseSender(c)
	if err != nil {
		return err
	}
	id, err := param(who.query, "id", wire.ParseMessageID)
	if err != nil {
		return err
	}
	roster, err := optional(who.query, "roster", parseRoster)
	if err != nil {
		return err
	}
	frame, err := s.readMember(c, who.room, s.conf.Limits.Message)
	if err != nil {
		return err
	}
	if err := checkSealed(wire.CheckFrame(frame)); err != nil {
		return err
	}
	posted, err := s.conf.Hub.Post(who.room, who.session, hub.Post{ID: id, Frame: frame, Roster: roster})
	switch {
	case errors.Is(err, hub.ErrRosterStale):
		return rosterStale{posted.Roster}
	case err != nil:
		return err
	}
	return blob(c, http.StatusOK, jsons, posted.AppendJSON(nil))
}

func parseRoster(s string) (uint64, error) {
	n, err := strconv.ParseUint(s, 10, 64)
	if err != nil {
		return 0, fmt.Errorf("%w: want a roster number", wire.ErrMalformed)
	}
	return n, nil
}
