package e2e

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"io"
	"net/http"
	"testing"

	"snug/client/e2ee"
	"snug/wire"
)

// Insider is a member that is no page: a test makes it do what somebody with a program of their own can do. It knows the
// room's secret, reads nothing by itself, and leaves when told.
type Insider struct {
	t       testing.TB
	url     string // of the room
	group   *e2ee.Group
	session wire.SessionID
}

// Insider lets somebody join a link room, with an identity of their own choice or, if nil, with a new one.
func (w *World) Insider(fragment, alias string, identity *e2ee.Identity) *Insider {
	w.t.Helper()
	_, root, err := e2ee.ParseLink(w.URL + "/" + fragment)
	if err != nil {
		w.t.Fatal(err)
	}
	group, err := e2ee.NewGroup(e2ee.Config{Root: root, Alias: alias, Identity: identity})
	if err != nil {
		w.t.Fatal(err)
	}
	i := &Insider{t: w.t, url: w.URL + "/r/" + group.Keys().Room.String(), group: group}
	card, err := group.Card()
	if err != nil {
		w.t.Fatal(err)
	}
	var joined wire.Joined
	request := wire.JoinRequest{Access: group.Keys().Access, Secret: group.Identity().Secret, Card: card}
	if status := i.post("/join", "application/json", wire.MustJSON(request), &joined); status != http.StatusOK {
		w.t.Fatalf("%s joins: %d", alias, status)
	}
	i.session = joined.Session
	i.Learn()
	return i
}

// Learn takes in the cards of all who are in the room.
func (i *Insider) Learn() {
	i.t.Helper()
	resp, err := http.Get(i.url + "/members?s=" + i.session.String())
	if err != nil {
		i.t.Fatal(err)
	}
	defer resp.Body.Close()
	var roster wire.Roster
	if err := json.NewDecoder(resp.Body).Decode(&roster); err != nil {
		i.t.Fatal(err)
	}
	for _, m := range roster.Members {
		if m.ID != i.group.Self() && i.group.Learn(m.ID, m.Card) == e2ee.StatusBad {
			i.t.Fatalf("a bad card of %v", m.ID)
		}
	}
}

// Say posts a message to all who are in the room.
func (i *Insider) Say(text string) {
	i.t.Helper()
	i.Learn()
	frames, err := i.group.Seal(wire.MustJSON(map[string]string{"k": "text", "id": rand.Text(), "body": text}))
	if err != nil {
		i.t.Fatal(err)
	}
	for _, frame := range frames {
		i.Post(frame)
	}
}

// Post posts bytes as a message.
func (i *Insider) Post(frame []byte) {
	i.t.Helper()
	var id wire.MessageID
	rand.Read(id[:]) // never fails
	if status := i.post("/messages?s="+i.session.String()+"&id="+id.String(), "application/octet-stream", frame, new(wire.Posted)); status != http.StatusOK {
		i.t.Fatalf("a post was answered with %d", status)
	}
}

// Leave leaves the room, but not its keys behind.
func (i *Insider) Leave() {
	i.t.Helper()
	if status := i.post("/leave?s="+i.session.String(), "text/plain", nil, new(wire.OK)); status != http.StatusOK {
		i.t.Fatalf("leaving was answered with %d", status)
	}
}

// Chunk posts a chunk of some file, and gives the answer's status.
func (i *Insider) Chunk(id wire.ChunkID) (status int) {
	i.t.Helper()
	return i.post("/chunks?s="+i.session.String()+"&id="+id.String(), "application/octet-stream", []byte("a chunk"), new(wire.OK))
}

func (i *Insider) post(path, kind string, body []byte, answer any) (status int) {
	i.t.Helper()
	resp, err := http.Post(i.url+path, kind, bytes.NewReader(body))
	if err != nil {
		i.t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		i.t.Fatal(err)
	}
	if resp.StatusCode == http.StatusOK {
		if err := json.Unmarshal(b, answer); err != nil {
			i.t.Fatal(err)
		}
	}
	return resp.StatusCode
}

// Opens returns the texts among what the relay carried that this member can open, in the order of the log. Who asks it for
// keys gets them with its next message.
func (i *Insider) Opens(carried []Carried) (texts []string) {
	i.t.Helper()
	for _, c := range carried {
		opened, err := i.group.Open(c.From, c.Frame)
		if err != nil || opened.Kind != e2ee.KindContent {
			continue
		}
		var content struct{ K, Of, Body string }
		if err := json.Unmarshal(opened.Content, &content); err != nil {
			i.t.Fatal(err)
		}
		if content.K == "need" {
			if content.Of == i.group.Self().String() {
				i.group.Resend(c.From) // fails for whom nothing is sealed to anyway
			}
			continue
		}
		texts = append(texts, content.Body)
	}
	return texts
}
