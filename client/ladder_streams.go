package client

const (
	streamHello   = 4000 // a stream that has not said hello by then is held back somewhere
	streamYoung   = 5000 // streams that end sooner are not to be opened again at once
	streamUnread  = 3000 // an event at least so old was not held back until the relay gave up, which takes it longer
	streamQuiet   = 4000 // silence before a cut that an idle limit may explain
	streamHB      = 10   // seconds
	streamTrialHB = 5    // seconds, the least the relay gives; a shadow is to be proved soon
	streamMinLife = 5    // seconds, the least the relay gives
	streamMaxLife = 280  // seconds; what the relay does unasked
)

// ladderStream is one stream; times are milliseconds. trial: beside polls, it must show a heartbeat before it takes over.
type ladderStream struct {
	ch               int
	rung             Rung
	trial, hello     bool
	opened, last, hb int64
	event            int64 // when the newest event came
}

// due is when a stream counts as lost: without its hello, or after 2.5 heartbeats of silence.
func (s *ladderStream) due() int64 {
	switch {
	case s == nil:
		return ladderNever
	case s.hello:
		return s.last + s.hb*5/2
	}
	return s.opened + streamHello
}

// ladderStreams are the streams of a ladder: live carries the room, probe has yet to show that it gets through.
type ladderStreams struct {
	live, probe *ladderStream
	rung        Rung // of the stream in use or in want
	span        ladderSpan
	curt        int    // streams in a row that the relay ended soon after they began
	series      int64  // since when streams of this rung have been tried without a hello, -1 for not
	first       string // how the first form of stream failed, "" while it has not
}

func newLadderStreams() ladderStreams {
	return ladderStreams{rung: "0", series: -1, span: ladderSpan{enough: 4}}
}

func (m *ladderStreams) due() int64 { return min(m.live.due(), m.probe.due()) }

func (m *ladderStreams) open(now int64, ch int, rung Rung, trial bool) LadderAction {
	if !trial && (rung != m.rung || m.series < 0) {
		m.series = now
	}
	m.rung = rung
	m.probe = &ladderStream{ch: ch, rung: rung, trial: trial, opened: now, last: now, event: now, hb: 1000 * streamHB}
	a := LadderAction{Do: "open", Ch: ch, Rung: rung, HB: m.span.hb, Life: m.span.life, Shadow: trial || m.live != nil}
	if trial {
		a.HB = streamTrialHB
	}
	return a
}

func (s *ladderStream) greet(now int64, hb int) {
	if hb == 0 {
		hb = streamHB
	}
	s.hello, s.hb, s.last = true, 1000*int64(hb), now
}

// promote: the stream that was tried carries the room from here on.
func (m *ladderStreams) promote(s *ladderStream) {
	m.clear()
	m.live = s
	m.descend()
}

func (m *ladderStreams) clear() { m.live, m.probe = nil, nil }

// descend forgets what failed so far.
func (m *ladderStreams) descend() { m.series, m.first = -1, "" }

// overslept: the machine was asleep, so what may have come meanwhile is granted a moment. It tells whether it was.
func (s *ladderStream) overslept(now int64) bool {
	if now-s.due() <= ladderLate {
		return false
	}
	s.last = now + ladderGrace - s.hb*5/2
	return true
}

// failed: a stream that was to carry the room failed before its hello. It tells what is next: a control poll, the other form
// of stream, or a rung below.
func (m *ladderStreams) failed(s *ladderStream, how string, heardAt int64) Rung {
	switch {
	case how != "refused" && heardAt <= m.series:
		return "control"
	case m.first == "held":
		return "1"
	case m.first != "":
		return "2"
	}
	m.first = how
	if s.rung == "0" {
		return "0b"
	}
	return "0"
}

// ended: the live stream has ended. It returns its age.
func (m *ladderStreams) ended(s *ladderStream, now int64) int64 {
	age := now - s.opened
	m.live = nil
	m.curt++
	if age >= streamYoung {
		m.curt = 0
	}
	return age
}

// died: it did so without a word. mute: nobody said so, the watchdog found out. It tells whether streams are still worth while.
func (m *ladderStreams) died(s *ladderStream, now int64, mute bool) bool {
	age := now - s.opened
	if mute {
		age = s.last - s.opened
	}
	return m.span.died(age, mute || now-s.last >= streamQuiet)
}

// ladderSpan is what the network lets a stream be, learned from those that died. hb and life are asked of the relay, in seconds; 0 asks for nothing.
type ladderSpan struct {
	hb, life int
	last     ladderDeath
	young    int // deaths under 5 s in a row
	ends     int // planned ends since the last death
	enough   int // planned ends after which a longer life is tried
	grown    bool
}

type ladderDeath struct {
	known, quiet bool
	age          int64
}

// ended: a stream reached its planned end. Lives that were shortened for a network that has since changed grow back.
func (p *ladderSpan) ended() {
	p.young, p.last = 0, ladderDeath{}
	if p.life == 0 {
		return
	}
	if p.ends++; p.ends < p.enough {
		return
	}
	p.ends, p.grown = 0, true
	if p.life *= 2; p.life >= streamMaxLife {
		p.life = 0
	}
}

// died: a stream died after its hello, quiet if silence had come before. It tells whether streams are still worth while.
func (p *ladderSpan) died(age int64, quiet bool) bool {
	before := p.last
	p.last = ladderDeath{true, quiet, age}
	p.ends = 0
	p.young++
	if age >= streamYoung {
		p.young = 0
	}
	if p.young >= 3 {
		return p.hopeless()
	}
	if quiet && before.quiet {
		p.hb = streamTrialHB
	}
	limit, apart := age, age-before.age
	if before.known {
		limit = min(age, before.age)
	}
	twice := before.known && 5*max(apart, -apart) <= 5000+max(age, before.age)
	if !twice && !p.grown || limit < streamYoung {
		return true // three young ones settle it
	}
	if limit < (streamMinLife+1)*1000 { // the relay adds a tenth to the life it is asked for
		return p.hopeless()
	}
	if p.grown {
		p.enough = min(64, 2*p.enough)
	}
	p.grown, p.last = false, ladderDeath{}
	p.life = max(streamMinLife, int(limit*3/4000))
	return true
}

// reset: another network, nothing learned holds.
func (p *ladderSpan) reset() { *p = ladderSpan{enough: 4} }

func (p *ladderSpan) hopeless() bool {
	p.reset()
	return false
}
