package client

import (
	"context"
	"encoding/json"
	"errors"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"snug/wire"
)

// transport receives for one stay: it carries out what the ladder says and tells it what happened. It never gives up and never skips an event.
type transport struct {
	st     *stay
	ladder *Ladder          // owned by run
	open   map[int]func()   // the requests under way, by the ladder's number, and what ends each; owned by run
	wg     sync.WaitGroup   // of the requests; run waits
	news   chan LadderInput // from the requests to run
	clock  stopwatch
	acked  atomic.Value // the wire.Cursor in the newest poll's answer, up to which others have our messages
}

func newTransport(st *stay) *transport {
	return &transport{st: st, ladder: NewLadder(), open: map[int]func(){}, news: make(chan LadderInput), clock: newStopwatch()}
}

// pause: the caller has too much to handle, and until resume the time of the ladder stands still, since what the network does then
// teaches nothing.
func (t *transport) pause()  { t.clock.pause() }
func (t *transport) resume() { t.clock.resume() }

// active: something was sent, so an answer may be near.
func (t *transport) active() {
	select {
	case t.clock.stir <- "active":
	default: // busy; it looks anyway
	}
}

// look: the ladder is to look whether a stream is possible again.
func (t *transport) look(ctx context.Context) {
	select {
	case t.clock.stir <- "visible":
	case <-ctx.Done():
	}
}

// run receives until ctx ends.
func (t *transport) run(ctx context.Context) {
	ctx, cancel := context.WithCancel(ctx)
	defer t.wg.Wait()
	defer cancel()
	memory, age := t.st.s.recall()
	t.step(ctx, LadderInput{In: "start", Memory: memory, Age: age})
	for {
		timer, stop := t.timer()
		select {
		case in := <-t.news:
			t.step(ctx, in)
		case <-timer:
			t.step(ctx, LadderInput{In: "timer"})
		case in := <-t.clock.stir:
			if in != "" {
				t.step(ctx, LadderInput{In: in})
			}
		case <-ctx.Done():
			stop()
			return
		}
		stop()
	}
}

// timer fires when the ladder is due; never, while the clock stands still or nothing is due.
func (t *transport) timer() (<-chan time.Time, func()) {
	at, due := t.ladder.Deadline()
	now, running := t.clock.now()
	if !due || !running {
		return nil, func() {}
	}
	timer := time.NewTimer(time.Duration(at-now) * time.Millisecond)
	return timer.C, func() { timer.Stop() }
}

func (t *transport) step(ctx context.Context, in LadderInput) {
	in.T, _ = t.clock.now()
	in.R = rand.Float64()
	if _, mine := t.open[in.Ch]; in.Ch != 0 && !mine {
		return // closed meanwhile
	}
	switch in.In {
	case "end", "good", "refused", "error", "relay":
		t.close(in.Ch)
	}
	for _, a := range t.ladder.Step(in) {
		t.act(ctx, a)
	}
}

func (t *transport) act(ctx context.Context, a LadderAction) {
	switch a.Do {
	case "open", "batch":
		t.start(ctx, a, t.stream)
	case "poll":
		t.start(ctx, a, t.poll)
	case "close":
		t.close(a.Ch)
	case "rejoin":
		session, _, _ := t.st.places()
		t.wg.Go(func() {
			err := t.st.rejoin(ctx, session)
			t.tell(ctx, LadderInput{In: "rejoined", OK: err == nil})
		})
	case "remember":
		t.st.s.remember(LadderMemory{Rung: a.Rung, Hold: a.Hold, HB: a.HB, Life: a.Life})
	case "status":
		t.st.s.setStatus(Status{State: State(a.State), Rung: a.Rung, Reason: a.Reason})
	}
}

func (t *transport) close(ch int) {
	if end := t.open[ch]; end != nil {
		end()
		delete(t.open, ch)
	}
}

// start runs one request and tells how it ended.
func (t *transport) start(ctx context.Context, a LadderAction, request func(context.Context, LadderAction) LadderInput) {
	ctx, cancel := context.WithCancel(ctx)
	t.open[a.Ch] = cancel
	t.wg.Go(func() {
		defer cancel()
		in := t.wait(ctx, a, request)
		in.Ch = a.Ch
		t.tell(ctx, in)
	})
}

// wait runs a request, and gives way with it when the network is too narrow for one that waits for news.
func (t *transport) wait(ctx context.Context, a LadderAction, request func(context.Context, LadderAction) LadderInput) LadderInput {
	what := forPoll
	switch {
	case a.Do == "open":
		what = forStream
	case a.Do == "poll" && a.Hold == 0:
		return request(ctx, a)
	}
	held, release, ok := t.st.s.narrow.hold(ctx, what)
	if !ok {
		return LadderInput{In: "refused", Hint: errNarrow.Error()}
	}
	defer release()
	return request(held, a)
}

// tell gives news to run, unless the request they are of was closed.
func (t *transport) tell(ctx context.Context, in LadderInput) {
	select {
	case t.news <- in:
	case <-ctx.Done():
	}
}

// stream reads one stream or batch.
func (t *transport) stream(ctx context.Context, a LadderAction) LadderInput {
	session, read, _ := t.st.places()
	q := streamQuery{session: session, after: read, batch: a.Do == "batch", octets: a.Rung == "0b", hb: a.HB, life: a.Life, hold: a.Hold}
	n, hello := 0, false
	err := t.st.api.stream(ctx, q, func(e event) error {
		in, err := t.newsOf(e, session)
		if err != nil {
			return err
		}
		in.Ch = a.Ch
		if !q.batch {
			t.st.s.narrow.hears()
		}
		hello = hello || in.In == "hello"
		if in.In == "event" {
			n++
		}
		if in.In != "bye" {
			t.tell(ctx, in) // before it is handled, which may take its time
		}
		if err := t.st.take(ctx, e); err != nil {
			return err
		}
		if in.In == "bye" {
			t.tell(ctx, in)
		}
		return nil
	})
	switch {
	case errors.Is(err, errNarrow) && hello && !q.batch:
		return LadderInput{In: "bye"} // planned, if not by the relay: nothing to learn from how old it was
	case err != nil:
		return t.failure(err, session)
	case q.batch && hello:
		return LadderInput{In: "good", N: n}
	}
	return LadderInput{In: "end"}
}

func (t *transport) newsOf(e event, session wire.SessionID) (in LadderInput, err error) {
	switch e.name {
	case wire.EventHello:
		var hello wire.Hello
		err = json.Unmarshal(e.data, &hello)
		return LadderInput{In: "hello", HB: hello.HB}, err
	case wire.EventHB:
		return LadderInput{In: "hb"}, nil
	case wire.EventBye:
		var bye wire.Bye
		err = json.Unmarshal(e.data, &bye)
		if bye.Why == wire.ByeSession && t.isOld(session) {
			bye.Why = wire.ByeReplaced
		}
		return LadderInput{In: "bye", Why: bye.Why, Delay: bye.In}, err
	}
	return LadderInput{In: "event"}, nil
}

// poll asks once.
func (t *transport) poll(ctx context.Context, a LadderAction) LadderInput {
	session, _, handled := t.st.places()
	p, err := t.st.api.poll(ctx, session, handled, a.Hold)
	if err == nil {
		t.st.acked(handled)
		err = t.st.takePolled(ctx, p)
	}
	if err != nil {
		return t.failure(err, session)
	}
	n := len(p.Events)
	if t.acked.Swap(p.Acked.Through) != any(p.Acked.Through) {
		n++ // that others have our messages is worth an answer too, and not one before its time
	}
	return LadderInput{In: "good", N: n}
}

// failure is the news that an error stands for.
func (t *transport) failure(err error, session wire.SessionID) LadderInput {
	if errors.Is(err, errNarrow) {
		return LadderInput{In: "refused", Hint: err.Error()}
	}
	if relay, ok := errors.AsType[*RelayError](err); ok {
		if relay.rejoin && t.isOld(session) { // we have joined again since
			return LadderInput{In: "error"}
		}
		return LadderInput{In: "relay", Status: relay.HTTP, Code: relay.Code, Rejoin: relay.rejoin, RetryAfter: seconds(relay.RetryAfter)}
	}
	if blocked, ok := errors.AsType[*BlockedError](err); ok {
		return LadderInput{In: "refused", Status: blocked.Status, Hint: blocked.Hint, RetryAfter: seconds(blocked.RetryAfter)}
	}
	if _, ok := errors.AsType[*NetworkError](err); ok {
		return LadderInput{In: "error"}
	}
	return LadderInput{In: "end"}
}

func (t *transport) isOld(session wire.SessionID) bool { return t.st.sessionID() != session }

func seconds(d time.Duration) int { return int((d + time.Second - 1) / time.Second) }

// stopwatch is a clock in milliseconds that can be halted, more than once at a time.
type stopwatch struct {
	stir chan string // holds one input for run; "" to look at the clock again

	mu     sync.Mutex // guards all below
	start  time.Time
	halted time.Duration // before the current halt
	since  time.Time     // of the current halt
	halts  int
}

func newStopwatch() stopwatch { return stopwatch{stir: make(chan string, 1), start: time.Now()} }

// now is the time that ran, and whether it runs.
func (w *stopwatch) now() (ms int64, running bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	at := time.Now()
	if w.halts > 0 {
		at = w.since
	}
	return (at.Sub(w.start) - w.halted).Milliseconds(), w.halts == 0
}

func (w *stopwatch) pause() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.halts++; w.halts == 1 {
		w.since = time.Now()
	}
}

func (w *stopwatch) resume() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.halts--; w.halts > 0 {
		return
	}
	w.halted += time.Since(w.since)
	select {
	case w.stir <- "":
	default:
	}
}
