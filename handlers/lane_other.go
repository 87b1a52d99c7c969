//go:build !linux

package handlers

import (
	"net"
	"net/http"
	"sync"
)

// Listener returns the listener: net/http answers everything here.
func (s *Server) Listener(ln net.Listener) net.Listener { return ln }

type lanes struct{ working sync.RWMutex }

func (*lanes) drain() {}

func connState(net.Conn, http.ConnState) {}
