package e2e

import (
	"strings"
	"testing"

	"snug/e2e/proxies"
	"snug/hub"
)

// TestCheckPage: the page tells what a proxy does, in words, and where the words can be copied.
func TestCheckPage(t *testing.T) {
	w := New(t, hub.Limits{})
	w.Expect("status of 413")
	for _, c := range []struct {
		name   string
		habits []proxies.Habit
		says   []string
	}{
		{"nothing", nil, []string{"Live streams work here: messages arrive at once."}},
		{"holds", []proxies.Habit{proxies.Hold{}}, []string{"This network holds streams back; "}},
		{"small bodies", []proxies.Habit{proxies.Limits{Body: 64 << 10}}, []string{"Live streams work here", "POSTs above 64 KiB are refused; files go in small pieces."}},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := proxies.Start(t, proxies.Config{Habits: c.habits, Reverse: strings.TrimPrefix(w.URL, "http://")})
			page := w.Person("Ann").TabAt(p.URL.String() + "/check")
			page.Await("the way to the report", `!!button('Copy the report')`)
			got := read[string](page, `document.querySelector('[role=status]').innerText`)
			if lines := strings.Split(strings.TrimSpace(got), "\n"); len(strings.Fields(got)) == 0 || !strings.Contains(lines[0], c.says[0]) {
				t.Errorf("got %q, want %q", got, c.says)
			}
			for _, want := range c.says {
				if !strings.Contains(got, want) {
					t.Errorf("got %q, want %q", got, want)
				}
			}
			page.Screenshot("check-" + strings.ReplaceAll(c.name, " ", "-"))
			if c.name != "holds" {
				page.Click("Stop watching")
			}
			page.Await("an end", `!!button('Check again')`)
			page.Close()
		})
	}
}
