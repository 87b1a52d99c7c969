package hub

import (
	"encoding/base64"
	"time"

	"snug/wire"
)

// Post appends a message from a member; see Hub. It counts as presence.
func (h *Memory) Post(id wire.RoomID, s wire.SessionID, p Post) (Posted, error) {
	if len(p.Frame) > h.limits.MaxMessage {
		return Posted{}, ErrTooLarge
	}
	// Once without the message: who it is from has to be known before it can be framed, and the framing, which is most of
	// the work, happens outside the lock.
	out, from, known, err := h.check(id, s, p)
	if known || err != nil {
		return out, err
	}
	event := frame(wire.Msg{From: &from, ID: p.ID, At: time.Now().UnixMilli(), Body: p.Frame})
	err = h.relieved(&h.relief, id, costOf(event), true, func() error {
		r, m, err := h.enterPresent(id, s)
		if err != nil {
			return err
		}
		defer r.unlock()
		if out, known, err = r.check(m, p); known || err != nil {
			return err
		}
		out, err = r.post(&m.reader, p.ID, event, true)
		if p.Lend && err == nil {
			out.Wake = r.lend()
		}
		return err
	})
	return out, err
}

func (h *Memory) check(id wire.RoomID, s wire.SessionID, p Post) (out Posted, from wire.MemberID, known bool, err error) {
	r, m, err := h.enterPresent(id, s)
	if err != nil {
		return out, from, false, err
	}
	defer r.unlock()
	out, known, err = r.check(m, p)
	return out, m.id, known, err
}

// check finds out whether the message was posted before or was sealed for an older list of members.
func (r *room) check(m *member, p Post) (out Posted, known bool, err error) {
	if seq, ok := r.log.ids.seq(m.id, p.ID); ok {
		return r.posted(p.ID, seq, true), true, nil
	}
	if p.Roster != nil && r.stale(*p.Roster, m) {
		out.Roster = r.rosterSince(*p.Roster, m)
		return out, false, ErrRosterStale
	}
	return out, false, nil
}

// PostShell appends a message from a shell; see Hub. The budget may refuse it, but nobody is let go for it.
func (h *Memory) PostShell(id wire.RoomID, msg wire.MessageID, jwe string) (Posted, error) {
	if len(jwe) > wire.MaxShell {
		return Posted{}, ErrTooLarge
	}
	event := frame(wire.Msg{ID: msg, At: time.Now().UnixMilli(), JWE: jwe})
	r, err := h.lock(id)
	if err != nil {
		return Posted{}, err
	}
	if r == nil {
		return Posted{}, ErrNobody
	}
	defer r.unlock()
	if seq, ok := r.log.ids.seq(r.log.shell.id, msg); ok {
		return r.posted(msg, seq, true), nil
	}
	return r.post(&r.log.shell, msg, event, false)
}

// post adds a framed message to the log, if there is room or letting go of members makes some.
func (r *room) post(from *reader, id wire.MessageID, event []byte, letGo bool) (Posted, error) {
	if err := r.admit(need{log: costOf(event), messages: 1, letGo: letGo}); err != nil {
		return Posted{}, err
	}
	now := r.hub.now()
	seq := r.log.post(from, id, wire.AppendID(event, r.cursor(r.log.head+1)), now)
	r.hub.tally.posted.Add(1)
	r.dueAt(now + r.hub.limits.TTL)
	r.wakes.all = true
	return r.posted(id, seq, false), nil
}

func (r *room) posted(id wire.MessageID, seq uint64, duplicate bool) Posted {
	return Posted{Posted: wire.Posted{
		ID:        id,
		Cursor:    r.cursor(seq),
		Members:   len(r.list),
		Online:    r.online,
		Duplicate: duplicate,
	}}
}

// msgFraming is what the fields of a message and its id line add to its body.
const msgFraming = 200

// frame makes the event that all readers share, with room for its id.
func frame(m wire.Msg) []byte {
	size := msgFraming + base64.RawURLEncoding.EncodedLen(len(m.Body)) + len(m.JWE)
	return wire.AppendMsg(make([]byte, 0, size), m)
}

// costOf is what the log will need for the event, once it has its id.
func costOf(event []byte) int64 { return entryCost + int64(cap(event)) }

// Ack records that the member has everything up to and including through, and counts as presence. It also ends the
// telling of lost chunks, if a subscription has told them.
func (h *Memory) Ack(id wire.RoomID, s wire.SessionID, through wire.Cursor) error {
	r, m, err := h.enterPresent(id, s)
	if err != nil {
		return err
	}
	defer r.unlock()
	if !r.behind(through) {
		return ErrBadCursor
	}
	m.chunks.acked = m.chunks.told
	r.log.ack(&m.reader, through.Seq)
	return nil
}
