package client

import (
	"context"
	"crypto/rand"
	"errors"
	"math"
	randv2 "math/rand/v2"
	"net/http"
	"time"

	"snug/wire"
)

const (
	maxStale = 3                // posts refused for an old roster before it goes anyway; newcomers then see "sent before you were known"
	maxPause = 30 * time.Second // between two attempts; the stream's ladder finds out sooner when the network is back, and pokes
)

// run posts until ctx ends.
func (o *outbox) run(ctx context.Context) {
	for ctx.Err() == nil {
		e, st, session := o.next()
		pause := time.Duration(math.MaxInt64)
		if e != nil {
			pause = o.post(ctx, st, session, e)
		}
		if pause <= 0 {
			continue
		}
		timer := time.NewTimer(pause)
		select {
		case <-timer.C:
		case <-o.wake:
		case <-ctx.Done():
		}
		timer.Stop()
	}
}

// next is the oldest entry that is not posted; a letter is sealed if there is none. nil: nothing to do. It goes out under this session only: after a
// restart of the relay another entry may be the oldest.
func (o *outbox) next() (*entry, *stay, wire.SessionID) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for !o.held && o.err == nil && o.stay != nil {
		for _, e := range o.entries {
			if e.seq == 0 {
				o.posting = true
				return e, o.stay, o.stay.sessionID()
			}
			if e.letter.frame != nil { // a move: what follows goes to another room
				return nil, nil, wire.SessionID{}
			}
		}
		if len(o.letters) == 0 {
			break
		}
		o.sealLocked()
	}
	return nil, nil, wire.SessionID{}
}

// sealLocked makes entries of the next letter.
func (o *outbox) sealLocked() {
	l := o.letters[0]
	o.letters = o.letters[1:]
	o.changedLocked()
	frames := [][]byte{l.frame}
	// Before sealing: whoever comes in between is not sealed for, and the number must not say so.
	roster, epoch := o.stay.rosterNumber()
	if l.frame == nil {
		var err error
		if frames, err = o.stay.group.Seal(l.content); err != nil {
			l.finish(err)
			return
		}
	}
	for i, frame := range frames {
		e := &entry{frame: frame, letter: l, message: i == len(frames)-1, roster: roster, epoch: epoch}
		rand.Read(e.id[:]) // never fails
		o.entries = append(o.entries, e)
		o.kept += len(frame)
	}
	o.trimLocked()
}

// trimLocked gives up frames of what the relay has, the oldest first, when too much is kept. Their entries stay, for what becomes of them.
func (o *outbox) trimLocked() {
	for i := 0; i < len(o.entries) && o.kept > o.most; i++ {
		if e := o.entries[i]; e.seq > 0 {
			o.kept -= len(e.frame)
			e.frame = nil
		}
	}
}

// post sends one entry, and says how long to wait before the next.
func (o *outbox) post(ctx context.Context, st *stay, session wire.SessionID, e *entry) time.Duration {
	var roster *uint64
	switch careful := e.message && e.letter.frame == nil && o.isCareful(); { // keys go to whom they were sealed for, whoever came meanwhile
	case careful && e.epoch == st.epoch():
		roster = &e.roster
	case careful && !e.had: // sealed in the room's life before: older than any list of this one
		roster = new(uint64)
	}
	posted, err := st.api.post(ctx, session, e.id, e.frame, roster)
	if err == nil {
		o.posted(st, e, posted)
		return 0
	}
	pause := o.failed(ctx, st, e, err, session)
	o.mu.Lock()
	defer o.mu.Unlock()
	o.posting = false
	o.changedLocked()
	return pause
}

func (o *outbox) isCareful() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.stale < maxStale
}

func (o *outbox) posted(st *stay, e *entry, p wire.Posted) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.posting, o.fails, o.reason = false, 0, ""
	o.changedLocked()
	if p.Cursor.Epoch != st.epoch() { // an answer of the relay's life before, which is over: once more
		return
	}
	e.seq, e.had = p.Cursor.Seq, true
	if e.message {
		o.stale = 0
		e.letter.taken(p)
	}
	if n := o.newest.Through; n.Epoch == p.Cursor.Epoch && e.seq <= n.Seq { // which may have come before this answer
		o.overLocked(o.newest)
	}
}

// failed handles what came instead of a post's answer, and says how long to wait.
func (o *outbox) failed(ctx context.Context, st *stay, e *entry, err error, session wire.SessionID) time.Duration {
	relay, ok := errors.AsType[*RelayError](err)
	switch {
	case ctx.Err() != nil:
		return 0
	case ok && relay.roster != nil:
		st.learn(*relay.roster)
		st.readOn(ctx, relay.roster.Roster)
		st.tellWaiting()
		o.takeBack(e)
		return 0
	case ok && relay.rejoin:
		st.rejoin(ctx, session) // fails only with ctx
		return 0
	case ok && relay.isFinal():
		o.giveUp(e, relay)
		return 0
	}
	if blocked, ok := errors.AsType[*BlockedError](err); ok && blocked.Status == http.StatusRequestEntityTooLarge { // it will be as big next time
		o.giveUp(e, blocked.ofSize(len(e.frame)))
		return 0
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.waitLocked(err.Error())
	pause := backoffTime(o.fails)
	o.fails++
	if ok {
		pause = max(pause, relay.RetryAfter)
	}
	return pause
}

// waitLocked gives everything that waits its reason: what stops the oldest stops what is behind it.
func (o *outbox) waitLocked(reason string) {
	o.reason = reason
	for _, e := range o.entries {
		if e.seq == 0 {
			e.letter.waits(reason)
		}
	}
	for _, l := range o.letters {
		l.waits(reason)
	}
}

// backoffTime grows with each failure in a row, jittered so that a room does not come back all at once.
func backoffTime(fails int) time.Duration {
	d := min(maxPause, 500*time.Millisecond<<min(fails, 10))
	return d*3/4 + randv2.N(d/2)
}

// takeBack: it was sealed for an older list of members, and the relay has stored nothing of it. The letter is sealed again.
func (o *outbox) takeBack(e *entry) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.stale++
	o.dropLocked(func(other *entry) bool { return other == e })
	o.letters = append([]*Letter{e.letter}, o.letters...)
}

// giveUp drops a letter with all its frames that the relay does not have: a message without its keys could not be read, and was said to have failed.
func (o *outbox) giveUp(e *entry, err error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.dropLocked(func(other *entry) bool { return other.letter == e.letter && other.seq == 0 })
	o.fails, o.reason = 0, ""
	e.letter.finish(err)
}
