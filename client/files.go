package client

import (
	"encoding/json"
	"slices"
	"sync"
	"time"

	"snug/wire"
)

// life is one life of a room under one id: what a relay holds of files does not outlast it.
type life struct {
	st    *stay
	epoch wire.Epoch
}

func (s *Session) life() life {
	st := s.current()
	return life{st, st.epoch()}
}

// arrival is a transfer, and where it is.
type arrival struct {
	Transfer
	life
}

// files are those that this member sends, and those that others have announced.
type files struct {
	mu      sync.Mutex // guards all below; taken after that of a stay
	parcels map[string]*Parcel
	coming  map[Ref]*coming
	order   []Ref // of coming, the oldest first
	leaving bool  // declineFiles is under way
}

// coming is a file of another.
type coming struct {
	puts    []arrival     // not declined, the oldest first
	heard   []wire.FileID // of the newest transfers
	by      *Download     // who fetches it; nil: nobody
	passed  bool          // the caller has seen it and did not want it at once
	stopped bool          // the sender said so
}

// maxHeard bounds how many transfers of a file are recognised when they are announced again.
const maxHeard = 64

// maxComing bounds what is remembered of the files of others. A file that is forgotten can be fetched all the same.
const maxComing = 4096

func (f *files) ofLocked(ref Ref) *coming {
	c := f.coming[ref]
	if c != nil {
		return c
	}
	if f.coming == nil {
		f.coming = make(map[Ref]*coming)
	}
	if len(f.order) >= maxComing {
		if i := slices.IndexFunc(f.order, func(r Ref) bool { return f.coming[r].idle() }); i >= 0 {
			delete(f.coming, f.order[i])
			f.order = slices.Delete(f.order, i, i+1)
		}
	}
	c = new(coming)
	f.coming[ref] = c
	f.order = append(f.order, ref)
	return c
}

func (c *coming) idle() bool { return c.by == nil && len(c.puts) == 0 }

// announced takes in that a file is on its way.
func (f *files) announced(ref Ref, t arrival) (unwanted []arrival) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.ofLocked(ref)
	return f.arrivedLocked(ref, t)
}

// arrived takes in another transfer, and gives those that are not wanted.
func (f *files) arrived(ref Ref, t arrival) (unwanted []arrival) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.arrivedLocked(ref, t)
}

func (f *files) arrivedLocked(ref Ref, t arrival) (unwanted []arrival) {
	c := f.coming[ref]
	if c == nil { // announced before we came, or forgotten
		return []arrival{t}
	}
	c.stopped = false
	if !c.hearLocked(t.ID) {
		return nil
	}
	switch {
	case c.by != nil:
		c.puts = append(c.puts, t)
		c.by.poke()
	case c.passed:
		return []arrival{t}
	default:
		unwanted, c.puts = c.puts, []arrival{t}
	}
	return unwanted
}

// hearLocked is false for a transfer that was announced before. After a restart of the relay senders repeat what they had said, and that transfer went
// with the relay: to follow it would be to decline the one that goes on.
func (c *coming) hearLocked(id wire.FileID) bool {
	if slices.Contains(c.heard, id) {
		return false
	}
	if len(c.heard) == maxHeard {
		c.heard = slices.Delete(c.heard, 0, 1)
	}
	c.heard = append(c.heard, id)
	return true
}

// stop: the sender does not send it any more. It is false if nothing is known of the file.
func (f *files) stop(ref Ref) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	c := f.coming[ref]
	if c == nil || c.stopped {
		return false
	}
	c.stopped = true
	if c.by != nil {
		c.by.poke()
	}
	return true
}

// left: a member is not here any more, and puts nothing more of its files.
func (f *files) left(id wire.MemberID) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for ref, c := range f.coming {
		if ref.From == id && c.by != nil {
			c.by.poke()
		}
	}
}

// decline gives up the transfers of a file that nobody fetches; fetched: somebody does.
func (f *files) decline(info *FileInfo, now life) (unwanted []arrival, fetched bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	c := f.shownLocked(info, now)
	c.passed = true
	if c.by != nil {
		return nil, true
	}
	unwanted, c.puts = c.puts, nil
	return unwanted, false
}

// decline gives up a file that nobody fetches. Its sender is told where the relay cannot do so: nothing of it was put, or no more will be once nobody takes it.
func (s *Session) decline(info *FileInfo) {
	unwanted, fetched := s.files.decline(info, s.life())
	s.skip(unwanted)
	if !fetched && (info.Transfer == nil || info.Transfer.Piece < info.shape().Sealed()) {
		s.needsNot(info)
	}
}

// needsNot tells the sender of a file that we do not wait for it: we ask for what is behind its end. It is queued at once, so that whoever wants
// the file a moment later says so after it.
func (s *Session) needsNot(info *FileInfo) {
	from := info.shape().Sealed()
	no := content{K: "want", Of: info.Ref.String(), From: &from}
	b, err := json.Marshal(no)
	if err == nil && s.out.whisper(b) {
		s.current().line.active()
		return
	}
	s.spawn(func() { s.post(s.ctx, no) }) // waits for room; fails with the session
}

// shownLocked is the file of an event. One that came from a saved state brings its transfer along.
func (f *files) shownLocked(info *FileInfo, now life) *coming {
	known := f.coming[info.Ref] != nil
	c := f.ofLocked(info.Ref)
	if !known && info.Transfer != nil {
		c.puts = []arrival{{*info.Transfer, now}}
	}
	return c
}

func (f *files) parcel(id string) *Parcel {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.parcels[id]
}

// skip tells the relay that arrivals are not wanted, so that it need not keep them for this member. It does not wait.
func (s *Session) skip(unwanted []arrival) {
	now := s.life()
	var ids []wire.FileID
	for _, t := range unwanted {
		if t.life == now {
			ids = append(ids, t.ID)
		}
	}
	if len(ids) > 0 {
		s.spawn(func() { now.st.ackChunks(s.ctx, wire.AckRequest{Skip: ids}) }) // fails only when the stay is over, and all that is owed with it
	}
}

const unreadTime = time.Second // in which more may come that cannot be read

// declineFiles: something could not be read, and may have announced a file. Unless one is on its way here, nobody shall be held up by us with any.
func (s *Session) declineFiles() {
	s.files.mu.Lock()
	defer s.files.mu.Unlock()
	if s.files.leaving || s.files.busyLocked() {
		return
	}
	s.files.leaving = s.spawn(func() {
		pause(s.ctx, unreadTime) // at its end nothing is told any more
		s.files.mu.Lock()
		busy := s.files.busyLocked()
		s.files.leaving = false
		s.files.mu.Unlock()
		if !busy {
			s.life().st.ackChunks(s.ctx, wire.AckRequest{SkipAll: true}) // fails as in skip
		}
	})
}

func (f *files) busyLocked() bool {
	for _, c := range f.coming {
		if !c.idle() {
			return true
		}
	}
	return false
}

func (st *stay) fileLocked(m message) error {
	if m.File == nil || m.ID == "" || len(m.ID) > maxID {
		return wire.ErrMalformed
	}
	ref := Ref{m.from, m.ID}
	info, err := m.File.info(ref)
	if err != nil {
		return err
	}
	unwanted := []arrival(nil)
	if m.Put != nil {
		if err := m.Put.check(info.shape().Sealed()); err != nil {
			return err
		}
		info.Transfer = m.Put
		unwanted = st.s.files.announced(ref, arrival{*m.Put, life{st, st.read.Epoch}})
	}
	st.skipLocked(unwanted)
	return st.itemLocked(m, Event{Kind: KindFile, File: info})
}

func (st *stay) putLocked(m message) error {
	of, err := m.own()
	if err != nil || m.Put == nil || m.Put.check(maxSealed) != nil { // how long the file is, whoever fetches it knows
		return wire.ErrMalformed
	}
	st.skipLocked(st.s.files.arrived(of, arrival{*m.Put, life{st, st.read.Epoch}}))
	return nil
}

// skipLocked is Session.skip for what came in this stay.
func (st *stay) skipLocked(unwanted []arrival) {
	if len(unwanted) > 0 {
		st.s.spawn(func() { st.s.skip(unwanted) })
	}
}

func (st *stay) wantLocked(m message) error {
	of, err := ParseRef(m.Of)
	if err != nil || m.From == nil || *m.From < 0 {
		return wire.ErrMalformed
	}
	if of.From != st.group.Self() {
		return nil // everybody hears it
	}
	if p := st.s.files.parcel(of.ID); p != nil {
		p.want(m.from, *m.From)
		return nil
	}
	st.s.spawn(func() { st.s.post(st.s.ctx, content{K: "stop", Of: of.String()}) }) // of a life before this one
	return nil
}

func (st *stay) stopLocked(m message) error {
	of, err := m.own()
	if err == nil && st.s.files.stop(of) {
		st.tellLocked(Event{Kind: KindStop, At: m.at, From: m.from, Of: of})
	}
	return err
}
