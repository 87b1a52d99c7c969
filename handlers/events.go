package handlers

import (
	"strings"
	"time"

	"snug/hub"
	"snug/wire"
)

// preamble is a comment of 2 KiB.
var preamble = ":" + strings.Repeat(" ", 2<<10-2) + "\n"

// appendUpdate appends an update in the form of a stream.
func appendUpdate(b []byte, u hub.Update) []byte {
	if u.Gap != nil {
		b = wire.AppendID(wire.AppendEvent(b, wire.EventGap, wire.MustJSON(u.Gap)), u.GapAt)
	}
	for _, e := range u.Events {
		b = append(b, e...)
	}
	for _, k := range u.Knocks {
		b = append(b, wire.Event(wire.EventKnock, k)...)
	}
	if u.Acked != nil {
		b = append(b, wire.Event(wire.EventAcked, u.Acked)...)
	}
	return b
}

// polledEvents appends an update in the form of a poll's answer; what is acked and who is away have their own fields there.
func polledEvents(events []wire.PolledEvent, u hub.Update) []wire.PolledEvent {
	if u.Gap != nil {
		events = append(events, wire.PolledEvent{Event: wire.EventGap, ID: u.GapAt.String(), Data: wire.MustJSON(u.Gap)})
	}
	for _, e := range u.Events {
		events = append(events, wire.PolledEvent{Event: e.Name(), ID: e.ID(), Data: e.Data()})
	}
	for _, k := range u.Knocks {
		events = append(events, wire.PolledEvent{Event: wire.EventKnock, Data: wire.MustJSON(k)})
	}
	return events
}

// endsWait tells whether a batch or poll answers with this update. Knocks that were there when it began do not count:
// each subscription is told of them anew, so a stranger at the door would turn every long poll into a short one.
func endsWait(u hub.Update, first bool) bool {
	return u.Gap != nil || len(u.Events) > 0 || u.Acked != nil || (len(u.Knocks) > 0 && !first)
}

// wholeSeconds is d as clients are told, never below one.
func wholeSeconds(d time.Duration) int { return max(1, int(d/time.Second)) }

// readyNow is a channel that receives at once.
func readyNow() <-chan struct{} {
	c := make(chan struct{})
	close(c)
	return c
}
