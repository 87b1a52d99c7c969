package client

import "math"

const (
	pullLongest    = 25 // seconds a poll is held; below the 30 s idle limit
	pullShortest   = 3
	pullTimeout    = 5000   // over the hold
	pullTimeoutMax = 20_000 // of a poll that is not held, on a slow network
	pullPace       = 1000   // short polls while something goes on
	pullPaceMax    = 10_000 // and while nothing does
	pullEnough     = 10     // good answers before a longer hold is tried
	pullEnoughMax  = 80     // when longer ones keep failing
	pullApart      = 1000   // between hello and end of a batch that was not held back
	ladderLate     = 5000   // a timer this late was asleep with the machine; the answer may be waiting behind it
	ladderGrace    = 2000   // for that
)

// ladderPull is receiving by requests that end with their answer: which kind, for how long the relay may hold it, when the next one
// is due. Times are milliseconds, holds seconds. At most one request is under way.
type ladderPull struct {
	on      bool
	ch      int   // the request under way, 0 for none
	due     int64 // when it counts as lost; with none under way, when the next one is sent
	rung    Rung  // 1, 2 or 3
	hold    int
	trial   bool // batches have yet to show that they get through
	fails   int  // failures in a row of requests that were not held, so that nothing but the way can be to blame
	full    bool // the request under way, or the last one, was one of the rung, not a short one on the side
	flowing bool // a batch has just shown that answers are no longer held back

	fresh    bool // nothing has come yet: the first request is short, so that we soon know
	stumbles int  // held requests that failed, in a row
	asked    int  // hold of the request under way
	since    int64
	helloAt  int64 // when the batch under way said hello, -1 for not yet
	watch    bool  // batches arrive in one piece: the first that does not is news
	timeout  int64
	pace     int64
	goods    int
	enough   int
	grown    bool
	doubt    string // "lost" or "refused": a held request failed. Was it the hold, or is the network down? A short one will tell
}

func newLadderPull() ladderPull {
	return ladderPull{due: ladderNever, rung: "2", hold: pullLongest, helloAt: -1, timeout: pullTimeout, pace: pullPace, enough: pullEnough}
}

func (p *ladderPull) begin(now int64) {
	if !p.on {
		p.on, p.fails, p.due, p.fresh = true, 0, now, true
	}
}

func (p *ladderPull) stop() { p.on, p.ch, p.due, p.doubt = false, 0, ladderNever, "" }

// settle takes up a rung from its beginning.
func (p *ladderPull) settle(rung Rung, now int64) {
	p.rung, p.hold, p.trial, p.watch = rung, pullLongest, rung == "1", false
	p.goods, p.stumbles, p.enough, p.grown, p.doubt = 0, 0, pullEnough, false, ""
	p.begin(now)
	p.resume(now)
}

// recall sets what the rung was like the last time.
func (p *ladderPull) recall(hold int) {
	p.trial = false
	if hold > 0 {
		p.hold = min(pullLongest, max(pullShortest, hold))
	}
}

// resume: nothing runs beside the polls any more.
func (p *ladderPull) resume(now int64) {
	if p.on && p.ch == 0 && p.fails == 0 {
		p.due = now
	}
}

// shorten: a stream is being tried, so a held request makes way for short ones. It returns the request to close, 0 for none.
func (p *ladderPull) shorten(now int64) int {
	if p.ch == 0 || p.asked == 0 {
		return 0
	}
	ch := p.ch
	p.ch, p.due = 0, now
	return ch
}

// hurry: waiting is over. dropped: the request under way is given up too.
func (p *ladderPull) hurry(now int64, dropped bool) {
	if dropped {
		p.ch = 0
	}
	p.fails, p.pace = 0, pullPace
	if p.on && p.ch == 0 {
		p.due = now
	}
}

// active: the user does something, so answers are near.
func (p *ladderPull) active(now int64) {
	p.pace = pullPace
	if p.on && p.ch == 0 && p.fails == 0 {
		p.due = min(p.due, now+pullPace)
	}
}

// send sends the next request. full: nothing runs beside it, so it may be held.
func (p *ladderPull) send(now int64, ch int, full bool) LadderAction {
	p.full = full && !p.fresh && p.doubt == ""
	switch {
	case !p.full || p.rung == "3":
		p.asked = 0
	case p.trial:
		p.asked = 1
	default:
		p.asked = p.hold
	}
	p.ch, p.since, p.helloAt = ch, now, -1
	own := p.timeout
	if p.asked > 0 {
		own = pullTimeout
	}
	p.due = now + 1000*int64(p.asked) + own
	a := LadderAction{Do: "poll", Ch: ch, Hold: p.asked}
	if p.full && p.rung == "1" {
		a.Do = "batch"
	}
	return a
}

// late is the request under way if its time is up, else 0.
func (p *ladderPull) late(now int64) int {
	if p.ch == 0 || p.due > now {
		return 0
	}
	if now-p.due > ladderLate {
		p.due = now + ladderGrace
		return 0
	}
	if p.asked == 0 {
		p.timeout = min(pullTimeoutMax, 2*p.timeout)
	}
	return p.ch
}

// hello: the batch under way has begun to arrive.
func (p *ladderPull) hello(now int64) { p.helloAt = now }

// good is a good answer with n events. full: the next one may be held.
func (p *ladderPull) good(now int64, n int, full bool) {
	whole := 2*(now-p.since) >= 1000*int64(p.asked) // it was held for about as long as asked
	p.look(now)
	p.ch, p.fails, p.timeout, p.due, p.fresh = 0, 0, pullTimeout, now, false
	p.pace = min(pullPaceMax, p.pace*3/2)
	if n > 0 {
		p.pace = pullPace
	}
	if p.doubt != "" {
		p.shrink()
		return
	}
	if !p.full {
		if !full {
			p.due = now + pullPace
		}
		return
	}
	p.trial, p.stumbles = false, 0
	if whole {
		p.goods++
		if p.goods >= p.enough {
			p.grow()
		}
	}
	if p.rung == "3" {
		p.due = now + p.pace
	} else if n == 0 && !whole {
		p.due = now + pullPace // an answer before its time must not become a busy loop
	}
}

// failed: refused by an answer, not by silence; wait at least that long.
func (p *ladderPull) failed(now int64, r float64, refused bool, wait int64) {
	p.ch = 0
	if p.asked > 0 {
		p.doubt = "lost"
		if refused {
			p.doubt = "refused"
		}
		p.due = now + max(wait, int64(math.Round(250*r)))
		return
	}
	p.doubt = ""
	p.fails++
	p.due = now + max(wait, ladderBackoff(p.fails, r))
}

// told: the relay itself asked to wait, so the way is open.
func (p *ladderPull) told(now, wait int64) { p.ch, p.due = 0, now+wait }

// look: a batch says hello at once. A network that holds answers back lets us have that with the end only.
func (p *ladderPull) look(now int64) {
	early := p.helloAt >= 0 && now-p.helloAt >= pullApart
	p.flowing = early && p.watch
	if p.flowing {
		p.watch = false
	} else if p.helloAt >= 0 && !early && now-p.since >= 3*pullApart {
		p.watch = true
	}
}

func (p *ladderPull) grow() {
	p.goods = 0
	switch {
	case p.rung == "3":
		p.rung, p.hold = "2", pullShortest
	case p.hold < pullLongest:
		p.hold = min(pullLongest, p.hold*3/2)
	default:
		return
	}
	p.grown = true
}

func (p *ladderPull) shrink() {
	p.stumbles++
	refused := p.doubt == "refused"
	p.doubt, p.goods = "", 0
	if p.grown {
		p.enough = min(pullEnoughMax, 2*p.enough)
	}
	p.grown = false
	switch {
	case p.rung == "1" && (p.trial || refused):
		p.rung, p.hold = "2", pullLongest
	case p.hold > pullShortest:
		p.hold = max(pullShortest, p.hold/2)
	case p.stumbles < 2:
		return // any connection may break once
	case p.rung == "1":
		p.rung, p.hold = "2", 2*pullShortest
	default:
		p.rung = "3"
	}
	p.trial = false
}
