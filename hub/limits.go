package hub

import (
	"cmp"
	"time"

	"snug/wire"
)

// Limits bounds what a Memory holds. A zero field means its default.
type Limits struct {
	// RoomBytes is what the log of a room may hold. Default 64 MiB: a day of chat of a large team (a message costs about
	// 1 KiB), while a relay of the default size carries eight rooms that are full at once.
	RoomBytes int64
	// RoomMessages is how many messages a room may hold. Default 20,000: what a browser that slept can still catch up
	// with in a few seconds.
	RoomMessages int
	// RoomMembers is how many members a room may have, those away included. Default 256: every message is sealed once
	// for each member, so larger rooms cost their senders too much.
	RoomMembers int
	// RelayBytes is what all rooms together may hold. Default 512 MiB: fits a container of 1 GiB with the streams beside it.
	RelayBytes int64
	// TTL is how long a message is kept at most. Default 12 h: a laptop closed in the evening has everything in the morning.
	TTL time.Duration
	// Grace is how long a member stays registered while away. Default 12 h: as long as there may be a message for it.
	Grace time.Duration
	// AwayAfter is how long after its last sign of life a member counts as away. Default 45 s: an idle client acks every
	// 20 s, so two acks may be lost.
	AwayAfter time.Duration
	// ChunkRoomBytes is what a room may hold of files. Default 64 MiB: enough to keep a fast sender and a slow receiver
	// busy; larger files pass through in pieces, because the sender is held back.
	ChunkRoomBytes int64
	// ChunkTTL is how long a chunk is kept at most. Default TTL: a file lives as long as the message that names it.
	ChunkTTL time.Duration
	// MaxMessage is the size of a frame. Default 256 KiB: larger things are files.
	MaxMessage int
	// MaxChunk is the size of a chunk. Default 1 MiB and 4 KiB: 1 MiB of a file, and what encryption adds to it.
	MaxChunk int
	// KnockTTL is how long a knock is held. Default 10 min: as long as somebody stands at a door.
	KnockTTL time.Duration
	// RoomKnocks is how many knocks a room holds at once, KnockNotes how many notes the members may leave to one.
	// Defaults 8 and 16: a stranger has no proof of anything, so it may fill only little (half a MiB in a room).
	RoomKnocks, KnockNotes int
}

// orDefaults returns l with its zero fields set.
func (l Limits) orDefaults() Limits {
	l.RoomBytes = cmp.Or(l.RoomBytes, 64<<20)
	l.RoomMessages = cmp.Or(l.RoomMessages, 20_000)
	l.RoomMembers = cmp.Or(l.RoomMembers, 256)
	l.RelayBytes = cmp.Or(l.RelayBytes, 512<<20)
	l.TTL = cmp.Or(l.TTL, 12*time.Hour)
	l.Grace = cmp.Or(l.Grace, 12*time.Hour)
	l.AwayAfter = cmp.Or(l.AwayAfter, 45*time.Second)
	l.ChunkRoomBytes = cmp.Or(l.ChunkRoomBytes, 64<<20)
	l.ChunkTTL = cmp.Or(l.ChunkTTL, l.TTL)
	l.MaxMessage = cmp.Or(l.MaxMessage, 256<<10)
	l.MaxChunk = cmp.Or(l.MaxChunk, 1<<20+4<<10)
	l.KnockTTL = cmp.Or(l.KnockTTL, 10*time.Minute)
	l.RoomKnocks = cmp.Or(l.RoomKnocks, 8)
	l.KnockNotes = cmp.Or(l.KnockNotes, 16)
	return l
}

// Wire is what a client is told of the limits, defaults filled in. Near is left false: it belongs to a room.
func (l Limits) Wire() wire.Limits {
	l = l.orDefaults()
	return wire.Limits{
		Message:   l.MaxMessage,
		Chunk:     l.MaxChunk,
		Members:   l.RoomMembers,
		RoomBytes: int(l.RoomBytes),
		TTL:       int(l.TTL / time.Second),
		Grace:     int(l.Grace / time.Second),
		AwayAfter: int(l.AwayAfter / time.Second),
	}
}

// What things cost beside their own bytes, so that the budgets bound the memory of the process and not only the
// payload. They are rounded up from the sizes of the structures on a 64-bit machine.
const (
	entryCost  = 256     // a slot of the log (72 bytes, twice that while the log shrinks or grows), its id in the index, rounding of the allocator
	idCost     = 96      // an id remembered after its message was freed: index and ring
	memberCost = 1 << 10 // member, session, up to three subscriptions
	roomCost   = 1 << 10 // room and its maps
	chunkCost  = 256     // chunk, index, order; owerCost for each member it is owed to
	owerCost   = 8       // one pointer
	goneCost   = 96      // a chunk id remembered after the chunk was freed
	begunCost  = 64      // a file id remembered with when it began
	skipCost   = 16      // a file a member does not want
	ghostCost  = 64      // a member that was let go, remembered for its return
	knockCost  = 512     // a knock: its entry and the channel; noteCost for each note
	noteCost   = 64
)
