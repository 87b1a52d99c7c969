package client

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"snug/client/e2ee"
	"snug/hub"
	"snug/wire"
)

// clock is a clock that stands still until told.
type clock struct {
	mu sync.Mutex
	t  time.Time
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.t
}

func (c *clock) pass(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.t = c.t.Add(d)
}

// chores does what a session does each minute.
func (p *person) chores() { p.current().chore(p.t.Context()) }

// sees fails unless the member has read exactly these texts and saw nothing that it could not open.
func (p *person) sees(want ...string) {
	p.t.Helper()
	want = strings.Fields(strings.Join(want, " "))
	_, last, _ := strings.Cut(want[len(want)-1], ":")
	p.untilText(last)
	if got := p.texts(); got != strings.Join(want, " ") {
		p.t.Errorf("%s read\n %s, want\n %s", p.name, got, strings.Join(want, " "))
	}
	for _, e := range p.seen() {
		if e.Kind == KindFailed || e.Kind == KindGap || e.Kind == KindChanged {
			p.t.Errorf("%s saw %+v", p.name, e)
		}
	}
}

// TestConversation: joins, leaves, rotations of chains and of HPKE keys, and a removal. Every message is read by exactly those who should.
func TestConversation(t *testing.T) {
	t.Parallel()
	r := newRelay(t, hub.Limits{}, nil)
	root := newRoot(t)
	time := &clock{t: time.Now()}
	config := func(alias string) Config { return Config{Root: root, Alias: alias, Now: time.now} }

	ann, bob := r.join(config("ann")), r.join(config("bob"))
	ann.everybody(ann.say("1"))
	bob.everybody(bob.say("2"))

	cat := r.join(config("cat")) // reads nothing older
	ann.everybody(ann.say("3"))
	cat.everybody(cat.say("4"))
	cat.sees("ann:3")

	time.pass(61 * 60 * 1e9) // new chains, new HPKE keys
	for _, p := range []*person{ann, bob, cat} {
		p.chores()
	}
	bob.everybody(bob.say("5"))
	ann.everybody(ann.say("6"))
	for i := range 120 { // a chain is over after 100 messages
		ann.say(fmt.Sprint("n", i))
	}
	cat.untilText("n119")
	bob.untilText("n119")

	old := bob.Identity()
	if err := bob.Leave(t.Context()); err != nil {
		t.Fatal(err)
	}
	ann.untilKind(KindLeft)
	cat.untilKind(KindLeft)
	ann.everybody(ann.say("7"))
	cat.everybody(cat.say("8"))

	time.pass(1e9)                                                                  // a card is told from an older one by its time
	bob2 := r.join(Config{Root: root, Alias: "bob", Identity: &old, Now: time.now}) // the same member, back; 7 and 8 are not for it
	cat.everybody(cat.say("9"))
	bob2.everybody(bob2.say("10"))

	link := ann.Link()
	if err := ann.Remove(t.Context(), cat.Self()); err != nil {
		t.Fatal(err)
	}
	if e := cat.untilKind(KindRemoved); e.Alias != "ann" {
		t.Errorf("cat was removed by %+v", e)
	}
	<-cat.done
	if _, err := cat.Send(t.Context(), "x"); !errors.Is(err, ErrRemoved) {
		t.Errorf("a removed member sends: %v", err)
	}
	bob2.untilKind(KindMoved)
	ann.everybody(ann.say("11"))
	bob2.everybody(bob2.say("12"))
	if a, b := ann.Link(), bob2.Link(); a != b || a == link {
		t.Errorf("links after the move: %s, %s; before: %s", a, b, link)
	}
	if a, b := ann.SafetyCode(), bob2.SafetyCode(); a != b {
		t.Errorf("safety codes %s and %s", a, b)
	}

	many := make([]string, 120)
	for i := range many {
		many[i] = fmt.Sprint("ann:n", i)
	}
	n := strings.Join(many, " ")
	ann.sees("bob:2", "cat:4", "bob:5", "cat:8", "cat:9", "bob:10", "bob:12")
	bob.sees("ann:1", "ann:3", "cat:4", "ann:6", n)
	cat.sees("ann:3", "bob:5", "ann:6", n, "ann:7", "bob:10")
	bob2.sees("cat:9", "ann:11")
	await(t, "gone from the old room", func() bool { return r.hub.Stats().Rooms == 1 })
}

// TestMovesAtOnce: two members remove each other and a third at the same moment; all who remain end up in one room.
func TestMovesAtOnce(t *testing.T) {
	r := newRelay(t, hub.Limits{}, nil)
	root := newRoot(t)
	ann, bob := r.join(Config{Root: root, Alias: "ann"}), r.join(Config{Root: root, Alias: "bob"})
	cat, dan := r.join(Config{Root: root, Alias: "cat"}), r.join(Config{Root: root, Alias: "dan"})
	await(t, "all there", func() bool { return len(ann.Members()) == 4 && len(bob.Members()) == 4 })
	errs := make(chan error, 2)
	go func() { errs <- ann.Remove(t.Context(), cat.Self()) }()
	go func() { errs <- bob.Remove(t.Context(), dan.Self()) }()
	made := 0
	for range 2 {
		switch err := <-errs; {
		case err == nil:
			made++
		case !errors.Is(err, ErrOvertaken) && !errors.Is(err, ErrMoving):
			t.Fatal(err)
		}
	}
	if made == 0 {
		t.Fatal("both came too late")
	}
	await(t, "in one room", func() bool {
		return ann.Room() == bob.Room() && ann.Room() != root.Keys().Room && len(ann.Members()) == 4-made
	})
	ann.everybody(ann.say("1"))
	bob.sees("ann:1")
}

// movesUnread is a room that ann has moved, and bob in it, who has not read so far: his reading stands still, his posting does not.
func movesUnread(t *testing.T) (ann, bob *person) {
	t.Helper()
	r := newRelay(t, hub.Limits{}, nil)
	root := newRoot(t)
	ann, cat := r.join(Config{Root: root, Alias: "ann"}), r.join(Config{Root: root, Alias: "cat"})
	bob = r.enter(Config{Root: root, Alias: "bob"})
	await(t, "all there", func() bool { return len(ann.Members()) == 3 && len(bob.Members()) == 3 })
	for i := range maxQueue {
		ann.say(fmt.Sprint(i))
	}
	await(t, "full", func() bool { return len(bob.queue.waiting()) == maxQueue })
	if err := ann.Remove(t.Context(), cat.Self()); err != nil {
		t.Fatal(err)
	}
	return ann, bob
}

// TestPostedBehindTheMove: what is posted into the old room after the move goes out again in the new one.
func TestPostedBehindTheMove(t *testing.T) {
	ann, bob := movesUnread(t)
	late := bob.say("late")
	go func() {
		for range bob.Events(t.Context()) {
		}
	}()
	ann.untilText("late")
	bob.everybody(late)
	ann.sees("bob:late")
}

// TestSaidBeforeOneCame: who reads the move late reads what was said in the new room before.
func TestSaidBeforeOneCame(t *testing.T) {
	ann, bob := movesUnread(t)
	early := ann.say("early")
	if _, err := early.Posted(t.Context()); err != nil {
		t.Fatal(err)
	}
	go bob.read(func(Event) {})
	bob.untilText("early")
	ann.everybody(early)
}

// TestMoveSurvivesARestart: the relay dies when it has the move and nobody has read it.
func TestMoveSurvivesARestart(t *testing.T) {
	var b badNetwork
	r := newRelay(t, hub.Limits{}, b.wrap)
	root := newRoot(t)
	b.deaf.Store(true)
	cat, bob := r.join(Config{Root: root, Alias: "cat"}), r.join(Config{Root: root, Alias: "bob"})
	ann := r.join(Config{Root: root, Alias: "ann"}) // who learns of the others by joining
	removed := make(chan error, 1)
	go func() { removed <- ann.Remove(t.Context(), cat.Self()) }()
	await(t, "posted", func() bool { return r.hub.Stats().Posted == 1 })
	r.kill()
	r.start()
	b.deaf.Store(false)
	cat.change() // else the ladder takes its time
	await(t, "that cat is back, who knows of nobody", func() bool { return r.hub.Stats().Members > 0 })
	ann.change()
	if err := <-removed; err != nil {
		t.Fatal(err)
	}
	bob.change()
	bob.untilKind(KindMoved)
	cat.untilKind(KindRemoved)
	ann.everybody(ann.say("1"))
	bob.sees("ann:1")
}

func TestShell(t *testing.T) {
	r := newRelay(t, hub.Limits{}, nil)
	root := newRoot(t)
	ann := r.join(Config{Root: root, Alias: "ann"})
	jwe, err := Seal(ann.Shell().Key, "disk full")
	if err != nil {
		t.Fatal(err)
	}
	for range 2 { // the second is a repeat
		post(t, ann.Shell(), jwe)
	}
	if e := ann.untilKind(KindShell); e.Body != "disk full" || e.From != (wire.MemberID{}) {
		t.Errorf("got %+v", e)
	}
	if _, err := Seal("00", "x"); !errors.Is(err, e2ee.ErrMalformed) {
		t.Errorf("a short key: %v", err)
	}
}

// post is what curl does with what Seal made.
func post(t *testing.T, to Shell, jwe string) {
	t.Helper()
	resp, err := http.Post(to.URL+"?auth="+to.Token, "text/plain", strings.NewReader(jwe))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusCreated {
		t.Fatalf("the relay answers %s to a shell post", resp.Status)
	}
}
