package client

import (
	"context"
	"errors"
	"io"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"snug/client/e2ee"
	"snug/wire"
)

// Download is a file of another member that is being fetched. Copy does it.
type Download struct {
	s      *Session
	info   *FileInfo
	sealed int64
	news   chan struct{} // a transfer came, or the sender stopped or left; holds one
	taken  bool          // another Download of the same file is under way
	hold   atomic.Int64  // what the network lets a request wait, a time.Duration

	// What follows is owned by Copy.
	open  *e2ee.FileOpener
	cur   *arrival // followed now; nil: none
	n     uint32   // its next chunk
	got   []wire.ChunkID
	bytes int            // of got
	air   *flight        // the request under way; nil: none
	wg    sync.WaitGroup // of requests
	asked time.Time      // when the sender was asked last
	stall time.Duration  // without anything new, after which it is asked again
	moved time.Time      // when something new came last
}

const (
	maxSealed  = e2ee.MaxFile + e2ee.MaxFile/1024 // more than any sealed file has
	ackBytes   = 1 << 20                          // of chunks are acked together
	ackCount   = 64                               // or as many
	chunkHold  = 8 * time.Second                  // below what nearly every proxy lets an answer take
	firstStall = 30 * time.Second
	maxStall   = 5 * time.Minute
)

// Fetch takes a file that a member sends. Called before Next is called again, it spares the sender to send a small file twice. The caller calls
// Copy, even if only with a context that is over: until then the relay keeps the file for this member, and holds its sender back.
func (s *Session) Fetch(f *FileInfo) *Download {
	d := &Download{s: s, info: f, sealed: f.shape().Sealed(), news: make(chan struct{}, 1), stall: firstStall}
	d.hold.Store(int64(chunkHold))
	now := s.life()
	s.files.mu.Lock()
	defer s.files.mu.Unlock()
	c := s.files.shownLocked(f, now)
	if c.by == nil {
		c.by = d
	} else {
		d.taken = true
	}
	return d
}

// ErrFetching: the file is being fetched already.
var ErrFetching = errors.New("the file is being fetched already")

func (d *Download) poke() { poke(d.news) }

// Copy fetches the file and writes it to w in order: nothing that was not proved to be the sender's, but the end of it only when Copy has
// returned nil. It goes on through everything that the network and the relay do, for as long as the sender is in the room. It fails with e2ee.ErrDamaged, ErrStopped,
// ErrFetching, ErrClosed, ErrRemoved, the error of w or that of ctx.
func (d *Download) Copy(ctx context.Context, w io.Writer) error {
	if d.taken {
		return ErrFetching
	}
	defer d.end()
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	defer context.AfterFunc(d.s.ctx, func() { cancel(context.Cause(d.s.ctx)) })()
	if len(d.info.Key) != 32 {
		return e2ee.ErrMalformed
	}
	var err error
	if d.open, err = e2ee.NewFileOpener(d.info.shape(), [32]byte(d.info.Key), w); err != nil {
		return err
	}
	d.moved = time.Now()
	for d.open.Offset() < d.sealed {
		if err := d.step(ctx); err != nil {
			return err
		}
	}
	d.ack(ctx)
	return d.open.Close()
}

// end gives up what is left of the transfers.
func (d *Download) end() {
	d.s.files.mu.Lock()
	c := d.s.files.ofLocked(d.info.Ref)
	unwanted := c.puts
	c.by, c.puts, c.passed = nil, nil, true
	d.s.files.mu.Unlock()
	d.land()
	d.wg.Wait()
	whole := d.open != nil && d.open.Offset() == d.sealed
	if d.cur != nil && len(d.got) == 0 && whole {
		d.cur = nil // all of it is acked
	}
	if d.cur != nil {
		unwanted = append(unwanted, *d.cur)
	}
	d.s.skip(unwanted)
	if !whole && d.hopeless() == nil {
		d.s.needsNot(d.info)
	}
}

// step takes one chunk, or waits for a transfer.
func (d *Download) step(ctx context.Context) error {
	d.choose()
	if d.cur == nil {
		return d.ask(ctx)
	}
	r, err := d.wait(ctx)
	switch {
	case err != nil || r == nil:
		return err
	case r.err == nil:
		return d.take(ctx, r.body)
	case isRefusal(r.err, wire.CodeNoChunk):
		return d.notYet(ctx)
	case isRefusal(r.err, wire.CodeChunkGone), errors.Is(r.err, ErrMoved):
		d.giveUp(ctx)
		return nil
	}
	return r.err
}

// isOld: the sender has begun another transfer since, and puts nothing more into this one.
func (d *Download) isOld() bool {
	d.s.files.mu.Lock()
	defer d.s.files.mu.Unlock()
	return slices.ContainsFunc(d.s.files.ofLocked(d.info.Ref).puts, func(t arrival) bool { return t.From <= d.open.Offset() })
}

// ends: what the relay has of the transfer that is followed is all there will be.
func (d *Download) ends() bool { return d.isOld() || d.hopeless() != nil }

// notYet: the sender does not get on with the transfer. If it has gone, or begun another since, it never will; else it may have missed that we wait.
func (d *Download) notYet(ctx context.Context) error {
	if err := d.hopeless(); err != nil {
		return err
	}
	switch {
	case d.isOld():
		d.land()
		d.s.skip([]arrival{*d.cur})
		d.cur = nil
	case time.Since(d.moved) > d.stall:
		d.moved = time.Now()
		return d.want(ctx)
	}
	return nil
}

// flight is a request for a chunk.
type flight struct {
	id   wire.ChunkID
	done chan fetched // holds one
	end  context.CancelFunc
}

type fetched struct {
	body []byte
	err  error
}

// wait waits for the next chunk; nil: something else is to be looked at first.
func (d *Download) wait(ctx context.Context) (*fetched, error) {
	d.start(ctx)
	f := d.air
	select {
	case r := <-f.done:
		d.land()
		return &r, nil
	default: // the sender may be waiting for what we have not acked
		d.ack(ctx)
	}
	select {
	case r := <-f.done:
		d.land()
		return &r, nil
	case <-d.news:
		if d.ends() {
			d.land() // the relay may hold this request for something that will not come
		}
		return nil, nil
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

// start has the next chunk fetched, unless it is.
func (d *Download) start(ctx context.Context) {
	id, from, size := d.cur.chunk(d.n, d.sealed)
	if from >= d.sealed || d.air != nil && d.air.id == id {
		return
	}
	d.land()
	ctx, cancel := context.WithCancel(ctx)
	d.air = &flight{id, make(chan fetched, 1), cancel}
	t, f, patient := *d.cur, d.air, !d.ends()
	d.wg.Go(func() {
		body, err := d.fetch(ctx, t, id, size, patient)
		if err == nil && len(body) != size {
			body, err = nil, e2ee.ErrDamaged
		}
		f.done <- fetched{body, err}
	})
}

// land ends the request under way.
func (d *Download) land() {
	if d.air != nil {
		d.air.end()
		d.air = nil
	}
}

// choose goes from a transfer that leads no further to one that does. Of those that begin before this place the newest is kept, in case
// the one followed was given up by its sender; those that begin behind it are kept until then.
func (d *Download) choose() {
	now, at := d.s.life(), d.open.Offset()
	d.s.files.mu.Lock()
	c := d.s.files.ofLocked(d.info.Ref)
	var unwanted, behind []arrival
	var best *arrival // the newest that leads on from here
	leave := func(t *arrival) {
		if t != nil {
			unwanted = append(unwanted, *t)
		}
	}
	if d.cur != nil && d.cur.life != now {
		leave(d.cur)
		d.cur = nil
	}
	for _, t := range c.puts {
		switch {
		case t.life != now:
			leave(&t)
		case t.From > at:
			behind = append(behind, t)
		default:
			leave(best)
			best = &t
		}
	}
	if best != nil && (d.cur == nil || best.From == at) {
		leave(d.cur)
		d.cur, d.n, best = best, 0, nil
	}
	c.puts = behind
	if best != nil {
		c.puts = append(c.puts, *best)
	}
	d.s.files.mu.Unlock()
	d.s.skip(unwanted)
}

// giveUp leaves the transfers as they are, so that the sender is asked for another.
func (d *Download) giveUp(ctx context.Context) {
	d.land()
	d.s.files.mu.Lock()
	c := d.s.files.ofLocked(d.info.Ref)
	unwanted := c.puts
	c.puts = nil
	d.s.files.mu.Unlock()
	d.s.skip(append(unwanted, *d.cur))
	d.cur, d.got, d.bytes = nil, nil, 0 // what is not acked is skipped
}

// ask asks the sender for the rest, but not too often, and waits for something new.
func (d *Download) ask(ctx context.Context) error {
	if err := d.hopeless(); err != nil {
		return err
	}
	if time.Since(d.asked) > d.stall {
		if err := d.want(ctx); err != nil {
			return err
		}
	}
	look := time.NewTimer(time.Second) // the relay may have been restarted, the sender may have left
	defer look.Stop()
	select {
	case <-d.news:
	case <-look.C:
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	return nil
}

// want asks the sender for the rest, and the next time later.
func (d *Download) want(ctx context.Context) error {
	if !d.asked.IsZero() {
		d.stall = min(2*d.stall, maxStall)
	}
	d.asked = time.Now()
	from := d.open.Offset()
	_, err := d.s.post(ctx, content{K: "want", Of: d.info.Ref.String(), From: &from})
	return err
}

// hopeless: there is nobody to ask.
func (d *Download) hopeless() error {
	d.s.files.mu.Lock()
	stopped := d.s.files.ofLocked(d.info.Ref).stopped
	d.s.files.mu.Unlock()
	here := slices.ContainsFunc(d.s.Members(), func(m Member) bool { return m.ID == d.info.Ref.From })
	if stopped || !here {
		return ErrStopped
	}
	return nil
}

// fetch gets a chunk; patient: waiting for it as long as the network lets a request wait.
func (d *Download) fetch(ctx context.Context, t arrival, id wire.ChunkID, size int, patient bool) ([]byte, error) {
	body, err := insist(ctx, t.st, func(ctx context.Context, session wire.SessionID) ([]byte, error) {
		if d.s.life() != t.life {
			return nil, ErrMoved
		}
		var hold time.Duration
		if patient {
			hold = time.Duration(d.hold.Load())
		}
		b, err := waitFor(ctx, d.s.narrow, forFiles, hold, func(ctx context.Context, hold time.Duration) ([]byte, error) {
			return t.st.api.chunk(ctx, session, id, size, hold)
		})
		if _, ours := errors.AsType[*RelayError](err); err != nil && !ours && patient && ctx.Err() == nil {
			d.hold.Store(int64(hold / 2))
		}
		return b, err
	})
	if isRefusal(err, wire.CodeNoChunk) && (time.Duration(d.hold.Load()) < narrowPoll || d.s.narrow.isOn(forFiles)) {
		if err := pause(ctx, narrowPoll); err != nil {
			return nil, err
		}
	}
	return body, err
}

// take opens what was fetched, while the next chunk is on its way. The beginning of it may have come by another transfer.
func (d *Download) take(ctx context.Context, body []byte) error {
	id, from, size := d.cur.chunk(d.n, d.sealed)
	d.n++
	d.moved, d.stall, d.asked = time.Now(), firstStall, time.Time{}
	d.got, d.bytes = append(d.got, id), d.bytes+size
	d.start(ctx)
	if skip := d.open.Offset() - from; skip < int64(size) {
		if _, err := d.open.Write(body[max(0, skip):]); err != nil {
			return err
		}
	}
	if d.bytes >= ackBytes || len(d.got) >= ackCount {
		d.ack(ctx)
	}
	return nil
}

// ack tells the relay what is here. It fails only with the stay, when nothing is owed any more, or with ctx, which the caller sees.
func (d *Download) ack(ctx context.Context) {
	if len(d.got) > 0 && d.cur != nil {
		d.cur.st.ackChunks(ctx, wire.AckRequest{Got: d.got})
		d.got, d.bytes = nil, 0
	}
}
