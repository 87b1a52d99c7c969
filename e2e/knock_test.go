package e2e

import (
	"regexp"
	"testing"

	"snug/hub"
)

// twoAtHome are in a room that somebody may knock at.
func twoAtHome(t *testing.T) (w *World, fragment string, ann, ben *Page) {
	t.Helper()
	w = New(t, hub.Limits{})
	ann = w.Person("Ann").Tab("/")
	fragment = ann.NewRoom(false)
	ben = w.Person("Ben").Tab("/" + fragment)
	ben.Enter(false)
	ann.Members(2)
	return w, fragment, ann, ben
}

// TestKnock: a stranger who holds nothing but the knock link is let in after both have seen the same six digits.
func TestKnock(t *testing.T) {
	w, fragment, ann, ben := twoAtHome(t)
	door := ann.KnockLink()
	cat := w.Person("Cat").Tab(door)
	cat.Phone()
	cat.Knock()
	cat.Reads("Waiting for someone to hear you")
	ben.Reads("Someone is knocking")
	ann.Reads("Someone is knocking")
	ann.Click("Go to the door")
	code := cat.Digits()
	if got := ann.Digits(); got != code || !regexp.MustCompile(`^\d{6}$`).MatchString(code) {
		t.Fatalf("Ann sees %s, Cat sees %s", got, code)
	}
	ann.Screenshot("knock-inside")
	cat.Screenshot("knock-outside-phone")
	ben.Await("that somebody else went to the door", `!document.body.innerText.includes('Someone is knocking')`)

	ann.Click("Let in")
	cat.inside()
	cat.Members(3)
	if got := read[string](cat, "location.hash"); got != fragment {
		t.Errorf("Cat is in %s, not in the room it knocked at", got)
	}
	ann.Await("an end of the knock", `!document.querySelector('.knock')`)
	cat.Say("Thanks for letting me in.")
	ann.Sees("Thanks for letting me in.")
	ben.Sees("Thanks for letting me in.")
	w.Hub.Await(t, "every message is freed when everyone has it", nothingHeld)
}

// TestKnockAtLockedRoom: who answers a knock decides once. The stranger whose digits were compared does not wait as well, whoever has the link still does,
// and the one let in knows that the room is locked.
func TestKnockAtLockedRoom(t *testing.T) {
	w, fragment, ann, ben := twoAtHome(t)
	door := ann.KnockLink()
	ann.Panel("Room")
	ann.Click("Lock the room")
	ben.Reads("Ann locked the room.")

	cat := w.Person("Cat").Tab(door)
	cat.Knock()
	ann.Click("Go to the door")
	if inside, outside := ann.Digits(), cat.Digits(); inside != outside {
		t.Fatalf("Ann sees %s, Cat sees %s", inside, outside)
	}
	ann.Click("Let in")
	cat.inside()
	for _, p := range []*Page{ann, ben, cat} {
		p.Members(3)
	}
	cat.Say("It is me.")
	for _, p := range []*Page{ann, ben} {
		p.Sees("It is me.")
	}
	ann.Say("Welcome, says Ann")
	ben.Say("Welcome, says Ben")
	cat.Await("both welcomes", `messages().length === 3`)
	cat.Await("nothing about waiting", `!document.body.innerText.includes('This room is locked') && !document.querySelector('.line:is([data-event=waits], [data-event=failed])')`, "document.body.innerText")
	cat.Panel("Room")
	cat.Await("a locked room", `document.querySelector('[role=switch]').ariaChecked === 'true'`)
	dan := w.Person("Dan").Tab("/" + fragment)
	dan.Enter(false)
	dan.Reads("This room is locked")
	cat.Reads("Dan waits to be let in")
}

// TestKnockRefused: whoever is refused is told, before and after the digits, and may knock again.
func TestKnockRefused(t *testing.T) {
	w := New(t, hub.Limits{})
	ann := w.Person("Ann").Tab("/")
	ann.NewRoom(false)
	cat := w.Person("Cat").Tab(ann.KnockLink())

	cat.Knock()
	ann.Reads("Someone is knocking")
	ann.Click("Refuse")
	cat.Reads("Somebody inside refused.")

	cat.Knock()
	ann.Click("Go to the door")
	cat.Digits()
	ann.Digits()
	ann.Click("Refuse")
	cat.Reads("Somebody inside refused.")
	ann.Await("an end of the knock", `!document.querySelector('.knock')`)
	ann.Members(1)
}

// TestKnockNobodyThere: at the door of an empty room a stranger is told so.
func TestKnockNobodyThere(t *testing.T) {
	w := New(t, hub.Limits{})
	ann := w.Person("Ann").Tab("/")
	ann.NewRoom(false)
	door := ann.KnockLink()
	ann.Leave()
	w.Hub.Await(t, "the room is gone", func(s hub.Stats) bool { return s.Rooms == 0 })

	w.Expect("status of 404")
	cat := w.Person("Cat").Tab(door)
	cat.Knock()
	cat.Reads("Nobody is in this room right now.")
}
