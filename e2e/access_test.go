package e2e

import (
	"strings"
	"testing"

	"snug/hub"
)

// TestScreens: every screen outside a room, as everybody can use it.
func TestScreens(t *testing.T) {
	w := New(t, hub.Limits{})
	ann := w.Person("Ann").Tab("/")
	ann.Await("the start screen", `!!button('Open a new room')`)
	ann.Look("start")
	ann.Keyboard("start")
	ann.Click("Enter with a passphrase")
	ann.Await("the passphrase screen", `!!field('Room name')`)
	ann.Look("passphrase")
	ann.Keyboard("passphrase")
	ann.Click("Back")
	ann.Click("Enter with a link")
	ann.Await("the field for a link", `!!field('Link')`)
	ann.Fill("Link", "nothing of the kind")
	ann.Click("Enter")
	ann.Reads("There is no room in this text.")
	ann.Look("link")
	invited := w.Person("Ben").Tab("/#" + strings.Repeat("A", 43))
	invited.Reads("You are invited")
	invited.Look("invited")
	invited.Keyboard("invited")
	door := w.Person("Cat").Tab("/#k=" + strings.Repeat("A", 27))
	door.Await("the door", `!!button('Knock')`)
	door.Look("door")
	broken := w.Person("Dan").Tab("/#nothing")
	broken.Reads("This link is damaged.")
	broken.Look("broken")
}

// TestRoomStates: every state of a room, as everybody can use it.
func TestRoomStates(t *testing.T) {
	w := New(t, hub.Limits{})
	ann := w.Person("Ann").Tab("/")
	fragment := ann.NewRoom(true)
	ann.Reads("Just you, so far")
	ann.Await("the panel, which a wide screen shows by itself", `!!document.querySelector('dialog.panel[open]')`)
	ann.Alone()
	ann.Look("empty")
	ann.Keyboard("empty")
	ben := w.Person("Ben").Tab("/" + fragment)
	ben.Enter(false)
	ann.Members(2)
	ben.Say("Good evening!")
	ann.Sees("Good evening!")
	ann.Say("Come in, the kettle is on. I kept the corner table for us, the one by the window.")
	ben.Sees("Good evening!", "Come in, the kettle is on. I kept the corner table for us, the one by the window.")
	ben.Say("Two minutes.")
	ann.Await("three messages", `messages().length === 3`)
	ann.Delivered()
	ann.Look("conversation")
	for _, tab := range []string{"People", "Invite", "Terminal", "Room"} {
		ann.Panel(tab)
		if tab == "Terminal" {
			ann.Recipe()
		}
		if tab == "People" {
			ann.member("Ben")
			ann.Await("the fingerprint", `/\d{5}/.test(document.querySelector('.members details[open] .print')?.textContent)`)
		}
		ann.Look("panel-" + strings.ToLower(tab))
		ann.Keyboard("panel-" + tab)
	}
	ann.Click("Leave")
	ann.Await("the question", `name(front()).includes('Leave this room?')`)
	ann.Look("question")
	ann.Keyboard("question")
	ann.Click("Cancel")
	ann.Await("no question", `!document.querySelector('dialog.confirm')`)
	ann.Click("Lock the room")
	ben.Reads("Ann locked the room.")
	cat := w.Person("Cat").Tab("/" + fragment)
	cat.Enter(false)
	cat.Reads("This room is locked")
	cat.Say("It is me, Cat.")
	ben.Reads("Cat is not let in yet.")
	ann.Panel("People")
	ann.Look("panel-people-waiting")
	ann.Alone()
	ann.Look("waiting-inside")
	ann.Keyboard("waiting-inside")
	cat.Alone()
	cat.Look("waiting-outside")
	ann.Click("Let in Cat")
	cat.Reads("Ann let you in")

	stranger := w.Person("Dan").Tab(ben.KnockLink())
	stranger.Knock()
	ben.Reads("Someone is knocking")
	ben.Alone()
	ben.Look("knock")
	ben.Click("Go to the door")
	stranger.Digits()
	ben.Digits()
	stranger.Look("knock-digits-outside")
	ben.Look("knock-digits")
	ben.Click("Refuse")
	stranger.Reads("Somebody inside refused.")

	ann.Removes("Ben")
	ben.Reads("You were removed")
	ben.Look("removed")
	w.Expect("ERR_", "status of 4")
	w.Crash()
	ann.Say("Are you still there?")
	ann.Reads("The relay cannot be reached.")
	ann.Alone()
	ann.Look("offline")
	ann.Keyboard("offline")
	w.Restart()
}

// TestPanelOnAPhone: the panel is a sheet in front of the room, which keeps the focus in it and gives it back.
func TestPanelOnAPhone(t *testing.T) {
	w := New(t, hub.Limits{})
	ann := w.Person("Ann").Tab("/")
	ann.Phone() // before the room, which opens the panel by itself where it is wide
	ann.NewRoom(false)
	ann.Click("Invite")
	ann.Await("the sheet", `!!document.querySelector('dialog.panel:modal')`)
	for range 25 {
		ann.press("Tab", "Tab", 9)
		if !read[bool](ann, `document.activeElement === document.body || !!document.activeElement.closest('dialog.panel')`) {
			t.Fatalf("the focus left the sheet for %s", read[string](ann, "document.activeElement.outerHTML.slice(0, 100)"))
		}
	}
	ann.press("Escape", "Escape", 27)
	ann.Await("no sheet", `!document.querySelector('dialog[open]')`)
	ann.Await("the focus where it was", `document.activeElement === button('Invite')`, "document.activeElement.outerHTML.slice(0, 150)")
	ann.Await("a timeline that is read out", `!!document.querySelector('[role=log][aria-label] ~ [aria-live=polite]') && !!document.querySelector('.notice[role=status]')`)
}
