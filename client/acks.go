package client

import (
	"slices"
	"time"
)

const (
	loneAck  = 300 * time.Millisecond // one more message of the same thought still fits in, and the sender sees that it arrived
	bulkAck  = 5 * time.Second        // between two acks under a steady flow: a POST costs the relay about six deliveries
	flowAck  = 10                     // messages within bulkAck that make a flow
	idleAck  = 20 * time.Second       // two may be lost before the relay counts a member as away, after 45 s
	ackRetry = 3 * time.Second        // after an ack that did not arrive
)

// acks decides when to tell the relay what was handled. It is pure: it is told what happened and when, and asked when the
// next ack is due. The zero value owes nothing; begin it with sent.
type acks struct {
	recent []time.Time // of the messages within bulkAck, flowAck at most
	owed   bool
	at     time.Time // when the owed one is due
	last   time.Time // when one was sent
}

// handled: a message was handled. urgent: the room is near its budget.
func (a *acks) handled(now time.Time, urgent bool) {
	a.recent = slices.DeleteFunc(a.recent, func(t time.Time) bool { return now.Sub(t) >= bulkAck })
	if len(a.recent) < flowAck {
		a.recent = append(a.recent, now)
	}
	due := now
	switch {
	case urgent:
	case len(a.recent) < flowAck:
		due = now.Add(loneAck)
	default:
		due = later(now, a.last.Add(bulkAck))
	}
	if !a.owed || due.Before(a.at) {
		a.at = due
	}
	a.owed = true
}

// sent: an ack was sent, or a poll or join that acks as well.
func (a *acks) sent(now time.Time) { a.owed, a.last = false, now }

// failed: the last one did not arrive.
func (a *acks) failed(now time.Time) { a.owed, a.at = true, now.Add(ackRetry) }

// due is when the next ack is due. There is always one, since an idle member acks to show that it is here.
func (a *acks) due() time.Time {
	idle := a.last.Add(idleAck)
	if a.owed && a.at.Before(idle) {
		return a.at
	}
	return idle
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
