package e2e

import (
	"context"
	"os"
	"testing"

	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"

	"snug/hub"
)

const (
	quotes = `document.querySelector('.row[data-kind=file]:last-of-type').dataset.re ?? ''`
	above  = `(document.querySelector('.above:not([hidden])')?.textContent ?? '')`
)

// inTwoTabs is Ann in a room of her own, in two tabs of one browser.
func inTwoTabs(w *World) (first, second *Page, link string) {
	w.t.Helper()
	ann := w.Person("Ann")
	first = ann.Tab("/")
	link = first.NewRoom(false)
	second = ann.Tab("/" + link)
	second.Enter(false)
	return first, second, link
}

// TestLongMessageVanishes: of a message that is longer than the view nobody ever sees half at once.
func TestLongMessageVanishes(t *testing.T) {
	w := New(t, hub.Limits{})
	ann, ben := two(t, w)
	ann.Timer("1 minute")
	ben.Reads("Ann set messages to vanish")
	read[bool](ann, `((e) => { e.value = Array.from({ length: 120 }, (_, i) => 'line ' + i).join('\n'); e.dispatchEvent(new Event('input')); return e.form.requestSubmit() === undefined; })(field('Message'))`)
	ben.Await("the long message", `messages().length === 1`)
	// Each look is a minute later.
	ben.Await("nothing", `((now) => { Date.now = () => now() + 61_000; document.dispatchEvent(new Event('visibilitychange')); return messages().length === 0; })(Date.now.bind(Date))`)
}

// TestFileAnswers: files go out as the answer that was begun, and wait while something else is changed.
func TestFileAnswers(t *testing.T) {
	w := New(t, hub.Limits{})
	ann, ben := two(t, w)
	ben.Say("what does it look like?")
	ann.Sees("what does it look like?")
	ann.Menu("what does it look like?", "Reply")
	ann.Drops("drop", "this.bin", "application/octet-stream", 1000)
	ann.SendsFiles()
	ben.Transfers("done")
	if got := read[string](ben, quotes); got == "" {
		t.Error("the file answers nothing")
	}
	ann.Say("and this is no answer")
	ben.Shows("and this is no answer", "no quote", `!row.dataset.re`)

	ann.Drops("drop", "later.bin", "application/octet-stream", 1000)
	ann.Menu("and this is no answer", "Edit")
	ann.Await("the text to change", `field('Message').value === 'and this is no answer'`)
	ann.Sends(" at all")
	ben.Shows("and this is no answer at all", "changed", `true`)
	ann.Await("the file still waiting", `!!document.querySelector('.tray:not([hidden])') && field('Message').value === ''`)
	if read[bool](ann, `dispatchEvent(new Event('beforeunload', { cancelable: true }))`) {
		t.Error("nothing asks before a file that waits is lost")
	}
	ann.SendsFiles()
	ben.files("both", `boxes().length === 2 && boxes().every((b) => b.dataset.transfer === 'done')`)
}

// TestMessageGoesWhileItIsAnswered: what was answered or changed is shown no more, and what was typed is not lost.
func TestMessageGoesWhileItIsAnswered(t *testing.T) {
	w := New(t, hub.Limits{})
	ann, other, link := inTwoTabs(w)
	ben := w.Person("Ben").Tab("/" + link)
	ben.Enter(false)
	ann.Members(2)
	ann.Say("the secret")
	ben.Sees("the secret")
	ben.Menu("the secret", "Reply")
	ben.Await("what is answered", above+`.includes('the secret')`)
	ben.Type("I will not")
	ann.Press("ArrowUp", 38)
	ann.Await("the text to change", `field('Message').value === 'the secret'`)
	ann.Type(", again")
	other.Menu("the secret", "Delete")
	other.Click("Delete")
	for _, p := range []*Page{ann, ben} {
		p.Await("a word about it", above+`.includes('is gone') && !`+above+`.includes('secret')`)
	}
	ann.Sends("")
	ben.Sends("")
	ben.Await("both as messages of their own", `messages().includes('the secret, again') && messages().includes('I will not') && !document.querySelector('.row[data-re]')`)
}

// TestNothingIsLeftOfAMessage: whoever empties a message while changing it is asked whether it is to go.
func TestNothingIsLeftOfAMessage(t *testing.T) {
	w := New(t, hub.Limits{})
	ann, ben := two(t, w)
	ann.Say("never mind")
	ben.Sees("never mind")
	for _, answer := range []string{"Cancel", "Delete"} {
		ann.Menu("never mind", "Edit")
		ann.Await("the text to change", `field('Message').value === 'never mind'`)
		read[bool](ann, `((e) => { e.value = ''; e.dispatchEvent(new Event('input')); return e.form.requestSubmit() === undefined; })(field('Message'))`)
		ann.Await("the question", `name(front()).includes('Delete this message?')`)
		ann.Click(answer)
		if answer == "Cancel" {
			ann.Await("the change going on", above+`.includes('never mind')`)
			ann.Press("Escape", 27)
		}
	}
	ben.Await("nothing of it", `messages().at(-1) === 'Deleted'`)
	ann.Await("nothing being changed", above+` === ''`)
}

// TestCaptionOfAFileThatIsGone stays where it was written.
func TestCaptionOfAFileThatIsGone(t *testing.T) {
	_, _, ann, _ := twoPages(t, hub.Limits{})
	path, _ := photo(t, "gone.jpg", 400, 300)
	ann.Picks(path)
	ann.Await("the tray", `!!document.querySelector('.tray:not([hidden])')`)
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	ann.Sends("What a day it was")
	ann.Await("both kept", `field('Message').value === 'What a day it was' && !!document.querySelector('.tray:not([hidden]) .problem:not([hidden])')`)
}

// TestFilesWaitForThePage: what was dropped while the network does not let the page fetch what shows it is not lost.
func TestFilesWaitForThePage(t *testing.T) {
	w := New(t, hub.Limits{})
	w.Expect("ERR_BLOCKED_BY_CLIENT", "a part of the page is missing")
	ann, _ := two(t, w)
	block := func(patterns ...*network.BlockPattern) {
		t.Helper()
		ann.do("blocks", func(ctx context.Context, _ *chromedp.Target) (chromedp.Void, error) {
			if _, err := chromedp.Call(ctx, network.Enable, network.EnableParams{}); err != nil {
				return chromedp.Void{}, err
			}
			_, err := chromedp.Call(ctx, network.SetBlockedURLs, network.SetBlockedURLsParams{URLPatterns: patterns})
			return chromedp.Void{}, err
		})
	}
	block(&network.BlockPattern{URLPattern: "*://*:*/*tray.js*", Block: true})
	read[bool](ann, `(() => { const data = new DataTransfer(); data.items.add(new File(['x'], 'kept.txt', { type: 'text/plain' }));
		for (const name of ['dragover', 'drop']) document.querySelector('.floor').dispatchEvent(new DragEvent(name, { dataTransfer: data, bubbles: true, cancelable: true })); return true; })()`)
	ann.Reads("Part of the page could not be loaded")
	block()
	read[bool](ann, `dispatchEvent(new Event('online'))`)
	ann.Await("the file", `document.querySelector('.tray:not([hidden])')?.textContent.includes('kept.txt')`)
}

// TestPasteOfAText: a word processor puts a picture beside the text that was copied.
func TestPasteOfAText(t *testing.T) {
	w := New(t, hub.Limits{})
	ann, _ := two(t, w)
	const paste = `((html) => { const data = new DataTransfer(); data.setData('text/plain', 'A table'); if (html) data.setData('text/html', '<b>A table</b>');
		data.items.add(new File(['x'], 'image.png', { type: 'image/png' }));
		return document.querySelector('.floor').dispatchEvent(new ClipboardEvent('paste', { clipboardData: data, bubbles: true, cancelable: true })); })`
	if !read[bool](ann, paste+`(true)`) {
		t.Error("the text is not pasted")
	}
	if read[bool](ann, paste+`(false)`) {
		t.Error("a file beside its name is not taken")
	}
	ann.Await("the picture", `document.querySelector('.tray:not([hidden])')?.textContent.includes('image.png')`)
}

// TestRoomBehind: what came into a room behind another stands under a line, and what was begun there is there in another language.
func TestRoomBehind(t *testing.T) {
	w := New(t, hub.Limits{})
	ann, ben := two(t, w)
	ann.Say("seen")
	ben.Sees("seen")
	ann.Press("ArrowUp", 38)
	ann.Await("the text to change", `field('Message').value === 'seen'`)
	ann.Type(" and heard")
	ann.Drops("drop", "begun.bin", "application/octet-stream", 1000)
	ann.another()
	ben.Say("one")
	ben.Delivered()
	ann.toStart()
	ann.Click("Deutsch")
	ann.Await("German", `!!button('Neuen Raum öffnen')`)
	ann.ClickOn(`buttons().find((b) => name(b).includes('1 ungelesen'))`)
	ann.Await("the line", `document.querySelector('.news')?.nextElementSibling?.querySelector('.body')?.textContent === 'one'`)
	ann.Await("what was begun", `field('Nachricht')?.value === 'seen and heard' && document.querySelector('.tray:not([hidden])')?.textContent.includes('begun.bin')`, `document.body.innerText`)
	ann.do("sends", enter)
	ben.Sees("seen and heard", "one")
}

// TestReaderInAnotherTab: who reads in one tab is not taken away by what is written in another.
func TestReaderInAnotherTab(t *testing.T) {
	w := New(t, hub.Limits{})
	ann, reader, link := inTwoTabs(w)
	gopher := gopherIn(t, w.URL+"/"+link)
	for _, p := range []*Page{ann, reader} {
		p.Members(2)
	}
	gopher.saysMany(0, 60)
	reader.Await("all lines", `messages().at(-1) === 'line 59'`)
	read[bool](reader, `((e) => (e.scrollTop = 100) > 0)(document.querySelector('[role=log]'))`)
	reader.Await("a way to the newest", `!!button('To the newest')`)
	ann.Say("from the other tab")
	reader.Await("the message", `messages().at(-1) === 'from the other tab'`)
	if top := read[float64](reader, `document.querySelector('[role=log]').scrollTop`); top > 200 {
		t.Errorf("the reader was taken to %v", top)
	}
}
