package e2e

import (
	"crypto/rand"
	"testing"

	"snug/client/e2ee"
	"snug/hub"
)

// TestChangedIdentity: somebody comes back under a known member id with another key, as whoever stole the id from the relay would. The
// page warns, seals nothing for it and shows nothing of it until a person accepts the new key.
func TestChangedIdentity(t *testing.T) {
	w := New(t, hub.Limits{})
	ann := w.Person("Ann").Tab("/")
	fragment := ann.NewRoom(false)
	first := w.Insider(fragment, "Ben", nil)
	ann.Members(2)
	first.Say("it is me")
	ann.Sees("it is me")

	other, err := e2ee.NewIdentity(nil)
	if err != nil {
		t.Fatal(err)
	}
	other.Secret = first.group.Identity().Secret
	second := w.Insider(fragment, "Ben", &other)
	ann.Reads("Ben has a different key than before. Compare before you trust it.")
	ann.Panel("People")
	ann.Reads("A different key")
	ann.Reads(e2ee.Fingerprint(other.Public()))
	ann.Screenshot("changed")
	second.Say("really me")
	ann.Reads("It is signed with a new identity that nobody has accepted yet.")
	ann.Say("who are you?")
	if got := second.Opens(w.Hub.Carried()); len(got) > 0 {
		t.Errorf("the new key opens %q before anybody accepted it", got)
	}

	ann.Click("It is them, accept")
	ann.Await("no warning", `!document.querySelector('.warning')`)
	ann.Say("welcome back")
	ann.Await("that it is sent", `states().at(-1) === 'sent'`)
	if got := second.Opens(w.Hub.Carried()); len(got) != 1 || got[0] != "welcome back" {
		t.Errorf("the accepted key opens %q", got)
	}
	second.Say("thank you")
	ann.Sees("it is me", "who are you?", "welcome back", "thank you")
}

// TestDamaged: what cannot be opened is shown with the reason, and what follows is read.
func TestDamaged(t *testing.T) {
	w := New(t, hub.Limits{})
	ann := w.Person("Ann").Tab("/")
	ben := w.Insider(ann.NewRoom(false), "Ben", nil)
	ann.Members(2)
	frame := make([]byte, 400)
	rand.Read(frame) // never fails
	frame[0], frame[1] = 1, 3
	ben.Post(frame)
	ann.Reads("Ben: Could not be opened. It was damaged or cut short.")
	ben.Say("and now?")
	ann.Sees("and now?")
}

// TestLeaveAndWipe: a kept room is offered on the start screen until it is wiped; then nothing of it is left on the device.
func TestLeaveAndWipe(t *testing.T) {
	w := New(t, hub.Limits{})
	ann := w.Person("Ann")
	tab := ann.Tab("/")
	tab.NewRoom(true)
	tab.Say("a note to myself")
	tab.Kept(1)
	tab.Panel("Room")
	tab.Reads("This room is kept here.")
	tab.Close()

	tab = ann.Tab("/")
	tab.Reads("Your rooms on this device")
	tab.ComeBack("Private room")
	tab.Panel("Room")
	tab.Click("Leave and wipe")
	tab.Await("the question", `name(front()).includes('Leave and forget everything?')`)
	tab.Click("Leave and wipe")
	tab.Await("the start screen", `!!button('Open a new room')`)
	tab.Kept(0)
	tab.Await("no rooms on offer", `!document.body.innerText.includes('Your rooms on this device')`)
	w.Hub.Await(t, "the room is gone from the relay, too", func(s hub.Stats) bool { return s.Rooms == 0 && s.Bytes == 0 })
}

// TestSafetyCode: all who see the same members see the same code, the page's and the Go client's.
func TestSafetyCode(t *testing.T) {
	w := New(t, hub.Limits{})
	ann := w.Person("Ann").Tab("/")
	fragment := ann.NewRoom(false)
	ben := w.Person("Ben").Tab("/" + fragment)
	ben.Enter(false)
	cat := w.Insider(fragment, "Cat", nil)
	want := cat.group.SafetyCode()
	for _, p := range []*Page{ann, ben} {
		p.Members(3)
		p.Panel("People")
		p.Await("the code "+want, `name(document.querySelector('.safety')).replace(/\D/g, '') === `+quoted(want)+`.replace(/\D/g, '')`, `name(document.querySelector('.safety'))`)
	}
}
