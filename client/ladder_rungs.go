package client

const (
	ladderBridge = 2000   // without a stream for this long, polls begin
	ladderSteady = 60_000 // a stream of this age has proved its network
	ladderShaken = 5000   // a death this soon after a change of network teaches nothing
)

// ladderRungs decides which rung carries the room: the heart of the ladder. Three things may run at a time. live is the stream that carries
// the room. probe is a stream that has yet to show that it gets through: the first one, or a shadow beside polls or beside an older stream.
// pull is requests that end with their answer: batches and polls. Whatever is untried is tried beside something that works, and a poll is the
// control: silence counts against a rung only if a poll got through meanwhile; otherwise the network is down, and the rung is tried again when
// it is back.
type ladderRungs struct {
	now   int64 // of the input
	r     float64
	out   []LadderAction
	board ladderBoard

	ch       int // the newest request
	streams  ladderStreams
	pull     ladderPull
	climb    ladderClimb
	streamAt int64 // when the next stream opens
	bridgeAt int64 // when polls begin unless a stream is there
	control  bool  // the stream opens again when a poll has got through
	settled  bool  // below the streams until a climb succeeds
	shaken   int64 // when the network last changed
}

func newLadderRungs() ladderRungs {
	return ladderRungs{
		board: newLadderBoard(), streams: newLadderStreams(), pull: newLadderPull(), climb: newLadderClimb(),
		streamAt: ladderNever, bridgeAt: ladderNever, shaken: ladderPast,
	}
}

func (l *ladderRungs) do(a LadderAction) { l.out = append(l.out, a) }

func (l *ladderRungs) deadline() int64 {
	return min(l.streams.due(), l.streamAt, l.bridgeAt, l.climb.at, l.pull.due)
}

// has tells whether a request is under way and has not been closed.
func (l *ladderRungs) has(ch int) bool { return l.isLive(ch) || l.isProbe(ch) || ch == l.pull.ch }

func (l *ladderRungs) isLive(ch int) bool  { return l.streams.live != nil && l.streams.live.ch == ch }
func (l *ladderRungs) isProbe(ch int) bool { return l.streams.probe != nil && l.streams.probe.ch == ch }

func (l *ladderRungs) start(m LadderMemory) {
	l.streams.span.hb, l.streams.span.life = m.HB, m.Life
	if m.Rung == "0" || m.Rung == "0b" {
		l.open(m.Rung, false)
		return
	}
	l.settle(m.Rung, "as it was here before")
	l.pull.recall(m.Hold)
	l.tryClimb() // a machine may wake up in another network
}

// resume goes on after stop, where it was.
func (l *ladderRungs) resume() {
	if !l.settled {
		l.open(l.streams.rung, false)
		return
	}
	l.bridge()
	l.climbSoon()
}

// stop ends whatever runs.
func (l *ladderRungs) stop() { l.drop(0) }

// take takes news of a request that is under way.
func (l *ladderRungs) take(in LadderInput) {
	switch {
	case l.isLive(in.Ch):
		l.onLive(l.streams.live, in)
	case l.isProbe(in.Ch):
		l.onProbe(l.streams.probe, in)
	default:
		l.onPull(in)
	}
}

func (l *ladderRungs) active() { l.pull.active(l.now) }

func (l *ladderRungs) timer() {
	if s := l.streams.probe; s.due() <= l.now {
		l.failed(s, "held", 0, true)
	}
	if s := l.streams.live; s.due() <= l.now {
		if s.overslept(l.now) {
			l.shaken = l.now
		} else {
			l.died(s, true)
		}
	}
	if l.streamAt <= l.now {
		l.open(l.streams.rung, false)
	}
	if l.bridgeAt <= l.now {
		l.bridge()
	}
	if l.climb.at <= l.now {
		l.tryClimb()
	}
	if late := l.pull.late(l.now); late != 0 {
		l.close(late)
		l.pullFailed("offline", "the relay does not answer", 0)
	}
	if l.pull.ch == 0 && l.pull.due <= l.now {
		l.ch++
		l.do(l.pull.send(l.now, l.ch, l.mayHold()))
	}
}

// wake: the network may be another one. gentle: only the page came to the front.
func (l *ladderRungs) wake(gentle bool) {
	if !gentle {
		l.shaken = l.now
		l.climb.reset()
		l.streams.span.reset()
		l.close(l.pull.ch)
	}
	l.pull.hurry(l.now, !gentle)
	live, probe := l.streams.live, l.streams.probe
	switch {
	case probe != nil && gentle:
	case probe != nil:
		l.close(probe.ch)
		l.open(probe.rung, probe.trial)
	case live != nil:
		if !gentle || 2*(l.now-live.last) > 3*live.hb {
			l.open(live.rung, false)
		}
	case l.settled:
		l.climbSoon()
	case l.streamAt != ladderNever:
		l.streamAt = l.now
	}
}

// told: the relay itself refuses a request and asks to wait, which is no fault of the way.
func (l *ladderRungs) told(in LadderInput, wait int64) {
	var own *ladderStream // the stream was refused, not the poll
	if l.isProbe(in.Ch) {
		own, l.streams.probe = l.streams.probe, nil
	}
	if own != nil && own.trial {
		l.climbFailed(own, "outage", wait)
		return
	}
	if l.streams.live != nil {
		return
	}
	if in.Status == 429 || in.Status == 503 {
		l.board.fail("connecting", "the relay asks to wait: "+in.Code)
	} else {
		l.board.fail("blocked", "the relay refuses: "+in.Code)
	}
	if own == nil {
		l.pull.told(l.now, wait)
		return
	}
	l.streamAt = l.now + wait
	if !l.pull.on {
		l.bridgeAt = l.streamAt + ladderBridge
	}
}

func (l *ladderRungs) mayHold() bool { return l.settled && l.streams.probe == nil }

// open opens a stream. trial: beside polls, it must show a heartbeat before it takes over.
func (l *ladderRungs) open(rung Rung, trial bool) {
	l.streamAt, l.climb.at, l.control = ladderNever, ladderNever, false
	if !l.pull.on && l.streams.live == nil {
		l.bridgeAt = min(l.bridgeAt, l.now+ladderBridge)
	}
	l.close(l.pull.shorten(l.now)) // a proxy may give us two connections, and sending needs one
	l.ch++
	l.do(l.streams.open(l.now, l.ch, rung, trial))
}

func (l *ladderRungs) bridge() {
	l.bridgeAt = ladderNever
	if !l.pull.on {
		l.board.heard = false
	}
	l.pull.begin(l.now)
}

func (l *ladderRungs) tryClimb() {
	l.climb.begin(l.now)
	l.open("0", true)
}

func (l *ladderRungs) climbSoon() {
	if l.climb.soon(l.now) {
		l.tryClimb()
	}
}
