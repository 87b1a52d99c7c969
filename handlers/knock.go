package handlers

import (
	"context"
	"fmt"
	"net/http"

	"github.com/labstack/echo/v4"

	"snug/hub"
	"snug/wire"
)

// maxKnockBody is a KnockRequest with the largest note, in base64, and room for its other fields.
const maxKnockBody = wire.MaxKnock*4/3 + 256

// knock is POST /r/{room}/knock: a stranger, who knows the room id only, asks to be let in.
func (s *Server) knock(c echo.Context) error {
	room, req, err := readKnock(c)
	if err != nil {
		return err
	}
	if len(req.Body) == 0 {
		return fmt.Errorf("body: %w: an empty note", wire.ErrMalformed)
	}
	if !s.knocks.allow(room) {
		return later{errSlowDown, s.conf.KnockEvery}
	}
	if err := s.conf.Hub.Knock(room, req.Secret.Knock(), req.Body); err != nil {
		return err
	}
	return ok(c)
}

// pollKnock is POST /r/{room}/knock/poll: the stranger waits for the members' notes.
func (s *Server) pollKnock(c echo.Context) error {
	room, req, err := readKnock(c)
	if err != nil {
		return err
	}
	if req.After < 0 || req.Hold < 0 {
		return fmt.Errorf("body: %w: a number below zero", wire.ErrMalformed)
	}
	ctx, cancel := context.WithTimeout(c.Request().Context(), s.holdSpan().clamp(uint64(req.Hold)))
	defer cancel()
	var notes [][]byte
	err = s.await(ctx, func() (more <-chan struct{}, err error) {
		if notes, more, err = s.conf.Hub.KnockAnswers(room, req.Secret.Knock(), req.After); err != nil || len(notes) > 0 {
			more = nil
		}
		return more, err
	})
	if err != nil {
		return err
	}
	answers := wire.KnockAnswers{Notes: make([]wire.Bytes, 0, len(notes))}
	for _, n := range notes {
		answers.Notes = append(answers.Notes, n)
	}
	return answer(c, http.StatusOK, answers)
}

// answerKnock is POST /r/{room}/knock/{id}?s=: a member's note to the stranger.
func (s *Server) answerKnock(c echo.Context) error {
	who, err := s.parseSender(c)
	if err != nil {
		return err
	}
	id, err := wire.ParseKnockID(c.Param("knock"))
	if err != nil {
		return err
	}
	note, err := readBytes(c, wire.MaxKnock)
	if err != nil {
		return err
	}
	if len(note) == 0 {
		return fmt.Errorf("body: %w: an empty note", wire.ErrMalformed)
	}
	if err := s.conf.Hub.AnswerKnock(who.room, who.session, id, note); err != nil {
		return err
	}
	return ok(c)
}

// readKnock reads what a stranger sends; its secret must be one.
func readKnock(c echo.Context) (room wire.RoomID, req wire.KnockRequest, err error) {
	if room, _, err = parseRoom(c); err != nil {
		return room, req, err
	}
	if err = readJSON(c, maxKnockBody, &req, false); err != nil {
		return room, req, err
	}
	if req.Secret == (wire.MemberSecret{}) {
		return room, req, fmt.Errorf("body: %w: no secret", wire.ErrMalformed)
	}
	if len(req.Body) > wire.MaxKnock {
		return room, req, hub.ErrTooLarge
	}
	return room, req, nil
}
