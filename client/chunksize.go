package client

import (
	"errors"
	"net/http"
	"sync"

	"snug/wire"
)

const (
	largestChunk  = 1 << 20 // what a relay takes by default
	smallestChunk = 4 << 10 // below it the requests themselves are the cost
)

// chunkSize is how large a body the network lets through, found by trying. It is the twin of pieces.js. The zero value
// is one that has not been tried. Safe for concurrent use.
type chunkSize struct {
	mu     sync.Mutex // guards all below
	cut    int        // how often the size was quartered
	passed int        // the largest that got through
}

// size is the largest chunk worth trying.
func (c *chunkSize) size(asText bool) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.sizeLocked(asText)
}

func (c *chunkSize) sizeLocked(asText bool) int {
	return inForm(max(smallestChunk, largestChunk>>(2*c.cut)), asText)
}

func (c *chunkSize) pass(size int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.passed = max(c.passed, size)
}

// refused takes in a failed try, and tells whether a smaller chunk may get through.
func (c *chunkSize) refused(size int, err error, asText bool) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch sure := isTooLarge(err); {
	case !sure && !mayBeTheSize(err):
		return false
	case size > c.sizeLocked(asText): // known meanwhile
		return true
	case size <= inForm(smallestChunk, asText), size <= c.passed && !sure:
		return false
	}
	for c.sizeLocked(asText) >= size {
		c.cut++
	}
	return true
}

// inForm is what of a body of n bytes is left for a chunk: as text, three bytes become four.
func inForm(n int, asText bool) int {
	if asText {
		return n / 4 * 3
	}
	return n
}

// isTooLarge: somebody said that it is the size.
func isTooLarge(err error) bool {
	if relay, ok := errors.AsType[*RelayError](err); ok {
		return relay.Code == wire.CodeTooLarge
	}
	blocked, ok := errors.AsType[*BlockedError](err)
	return ok && blocked.Status == http.StatusRequestEntityTooLarge
}

// mayBeTheSize: a 403 and silence are what scanners have for a body that they do not like, and a slow line makes the relay give up a large one.
func mayBeTheSize(err error) bool {
	if relay, ok := errors.AsType[*RelayError](err); ok {
		return relay.HTTP == http.StatusRequestTimeout
	}
	if network, ok := errors.AsType[*NetworkError](err); ok {
		return network.Timeout
	}
	blocked, ok := errors.AsType[*BlockedError](err)
	return ok && blocked.Status == http.StatusForbidden
}
