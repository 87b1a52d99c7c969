package e2e

import (
	"testing"

	"snug/hub"
)

// TestLanguages: the page speaks the language that is chosen on its start screen, fetches no other after that, and rooms behind it speak it too.
func TestLanguages(t *testing.T) {
	w := New(t, hub.Limits{})
	person := w.Person("Ann")
	ann := person.Tab("/")
	fragment := ann.NewRoom(false)
	ben := w.Person("Ben").Tab("/" + fragment)
	ben.Enter(false)
	ann.Members(2)
	ben.Say("Guten Abend!")
	ann.Sees("Guten Abend!")
	ann.Click("Rooms")
	ann.ClickOn(`button('Another room')`)
	ann.Await("the start screen", `!!button('Open a new room')`)
	ann.Click("Deutsch")
	ann.Await("German", `!!button('Neuen Raum öffnen') && document.documentElement.lang === 'de'`)
	ann.Screenshot("start-german")
	ann.ClickOn(`button('Live. Privater Raum')`)
	ann.Sees("Guten Abend!")
	ann.Await("a room in German", `!!field('Nachricht') && !!button('Verbindung: Live') && document.title === 'Privater Raum · snug'`)
	ann.ClickOn(`field('Nachricht')`)
	ben.Say("Und jetzt?")
	ann.Sees("Guten Abend!", "Und jetzt?") // the new screen hears what comes
	if lang := read[string](ben, "document.documentElement.lang"); lang != "en" {
		t.Errorf("Ben's page speaks %s", lang)
	}

	again := person.Tab("/")
	again.Await("German from the beginning", `!!button('Neuen Raum öffnen')`)
	if got := read[[]string](again, `performance.getEntriesByType('resource').map((e) => e.name).filter((name) => name.includes('/lang/')).map((name) => name.split('/').pop())`); len(got) != 1 || got[0] != "de.js" {
		t.Errorf("the page fetched %q", got)
	}
	for _, language := range []struct{ name, open, tag string }{
		{"中文", "开一个新房间", "zh-Hans"}, {"日本語", "新しいルームを開く", "ja"}, {"English", "Open a new room", "en"},
	} {
		again.Click(language.name)
		again.Await(language.name, `!!button(`+quoted(language.open)+`) && document.documentElement.lang === `+quoted(language.tag))
		again.Screenshot("start-" + language.tag)
	}
}

// TestBrowsersLanguage: without a choice, the browser's own language counts.
func TestBrowsersLanguage(t *testing.T) {
	w := New(t, hub.Limits{})
	ann := w.Person("Ann").Tab("/check.html") // a document of the relay's, for its origin
	ann.Speaks("ja-JP,ja,en")
	ann.Goes("/")
	ann.Await("Japanese", `!!button('新しいルームを開く')`)
	ann.Phone()
	ann.Dark(true)
	ann.Screenshot("start-phone-dark-ja")
}
