package e2e

import (
	"context"
	"fmt"

	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"
)

// rowOf is a finder of the row that shows a message with this text.
func rowOf(text string) string {
	return `rows().find((e) => e.querySelector('.body').textContent === ` + quoted(text) + `)`
}

// Shows waits until the row of a message fits an expression in which row is its element.
func (p *Page) Shows(text, what, expression string) {
	p.t.Helper()
	p.Await(what+" at "+quoted(text), `((row) => !!row && (`+expression+`))(`+rowOf(text)+`)`, "messages()")
}

// Press presses a key of the keyboard, like ArrowUp or Escape, where the focus is.
func (p *Page) Press(key string, code int64) {
	p.t.Helper()
	p.do("presses "+key, func(ctx context.Context, t *chromedp.Target) (chromedp.Void, error) {
		down := input.DispatchKeyEventParams{Type: input.DispatchKeyEventTypeRawKeyDown, Key: key, Code: key, WindowsVirtualKeyCode: code}
		up := down
		up.Type = input.DispatchKeyEventTypeKeyUp
		_, err := chromedp.Call(ctx, input.DispatchKeyEvent, down)
		if err == nil {
			_, err = chromedp.Call(ctx, input.DispatchKeyEvent, up)
		}
		return chromedp.Void{}, err
	})
}

// Type writes into the field for messages without sending.
func (p *Page) Type(text string) {
	p.t.Helper()
	p.do("types", chromedp.SendKeys(element("field('Message')"), text))
}

// Sends types and presses Enter, whatever becomes of it.
func (p *Page) Sends(text string) {
	p.t.Helper()
	p.do("sends", chromedp.SendKeys(element("field('Message')"), text), enter)
}

// place is the middle of what a finder returns, in the window.
func (p *Page) place(finder string) (x, y float64) {
	p.t.Helper()
	at := read[[]float64](p, `((e) => { e.scrollIntoView({ block: 'nearest' }); const r = e.getBoundingClientRect(); return [r.x + r.width / 2, r.y + r.height / 2]; })(`+finder+`)`)
	return at[0], at[1]
}

// Hover moves the mouse over what a finder returns.
func (p *Page) Hover(finder string) {
	p.t.Helper()
	x, y := p.place(finder)
	p.do("points at "+finder, func(ctx context.Context, t *chromedp.Target) (chromedp.Void, error) {
		_, err := chromedp.Call(ctx, input.DispatchMouseEvent, input.DispatchMouseEventParams{Type: input.DispatchMouseEventTypeMouseMoved, X: x, Y: y, PointerType: input.DispatchMouseEventPointerTypeMouse})
		return chromedp.Void{}, err
	})
}

// Hold puts a finger on what a finder returns, until done.
func (p *Page) Hold(finder string, done func()) {
	p.t.Helper()
	x, y := p.place(finder)
	touch := func(kind input.DispatchTouchEventType, points ...*input.TouchPoint) {
		p.do("touches "+finder, func(ctx context.Context, t *chromedp.Target) (chromedp.Void, error) {
			_, err := chromedp.Call(ctx, input.DispatchTouchEvent, input.DispatchTouchEventParams{Type: kind, TouchPoints: append([]*input.TouchPoint{}, points...)})
			return chromedp.Void{}, err
		})
	}
	touch(input.DispatchTouchEventTypeTouchStart, &input.TouchPoint{X: x, Y: y})
	done()
	touch(input.DispatchTouchEventTypeTouchEnd)
}

// Menu opens what can be done with a message, by the mouse, and picks from it.
func (p *Page) Menu(text, entry string) {
	p.t.Helper()
	p.Hover(rowOf(text) + ".querySelector('.bubble')")
	bar := rowOf(text) + `.querySelector('.rowbar [aria-haspopup=menu]')`
	p.Await("the bar of "+quoted(text), `!!`+bar)
	p.do("opens the menu", chromedp.Click(element(bar)))
	p.Entry(entry)
}

// Entry picks from the open menu.
func (p *Page) Entry(entry string) {
	p.t.Helper()
	at := `[...document.querySelectorAll('.menu:popover-open [role=menuitem]')].find((e) => name(e) === ` + quoted(entry) + `)`
	p.Await("the entry "+entry, `!!`+at)
	p.do("picks "+entry, chromedp.Click(element(at)))
}

// Hidden makes the page believe that it is in a hidden tab, or shown again: the other tabs of a headless browser do not hide it.
func (p *Page) Hidden(on bool) {
	p.t.Helper()
	read[bool](p, fmt.Sprintf(`(Object.defineProperty(document, 'hidden', { configurable: true, value: %t }), document.dispatchEvent(new Event('visibilitychange')))`, on))
}

// Timer sets how long messages stay, in words.
func (p *Page) Timer(choice string) {
	p.t.Helper()
	p.Panel("Room")
	read[bool](p, `((e) => { e.value = [...e.options].find((o) => o.text === `+quoted(choice)+`).value; return e.dispatchEvent(new Event('change')); })(document.querySelector('.panel select'))`)
}
