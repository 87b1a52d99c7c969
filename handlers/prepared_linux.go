package handlers

import (
	"fmt"

	"snug/wire"
)

// encode makes the bytes of a portion, shared among those who get the same.
func (k *socket) encode(p *portion, shared *prepared) []byte {
	if k.chunked && p.only(quietBeat) {
		return quietChunk
	}
	if !p.plain() {
		return frameChunk(p.append(nil), k.chunked)
	}
	if len(p.Events) == 0 {
		return nil
	}
	if shared == nil {
		shared = new(prepared)
	}
	return shared.of(p.Events, k.chunked)
}

var quietChunk = frameChunk(quietBeat, true)

// prepared is what was written to the reader before: the next one most likely gets the same.
type prepared struct {
	events  []wire.Framed
	chunked bool
	bytes   []byte // given away: never changed
}

// of returns the events as they are written. A hub gives the same slice to all readers at the same place.
func (p *prepared) of(events []wire.Framed, chunked bool) []byte {
	if len(events) == len(p.events) && &events[0] == &p.events[0] && chunked == p.chunked {
		return p.bytes
	}
	size := 0
	for _, e := range events {
		size += len(e)
	}
	b := make([]byte, 0, size+chunkFrame)
	if chunked {
		b = fmt.Appendf(b, "%x\r\n", size)
	}
	for _, e := range events {
		b = append(b, e...)
	}
	if chunked {
		b = append(b, "\r\n"...)
	}
	p.events, p.chunked, p.bytes = events, chunked, b
	return b
}

// frameChunk makes b a chunk of HTTP/1.1, or leaves it as it is.
func frameChunk(b []byte, chunked bool) []byte {
	if !chunked || len(b) == 0 {
		return b
	}
	return appendChunk(make([]byte, 0, len(b)+chunkFrame), b)
}
