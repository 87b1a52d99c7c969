package e2e

import (
	"crypto/rand"
	"encoding/binary"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"snug/client/e2ee"
	"snug/e2e/proxies"
	"snug/hub"
)

// TestTroubledStates: what a room says when something was lost, could not be opened or is in doubt, as everybody can use it.
func TestTroubledStates(t *testing.T) {
	w := New(t, hub.Limits{RoomMessages: 6, AwayAfter: time.Second})
	w.Expect("status of 429", "status of 401")
	person := w.Person("Ann")
	tab := person.Tab("/")
	fragment := tab.NewRoom(true)
	ben := w.Person("Ben").Tab("/" + fragment)
	ben.Enter(false)
	tab.Members(2)
	tab.Kept(1)
	tab.Close()
	for n := range 9 { // more than the relay keeps for somebody who is away
		ben.Say(fmt.Sprintf("are you there? %d", n))
	}
	ben.Reads("Ann left")
	ann := person.Tab("/")
	ann.ComeBack("Private room")
	ann.Await("how much is lost", `/^\d+ messages expired before you came back\.$/.test(name(document.querySelector('.line[data-event=gap]')))`)
	ann.Members(2)

	mallory := w.Insider(fragment, "Mallory", nil)
	ann.Members(3)
	mallory.Say("it is me")
	ann.Await("a first word", `messages().at(-1) === 'it is me'`)
	frame := make([]byte, 400)
	rand.Read(frame) // never fails
	frame[0], frame[1] = 1, 3
	mallory.Post(frame)
	ann.Reads("Mallory: Could not be opened. It was damaged or cut short.")
	other, err := e2ee.NewIdentity(nil)
	if err != nil {
		t.Fatal(err)
	}
	other.Secret = mallory.group.Identity().Secret
	w.Insider(fragment, "Mallory", &other)
	ann.Reads("Mallory has a different key than before. Compare before you trust it.")
	ann.Alone()
	ann.Look("troubles")
	ann.Keyboard("troubles")
	ann.Panel("People")
	ann.Await("the warning", `!!button('It is them, accept')`)
	ann.Look("panel-people-changed")
	ann.Click("It is them, accept")
	ann.Await("no warning", `!document.querySelector('.warning')`)
}

// TestTalkStates: a conversation with everything that can be in one.
func TestTalkStates(t *testing.T) {
	_, _, ann, ben := twoPages(t, hub.Limits{})
	ben.Say("Does anybody know why the build is red?")
	ann.Await("the question", `messages().length === 1`)
	ann.Menu("Does anybody know why the build is red?", "Reply")
	ann.Reads("Reply to Ben")
	lines := []string{"It is the **timeout** in `fetch`; this is enough:", "```go", "ctx, cancel := context.WithTimeout(ctx, 5*time.Second) // a line that is longer than any phone is wide", "```", "- see https://example.org/a/rather/long/address/that/does/not/fit/on/one/line/of/a/phone", "> Thursday's plan", "and ||the rest|| is fine"}
	read[bool](ann, `((e) => { e.value = `+quoted(strings.Join(lines, "\n"))+`; return e.dispatchEvent(new Event('input')) && e.form.requestSubmit() === undefined; })(field('Message'))`)
	ben.Await("the answer", `!!document.querySelector('.body pre') && !!document.querySelector('.quote')`)
	ben.Say("Thnaks")
	ann.Await("thanks", `messages().length === 3`)
	ben.Phone()
	read[bool](ben, `field('Message').focus() === undefined`)
	ben.Press("ArrowUp", 38)
	ben.Await("the last message in the field", `field('Message').value === 'Thnaks'`)
	read[bool](ben, `field('Message').select() === undefined`)
	ben.Sends("Thanks! 很好，谢谢 — Das-ist-ein-sehr-langes-Wort-ohne-eine-einzige-Stelle-zum-Umbrechen-aber-mit-Bindestrichenundohneohneohneohneohneohne")
	ann.Await("the edit", `rows().at(-1).querySelector('.meta').textContent.includes('edited')`)
	for _, emoji := range []string{"👍", "🎉"} {
		text := read[string](ann, "messages().at(-1)")
		ann.Menu(text, "React with "+emoji)
		ben.Await("the reaction", `[...document.querySelectorAll('.reactions button')].some((e) => e.ariaLabel.startsWith(`+quoted(emoji)+`))`)
	}
	ann.Sends("/me fetches the cake")
	ann.Say("gone again")
	ann.Menu("gone again", "Delete")
	ann.Await("the question", `name(front()).includes('Delete this message?')`)
	ann.Click("Delete")
	ben.Await("nothing of it", `messages().at(-1) === 'Deleted'`)
	ann.Await("no tick at what is gone", `!rows().at(-1).querySelector('.tick')`)
	ann.Alone()
	ann.Look("talk")
	ann.Keyboard("talk")
	ben.Look("talk-other-side")
}

// TestBlockedStates: a network that refuses everything, a room left in another tab, and the page that looks at the network.
func TestBlockedStates(t *testing.T) {
	w := New(t, hub.Limits{})
	w.Expect("ERR_", "status of 4", "Failed to load module script", "A bad HTTP response code")
	proxy, wire := behind(t)
	ann := w.Behind(t, "Ann", proxy.URL).Tab("/")
	ann.NewRoom(false)
	ann.Say("before")
	ann.Panel("People")
	ann.Panel("Room")
	ann.Alone()
	proxy.Become(wire, proxies.Blocked{})
	wire.cut()
	ann.Say("Can anybody hear me?")
	ann.Await("words about what is in between", `!!button('Connection: Blocked')`)
	ann.Await("why it waits", `rows().some((e) => e.querySelector('.why')?.textContent.includes('refuses this (403)'))`)
	ann.Look("blocked")
	ann.Click("Connection: Blocked")
	ann.Await("the card", `!!document.querySelector('.statuscard:popover-open')`)
	ann.Look("blocked-card")
	ann.Close()

	person := w.Person("Ben")
	first := person.Tab("/")
	fragment := first.NewRoom(false)
	second := person.Tab("/" + fragment)
	second.Enter(false)
	first.Panel("Room")
	for _, waited := range []string{`!!button('Leave')`, `name(front()).includes('Leave this room?')`} {
		first.Await(waited, waited)
		read[bool](first, `button('Leave').click() === undefined`) // it is behind the other tab, where the browser does not lay out what the mouse would hit
	}
	second.Reads("You left this room in another tab.")
	second.Look("closed")
	second.Keyboard("closed")

	check := person.Tab("/check")
	check.Await("the way to the report", `!!button('Copy the report')`)
	check.Click("Stop watching")
	check.Await("an end", `!!button('Check again')`)
	check.Look("check")
	check.Keyboard("check")
}

// tone is a second of a sound, as a WAV file.
func tone() []byte {
	const rate = 8000
	b := []byte("RIFF\x00\x00\x00\x00WAVEfmt \x10\x00\x00\x00\x01\x00\x01\x00\x40\x1f\x00\x00\x80\x3e\x00\x00\x02\x00\x10\x00data")
	binary.LittleEndian.PutUint32(b[4:], 36+2*rate)
	b = binary.LittleEndian.AppendUint32(b, 2*rate)
	for n := range rate {
		b = binary.LittleEndian.AppendUint16(b, uint16(int16(8000*math.Sin(2*math.Pi*440*float64(n)/rate))))
	}
	return b
}

// TestFileStates: a file in every state in which one can be, on the side of who gets it and of who sends it.
func TestFileStates(t *testing.T) {
	w, _, ann, ben := twoPages(t, hub.Limits{ChunkRoomBytes: 3 << 20})
	read[bool](ben, `(globalThis.showSaveFilePicker = undefined, true)`)
	dir := t.TempDir()
	file := func(name string, content []byte) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	picture, _ := photo(t, "The hills.jpg", 1600, 1000)
	paths := []string{picture, file("A voice.wav", tone()), file("film.webm", film(t, ann)), file("plan.pdf", paper("The plan")),
		file("A very long name of a file that nobody would give, but somebody always does, final version 2 (copy).tar.gz", tone())}
	ann.Alone()
	ann.Picks(paths...)
	ann.Look("files-tray")
	ann.SendsFiles()
	ben.files("all of them", `boxes().length === 5 && boxes().every((b) => b.dataset.transfer === 'done')`)
	ben.files("the picture", `boxes()[0].querySelector('.picture img').naturalWidth === 1600`)
	ben.files("the sound", `boxes()[1].querySelector('audio').readyState >= 1`)
	ben.files("the film", `boxes()[2].querySelector('video').readyState >= 1`)
	ben.Look("files-shown")
	ben.Keyboard("files-shown")
	ann.Look("files-sent")
	for _, name := range []string{"offered", "stopped", "failed", "moving"} {
		ann.Drops("drop", name+".bin", "application/octet-stream", 40_000_000)
		ann.SendsFiles()
		for _, p := range []*Page{ann, ben} { // the one before it is offered too
			p.NewestFile(name + ".bin")
			p.Transfers("offered")
		}
		switch name {
		case "stopped":
			ann.ClickOn(`[...document.querySelectorAll('snug-file')].at(-1).querySelector('.stop')`)
			ann.Transfers("stopped")
			ben.Transfers("stopped")
		case "failed":
			w.Hub.Damages(true)
			ben.ClickOn(`[...document.querySelectorAll('snug-file')].at(-1).querySelector('.quiet')`)
			ben.Transfers("failed")
			w.Hub.Damages(false)
		case "moving":
			ben.ClickOn(`[...document.querySelectorAll('snug-file')].at(-1).querySelector('.quiet')`)
			ben.files("progress", `box().querySelector('progress')?.value > 0`)
			ann.files("progress", `box().querySelector('progress')?.value > 0`)
			ann.Crash() // so that it stays where it is
		}
	}
	ben.Look("files-going")
	ben.Keyboard("files-going")
}
