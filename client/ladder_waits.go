package client

import "math"

// The waits of the ladder, in milliseconds.
const (
	climbFirst  = 60_000
	climbMax    = 600_000
	climbRest   = 10_000  // between two climbs, however often the page is shown and hidden
	rejoinSoon  = 5000    // a session that ends this soon after a join is no better than a failed join
	ladderStill = 600_000 // the longest wait that a Retry-After can ask for
)

// ladderPast lies before every time, without the overflow that the smallest number would bring.
const ladderPast = math.MinInt64 / 2

// ladderBackoff is the wait after n failures in a row: half a second doubling to 30 s, of which r spreads the half.
func ladderBackoff(n int, r float64) int64 {
	full := 30_000.0
	if n < 7 {
		full = float64(int64(500) << max(0, n-1))
	}
	return int64(math.Round(full * (0.5 + r/2)))
}

// ladderWait is a Retry-After in seconds as a wait.
func ladderWait(seconds int) int64 { return min(ladderStill, 1000*int64(seconds)) }

// ladderGateway tells answers of a gateway whose way is broken: they say nothing about streams.
func ladderGateway(status int) bool {
	return status == 429 || status == 502 || status == 503 || status == 504
}

// ladderClimb says when to try for a stream again from below: after a minute, doubling to ten.
type ladderClimb struct{ at, delay, last int64 }

func newLadderClimb() ladderClimb {
	return ladderClimb{at: ladderNever, delay: climbFirst, last: ladderPast}
}

func (c *ladderClimb) begin(now int64) { c.last, c.at = now, ladderNever }

func (c *ladderClimb) later(now, least int64) { c.at = now + max(c.delay, least) }

// soon: something speaks for trying at once; it tells whether to.
func (c *ladderClimb) soon(now int64) bool {
	if now-c.last >= climbRest {
		return true
	}
	c.at = min(c.at, c.last+climbRest)
	return false
}

func (c *ladderClimb) failed() { c.delay = min(climbMax, 2*c.delay) }

func (c *ladderClimb) reset() { c.delay = climbFirst }

// ladderRejoin says whether the session is to be joined again before anything else. at is the next attempt while one waits.
type ladderRejoin struct {
	at    int64
	state string // "", "asked" or "waiting"
	fails int
	ended int64 // when a join last succeeded
}

func newLadderRejoin() ladderRejoin { return ladderRejoin{at: ladderNever, ended: ladderPast} }

// on: nothing else may run.
func (j *ladderRejoin) on() bool { return j.state != "" }

// need: the session is gone. It tells whether to join now.
func (j *ladderRejoin) need(now int64, r float64) bool {
	if j.on() {
		return false
	}
	if now-j.ended < rejoinSoon {
		return j.wait(now, r)
	}
	j.fails = 0
	return j.ask()
}

// hurry: the wait is over, or cut short. It tells whether to join now.
func (j *ladderRejoin) hurry() bool { return j.state == "waiting" && j.ask() }

// done: a join has ended. It tells whether the rest may go on.
func (j *ladderRejoin) done(ok bool, now int64, r float64) bool {
	if j.state != "asked" {
		return false
	}
	if !ok {
		return j.wait(now, r)
	}
	j.state, j.ended = "", now
	return true
}

func (j *ladderRejoin) ask() bool {
	j.state, j.at = "asked", ladderNever
	return true
}

func (j *ladderRejoin) wait(now int64, r float64) bool {
	j.fails++
	j.state, j.at = "waiting", now+ladderBackoff(j.fails, r)
	return false
}
