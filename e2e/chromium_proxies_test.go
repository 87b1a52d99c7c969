package e2e

import (
	"cmp"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"snug/e2e/products"
	"snug/e2e/proxies"
	"snug/hub"
)

// office is what stands between a browser and the relay.
type office struct {
	name    string
	product string          // one of products.All by its name; "": a proxy with these habits
	habits  []proxies.Habit // each of the two people has their own
	chip    string          // what the status comes to say; "": Live or Polling
	streams int             // they go on talking until each has opened so many
}

// Those that take long come first.
func offices() []office {
	return []office{
		{name: "nginx, buffering whatever we say", product: "nginx, buffering whatever we say"},
		{name: "holds answers whole", habits: habits(proxies.Hold{}).Habits, chip: "Polling"},
		{name: "life of 3 s", habits: habits(proxies.Life{After: 3 * time.Second}).Habits, chip: "Polling", streams: 3},
		{name: "silent hole after 5 s", habits: habits(proxies.Hole{After: 5 * time.Second}).Habits, streams: 2},
		{name: "squid", product: "squid", chip: "Live"},
		{name: "privoxy", product: "privoxy", chip: "Live"},
		{name: "tinyproxy", product: "tinyproxy", chip: "Live"},
		{name: "nginx", product: "nginx", chip: "Live"},
		{name: "nginx, gzip", product: "nginx, gzip"},
		{name: "blocks of 4 KiB", habits: habits(proxies.Blocks{Size: 4 << 10}).Habits},
		{name: "one chunk behind", habits: habits(proxies.OneBehind{}).Habits, chip: "Live"},
		{name: "gzip", habits: habits(proxies.Gzip{}).Habits, chip: "Polling"},
		{name: "event-stream refused", habits: habits(proxies.Types{Answers: []string{events}}).Habits, chip: "Live"},
		{name: "block page with 200", habits: habits(proxies.Types{Answers: []string{events, octets}, Bodies: []string{octets}, Disguise: true}).Habits, chip: "Polling"},
		{name: "GET and POST only, 64 KiB", habits: habits(proxies.Methods{Allow: []string{"GET", "POST"}}, proxies.Limits{Body: 64 << 10}).Habits, chip: "Live"},
		{name: "two connections", habits: habits(proxies.Connections{Max: 2}).Habits, chip: "Live"},
		{name: "HTTP/1.0", habits: habits(proxies.HTTP10{}).Habits, chip: "Live"},
	}
}

// passage is what a row of the matrix shows.
type passage struct {
	name, chip, rung    string
	opened, first, lone time.Duration // until the room was open; until a message had come both ways; a message after all that
}

// TestChromiumThroughProxies lets two browsers talk through one kind of proxy after the other: the room opens, messages come both ways, once
// and in order, and the status says truly whether they come at once.
func TestChromiumThroughProxies(t *testing.T) {
	if testing.Short() {
		t.Skip("takes minutes")
	}
	w := New(t, hub.Limits{})
	w.Expect("ERR_", "status of 4", "status of 5", "Failed to load module script", "A bad HTTP response code") // the browser reports what the proxies do
	var (
		wg   sync.WaitGroup
		mu   sync.Mutex
		done []passage
	)
	free := make(chan struct{}, 4)
	for _, o := range offices() {
		free <- struct{}{}
		wg.Go(func() {
			defer func() { <-free }()
			t.Run(o.name, func(t *testing.T) { // side by side: most of their time they wait
				p := o.pass(t, w)
				mu.Lock()
				defer mu.Unlock()
				done = append(done, p)
			})
		})
	}
	wg.Wait()
	slices.SortFunc(done, func(a, b passage) int { return cmp.Compare(a.name, b.name) })
	var b strings.Builder
	b.WriteString("| between them | status | rung | room opens | first message | lone message |\n|---|---|---|---|---|---|\n")
	for _, p := range done {
		fmt.Fprintf(&b, "| %s | %s | %s | %s | %s | %s ms |\n", p.name, p.chip, p.rung, seconds(p.opened), seconds(p.first), milliseconds(p.lone))
	}
	t.Log("\n" + b.String())
}

// people brings in two who are behind what stands there.
func (o office) people(t *testing.T, w *World) (ann, ben *Person, taps []*tap) {
	t.Helper()
	if o.product == "" {
		forAnn, one := behind(t, o.habits...)
		forBen, other := behind(t, o.habits...)
		return w.Behind(t, "Ann", forAnn.URL), w.Behind(t, "Ben", forBen.URL), []*tap{one, other}
	}
	all := products.All()
	p := all[slices.IndexFunc(all, func(p products.Product) bool { return p.Name == o.product })]
	at := p.Start(t, products.Env{Server: w.addr})
	come := func(name string, at *url.URL) *Person { return w.Behind(t, name, at) }
	if p.Reverse {
		come = func(name string, at *url.URL) *Person { return w.At(t, name, at) }
	}
	return come("Ann", at), come("Ben", at), nil
}

func (o office) pass(t *testing.T, w *World) passage {
	forAnn, forBen, taps := o.people(t, w)
	c := &conversation{ann: forAnn.Tab("/")}
	link := c.ann.NewRoom(false)
	c.ben = forBen.Tab("/" + link)
	c.ben.Await("the door", `!!field('Your name')`)
	begun := time.Now()
	c.ben.Enter(false)
	p := passage{name: o.name, opened: time.Since(begun)}
	c.ann.Members(2)
	c.ben.Members(2)
	c.exchange(1)
	p.first = time.Since(begun)

	c.exchange(3)
	c.exchangeUntil(t, fmt.Sprint("each has opened streams: ", o.streams), func() bool {
		return !slices.ContainsFunc(taps, func(tap *tap) bool { return tap.count(aStream) < o.streams })
	})
	for _, one := range []*Page{c.ann, c.ben} {
		p.chip = one.Settles(o.chip)
	}
	c.exchange(2)
	begun = time.Now()
	c.exchange(1)
	p.lone = time.Since(begun) / 2
	if late := 8 * time.Second; o.chip == "Live" && p.lone > late { // what is held back waits for the heartbeat, 10 s, or the watchdog; the rest is the machine's
		t.Errorf("it says Live, and a message takes %v", p.lone)
	}
	c.ann.Delivered()
	c.ben.Delivered()
	p.rung = read[string](c.ann, `JSON.parse(localStorage.getItem('snug ladder'))?.rung ?? '-'`)
	return p
}

// conversation is what two people have said, and both must see.
type conversation struct {
	ann, ben *Page
	said     []string
}

// exchange has both say n messages in one go, one after the other, and read what the other said.
func (c *conversation) exchange(n int) {
	for _, from := range []*Page{c.ann, c.ben} {
		for range n {
			text := fmt.Sprint(from.who, " says ", len(c.said))
			from.Say(text)
			c.said = append(c.said, text)
		}
		c.ann.Sees(c.said...)
		c.ben.Sees(c.said...)
	}
}

// exchangeUntil has them go on talking until it has come to that, or fails the test.
func (c *conversation) exchangeUntil(t *testing.T, what string, fine func() bool) {
	t.Helper()
	for end := time.Now().Add(90 * time.Second); !fine(); c.exchange(1) { // the time in which a stream must come back
		if time.Now().After(end) {
			t.Fatalf("%s: it never came to that; Ann's status is %s, Ben's %s", what, c.ann.Chip(), c.ben.Chip())
		}
	}
}

// Chip is what the status says.
func (p *Page) Chip() string {
	p.t.Helper()
	return read[string](p, `name(button('Connection: ')).replace('Connection: ', '')`)
}

// Settles waits until the search for a way is over and the status is as wanted, "" for any that works.
func (p *Page) Settles(want string) (chip string) {
	p.t.Helper()
	chips := "['Live', 'Polling']"
	if want != "" {
		chips = "[" + quoted(want) + "]"
	}
	status := `button('Connection: ')`
	p.Await("the status "+chips, chips+`.some((c) => name(`+status+`).endsWith(c)) && !`+status+`.title.includes('looking')`, status+`.title`)
	return p.Chip()
}
