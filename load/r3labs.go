//go:build linux

package main

import (
	"fmt"
	"io"
	"net"
	"net/http"

	"github.com/r3labs/sse/v2"
)

// serveR3labs is the server that one writes with r3labs/sse and nothing else: a stream for each room, posts published
// into it. It tracks nothing, so it is the least that such a server can cost.
func serveR3labs(addr string) error {
	s := sse.New()
	s.AutoReplay = false
	s.AutoStream = true
	mux := http.NewServeMux()
	mux.HandleFunc("GET /events", s.ServeHTTP)
	mux.HandleFunc("POST /post", func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(io.LimitReader(r.Body, 1<<20))
		if err != nil {
			http.Error(w, "body", http.StatusBadRequest)
			return
		}
		s.Publish(r.URL.Query().Get("stream"), &sse.Event{Data: body})
		w.WriteHeader(http.StatusNoContent)
	})
	ln, err := net.Listen("tcp", addr)
	if err != nil {
		return err
	}
	fmt.Printf("listening on http://%s\n", ln.Addr())
	return http.Serve(ln, mux)
}
