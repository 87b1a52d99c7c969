package e2e

import (
	"testing"

	"snug/hub"
)

// TestRelayCrashesWhileOneSleeps: what was said before and during the crash of the relay reaches those who were away as well, once and in order.
func TestRelayCrashesWhileOneSleeps(t *testing.T) {
	w := New(t, hub.Limits{})
	ann := w.Person("Ann").Tab("/")
	fragment := ann.NewRoom(false)
	ben, cat := w.Person("Ben").Tab("/"+fragment), w.Person("Cat")
	ben.Enter(false)
	tab := cat.Tab("/" + fragment)
	tab.Enter(true)
	ann.Members(3)
	ben.Members(3)
	ann.Say("one")
	ben.Sees("one")
	tab.Sees("one")
	w.Hub.Await(t, "the first message is freed", nothingHeld)
	tab.Close()
	ann.Say("two")
	ben.Sees("one", "two")

	w.Expect("ERR_", "status of 401")
	w.Crash()
	ann.Say("three")
	ann.Await("words about what waits", `!!rows().at(-1).querySelector('.why')?.textContent`)
	w.Restart()
	ben.Sees("one", "two", "three")
	w.Hub.Await(t, "Cat is known to the new relay", func(s hub.Stats) bool { return s.Members == 3 })
	ben.Say("four")
	ann.Sees("one", "two", "three", "four")

	tab = cat.Tab("/")
	tab.ComeBack("Private room")
	tab.Sees("two", "three", "four")
	ann.Delivered()
	ben.Delivered()
	ann.Members(3)
	w.Hub.Await(t, "every message is freed when everyone has it", nothingHeld)
}

// TestRelayCrashesWhileAllSleep: the first who comes back knows the others, so what is said to them is kept for them.
func TestRelayCrashesWhileAllSleep(t *testing.T) {
	w := New(t, hub.Limits{})
	ann, ben := w.Person("Ann"), w.Person("Ben")
	at, bt := ann.Tab("/"), ben.Tab("/")
	fragment := at.NewRoom(true)
	bt.Close()
	bt = ben.Tab("/" + fragment)
	bt.Enter(true)
	at.Members(2)
	at.Say("good night")
	bt.Sees("good night")
	at.Delivered()
	at.Close()
	bt.Close()
	w.Crash()
	w.Restart()

	at = ann.Tab("/")
	at.ComeBack("Private room")
	at.Members(2)
	at.Say("good morning")
	w.Hub.Await(t, "it is kept for Ben", func(s hub.Stats) bool { return s.Members == 2 && s.Messages > 0 })
	bt = ben.Tab("/")
	bt.ComeBack("Private room")
	bt.Sees("good morning")
	bt.Say("you too")
	at.Await("the answer", `messages().at(-1) === 'you too'`)
	w.Hub.Await(t, "every message is freed when everyone has it", nothingHeld)
}
