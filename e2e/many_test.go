package e2e

import (
	"context"
	"fmt"
	"testing"

	"snug/client"
	"snug/hub"
)

const (
	many  = 2000
	drawn = 620 // rows in the page at most: what the timeline keeps, and days and the like
)

// saysMany sends lines numbered from..to-1 and waits until the relay has them all.
func (g *gopher) saysMany(from, to int) {
	g.t.Helper()
	ctx, cancel := context.WithTimeout(g.t.Context(), patience)
	defer cancel()
	var last *client.Letter
	for n := from; n < to; n++ {
		letter, err := g.Send(ctx, fmt.Sprintf("line %d", n))
		if err != nil {
			g.t.Fatal(err)
		}
		last = letter
	}
	if _, err := last.Posted(ctx); err != nil {
		g.t.Fatal(err)
	}
}

// Newest waits until the newest message is this one, and is in view.
func (p *Page) Newest(text string) {
	p.t.Helper()
	p.Await(quoted(text)+" in view at the end", `((list) => messages().at(-1) === `+quoted(text)+` && list.scrollHeight - list.clientHeight - list.scrollTop < 2)(document.querySelector('[role=log]'))`,
		"messages().slice(-3)", "[document.querySelector('[role=log]').scrollHeight, document.querySelector('[role=log]').scrollTop]")
}

// onTop is the first message in view and where it stands.
const onTop = `(() => {
	const { top } = document.querySelector('[role=log]').getBoundingClientRect();
	const row = rows().find((e) => e.getBoundingClientRect().bottom > top);
	return row.querySelector('.body').textContent + ' at ' + Math.round(row.getBoundingClientRect().top - top);
})()`

// TestManyMessages: of 2,000 messages a page draws some hundreds. Who is at the end follows; who reads further up stays there while more come,
// gets to the oldest and back, and is told how many are new.
func TestManyMessages(t *testing.T) {
	w, fragment, ann, ben := twoPages(t, hub.Limits{})
	gopher := gopherIn(t, w.URL+"/"+fragment)
	ann.Members(3)
	ben.Members(3)
	half := many / 2
	gopher.saysMany(0, half)
	for _, p := range []*Page{ann, ben} {
		p.Newest(fmt.Sprintf("line %d", half-1))
	}

	read[bool](ben, `((e) => (e.scrollTop -= 3000) > 0)(document.querySelector('[role=log]'))`)
	ben.Await("a way back", `!!button('To the newest')`)
	before := read[string](ben, onTop)
	gopher.saysMany(half, many)
	last := fmt.Sprintf("line %d", many-1)
	ann.Newest(last)
	ben.Await("how many are new", fmt.Sprintf(`!!button('%d new')`, many-half), "buttons().map(name)")
	if now := read[string](ben, onTop); now != before {
		t.Errorf("the reader was at %q and is at %q", before, now)
	}
	for _, p := range []*Page{ann, ben} {
		if n := read[int](p, `document.querySelector('.rows').childElementCount`); n > drawn {
			t.Errorf("%s's page has %d rows", p.who, n)
		}
	}
	ben.Click(fmt.Sprintf("%d new", many-half))
	ben.Newest(last)

	// Up to the oldest, as fast as fingers can: what is in between is drawn on the way.
	ben.Await("the oldest", `(document.querySelector('[role=log]').scrollTop = 0) === 0 && messages()[0] === 'line 0'`, "messages()[0]")
	if n := read[int](ben, `document.querySelector('.rows').childElementCount`); n > drawn {
		t.Errorf("%d rows at the oldest", n)
	}
	ben.Click("To the newest")
	ben.Newest(last)
}

// BenchmarkManyMessages: somebody comes back to a kept room for which 2,000 messages wait, opens it in a second tab, and has 2,000 more come. Still is
// how long no new picture could be drawn. docs/PERFORMANCE.md has the figures.
func BenchmarkManyMessages(b *testing.B) {
	var back, tab, still, follow float64
	for b.Loop() {
		w := New(b, hub.Limits{})
		person := w.Person("Ann")
		ann := person.Tab("/")
		fragment := ann.NewRoom(true)
		gopher := gopherIn(b, w.URL+"/"+fragment)
		ann.Members(2)
		gopher.saysMany(0, 1)
		ann.Newest("line 0")
		ann.Kept(1)
		ann.Close()
		gopher.saysMany(1, many)

		last := fmt.Sprintf("line %d", many-1)
		ann = person.Tab("/")
		ann.Await("the room on offer", `!!button('Private room')`)
		took := func(p *Page, press, last string) []float64 {
			p.Await("all of it", `(globalThis.figures ??= (async () => {
				const begin = performance.now();
				`+press+`;
				let [before, gap] = [begin, 0];
				while (messages().at(-1) !== `+quoted(last)+`) {
					await new Promise(requestAnimationFrame);
					gap = Math.max(gap, performance.now() - before);
					before = performance.now();
				}
				globalThis.took = [performance.now() - begin, gap];
			})()) && globalThis.took`, "messages().slice(-3)")
			return read[[]float64](p, "took")
		}
		figures := took(ann, `button('Private room').click()`, last)
		back += figures[0]
		still = max(still, figures[1])

		second := person.Tab("/" + fragment)
		second.Await("the way in", `!!button('Enter')`)
		figures = took(second, `button('Enter').click()`, last)
		tab += figures[0]
		still = max(still, figures[1])

		go gopher.saysMany(many, 2*many)
		read[bool](ann, "delete globalThis.figures && delete globalThis.took")
		figures = took(ann, ``, fmt.Sprintf("line %d", 2*many-1))
		follow += figures[0]
		still = max(still, figures[1])
	}
	n := float64(b.N)
	b.ReportMetric(back/n, "ms/2000-missed")
	b.ReportMetric(tab/n, "ms/second-tab")
	b.ReportMetric(follow/n, "ms/2000-followed")
	b.ReportMetric(still, "ms-longest-still")
	b.ReportMetric(0, "ns/op") // means nothing here
}
