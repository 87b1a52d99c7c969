package hub

import (
	"testing"

	"snug/wire"
)

// BenchmarkSkip: a list of files that a member does not want, as long as a request can have it, against a room full of small chunks. Once it was
// looked through for each of them, under the room's lock.
func BenchmarkSkip(b *testing.B) {
	var c chunks
	m := &member{}
	for n := range uint32(50_000) {
		c.put(&chunk{id: wire.ChunkID{N: n}, body: []byte{1}, owed: []*member{m}})
	}
	list := make([]wire.FileID, 2000)
	for n := range list {
		list[n] = wire.FileID{1, byte(n), byte(n >> 8)}
	}
	for b.Loop() {
		c.skip(m, list)
	}
	if c.skip(m, append(list, wire.FileID{})); len(c.held) != 0 {
		b.Errorf("%d chunks are held", len(c.held))
	}
}
