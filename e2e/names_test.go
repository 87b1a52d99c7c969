package e2e

import (
	"testing"

	"snug/hub"
)

// TestNamesThatTurn: what turns the text around it or is nothing to the eye is not shown of a name, and one that is written from right to
// left is set off from the sentence it stands in.
func TestNamesThatTurn(t *testing.T) {
	w := New(t, hub.Limits{})
	ann := w.Person("Ann").Tab("/")
	fragment := ann.NewRoom(false)
	for alias, line := range map[string]string{
		"\u202egnp.exe":      "gnp.exe came in",
		"\u200b\u2060":       "? came in",
		"\u05d3\u05e0\u05d4": "\u2068\u05d3\u05e0\u05d4\u2069 came in",
	} {
		w.Insider(fragment, alias, nil)
		ann.Await(line, `[...document.querySelectorAll('.line span')].some((each) => each.textContent === `+quoted(line)+`)`)
	}
}
