package handlers

import (
	"fmt"

	"github.com/labstack/echo/v4"

	"snug/hub"
	"snug/wire"
)

// join is POST /r/{room}/join: the access token proves the right to be here, the secret who the member is.
func (s *Server) join(c echo.Context) error {
	room, _, err := parseRoom(c)
	if err != nil {
		return err
	}
	var req wire.JoinRequest
	if err := s.readStranger(c, func() error { return readJSON(c, maxJoin, &req, false) }); err != nil {
		return err
	}
	if !req.Access.Opens(room) {
		return errWrongToken
	}
	if err := checkJoin(req); err != nil {
		return err
	}
	joined, err := s.conf.Hub.Join(room, hub.Join{
		Member: req.Secret.Member(), Card: req.Card, Cursor: req.Cursor, Known: req.Known,
	})
	if err != nil {
		return err
	}
	return s.large(c, joined)
}

// checkJoin checks what the hub takes on trust.
func checkJoin(req wire.JoinRequest) error {
	if req.Secret == (wire.MemberSecret{}) {
		return fmt.Errorf("body: %w: no member secret", wire.ErrMalformed)
	}
	if len(req.Known) > wire.MaxKnown {
		return hub.ErrTooLarge
	}
	for _, m := range req.Known {
		if len(m.Card) == 0 {
			continue // of a member who has not followed a move yet, and has shown no card in this room
		}
		if err := checkCard(m.Card); err != nil {
			return err
		}
	}
	return checkCard(req.Card)
}

// checkCard tells whether a card has the size and the look of a frame.
func checkCard(card []byte) error {
	if len(card) > wire.MaxCard {
		return hub.ErrTooLarge
	}
	return checkSealed(wire.CheckFrame(card))
}

// checkSealed makes a failed look at a body errNotSealed, whose text says how to seal.
func checkSealed(err error) error {
	if err != nil {
		return fmt.Errorf("%w: %w", errNotSealed, err)
	}
	return nil
}
