package client

import (
	"encoding/json"
	"time"

	"snug/client/e2ee"
	"snug/wire"
)

// content is what a message may say; docs/PROTOCOL.md lists the kinds. References stay text until the kind that has them is known.
type content struct {
	K     string      `json:"k"`
	ID    string      `json:"id,omitempty"`
	Body  string      `json:"body,omitempty"`
	Re    string      `json:"re,omitempty"`
	Of    string      `json:"of,omitempty"`
	TTL   *int64      `json:"ttl,omitempty"` // seconds
	Me    bool        `json:"me,omitempty"`
	Emoji string      `json:"emoji,omitempty"`
	On    *bool       `json:"on,omitempty"`
	From  *int64      `json:"from,omitempty"`
	File  *descriptor `json:"file,omitempty"`
	Put   *Transfer   `json:"put,omitempty"`
}

const (
	maxEmoji = 64          // bytes; the longest sequences of Unicode have 35
	maxTTL   = 366 * 86400 // seconds
)

// readers are what to do with a message, by its kind. They run under the lock of the stay and must not wait.
var readers = map[string]func(*stay, message) error{
	"text":   (*stay).textLocked,
	"edit":   (*stay).editLocked,
	"delete": (*stay).deleteLocked,
	"react":  (*stay).reactLocked,
	"timer":  (*stay).timerLocked,
	"typing": func(*stay, message) error { return nil }, // of use only to whom it is shown at once
	"need":   (*stay).needLocked,
	"file":   (*stay).fileLocked,
	"put":    (*stay).putLocked,
	"want":   (*stay).wantLocked,
	"stop":   (*stay).stopLocked,
}

// message is an opened content and what is known of it beside.
type message struct {
	content
	from wire.MemberID
	at   time.Time
}

// contentLocked reads a message. One of a kind that is not known here, or not as it should be, is told as such.
func (st *stay) contentLocked(from wire.MemberID, at time.Time, b []byte) {
	m := message{from: from, at: at}
	var kind struct {
		K string `json:"k"`
	}
	if json.Unmarshal(b, &kind) != nil || readers[kind.K] == nil {
		st.failLocked(at, from, e2ee.ErrNewer)
		return
	}
	err := json.Unmarshal(b, &m.content)
	if err == nil {
		err = readers[kind.K](st, m)
	}
	if err != nil {
		st.failLocked(at, from, e2ee.ErrDamaged)
	}
}

// itemLocked tells of something that has an id and may be referred to, once.
func (st *stay) itemLocked(m message, e Event) error {
	if len(m.ID) > maxID {
		return wire.ErrMalformed
	}
	if !st.s.seen.first(m.from, m.ID) {
		return nil
	}
	if m.Re != "" {
		var err error
		if e.Re, err = ParseRef(m.Re); err != nil {
			return err
		}
	}
	e.From, e.At, e.ID, e.Body, e.TTL = m.from, m.at, m.ID, m.Body, m.ttl()
	st.tellLocked(e)
	return nil
}

// ttl is how long the message is to be shown; 0: for good, also if it says what cannot be.
func (m message) ttl() Seconds {
	if m.TTL == nil || *m.TTL < 0 || *m.TTL > maxTTL {
		return 0
	}
	return Seconds(*m.TTL)
}

// own is what the message is about, which must be of its sender.
func (m message) own() (Ref, error) {
	of, err := ParseRef(m.Of)
	if err == nil && of.From != m.from {
		err = errNotTheirs
	}
	return of, err
}

func (st *stay) textLocked(m message) error {
	return st.itemLocked(m, Event{Kind: KindText, Me: m.Me})
}

func (st *stay) editLocked(m message) error {
	of, err := m.own()
	if err == nil {
		st.tellLocked(Event{Kind: KindEdit, At: m.at, From: m.from, Of: of, Body: m.Body})
	}
	return err
}

func (st *stay) deleteLocked(m message) error {
	of, err := m.own()
	if err == nil {
		st.tellLocked(Event{Kind: KindDelete, At: m.at, From: m.from, Of: of})
	}
	return err
}

func (st *stay) reactLocked(m message) error {
	of, err := ParseRef(m.Of)
	if err != nil || m.Emoji == "" || len(m.Emoji) > maxEmoji {
		return wire.ErrMalformed
	}
	on := m.On == nil || *m.On
	st.tellLocked(Event{Kind: KindReact, At: m.at, From: m.from, Of: of, Emoji: m.Emoji, Off: !on})
	return nil
}

func (st *stay) timerLocked(m message) error {
	if m.TTL != nil && *m.TTL != int64(m.ttl()) {
		return wire.ErrMalformed
	}
	st.s.setTimer(m.ttl())
	st.tellLocked(Event{Kind: KindTimer, At: m.at, From: m.from, TTL: m.ttl()})
	return nil
}

func (st *stay) needLocked(m message) error {
	if m.Of == st.group.Self().String() {
		st.group.Resend(m.from) // fails for a member that nothing is sealed to anyway
	}
	return nil
}
