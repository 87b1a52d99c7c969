package e2e

import (
	"context"
	_ "embed"
	"fmt"
	"strings"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"
)

// accessible is a function that tells what is wrong with a page for those who do not see or point as others do.
//
//go:embed access.js
var accessible string

// Look takes pictures of a state, light and dark, on a desktop and on a phone, and fails the test for what is wrong with it for a keyboard, a
// screen reader, weak eyes, a finger or a narrow screen. It leaves the page light and as wide as it was.
func (p *Page) Look(name string) {
	p.t.Helper()
	p.parked()
	for _, dark := range []bool{false, true} {
		for _, phone := range []bool{false, true} {
			label := name
			if dark {
				label += "-dark"
			}
			if phone {
				label += "-phone"
				p.Phone()
			} else {
				p.Desktop()
			}
			p.media("prefers-color-scheme", map[bool]string{false: "light", true: "dark"}[dark])
			p.settled()
			p.Screenshot("state-" + label)
			for _, wrong := range read[[]string](p, fmt.Sprintf("(%s)(%v)", accessible, phone)) {
				p.t.Errorf("%s: %s", label, wrong)
			}
		}
	}
	p.media("prefers-color-scheme", "light")
	p.narrow(name)
	p.Desktop()
	p.still(name)
}

// parked takes the mouse off what it points at, which a screen for fingers would not show.
func (p *Page) parked() {
	p.t.Helper()
	p.do("parks the mouse", func(ctx context.Context, _ *chromedp.Target) (chromedp.Void, error) {
		_, err := chromedp.Call(ctx, input.DispatchMouseEvent, input.DispatchMouseEventParams{Type: input.DispatchMouseEventTypeMouseMoved, X: 1, Y: 1})
		return chromedp.Void{}, err
	})
}

func (p *Page) media(feature, value string) {
	p.t.Helper()
	p.do("changes "+feature, func(ctx context.Context, _ *chromedp.Target) (chromedp.Void, error) {
		_, err := chromedp.Call(ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
			Features: []*emulation.MediaFeature{{Name: feature, Value: value}},
		})
		return chromedp.Void{}, err
	})
}

// settled waits until what moves because the page has changed has come to rest.
func (p *Page) settled() {
	p.t.Helper()
	p.Await("rest", `document.getAnimations().every((a) => a.playState !== 'running' || a.effect.getComputedTiming().iterations === Infinity)`)
}

// narrow: on the narrowest phones nothing makes the page scroll sideways.
func (p *Page) narrow(name string) {
	p.t.Helper()
	p.do("turns narrow", chromedp.EmulateViewport(320, 640, chromedp.EmulateMobile, chromedp.EmulateTouch))
	p.settled()
	if got := read[int](p, "Math.max(document.documentElement.scrollWidth, document.body.scrollWidth)"); got > 320 {
		p.t.Errorf("%s: %d px wide on a screen of 320 px", name, got)
	}
	for _, wide := range read[[]string](p, `[...document.querySelectorAll('body *')].filter((e) => shown(e) && e.getBoundingClientRect().right > innerWidth + 1 && !e.closest('.spoken, svg')
		&& !(() => { for (let at = e; at; at = at.parentElement) if (getComputedStyle(at).overflowX !== 'visible') return true; })()).map((e) => e.outerHTML.slice(0, 80))`) {
		p.t.Errorf("%s: reaches out of a screen of 320 px: %s", name, wide)
	}
	for _, away := range read[[]string](p, composed) {
		p.t.Errorf("%s: cannot be reached on a screen of 320 px: %s", name, away)
	}
	p.Screenshot("state-" + name + "-320")
}

// composed: where there is a place to write, it is in view and can be touched, and so can what sends.
const composed = `[field('Message'), button('Send')].filter(Boolean).filter((e) => {
	const { left, right, top, bottom } = e.getBoundingClientRect();
	const hit = document.elementFromPoint((left + right) / 2, (top + bottom) / 2);
	return left < 0 || right > innerWidth || top < 0 || bottom > innerHeight || !e.contains(hit);
}).map((e) => name(e))`

// still: whoever wants no motion sees none.
func (p *Page) still(name string) {
	p.t.Helper()
	p.media("prefers-reduced-motion", "reduce")
	if got := read[int](p, "document.getAnimations().filter((a) => a.playState === 'running').length"); got > 0 {
		p.t.Errorf("%s: %d animations for somebody who wants none", name, got)
	}
	p.media("prefers-reduced-motion", "no-preference")
}

// focusable is everything that a keyboard must reach, in what is in front; the pill goes when it gets to the newest message.
const focusable = `[...front().querySelectorAll('button, a[href], input, textarea, select, summary, [tabindex="0"]')].filter((e) =>
	shown(e) && !e.disabled && e.type !== 'file' && !e.closest('.spoken, .pill') && (e.type !== 'radio' || e.checked))`

// Keyboard goes through the state with the tab key, and fails the test for what it does not reach and where one does not see the focus.
func (p *Page) Keyboard(name string) {
	p.t.Helper()
	n := read[int](p, focusable+".length + 12 * document.querySelectorAll('audio, video').length") // what plays has controls of the browser's
	read[bool](p, "(document.activeElement?.blur(), globalThis.reached = new Set(), true)")
	for range n + 5 {
		p.press("Tab", "Tab", 9)
		if hidden := read[string](p, `(() => {
			const e = document.activeElement;
			if (!e || e === document.body) return '';
			reached.add(e);
			if (e.matches('audio, video')) return ''; // the browser shows which of its controls it is
			const { outlineStyle, outlineWidth } = getComputedStyle(e);
			const around = e.parentElement.closest(':focus-within:not(body, html)');
			const seen = (outlineStyle !== 'none' && parseFloat(outlineWidth) >= 1) || (e.localName === 'textarea' && getComputedStyle(around).boxShadow !== 'none');
			return seen ? '' : e.outerHTML.slice(0, 100);
		})()`); hidden != "" {
			p.t.Errorf("%s: one does not see that the focus is on %s", name, hidden)
		}
	}
	if missed := read[[]string](p, focusable+".filter((e) => !reached.has(e)).map((e) => e.outerHTML.slice(0, 100))"); len(missed) > 0 {
		p.t.Errorf("%s: the tab key does not reach\n%s", name, strings.Join(missed, "\n"))
	}
}

// press presses a key that gives no character.
func (p *Page) press(key, code string, windows int64) {
	p.t.Helper()
	p.do("presses "+key, func(ctx context.Context, _ *chromedp.Target) (chromedp.Void, error) {
		down := input.DispatchKeyEventParams{Type: input.DispatchKeyEventTypeRawKeyDown, Key: key, Code: code, WindowsVirtualKeyCode: windows}
		up := down
		up.Type = input.DispatchKeyEventTypeKeyUp
		_, err := chromedp.Call(ctx, input.DispatchKeyEvent, down)
		if err == nil {
			_, err = chromedp.Call(ctx, input.DispatchKeyEvent, up)
		}
		return chromedp.Void{}, err
	})
}

// Alone closes the panel, so that the room is seen.
func (p *Page) Alone() {
	p.t.Helper()
	if read[bool](p, `!!document.querySelector('dialog.panel[open]')`) {
		p.Click("Close")
	}
	p.Await("no panel", `!document.querySelector('dialog.panel[open]')`)
}
