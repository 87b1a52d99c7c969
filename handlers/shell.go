package handlers

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"net/http"
	"strings"

	"github.com/labstack/echo/v4"

	"snug/wire"
)

// shell is POST or PUT /r/{room}: a sealed message from a terminal or a script, with the room's post token.
func (s *Server) shell(c echo.Context) error {
	room, q, err := parseRoom(c)
	if err != nil {
		return err
	}
	token, err := postToken(c.Request(), q)
	if err != nil {
		return err
	}
	if !token.Opens(room) {
		return errWrongToken
	}
	if !s.shells.allow(room) { // after the token, so that no stranger can use up the room's pace
		return later{errSlowDown, s.conf.ShellEvery}
	}
	var body []byte
	err = s.readStranger(c, func() (err error) {
		body, err = readBody(c, wire.MaxShell)
		return err
	})
	if err != nil {
		return err
	}
	jwe := bytes.TrimRight(body, "\r\n") // tools end a file with a newline
	if err := checkSealed(wire.CheckJWE(jwe)); err != nil {
		return err
	}
	posted, err := s.conf.Hub.PostShell(room, shellID(jwe), string(jwe))
	if err != nil {
		return err
	}
	return answerShell(c, posted.Posted)
}

// postToken finds the token of a shell post. The query is for networks that strip headers.
func postToken(r *http.Request, q query) (wire.PostToken, error) {
	given := q["auth"]
	if kind, bearer, ok := strings.Cut(r.Header.Get("Authorization"), " "); ok && strings.EqualFold(kind, "Bearer") {
		given = strings.TrimSpace(bearer)
	}
	if given == "" {
		return wire.PostToken{}, errNoToken
	}
	return wire.ParsePostToken(given)
}

// shellID makes the same body the same message, so a script may repeat a post that it does not know the fate of.
func shellID(jwe []byte) wire.MessageID {
	h := sha256.Sum256(jwe)
	return wire.MessageID(h[:16])
}

func answerShell(c echo.Context, p wire.Posted) error {
	status, fate := http.StatusCreated, fmt.Sprintf("sent to %s, %d here now", plural(p.Members, "member"), p.Online)
	if p.Online == 0 {
		status, fate = http.StatusAccepted, fmt.Sprintf("kept for %s, nobody is here now", plural(p.Members, "member"))
	}
	if p.Duplicate {
		fate += "; it had been sent before"
	}
	if wantsText(c.Request()) {
		return text(c, status, fmt.Sprintf("%s (id %s)\n", fate, p.ID))
	}
	return answer(c, status, p)
}

func plural(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
