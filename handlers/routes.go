package handlers

import (
	"io"

	"github.com/labstack/echo/v4"
)

// register shows every route of the relay. Each handler has its resource's file; openapi.json describes them all.
func (s *Server) register() {
	e := s.echo
	e.HideBanner, e.HidePort = true, true
	e.Logger.SetOutput(io.Discard) // Echo's own lines could hold a path; ours are written in observe
	e.HTTPErrorHandler = s.refuse
	e.Pre(s.observe, s.recoverPanic, commonHeaders, s.bound)
	e.Use(s.noOptions)

	e.POST("/r/:room/join", s.join)
	e.GET("/r/:room/stream", s.stream)
	e.POST("/r/:room/poll", s.poll)
	e.POST("/poll", s.polls)
	e.POST("/r/:room/messages", s.postMessage)
	e.POST("/r/:room/ack", s.ack)
	e.POST("/r/:room/card", s.card)
	e.POST("/r/:room/leave", s.leave)
	e.GET("/r/:room/members", s.members)
	e.POST("/r/:room/chunks", s.putChunk)
	e.GET("/r/:room/chunks/:chunk", s.chunk)
	e.GET("/r/:room/files/:file", s.owed)
	e.POST("/r/:room/knock", s.knock)
	e.POST("/r/:room/knock/poll", s.pollKnock)
	e.POST("/r/:room/knock/:knock", s.answerKnock)
	e.POST("/r/:room", s.shell)
	e.PUT("/r/:room", s.shell)

	e.GET("/", s.root)
	e.GET("/help", s.help)
	e.GET("/healthz", s.healthz)
	e.GET("/readyz", s.readyz)
	e.GET("/openapi.json", s.openAPI)
	e.GET("/origin.json", s.publicOrigin)
	e.GET("/check", s.check)
	e.GET("/check/stream", s.checkStream)
	e.POST("/check/poll", s.checkPoll)
	e.POST("/check/post", s.checkPost)
	e.GET("/check/echo", s.checkEcho)
	e.GET("/check/page", s.checkDocument)
	for path := range s.page { // known at start, so that a wrong path is 404 and a wrong method 405
		if path != "/check" {
			e.GET(path, s.file)
		}
	}
}

// route is the pattern that a request matched, for logs and metrics; never its path.
func route(c echo.Context) string {
	if c.Path() == "" {
		return "none"
	}
	return c.Path()
}
