//go:build linux

package main

import (
	"slices"
	"time"
)

// acks is the policy of client/acks.go: after 300 ms, under a flow at most one in 5 s, when idle every 20 s.
type acks struct {
	recent []time.Time
	owed   bool
	at     time.Time
	last   time.Time
}

const (
	loneAck = 300 * time.Millisecond
	bulkAck = 5 * time.Second
	flowAck = 10
	idleAck = 20 * time.Second
)

func (a *acks) handled(now time.Time) {
	a.recent = slices.DeleteFunc(a.recent, func(t time.Time) bool { return now.Sub(t) >= bulkAck })
	if len(a.recent) < flowAck {
		a.recent = append(a.recent, now)
	}
	due := now.Add(loneAck)
	if len(a.recent) >= flowAck {
		due = a.last.Add(bulkAck)
	}
	if !a.owed || due.Before(a.at) {
		a.at = due
	}
	a.owed = true
}

func (a *acks) sent(now time.Time) { a.owed, a.last = false, now }

func (a *acks) due() time.Time {
	if idle := a.last.Add(idleAck); !a.owed || idle.Before(a.at) {
		return idle
	}
	return a.at
}
