package hub

import (
	"slices"

	"snug/wire"
)

// maxSkips is how many unwanted files of a member are remembered. Chunks of older ones are owed to it again, and
// released when it says so again.
const maxSkips = 256

// PutChunk keeps a chunk for the others; see Hub. It counts as presence. The hub keeps body.
func (h *Memory) PutChunk(id wire.RoomID, s wire.SessionID, chunk wire.ChunkID, body []byte) error {
	if len(body) > h.limits.MaxChunk {
		return ErrTooLarge
	}
	if cap(body)-len(body) > len(body)/8 {
		body = slices.Clone(body) // what lies behind it would be held and not counted
	}
	bytes := costOfChunk(body, h.limits.RoomMembers) + h.limits.RelayBytes - h.fileLimit()
	return h.relieved(&h.fileRelief, id, bytes, true, func() error {
		r, m, err := h.enterPresent(id, s)
		if err != nil {
			return err
		}
		defer r.unlock()
		return r.putChunk(m, chunk, body)
	})
}

// fileLimit is what the relay may hold when a chunk has come: the last sixteenth is left to messages, so that files
// cannot silence the chat.
func (h *Memory) fileLimit() int64 { return h.limits.RelayBytes / 16 * 15 }

func (r *room) putChunk(m *member, id wire.ChunkID, body []byte) error {
	if r.chunks.held[id] != nil {
		return nil
	}
	was, again := r.chunks.wasHere[id]
	owed := r.owing(m, id.File, was, again)
	switch {
	case len(owed) == 0 && again: // all had it, or have left, or do not want it any more
		return nil
	case len(owed) == 0:
		return ErrNobody
	}
	if err := r.admitChunk(costOfChunk(body, len(owed)), allAway(owed)); err != nil {
		return err
	}
	owed = r.owing(m, id.File, was, again) // members may just have been let go
	if len(owed) == 0 {
		return ErrNobody
	}
	now := r.hub.now()
	r.chunks.begin(id.File, r.comers)
	r.chunks.put(&chunk{id: id, body: body, at: now, owed: owed})
	r.dueAt(now + r.hub.limits.ChunkTTL)
	return nil
}

// owing lists the members that a chunk of the file from m is owed to: if it was here before, those only that it was dropped for.
func (r *room) owing(m *member, file wire.FileID, was freed, again bool) []*member {
	list := r.wanting(m, file)
	if again {
		list = slices.DeleteFunc(list, func(o *member) bool { return !slices.Contains(was.lack, o) })
	}
	return list
}

// wanting lists the members that a chunk of the file from m is owed to: those who were there when the file began. Who comes in the middle could
// do nothing with the rest, and could not even decline it, for the message that names the file was not for it.
func (r *room) wanting(m *member, file wire.FileID) (list []*member) {
	comers, begun := r.chunks.begun[file]
	for _, o := range r.list {
		if o != m && !slices.Contains(o.skips, file) && (!begun || o.since <= comers) {
			list = append(list, o)
		}
	}
	return list
}

// admitChunk makes sure that a chunk fits into the room and the relay. In a full room chunks that only sleepers wait for
// make place, the oldest first, but not for a chunk that only sleepers wait for itself: then the rest of a file would push
// out its beginning, and nobody would ever have all of it. A room that holds no chunk takes any.
func (r *room) admitChunk(bytes int64, sleeping bool) error {
	if over := r.chunks.bytes + bytes - r.hub.limits.ChunkRoomBytes; over > 0 && len(r.chunks.held) > 0 {
		list, ok := r.chunks.sleeping(over)
		if !ok || sleeping {
			return ErrChunksFull
		}
		r.drop(list)
	}
	limit := r.share(bytes, r.hub.fileLimit())
	if r.reserve(bytes, limit) {
		return nil
	}
	r.yield(r.hub.bytes.Load() + bytes - limit)
	if r.reserve(bytes, limit) {
		return nil
	}
	return ErrRelayFull
}

// dropChunks frees the oldest chunks that only sleepers wait for, about as many as cost the given bytes.
func (r *room) dropChunks(bytes int64) {
	list, _ := r.chunks.sleeping(bytes)
	r.drop(list)
}

func (r *room) drop(list []*chunk) {
	for _, x := range list {
		for _, m := range r.chunks.drop(x) {
			r.poke(m)
		}
	}
}

// Chunk returns a chunk; see Hub. A GET, so it does not count as presence.
func (h *Memory) Chunk(id wire.RoomID, s wire.SessionID, chunk wire.ChunkID) (body []byte, more <-chan struct{}, err error) {
	r, m, err := h.enter(id, s)
	if err != nil {
		return nil, nil, err
	}
	defer r.unlock()
	if body, err = r.chunks.get(m, chunk); err == ErrNoChunk {
		more = watch(&r.chunks.came)
	}
	return body, more, err
}

// Owed tells what of a file is still owed; see Hub. A GET, so it does not count as presence.
func (h *Memory) Owed(id wire.RoomID, s wire.SessionID, file wire.FileID) (o wire.Owed, more <-chan struct{}, err error) {
	r, _, err := h.enter(id, s)
	if err != nil {
		return o, nil, err
	}
	defer r.unlock()
	n, to := r.chunks.owed(file)
	o.Chunks, o.Members = n, make([]wire.MemberID, 0, len(to))
	for _, m := range to {
		o.Members = append(o.Members, m.id)
		if m.away {
			o.Away++
		}
	}
	return o, watch(&r.chunks.went), nil
}

// AckChunks records what the member has and what it does not want; see Hub. It counts as presence.
func (h *Memory) AckChunks(id wire.RoomID, s wire.SessionID, req wire.AckRequest) error {
	r, m, err := h.enterPresent(id, s)
	if err != nil {
		return err
	}
	defer r.unlock()
	for _, id := range req.Got {
		if x := r.chunks.held[id]; x != nil {
			r.chunks.release(m, x)
		}
	}
	skip := req.Skip
	if req.SkipAll {
		skip = append(slices.Clip(skip), r.chunks.files...)
	}
	if len(skip) > 0 {
		r.chunks.skip(m, skip)
		r.skip(m, skip)
	}
	return nil
}

// skip remembers the newest files that m does not want.
func (r *room) skip(m *member, files []wire.FileID) {
	before := len(m.skips)
	for _, f := range files {
		if slices.Contains(m.skips, f) {
			continue
		}
		if len(m.skips) == maxSkips {
			m.skips = slices.Delete(m.skips, 0, 1)
		}
		m.skips = append(m.skips, f)
	}
	r.extra += int64(len(m.skips)-before) * skipCost
}
