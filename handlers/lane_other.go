//go:build !linux

package handlers

import (
	"net"
	"net/http"
)

// Listener returns the listener: net/http answers everything here.
func (s *Server) Listener(ln net.Listener) net.Listener { return ln }

type lanes struct{}

func (*lanes) drain() {}

func (*lanes) wait() {}

func connState(net.Conn, http.ConnState) {}
