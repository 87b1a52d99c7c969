package e2e

import (
	"fmt"
	"testing"

	"snug/hub"
)

// TestFilesInTabs: a tab that follows sends, fetches and shows files; when the tab that led is closed, the other goes on.
func TestFilesInTabs(t *testing.T) {
	w := New(t, hub.Limits{ChunkRoomBytes: 4 << 20})
	w.Expect("status of 404", "status of 410", "status of 429", "status of 401")
	person := w.Person("Ann")
	first := person.Tab("/")
	fragment := first.NewRoom(true)
	second := person.Tab("/" + fragment)
	second.Enter(true)
	ben := w.Person("Ben").Tab("/" + fragment)
	ben.Enter(false)
	ben.Members(2)
	second.Members(2)
	hash := second.Drops("drop", "from-a-follower.bin", "application/octet-stream", 200_000)
	second.SendsFiles()
	for _, p := range []*Page{ben, first, second} {
		p.HasFile(hash)
	}
	hash = ben.Drops("drop", "to-both.bin", "application/octet-stream", 200_000)
	ben.SendsFiles()
	for _, p := range []*Page{first, second} {
		p.HasFile(hash)
	}
}

// TestFileHandedOver: whether the tab that sends a file is closed in the middle of it or crashes, the next goes on with it.
func TestFileHandedOver(t *testing.T) {
	w := New(t, hub.Limits{ChunkRoomBytes: 4 << 20})
	w.Expect("status of 404", "status of 410", "status of 429", "status of 401")
	person := w.Person("Ann")
	tabs := []*Page{person.Tab("/")}
	fragment := tabs[0].NewRoom(true)
	for len(tabs) < 3 {
		tab := person.Tab("/" + fragment)
		tab.Enter(true)
		tabs = append(tabs, tab)
	}
	ben := w.Person("Ben").Tab("/" + fragment)
	ben.Enter(false)
	read[bool](ben, `(globalThis.showSaveFilePicker = undefined, true)`)
	for n, end := range []func(*Page){(*Page).Close, (*Page).Crash} {
		leader, next := tabs[n], tabs[n+1]
		next.Members(2)
		hash := leader.Drops("drop", fmt.Sprintf("handed-over-%d.bin", n), "application/octet-stream", 12_000_000)
		leader.SendsFiles()
		ben.Transfers("offered")
		next.Transfers("offered")
		ben.Click("Get 12 MB")
		ben.files("some of it", `box().querySelector('progress').value > 0.1`)
		end(leader)
		ben.HasFile(hash)
	}
}
