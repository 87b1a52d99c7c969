package e2e

import (
	"testing"

	"snug/hub"
)

// TestKeptRoomByItsLink: whoever comes back to a kept room by its link comes back as the member that was kept, to what was missed.
func TestKeptRoomByItsLink(t *testing.T) {
	w := New(t, hub.Limits{})
	person := w.Person("Ann")
	tab := person.Tab("/")
	fragment := tab.NewRoom(true)
	ben := w.Person("Ben").Tab("/" + fragment)
	ben.Enter(false)
	tab.Members(2)
	tab.Kept(1)
	tab.Close()
	ben.Say("for when you are back")

	ann := person.Tab("/" + fragment)
	ann.Enter(false)
	ann.Sees("for when you are back")
	ben.Delivered()
	ben.Members(2)
	ann.Panel("Room")
	ann.Reads("This room is kept here.")
}

// TestNewNameStays: a name taken in a room, by the panel or by /nick, is the name after a reload, and is offered at the next door.
func TestNewNameStays(t *testing.T) {
	w := New(t, hub.Limits{})
	ann := w.Person("Ann").Tab("/")
	fragment := ann.NewRoom(false)
	ben := w.Person("Ben").Tab("/" + fragment)
	ben.Enter(false)
	ann.member("Ann")
	ann.Click("Change name")
	ann.Fill("Your name", "Anna")
	ann.Click("Change name")
	ben.Reads("Ann is now Anna")
	ann.Await("it for the next door", `localStorage.getItem('snug.alias') === 'Anna' && history.state.inside.alias === 'Anna'`, "history.state", "localStorage.getItem('snug.alias')")
	ann.Sends("/nick Annabel")
	ben.Reads("Anna is now Annabel")
	read[bool](ann, "location.reload() === undefined")
	ben.Reads("Annabel came in")
}
