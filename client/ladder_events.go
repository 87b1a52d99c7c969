package client

func (l *ladderRungs) onLive(s *ladderStream, in LadderInput) {
	if in.In == "end" {
		l.died(s, false)
		return
	}
	s.last = l.now
	switch in.In {
	case "event":
		s.event = l.now
	case "bye":
		l.bye(s, in)
	}
}

func (l *ladderRungs) onProbe(s *ladderStream, in LadderInput) {
	switch in.In {
	case "hello":
		s.greet(l.now, in.HB)
		if !s.trial {
			l.promote(s)
		}
	case "event":
		s.last, s.event = l.now, l.now
	case "hb":
		s.last = l.now
		if s.hello {
			l.promote(s)
		}
	case "refused":
		how := "refused"
		if ladderGateway(in.Status) {
			how = "outage"
		}
		l.failed(s, how, ladderWait(in.RetryAfter), false)
	case "error":
		l.failed(s, "outage", 0, false)
	default: // end, bye
		l.failed(s, "held", 0, in.In == "bye")
	}
}

func (l *ladderRungs) promote(s *ladderStream) {
	shadow := s.trial || l.streams.live != nil
	l.drop(s.ch)
	l.streams.promote(s)
	l.settled = false
	l.board.down = nil
	if shadow {
		l.do(LadderAction{Do: "promote", Ch: s.ch})
	}
	l.do(LadderAction{Do: "remember", Rung: s.rung, HB: l.streams.span.hb, Life: l.streams.span.life})
}

// failed: a stream failed before it carried anything; open tells whether it still is.
func (l *ladderRungs) failed(s *ladderStream, how string, wait int64, open bool) {
	l.streams.probe = nil
	if open {
		l.close(s.ch)
	}
	if s.trial {
		l.climbFailed(s, how, wait)
		return
	}
	if live := l.streams.live; live != nil {
		if live.last > s.opened {
			return // the older stream is well: it goes on
		}
		l.close(live.ch)
		l.streams.live = nil
	}
	switch next := l.streams.failed(s, how, l.board.heardAt); next {
	case "control":
		l.wait(wait)
	case "1":
		l.settleFor("held")
	case "2":
		l.settleFor("refused")
	default:
		l.open(next, false)
	}
}

// wait waits until a poll gets through; then the stream is opened again.
func (l *ladderRungs) wait(least int64) {
	l.control = true
	l.bridge()
	if least > 0 {
		l.close(l.pull.ch)
		l.pull.told(l.now, least)
	}
}

func (l *ladderRungs) climbFailed(s *ladderStream, how string, wait int64) {
	if !l.settled && (how == "outage" || l.board.heardAt <= s.opened) { // nothing gets through, which is no fault of streams
		l.wait(wait)
		return
	}
	if s.rung == "0" && !s.hello && how != "outage" {
		l.open("0b", true)
		return
	}
	if !l.settled {
		l.settleFor(how)
		l.climb.failed() // see died
		return
	}
	if how == "held" {
		l.climb.failed() // a refusal is quick and costs little, an outage says nothing about streams
	}
	l.climb.later(l.now, wait)
	l.pull.resume(l.now)
}

// settleFor goes below the streams for what was done to them.
func (l *ladderRungs) settleFor(how string) {
	if how == "refused" {
		l.settle("2", "the network refuses live answers")
	} else {
		l.settle("1", "the network holds live answers back")
	}
}

func (l *ladderRungs) settle(rung Rung, why string) {
	l.settled, l.board.why, l.streamAt = true, why, ladderNever
	l.streams.descend()
	l.bridge()
	l.pull.settle(rung, l.now)
	l.climb.later(l.now, 0)
}

// died: the live stream did so without a word. mute: nobody said so, the watchdog found out.
func (l *ladderRungs) died(s *ladderStream, mute bool) {
	learn := !l.board.offline && l.now-l.shaken > ladderShaken
	hopeful := !learn || l.streams.died(s, l.now, mute)
	if mute {
		l.close(s.ch)
	}
	l.ended(s)
	switch {
	case l.streams.probe != nil: // its successor is on the way
	case !hopeful:
		l.settle("1", "the network cuts live answers off")
		l.climb.failed() // the first climb comes soon all the same; a stream that takes over and dies again is not to happen each minute
	case mute, l.now-s.last > s.hb*3/2: // a heartbeat was due, so it may have been held back before the end
		l.bridge() // a network that lets a hello through and keeps what follows is found out by a heartbeat only
		l.open(s.rung, true)
	default:
		l.streamAt = l.now + ladderBackoff(l.streams.span.young, l.r)
	}
}

// bye: the relay ended the live stream as planned.
func (l *ladderRungs) bye(s *ladderStream, in LadderInput) {
	l.close(s.ch)
	l.ended(s)
	if in.Why == "life" {
		l.streams.span.ended()
	}
	if l.streams.probe != nil {
		return
	}
	wait := min(in.Delay, ladderStill)
	switch in.Why {
	case "held":
		l.unread(s)
		return
	case "life":
	case "shutdown":
		l.board.fail("connecting", "the relay starts anew")
	default:
		wait = max(wait, ladderBackoff(l.streams.curt, l.r))
	}
	l.streamAt = l.now + wait
	l.bridgeAt = l.streamAt + ladderBridge // not before: the relay spreads its clients
}

// unread: the relay has waited for the ack of an event.
func (l *ladderRungs) unread(s *ladderStream) {
	if l.now-s.event >= streamUnread {
		l.open(s.rung, false) // only the ack is late, which the next stream need not suffer for
		return
	}
	l.settleFor("held") // it came with the end
	l.climb.failed()    // see died
}

func (l *ladderRungs) ended(s *ladderStream) {
	l.bridgeAt = l.now + ladderBridge
	if l.streams.ended(s, l.now) >= ladderSteady {
		l.climb.reset()
	}
}

func (l *ladderRungs) onPull(in LadderInput) {
	switch in.In {
	case "good":
		l.pullGood(in.N)
	case "refused":
		l.pullFailed("blocked", in.Hint, ladderWait(in.RetryAfter))
	case "error":
		l.pullFailed("offline", "the relay cannot be reached", 0)
	case "end":
		l.pullFailed("offline", "answers break off", 0)
	case "hello":
		l.pull.hello(l.now)
	case "bye":
		l.close(in.Ch)
		l.pull.told(l.now, min(ladderStill, max(ladderBackoff(1, l.r), in.Delay)))
	}
}

func (l *ladderRungs) pullGood(n int) {
	news := l.board.hear(l.now)
	l.pull.good(l.now, n, l.mayHold())
	if l.control {
		l.open(l.streams.rung, false)
		return
	}
	if !l.mayHold() {
		return
	}
	if l.pull.full {
		l.do(LadderAction{Do: "remember", Rung: l.pull.rung, Hold: l.pull.hold})
	}
	if news || l.pull.flowing {
		l.climb.reset() // the way was closed and is open again, or is wider: it may be another way
		l.climbSoon()
	}
}

func (l *ladderRungs) pullFailed(state, reason string, wait int64) {
	refused := state == "blocked"
	l.pull.failed(l.now, l.r, refused, wait)
	if l.pull.fails > 1 || refused && l.pull.fails == 1 {
		l.board.fail(state, reason)
	}
}

// drop ends whatever runs but the one.
func (l *ladderRungs) drop(but int) {
	for _, s := range []*ladderStream{l.streams.live, l.streams.probe} {
		if s != nil && s.ch != but {
			l.close(s.ch)
		}
	}
	l.close(l.pull.ch)
	l.streams.clear()
	l.pull.stop()
	l.streamAt, l.bridgeAt, l.climb.at, l.control = ladderNever, ladderNever, ladderNever, false
}

func (l *ladderRungs) close(ch int) {
	if ch != 0 {
		l.do(LadderAction{Do: "close", Ch: ch})
	}
}

// show adds the status, if it changed.
func (l *ladderRungs) show(joining bool) {
	live := l.streams.live
	rung := l.streams.rung
	switch {
	case live != nil:
		rung = live.rung
	case l.settled:
		rung = l.pull.rung
	case l.pull.on:
		rung = "3"
	}
	if s, news := l.board.show(rung, joining, live != nil, l.pull.on, l.settled); news {
		l.do(LadderAction{Do: "status", State: s.State, Rung: s.Rung, Reason: s.Reason})
	}
}
