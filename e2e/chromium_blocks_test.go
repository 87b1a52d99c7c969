package e2e

import (
	"io"
	"net/http"
	"testing"

	"snug/e2e/proxies"
	"snug/hub"
)

// TestChromiumBehindTotalBlock: behind a total block each message waits and says why; when the block lifts, all arrive once and in order.
func TestChromiumBehindTotalBlock(t *testing.T) {
	w := New(t, hub.Limits{})
	w.Expect("ERR_", "status of 4", "Failed to load module script", "A bad HTTP response code") // what the page fetches meanwhile, and its worker
	for name, c := range map[string]struct {
		block  proxies.Habit
		reason string // part of it
	}{
		"block page":          {proxies.Blocked{}, "refuses this (403)"},
		"block page with 200": {proxies.Blocked{Disguise: true}, "a page instead"},
		"login":               {loginPage{}, "login (407)"},
	} {
		t.Run(name, func(t *testing.T) {
			proxy, wire := behind(t)
			ann := w.Behind(t, "Ann", proxy.URL).Tab("/")
			ben := w.Person("Ben").Tab("/" + ann.NewRoom(false))
			ben.Enter(false)
			ann.Members(2)
			ann.Say("before")
			ben.Sees("before")

			proxy.Become(wire, c.block)
			wire.cut()
			for _, text := range []string{"one", "two", "three"} {
				ann.Say(text)
			}
			ben.Say("from outside")
			ann.Await("words about what is in between", `!!button('Connection: Blocked')`)
			ann.Await("why it waits", `rows().some((e) => e.querySelector('.why')?.textContent.includes(`+quoted(c.reason)+`))`)
			ann.Await("all of it waiting", `JSON.stringify(states().slice(1)) === '["queued","queued","queued"]'`, "states()")
			ben.Sees("before", "from outside")

			proxy.Become(wire)
			ben.Sees("before", "from outside", "one", "two", "three")
			ann.Sees("before", "one", "two", "three", "from outside")
			ann.Delivered()
			ann.Await("no reason left", `!document.querySelector('[role=log] .why')`)
			ann.Settles("Live")
		})
	}
}

// loginPage is a habit: it asks for a login by a page alone. For the challenge of proxies.Login the browser itself asks the person, and the page
// hears nothing until they have answered.
type loginPage struct{}

func (loginPage) Wrap(http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		w.WriteHeader(http.StatusProxyAuthRequired)
		io.WriteString(w, "<!doctype html><h1>Who are you?</h1>")
	})
}

// TestChromiumObstacleGoes: when answers are held back no more, both pages come back to live ones: one because the machine has a network again,
// the other because somebody looks at it. What is said meanwhile arrives once and in order.
func TestChromiumObstacleGoes(t *testing.T) {
	w := New(t, hub.Limits{})
	w.Expect("ERR_", "status of 4")
	forAnn, annsWire := behind(t, proxies.Hold{})
	forBen, bensWire := behind(t, proxies.Hold{})
	c := &conversation{ann: w.Behind(t, "Ann", forAnn.URL).Tab("/")}
	c.ben = w.Behind(t, "Ben", forBen.URL).Tab("/" + c.ann.NewRoom(false))
	c.ben.Enter(false)
	c.ann.Members(2)
	for _, one := range []*Page{c.ann, c.ben} {
		one.Settles("Polling")
	}
	c.exchange(1)

	forAnn.Become(annsWire)
	forBen.Become(bensWire)
	read[bool](c.ann, `dispatchEvent(new Event('online'))`)
	read[bool](c.ben, `document.dispatchEvent(new Event('visibilitychange', { bubbles: true }))`)
	c.exchangeUntil(t, "both are live", func() bool { return c.ann.Chip() == "Live" && c.ben.Chip() == "Live" })
	c.exchange(2)
	w.Hub.Await(t, "every message is freed when everyone has it", nothingHeld)
}
