//go:build !linux

package handlers

import (
	"context"
	"net"
	"net/http"

	"github.com/labstack/echo/v4"
)

// socketsWork tells that there is no SinkSocket here.
const socketsWork = false

type sockets struct{}

func (*sockets) drain()                     {}
func (*sockets) wait(context.Context) error { return nil }

func rememberConn(ctx context.Context, _ net.Conn) context.Context { return ctx }

// bound leaves the kernel's buffer as it is.
func bound(net.Conn) {}

func (*Server) socketOf(*http.Request) net.Conn { return nil }

func (*Server) streamSocket(echo.Context, net.Conn, feed, streamRequest) error {
	panic("handlers: no sockets here")
}
