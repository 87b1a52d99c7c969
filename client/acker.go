package client

import (
	"context"
	"errors"
	"time"

	"snug/wire"
)

// handledLocked is the place up to which the caller has handled everything.
func (st *stay) handledLocked() wire.Cursor {
	if before, ok := st.s.queue.oldest(st, st.read.Epoch); ok {
		return before
	}
	return st.read
}

// handled: the caller has handled one more event.
func (st *stay) handled() {
	st.mu.Lock()
	defer st.mu.Unlock()
	st.handledOneLocked()
}

func (st *stay) handledOneLocked() {
	st.acks.Handled(time.Now(), st.near)
	poke(st.stir)
}

// acked: a poll has acked up to a place.
func (st *stay) acked(through wire.Cursor) {
	st.mu.Lock()
	defer st.mu.Unlock()
	if st.handledLocked() == through {
		st.acks.Sent(time.Now())
	}
}

// ack tells the relay what was handled, whenever that is due.
func (st *stay) ack(ctx context.Context) {
	for ctx.Err() == nil {
		st.mu.Lock()
		wait := time.Until(st.acks.Due())
		through, session := st.handledLocked(), st.session
		if wait <= 0 {
			st.acks.Sent(time.Now())
		}
		st.mu.Unlock()
		if wait <= 0 {
			st.sendAck(ctx, session, through)
			continue
		}
		timer := time.NewTimer(wait)
		select {
		case <-timer.C:
		case <-st.stir:
		case <-ctx.Done():
		}
		timer.Stop()
	}
}

func (st *stay) sendAck(ctx context.Context, s wire.SessionID, through wire.Cursor) {
	err := st.api.ack(ctx, s, through)
	if err == nil || ctx.Err() != nil {
		return
	}
	if relay, ok := errors.AsType[*RelayError](err); ok && relay.rejoin {
		st.rejoin(ctx, s) // fails only with ctx, and then the loop ends as well
		return
	}
	st.mu.Lock()
	defer st.mu.Unlock()
	st.acks.Failed(time.Now()) // the ladder notices what it means
}
