package e2e

import (
	"slices"
	"testing"

	"snug/hub"
)

// TestLock: whoever comes into a locked room waits and is told so, reads nothing, and is read once let in; somebody in league with the relay,
// who has the link and every frame, opens nothing either.
func TestLock(t *testing.T) {
	w := New(t, hub.Limits{})
	ann := w.Person("Ann").Tab("/")
	fragment := ann.NewRoom(false)
	ben := w.Person("Ben").Tab("/" + fragment)
	ben.Enter(false)
	ann.Members(2)

	ann.Panel("Room")
	ann.Click("Lock the room")
	ann.Await("a locked room", `document.querySelector('[role=switch]').ariaChecked === 'true'`)
	ben.Reads("Ann locked the room. Whoever comes now waits to be let in.")
	ann.Screenshot("lock-switch")

	cat := w.Person("Cat").Tab("/" + fragment)
	cat.Enter(false)
	eve := w.Insider(fragment, "Eve", nil)
	cat.Reads("This room is locked")
	ann.Reads("Eve waits to be let in")
	ben.Reads("Cat waits to be let in")
	cat.Say("It is me, Cat.")
	ben.Reads("Cat is not let in yet. 1 message of theirs waits.")
	ben.Say("between us")
	ann.Sees("between us")
	cat.Reads("1 message inside, not for you before you are let in")
	cat.Sees("It is me, Cat.")
	ann.Members(2)
	cat.Screenshot("lock-waiting-outside")
	ben.Screenshot("lock-waiting-inside")

	ben.Click("Let in Cat")
	cat.Reads("Ben let you in")
	ann.Reads("Ben let Cat in")
	ann.Sees("between us", "It is me, Cat.")
	ann.Members(3)
	ann.Say("Welcome, Cat.")
	cat.Sees("It is me, Cat.", "Welcome, Cat.")
	cat.Reads("Eve waits to be let in")
	cat.Say("Thank you!")
	ann.Await("the thanks", `messages().at(-1) === 'Thank you!'`)
	ben.Await("the thanks", `messages().at(-1) === 'Thank you!'`)
	if got := eve.Opens(w.Hub.Carried()); !slices.Equal(got, []string{"It is me, Cat."}) { // what Cat said while she took everybody for members
		t.Errorf("Eve opens %q", got)
	}

	// Opened again, whoever waits is in.
	ben.Panel("Room")
	ben.Click("Lock the room")
	ann.Reads("Ben opened the room again")
	ann.Members(4)
}

// TestLockIsKept: a kept room is locked when its member comes back, who is no stranger in it, and neither is one whose relay was restarted.
func TestLockIsKept(t *testing.T) {
	w := New(t, hub.Limits{})
	ann := w.Person("Ann").Tab("/")
	fragment := ann.NewRoom(false)
	ben := w.Person("Ben")
	tab := ben.Tab("/" + fragment)
	tab.Enter(true)
	ann.Members(2)
	tab.Panel("Room")
	tab.Click("Lock the room")
	ann.Reads("Ben locked the room.")
	tab.member("Ann")
	tab.Click("Mark as verified")
	tab.Await("the mark", `!!document.querySelector('.members .tile[data-verified]')`)
	tab.Close()

	tab = ben.Tab("/")
	tab.ComeBack("Private room")
	ann.Members(2)
	tab.Members(2)
	tab.Panel("Room")
	tab.Await("a locked room", `document.querySelector('[role=switch]').ariaChecked === 'true'`)
	tab.Panel("People")
	tab.Await("the mark", `!!document.querySelector('.members .tile[data-verified]')`)
	tab.Screenshot("verified")
	cat := w.Person("Cat").Tab("/" + fragment)
	cat.Enter(false)
	tab.Reads("Cat waits to be let in")
	cat.Reads("This room is locked")
	w.Expect("ERR_", "status of 401")
	w.Crash()
	w.Restart()
	ann.Say("still here")
	tab.Await("the message", `messages().at(-1) === 'still here'`)
	tab.Panel("People")
	tab.Click("Let in Cat")
	cat.Reads("let you in")
	ann.Reads("Ben let Cat in")
	ann.Say("welcome")
	cat.Sees("welcome")
}
