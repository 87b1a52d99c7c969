// Package acks decides when a client tells the relay what it has handled: soon after a lone message, whose sender looks at
// the ticks, and the later the more there are, so that a flow of any pace costs about an ack in five seconds and no pace
// costs many more. testdata/acks.json has the cases, which the page's Acks passes too; the load program acks by it.
package acks

import (
	"slices"
	"time"
)

const (
	lone  = 300 * time.Millisecond // one more message of the same thought still fits in, and the sender sees that it arrived
	more  = 500 * time.Millisecond // later for each other message of the last span: a POST costs the relay about as much as two deliveries
	span  = 5 * time.Second
	most  = 10               // messages of span that count, so an ack is never later than 4.8 s
	idle  = 20 * time.Second // two may be lost before the relay counts a member as away, after 45 s
	retry = 3 * time.Second  // after an ack that did not arrive
)

// Pace is pure: it is told what happened and when, and asked when the next ack is due. The zero value owes nothing; begin it
// with Sent. It belongs to one goroutine at a time.
type Pace struct {
	recent []time.Time // of the messages within span, the newest most
	owed   bool
	at     time.Time // when the owed one is due
	last   time.Time // when one was sent
}

// Handled: a message was handled. urgent: the room is near its budget.
func (p *Pace) Handled(now time.Time, urgent bool) {
	p.recent = slices.DeleteFunc(p.recent, func(t time.Time) bool { return now.Sub(t) >= span })
	if len(p.recent) == most {
		p.recent = append(p.recent[:0], p.recent[1:]...)
	}
	p.recent = append(p.recent, now)
	due := now
	if !urgent {
		due = now.Add(lone + time.Duration(len(p.recent)-1)*more)
	}
	if !p.owed || due.Before(p.at) {
		p.at = due
	}
	p.owed = true
}

// Sent: an ack was sent, or a poll or join that acks as well.
func (p *Pace) Sent(now time.Time) { p.owed, p.last = false, now }

// Failed: the last one did not arrive.
func (p *Pace) Failed(now time.Time) { p.owed, p.at = true, now.Add(retry) }

// Due is when the next ack is due. There is always one, since an idle member acks to show that it is here.
func (p *Pace) Due() time.Time {
	presence := p.last.Add(idle)
	if p.owed && p.at.Before(presence) {
		return p.at
	}
	return presence
}
