package e2e

import (
	"testing"

	"github.com/chromedp/chromedp"

	"snug/hub"
)

// Window makes the tab a phone's of that size.
func (p *Page) Window(width, height int64) {
	p.t.Helper()
	p.do("changes its size", chromedp.EmulateViewport(width, height, chromedp.EmulateMobile, chromedp.EmulateTouch))
}

// fits fails the test if a box that a finder returns reaches out of the window.
func (p *Page) fits(finder string) {
	p.t.Helper()
	p.settled()
	if at := read[[]float64](p, `((r) => [r.left, r.top, innerWidth - r.right, innerHeight - r.bottom])(`+finder+`.getBoundingClientRect())`); at[0] < 0 || at[1] < 0 || at[2] < 0 || at[3] < 0 {
		p.t.Errorf("%s's %s: %v px to the edges of the window", p.who, finder, at)
	}
}

// holds opens what can be done with a message, by a long press.
func (p *Page) holds(text string) {
	p.t.Helper()
	p.Hold(rowOf(text)+".querySelector('.bubble')", func() {
		p.Await("the menu", `!!document.querySelector('.menu:popover-open')`)
	})
}

// TestNarrow: neither a long name nor many who knock take the room off a phone, and what opens over it can be reached.
func TestNarrow(t *testing.T) {
	w := New(t, hub.Limits{})
	ann := w.Person("annegret.schmidt-hohenlohe@verwaltung.universitaet.example").Tab("/")
	fragment := ann.NewRoom(false)
	door := ann.KnockLink()
	ann.Click("Close")
	ben := w.Person("Ben").Tab("/check.html")
	ben.Window(320, 640)
	ben.Speaks("de-DE,de")
	ben.Goes("/" + fragment)
	ben.Fill("Dein Name", "Ben")
	ben.Click("Eintreten")
	ben.Await("a room in German", `!!document.querySelector('[role=log]')`)
	ann.Members(2)
	ann.Say("Hello!")
	ann.Delivered()
	ben.Sees("Hello!")
	ann.Sends("/nick annegret.schmidt-hohenzollern@verwaltung.universitaet.example")
	ben.Await("the new name", `/zollern@/.test(document.querySelector('[role=log]').textContent)`)

	ben.settled()
	if wide := read[[]string](ben, `[...document.querySelectorAll('.timeline, .timeline *')].filter((e) => !e.closest('.spoken, svg') && e.scrollWidth > e.clientWidth && e.clientWidth > 0).map((e) => e.outerHTML.slice(0, 120))`); len(wide) > 0 {
		t.Errorf("wider than there is space: %q", wide)
	}
	ben.Screenshot("narrow-names")
	ben.ClickOn(`[...document.querySelectorAll('button')].find((e) => name(e) === 'Dieser Raum')`)
	ben.Await("the tabs", `document.querySelector('dialog.panel[open] .tabs')?.clientWidth > 0`)
	ben.settled()
	if room := read[[]int](ben, `((e) => [e.scrollWidth, e.clientWidth])(document.querySelector('.tabs'))`); room[0] > room[1] {
		t.Errorf("German tabs take %d px of %d", room[0], room[1])
	}
	ben.Screenshot("narrow-tabs")

	ann.Window(640, 320)
	for _, emoji := range []string{"👍", "🎉"} {
		ann.holds("Hello!")
		ann.Entry("React with " + emoji)
		ben.Shows("Hello!", emoji, `name(row.querySelector('.reactions') ?? row).includes(`+quoted(emoji)+`)`)
	}
	ann.holds("Hello!")
	ann.fits(`document.querySelector('.menu')`)
	ann.Screenshot("narrow-menu")
	ann.Press("Escape", 27)

	strangers := w.Person("Cat")
	for range 6 {
		strangers.Tab(door).Knock()
	}
	ann.Window(360, 640)
	ann.Await("all who knock", `document.querySelectorAll('.knock').length === 6`)
	ann.fits(`document.querySelector('.composer')`)
	if height := read[int](ann, `document.querySelector('.timeline').clientHeight`); height < 120 {
		t.Errorf("%d px are left of the conversation", height)
	}
	ann.Screenshot("narrow-knocks")
	// A page that is pulled down too far loads again: whoever does not keep the room would lose it.
	if over := read[string](ann, `getComputedStyle(document.documentElement).overscrollBehaviorY`); over != "none" {
		t.Errorf("the page can be pulled to load again: %s", over)
	}
}
