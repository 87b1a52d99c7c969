package e2e

import (
	"strings"
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
	ann.focused("the name", `e === field('Your name')`)
	ann.Fill("Your name", "Anna")
	ann.Click("Save")
	ann.focused("what led there", `name(e) === 'Change name'`)
	ben.Reads("Ann is now Anna")
	ann.Await("it for the next door", `localStorage.getItem('snug.alias') === 'Anna' && history.state.inside.alias === 'Anna'`, "history.state", "localStorage.getItem('snug.alias')")
	ann.Sends("/nick Annabel")
	ben.Reads("Anna is now Annabel")
	read[bool](ann, "location.reload() === undefined")
	ben.Reads("Annabel came in")
}

// TestLinkInAMessage: a link is found in the message that it was sent in, with what stands around it.
func TestLinkInAMessage(t *testing.T) {
	w := New(t, hub.Limits{})
	fragment := w.Person("Ann").Tab("/").NewRoom(false)
	ben := w.Person("Ben").Tab("/")
	ben.Click("Enter with a link")
	for _, none := range []string{"somewhere.example/" + fragment, fragment + "x", "https://other.example/"} {
		ben.Fill("Link", none)
		ben.Click("Enter")
		ben.Reads("There is no room in this text.")
	}
	ben.Fill("Link", "Ann wrote: come to "+w.URL+"/"+fragment+". See you!")
	ben.Click("Enter")
	ben.Enter(false)
	ben.Members(2)
}

// TestComplaintGoes: what was complained of twice is said no more once it is mended, and what the field says by itself stays.
func TestComplaintGoes(t *testing.T) {
	w := New(t, hub.Limits{})
	ann := w.Person("Ann").Tab("/")
	hint := `document.getElementById(field('Your name').getAttribute('aria-describedby')).textContent`
	for range 3 {
		ann.Click("Open a new room")
		ann.Await("the complaint", hint+` === 'Choose a name first; any will do.'`)
	}
	ann.Fill("Your name", "A")
	ann.Await("the hint", hint+` === 'What the others see'`, hint)
	ann.Click("Enter with a passphrase")
	ann.Fill("Room name", "lunch")
	ann.Click("Enter")
	ann.Reads("Type the passphrase, or take the words offered.")
	ann.Click("Take these")
	ann.Reads("Strong enough. Write them down")
}

// TestNobodyHere: whoever mistypes a passphrase is alone in another room, and is told that it may be so; whoever does not is told what the others need.
func TestNobodyHere(t *testing.T) {
	w := New(t, hub.Limits{})
	ann := w.Person("Ann").Tab("/")
	ann.Passphrase("lunch", "seven words or so, but not these")
	ann.Reads("One other letter in the name or the passphrase leads to another room.")
	ann.Panel("Invite")
	ann.Await("the address of the page", `field('The address of this page')?.value === location.origin + '/'`)
}

// TestDoorIsHeard: who knocks, or waits behind the lock, is counted for whoever looks elsewhere, as long as it is so.
func TestDoorIsHeard(t *testing.T) {
	w, fragment, ann, ben := twoAtHome(t)
	cat := w.Person("Cat").Tab(ann.KnockLink())
	ann.Hidden(true)
	cat.Knock()
	ann.unread("(1) Private room · snug")
	ben.Click("Refuse")
	cat.Reads("Somebody inside refused.")
	ben.Panel("Room")
	ben.Click("Lock the room")
	dan := w.Person("Dan").Tab("/" + fragment)
	dan.Enter(false)
	ann.Reads("Dan waits to be let in")
	ann.unread("(2) Private room · snug")
	ben.Click("Let in Dan")
	ann.unread("(1) Private room · snug")
	ann.Hidden(false)
	ann.unread("Private room · snug")
}

// focused waits until the focus is on what fits an expression in which e is its element.
func (p *Page) focused(what, expression string) {
	p.t.Helper()
	p.Await("the focus on "+what, `((e) => `+expression+`)(document.activeElement)`, "document.activeElement.outerHTML.slice(0, 200)")
}

// byKey presses a button with the keyboard.
func (p *Page) byKey(button string) {
	p.t.Helper()
	p.Await(button, `!!button(`+quoted(button)+`)`)
	read[bool](p, `button(`+quoted(button)+`).focus() === undefined`)
	p.do("presses Enter", enter)
}

// TestFocusStays: whoever goes by keyboard is never sent back to the beginning of the page by what became of the last key.
func TestFocusStays(t *testing.T) {
	w, fragment, ann, ben := twoAtHome(t)
	w.Expect("status of 404") // a poll at the door, after Cat went away
	cat := w.Person("Cat").Tab(ann.KnockLink())
	cat.Knock()
	cat.focused("what is waited for", `name(e).startsWith('Waiting for someone')`)
	cat.byKey("Cancel")
	cat.focused("the way to knock again", `name(e) === 'Knock'`)
	cat.do("knocks", enter)
	ann.byKey("Go to the door")
	cat.Digits()
	ann.focused("the digits", `e.matches('.knock') && name(e).startsWith('Their screen should show')`)
	ann.byKey("Refuse")
	ann.focused("the field", `e === field('Message')`)
	cat.focused("the way to knock again", `name(e) === 'Knock'`)

	ann.Panel("Room")
	ann.Click("Lock the room")
	for range 2 {
		w.Person("Dan").Tab("/" + fragment).Enter(false)
	}
	ann.Await("two who wait", `buttons().filter((b) => name(b) === 'Let in Dan').length === 2`)
	ann.byKey("Let in Dan")
	ann.Members(3)
	ann.byKey("Let in Dan")
	ann.focused("the field", `e === field('Message')`)

	ann.member("Ben")
	ann.byKey("Remove from the room")
	ann.Await("the question", `name(front()).includes('Remove Ben?')`)
	ann.byKey("Remove")
	ben.Reads("You were removed")
	ann.Await("the list without Ben", `![...document.querySelectorAll('.members .name')].some((e) => name(e) === 'Ben')`)
	ann.focused("the list's tab", `name(e) === 'People'`)
	ann.Reads("You removed Ben. The room has a new link.")
	ann.Members(3)
	if left := read[[]string](ann, `[...document.querySelectorAll('.line[data-event=left]')].map((e) => name(e))`); len(left) > 0 {
		t.Errorf("of those who moved along or were removed it says %q", left)
	}
}

// TestForget: a room is forgotten after a question that a screen reader hears too, and the focus is on what is left.
func TestForget(t *testing.T) {
	w := New(t, hub.Limits{})
	ann := w.Person("Ann").Tab("/")
	ann.NewRoom(true)
	ann.Panel("Room")
	ann.Reads("The room stays among your rooms on the start screen of this device.")
	ann.Leave()
	ann.byKey("Forget Private room on this device")
	ann.focused("the question", `name(e) === 'Really forget?'`)
	ann.Press("Tab", 9) // it is asked no more
	ann.Await("the word in one line", `((words) => (words.selectNodeContents(button('Forget')), words.getClientRects().length === 1))(document.createRange())`)
	ann.byKey("Forget Private room on this device")
	ann.Look("start-forget")
	ann.Press("Tab", 9)
	read[bool](ann, `((e) => (e.focus(), [1, 2].every((detail) => e.dispatchEvent(new MouseEvent('click', { detail, bubbles: true })))))(button('Forget'))`)
	ann.focused("the question", `name(e) === 'Really forget?'`)
	ann.Kept(1)
	ann.do("forgets", enter)
	ann.Kept(0)
	ann.focused("the heading", `e.localName === 'h1'`)
}

// TestStrangerGoes: whoever knocks and goes away, by the button or with the tab, is at the door no more.
func TestStrangerGoes(t *testing.T) {
	w, _, ann, ben := twoAtHome(t)
	person := w.Person("Cat")
	cat := person.Tab(ann.KnockLink())
	none := `!document.querySelector('.knock')`
	cat.Knock()
	ann.Click("Go to the door")
	cat.Digits()
	ann.Digits()
	cat.Click("Cancel")
	ann.Await("nobody at the door", none)
	cat.Click("Knock")
	ann.Reads("Someone is knocking")
	ben.Reads("Someone is knocking")
	cat.Goes("/")
	ann.Await("nobody at the door", none)
	ben.Await("nobody at the door", none)
}

// TestLongNames: a name without a place to break it, of a room or of a member, covers nothing: who has it can be removed, and what is unread is seen.
func TestLongNames(t *testing.T) {
	w := New(t, hub.Limits{})
	long := strings.Repeat("Wolfeschlegelstein", 3)
	ann := w.Person("Ann").Tab("/")
	ann.Window(320, 640)
	ann.Passphrase(strings.Repeat(long, 3), "whatever it is that opens this")
	ann.toStart()
	fragment := ann.NewRoom(false)
	ben := w.Person(long).Tab("/" + fragment)
	ben.Enter(false)
	ann.Members(2)
	ann.member(long)
	// What is cut off within something that scrolls is seen nowhere else.
	within := func(where, what string) {
		t.Helper()
		ann.settled()
		for _, wide := range read[[]string](ann, `[...document.querySelectorAll(`+quoted(what)+`)].filter((e) => shown(e) && e.scrollWidth > e.clientWidth + 1 || e.getBoundingClientRect().right > `+
			`document.querySelector(`+quoted(where)+`).getBoundingClientRect().right).map((e) => e.outerHTML.slice(0, 120))`) {
			t.Errorf("reaches out of %s: %s", where, wide)
		}
	}
	within("dialog.panel", ".panelbody, .panelbody p, .panelbody button")
	ann.Click("Remove from the room")
	ann.Await("the question", `!!document.querySelector('dialog.confirm')`)
	within("dialog.confirm", ".confirm form, .confirm h2, .confirm p, .confirm button")
	ann.Screenshot("long-question")
	ann.Click("Cancel")
	ann.Press("Escape", 27)
	ann.Click("Rooms")
	ann.Await("the drawer", `!!document.querySelector('.drawer:modal')`)
	within("dialog.drawer", ".drawer .roomlist, .drawer button")
	ann.Screenshot("long-drawer")
	ann.Click("Close")
	ann.Desktop()
	ann.Look("two-rooms")
}

// TestOfflineIsNotAlone: without a network nobody knows who is in a room, so it is not said that nobody is.
func TestOfflineIsNotAlone(t *testing.T) {
	w := New(t, hub.Limits{})
	w.Expect("ERR_", "status of 4")
	person := w.Person("Ann")
	person.Tab("/").installed()
	w.Crash()
	ann := person.Tab("/#" + strings.Repeat("A", 43))
	ann.Fill("Your name", "Ann")
	ann.Click("Enter")
	ann.Reads("The relay cannot be reached.")
	if text := read[string](ann, "document.body.innerText"); strings.Contains(text, "Just you") {
		t.Errorf("the page says %s", text)
	}
	w.Restart()
	ann.Reads("Just you, so far")
}

// TestLanguageKeeps: what was filled in before another language was chosen is there after it, and so is the focus.
func TestLanguageKeeps(t *testing.T) {
	w := New(t, hub.Limits{})
	ann := w.Person("Ann").Tab("/")
	ann.Fill("Your name", "Annegret")
	ann.Tick("Keep this room")
	ann.byKey("Deutsch")
	ann.Await("both, in German", `field('Dein Name').value === 'Annegret' && document.querySelector('[name=keep]').checked`)
	ann.focused("the language", `name(e) === 'Deutsch'`)
}

// TestGateOnASmallPhone: beside a long word on the button there is space to read who waits.
func TestGateOnASmallPhone(t *testing.T) {
	w := New(t, hub.Limits{})
	ann := w.Person("Ann").Tab("/check.html")
	ann.Window(320, 640)
	ann.Speaks("de-DE,de")
	ann.Goes("/")
	ann.Fill("Dein Name", "Ann")
	ann.Click("Neuen Raum öffnen")
	ann.Await("a room", `!!button('Verbindung: Live')`)
	ann.Click("Dieser Raum")
	ann.Click("Raum abschließen")
	ann.Await("a locked room", `document.querySelector('[role=switch]').ariaChecked === 'true'`)
	ann.Press("Escape", 27)
	w.Person("Cat").Tab("/" + read[string](ann, "location.hash")).Enter(false)
	ann.Reads("Cat wartet auf Einlass")
	ann.Screenshot("gate-320-de")
	if wide := read[int](ann, `document.querySelector('.gate > div').clientWidth`); wide < 144 {
		t.Errorf("%d px are left for who waits", wide)
	}
}

// TestWayBack: from the screens beside the start, the browser's way back leads to the start and not out of the page.
func TestWayBack(t *testing.T) {
	w := New(t, hub.Limits{})
	ann := w.Person("Ann").Tab("/check.html")
	ann.Goes("/")
	for _, back := range []func(){
		func() { ann.Click("Back") },
		func() { read[bool](ann, "history.back() === undefined") },
	} {
		ann.Click("Enter with a passphrase")
		ann.Await("its screen", `!!field('Room name')`)
		back()
		ann.Await("the start screen", `!!button('Open a new room') && location.pathname === '/'`, "location.href")
	}
	ann.Click("Enter with a passphrase")
	ann.Fill("Room name", "lunch")
	ann.do("goes on", enter)
	ann.focused("the passphrase", `e === field('Passphrase')`)
	ann.Reads("Never leaves this device") // and nothing is complained of
	ann.Await("no complaint", `!document.querySelector('[aria-invalid]')`)
	ann.Fill("Passphrase", "the seven words of this test")
	ann.Fill("Your name", "Ann")
	ann.do("enters", enter)
	ann.inside()
	read[bool](ann, "history.back() === undefined")
	ann.Await("the start screen, with the room on it", `!!button('Open a new room') && !!button('Live. lunch')`)
}

// TestQuestionOfAnotherRoom: a question is gone with the screen that it was asked on.
func TestQuestionOfAnotherRoom(t *testing.T) {
	w := New(t, hub.Limits{})
	ann := w.Person("Ann").Tab("/")
	ann.NewRoom(false)
	second := ann.another()
	ann.Panel("Room")
	ann.Click("Leave")
	ann.Await("the question", `name(front()).includes('Leave this room?')`)
	ann.do("goes to the next room", altDown)
	ann.Await("the other room, and no question", `location.hash !== `+quoted(second)+` && !document.querySelector('dialog.confirm')`, "location.hash")
}

// TestRemovalWaits: without a network it is said that the removal waits, and it cannot be asked for twice.
func TestRemovalWaits(t *testing.T) {
	w, _, ann, _ := twoAtHome(t)
	w.Expect("ERR_", "status of 4")
	w.Crash()
	defer w.Restart()
	ann.Reads("The relay cannot be reached.")
	ann.member("Ben")
	ann.Click("Remove from the room")
	ann.Await("the question", `name(front()).includes('Remove Ben?')`)
	ann.Click("Remove")
	ann.Reads("Removing. Everyone else moves as soon as the relay has it.")
	ann.Await("no button for it", `!button('Remove from the room')`)
}

// TestPanelWithoutNetwork: a panel whose code cannot be fetched says so.
func TestPanelWithoutNetwork(t *testing.T) {
	w := New(t, hub.Limits{})
	w.Expect("ERR_", "status of 4")
	ann := w.Person("Ann").Tab("/")
	ann.Phone() // where no panel is opened before it is asked for
	ann.NewRoom(false)
	w.Crash()
	defer w.Restart()
	ann.Click("People")
	ann.Reads("Part of the page could not be loaded.")
}

// TestNotSafe: over plain http from another host there is no encryption, so the page says how to get it, and offers no room.
func TestNotSafe(t *testing.T) {
	w := New(t, hub.Limits{})
	w.Expect("Cross-Origin-Opener-Policy") // counts for nothing here either
	ann := w.Person("Ann").TabAt("http://0.0.0.0" + w.addr[strings.LastIndex(w.addr, ":"):] + "/#" + strings.Repeat("A", 43))
	ann.Reads("This address is not safe enough")
	ann.Reads("snug ui http://0.0.0.0")
	ann.Look("not-safe")
}
