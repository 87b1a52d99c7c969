package e2e

import (
	"fmt"
	"strings"

	"github.com/chromedp/chromedp"
)

// Removes clicks through the removal of a member and waits until this page is in the new room. It returns the new room's fragment.
func (p *Page) Removes(alias string) (fragment string) {
	p.t.Helper()
	before := read[string](p, "location.hash")
	p.member(alias)
	p.Click("Remove from the room")
	p.Await("the question", `name(front()).includes(`+quoted("Remove "+alias+"?")+`)`)
	p.Click("Remove")
	return p.Moved(before)
}

// Moved waits until the page is in another room than that of the fragment, and returns that room's.
func (p *Page) Moved(from string) (fragment string) {
	p.t.Helper()
	p.Await("another room's link", `location.hash.length === 44 && location.hash !== `+quoted(from))
	return read[string](p, "location.hash")
}

// member opens the list of people and what it says of a member.
func (p *Page) member(alias string) {
	p.t.Helper()
	p.Panel("People")
	row := `[...document.querySelectorAll('.members details')].find((e) => name(e.querySelector('.name')).startsWith(` + quoted(alias) + `))`
	p.Await("the member "+alias, `!!`+row)
	if !read[bool](p, row+".open") {
		p.do("unfolds "+alias, chromedp.Click(element(row+".querySelector('summary')")))
	}
}

// Panel shows a tab of the room's panel: People, Invite, Terminal or Room.
func (p *Page) Panel(tab string) {
	p.t.Helper()
	current := func(tab string) string {
		return `name(document.querySelector('dialog.panel[open] .tabs [aria-current=true]') ?? document.createElement('b')) === ` + quoted(tab)
	}
	if !read[bool](p, `!!document.querySelector('dialog.panel[open]')`) {
		p.Click("This room")
		p.Await("the panel", current("Room"))
	}
	if !read[bool](p, current(tab)) {
		p.do("turns to "+tab, chromedp.Click(element(`[...document.querySelectorAll('.tabs button')].find((e) => name(e) === `+quoted(tab)+`)`)))
	}
	p.Await(tab, current(tab))
}

// KnockLink is the path of the address at which strangers may knock.
func (p *Page) KnockLink() string {
	p.t.Helper()
	p.Panel("Invite")
	p.Await("the address to knock at", `!!field('Let people knock')`)
	link := read[string](p, `field('Let people knock').value`)
	return link[strings.Index(link, "/#"):]
}

// Knock knocks as this person, at a door that the page shows.
func (p *Page) Knock() {
	p.t.Helper()
	p.Fill("Your name", p.who)
	p.Click("Knock")
}

// Digits waits for the six digits that two people compare.
func (p *Page) Digits() string {
	p.t.Helper()
	p.Await("six digits", `/^\d( \d){5}$/.test(document.querySelector('.digits .spoken').textContent)`)
	return strings.ReplaceAll(read[string](p, `document.querySelector('.digits .spoken').textContent`), " ", "")
}

// Reads waits until the page says something, anywhere a person can see it.
func (p *Page) Reads(text string) {
	p.t.Helper()
	p.Await(quoted(text), `document.body.innerText.replace(/\s+/g, ' ').includes(`+quoted(text)+`)`)
}

// Kept waits until so many rooms are kept on this device.
func (p *Page) Kept(n int) {
	p.t.Helper()
	p.Await(fmt.Sprintf("%d kept rooms", n), fmt.Sprintf(`await new Promise((done) => {
		const open = indexedDB.open('snug');
		open.onsuccess = () => {
			const all = open.result.transaction('rooms').objectStore('rooms').count();
			all.onsuccess = () => { open.result.close(); done(all.result === %d); };
		};
	})`, n))
}
