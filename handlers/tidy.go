package handlers

import (
	"runtime/debug"
	"sync/atomic"
	"time"
)

// tidy gives memory back after many streams have come or gone. What they leave is garbage of net/http, some 20 KB for each
// that was taken over, and Go would keep it for minutes in a relay that is quiet.
type tidy struct {
	n    atomic.Int64 // streams that have come or gone since it was done last
	seen atomic.Int64 // n when it was looked at last
}

const (
	tidyAfter = 256         // streams, so that it costs each of them little: once takes some 10 ms
	tidyQuiet = time.Second // without any
)

// changed notes that a stream has come or gone.
func (t *tidy) changed() {
	if t.n.Add(1) == tidyAfter {
		t.seen.Store(tidyAfter)
		time.AfterFunc(tidyQuiet, t.look)
	}
}

// look gives memory back if all is quiet, or looks again.
func (t *tidy) look() {
	if n := t.n.Load(); t.seen.Swap(n) != n {
		time.AfterFunc(tidyQuiet, t.look)
		return
	}
	t.n.Store(0)
	debug.FreeOSMemory()
}
