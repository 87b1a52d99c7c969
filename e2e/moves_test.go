package e2e

import (
	"net/http"
	"slices"
	"testing"

	"snug/client/e2ee"
	"snug/hub"
	"snug/wire"
)

// TestRemove: a passphrase room goes on as a link room without the one who was removed, who is told by whom.
func TestRemove(t *testing.T) {
	const words = "seven words that nobody would ever guess"
	w := New(t, hub.Limits{})
	ann, ben, cat := w.Person("Ann").Tab("/"), w.Person("Ben").Tab("/"), w.Person("Cat").Tab("/")
	for i, p := range []*Page{ann, ben, cat} {
		p.Passphrase("Stammtisch", words)
		p.Members(i + 1)
	}
	ann.Members(3)
	ben.Members(3)
	ann.Say("for three")
	cat.Sees("for three")
	ben.Sees("for three")

	ann.member("Cat")
	ann.Click("Remove from the room")
	ann.Reads("The passphrase no longer opens it: the room becomes a link room.")
	ann.Screenshot("remove")
	ann.Click("Remove")
	fragment := ann.Moved("")
	if got := ben.Moved(""); got != fragment {
		t.Fatalf("Ann is in %s and Ben in %s", fragment, got)
	}
	ann.Reads("You removed Cat. The room has a new link.")
	ben.Reads("Ann removed Cat. The room has a new link.")
	for _, p := range []*Page{ann, ben} {
		p.Members(2)
	}
	cat.Reads("You were removed")
	cat.Reads("Ann has moved the room on without you.")
	cat.Screenshot("removed")

	ann.Say("for two")
	ben.Sees("for three", "for two")
	ben.Say("yes")
	ann.Sees("for three", "for two", "yes")
	w.Hub.Await(t, "every message is freed when everyone has it", nothingHeld)

	// Whoever types the passphrase now meets nobody.
	cat.Click("To the start")
	cat.Passphrase("Stammtisch", words)
	cat.Members(1)
	ann.Say("still two")
	ben.Sees("for three", "for two", "yes", "still two")
	cat.Sees()
	ann.Members(2)
}

// TestAwayMemberFollows: a member whose tab is closed during a removal finds the way to the new room on its return.
func TestAwayMemberFollows(t *testing.T) {
	w := New(t, hub.Limits{})
	ann := w.Person("Ann").Tab("/")
	fragment := ann.NewRoom(false)
	ben, cat := w.Person("Ben"), w.Person("Cat").Tab("/"+fragment)
	tab := ben.Tab("/" + fragment)
	tab.Enter(true)
	cat.Enter(false)
	ann.Members(3)
	ann.Say("before")
	tab.Sees("before")
	w.Hub.Await(t, "the first message is freed", nothingHeld)
	tab.Close()

	moved := ann.Removes("Cat")
	cat.Reads("You were removed")
	ann.Say("while Ben was away")

	tab = ben.Tab("/")
	tab.ComeBack("Private room")
	if got := tab.Moved(fragment); got != moved {
		t.Fatalf("Ann is in %s and Ben in %s", moved, got)
	}
	ann.Members(2)
	tab.Members(2)
	ann.Say("now")
	tab.Await("the next message", `messages().includes('now')`)
	tab.Say("here I am")
	ann.Await("the answer", `messages().at(-1) === 'here I am'`)
	tab.Kept(1)
	tab.Close()

	tab = ben.Tab("/")
	tab.ComeBack("Private room")
	if got := read[string](tab, "location.hash"); got != moved {
		t.Errorf("the room that is kept is %s, want the new one, %s", got, moved)
	}
	ann.Members(2)
}

// TestRemovedReadsNothing: a removed member that keeps all its keys, stays in the old room and listens at the relay opens nothing more.
// The same goes for one that left.
func TestRemovedReadsNothing(t *testing.T) {
	w := New(t, hub.Limits{})
	ann := w.Person("Ann").Tab("/")
	fragment := ann.NewRoom(false)
	ben := w.Person("Ben").Tab("/" + fragment)
	ben.Enter(false)
	eve, mal := w.Insider(fragment, "Eve", nil), w.Insider(fragment, "Mal", nil)
	ann.Members(4)
	ben.Members(4)
	ann.Say("for all")
	ben.Sees("for all")
	for name, i := range map[string]*Insider{"Eve": eve, "Mal": mal} {
		if got := i.Opens(w.Hub.Carried()); !slices.Equal(got, []string{"for all"}) {
			t.Fatalf("before, %s opens %q", name, got)
		}
	}

	eve.Leave()
	ann.Members(3)
	ben.Members(3)
	ann.Say("not for Eve")
	ben.Sees("for all", "not for Eve")
	if got := mal.Opens(w.Hub.Carried()); !slices.Equal(got, []string{"not for Eve"}) {
		t.Errorf("Mal opens %q", got)
	}

	if got, want := ann.Removes("Mal"), ben.Moved(fragment); got != want {
		t.Fatalf("Ann is in %s and Ben in %s", got, want)
	}
	ann.Members(2)
	ben.Members(2)
	ben.Say("not for Mal")
	ann.Sees("for all", "not for Eve", "not for Mal")
	for name, i := range map[string]*Insider{"Eve": eve, "Mal": mal} {
		if got := i.Opens(w.Hub.Carried()); len(got) > 0 {
			t.Errorf("afterwards, %s opens %q", name, got)
		}
	}

	// Nor does knowing the new room's id and the old room's secret open the door.
	_, root, err := e2ee.ParseLink(w.URL + "/" + read[string](ann, "location.hash"))
	if err != nil {
		t.Fatal(err)
	}
	mal.url = w.URL + "/r/" + root.Keys().Room.String()
	card, err := mal.group.Card()
	if err != nil {
		t.Fatal(err)
	}
	join := wire.JoinRequest{Access: mal.group.Keys().Access, Secret: mal.group.Identity().Secret, Card: card}
	if status := mal.post("/join", "application/json", wire.MustJSON(join), nil); status != http.StatusForbidden {
		t.Errorf("joining the new room with the old secret was answered with %d, want 403", status)
	}
}
