package e2e

import (
	"fmt"
	"io/fs"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"

	"snug/hub"
	"snug/static"
)

// installed waits until the worker has a whole set of the page's files and looks after this tab.
func (p *Page) installed() {
	p.t.Helper()
	p.Await("the service worker", `!!navigator.serviceWorker.controller && !!document.querySelector('link[rel=manifest]') &&
		(await Promise.all((await caches.keys()).map(async (name) => (await caches.open(name)).match('/files.json')))).filter(Boolean).length === 1`)
}

// edited is the page with one file of it changed.
type edited struct {
	fs.FS
	name string
	file fs.FS
}

func (e edited) Open(name string) (fs.File, error) {
	if name == e.name {
		return e.file.Open(name)
	}
	return e.FS.Open(name)
}

// TestInstalledApp: the browser would install the page; without a network it opens, and with one it is never older than the relay's.
func TestInstalledApp(t *testing.T) {
	w := New(t, hub.Limits{})
	person := w.Person("Ann")
	ann := person.Tab("/")
	ann.installed()
	manifest, err := chromedp.Call(ann.ctx, page.GetAppManifest, page.GetAppManifestParams{})
	if err != nil || len(manifest.Errors) > 0 || !strings.HasSuffix(manifest.URL, "/manifest.webmanifest") {
		t.Errorf("the manifest: %+v, %v", manifest, err)
	}
	hurdles, err := chromedp.Call(ann.ctx, page.GetInstallabilityErrors, cdp.Empty{})
	if err != nil {
		t.Error(err)
	}
	for _, hurdle := range hurdles.InstallabilityErrors {
		if hurdle.ErrorID != "in-incognito" { // as every profile of a test is
			t.Errorf("it cannot be installed: %s", hurdle.ErrorID)
		}
	}

	w.Expect("ERR_", "status of 401")
	w.Crash()
	offline := person.Tab("/")
	offline.Await("the start screen without a network", `!!button('Open a new room')`)
	offline.Click("Enter with a passphrase") // a module that this tab did not have before
	offline.Await("the way in by passphrase", `!!field('Room name')`)
	offline.Close()

	index, err := static.Files.ReadFile("index.html")
	if err != nil {
		t.Fatal(err)
	}
	newer := strings.Replace(string(index), "<title>", `<meta name="edition" content="newer"><title>`, 1)
	w.Files = edited{static.Files, "index.html", fstest.MapFS{"index.html": {Data: []byte(newer)}}}
	w.Restart()
	edition := `document.querySelector('meta[name=edition]')?.content === 'newer'`
	online := person.Tab("/")
	online.Await("the relay's newer page at once", edition)
	online.Await("its set in place of the old one", `await (async () => {
		const names = await caches.keys();
		const set = await caches.open(names[0]);
		return names.length === 1 && !!(await set.match('/files.json')) && (await (await set.match('/index.html')).text()).includes('edition');
	})()`)
	online.Close()

	read[bool](ann, `(Date.now = () => 2e12) && document.dispatchEvent(new Event('visibilitychange'))`)
	ann.Reads("There is a newer version of this page.")
	ann.Screenshot("newer")
	ann.Click("Reload")
	ann.Await("the newer page", edition)

	w.Crash()
	again := person.Tab("/")
	again.Await("the newer page without a network", edition+` && !!button('Open a new room')`, `document.head.innerHTML`, `navigator.serviceWorker.controller?.state`, `performance.getEntriesByType('navigation')[0]`)
	w.Restart()
}

// TestWorkerLeavesRoomsAlone: with the worker at work a room is live, and nothing of it is in the browser's cache. (testdata/js has what it takes.)
func TestWorkerLeavesRoomsAlone(t *testing.T) {
	w := New(t, hub.Limits{})
	person := w.Person("Ann")
	ann := person.Tab("/")
	ann.installed()
	ben := w.Person("Ben").Tab("/" + ann.NewRoom(false))
	ben.Enter(false)
	ann.Members(2)
	ann.Say("hello")
	ben.Sees("hello")
	ann.Delivered()
	ann.Await("requests that were never handed through the worker", `((all) => all.length > 1 && all.every((e) => (e.workerFinalRouterSource ?? e.workerFinalSourceType) === 'network'))(performance.getEntriesByType('resource').filter(({ name }) => /\/r\//.test(name)))`)
	ann.Await("nothing but the page's files in the browser's cache", `(await Promise.all((await caches.keys()).map(async (name) => (await (await caches.open(name)).keys()).map(({ url }) => new URL(url).pathname)))).flat().every((path) => !/^\/(r|poll)\b/.test(path))`)
}

// TestShareIntoRoom: what another app shares comes to the page by its worker, into the composer of the room that is chosen, and never to the relay.
func TestShareIntoRoom(t *testing.T) {
	w := New(t, hub.Limits{})
	person := w.Person("Ann")
	ann := person.Tab("/")
	ann.installed()
	form := fmt.Sprintf(`data:text/html,<form method=post enctype=multipart/form-data action="%s/share"><input name=title value=Trains><input name=text value="The 8:14 is late"><input name=url value="https://trains.example/814"></form><script>document.forms[0].submit()</script>`, w.URL)
	share := person.TabAt(form)
	share.Reads("Share into a room")
	share.Reads("The 8:14 is late")
	share.Screenshot("share")
	share.Click("Another room")
	share.NewRoom(false)
	share.Await("it in the composer", `field('Message').value === 'Trains\nThe 8:14 is late\nhttps://trains.example/814'`, `field('Message').value`)
	share.Sees() // not sent by itself
}

// TestNotices: what comes while nobody looks is in the title; sound and notifications are asked for, and a notification says nothing of what was said
// unless the person chose so.
func TestNotices(t *testing.T) {
	w := NewWhole(t, hub.Limits{})
	person := w.Person("Ann")
	person.Allow("notifications", true)
	ann := person.Tab("/")
	ann.installed()
	ben := w.Person("Ben").Tab("/" + ann.NewRoom(false))
	ben.Enter(false)
	ann.Members(2)
	look := func(away bool) {
		read[bool](ann, fmt.Sprintf(`Object.defineProperty(document, 'hidden', { configurable: true, get: () => %v }) && document.dispatchEvent(new Event('visibilitychange'))`, away))
	}
	notices := func(want string) {
		t.Helper()
		ann.Await("notifications "+want, `JSON.stringify((await (await navigator.serviceWorker.getRegistration()).getNotifications()).map(({ title, body }) => [title, body])) === `+quoted(want))
	}
	look(true)
	ben.Say("one")
	ben.Say("two")
	ann.unread("(2) Private room · snug")
	notices(`[]`)
	look(false)
	ann.unread("Private room · snug")

	ann.Panel("Room")
	ann.Await("the choices", `!!field('Show a notification')`)
	ann.Tick("Play a soft sound")
	ann.Tick("Show a notification")
	ann.Await("the wish kept", `localStorage.getItem('snug.notices') === '{"sound":true,"show":true}'`)
	ann.Screenshot("notices")
	look(true)
	ben.Say("three")
	notices(`[["snug","There is a new message."]]`)
	look(false)
	door := ann.KnockLink()
	look(true)
	w.Person("Dan").Tab(door).Knock()
	notices(`[["snug","Someone is knocking"]]`)
	look(false)
	ann.Click("Refuse")
	ann.Panel("Room")
	ann.Tick("With name and text in it")
	look(true)
	ben.Sends("four is ||the last||")
	notices(`[["Private room","Ben: four is Hidden text"]]`)
	look(false)

	refused := w.Person("Cat")
	refused.Allow("notifications", false)
	cat := refused.Tab("/")
	cat.NewRoom(false)
	cat.Panel("Room")
	cat.Await("the choices", `!!field('Show a notification')`)
	cat.Tick("Show a notification")
	cat.Reads("This browser does not allow notifications")
}
