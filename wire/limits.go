package wire

import "time"

// Bounds that are part of the protocol; what an operator may set is in hub.Limits and handlers.Config.
const (
	MinFrame = 26 + 256 + 16 // header, smallest padded inner, tag (docs/PROTOCOL.md)
	MaxCard  = 4 << 10       // an alias of 64 bytes pads to 512; the rest is room for later suites
	MaxShell = 256 << 10     // a shell post; larger things are files
	MaxURL   = 2 << 10       // the smallest URL limit seen in a proxy (TRANSPORT measurements)
	MaxKnock = 4 << 10       // one note of a knock
	MaxKnown = 256           // members a joiner may bring back into a new epoch

	MinHeartbeat     = 5 * time.Second
	DefaultHeartbeat = 10 * time.Second // a third of the shortest idle limit in common use (30 s)
	MaxHeartbeat     = 25 * time.Second

	MinLife     = 5 * time.Second
	DefaultLife = 280 * time.Second // below the 300 s life that proxies give a connection

	MaxHold = 25 * time.Second // long poll; below the 30 s idle limit
)
