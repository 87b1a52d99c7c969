package e2e

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/chromedp/cdproto/browser"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/target"
	"github.com/chromedp/chromedp"

	"snug/hub"
)

// World is a relay for one test, and the people around it.
type World struct {
	*Relay
	t       testing.TB
	browser context.Context

	mu       sync.Mutex
	problems []string       // guarded by mu
	expected []string       // guarded by mu
	readers  sync.WaitGroup // one for each page's console
}

// New starts a relay with the limits, for people in the browser that most tests share. Without a browser on the machine it skips
// the test, or fails it if SNUG_TEST_ALL is set. Benchmarks are of the whole browser.
func New(t testing.TB, limits hub.Limits) *World {
	t.Helper()
	if _, figures := t.(*testing.B); figures {
		return NewWhole(t, limits)
	}
	return newWorld(t, limits, engine)
}

// NewWhole is New with the browser that people have, for what the engine alone has not: notifications, a viewer for PDF.
func NewWhole(t testing.TB, limits hub.Limits) *World {
	t.Helper()
	return newWorld(t, limits, whole)
}

func newWorld(t testing.TB, limits hub.Limits, start func() (context.Context, error)) *World {
	t.Helper()
	browser, err := start()
	if errors.Is(err, errNoBrowser) {
		Skip(t, err.Error())
	}
	if err != nil {
		t.Fatal(err)
	}
	w := &World{t: t, Relay: startRelay(t, limits), browser: browser}
	w.Expect("status of 409") // tells a sender that the members have changed; part of the protocol
	t.Cleanup(func() {
		w.readers.Wait()
		for _, p := range w.problems {
			t.Error(p)
		}
	})
	return w
}

var errNoBrowser = errors.New("no browser: install one with `apt-get install chromium`")

// A browser starts when the first test wants it, and serves all: a start costs seconds, and what separates people, and the tests, is their profiles.
var (
	// whole is a browser of the Chromium family. It fails with errNoBrowser.
	whole = sync.OnceValues(func() (context.Context, error) {
		for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
			if path, err := exec.LookPath(name); err == nil {
				return startBrowser(path)
			}
		}
		return nil, errNoBrowser
	})

	// engine is Chromium without all that is around the page, whose tests take half of the time; where it is not installed, the whole browser.
	engine = sync.OnceValues(func() (context.Context, error) {
		if path, err := exec.LookPath("chromium-headless-shell"); err == nil {
			return startBrowser(path)
		}
		return whole()
	})
)

func startBrowser(path string) (context.Context, error) {
	dir, err := os.MkdirTemp("", "snug-e2e-")
	if err != nil {
		return nil, err
	}
	allocator, endAllocator := chromedp.NewExecAllocator(context.Background(), append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(path),
		chromedp.NoSandbox, // tests run as root in containers
		chromedp.DisableGPU,
		chromedp.UserDataDir(filepath.Join(dir, "data")),
		chromedp.WindowSize(1280, 800),
		chromedp.Flag("lang", "en-US"),
		chromedp.Flag("disable-quic", true),
		chromedp.Flag("disable-component-update", true),
		chromedp.Env("LANGUAGE=en", "HOME="+dir),
	)...)
	browser, endBrowser := chromedp.NewContext(allocator)
	browsers.Lock()
	defer browsers.Unlock()
	browsers.ends = append(browsers.ends, func() error {
		endBrowser()
		endAllocator()
		return os.RemoveAll(dir)
	})
	if err := chromedp.Do(browser); err != nil {
		return nil, fmt.Errorf("start %s: %w", path, err)
	}
	return browser, nil
}

var browsers struct {
	sync.Mutex
	ends []func() error // guarded by Mutex
}

// endBrowsers is for when all tests are through.
func endBrowsers() error {
	browsers.Lock()
	defer browsers.Unlock()
	var all []error
	for _, end := range browsers.ends {
		all = append(all, end())
	}
	return errors.Join(all...)
}

// Skip skips a test for want of a tool, saying how to get it. With SNUG_TEST_ALL set, as in .ci/run, it fails.
func Skip(t testing.TB, how string) {
	t.Helper()
	if os.Getenv("SNUG_TEST_ALL") != "" {
		t.Fatal(how)
	}
	t.Skip(how)
}

// Person is somebody with a browser profile of their own: own storage, own cache, nothing shared with the others.
type Person struct {
	Name    string
	w       *World
	t       testing.TB
	profile context.Context
	origin  string // of the relay, as this person knows it
	behind  bool   // something may be in between, so polling will do
}

// Person brings in somebody new, whom nothing keeps from the relay.
func (w *World) Person(name string) *Person {
	w.t.Helper()
	return w.person(w.t, name, w.URL)
}

// Behind brings in somebody new whose browser goes through a proxy, for the time of t.
func (w *World) Behind(t testing.TB, name string, proxy *url.URL) *Person {
	t.Helper()
	p := w.person(t, name, "http://"+w.addr, func(c *target.CreateBrowserContextParams) {
		c.ProxyServer, c.ProxyBypassList = proxy.Host, "<-loopback>" // or it would go to loopback addresses directly
	})
	p.behind = true
	return p
}

// At brings in somebody new who knows the relay by another address, that of a reverse proxy.
func (w *World) At(t testing.TB, name string, reverse *url.URL) *Person {
	t.Helper()
	p := w.person(t, name, reverse.String())
	p.behind = true
	return p
}

func (w *World) person(t testing.TB, name, origin string, options ...chromedp.CreateBrowserContextOption) *Person {
	t.Helper()
	profile, end := chromedp.NewContext(w.browser, chromedp.WithNewBrowserContext(options...))
	t.Cleanup(end)
	if err := chromedp.Do(profile); err != nil { // an empty tab keeps the profile when all others are closed
		t.Fatal(err)
	}
	return &Person{Name: name, w: w, t: t, profile: profile, origin: origin}
}

// Tab opens a new tab of this person at a path of the relay, like / or /#….
func (p *Person) Tab(path string) *Page {
	p.t.Helper()
	return p.TabAt(p.origin + path)
}

// TabAt opens a new tab of this person at any address: a proxy in front of the relay, or a local page.
func (p *Person) TabAt(url string) *Page {
	p.t.Helper()
	tab, end := chromedp.NewContext(p.profile)
	page := &Page{t: p.t, who: p.Name, behind: p.behind, ctx: tab, end: end}
	p.t.Cleanup(page.Close)
	p.w.readConsole(page)
	err := chromedp.Do(tab, chromedp.EmulateViewport(1280, 800)) // makes the tab, which must outlive the time below
	if err == nil {                                              // or the browser records requests for us, with their bodies: that makes large ones several times as slow as the page's user has them
		_, err = chromedp.Call(tab, network.Disable, cdp.Empty{})
	}
	if err == nil {
		ctx, cancel := context.WithTimeout(tab, patience)
		defer cancel()
		err = chromedp.Do(ctx, chromedp.Navigate(url))
	}
	if err != nil {
		p.t.Fatalf("%s opens %s: %v", p.Name, url, err)
	}
	return page
}

// Allow gives the page a permission that the browser would ask for, or refuses it.
func (p *Person) Allow(permission string, yes bool) {
	p.t.Helper()
	setting := browser.PermissionSettingGranted
	if !yes {
		setting = browser.PermissionSettingDenied
	}
	_, err := chromedp.CallBrowser(p.profile, browser.SetPermission, browser.SetPermissionParams{
		Permission: &browser.PermissionDescriptor{Name: permission}, Setting: setting, Origin: p.origin,
		BrowserContextID: chromedp.FromContext(p.profile).BrowserContextID,
	})
	if err != nil {
		p.t.Fatal(err)
	}
}

// Expect makes console lines with this text no problem from now on. The browser reports every failed request.
func (w *World) Expect(text ...string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.expected = append(w.expected, text...)
}

// readConsole collects what goes wrong in the page until it is closed.
func (w *World) readConsole(page *Page) {
	messages := chromedp.Console(page.ctx)
	w.readers.Go(func() {
		for m, err := range messages {
			if err != nil {
				return // the tab is closed
			}
			if m.IsException() || m.Type == chromedp.ConsoleError || m.Source == "security" {
				w.report(m.Text, fmt.Sprintf("%s's console: %s (%s:%d)", page.who, m, m.URL, m.Line+1))
			}
		}
	})
}

func (w *World) report(text, problem string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !slices.ContainsFunc(w.expected, func(e string) bool { return strings.Contains(text, e) }) {
		w.problems = append(w.problems, problem)
	}
}

// Problems takes the problems seen so far, for a test that provokes one.
func (w *World) Problems() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	taken := w.problems
	w.problems = nil
	return taken
}

// screenshots is where pictures go: SNUG_SCREENSHOTS, or nowhere that lasts.
func screenshots(t testing.TB) string {
	t.Helper()
	dir := os.Getenv("SNUG_SCREENSHOTS")
	if dir == "" {
		return t.TempDir()
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	abs, err := filepath.Abs(dir)
	if err != nil {
		t.Fatal(err)
	}
	return abs
}
