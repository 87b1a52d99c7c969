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
	wasHere map[wire.ChunkID]freed // those of them that were not put again
	lacking int                    // members in all freed.lack

	// begun tells of the newest maxBegun files how many members had come when their first chunk was put; files are these, the oldest first.
	begun map[wire.FileID]uint64
	files []wire.FileID

	came, went chan struct{} // closed when a chunk came, or is owed to fewer; nil while nobody waits
}

// freed is what is remembered of a chunk: its place in gone, and who was owed it when it was dropped.
type freed struct {
	place int
	lack  []*member
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

// maxBegun is more files than are on their way through a room at a time.
const maxBegun = 256

func costOfChunk(body []byte, owed int) int64 {
	return int64(len(body)) + chunkCost + int64(owed)*owerCost
}

// cost is what the chunks and the memory of freed ones cost.
func (c *chunks) cost() int64 {
	return c.bytes + int64(len(c.gone))*goneCost + int64(c.lacking)*owerCost + int64(len(c.files))*begunCost
}

func (c *chunks) put(x *chunk) {
	if c.held == nil {
		c.held = make(map[wire.ChunkID]*chunk)
	}
	x.cost = costOfChunk(x.body, len(x.owed))
	x.place = c.order.PushBack(x)
	c.held[x.id] = x
	c.bytes += x.cost
	c.forget(x.id)
	tell(&c.came)
}

// watch gives a channel that tell closes.
func watch(c *chan struct{}) <-chan struct{} {
	if *c == nil {
		*c = make(chan struct{})
	}
	return *c
}

func tell(c *chan struct{}) {
	if *c != nil {
		close(*c)
		*c = nil
	}
}

// get returns the chunk for a member it is owed to.
func (c *chunks) get(m *member, id wire.ChunkID) ([]byte, error) {
	if x := c.held[id]; x != nil && slices.Contains(x.owed, m) {
		return x.body, nil
	}
	if _, was := c.wasHere[id]; was || c.held[id] != nil {
		return nil, ErrChunkGone // or never owed to m; either way there is nothing to wait for
	}
	return nil, ErrNoChunk
}

// begin remembers when the first chunk of a file is put.
func (c *chunks) begin(file wire.FileID, comers uint64) {
	if _, known := c.begun[file]; known {
		return
	}
	if c.begun == nil {
		c.begun = make(map[wire.FileID]uint64)
	}
	if len(c.files) == maxBegun {
		delete(c.begun, c.files[0])
		c.files = slices.Delete(c.files, 0, 1)
	}
	c.begun[file] = comers
	c.files = append(c.files, file)
}

// release ends what is owed to m of the chunk, and frees the chunk if that was the last. It reports whether it was owed.
func (c *chunks) release(m *member, x *chunk) bool {
	i := slices.Index(x.owed, m)
	if i < 0 {
		return false
	}
	x.owed = slices.Delete(x.owed, i, i+1)
	if len(x.owed) == 0 {
		c.free(x, nil)
	}
	tell(&c.went)
	return true
}

// owed counts the held chunks of the file, and lists whom they are owed to.
func (c *chunks) owed(file wire.FileID) (n int, to []*member) {
	for id, x := range c.held {
		if id.File != file {
			continue
		}
		n++
		for _, m := range x.owed {
			if !slices.Contains(to, m) {
				to = append(to, m)
			}
		}
	}
	return n, to
}

// skip releases all chunks of the files.
func (c *chunks) skip(m *member, files []wire.FileID) {
	unwanted := make(map[wire.FileID]bool, len(files)) // there may be thousands, and hundreds of thousands of chunks
	for _, f := range files {
		unwanted[f] = true
	}
	for _, x := range c.held {
		if unwanted[x.id.File] {
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
	for id, f := range c.wasHere {
		if i := slices.Index(f.lack, m); i >= 0 {
			f.lack = slices.Delete(f.lack, i, i+1)
			c.wasHere[id] = f
			c.lacking--
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
	c.free(x, x.owed)
	tell(&c.went)
	return x.owed
}

func (c *chunks) free(x *chunk, lack []*member) {
	c.order.Remove(x.place)
	delete(c.held, x.id)
	c.bytes -= x.cost
	if len(c.held) == 0 {
		c.held = nil // a Go map never gives memory back
	}
	c.remember(x.id, lack)
}

func (c *chunks) remember(id wire.ChunkID, lack []*member) {
	if c.wasHere == nil {
		c.wasHere = make(map[wire.ChunkID]freed)
	}
	place := c.next
	if len(c.gone) < maxGone {
		place = len(c.gone)
		c.gone = append(c.gone, id)
	} else {
		if old := c.gone[place]; c.wasHere[old].place == place { // else it was freed twice, and this is the first time
			c.forget(old)
		}
		c.gone[place] = id
		c.next = (place + 1) % maxGone
	}
	c.wasHere[id] = freed{place, lack}
	c.lacking += len(lack)
}

func (c *chunks) forget(id wire.ChunkID) {
	c.lacking -= len(c.wasHere[id].lack)
	delete(c.wasHere, id)
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
