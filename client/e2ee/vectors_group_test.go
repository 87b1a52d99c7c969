package e2ee

import (
	"slices"
	"testing"
	"time"

	"snug/wire"
)

// Group vectors are transcripts: what happened in a room, byte by byte, and what each member must make of it. The reader
// plays every member as a receiver; testdata/vectors/README.md says how.
type (
	groupCase struct {
		Name    string                 `json:"name"`
		Root    hx                     `json:"root"`
		Room    string                 `json:"room"`
		Members map[string]groupMember `json:"members"`
		Steps   []groupStep            `json:"steps"`
	}
	groupMember struct {
		ID     string      `json:"id"`
		Secret hx          `json:"secret"`
		Seed   hx          `json:"seed"`
		Alias  string      `json:"alias"`
		HPKE   []groupHPKE `json:"hpke"`
	}
	groupHPKE struct {
		Rotation uint32 `json:"rotation"`
		Private  hx     `json:"private"`
		Until    int64  `json:"until"` // ms since 1970 when it is erased; 0 if never
	}
	groupStep struct {
		At   int64             `json:"at"`
		Do   string            `json:"do"` // card, ahead, left, accept, frame, safety, lock
		Who  string            `json:"who,omitempty"`
		From string            `json:"from,omitempty"` // the member id that the relay names
		Note string            `json:"note,omitempty"`
		Data hx                `json:"frame,omitempty"`
		Sees map[string]seeing `json:"sees,omitempty"` // by name of the member who takes this step
	}
	// seeing is what a member must find. Which fields are there depends on Kind.
	seeing struct {
		Kind    string   `json:"kind"`
		Content string   `json:"content,omitempty"`
		E       uint32   `json:"e,omitempty"`
		N       *uint32  `json:"n,omitempty"`
		ForYou  bool     `json:"forYou,omitempty"`
		Reason  string   `json:"reason,omitempty"`
		Need    bool     `json:"need,omitempty"`
		By      string   `json:"by,omitempty"`
		Removed []string `json:"removed,omitempty"`
		Root    hx       `json:"root,omitempty"`
		Status  string   `json:"status,omitempty"`
		Code    string   `json:"code,omitempty"`
		News    bool     `json:"news,omitempty"`
		Waiting []string `json:"waiting,omitempty"`
		Waits   bool     `json:"waits,omitempty"`
	}
)

func groupVectors() map[string]vector {
	return map[string]vector{"transcript": casesOf(makeTranscripts, checkTranscript)}
}

// seen is what Open found, in the form of the vectors.
func seen(o Opened, err error) seeing {
	if err != nil {
		return seeing{Kind: "failed", Reason: Reason(err), Need: o.Need}
	}
	s := seeing{Kind: o.Kind.String()}
	switch o.Kind {
	case KindContent, KindHeld:
		n := o.N
		s.Content, s.E, s.N, s.News = string(o.Content), o.E, &n, o.News
	case KindWaiting:
		s.By, s.Waiting = o.From.String(), idWords(o.Waiting)
	case KindKeys:
		s.ForYou = o.ForYou
	case KindMove:
		s.By = o.Move.By.String()
		s.Removed = idWords(o.Move.Removed)
		if o.Move.Root != nil {
			s.Root = o.Move.Root[:]
		}
	}
	return s
}

func idWords(ids []wire.MemberID) (out []string) {
	for _, id := range ids {
		out = append(out, id.String())
	}
	return out
}

// lockOf is what a member knows of the lock.
func lockOf(g *Group) seeing {
	s := seeing{Kind: "lock", Status: "open", Waits: g.Waits()}
	if g.Locked() {
		s.Status = "locked"
	}
	for _, m := range g.Members() {
		if m.Waiting {
			s.Waiting = append(s.Waiting, m.ID.String())
		}
	}
	slices.Sort(s.Waiting)
	return s
}

// recorder plays a scene with real groups and writes down what happens.
type recorder struct {
	r *room
	c groupCase
}

func record(t *testing.T, name string) *recorder {
	r := newRoom(t)
	r.root = Root(fixed(name))
	return &recorder{r, groupCase{Name: name, Root: r.root[:], Room: r.root.Keys().Room.String(), Members: make(map[string]groupMember)}}
}

func (w *recorder) step(s groupStep) {
	s.At = w.r.clock.t.UnixMilli()
	w.c.Steps = append(w.c.Steps, s)
	for name, g := range w.r.member {
		m := w.c.Members[name]
		for _, k := range g.hpke {
			m.HPKE = slices.DeleteFunc(m.HPKE, func(h groupHPKE) bool { return h.Rotation == k.rotation })
			h := groupHPKE{Rotation: k.rotation, Private: slices.Clone(k.private[:])}
			if !k.retired.IsZero() {
				h.Until = k.retired.Add(hpkeGrace).UnixMilli()
			}
			m.HPKE = append(m.HPKE, h)
		}
		w.c.Members[name] = m
	}
}

// enter makes a member; joins makes it one whose card the others learn, and who learns theirs.
func (w *recorder) enter(name string, id Identity) *Group {
	g := w.r.enterAs(name, id)
	w.r.member[name] = g
	w.c.Members[name] = groupMember{ID: g.Self().String(), Secret: slices.Clone(id.Secret[:]), Seed: slices.Clone(id.Seed[:]), Alias: name}
	return g
}

func (w *recorder) joins(name string) {
	others := w.names()
	w.enter(name, testIdentity(name))
	w.card(name, others...)
	for _, o := range others {
		w.card(o, name)
	}
}

func (w *recorder) names() (out []string) {
	for name := range w.r.member {
		out = append(out, name)
	}
	slices.Sort(out)
	return out
}

// card shows the card of who to others.
func (w *recorder) card(who string, to ...string) {
	g := w.r.member[who]
	w.cardFrame(g.Self(), "card of "+who, must(g.Card()), to...)
}

func (w *recorder) cardFrame(from wire.MemberID, note string, frame []byte, to ...string) {
	if len(to) == 0 {
		return
	}
	w.takes(groupStep{Do: "card", From: from.String(), Note: note, Data: frame}, to...)
}

// takes has members take a step.
func (w *recorder) takes(s groupStep, to ...string) {
	s.Sees = make(map[string]seeing)
	for _, name := range to {
		s.Sees[name] = takeStep(w.r.member[name], s)
	}
	w.step(s)
}

// frame hands a frame to members, as posted by from.
func (w *recorder) frame(from wire.MemberID, note string, frame []byte, to ...string) {
	s := groupStep{Do: "frame", From: from.String(), Note: note, Data: frame, Sees: make(map[string]seeing)}
	for _, name := range to {
		s.Sees[name] = seen(w.r.member[name].Open(from, frame))
	}
	w.step(s)
}

// says seals a message and hands all its frames to the others.
func (w *recorder) says(who, text string, to ...string) [][]byte {
	frames := w.r.send(who, text)
	for i, f := range frames {
		note := "message of " + who
		if i < len(frames)-1 {
			note = "keys of " + who
		}
		w.frame(w.r.member[who].Self(), note, f, to...)
	}
	return frames
}

func (w *recorder) left(who string) {
	id := w.r.leave(who).Self()
	s := groupStep{Do: "left", From: id.String(), Note: who + " left", Sees: make(map[string]seeing)}
	for _, name := range w.names() {
		s.Sees[name] = seeing{Kind: "left"}
	}
	w.step(s)
}

func (w *recorder) safety() {
	s := groupStep{Do: "safety", Sees: make(map[string]seeing)}
	for _, name := range w.names() {
		s.Sees[name] = seeing{Kind: "safety", Code: w.r.member[name].SafetyCode()}
	}
	w.step(s)
}

// receiverOf makes a group that has the keys of a member and knows nobody.
func receiverOf(t *testing.T, c groupCase, m groupMember, clk *clock) *Group {
	t.Helper()
	id := Identity{wire.MemberSecret(m.Secret), [32]byte(m.Seed)}
	g, err := NewGroup(Config{Root: Root(c.Root), Identity: &id, Alias: m.Alias, Now: clk.now})
	if err != nil || g.Self().String() != m.ID {
		t.Fatalf("member %s: %v", m.ID, err)
	}
	g.hpke = nil
	for _, k := range m.HPKE {
		key := &hpkeKey{rotation: k.Rotation, private: [32]byte(k.Private)}
		if k.Until != 0 {
			key.retired = time.UnixMilli(k.Until).Add(-hpkeGrace)
		}
		g.hpke = append(g.hpke, key)
	}
	return g
}

func checkTranscript(t *testing.T, c groupCase) {
	clk := &clock{}
	members := make(map[string]*Group)
	for name, m := range c.Members {
		members[name] = receiverOf(t, c, m, clk)
	}
	for i, s := range c.Steps {
		clk.t = time.UnixMilli(s.At)
		for name, want := range s.Sees {
			got := takeStep(members[name], s)
			if g, w := string(plainJSON(t, got)), string(plainJSON(t, want)); g != w {
				t.Errorf("%s: step %d (%s %s): %s sees %s, want %s", c.Name, i, s.Do, s.Note, name, g, w)
			}
		}
	}
}

func takeStep(g *Group, s groupStep) seeing {
	from, _ := wire.ParseMemberID(s.From) // a step of nobody's leaves it zero
	switch s.Do {
	case "card":
		return seeing{Kind: "card", Status: g.Learn(from, s.Data).String()}
	case "ahead":
		return seeing{Kind: "card", Status: g.LearnAhead(from, s.Data).String()}
	case "lock":
		return lockOf(g)
	case "left":
		g.Left(from)
		return seeing{Kind: "left"}
	case "accept":
		if err := g.Accept(from); err == nil {
			return seeing{Kind: "accept"}
		}
	case "safety":
		return seeing{Kind: "safety", Code: g.SafetyCode()}
	case "frame":
		return seen(g.Open(from, s.Data))
	}
	return seeing{Kind: "unknown step"}
}
