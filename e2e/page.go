package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"image"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/cdproto/inspector"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// Page is one tab with the page in it. Its methods do what a person does and find things as a person does: by the
// words on a button, the label of a field, the role of a region. Each fails the test if it cannot be done.
type Page struct {
	t      testing.TB
	who    string
	behind bool
	ctx    context.Context
	end    context.CancelFunc
}

// finders are what the expressions below are made of. The browser evaluates them outside the page's security policy.
const finders = `
	const shown = (e) => e.checkVisibility({ visibilityProperty: true, opacityProperty: true });
	const name = (e) => (e.ariaLabel ?? e.textContent).replace(/\s+/g, ' ').trim();
	const front = () => [...document.querySelectorAll('dialog:modal')].at(-1) ?? document; // what can be reached now
	const buttons = () => [...front().querySelectorAll('button')].filter(shown);
	const button = (n) => buttons().find((e) => name(e) === n) ?? buttons().find((e) => name(e).startsWith(n)) ?? null;
	const field = (n) => [...front().querySelectorAll('input, textarea')].find((e) => shown(e) &&
		(e.ariaLabel === n || [...e.labels ?? []].some((l) => name(l).startsWith(n)))) ?? null;
	const rows = () => [...document.querySelectorAll('[role=log] [data-key]')].filter((e) => e.querySelector('.body'));
	const messages = () => rows().map((e) => e.querySelector('.body').textContent);
	const states = () => rows().filter((e) => e.dataset.own !== undefined).map((e) => e.dataset.state);
`

// element is a selector for what a finder returns.
func element(finder string) chromedp.JSPath {
	return chromedp.JSPath("(() => {" + finders + "return " + finder + "})()")
}

// quoted is a Go string as a JavaScript literal.
func quoted(s string) string {
	b, _ := json.Marshal(s) // strings marshal
	return string(b)
}

// Click presses the button whose name begins so.
func (p *Page) Click(button string) {
	p.t.Helper()
	p.do("presses "+button, chromedp.Click(element("button("+quoted(button)+")")))
}

// Fill types into the field with this label, over what was there.
func (p *Page) Fill(label, text string) {
	p.t.Helper()
	at := element("field(" + quoted(label) + ")")
	p.do("finds "+label, chromedp.WaitVisible(at))
	read[bool](p, "field("+quoted(label)+").select() === undefined") // so that typing replaces what was there
	p.do("fills in "+label, chromedp.SendKeys(at, text))
}

// Tick sets the mark of a check box.
func (p *Page) Tick(label string) {
	p.t.Helper()
	p.do("ticks "+label, chromedp.Click(element("field("+quoted(label)+")")))
}

// NewRoom opens a new room from the start screen and returns the fragment of its link.
func (p *Page) NewRoom(keep bool) (fragment string) {
	p.t.Helper()
	p.enter("Open a new room", keep)
	return read[string](p, "location.hash")
}

// Enter goes through the door that an invitation's link shows.
func (p *Page) Enter(keep bool) {
	p.t.Helper()
	p.enter("Enter", keep)
}

// Passphrase enters a room by name and passphrase, from the start screen.
func (p *Page) Passphrase(room, passphrase string) {
	p.t.Helper()
	p.Click("Enter with a passphrase")
	p.Fill("Room name", room)
	p.Fill("Passphrase", passphrase)
	p.enter("Enter", false)
}

// ComeBack enters a room that is kept on this device, from the start screen.
func (p *Page) ComeBack(room string) {
	p.t.Helper()
	p.Click(room)
	p.inside()
}

func (p *Page) enter(button string, keep bool) {
	p.t.Helper()
	p.Fill("Your name", p.who)
	if keep {
		p.Tick("Keep this room")
	}
	p.Click(button)
	p.inside()
}

// inside waits until the room is shown and its connection is live, or behind a proxy at least at work.
func (p *Page) inside() {
	p.t.Helper()
	works := `!!button('Connection: Live')`
	if p.behind {
		works = `!!(button('Connection: Live') ?? button('Connection: Polling'))`
	}
	p.Await("a room that works", `!!document.querySelector('[role=log]') && `+works)
}

// Members waits until the room has that many members.
func (p *Page) Members(n int) {
	p.t.Helper()
	p.Await(fmt.Sprintf("%d members", n), fmt.Sprintf(`!!button('People: %d')`, n))
}

// Say sends a message.
func (p *Page) Say(text string) {
	p.t.Helper()
	at := element("field('Message')")
	p.do("writes", chromedp.SendKeys(at, text), enter)
	p.Await("the own message "+quoted(text), `messages().includes(`+quoted(text)+`) && field('Message').value === ''`)
}

// enter presses the key as a keyboard does: one event that the page may prevent. chromedp.SendKeys would send the
// character apart from the key, so that the field gets a line break after the message is sent.
func enter(ctx context.Context, t *chromedp.Target) (chromedp.Void, error) {
	return press(ctx, input.DispatchKeyEventParams{Key: "Enter", Code: "Enter", WindowsVirtualKeyCode: 13, Text: "\r"})
}

const alt = 1 // a modifier, as DevTools has it

// altDown presses Alt and the arrow down.
func altDown(ctx context.Context, _ *chromedp.Target) (chromedp.Void, error) {
	return press(ctx, input.DispatchKeyEventParams{Key: "ArrowDown", Code: "ArrowDown", WindowsVirtualKeyCode: 40, Modifiers: alt})
}

func press(ctx context.Context, key input.DispatchKeyEventParams) (chromedp.Void, error) {
	key.Type = input.DispatchKeyEventTypeKeyDown
	_, err := chromedp.Call(ctx, input.DispatchKeyEvent, key)
	if err == nil {
		key.Type, key.Text = input.DispatchKeyEventTypeKeyUp, ""
		_, err = chromedp.Call(ctx, input.DispatchKeyEvent, key)
	}
	return chromedp.Void{}, err
}

// ClickOn presses what a finder finds.
func (p *Page) ClickOn(finder string) {
	p.t.Helper()
	p.do("presses "+finder, chromedp.Click(element(finder)))
}

// Sees waits until the conversation is exactly these messages, in this order.
func (p *Page) Sees(want ...string) {
	p.t.Helper()
	list, _ := json.Marshal(append([]string{}, want...)) // strings marshal
	p.Await("the conversation "+string(list), `JSON.stringify(messages()) === JSON.stringify(`+string(list)+`)`, "messages()")
}

// SeesAmong waits until the messages that begin so are exactly these, in this order, whatever is between them.
func (p *Page) SeesAmong(prefix string, want ...string) {
	p.t.Helper()
	list, _ := json.Marshal(want) // strings marshal
	these := `JSON.stringify(messages().filter((m) => m.startsWith(` + quoted(prefix) + `)))`
	p.Await("among others "+string(list), these+` === JSON.stringify(`+string(list)+`)`, "messages()")
}

// Delivered waits until each of the own messages is with everyone.
func (p *Page) Delivered() {
	p.t.Helper()
	p.Await("own messages with everyone", `states().length > 0 && states().every((s) => s === 'all')`, "states()")
}

// Leave leaves the room for good.
func (p *Page) Leave() {
	p.t.Helper()
	p.Panel("Room")
	p.Click("Leave")
	p.Await("the question", `name(front()).includes('Leave this room?')`)
	p.Click("Leave")
	p.Await("the start screen", `!!button('Open a new room')`)
}

// Recipe opens the terminal's panel and returns the shell function that it shows.
func (p *Page) Recipe() string {
	p.t.Helper()
	p.Panel("Terminal")
	p.Await("the recipe", `!!document.querySelector('pre.recipe')`)
	return read[string](p, "document.querySelector('pre.recipe').textContent")
}

// Await returns when the expression, made of finders, is true. When it never is, the failure shows the alternatives.
func (p *Page) Await(what, expression string, instead ...string) {
	p.t.Helper()
	// A change of the document, or a tenth of a second for what is no change of it, asks again.
	wait := `(async () => {` + finders + `
		for (;;) {
			try { if (` + expression + `) return true; } catch {}
			await new Promise((done) => {
				const seen = new MutationObserver(() => finish());
				const finish = () => { seen.disconnect(); clearTimeout(late); done(); };
				const late = setTimeout(finish, 100);
				seen.observe(document, { subtree: true, childList: true, attributes: true, characterData: true });
			});
		}
	})()`
	ctx, cancel := context.WithTimeout(p.ctx, patience)
	defer cancel()
	_, err := chromedp.Run(ctx, chromedp.Evaluate[bool](wait, awaitPromise))
	if err != nil {
		p.fail("waits for "+what, err, instead...)
	}
}

func awaitPromise(p *runtime.EvaluateParams) {
	yes := true
	p.AwaitPromise = &yes
}

// read evaluates an expression made of finders.
func read[T any](p *Page, expression string) T {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, patience)
	defer cancel()
	v, err := chromedp.Run(ctx, chromedp.Evaluate[T]("(() => {"+finders+"return "+expression+"})()"))
	if err != nil {
		p.fail("reads "+expression, err)
	}
	return v
}

func (p *Page) do(what string, steps ...chromedp.Action[chromedp.Void]) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, patience)
	defer cancel()
	if err := chromedp.Do(ctx, steps...); err != nil {
		p.fail(what, err)
	}
}

// fail ends the test with a picture and the words on the page.
func (p *Page) fail(what string, err error, instead ...string) {
	p.t.Helper()
	p.Screenshot("failed-" + strings.ReplaceAll(p.t.Name(), "/", "-") + "-" + p.who)
	text := read[string](p, "document.body.innerText")
	for _, expression := range instead {
		text += "\n" + expression + ": " + read[string](p, "JSON.stringify("+expression+")")
	}
	p.t.Fatalf("%s %s: %v; the page says\n%s", p.who, what, err, text)
}

// Phone makes the tab as large as a phone's.
func (p *Page) Phone() {
	p.t.Helper()
	p.do("turns into a phone", chromedp.EmulateViewport(390, 844, chromedp.EmulateScale(2), chromedp.EmulateMobile, chromedp.EmulateTouch))
}

// Dark asks for dark colours, or for light ones.
func (p *Page) Dark(on bool) {
	p.t.Helper()
	value := "light"
	if on {
		value = "dark"
	}
	p.do("changes colours", func(ctx context.Context, t *chromedp.Target) (chromedp.Void, error) {
		_, err := chromedp.Call(ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
			Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: value}},
		})
		return chromedp.Void{}, err
	})
}

// Speaks makes the browser ask for these languages.
func (p *Page) Speaks(languages string) {
	p.t.Helper()
	agent := read[string](p, "navigator.userAgent")
	p.do("speaks "+languages, func(ctx context.Context, _ *chromedp.Target) (chromedp.Void, error) {
		_, err := chromedp.Call(ctx, emulation.SetUserAgentOverride, emulation.SetUserAgentOverrideParams{UserAgent: agent, AcceptLanguage: languages})
		return chromedp.Void{}, err
	})
}

// Goes opens another path of the same relay in the tab.
func (p *Page) Goes(path string) {
	p.t.Helper()
	p.do("goes to "+path, chromedp.Navigate(read[string](p, "location.origin")+path))
}

// Desktop makes the tab as large as it was at first.
func (p *Page) Desktop() {
	p.t.Helper()
	p.do("turns into a desktop", chromedp.EmulateViewport(1280, 800))
}

// Screenshot saves what the tab shows as NAME.png, and gives it; nil if there is none.
func (p *Page) Screenshot(name string) image.Image {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, 10*time.Second)
	defer cancel()
	data, err := chromedp.Run(ctx, chromedp.CaptureScreenshot())
	if err != nil {
		p.t.Errorf("screenshot %s: %v", name, err)
		return nil
	}
	picture, err := png.Decode(bytes.NewReader(data))
	if err != nil {
		p.t.Errorf("screenshot %s: %v", name, err)
	}
	if err := os.WriteFile(filepath.Join(screenshots(p.t), name+".png"), data, 0o644); err != nil {
		p.t.Error(err)
	}
	return picture
}

// Crash ends the tab as a crash does: nothing in it runs any more, not even a farewell.
func (p *Page) Crash() {
	p.t.Helper()
	p.do("crashes", func(ctx context.Context, _ *chromedp.Target) (chromedp.Void, error) {
		if _, err := chromedp.Call(ctx, inspector.Enable, cdp.Empty{}); err != nil {
			return chromedp.Void{}, err
		}
		events, stop := context.WithCancel(ctx)
		defer stop()
		crashes := chromedp.Events(events, inspector.TargetCrashed)
		go chromedp.Call(events, page.Crash, cdp.Empty{}) // nobody is left to answer
		for _, err := range crashes {
			return chromedp.Void{}, err
		}
		return chromedp.Void{}, ctx.Err()
	})
}

// Close closes the tab, as a person does who says nothing to anybody.
func (p *Page) Close() { p.end() }
