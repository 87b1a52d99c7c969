package e2e

import (
	"slices"
	"strings"
	"time"

	"snug/client"
	"snug/e2e/products"
	"snug/e2e/proxies"
)

// setup is one row of the matrix: what stands between each of two people and the relay.
type setup struct {
	name    string
	product *products.Product // nil: the proxy below
	proxy   proxies.Config
	shared  bool // both are behind one and the same proxy, as a product always is
	reverse bool
	secure  bool // the relay has TLS
	inspect bool
	stay    time.Duration // keep talking for so long, for what happens late; 0: until all is measured
	quiet   time.Duration // between two messages of that; 0: hardly any
	lone    time.Duration // a lone message takes no longer, with heartbeats as a relay has them by default; 0: it may take what it takes, with more of them
	life    time.Duration // planned age of streams; 0: 10 s, so that each row sees planned ends
	rung    string        // those that may carry it in the end, by name and space; "": any
}

const (
	streams = "0 0b"
	below   = "1 2 3"
)

func habits(h ...proxies.Habit) proxies.Config { return proxies.Config{Habits: h} }

// types that networks refuse.
const (
	events = "text/event-stream"
	octets = "application/octet-stream"
)

// behindBlocks is how long a lone message may take there: the relay waits 7 s for its ack, and the rest is the machine's. It once took the watchdog of 25 s.
const behindBlocks = 18 * time.Second

// Rows with blocks name no rung: while much is said, it pushes the hello through, and the stream is given up when it falls silent.
func synthetic() []setup {
	own := []setup{
		{name: "nothing in between", rung: "0"},
		{name: "plain proxy, tunnel", secure: true, rung: "0"},
		{name: "GET and POST only", proxy: habits(proxies.Methods{Allow: []string{"GET", "POST"}}), rung: "0"},
		{name: "holds answers whole", proxy: habits(proxies.Hold{}), rung: "1"},
		{name: "holds answers, status first", proxy: habits(proxies.Hold{Status: true}), rung: "1"},
		{name: "holds answers, trickles", proxy: habits(proxies.Hold{Trickle: 2 * time.Second}), rung: below},
		{name: "holds answers, 504 after 6 s", proxy: habits(proxies.Hold{Max: 6 * time.Second}), stay: 40 * time.Second, rung: below},
		{name: "holds back 2 KiB", proxy: habits(proxies.Preview{Size: 2 << 10}), rung: streams},
		{name: "blocks of 4 KiB", proxy: habits(proxies.Blocks{Size: 4 << 10}), life: time.Minute, lone: behindBlocks},
		{name: "blocks of 8 KiB", proxy: habits(proxies.Blocks{Size: 8 << 10}), life: time.Minute, lone: behindBlocks},
		{name: "blocks of 64 KiB", proxy: habits(proxies.Blocks{Size: 64 << 10}), rung: "1"},
		{name: "one chunk behind", proxy: habits(proxies.OneBehind{}), rung: "0"},
		{name: "silent hole after 8 s", proxy: habits(proxies.Hole{After: 8 * time.Second}), stay: 45 * time.Second, life: time.Minute},
		{name: "silent hole in the tunnel after 8 s", secure: true, proxy: proxies.Config{Tunnel: proxies.Tunnel{Hole: 8 * time.Second}}, stay: 45 * time.Second, life: time.Minute},
		{name: "life of 8 s", proxy: habits(proxies.Life{After: 8 * time.Second}), stay: 30 * time.Second, life: time.Minute},
		{name: "life of 8 s, tunnel", secure: true, proxy: proxies.Config{Tunnel: proxies.Tunnel{Life: 8 * time.Second}}, stay: 30 * time.Second, life: time.Minute},
		{name: "life of 2 s", proxy: habits(proxies.Life{After: 2 * time.Second}), stay: 25 * time.Second, rung: below},
		{name: "idle cut at 7 s", proxy: habits(proxies.Idle{After: 7 * time.Second}), stay: 30 * time.Second, quiet: 9 * time.Second, rung: streams},
		{name: "idle cut at 3 s", proxy: habits(proxies.Idle{After: 3 * time.Second}), stay: 45 * time.Second, quiet: 4 * time.Second},
		{name: "request headers stripped", proxy: habits(proxies.Headers{Keep: []string{"Content-Type"}}), rung: "0"},
		{name: "answer headers stripped", proxy: habits(proxies.Headers{Drop: []string{"Cache-Control", "X-Accel-Buffering", "Retry-After"}}), rung: "0"},
		{name: "event-stream refused", proxy: habits(proxies.Types{Answers: []string{events}}), rung: "0b"},
		{name: "event-stream and binary refused", proxy: habits(proxies.Types{Answers: []string{events, octets}, Bodies: []string{octets}}), rung: "2"},
		{name: "block page with 200", proxy: habits(proxies.Types{Answers: []string{events, octets}, Disguise: true}), rung: "2"},
		{name: "login (407)", proxy: habits(proxies.Login{User: "ann", Password: "secret"}), rung: "0"},
		{name: "HTTP/1.0", proxy: habits(proxies.HTTP10{}), rung: "0"},
		{name: "HTTP/1.0, blocks of 4 KiB", proxy: habits(proxies.HTTP10{}, proxies.Blocks{Size: 4 << 10}), life: time.Minute, lone: behindBlocks},
		{name: "HTTP/1.0, reverse", reverse: true, proxy: habits(proxies.HTTP10{}), rung: "0"},
		{name: "bodies over 64 KiB, URLs over 1 KiB refused", proxy: habits(proxies.Limits{Body: 64 << 10, URL: 1 << 10}), rung: "0"},
		{name: "every POST twice", proxy: habits(proxies.Twice{}), rung: "0"},
		{name: "caches every GET", proxy: habits(proxies.Cache{For: 10 * time.Second}), rung: "0"},
		{name: "caches GET, blind to the query", proxy: habits(proxies.Cache{For: 10 * time.Second, BlindPath: true})},
		{name: "two connections", proxy: habits(proxies.Connections{Max: 2}), rung: "0"},
		{name: "two connections, held", proxy: habits(proxies.Connections{Max: 2}, proxies.Hold{}), rung: below},
		{name: "two connections for both", shared: true, proxy: habits(proxies.Connections{Max: 2})},
		{name: "two connections for both, held", shared: true, proxy: habits(proxies.Connections{Max: 2}, proxies.Hold{}), rung: below},
		{name: "gzip", proxy: habits(proxies.Gzip{}), rung: "0"}, // the Go client takes nothing compressed
		{name: "TLS inspection", secure: true, inspect: true, rung: "0"},
		{name: "TLS inspection, held", secure: true, inspect: true, proxy: habits(proxies.Hold{}), rung: "1"},
		{name: "TLS inspection, strict", secure: true, inspect: true, proxy: habits(proxies.Methods{Allow: []string{"GET", "POST", "CONNECT"}},
			proxies.Headers{Keep: []string{"Content-Type", "Accept", "User-Agent"}}, proxies.Limits{Body: 64 << 10}, proxies.Idle{After: 12 * time.Second}, proxies.Blocks{Size: 8 << 10}), life: time.Minute, lone: behindBlocks},
	}
	return own
}

func real() []setup {
	rungs := map[string]string{
		"squid, ICAP antivirus":            "1",
		"privoxy":                          "0b",
		"mitmproxy":                        "1",
		"mitmproxy, TLS":                   "1",
		"nginx, buffering whatever we say": "",
		"lighttpd":                         "1",
	}
	var out []setup
	for _, p := range products.All() {
		rung, other := rungs[p.Name]
		if !other {
			rung = "0"
		}
		life, lone := time.Duration(0), time.Duration(0)
		if rung == "" {
			life, lone = time.Minute, behindBlocks
		}
		out = append(out, setup{life: life, lone: lone, name: p.Name, product: &p, reverse: p.Reverse, secure: p.Secure, inspect: p.Inspects, rung: rung})
	}
	return out
}

// allowed tells whether a rung is one of those expected.
func (s setup) allows(r client.Rung) bool {
	if s.rung == "" {
		return true
	}
	return slices.Contains(strings.Fields(s.rung), string(r))
}
