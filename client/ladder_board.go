package client

// ladderBoard is the status of a ladder and what it is made of.
type ladderBoard struct {
	offline bool          // the system says that there is no network; anything that comes through proves it wrong
	down    *LadderStatus // why nothing gets through, nil if something does
	why     string        // there is no stream
	heardAt int64         // when a poll last got through, -1 for never
	heard   bool          // one did since polls began
	status  LadderStatus
}

func newLadderBoard() ladderBoard {
	return ladderBoard{heardAt: -1, status: LadderStatus{State: "connecting", Rung: "0"}}
}

func (b *ladderBoard) fail(state, reason string) {
	b.down = &LadderStatus{State: state, Reason: reason}
}

// hear: a poll got through. It tells whether that is news: nothing did before, and the relay had not asked for the wait.
func (b *ladderBoard) hear(now int64) bool {
	news := b.down != nil && b.down.State != "connecting"
	b.down, b.heard, b.heardAt = nil, true, now
	return news
}

// show returns the status and whether it is another one. rung: in use or in want; live: a stream carries the room; polling: requests go;
// settled: no stream is looked for just now.
func (b *ladderBoard) show(rung Rung, joining, live, polling, settled bool) (LadderStatus, bool) {
	next := LadderStatus{State: "connecting", Rung: rung}
	switch {
	case joining:
		next.Reason = "joining again"
	case b.offline:
		next.State, next.Reason = "offline", "no network"
	case live:
		next.State = "live"
		if rung != "0" {
			next.Reason = "as plain bytes"
		}
	case b.down != nil:
		next.State, next.Reason = b.down.State, b.down.Reason
	case polling && b.heard:
		next.State, next.Reason = "polling", "looking for live answers"
		if settled {
			next.Reason = b.why
		}
	case b.status.State == "live" && !polling:
		return b.status, false // for two seconds nobody needs to know
	}
	news := next != b.status
	b.status = next
	return next, news
}
