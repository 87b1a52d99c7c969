package hub

import (
	"container/list"
	"slices"
	"time"

	"snug/wire"
)

// chunks is what a room holds of files. Pure, like log.
type chunks struct {
	held    map[wire.ChunkID]*chunk
	order   list.List // of *chunk, the oldest in front
	bytes   int64     // cost of the held ones
	dropped uint64    // freed before all who wanted them had them, since the room last took the figure

	// gone remembers the newest maxGone ids of freed chunks, next being the oldest of them once there are as many.
	gone    []wire.ChunkID
	next    int
	wasHere map[wire.ChunkID]struct{} // the same as a set
}

// chunk is one piece of a file. It is owed to those who were there and wanted the file when it was put.
type chunk struct {
	id    wire.ChunkID
	body  []byte
	at    time.Duration
	owed  []*member
	cost  int64
	place *list.Element
}

// maxGone bounds the memory of freed chunks: a GiB of a file in chunks of the default size.
const maxGone = 1024

func costOfChunk(body []byte, owed int) int64 {
	return int64(len(body)) + chunkCost + int64(owed)*owerCost
}

// cost is what the chunks and the memory of freed ones cost.
func (c *chunks) cost() int64 { return c.bytes + int64(len(c.gone))*goneCost }

// known reports whether the chunk is held or was, as far as that is remembered.
func (c *chunks) known(id wire.ChunkID) bool {
	_, was := c.wasHere[id]
	return was || c.held[id] != nil
}

func (c *chunks) put(x *chunk) {
	if c.held == nil {
		c.held = make(map[wire.ChunkID]*chunk)
	}
	x.cost = costOfChunk(x.body, len(x.owed))
	x.place = c.order.PushBack(x)
	c.held[x.id] = x
	c.bytes += x.cost
}

// get returns the chunk for a member it is owed to.
func (c *chunks) get(m *member, id wire.ChunkID) ([]byte, error) {
	if x := c.held[id]; x != nil && slices.Contains(x.owed, m) {
		return x.body, nil
	}
	if c.known(id) {
		return nil, ErrChunkGone // or never owed to m; either way there is nothing to wait for
	}
	return nil, ErrNoChunk
}

// release ends what is owed to m of the chunk, and frees the chunk if that was the last. It reports whether it was owed.
func (c *chunks) release(m *member, x *chunk) bool {
	i := slices.Index(x.owed, m)
	if i < 0 {
		return false
	}
	x.owed = slices.Delete(x.owed, i, i+1)
	if len(x.owed) == 0 {
		c.free(x)
	}
	return true
}

// skip releases all chunks of the files.
func (c *chunks) skip(m *member, files []wire.FileID) {
	for _, x := range c.held {
		if slices.Contains(files, x.id.File) {
			c.release(m, x)
		}
	}
}

// leave releases everything that is owed to m, and returns how many chunks that were.
func (c *chunks) leave(m *member) (n int) {
	for _, x := range c.held {
		if c.release(m, x) {
			n++
		}
	}
	return n
}

// drop frees a chunk that some do not have yet, and returns them.
func (c *chunks) drop(x *chunk) []*member {
	for _, m := range x.owed {
		m.chunks.all++
	}
	c.dropped++
	c.free(x)
	return x.owed
}

func (c *chunks) free(x *chunk) {
	c.order.Remove(x.place)
	delete(c.held, x.id)
	c.bytes -= x.cost
	if len(c.held) == 0 {
		c.held = nil // a Go map never gives memory back
	}
	c.remember(x.id)
}

func (c *chunks) remember(id wire.ChunkID) {
	if c.wasHere == nil {
		c.wasHere = make(map[wire.ChunkID]struct{})
	}
	c.wasHere[id] = struct{}{}
	if len(c.gone) < maxGone {
		c.gone = append(c.gone, id)
		return
	}
	delete(c.wasHere, c.gone[c.next])
	c.gone[c.next] = id
	c.next = (c.next + 1) % maxGone
}

func (c *chunks) oldest() *chunk {
	if e := c.order.Front(); e != nil {
		return e.Value.(*chunk)
	}
	return nil
}

// sleeping lists the oldest of the chunks that are owed only to members that are away, until they cost the given bytes.
// ok reports whether they do.
func (c *chunks) sleeping(bytes int64) (out []*chunk, ok bool) {
	for e := c.order.Front(); e != nil && bytes > 0; e = e.Next() {
		if x := e.Value.(*chunk); allAway(x.owed) {
			out = append(out, x)
			bytes -= x.cost
		}
	}
	return out, bytes <= 0
}

func allAway(list []*member) bool {
	return !slices.ContainsFunc(list, func(m *member) bool { return !m.away })
}
