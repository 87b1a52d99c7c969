//go:build !linux

package handlers

import (
	"context"
	"net"
	"net/http"
)

// Listener returns the listener: net/http answers everything here.
func (s *Server) Listener(ln net.Listener) net.Listener { return ln }

type lanes struct{}

func (*lanes) drain() {}

func (*lanes) wait(context.Context) error { return nil }

func connState(net.Conn, http.ConnState) {}
