package e2e

import (
	"fmt"
	"testing"

	"snug/hub"
)

// TestTenTabsAreTwoMembers: all tabs of a browser are one member in a room, with one stream, and each of them sends. Ten tabs with a
// stream each would leave HTTP/1.1's six connections no way to send.
func TestTenTabsAreTwoMembers(t *testing.T) {
	w := New(t, hub.Limits{})
	ann := w.Person("Ann")
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
	w.Hub.Await(t, "two members with a stream each", func(s hub.Stats) bool {
		return s.Rooms == 2 && s.Members == 2 && s.Subscriptions == 2
	})

	for n, tabs := range rooms {
		var said []string
		for i, tab := range tabs {
			text := fmt.Sprintf("room %d tab %d", n, i)
			tab.Say(text)
			said = append(said, text)
			for _, other := range tabs {
				other.Sees(said...)
			}
		}
	}
	if s := w.Hub.Stats(); s.Members != 2 || s.Subscriptions != 2 {
		t.Errorf("after ten tabs have sent, the hub has %d members and %d streams, want 2 and 2", s.Members, s.Subscriptions)
	}
}

// TestLeaderTabCloses: the tab that held the line is closed; another goes on as the same member, nothing is lost and nothing shown twice.
func TestLeaderTabCloses(t *testing.T) {
	w := New(t, hub.Limits{})
	ann := w.Person("Ann")
	leader := ann.Tab("/")
	link := leader.NewRoom(false)
	second, third := ann.Tab("/"+link), ann.Tab("/"+link)
	second.Enter(false)
	third.Enter(false)
	ben := w.Person("Ben").Tab("/" + link)
	ben.Enter(false)
	second.Members(2)

	ben.Say("one")
	second.Sees("one")
	third.Sees("one")
	third.Say("two")
	ben.Sees("one", "two")

	leader.Close()
	ben.Say("three")
	second.Sees("one", "two", "three")
	third.Sees("one", "two", "three")
	third.Say("four")
	ben.Sees("one", "two", "three", "four")
	second.Sees("one", "two", "three", "four")
	third.Delivered()
	ben.Members(2) // it never looked as if Ann had left
	w.Hub.Await(t, "every message is freed when everyone has it", nothingHeld)
}
