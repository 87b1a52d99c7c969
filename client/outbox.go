package client

import (
	"context"
	"slices"
	"sync"

	"snug/wire"
)

const (
	maxLetters = 1000     // that may wait to be posted; Send waits beyond
	maxUnsure  = 100      // that everybody has and that lie behind what was read
	maxKept    = 64 << 20 // bytes of frames kept for posting again, as much as a relay holds for a room by default
)

// entry is a sealed frame under its message id. A letter makes one, and one more for the keys that go before it.
type entry struct {
	id      wire.MessageID
	frame   []byte
	letter  *Letter
	message bool       // else keys
	seq     uint64     // 0 until the relay has it
	had     bool       // the relay had it, maybe one that was restarted since
	roster  uint64     // the list of members it was sealed for
	epoch   wire.Epoch // the life of the room in which that number counts
}

// outbox is what this member has sent and not everybody has yet. An entry stays, with its sealed bytes and its id, until the
// relay says that every member acked it; after a restart of the relay it is posted again as it is, and receivers drop what they
// had. When more than maxKept bytes are kept, the oldest are given up: should the relay restart then, who was away misses them.
// Posting is one at a time and in order, and never waits for the stream.
type outbox struct {
	wake chan struct{} // something to do; holds one

	mu      sync.Mutex // guards all below; taken before that of a stay is
	stay    *stay
	letters []*Letter
	entries []*entry
	unsure  []*entry      // everybody who is left has these, but they lie behind what was read: a move may lie before them
	kept    int           // bytes of frames in entries
	most    int           // static: that may be kept
	newest  wire.Acked    // what the relay said last
	posting bool          // an entry is under way
	held    bool          // nothing is posted for now
	err     error         // closed
	changed chan struct{} // closed and made anew when letters, posting or err changed
	stale   int           // refusals in a row for an old roster
	fails   int           // failures in a row
	reason  string        // of the newest of them, "" if there is none
}

func newOutbox() *outbox {
	return &outbox{most: maxKept, wake: make(chan struct{}, 1), changed: make(chan struct{})}
}

// poke makes the loop look again: there is something to post, or the network may be back.
func (o *outbox) poke() { poke(o.wake) }

func (o *outbox) changedLocked() {
	close(o.changed)
	o.changed = make(chan struct{})
}

// await waits until ready, with the lock held while it is asked and after await returns without an error.
func (o *outbox) await(ctx context.Context, ready func() bool) error {
	o.mu.Lock()
	for !ready() {
		changed := o.changed
		o.mu.Unlock()
		if err := wait(ctx, changed); err != nil {
			return err
		}
		o.mu.Lock()
	}
	return nil
}

// add queues a letter. It waits while maxLetters are waiting; it fails with the error the outbox was closed with, or that of ctx.
func (o *outbox) add(ctx context.Context, l *Letter) error {
	if err := o.await(ctx, func() bool { return o.err != nil || len(o.letters) < maxLetters }); err != nil {
		return err
	}
	defer o.mu.Unlock()
	if o.err != nil {
		return o.err
	}
	l.waits(o.reason)
	o.letters = append(o.letters, l)
	o.poke()
	return nil
}

// whisper queues what is no message to read, unless the outbox is full or closed: then it is false.
func (o *outbox) whisper(content []byte) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.err != nil || len(o.letters) >= maxLetters {
		return false
	}
	o.letters = append(o.letters, newLetter("", content, nil))
	o.poke()
	return true
}

// acked is what the relay says: all up to a place is waited for no more, and some was freed by time first.
func (o *outbox) acked(st *stay, a wire.Acked) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.stay != st || a.Through.Epoch != st.epoch() {
		return
	}
	o.newest = a
	o.overLocked(a)
}

func (o *outbox) overLocked(a wire.Acked) {
	expired := make(map[uint64]bool, len(a.Expired))
	for _, seq := range a.Expired {
		expired[seq] = true
	}
	o.dropLocked(func(e *entry) bool {
		over := e.seq > 0 && e.seq <= a.Through.Seq && e.letter.frame == nil // a move stays: it stands in the way of what follows
		if over && e.message {
			o.unsure = append(o.unsure, e)
			e.letter.finish(errIf(expired[e.seq], ErrExpired))
		}
		return over
	})
	read := o.stay.readTo()
	o.unsure = slices.DeleteFunc(o.unsure, func(e *entry) bool { return e.seq <= read })
	o.unsure = o.unsure[max(0, len(o.unsure)-maxUnsure):]
}

func errIf(yes bool, err error) error {
	if yes {
		return err
	}
	return nil
}

// joined takes in the relay's answer to a join before anything goes out under the new session. If the relay was restarted and has nothing, what
// not everybody has goes out again, and first.
func (o *outbox) joined(enter func() (anew bool)) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if enter() {
		o.againLocked()
	}
	o.poke()
}

// againLocked: what was not kept is lost.
func (o *outbox) againLocked() {
	o.dropLocked(func(e *entry) bool {
		lost := e.frame == nil
		if lost && e.message {
			e.letter.finish(ErrExpired)
		}
		return lost
	})
	for _, e := range o.entries {
		e.seq = 0
	}
	o.unsure = nil
}

// hold stops posting, or lets it go on.
func (o *outbox) hold(held bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.held = held
	o.poke()
}

// close ends it; every letter whose fate is not known fails with err.
func (o *outbox) close(err error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.err != nil {
		return
	}
	o.err = err
	for _, l := range o.letters {
		l.finish(err)
	}
	for _, e := range o.entries {
		e.letter.finish(err)
	}
	o.letters, o.entries, o.kept = nil, nil, 0
	o.changedLocked()
}

// dropLocked removes the entries that are over.
func (o *outbox) dropLocked(over func(*entry) bool) {
	left := make([]*entry, 0, len(o.entries))
	for _, e := range o.entries {
		if over(e) {
			o.kept -= len(e.frame)
		} else {
			left = append(left, e)
		}
	}
	o.entries = left
}

// moveTo goes on in another room, after a move at a place of the old one. What was posted there behind that place nobody
// reads any more, since all follow the first move; it goes out again, sealed anew, with what was not posted yet. A reader drops what it has
// by the id in the content. What lies before the place is the old room's matter: whoever was away reads it there.
func (o *outbox) moveTo(ctx context.Context, next *stay, place wire.Cursor) error {
	o.hold(true)
	if err := o.await(ctx, func() bool { return !o.posting }); err != nil {
		return err
	}
	defer o.mu.Unlock()
	var left []*Letter
	for _, e := range o.unsure {
		if e.seq > place.Seq {
			left = append(left, e.letter)
		}
	}
	for _, e := range o.entries {
		switch behind := e.seq == 0 || e.seq > place.Seq; {
		case !e.message:
		case behind && e.letter.frame == nil:
			left = append(left, e.letter)
		case behind:
			e.letter.finish(ErrOvertaken)
		default:
			e.letter.finish(ErrMoved)
		}
	}
	for _, l := range o.letters {
		if l.frame == nil {
			left = append(left, l)
		} else {
			l.finish(ErrOvertaken)
		}
	}
	o.letters, o.entries, o.unsure, o.kept, o.stale = left, nil, nil, 0, 0
	o.stay, o.held, o.newest = next, false, wire.Acked{}
	o.changedLocked()
	o.poke()
	return nil
}
