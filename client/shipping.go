package client

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"snug/wire"
)

const gatherTime = time.Second // in which others ask for the same, often at the same moment

// run sends whenever somebody asks, until ctx ends.
func (p *Parcel) run(ctx context.Context) error {
	var to []wire.MemberID // nil: all it was announced to
	next := int64(0)
	if p.body.Size > PushLimit {
		if err := p.announce(ctx, nil); err != nil {
			return err
		}
		next = -1
	}
	for {
		if next < 0 {
			if err := p.idle(ctx); err != nil {
				return err
			}
			if next, to = p.gathered(); next < 0 {
				continue
			}
		}
		var err error
		if next, err = p.transfer(ctx, next, to); err != nil {
			return err
		}
	}
}

// gathered takes the wants: the smallest offset, and who wants it. -1: nobody.
func (p *Parcel) gathered() (from int64, to []wire.MemberID) {
	p.mu.Lock()
	defer p.mu.Unlock()
	from = -1
	for m, f := range p.wants {
		to = append(to, m)
		if from < 0 || f < from {
			from = f
		}
	}
	clear(p.wants)
	return from, to
}

// idle waits until somebody wants it, and looks meanwhile who has fetched what was sent.
func (p *Parcel) idle(ctx context.Context) error {
	for {
		select {
		case <-p.wake:
			return pause(ctx, gatherTime)
		default:
		}
		if p.unsettled() {
			if err := p.settle(ctx); err != nil {
				return err
			}
			continue
		}
		select {
		case <-p.wake:
			return pause(ctx, gatherTime)
		case <-p.changes():
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// transfer puts the sealed file from an offset on, and gives the offset at which to go on with another transfer: -1 for none.
func (p *Parcel) transfer(ctx context.Context, from int64, to []wire.MemberID) (next int64, err error) {
	now := p.s.life()
	t := arrival{Transfer{ID: wire.FileID(randomID()), From: from, Piece: int64(now.st.api.chunks.size(now.st.api.asText.Load()))}, now}
	sealed := p.body.Sealed()
	piece := make([]byte, min(t.Piece, sealed-from))
	for n := uint32(0); ; n++ {
		id, at, size := t.chunk(n, sealed)
		if _, err := p.body.ReadAt(piece[:size], at); err != nil {
			return -1, err
		}
		err := now.putChunk(ctx, id, piece[:size])
		if p.s.life() != now || errors.Is(err, ErrMoved) { // the relay has lost it all
			return p.again(ctx, delivery{arrival: t, to: to})
		}
		big, tooBig := errors.AsType[*TooBigError](err)
		switch {
		case tooBig && big.Size > 0:
			return at, nil
		case isRefusal(err, wire.CodeNobody) && p.letterOf() != nil:
			// They came to the rest by another transfer or do not want it, or declined this one by mistake: then they ask.
			p.opened(delivery{arrival: t, to: to, lost: time.Now()})
			return -1, nil
		case err != nil:
			return -1, err
		}
		if n == 0 {
			if err := p.announce(ctx, &t.Transfer); err != nil {
				return -1, err
			}
		}
		p.change(func() { p.sent = at + int64(size) })
		if at+int64(size) == sealed {
			p.opened(delivery{arrival: t, to: to})
			return -1, nil
		}
	}
}

// again: what nobody has heard of begins once more; else those who miss something ask, and who does not has it.
func (p *Parcel) again(ctx context.Context, d delivery) (int64, error) {
	if ctx.Err() != nil {
		return -1, context.Cause(ctx)
	}
	if p.letterOf() != nil {
		p.opened(d)
		return -1, nil
	}
	return d.From, nil
}

// opened: a transfer has ended at our side. Those who have asked again since get another, and some may need it no more.
func (p *Parcel) opened(d delivery) {
	p.change(func() {
		if d.to == nil {
			d.to = slices.Clone(p.audience)
		}
		d.to = slices.DeleteFunc(d.to, func(m wire.MemberID) bool { _, asks := p.wants[m]; return asks || p.has[m] })
		p.open = append(p.open, d)
		p.tidyLocked()
	})
}

// tidyLocked drops the transfers that nobody is waited for.
func (p *Parcel) tidyLocked() {
	p.open = slices.DeleteFunc(p.open, func(d delivery) bool { return len(d.to) == 0 })
}

func randomID() (id wire.FileID) {
	id, _ = wire.ParseFileID(newID()) // of the same form
	return id
}

func isRefusal(err error, code string) bool {
	relay, ok := errors.AsType[*RelayError](err)
	return ok && relay.Code == code
}

// announce tells the room of the file, or of another transfer of it.
func (p *Parcel) announce(ctx context.Context, t *Transfer) error {
	if p.letterOf() != nil {
		_, err := p.s.post(ctx, content{K: "put", Of: p.s.own(p.ID).String(), Put: t})
		return err
	}
	about := p.about
	about.Put = t
	l, err := p.s.post(ctx, about)
	if err != nil {
		return err
	}
	audience := slices.Collect(maps.Keys(p.s.present()))
	p.change(func() { p.letter, p.audience = l, audience })
	return nil
}

// unsettled: something was sent, and somebody who is here may not have it yet.
func (p *Parcel) unsettled() bool {
	here := p.present()
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.open) > 0 && len(p.missingLocked(here)) > 0
}

func (p *Parcel) changes() <-chan struct{} {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.changed
}

const settleHold = 5 * time.Second // a want may come meanwhile

// settle looks who still lacks one of the transfers, all of them in turn, and waits a while for that to change.
func (p *Parcel) settle(ctx context.Context) error {
	p.mu.Lock()
	if len(p.open) == 0 { // a want has just come
		p.mu.Unlock()
		return nil
	}
	d := p.open[0]
	d.to = slices.Clone(d.to)
	p.open = append(p.open[1:], p.open[0])
	p.mu.Unlock()
	if p.s.life() != d.life || !d.lost.IsZero() {
		return p.settleLost(ctx, d)
	}
	owed, err := insist(ctx, d.st, func(ctx context.Context, session wire.SessionID) (wire.Owed, error) {
		return d.st.owed(ctx, session, d.ID, settleHold)
	})
	if err == nil && p.s.narrow.isOn(forFiles) {
		err = pause(ctx, narrowPoll)
	}
	switch {
	case errors.Is(err, ErrMoved):
		return nil // looked at again
	case err != nil:
		return fmt.Errorf("asking who has the file: %w", err)
	case p.s.life() != d.life:
		return nil
	}
	p.change(func() { p.gotLocked(d.ID, owed.Members) })
	return nil
}

// gotLocked: of those that a transfer is for, only these still lack some of it. The others have it, or do not want it.
func (p *Parcel) gotLocked(id wire.FileID, lack []wire.MemberID) {
	i := slices.IndexFunc(p.open, func(d delivery) bool { return d.ID == id })
	if i < 0 {
		return
	}
	d := &p.open[i]
	d.to = slices.DeleteFunc(d.to, func(m wire.MemberID) bool {
		if slices.Contains(lack, m) {
			return false
		}
		p.has[m] = true
		return true
	})
	p.tidyLocked()
}

// lostTime is how long those who lack something of such a transfer have to say so, once they are back.
const lostTime = 15 * time.Second

// settleLost does so for a transfer that a relay has forgotten or nobody takes: who lacks something of it asks, the others have it.
func (p *Parcel) settleLost(ctx context.Context, d delivery) error {
	if d.lost.IsZero() || !p.areBack(d.to) {
		d.lost = time.Now()
	}
	p.mu.Lock()
	if i := slices.IndexFunc(p.open, func(o delivery) bool { return o.ID == d.ID }); i >= 0 {
		p.open[i].lost = d.lost
	}
	left, changed := lostTime-time.Since(d.lost), p.changed
	p.mu.Unlock()
	if left <= 0 {
		p.change(func() { p.gotLocked(d.ID, nil) })
		return nil
	}
	look := time.NewTimer(min(left, time.Second)) // members come and fall asleep without a word to us
	defer look.Stop()
	select {
	case <-look.C:
	case <-changed:
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	return nil
}

// areBack: none of the members is away, but may have left.
func (p *Parcel) areBack(list []wire.MemberID) bool {
	return !slices.ContainsFunc(p.s.Members(), func(m Member) bool { return m.Away && slices.Contains(list, m.ID) })
}
