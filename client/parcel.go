package client

import (
	"context"
	"io"
	"slices"
	"sync"
	"time"

	"snug/client/e2ee"
	"snug/wire"
)

// PushLimit is the largest file that goes out without being asked for.
const PushLimit = 8 << 20

// File is a file to send.
type File struct {
	Name string
	Type string // MIME; "": unknown
	Size int64
	Body io.ReaderAt // of Size bytes, and the same ones until the session is over: those who lost some ask again

	Caption  string
	Re       Ref // what it answers
	TTL      Seconds
	Width    int // of a picture or video
	Height   int
	Duration float64 // of a sound or video, in seconds
	Thumb    []byte  // JPEG or WebP of at most 12 KiB; else it is left out
}

// Parcel is a file on its way, for as long as the session lives: who asks for it (again) gets it. Its methods may be called from any goroutine.
type Parcel struct {
	ID string // the content's id, the same for all who see it

	s       *Session         // static, as the next two
	about   content          // its announcement, but for the transfer
	body    *e2ee.FileSealer // read by run only
	wake    chan struct{}    // something changed; holds one
	over    chan struct{}    // closed when err is set
	bye     *Letter          // that it has ended; to be read when over is closed, nil if nobody was to be told
	private context.CancelCauseFunc

	mu       sync.Mutex // guards all below
	letter   *Letter    // the announcement; nil before
	wants    map[wire.MemberID]int64
	audience []wire.MemberID             // those who are to have it
	open     []delivery                  // transfers that were put and not fetched by all they are for
	has      map[wire.MemberID]bool      // or does not want it
	seen     map[wire.MemberID]time.Time // when a member was here last
	sent     int64                       // how far the transfer under way has come
	err      error
	changed  chan struct{} // closed and made anew with every change
}

// delivery is a transfer that is all with the relay, and whom it is for.
type delivery struct {
	arrival
	to   []wire.MemberID
	lost time.Time // when the relay was found to have forgotten it, or nobody to take it; zero: neither
}

// Progress is how far a file is on its way.
type Progress struct {
	Size    int64           // of the sealed file
	Sent    int64           // of it, with the relay: in the newest transfer
	Missing []wire.MemberID // of those who were here when it was announced and still are: who does not have it yet
}

// SendFile announces a file and sends it: at once if it is no larger than PushLimit, else when somebody asks for it. It fails with
// e2ee.ErrMalformed for a size that cannot be, ErrClosed, ErrRemoved or the error of ctx, which bounds no more than the announcing.
func (s *Session) SendFile(ctx context.Context, f File) (*Parcel, error) {
	shape := e2ee.FileShape{Size: f.Size, Segment: e2ee.FileSegment}
	body, err := e2ee.NewFileSealer(shape, f.Body, nil)
	if err != nil {
		return nil, err
	}
	key := body.Key()
	d := &descriptor{Key: key[:], Size: f.Size, Segment: shape.Segment, Name: cleanName(f.Name), Type: f.Type,
		Width: number(f.Width), Height: number(f.Height), Duration: number(f.Duration)}
	if isThumb(f.Thumb) {
		d.Thumb = f.Thumb
	}
	p := &Parcel{ID: newID(), s: s, body: body, wake: make(chan struct{}, 1), over: make(chan struct{}), changed: make(chan struct{}),
		wants: map[wire.MemberID]int64{}, has: map[wire.MemberID]bool{}, seen: map[wire.MemberID]time.Time{}}
	p.about = content{K: "file", ID: p.ID, Body: f.Caption, Re: f.Re.String(), TTL: s.ttl(f.TTL), File: d}
	run, cancel := context.WithCancelCause(s.ctx)
	p.private = cancel
	s.files.add(p)
	if !s.spawn(func() { p.end(p.run(run)) }) {
		return nil, context.Cause(s.ctx)
	}
	return p, p.announced(ctx)
}

func (f *files) add(p *Parcel) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.parcels == nil {
		f.parcels = make(map[string]*Parcel)
	}
	f.parcels[p.ID] = p
}

func (f *files) drop(p *Parcel) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.parcels, p.ID)
}

// announced waits until the announcement is under way.
func (p *Parcel) announced(ctx context.Context) error {
	return p.await(ctx, func(map[wire.MemberID]bool) bool { return p.letter != nil })
}

// Posted waits until the relay has the announcement, as Letter.Posted does.
func (p *Parcel) Posted(ctx context.Context) (wire.Posted, error) {
	if err := p.announced(ctx); err != nil {
		return wire.Posted{}, err
	}
	return p.letterOf().Posted(ctx)
}

func (p *Parcel) letterOf() *Letter {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.letter
}

// Done waits until everybody who was here when the file was announced, and is here still and not away for longer than a moment, has it or
// does not want it. It fails with what ended the parcel: e2ee.ErrFileChanged, a *TooBigError, the relay's refusal, ErrStopped, ErrClosed, ErrRemoved, the error of File.Body;
// or with the error of ctx.
func (p *Parcel) Done(ctx context.Context) error {
	return p.await(ctx, func(here map[wire.MemberID]bool) bool { return p.letter != nil && len(p.missingLocked(here)) == 0 })
}

// Progress tells how far it is.
func (p *Parcel) Progress() Progress {
	here := p.present()
	p.mu.Lock()
	defer p.mu.Unlock()
	return Progress{Size: p.body.Sealed(), Sent: p.sent, Missing: p.missingLocked(here)}
}

// Stop ends it: whoever does not have it yet is told, and gets no more of it than the relay has. It waits until the relay has heard so; it fails
// with the error of ctx, or as Letter.Posted does.
func (p *Parcel) Stop(ctx context.Context) error {
	p.private(ErrStopped)
	if err := wait(ctx, p.over); err != nil || p.bye == nil {
		return err
	}
	_, err := p.bye.Posted(ctx)
	return err
}

// missingLocked lists who should have it and does not, of those who are here.
func (p *Parcel) missingLocked(here map[wire.MemberID]bool) (out []wire.MemberID) {
	for _, m := range p.audience {
		if !p.has[m] && here[m] {
			out = append(out, m)
		}
	}
	return out
}

// present is who counts as here: who is not away, or was not a moment ago. After a restart of the relay all are away until they have come back.
func (p *Parcel) present() map[wire.MemberID]bool {
	now, members := time.Now(), p.s.Members() // before the lock, which is taken under that of a stay
	p.mu.Lock()
	defer p.mu.Unlock()
	here := map[wire.MemberID]bool{}
	for _, m := range members {
		if !m.Self && !m.Away && !m.Changed {
			p.seen[m.ID] = now
		}
		if now.Sub(p.seen[m.ID]) < lostTime {
			here[m.ID] = true
		}
	}
	return here
}

// present are the others who are here and not away.
func (s *Session) present() map[wire.MemberID]bool {
	out := map[wire.MemberID]bool{}
	for _, m := range s.Members() {
		if !m.Self && !m.Away && !m.Changed {
			out[m.ID] = true
		}
	}
	return out
}

// await waits until ready, which is asked with the lock held.
func (p *Parcel) await(ctx context.Context, ready func(here map[wire.MemberID]bool) bool) error {
	look := time.NewTicker(time.Second) // members come, go and fall asleep without a word to us
	defer look.Stop()
	for {
		here := p.present()
		p.mu.Lock()
		ok, err, changed := ready(here), p.err, p.changed
		p.mu.Unlock()
		switch {
		case ok:
			return nil
		case err != nil:
			return err
		}
		select {
		case <-changed:
		case <-look.C:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// change makes a change and tells who waits.
func (p *Parcel) change(what func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	what()
	close(p.changed)
	p.changed = make(chan struct{})
}

// want: a member asks for it from an offset on. Who has it, or does not want it, asks for what is behind its end.
func (p *Parcel) want(m wire.MemberID, from int64) {
	needs := from < p.body.Sealed()
	p.change(func() {
		if needs {
			p.wants[m] = from
			delete(p.has, m)
		} else {
			delete(p.wants, m)
			p.has[m] = true
		}
		for i := range p.open { // another transfer will be for it, or none
			p.open[i].to = slices.DeleteFunc(p.open[i].to, func(o wire.MemberID) bool { return o == m })
		}
		p.tidyLocked()
	})
	if needs {
		poke(p.wake)
	}
}

// end tells those who may still ask, unless nobody will answer them anyway.
func (p *Parcel) end(err error) {
	p.private(err)
	p.s.files.drop(p)
	if p.letterOf() != nil && p.s.ctx.Err() == nil {
		p.bye, _ = p.s.post(p.s.ctx, content{K: "stop", Of: p.s.own(p.ID).String()}) // fails with the session
	}
	p.change(func() { p.err = err })
	close(p.over)
}
