package handlers

import (
	"context"
	"log"
	"log/slog"
	"net/http"
	"strings"
	"time"
)

// idleTime is longer than proxies keep idle connections, so that it is they who close.
const idleTime = 2 * time.Minute

// HTTP returns an http.Server for this Server, with its limits and with Drain on shutdown; the caller listens (with Server.Listener
// around a plain listener), sets TLS and shuts it down, with Wait behind Shutdown. It has no WriteTimeout and no ReadTimeout, since those would cut streams: deadlines are set for each request.
func (s *Server) HTTP(addr string) *http.Server {
	h := &http.Server{
		Addr:              addr,
		Handler:           s,
		ReadHeaderTimeout: s.conf.headTime,
		IdleTimeout:       idleTime,
		MaxHeaderBytes:    16 << 10, // proxies add headers; ours are short
		ErrorLog:          log.New(serverLog{s.log, s.metrics}, "", 0),
	}
	h.ConnContext = rememberConn
	h.ConnState = connState
	h.RegisterOnShutdown(s.Drain)
	return h
}

// serverLog takes what net/http logs, which is full of client addresses, and passes on only what kind of line it was.
type serverLog struct {
	log     *slog.Logger
	metrics *metrics
}

// Write implements io.Writer for log.Logger, which calls it once for each line.
func (l serverLog) Write(line []byte) (int, error) {
	reason := "other"
	for prefix, r := range map[string]string{
		"http: TLS handshake error": "tls_handshake",
		"http: Accept error":        "accept",
		"http: panic":               "panic",
	} {
		if strings.HasPrefix(string(line), prefix) {
			reason = r
		}
	}
	level := slog.LevelDebug // scanners fail handshakes all day
	if reason != "tls_handshake" {
		level = slog.LevelWarn
	}
	l.metrics.serverErrors.WithLabelValues(reason).Inc()
	l.log.Log(context.Background(), level, "http server", "reason", reason)
	return len(line), nil
}
