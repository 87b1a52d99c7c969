package hub

import (
	"testing"
	"time"

	"snug/wire"
)

// TestSkipOfMany: a list of files that a member does not want is looked through once, and not for each of the quarter of a million chunks that
// a room may hold: that took a third of a second of CPU for 64 KB sent.
func TestSkipOfMany(t *testing.T) {
	var c chunks
	m := &member{}
	for n := range uint32(50_000) {
		c.put(&chunk{id: wire.ChunkID{N: n}, body: []byte{1}, owed: []*member{m}})
	}
	list := make([]wire.FileID, 2000)
	for n := range list {
		list[n] = wire.FileID{1, byte(n), byte(n >> 8)}
	}
	took := func(files []wire.FileID) time.Duration {
		least := time.Hour // of some: the machine may be busy
		for range 5 {
			start := time.Now()
			c.skip(m, files)
			least = min(least, time.Since(start))
		}
		return least
	}
	one, all := took(list[:1]), took(list)
	if all > 5*one {
		t.Errorf("%d files take %v, one takes %v", len(list), all, one)
	}
	if c.skip(m, append(list, wire.FileID{})); len(c.held) != 0 {
		t.Errorf("%d chunks are held", len(c.held))
	}
}
