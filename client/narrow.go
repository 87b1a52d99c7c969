package client

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"time"
)

// Some proxies let two requests go on at a time, for everybody behind them. Then requests that wait for news, of two people or of one who
// fetches a file, leave none to send by. When a post gets no answer, those for files give way at once, since asking again each second costs little.
// Beside that we look: if a short request does not get through either, and does once our stream or poll has given way, that is what stood in the way,
// and for an hour none waits: the ladder hears that they are refused, and goes down to polls that are answered at once. The page has the like in
// static/js/net/transport.js, for several rooms.
const (
	narrowSuspect = 2 * time.Second  // a post is answered sooner
	narrowFiles   = 10 * time.Minute // that nothing waits for files after one that was not
	narrowRoom    = 4 * time.Second  // that a short request may take; as long as a stream has for its hello
	narrowFor     = time.Hour        // that nothing waits; then it is tried again, which costs some seconds
	narrowLook    = 30 * time.Second // the longest look; the watchdog ends a silent stream before
	narrowRest    = 5 * time.Second  // between two looks
	narrowVain    = time.Minute      // after one for which something gave way in vain
	narrowPoll    = time.Second      // between two questions that may not wait for their answer
)

// errNarrow ends a request that waits for news, so that there is room for others.
var errNarrow = errors.New("the network lets too few requests go on at a time")

// purpose is what a request waits for. What comes first gives way first.
type purpose int

const (
	forFiles  purpose = iota // chunks, or others to fetch them
	forPoll                  // the answer of a batch or poll
	forStream                // nothing: it is a stream
)

// narrow is what is known of how many requests the network lets go on. Safe for concurrent use.
type narrow struct {
	late chan struct{} // holds one: a post was not answered soon
	news chan struct{} // holds one: something came by a stream

	mu    sync.Mutex // guards all below
	held  map[*waiting]bool
	until [forStream + 1]time.Time // until when nothing waits for that, nor for what gives way before it
}

// waiting is a request that waits, and what ends it.
type waiting struct {
	what  purpose
	yield context.CancelCauseFunc
}

// newNarrow knows from before until when nothing may wait.
func newNarrow(until time.Time) *narrow {
	return &narrow{late: make(chan struct{}, 1), news: make(chan struct{}, 1), held: map[*waiting]bool{}, until: [...]time.Time{forStream: until}}
}

// isLate: a post was not answered soon.
func (n *narrow) isLate() {
	n.giveWay(forFiles, narrowFiles)
	poke(n.late)
}

// hears: something came by a stream, so the way is not closed.
func (n *narrow) hears() { poke(n.news) }

// poke leaves word in a channel that holds one.
func poke(c chan<- struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// isNews tells, once, whether something came by a stream.
func (n *narrow) isNews() bool {
	select {
	case <-n.news:
		return true
	default:
		return false
	}
}

// hold counts a request among those that may have to give way, which ends its context with errNarrow, until release is called. false: it may not wait.
func (n *narrow) hold(ctx context.Context, what purpose) (_ context.Context, release func(), ok bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.isOnLocked(what) {
		return nil, nil, false
	}
	ctx, yield := context.WithCancelCause(ctx)
	w := &waiting{what, yield}
	n.held[w] = true
	return ctx, func() {
		yield(nil)
		n.mu.Lock()
		defer n.mu.Unlock()
		delete(n.held, w)
	}, true
}

// isOn: nothing may wait for that.
func (n *narrow) isOn(what purpose) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.isOnLocked(what)
}

func (n *narrow) isOnLocked(what purpose) bool {
	for _, until := range n.until[what:] {
		if time.Now().Before(until) {
			return true
		}
	}
	return false
}

// learned is until when nothing may wait.
func (n *narrow) learned() time.Time {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.until[forStream]
}

// waits tells whether something waits for that, or for what gives way after it.
func (n *narrow) waits(what purpose) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	for w := range n.held {
		if w.what >= what {
			return true
		}
	}
	return false
}

// giveWay ends what waits for that or gives way before it, and lets nothing of it wait for so long; none takes that back.
func (n *narrow) giveWay(what purpose, d time.Duration) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.until[what] = time.Now().Add(d); d == 0 {
		return
	}
	for w := range n.held {
		if w.what <= what {
			w.yield(errNarrow)
		}
	}
}

// look finds out whether the stream or poll leaves no room for a short request. knock sends one until it is answered, or returns false when its
// context ends. vain: they gave way, and it was something else.
func (n *narrow) look(ctx context.Context, knock func(context.Context) bool) (vain bool) {
	if !n.waits(forPoll) {
		return false
	}
	ctx, cancel := context.WithTimeout(ctx, narrowLook)
	var wg sync.WaitGroup
	defer wg.Wait()
	defer cancel()
	n.isNews() // of before
	through := make(chan struct{})
	wg.Go(func() {
		if knock(ctx) {
			close(through)
		}
	})
	soon := func() bool {
		ctx, cancel := context.WithTimeout(ctx, narrowRoom)
		defer cancel()
		return wait(ctx, through) == nil
	}
	if soon() {
		return false
	}
	switch {
	case n.waits(forStream):
		select {
		case <-n.news:
		case <-through:
			if !n.isNews() { // else it may have been the end of the stream that made room
				return false
			}
		case <-ctx.Done(): // nothing comes by it, so it has other troubles
			return false
		}
	case !n.waits(forPoll): // it fails as well
		return false
	}
	n.giveWay(forStream, narrowFor)
	if soon() {
		return false
	}
	n.giveWay(forStream, 0)
	return true
}

// waitFor has ask wait for its answer for as long as hold, or not at all while the network is narrow.
func waitFor[T any](ctx context.Context, n *narrow, what purpose, hold time.Duration, ask func(context.Context, time.Duration) (T, error)) (T, error) {
	if held, release, ok := n.hold(ctx, what); ok {
		out, err := ask(held, hold)
		release()
		if !errors.Is(err, errNarrow) {
			return out, err
		}
	}
	return ask(ctx, 0)
}

// mayBeNarrow: too few connections look like this as well.
func mayBeNarrow(err error) bool {
	if blocked, ok := errors.AsType[*BlockedError](err); ok {
		return blocked.Status == http.StatusTooManyRequests || isGateway(blocked.Status)
	}
	_, ok := errors.AsType[*NetworkError](err)
	return ok
}

// makeRoom looks whenever a post is not answered soon, until ctx ends.
func (st *stay) makeRoom(ctx context.Context) {
	n := st.s.narrow
	for wait(ctx, n.late) == nil {
		rest := narrowRest
		if n.look(ctx, st.knock) {
			st.line.look(ctx)
			rest = narrowVain
		}
		if pause(ctx, rest) != nil {
			return
		}
	}
}

// knock sends the shortest request until the relay has answered; false if ctx ends before.
func (st *stay) knock(ctx context.Context) bool {
	for {
		session, _, handled := st.places()
		err := st.api.ack(ctx, session, handled)
		if _, answered := errors.AsType[*RelayError](err); err == nil || answered {
			return true
		}
		if pause(ctx, narrowPoll) != nil {
			return false
		}
	}
}
