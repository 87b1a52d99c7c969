package client

import "math"

const (
	ladderDay   = 86_400_000 // that long a memory holds
	ladderNever = math.MaxInt64
)

// Rung is a way to receive: "0" a stream, "0b" the same as octet-stream, "1" batches, "2" long polls, "3" short polls.
type Rung string

// LadderMemory is what one network taught, for the next start there. Hold, HB and Life are seconds, zero for nothing special.
type LadderMemory struct {
	Rung Rung `json:"rung"`
	Hold int  `json:"hold,omitempty"`
	HB   int  `json:"hb,omitempty"`
	Life int  `json:"life,omitempty"`
}

// LadderInput is something that happened. T is in milliseconds on a clock that never goes back, R random in [0,1). Ch names the request it
// happened on; news of a request that was closed is ignored. Age, of the memory, and Delay are milliseconds; HB and RetryAfter seconds.
//
//	start stop timer online offline change pageshow visible active rejoined
//	hello event hb bye   parsed from a stream (hello and bye: from a batch too)
//	end                  an answer ended or broke off: a stream, or a batch or poll before it was whole
//	good                 a batch or poll ended as it should, with N events
//	refused              an answer that is not the relay's, or not of the asked type
//	error                no answer
//	relay                the relay's own refusal; Status is its HTTP status
type LadderInput struct {
	T          int64         `json:"t"`
	In         string        `json:"in"`
	R          float64       `json:"r"`
	Ch         int           `json:"ch"`
	Memory     *LadderMemory `json:"memory"`
	Age        int64         `json:"age"`
	HB         int           `json:"hb"`
	Why        string        `json:"why"`
	Delay      int64         `json:"delay"`
	N          int           `json:"n"`
	Status     int           `json:"status"`
	Hint       string        `json:"hint"`
	Code       string        `json:"code"`
	Rejoin     bool          `json:"rejoin"`
	RetryAfter int           `json:"retryAfter"`
	OK         bool          `json:"ok"`
}

// LadderAction is something to do. open: a stream. batch, poll: with Hold in seconds. close: end that request. promote: a shadow has taken over.
// rejoin: join again, then input rejoined. error: tell the session what the relay refused. remember: store for this origin for 24 hours.
// status: show State (live, polling, connecting, offline or blocked), Rung and Reason.
type LadderAction struct {
	Do     string `json:"do"`
	Ch     int    `json:"ch,omitempty"`
	Rung   Rung   `json:"rung,omitempty"`
	HB     int    `json:"hb,omitempty"`
	Life   int    `json:"life,omitempty"`
	Hold   int    `json:"hold,omitempty"`
	Shadow bool   `json:"shadow,omitempty"`
	Code   string `json:"code,omitempty"`
	State  string `json:"state,omitempty"`
	Reason string `json:"reason,omitempty"`
}

// LadderStatus says in words how the room is received.
type LadderStatus struct {
	State  string
	Rung   Rung
	Reason string
}

// Ladder is the ladder of transports as a pure machine: it takes what happened and says what to do. It has no clock, no network and no
// randomness of its own. static/js/net/ladder.js is the same machine; testdata/ladder holds the cases that both pass.
// One ladder per room; not safe for concurrent use. NewLadder makes one.
type Ladder struct {
	running    bool
	rungs      ladderRungs
	rejoin     ladderRejoin
	told       int // refusals of the relay in a row
	remembered LadderAction
}

// NewLadder returns a ladder that waits for its start.
func NewLadder() *Ladder { return &Ladder{rungs: newLadderRungs(), rejoin: newLadderRejoin()} }

// Step takes one input and returns what to do, in order. Before start and after stop nothing happens.
func (l *Ladder) Step(in LadderInput) []LadderAction {
	l.rungs.now, l.rungs.r, l.rungs.out = in.T, in.R, nil
	if l.running || in.In == "start" {
		l.take(in)
	}
	if l.running {
		l.rungs.show(l.rejoin.on())
	}
	var out []LadderAction
	for _, a := range l.rungs.out {
		if a.Do != "remember" || l.isNews(a) {
			out = append(out, a)
		}
	}
	return out
}

// Status is the newest status.
func (l *Ladder) Status() LadderStatus { return l.rungs.board.status }

// Deadline is when the next timer input is due, in milliseconds; false for never. It may change with every step.
func (l *Ladder) Deadline() (int64, bool) {
	at := l.deadline()
	return at, at != ladderNever
}

func (l *Ladder) deadline() int64 {
	switch {
	case !l.running:
		return ladderNever
	case l.rejoin.on():
		return l.rejoin.at
	}
	return l.rungs.deadline()
}

func (l *Ladder) take(in LadderInput) {
	if in.Ch != 0 {
		if l.rungs.has(in.Ch) {
			l.onRequest(in)
		}
		return
	}
	switch in.In {
	case "start":
		l.start(in)
	case "stop":
		l.rungs.stop()
		l.running = false
	case "offline":
		l.rungs.board.offline = true
	case "active":
		l.rungs.active()
	case "rejoined":
		if l.rejoin.done(in.OK, in.T, in.R) {
			l.rungs.resume()
		}
	case "timer":
		if !l.rejoin.on() {
			l.rungs.timer()
		} else if l.rejoin.at <= in.T {
			l.hurry()
		}
	default: // online, change, pageshow, visible
		l.rungs.board.offline = false
		if l.rejoin.on() {
			l.hurry()
		} else {
			l.rungs.wake(in.In == "visible")
		}
	}
}

func (l *Ladder) start(in LadderInput) {
	if l.running {
		return
	}
	l.running = true
	memory := LadderMemory{Rung: "0"}
	if in.Memory != nil && in.Age <= ladderDay {
		memory = *in.Memory
	}
	l.rungs.start(memory)
}

func (l *Ladder) onRequest(in LadderInput) {
	switch {
	case in.In == "relay":
		l.refused(in)
		return
	case in.In == "bye" && in.Why == "session":
		l.join("no_session")
		return
	case in.In == "hello", in.In == "event", in.In == "hb", in.In == "good":
		l.rungs.board.offline = false // whatever the system says
		l.told = 0
	}
	l.rungs.take(in)
}

func (l *Ladder) refused(in LadderInput) {
	if in.Rejoin || in.Code == "bad_cursor" {
		l.join(in.Code)
		return
	}
	l.rungs.do(LadderAction{Do: "error", Ch: in.Ch, Code: in.Code})
	l.told++
	l.rungs.told(in, max(ladderWait(in.RetryAfter), ladderBackoff(l.told, in.R)))
}

// join is called when the session is gone: nothing else can go on.
func (l *Ladder) join(code string) {
	l.rungs.stop()
	if l.rejoin.need(l.rungs.now, l.rungs.r) {
		l.rungs.do(LadderAction{Do: "rejoin", Code: code})
	}
}

// hurry ends the wait for the next join.
func (l *Ladder) hurry() {
	if l.rejoin.hurry() {
		l.rungs.do(LadderAction{Do: "rejoin", Code: "no_session"})
	}
}

func (l *Ladder) isNews(memory LadderAction) bool {
	news := memory != l.remembered
	l.remembered = memory
	return news
}
