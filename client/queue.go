package client

import (
	"context"
	"slices"
	"sync"

	"snug/wire"
)

// maxQueue is how many events may wait for the caller. When there are so many, the session stops reading: the relay keeps the rest.
const maxQueue = 256

// item is an event and the place before it, up to which everything was handled once it is the oldest.
type item struct {
	Event  Event
	Stay   *stay
	Before wire.Cursor
}

// queue holds the events that the caller has not handled, in order; the first may be in the caller's hands.
// Its mutex is taken after that of a stay.
type queue struct {
	mu     sync.Mutex // guards all below
	items  []item
	inHand bool
	count  int           // of all ever added
	err    error         // why there will be no more
	more   chan struct{} // closed and made anew when something is added
	less   chan struct{} // closed and made anew when something was handled
}

func newQueue() *queue {
	return &queue{more: make(chan struct{}), less: make(chan struct{})}
}

func (q *queue) add(i item) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.err == nil {
		q.items = append(q.items, i)
		q.count++
		q.stir(&q.more)
	}
}

// end lets the caller have what is there, and then err. The first end counts.
func (q *queue) end(err error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.err == nil {
		q.err = err
		q.stir(&q.more)
	}
}

func (q *queue) stir(c *chan struct{}) {
	close(*c)
	*c = make(chan struct{})
}

// done drops the event in the caller's hands, and gives it; false if there was none.
func (q *queue) done() (i item, ok bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if !q.inHand {
		return i, false
	}
	i = q.items[0]
	q.items = slices.Delete(q.items, 0, 1)
	q.inHand = false
	q.stir(&q.less)
	return i, true
}

// next waits for an event and puts it into the caller's hands.
func (q *queue) next(ctx context.Context) (Event, error) {
	for {
		q.mu.Lock()
		if len(q.items) > 0 {
			defer q.mu.Unlock()
			q.inHand = true
			return q.items[0].Event, nil
		}
		err, more := q.err, q.more
		q.mu.Unlock()
		if err != nil {
			return Event{}, err
		}
		select {
		case <-more:
		case <-ctx.Done():
			return Event{}, context.Cause(ctx)
		}
	}
}

// space waits until there is room for one more. pause is called before it waits, resume afterwards.
func (q *queue) space(ctx context.Context, pause, resume func()) error {
	for waiting := false; ; waiting = true {
		q.mu.Lock()
		full, less := len(q.items) >= maxQueue && q.err == nil, q.less
		q.mu.Unlock()
		if !full {
			return nil
		}
		if !waiting {
			pause()
			defer resume()
		}
		select {
		case <-less:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// added counts the events of all time.
func (q *queue) added() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.count
}

// oldest is the place up to which the caller has handled everything of the stay, and false if nothing of it waits. Events of another life of
// the room are left out: the relay does not know them any more.
func (q *queue) oldest(st *stay, epoch wire.Epoch) (wire.Cursor, bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, i := range q.items {
		if i.Stay == st && i.Before.Epoch == epoch {
			return i.Before, true
		}
	}
	return wire.Cursor{}, false
}

// waiting are the events that were not handled.
func (q *queue) waiting() []Event {
	q.mu.Lock()
	defer q.mu.Unlock()
	out := make([]Event, len(q.items))
	for i := range q.items {
		out[i] = q.items[i].Event
	}
	return out
}
