package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log"
	"log/slog"
	"net"
	"net/http"
	"os/signal"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"snug/handlers"
	"snug/hub"
	"snug/static"
	"snug/wire"
)

// serveCmd runs the relay.
type serveCmd struct {
	Listen        address   `default:":8080" placeholder:"ADDR" help:"Address to listen on."`
	PublicURL     publicURL `name:"public-url" placeholder:"URL" help:"Address that people use, such as https://snug.example. Without it: what each request says."`
	MetricsListen address   `placeholder:"ADDR" help:"Address of its own for Prometheus: /metrics. Without it: no metrics."`
	TLSCert       fileName  `name:"tls-cert" placeholder:"FILE" help:"Certificate chain in PEM; read again when it changes."`
	TLSKey        fileName  `name:"tls-key" placeholder:"FILE" help:"Key of that certificate in PEM."`
	TLSSelfSigned bool      `name:"tls-self-signed" help:"Make a certificate for this machine at start and print its fingerprint."`

	RoomBytes      size  `default:"64MiB" placeholder:"SIZE" group:"One room" help:"What the messages of a room may hold."`
	RoomMessages   count `default:"20000" placeholder:"N" group:"One room" help:"How many messages a room may hold."`
	RoomMembers    count `default:"256" placeholder:"N" group:"One room" help:"How many members a room may have, those away included."`
	RoomChunkBytes size  `default:"64MiB" placeholder:"SIZE" group:"One room" help:"What a room may hold of files under way; a sender of more is held back."`
	MessageTTL     span  `name:"message-ttl" default:"12h" placeholder:"TIME" group:"One room" help:"How long a message is kept for those who have not had it."`
	ChunkTTL       span  `name:"chunk-ttl" placeholder:"TIME" group:"One room" help:"How long a piece of a file is kept. Without it: as long as a message."`
	Grace          span  `default:"12h" placeholder:"TIME" group:"One room" help:"How long a member who is away stays a member."`
	AwayAfter      span  `default:"45s" placeholder:"TIME" group:"One room" help:"How long after its last sign of life a member counts as away."`
	KnockTTL       span  `name:"knock-ttl" default:"10m" placeholder:"TIME" group:"One room" help:"How long a stranger's knock is held."`

	RelayBytes size `default:"512MiB" placeholder:"SIZE" group:"The whole relay" help:"What all rooms together may hold."`
	MaxMessage size `default:"256KiB" placeholder:"SIZE" group:"The whole relay" help:"Largest message."`
	MaxChunk   size `default:"1028KiB" placeholder:"SIZE" group:"The whole relay" help:"Largest piece of a file."`
	ShellEvery span `default:"200ms" placeholder:"TIME" group:"The whole relay" help:"Steady pace of posts from shells into one room."`
	KnockEvery span `default:"5s" placeholder:"TIME" group:"The whole relay" help:"Steady pace of knocks at one room."`

	Heartbeat       span     `default:"10s" placeholder:"TIME" group:"Streams" help:"How often a quiet stream says that it lives, 5s to 25s; clients may ask for another."`
	StreamLife      span     `default:"280s" placeholder:"TIME" group:"Streams" help:"Planned age of a stream, below the limit of the proxies in front."`
	PollHold        span     `default:"25s" placeholder:"TIME" group:"Streams" help:"How long a poll waits for something to tell, 25s at most."`
	WriteTimeout    span     `default:"10s" placeholder:"TIME" group:"Streams" help:"How long one write may wait for a slow reader before its stream ends; it resumes where it was."`
	BodyTimeout     span     `default:"60s" placeholder:"TIME" group:"Streams" help:"How long a request may take to send its body."`
	Sink            sinkName `default:"auto" enum:"auto,goroutine,socket" placeholder:"HOW" help:"How streams are written: socket, without a goroutine for each, needs Linux and no TLS here; goroutine works everywhere; auto takes the first where it can."`
	ReconnectSpread span     `default:"5s" placeholder:"TIME" group:"Streams" help:"Over how long clients are told to come back after a stop."`
}

// Run serves until SIGINT, SIGTERM or SIGHUP. A second signal ends the process at once.
func (c *serveCmd) Run(log *slog.Logger, out *output) error {
	signals, release := signal.NotifyContext(context.Background(), stops()...)
	defer release()
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	context.AfterFunc(signals, func() {
		release() // first: once anybody can see the stop, the second signal counts
		stop()
	})
	if err := c.check(); err != nil {
		return failure{exitUsage, err}
	}
	return c.serve(ctx, log, out)
}

// largestMessage is, in base64, well below the 4 MiB of an event at which client and page take an answer for somebody else's; one that they do not
// take would stop a room for good.
const largestMessage = 2 << 20

// smallestPiece is that of a file that client and page try before they give up.
const smallestPiece = 4 << 10

// check refuses what no single flag can see.
func (c *serveCmd) check() error {
	switch {
	case (c.TLSCert == "") != (c.TLSKey == ""):
		return errors.New("--tls-cert and --tls-key go together")
	case c.TLSCert != "" && c.TLSSelfSigned:
		return errors.New("--tls-cert and --tls-self-signed exclude each other")
	case c.RoomBytes > c.RelayBytes || c.RoomChunkBytes > c.RelayBytes:
		return fmt.Errorf("--room-bytes %v and --room-chunk-bytes %v must fit into --relay-bytes %v", c.RoomBytes, c.RoomChunkBytes, c.RelayBytes)
	case c.MaxMessage > c.RoomBytes || c.MaxMessage < wire.MinFrame:
		return fmt.Errorf("--max-message %v must lie between %d bytes, the smallest frame, and --room-bytes %v", c.MaxMessage, wire.MinFrame, c.RoomBytes)
	case c.MaxMessage > largestMessage:
		return fmt.Errorf("--max-message %v must be %v or less, as clients read no larger events; larger things are files", c.MaxMessage, size(largestMessage))
	case c.MaxChunk > c.RoomChunkBytes || c.MaxChunk < smallestPiece:
		return fmt.Errorf("--max-chunk %v must lie between %v, the smallest pieces that clients make, and --room-chunk-bytes %v", c.MaxChunk, size(smallestPiece), c.RoomChunkBytes)
	case time.Duration(c.Heartbeat) < wire.MinHeartbeat || time.Duration(c.Heartbeat) > wire.MaxHeartbeat:
		return fmt.Errorf("--heartbeat %v must lie between %v and %v", c.Heartbeat, wire.MinHeartbeat, wire.MaxHeartbeat)
	case time.Duration(c.StreamLife) < wire.MinLife:
		return fmt.Errorf("--stream-life %v must be %v or more", c.StreamLife, wire.MinLife)
	case time.Duration(c.PollHold) > wire.MaxHold:
		return fmt.Errorf("--poll-hold %v must be %v or less", c.PollHold, wire.MaxHold)
	case c.Sink == "socket" && (c.TLSCert != "" || c.TLSSelfSigned):
		return errors.New("--sink socket and TLS here exclude each other; put TLS in front, or leave --sink out")
	case time.Duration(c.AwayAfter) <= 20*time.Second:
		return fmt.Errorf("--away-after %v must be more than 20s, the pace of an idle client", c.AwayAfter)
	}
	return nil
}

func (c *serveCmd) limits() hub.Limits {
	return hub.Limits{
		RoomBytes:      int64(c.RoomBytes),
		RoomMessages:   int(c.RoomMessages),
		RoomMembers:    int(c.RoomMembers),
		RelayBytes:     int64(c.RelayBytes),
		TTL:            time.Duration(c.MessageTTL),
		Grace:          time.Duration(c.Grace),
		AwayAfter:      time.Duration(c.AwayAfter),
		ChunkRoomBytes: int64(c.RoomChunkBytes),
		ChunkTTL:       time.Duration(c.ChunkTTL),
		MaxMessage:     int(c.MaxMessage),
		MaxChunk:       int(c.MaxChunk),
		KnockTTL:       time.Duration(c.KnockTTL),
	}
}

func (c *serveCmd) config(h hub.Hub, log *slog.Logger, metrics prometheus.Registerer) handlers.Config {
	return handlers.Config{
		Hub:       h,
		Limits:    c.limits().Wire(),
		Static:    static.Files,
		Log:       log,
		Metrics:   metrics,
		PublicURL: string(c.PublicURL),
		Streams: handlers.Streams{
			Heartbeat: time.Duration(c.Heartbeat),
			Life:      time.Duration(c.StreamLife),
			Hold:      time.Duration(c.PollHold),
			Write:     time.Duration(c.WriteTimeout),
			Spread:    time.Duration(c.ReconnectSpread),
			Sink:      c.Sink.sink(),
		},
		BodyTimeout: time.Duration(c.BodyTimeout),
		ShellEvery:  time.Duration(c.ShellEvery),
		KnockEvery:  time.Duration(c.KnockEvery),
	}
}

// serve runs the relay until ctx ends, then says bye to every stream and waits stopTime at most.
func (c *serveCmd) serve(ctx context.Context, log *slog.Logger, out io.Writer) error {
	conf, print, err := c.tls(log)
	if err != nil {
		return err
	}
	memory := hub.NewMemory(c.limits())
	defer memory.Close()
	registry := prometheus.NewRegistry()
	registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	relay, err := handlers.New(c.config(memory, log, registry))
	if err != nil {
		return err
	}
	run := group{wait: relay.Wait}
	ln, err := run.listen(c.Listen, "--listen", relay.HTTP(string(c.Listen)), conf)
	if err != nil {
		return err
	}
	if c.MetricsListen != "" {
		if _, err := run.listen(c.MetricsListen, "--metrics-listen", metricsServer(registry), nil); err != nil {
			run.close()
			return err
		}
	}
	fmt.Fprintln(out, c.welcome(ln.Addr(), conf != nil, print))
	v, _, _ := strings.Cut(versionText(), "\n") // the page's hash stands on the next line
	log.Info("started", "version", v, "addr", ln.Addr().String(), "tls", conf != nil)
	err = run.serve(ctx)
	log.Info("stopped", "rooms", memory.Stats().Rooms, "members", memory.Stats().Members, "messages", memory.Stats().Messages)
	return err
}

// tls returns nil for plain HTTP; print is the fingerprint of a certificate made here.
func (c *serveCmd) tls(log *slog.Logger) (conf *tls.Config, print string, err error) {
	switch {
	case c.TLSSelfSigned:
		names, addrs := localNames()
		cert, err := selfSigned(names, addrs, time.Now())
		if err != nil {
			return nil, "", err
		}
		return &tls.Config{Certificates: []tls.Certificate{cert}}, fingerprint(cert), nil
	case c.TLSCert != "":
		files, err := loadCert(string(c.TLSCert), string(c.TLSKey), log)
		if err != nil {
			return nil, "", fmt.Errorf("the certificate cannot be used: %w", err)
		}
		return &tls.Config{GetCertificate: files.certificate}, "", nil
	}
	return nil, "", nil
}

func metricsServer(registry *prometheus.Registry) *http.Server {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(registry, promhttp.HandlerOpts{}))
	return &http.Server{
		Handler:           mux,
		ReadHeaderTimeout: 10 * time.Second,
		ReadTimeout:       10 * time.Second,
		WriteTimeout:      30 * time.Second,
		ErrorLog:          log.New(io.Discard, "", 0), // its lines hold addresses
	}
}

// welcome is the start line: the URL to open, and what one has to know to open it.
func (c *serveCmd) welcome(at net.Addr, secure bool, print string) string {
	local := localURL(string(c.Listen), at, secure)
	open := local
	if c.PublicURL != "" {
		open = string(c.PublicURL)
	}
	switch {
	case print != "":
		return "snug: open " + open + "\nThe browser will warn; the certificate's SHA-256 fingerprint is\n" + print
	case secure || c.PublicURL != "" || c.Listen.loopback():
		return "snug: open " + open
	}
	return "snug: open " + open + "\nOn other machines browsers encrypt over https only: put TLS in front, or try --tls-self-signed."
}

// localURL is what to type into a browser on this machine, or the host that was asked for.
func localURL(listen string, at net.Addr, secure bool) string {
	scheme, usual := "http", "80"
	if secure {
		scheme, usual = "https", "443"
	}
	host, _, _ := net.SplitHostPort(listen) // address has passed it
	if ip := net.ParseIP(host); host == "" || (ip != nil && ip.IsUnspecified()) {
		host = "localhost"
	}
	port := usual
	if tcp, ok := at.(*net.TCPAddr); ok {
		port = strconv.Itoa(tcp.Port)
	}
	if port == usual {
		if net.ParseIP(host).To4() == nil && net.ParseIP(host) != nil {
			host = "[" + host + "]"
		}
		return scheme + "://" + host
	}
	return scheme + "://" + net.JoinHostPort(host, port)
}
