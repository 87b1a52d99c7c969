package e2e

import (
	"strings"
	"testing"

	"snug/hub"
)

// TestLeaderWithoutAWord: the tab that has the room ends before it has answered the tab that wants to join in, as when one goes back to the
// start and in again at once. The new tab leads, and is in.
func TestLeaderWithoutAWord(t *testing.T) {
	w := New(t, hub.Limits{})
	ann := w.Person("Ann")
	first := ann.Tab("/")
	first.NewRoom(true)
	room := strings.TrimPrefix(first.KnockLink(), "/#k=")
	first.Close()

	// A page that holds the room's lock and says nothing.
	mute := ann.Tab("/")
	read[bool](mute, `!!navigator.locks.request('snug `+room+`', () => new Promise((done) => globalThis.end = done))`)
	mute.Await("the lock", `(await navigator.locks.query()).held.length === 1`)
	second := ann.Tab("/")
	second.Click("Private room")
	mute.Await("somebody in line for the lock", `(await navigator.locks.query()).pending.length === 1`)
	read[bool](mute, `end() === undefined`)
	second.inside()
	second.Say("in")
	second.Members(1)
}
