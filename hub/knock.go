package hub

import (
	"bytes"
	"slices"
	"time"

	"snug/wire"
)

// knocks are the strangers at a room's door, the oldest first.
type knocks struct {
	list  []*knock
	last  uint64 // number of the newest note of a stranger
	bytes int64
}

// knock is one stranger's mailbox.
type knock struct {
	id    wire.KnockID
	n     uint64 // number of its note, by which a subscription knows what it has told
	at    time.Duration
	body  []byte
	notes [][]byte      // only appended to, so a part of it may be handed out
	more  chan struct{} // closed with the next note, or with the knock's end
}

func (k *knock) cost() (n int64) {
	n = knockCost + int64(len(k.body))
	for _, b := range k.notes {
		n += noteCost + int64(len(b))
	}
	return n
}

func (k *knocks) find(id wire.KnockID) *knock {
	if i := slices.IndexFunc(k.list, func(x *knock) bool { return x.id == id }); i >= 0 {
		return k.list[i]
	}
	return nil
}

// expire ends the knocks that were made at or before the given time.
func (k *knocks) expire(before time.Duration) {
	k.list = slices.DeleteFunc(k.list, func(x *knock) bool {
		if x.at > before {
			return false
		}
		k.bytes -= x.cost()
		close(x.more)
		return true
	})
}

// yield ends the oldest knock that nobody has answered, so that a stranger who knocks and runs keeps nobody out. False if
// all are answered.
func (k *knocks) yield() bool {
	i := slices.IndexFunc(k.list, func(x *knock) bool { return len(x.notes) == 0 })
	if i < 0 {
		return false
	}
	k.bytes -= k.list[i].cost()
	close(k.list[i].more)
	k.list = slices.Delete(k.list, i, i+1)
	return true
}

// clear ends all knocks.
func (k *knocks) clear() {
	for _, x := range k.list {
		close(x.more)
	}
	*k = knocks{}
}

// since lists the notes with a greater number than n.
func (k *knocks) since(n uint64) (out []wire.Knock) {
	for _, x := range k.list {
		if x.n > n {
			out = append(out, wire.Knock{ID: x.id, Body: x.body})
		}
	}
	return out
}

// Knock leaves a stranger's note; see Hub. A second note of the same stranger replaces the first and keeps its answers;
// the same note again is told to nobody and holds the knock for another KnockTTL, so it may be repeated when its answer was
// lost. The hub keeps body.
func (h *Memory) Knock(id wire.RoomID, stranger wire.KnockID, body []byte) error {
	if len(body) > wire.MaxKnock {
		return ErrTooLarge
	}
	r, err := h.lock(id)
	if err != nil {
		return err
	}
	if r == nil {
		return ErrNobody
	}
	defer r.unlock()
	if r.online == 0 {
		return ErrNobody
	}
	return r.knock(stranger, body)
}

func (r *room) knock(id wire.KnockID, body []byte) error {
	k, now := r.knocks.find(id), r.hub.now()
	if k != nil && bytes.Equal(k.body, body) {
		k.at = now
		return nil
	}
	if k == nil && len(r.knocks.list) >= r.hub.limits.RoomKnocks && !r.knocks.yield() {
		return ErrKnocksFull
	}
	if err := r.admit(need{beside: knockCost + int64(len(body))}); err != nil {
		return err
	}
	if k == nil {
		k = &knock{id: id, more: make(chan struct{})}
		r.knocks.list = append(r.knocks.list, k)
	} else {
		r.knocks.bytes -= k.cost()
	}
	r.knocks.last++
	k.n, k.at, k.body = r.knocks.last, now, body
	r.knocks.bytes += k.cost()
	r.dueAt(now + r.hub.limits.KnockTTL)
	r.wakes.door = true
	return nil
}

// AnswerKnock leaves a member's note for the stranger; see Hub. It counts as presence. The hub keeps body.
func (h *Memory) AnswerKnock(id wire.RoomID, s wire.SessionID, stranger wire.KnockID, body []byte) error {
	if len(body) > wire.MaxKnock {
		return ErrTooLarge
	}
	r, _, err := h.enterPresent(id, s)
	if err != nil {
		return err
	}
	defer r.unlock()
	k := r.knocks.find(stranger)
	if k == nil {
		return ErrNoKnock
	}
	if len(k.notes) >= r.hub.limits.KnockNotes {
		return ErrKnocksFull
	}
	cost := noteCost + int64(len(body))
	if err := r.admit(need{beside: cost}); err != nil {
		return err
	}
	k.notes = append(k.notes, body)
	r.knocks.bytes += cost
	close(k.more)
	k.more = make(chan struct{})
	return nil
}

// KnockAnswers returns the members' notes from number after on; see Hub. more is closed as well when the knock ends,
// and the next call says so.
func (h *Memory) KnockAnswers(id wire.RoomID, stranger wire.KnockID, after int) (notes [][]byte, more <-chan struct{}, err error) {
	r, err := h.lock(id)
	if err != nil {
		return nil, nil, err
	}
	if r == nil {
		return nil, nil, ErrNoKnock
	}
	defer r.unlock()
	k := r.knocks.find(stranger)
	if k == nil {
		return nil, nil, ErrNoKnock
	}
	after = min(max(after, 0), len(k.notes))
	return slices.Clip(k.notes[after:]), k.more, nil
}
