package e2e

import (
	"testing"

	"snug/hub"
)

// Another goes to the start by the list of rooms, and opens a new room. It returns the fragment of its link.
func (p *Page) another() (fragment string) {
	p.t.Helper()
	p.toStart()
	return p.NewRoom(false)
}

// toStart leaves the room in front where it is and goes to the start screen.
func (p *Page) toStart() {
	p.t.Helper()
	if read[bool](p, `!button('Another room')`) { // no list beside the room
		p.Click("Rooms")
	}
	p.Click("Another room")
	p.Await("the start screen", `!!button('Open a new room')`)
}

// Unread waits until the tab's title counts so many messages that nobody looked at.
func (p *Page) unread(title string) {
	p.t.Helper()
	p.Await("the title "+title, `document.title === `+quoted(title), "document.title")
}

// TestSeveralRooms: one page is in two rooms; what comes in the one behind is counted and there when its turn comes, and the way back leads there.
func TestSeveralRooms(t *testing.T) {
	w := New(t, hub.Limits{})
	ann := w.Person("Ann").Tab("/")
	first := ann.NewRoom(false)
	ben := w.Person("Ben").Tab("/" + first)
	ben.Enter(false)
	ann.Members(2)
	ann.Say("one")
	ben.Sees("one")

	second := ann.another()
	if first == second {
		t.Fatalf("Ann is in the same room again: %s", first)
	}
	cat := w.Person("Cat").Tab("/" + second)
	cat.Enter(false)
	ann.Members(2)
	ann.Sees()
	ben.Say("are you still there?")
	ben.Delivered() // the room behind acks what comes
	ann.unread("(1) Private room · snug")
	ann.Await("a count in the list", `name(button('Live. Private room')) !== '' && buttons().some((b) => name(b).includes('1 unread'))`)
	ann.Screenshot("rooms-desktop")

	ann.ClickOn(`buttons().find((b) => name(b).includes('1 unread'))`)
	ann.Sees("one", "are you still there?")
	ann.unread("Private room · snug")
	if at := read[string](ann, "location.hash"); at != first {
		t.Errorf("the address says %s, the room in front is %s", at, first)
	}
	ann.Say("I am")
	ben.Sees("one", "are you still there?", "I am")
	cat.Say("and here?")
	ann.unread("(1) Private room · snug")

	read[bool](ann, "history.back() === undefined")
	ann.Await("the second room's address", `location.hash === `+quoted(second))
	ann.Sees("and here?")
	ann.do("goes on by keyboard", altDown)
	ann.Await("the first room's address", `location.hash === `+quoted(first))
	ann.Sees("one", "are you still there?", "I am")

	ann.Phone()
	ann.Click("Close") // the panel that was beside the room
	ann.Dark(true)
	cat.Say("on the phone, too?")
	ann.Await("a count on the button", `!!button('Rooms: 2, 1 unread in others')`)
	ann.Click("Rooms")
	ann.Await("the drawer", `!!document.querySelector('.drawer:modal')`)
	ann.Screenshot("rooms-phone-dark")
	ann.ClickOn(`buttons().find((b) => name(b).includes('1 unread'))`)
	ann.Sees("and here?", "on the phone, too?")

	ann.Desktop()
	ann.Panel("Room")
	ann.Click("Leave")
	ann.Await("the question", `name(front()).includes('Leave this room?')`)
	ann.Click("Leave")
	ann.Sees("one", "are you still there?", "I am") // the other room is in front again
	cat.Members(1)
	ann.Leave()
	ben.Members(1)
}

// TestRoomBehindEnds: removed from a room that is not in front, one is told so when one comes back to it.
func TestRoomBehindEnds(t *testing.T) {
	w := New(t, hub.Limits{})
	ben := w.Person("Ben").Tab("/")
	first := ben.NewRoom(false)
	ann := w.Person("Ann").Tab("/" + first)
	ann.Enter(false)
	ben.Members(2)
	ann.Say("hello")
	ben.Sees("hello")
	second := ann.another()
	ben.Removes("Ann")
	ann.Await("a lamp that is out", `buttons().some((b) => name(b).startsWith('Closed. '))`)
	if at := read[string](ann, "location.hash"); at != second {
		t.Errorf("the address says %s, the room in front is %s", at, second)
	}
	ann.ClickOn(`buttons().find((b) => name(b).startsWith('Closed. '))`)
	ann.Reads("You were removed")
	ann.Click("To the start")
	ann.Await("the start screen", `!!button('Open a new room')`)
}
