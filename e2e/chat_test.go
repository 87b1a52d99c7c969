package e2e

import (
	"strings"
	"testing"

	"snug/hub"
)

func nothingHeld(s hub.Stats) bool { return s.Messages == 0 }

func TestTwoBrowsersChat(t *testing.T) {
	w := New(t, hub.Limits{})
	ann := w.Person("Ann").Tab("/")
	ann.Await("the start screen", `!!button('Open a new room')`)
	ann.Screenshot("start")
	link := ann.NewRoom(false)
	ann.Screenshot("room-empty")

	ben := w.Person("Ben").Tab("/" + link)
	ben.Phone()
	ben.Dark(true)
	ben.Await("the door", `!!field('Your name')`)
	ben.Screenshot("door-phone-dark")
	ben.Enter(false)
	ann.Members(2)
	ben.Members(2)

	ann.Say("Is anybody here?")
	ben.Sees("Is anybody here?")
	ben.Say("I am. Through the office proxy, too.")
	ann.Sees("Is anybody here?", "I am. Through the office proxy, too.")
	ann.Delivered()
	ben.Delivered()
	w.Hub.Await(t, "every message is freed when everyone has it", nothingHeld)
	ann.Screenshot("room")
	ben.Screenshot("room-phone-dark")

	ann.Leave()
	ben.Members(1)
	ben.Leave()
	w.Hub.Await(t, "a room without members is gone with all its bytes", func(s hub.Stats) bool {
		return s.Rooms == 0 && s.Bytes == 0
	})
}

func TestNewcomerSeesOnlyWhatComesAfter(t *testing.T) {
	w := New(t, hub.Limits{})
	ann := w.Person("Ann").Tab("/")
	link := ann.NewRoom(false)
	ben := w.Person("Ben").Tab("/" + link)
	ben.Enter(false)
	ann.Members(2)
	ann.Say("before")
	ben.Sees("before")

	cat := w.Person("Cat").Tab("/" + link)
	cat.Enter(false)
	ann.Members(3)
	ben.Members(3)
	ann.Say("after")
	cat.Sees("after")
	ben.Sees("before", "after")
	cat.Say("hello from the newcomer")
	ann.Sees("before", "after", "hello from the newcomer")
	w.Hub.Await(t, "every message is freed when everyone has it", nothingHeld)
}

func TestComesBackToWhatWasMissed(t *testing.T) {
	w := New(t, hub.Limits{})
	ann := w.Person("Ann").Tab("/")
	link := ann.NewRoom(false)
	ben := w.Person("Ben")
	tab := ben.Tab("/" + link)
	tab.Enter(true)
	ann.Members(2)
	ann.Say("one")
	tab.Sees("one")
	w.Hub.Await(t, "the first message is freed", nothingHeld)

	tab.Close()
	missed := []string{"two", "three", "four"}
	for _, text := range missed {
		ann.Say(text)
	}
	w.Hub.Await(t, "what Ben is owed is kept", func(s hub.Stats) bool { return s.Messages >= len(missed) && s.Members == 2 })

	again := ben.Tab("/")
	again.ComeBack("Private room")
	again.Sees(missed...)
	ann.Members(2)
	ann.Delivered()
	w.Hub.Await(t, "what Ben missed is freed when he has it", nothingHeld)
	again.Say("I have read it all.")
	ann.Sees("one", "two", "three", "four", "I have read it all.")
}

// TestRelayCrashes: what is said while the relay is down arrives when an empty one is up again, once and in order.
func TestRelayCrashes(t *testing.T) {
	w := New(t, hub.Limits{})
	ann := w.Person("Ann").Tab("/")
	ben := w.Person("Ben").Tab("/" + ann.NewRoom(false))
	ben.Enter(false)
	ann.Members(2)
	ann.Say("before")
	ben.Sees("before")
	w.Hub.Await(t, "the first message is freed", nothingHeld)

	w.Expect("ERR_", "status of 401")
	w.Crash()
	ann.Say("while it is down")
	ann.Await("words about the network", `!!button('Connection: Offline')`)
	ann.Screenshot("room-offline")
	w.Restart()
	ben.Sees("before", "while it is down")
	ann.Delivered()
	ben.Say("after")
	ann.Sees("before", "while it is down", "after")
	ann.Members(2)
	w.Hub.Await(t, "every message is freed when everyone has it", nothingHeld)
}

func TestPassphraseRoom(t *testing.T) {
	w := New(t, hub.Limits{})
	ann, ben := w.Person("Ann").Tab("/"), w.Person("Ben").Tab("/")
	ann.Passphrase("Stammtisch", "seven words that nobody would ever guess")
	ben.Passphrase(" stammtisch ", "seven words that nobody would ever guess")
	ann.Members(2)
	ann.Say("Prost!")
	ben.Sees("Prost!")
	w.Hub.Await(t, "every message is freed when everyone has it", nothingHeld)
}

// TestTextStaysText: what looks like markup arrives as the characters it was typed as, and runs nothing.
func TestTextStaysText(t *testing.T) {
	w := New(t, hub.Limits{})
	ann := w.Person("Ann").Tab("/")
	ben := w.Person("Ben").Tab("/" + ann.NewRoom(false))
	ben.Enter(false)
	ann.Members(2)
	text := `<img src=x onerror="document.title='owned'"><script>alert(1)</script>`
	ann.Say(text)
	ben.Sees(text)
	if title := read[string](ben, "document.title"); strings.Contains(title, "owned") {
		t.Errorf("the page's title is %q", title)
	}
}

// TestHarnessSeesProblems: a page that throws, or does what its security policy forbids, fails its test.
func TestHarnessSeesProblems(t *testing.T) {
	w := New(t, hub.Limits{})
	page := w.Person("Eve").Tab("/")
	page.Await("the start screen", `!!button('Open a new room')`)
	read[bool](page, `setTimeout(() => { throw new Error('thrown') }) > 0`)
	read[bool](page, `(new Image().src = 'https://example.invalid/x.png') !== ''`)
	read[bool](page, `!console.error('logged')`)
	read[bool](page, `void Promise.reject(new Error('rejected')) === undefined`)
	page.Await("another turn of the loop", `!(window.turns ??= 3) || --window.turns < 1`)
	page.Close()
	w.readers.Wait()
	found := strings.Join(w.Problems(), "\n")
	for _, want := range []string{"thrown", "rejected", "Content Security Policy", "logged"} {
		if !strings.Contains(found, want) {
			t.Errorf("the harness did not see %q; it saw %q", want, found)
		}
	}
}

// TestMidnight: a day that is over is not called today any more, whether the page sees it end or was asleep.
func TestMidnight(t *testing.T) {
	w := New(t, hub.Limits{})
	ann := w.Person("Ann").Tab("/")
	ann.NewRoom(false)
	ann.Say("good night")
	days := `JSON.stringify([...document.querySelectorAll('.day')].map(name))`
	ann.Await("today", days+` === '["Today"]'`, days)
	// The page's clock stands a second before the end of its day, and goes on from there.
	clock := `((Real) => {
		const ahead = new Real().setHours(24, 0, 0, 0) - 1000 - Real.now();
		globalThis.days = 0;
		globalThis.Date = class extends Real {
			constructor(...at) { super(...(at.length ? at : [globalThis.Date.now()])); }
			static now() { return Real.now() + ahead + globalThis.days * 86_400_000; }
		};
		return document.dispatchEvent(new Event('visibilitychange'));
	})(Date)`
	read[bool](ann, clock)
	ann.Await("yesterday", days+` === '["Yesterday"]'`, days)
	ann.Say("good morning")
	ann.Await("two days", days+` === '["Yesterday","Today"]'`, days)
	read[bool](ann, `(globalThis.days = 1, document.dispatchEvent(new Event('visibilitychange')))`)
	ann.Await("the day after", `[...document.querySelectorAll('.day')].map(name).at(1) === 'Yesterday' && !`+days+`.includes('Today')`, days)
}
