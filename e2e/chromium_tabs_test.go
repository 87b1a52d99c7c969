package e2e

import (
	"fmt"
	"testing"

	"snug/e2e/proxies"
	"snug/hub"
)

// TestTenTabsOverTwoConnections: a proxy that lets two requests go on at a time is enough for ten tabs of two rooms, in all of which can be written.
func TestTenTabsOverTwoConnections(t *testing.T) {
	w := New(t, hub.Limits{})
	w.Expect("ERR_", "status of 4", "status of 5")
	proxy, wire := behind(t, proxies.Connections{Max: 2})
	ann := w.Behind(t, "Ann", proxy.URL)
	var rooms [2][]*Page
	for n := range rooms {
		first := ann.Tab("/")
		link := first.NewRoom(false)
		rooms[n] = []*Page{first}
		for len(rooms[n]) < 5 {
			tab := ann.Tab("/" + link)
			tab.Enter(false)
			rooms[n] = append(rooms[n], tab)
		}
	}
	for n, tabs := range rooms {
		ben := w.Person(fmt.Sprint("Ben ", n)).Tab("/" + read[string](tabs[0], "location.hash"))
		ben.Enter(false)
		tabs[0].Members(2)
		var said []string
		for i, tab := range tabs {
			text := fmt.Sprintf("room %d tab %d", n, i)
			tab.Say(text)
			said = append(said, text)
			ben.Sees(said...)
		}
		ben.Say("all of it came")
		for _, tab := range tabs {
			tab.Sees(append(said, "all of it came")...)
		}
	}
	w.Hub.Await(t, "two rooms, each with Ann and Ben", func(s hub.Stats) bool { return s.Rooms == 2 && s.Members == 4 })
	wire.await(t, "one request for both rooms, and a way for all else", func() bool { return wire.open[aStream] == 0 && wire.open[aSharedPoll] == 1 })
}

// TestFiveRoomsInOneBrowser: three rooms have a stream, the two others share one request, and all of them hear and speak.
func TestFiveRoomsInOneBrowser(t *testing.T) {
	w := New(t, hub.Limits{})
	w.Expect("ERR_")
	proxy, wire := behind(t)
	forAnn := w.Behind(t, "Ann", proxy.URL)
	var rooms [5]conversation
	for n := range rooms {
		c := &rooms[n]
		c.ann = forAnn.Tab("/")
		link := c.ann.NewRoom(false)
		c.ben = w.Person("Ben").Tab("/" + link)
		c.ben.Enter(false)
		c.ann.Members(2)
		c.exchange(1)
	}
	for n := range rooms {
		want := "Live"
		if n >= 3 {
			want = "Polling"
		}
		rooms[n].ann.Settles(want)
	}
	wire.await(t, "three streams and one request for the rest", func() bool { return wire.open[aStream] == 3 && wire.open[aSharedPoll] == 1 })
	for n := range rooms {
		rooms[n].exchange(2)
	}
	wire.mu.Lock()
	if got := wire.most[aStream]; got > 3 {
		t.Errorf("%d streams at a time, want 3", got)
	}
	if got := wire.begun[aPoll]; got != 0 {
		t.Errorf("%d long polls of one room each, want none", got)
	}
	wire.mu.Unlock()

	rooms[0].ann.Leave() // its place is free
	rooms[3].ann.Settles("Live")
	for n := range rooms[1:] {
		rooms[1+n].exchange(1)
	}
	w.Hub.Await(t, "every message is freed when everyone has it", nothingHeld)
}

// TestLeaderTabCrashes: tab after tab crashes that holds the line while messages go both ways; nothing is lost and nothing shown twice.
func TestLeaderTabCrashes(t *testing.T) {
	w := New(t, hub.Limits{})
	ann := w.Person("Ann")
	tabs := []*Page{ann.Tab("/")}
	link := tabs[0].NewRoom(false)
	for len(tabs) < 4 {
		tab := ann.Tab("/" + link)
		tab.Enter(false)
		tabs = append(tabs, tab)
	}
	ben := w.Person("Ben").Tab("/" + link)
	ben.Enter(false)
	last := tabs[len(tabs)-1]
	last.Members(2)
	ben.Say("hello")
	last.Sees("hello")
	var anns, bens []string
	for n, leader := range tabs[:len(tabs)-1] {
		for i := range 3 {
			said, heard := fmt.Sprintf("Ann %d.%d", n, i), fmt.Sprintf("Ben %d.%d", n, i)
			anns, bens = append(anns, said), append(bens, heard)
			last.Say(said)
			ben.Say(heard)
			if i == 1 {
				leader.Crash()
			}
		}
		for _, one := range []*Page{last, ben} {
			one.SeesAmong("Ann ", anns...)
			one.SeesAmong("Ben ", bens...)
		}
	}
	last.Delivered()
	ben.Delivered()
	ben.Members(2) // it never looked as if Ann had left
	w.Hub.Await(t, "every message is freed when everyone has it", nothingHeld)
}
