package e2e

import (
	"fmt"
	"strings"
	"testing"

	"snug/hub"
)

// two are people in a room who can talk.
func two(t testing.TB, w *World) (ann, ben *Page) {
	t.Helper()
	ann = w.Person("Ann").Tab("/")
	ben = w.Person("Ben").Tab("/" + ann.NewRoom(false))
	ben.Enter(false)
	ann.Members(2)
	ben.Members(2)
	return ann, ben
}

// TestReplyEditReactDelete: what is done to a message is so on every screen, by mouse, keys and finger.
func TestReplyEditReactDelete(t *testing.T) {
	w := New(t, hub.Limits{})
	ann, ben := two(t, w)
	cat := w.Person("Cat").Tab("/" + read[string](ann, "location.hash"))
	cat.Phone()
	cat.Enter(false)
	ann.Members(3)
	ann.Say("Who brings the coffe?")
	ben.Sees("Who brings the coffe?")
	cat.Sees("Who brings the coffe?")

	ben.Menu("Who brings the coffe?", "Reply")
	ben.Reads("Reply to Ann")
	ben.Screenshot("talk-replying")
	ben.Say("I do.")
	for _, p := range []*Page{ann, cat} {
		p.Shows("I do.", "a quote", `name(row.querySelector('.quote')).includes('Who brings the coffe?')`)
	}
	ben.Await("nothing above the field", `!shown(document.querySelector('.above'))`)

	// A click on the quote leads to what it quotes.
	read[bool](ann, rowOf("I do.")+`.querySelector('.quote').click() === undefined`)
	ann.Shows("Who brings the coffe?", "the mark", `document.activeElement === row`)

	// The arrow changes the last one; the screen reader hears nothing of it again.
	heard := read[string](ben, `document.querySelector('.talk > .spoken').textContent`)
	read[bool](ann, `field('Message').focus() === undefined`)
	ann.Press("ArrowUp", 38)
	ann.Await("the last message in the field", `field('Message').value === 'Who brings the coffe?'`)
	ann.Screenshot("talk-editing")
	read[bool](ann, `field('Message').select() === undefined`)
	ann.Sends("Who brings the coffee?")
	for _, p := range []*Page{ann, ben, cat} {
		p.Shows("Who brings the coffee?", "the mark of an edit", `row.querySelector('.meta').textContent.includes('edited')`)
		p.Shows("I do.", "the new quote", `name(row.querySelector('.quote')).includes('coffee?')`)
	}
	if now := read[string](ben, `document.querySelector('.talk > .spoken').textContent`); now != heard {
		t.Errorf("an edit was read out: %q, then %q", heard, now)
	}

	// A long press of a finger.
	cat.Hold(rowOf("I do.")+".querySelector('.bubble')", func() {
		cat.Await("the menu", `!!document.querySelector('.menu:popover-open')`)
	})
	cat.Screenshot("talk-menu-phone")
	cat.Entry("React with 🎉")
	for _, p := range []*Page{ann, ben} {
		p.Shows("I do.", "Cat's reaction", `row.querySelector('.reactions button').ariaLabel === '🎉 Cat'`)
	}
	read[bool](ann, rowOf("I do.")+`.querySelector('.reactions button').click() === undefined`)
	ben.Shows("I do.", "two reactions", `row.querySelector('.reactions button').ariaLabel === '🎉 Cat and Ann'`)
	ann.Shows("I do.", "one's own", `row.querySelector('.reactions button').ariaPressed === 'true'`)
	read[bool](ann, rowOf("I do.")+`.querySelector('.reactions button').click() === undefined`)
	cat.Shows("I do.", "one reaction", `row.querySelector('.reactions button').ariaLabel === '🎉 You'`)

	// By keys: up from the field, to the message, its menu, the last entry.
	read[bool](ben, `document.querySelector('[role=log]').focus() === undefined`)
	ben.Press("ArrowUp", 38)
	ben.Shows("I do.", "the focus", `document.activeElement === row`)
	ben.Press("ContextMenu", 93)
	ben.Await("the menu", `document.activeElement?.closest('.menu:popover-open')`)
	ben.Screenshot("talk-menu")
	ben.Press("End", 35)
	ben.Await("the last entry", `name(document.activeElement) === 'Delete'`)
	read[bool](ben, `document.activeElement.click() === undefined`)
	ben.Await("the question", `name(front()).includes('Delete this message?')`)
	ben.Click("Delete")
	for _, p := range []*Page{ann, ben, cat} {
		p.Sees("Who brings the coffee?", "Deleted")
	}
	ann.Delivered()
	for _, p := range []*Page{ann, ben, cat} {
		p.Shows("Deleted", "no quote and no reaction", `!row.querySelector('.quote, .reactions')`)
	}
	ann.Screenshot("talk-deleted")
	w.Hub.Await(t, "every message is freed when everyone has it", nothingHeld)
}

// TestCommands: what begins with a slash is done, not sent; what is unknown says so and stays in the field.
func TestCommands(t *testing.T) {
	w := New(t, hub.Limits{})
	ann, ben := two(t, w)
	// The first of them fetches a part of the page; what is typed meanwhile is not lost.
	read[bool](ann, `((e) => { e.value = '/me waves'; e.form.requestSubmit(); e.value += 'on'; return true; })(field('Message'))`)
	ben.Sees("Ann waves")
	ann.Await("what was typed on", `field('Message').value === 'on'`, "field('Message').value")
	read[bool](ann, `field('Message').select() === undefined`)
	ben.Shows("Ann waves", "an action", `row.dataset.me !== undefined`)
	ann.Sends("/nick Anna")
	ben.Reads("Ann is now Anna")
	ann.Reads("You are Anna now.")
	ann.Sends("/dance now")
	ann.Reads("There is no command /dance")
	ann.Await("the line in the field", `field('Message').value === '/dance now'`)
	read[bool](ann, `field('Message').select() === undefined`)
	ann.Sends("//not a command")
	ben.Sees("Ann waves", "/not a command")
	ann.Sends("/help")
	ann.Reads("empty the conversation in this browser")
	ann.Screenshot("talk-help")
	ann.Sends("/clear")
	ann.Sees()
	ben.Sees("Ann waves", "/not a command")
	ben.Say("still here")
	ann.Sees("still here")
}

// TestMarkdown: what it looks like, and that nothing of it leads where it does not say.
func TestMarkdown(t *testing.T) {
	w := New(t, hub.Limits{})
	ann, ben := two(t, w)
	ann.Say("plain text needs no more")
	ben.Sees("plain text needs no more")
	if fetched := read[bool](ben, `performance.getEntriesByType('resource').some(({ name }) => /rich|markdown/.test(name))`); fetched {
		t.Error("plain text fetched Markdown")
	}
	lines := []string{
		"**Plan** for _Friday_, ~~Thursday~~: `make ship`", "> who asked", "- ||cake||", "- coffee",
		"```go", "fmt.Println(\"**not bold**\")", "```",
		"See https://example.org/a_b, [the menu](https://example.com/menu), https://exаmple.org and javascript:alert(1)",
	}
	read[bool](ann, `((e) => { e.value = `+quoted(strings.Join(lines, "\n"))+`; return e.dispatchEvent(new Event('input')) && e.form.requestSubmit() === undefined; })(field('Message'))`)
	for _, p := range []*Page{ann, ben} {
		p.Await("the blocks", `!!document.querySelector('.body pre')`)
		got := read[map[string]string](p, `((b) => ({
			bold: b.querySelector('strong').textContent, italic: b.querySelector('em').textContent, struck: b.querySelector('s').textContent, code: b.querySelector('p code').textContent,
			quote: b.querySelector('blockquote').textContent, items: [...b.querySelectorAll('li')].length + '', block: b.querySelector('pre').textContent,
			links: [...b.querySelectorAll('a')].map((a) => a.href + ' ' + a.textContent + ' ' + a.rel + ' ' + a.target).join('; '), urls: [...b.querySelectorAll('.url')].map((u) => u.textContent).join(';'),
		}))(document.querySelector('.body pre').closest('.body'))`)
		want := map[string]string{
			"bold": "Plan", "italic": "Friday", "struck": "Thursday", "code": "make ship", "quote": "who asked", "items": "2", "block": `fmt.Println("**not bold**")`,
			"links": "https://example.org/a_b https://example.org/a_b noopener noreferrer _blank; https://example.com/menu the menu noopener noreferrer _blank; " +
				"https://xn--exmple-4nf.org/ https://xn--exmple-4nf.org/ noopener noreferrer _blank",
			"urls": " (https://example.com/menu)",
		}
		for name, w := range want {
			if got[name] != w {
				t.Errorf("%s sees as %s %q, want %q", p.who, name, got[name], w)
			}
		}
	}
	ben.Await("a hidden word", `!messages().join().includes('cake') || document.querySelector('.spoiler .inside').hidden`)
	list := `1. soup\n3. cake\n  - tea\n7. C:\\_menu\\*.txt`
	read[bool](ann, `((e) => { e.value = '`+list+`'; return e.dispatchEvent(new Event('input')) && e.form.requestSubmit() === undefined; })(field('Message'))`)
	ben.Await("the numbers that were typed", `[...document.querySelectorAll('ol')].at(-1)?.textContent === 'soupcaketeaC:\\_menu\\*.txt' && [...document.querySelectorAll('ol:last-of-type li')].map((e) => e.value + getComputedStyle(e).listStyleType).join() === '1decimal,3decimal,0circle,7decimal'`,
		"[...document.querySelectorAll('ol')].map((e) => e.outerHTML)", "[...document.querySelectorAll('ol li')].map((e) => e.value + getComputedStyle(e).listStyleType)")
	ann.Sends("It was ||the `a||b` butler||")
	ben.Await("nothing hidden said aloud", `document.querySelector('.talk > .spoken').lastElementChild.textContent.endsWith('It was Hidden text')`, `document.querySelector('.talk > .spoken').textContent`)
	ann.Screenshot("talk-markdown")
	ben.Panel("People")
	ben.Click("Close")
	ben.Phone()
	ben.Dark(true)
	ben.Screenshot("talk-markdown-phone-dark")
	ben.Click("Hidden text")
	ben.Await("the hidden word", `shown(document.querySelector('.spoiler .inside'))`)
}

// TestTimer: what was read vanishes in its time, in all tabs of its reader, and one's own some time after it went out.
func TestTimer(t *testing.T) {
	w := New(t, hub.Limits{})
	ann, other, link := inTwoTabs(w)
	ben := w.Person("Ben").Tab("/" + link)
	ben.Enter(false)
	ann.Members(2)
	ann.Timer("1 minute")
	ann.Screenshot("talk-timer-panel")
	for _, p := range []*Page{ann, other} {
		p.Reads("You set messages to vanish 1 minute after they are read")
	}
	ben.Reads("Ann set messages to vanish 1 minute after they are read")

	// The clocks of the pages run ahead from here on, as after a sleep.
	ben.Hidden(true)
	ann.Say("soon gone")
	other.Sees("soon gone")
	ben.Sees("soon gone")
	ben.Screenshot("talk-timer")
	ann.Delivered()
	const sleep = `((now) => { Date.now = () => now() + 61_000; return document.dispatchEvent(new Event('visibilitychange')); })(Date.now.bind(Date))`
	read[bool](ann, sleep)
	read[bool](other, sleep)
	ann.Sees()
	other.Sees()
	read[bool](ben, sleep)
	ben.Sees("soon gone") // it was not looked at
	ben.Hidden(false)
	ben.Await("nothing", `(`+sleep+`, messages().length === 0)`) // it is read a moment after the page is shown, so each look is a minute later
	ben.Say("mine")
	ann.Sees("mine")
	ben.Timer("Messages stay")
	ann.Reads("Ben set messages to stay")
}

// TestTyping: nobody sees it unless it was switched on, and it ends with what was typed.
func TestTyping(t *testing.T) {
	w := New(t, hub.Limits{})
	ann, ben := two(t, w)
	ann.Type("quietly")
	ann.Press("Enter", 13)
	ann.Sends("")
	ben.Sees("quietly")
	ben.Await("nobody typing", `!shown(document.querySelector('.typists') ?? document.createElement('p'))`)
	ann.Panel("Room")
	ann.Tick("Show the others when I type")
	ann.Click("Close")
	ann.Type("I think")
	ben.Reads("Ann is typing")
	ben.Screenshot("talk-typing")
	ann.Sends(" so")
	ben.Sees("quietly", "I think so")
	ben.Await("nobody typing", `!shown(document.querySelector('.typists') ?? document.createElement('p'))`)
}

// TestWhoLacksIt: the tick of a message says who does not have it yet.
func TestWhoLacksIt(t *testing.T) {
	w := New(t, hub.Limits{})
	ann, ben := two(t, w)
	cat := w.Person("Cat")
	tab := cat.Tab("/" + read[string](ann, "location.hash"))
	tab.Enter(true)
	ann.Members(3)
	tab.Close()
	ann.Say("Cat sleeps")
	ben.Sees("Cat sleeps")
	ann.Shows("Cat sleeps", "one tick", `row.dataset.state === 'sent'`)
	ann.Hover(rowOf("Cat sleeps") + ".querySelector('.tick')")
	ann.Await("who lacks it", `document.querySelector('.tip:popover-open')?.textContent.includes('Cat')`)
	ann.Screenshot("talk-lacks")
	ann.Menu("Cat sleeps", "Who does not have it yet?")
	ann.Await("who lacks it, in the menu", `document.querySelector('.menu:popover-open')?.textContent.includes('Cat does not have it yet')`)
	ann.Press("Escape", 27)
	cat.Tab("/").ComeBack("Private room")
	ann.Delivered()
}

// TestUnreadMarker: what came while nobody looked stands under a line until it was read.
func TestUnreadMarker(t *testing.T) {
	w := New(t, hub.Limits{})
	ann, ben := two(t, w)
	ann.Say("seen")
	ben.Sees("seen")
	ben.Hidden(true)
	ann.Say("one")
	ann.Say("two")
	ben.Sees("seen", "one", "two")
	const marked = `(document.querySelector('.news')?.nextElementSibling?.querySelector('.body')?.textContent ?? '')`
	ben.Await("the line", marked+` === 'one'`)
	ben.Await("the count in the title", `document.title.startsWith('(2)')`)
	ben.Hidden(false)
	ben.Await("no count", `!document.title.startsWith('(')`)
	ann.Say("three")
	ben.Sees("seen", "one", "two", "three")
	ben.Await("the line where it was", marked+` === 'one'`)
	ben.Screenshot("talk-unread")
	ben.Hidden(true)
	ann.Say("four")
	ben.Await("the line at the newest", marked+` === 'four'`)
	ben.Await("the count", `document.title.startsWith('(1)')`)
	ann.Menu("four", "Delete")
	ann.Click("Delete")
	ben.Await("no count of what is gone", `!document.title.startsWith('(')`, "document.title")
	ben.Hidden(false)
	ben.Say("read")
	ben.Await("no line", `!document.querySelector('.news')`)
}

// TestComingsAndGoingsFold: many of them are one line, until somebody wants to know.
func TestComingsAndGoingsFold(t *testing.T) {
	w := New(t, hub.Limits{})
	ann, ben := two(t, w)
	link := read[string](ann, "location.hash")
	for range 3 {
		g := gopherIn(t, w.URL+"/"+link)
		ann.Members(3)
		if err := g.Leave(t.Context()); err != nil {
			t.Fatal(err)
		}
		ann.Members(2)
	}
	ann.Reads(" more of the kind")
	lines := `[...document.querySelectorAll('.line:is([data-event=joined], [data-event=left])')].filter(shown).length`
	ann.Await("one line", lines+` === 1`)
	ann.Screenshot("talk-folded")
	ann.Click("Ben came in, and")
	ann.Await("all lines", lines+` >= 7`)
	ann.Say("now talk")
	ben.Sees("now talk")
	for n := range 5 {
		ben.Sends(fmt.Sprintf("/nick B%d", n))
		ann.Reads(fmt.Sprintf("is now B%d", n))
	}
	ann.Await("one line of new names", `[...document.querySelectorAll('.line[data-event=renamed]')].filter(shown).length === 1`)
}

// TestReaderStays: edits, reactions, deletes and what grows above or below leave what the reader reads where it is.
func TestReaderStays(t *testing.T) {
	w := New(t, hub.Limits{})
	ann, ben := two(t, w)
	gopher := gopherIn(t, w.URL+"/"+read[string](ann, "location.hash"))
	ann.Members(3)
	ben.Members(3)
	for n := range 60 {
		gopher.say(fmt.Sprintf("line %d", n))
	}
	ann.Await("all lines", `messages().at(-1) === 'line 59'`) // a timeline has what its reader learnt, in that order
	ann.Say("mine")
	ben.Await("all of it", `messages().at(-1) === 'mine'`)
	read[bool](ben, `((e) => (e.scrollTop = e.scrollHeight / 2) > 0)(document.querySelector('[role=log]'))`)
	ben.Await("a moment", `!!button('To the newest')`)
	const top = `(() => { const at = document.querySelector('[role=log]').getBoundingClientRect().top; const row = rows().find((e) => e.getBoundingClientRect().top > at); return row.querySelector('.body').textContent + ' ' + Math.round(row.getBoundingClientRect().top); })()`
	before := read[string](ben, top)
	first := rowOf("line 2")
	read[bool](ben, first+`.style.setProperty('padding-block-start', '300px') === undefined`)
	ben.Await("the row above grown", first+`.offsetHeight > 300`)
	ben.Await("the same on top as "+before, top+` === `+quoted(before), top)
	ann.Menu("mine", "React with 👍")
	ben.Shows("mine", "a reaction", `!!row.querySelector('.reactions')`)
	ben.Await("the same on top as "+before, top+` === `+quoted(before), top)
	// The reader at the end stays there.
	ben.Click("To the newest")
	ann.Await("the end", `((e) => e.scrollHeight - e.clientHeight - e.scrollTop < 2)(document.querySelector('[role=log]'))`)
	read[bool](ann, rowOf("mine")+`.style.setProperty('padding-block-end', '200px') === undefined`)
	ann.Await("the end again", `((e) => e.scrollHeight - e.clientHeight - e.scrollTop < 2)(document.querySelector('[role=log]'))`)
}

// TestLongMessage: the limit shows before it is hit, and what is too long is not cut but kept to be shortened. What was not sent stays a draft.
func TestLongMessage(t *testing.T) {
	w := New(t, hub.Limits{})
	ann, ben := two(t, w)
	fill := func(n int) {
		read[bool](ann, fmt.Sprintf(`((e) => { e.value = 'x'.repeat(%d); return e.dispatchEvent(new Event('input')); })(field('Message'))`, n))
	}
	fill(59_000)
	ann.Reads("1,000 characters left")
	fill(60_100)
	ann.Reads("100 characters too long")
	ann.Screenshot("talk-long")
	read[bool](ann, `field('Message').form.requestSubmit() === undefined`)
	ann.Await("it all in the field", `field('Message').value.length === 60_100`)
	fill(60_000)
	read[bool](ann, `field('Message').form.requestSubmit() === undefined`)
	ben.Await("all of it", `messages().at(-1)?.length === 60_000`)
}

// TestEmoji: the picker writes into the field, by keys alone.
func TestEmoji(t *testing.T) {
	w := New(t, hub.Limits{})
	ann, ben := two(t, w)
	ann.Type("hi ")
	ann.Click("Emoji")
	ann.Await("the picker", `document.activeElement?.closest('.picker')`)
	ann.Screenshot("talk-emoji")
	ann.Press("ArrowRight", 39)
	read[bool](ann, `document.activeElement.click() === undefined`)
	ann.Await("the emoji in the field", `field('Message').value === 'hi 😄' && document.activeElement === field('Message')`)
	ann.Sends("!")
	ben.Sees("hi 😄!")
}

// TestGist: what a message is about, where it is answered or heard, hides what the message hides, and is a file's name where nothing else was said.
func TestGist(t *testing.T) {
	w := New(t, hub.Limits{})
	ann, ben := two(t, w)
	ben.Sends("spoilt: || no ||Darth is the father|| or || no")
	shown := "spoilt: || no Hidden textDarth is the father or || no"
	ann.Await("the message", `messages().join() === `+quoted(shown), "messages()")
	const gist = "spoilt: || no Hidden text or || no"
	heard := `name(document.querySelector('.talk > .spoken'))`
	ann.Await("what is heard", heard+`.endsWith(`+quoted("Ben: "+gist)+`)`, heard)
	ann.Menu(shown, "Reply")
	ann.Await("what is answered", `name(document.querySelector('.above .of span')) === `+quoted(gist), `name(document.querySelector('.above'))`)
	ann.Say("I knew")
	for _, p := range []*Page{ann, ben} {
		p.Shows("I knew", "the quote", `name(row.querySelector('.quote span')) === `+quoted(gist))
	}

	ben.Drops("drop", "notes.bin", "application/octet-stream", 1000)
	ben.SendsFiles()
	ann.Await("the file is heard", heard+`.endsWith('Ben: notes.bin')`, heard)
	read[bool](ann, `document.querySelector('[role=log]').focus() === undefined`)
	ann.Press("ArrowUp", 38)
	ann.Press("ContextMenu", 93)
	ann.Entry("Reply")
	ann.Await("what is answered", `name(document.querySelector('.above .of span')) === 'notes.bin'`, `name(document.querySelector('.above'))`)
	ann.Say("got it")
	ben.Shows("got it", "the quote", `name(row.querySelector('.quote span')) === 'notes.bin'`)
}
