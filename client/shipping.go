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
	var to []wire.MemberID
	next := int64(0)
	if p.body.Size > PushLimit {
		if err := p.announce(ctx, nil); err != nil {
			return err
		}
		next = -1
	} else {
		to = slices.Collect(maps.Keys(p.s.present()))
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
		err := now.st.putChunk(ctx, id, piece[:size])
		if p.s.life() != now || errors.Is(err, ErrMoved) { // the relay has lost it all
			return p.again(ctx, from)
		}
		big, tooBig := errors.AsType[*TooBigError](err)
		switch {
		case tooBig && big.Size > 0:
			return at, nil
		case isRefusal(err, wire.CodeNobody) && p.letterOf() != nil:
			// They came to the rest by another transfer or do not want it, or declined this one by mistake: then they ask.
			p.change(func() { p.open = append(p.open, delivery{arrival: t, to: to, lost: time.Now()}) })
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
			p.change(func() { p.open = append(p.open, delivery{arrival: t, to: to}) })
			return -1, nil
		}
	}
}

// again: what nobody has heard of begins once more; else those who miss something ask.
func (p *Parcel) again(ctx context.Context, from int64) (int64, error) {
	if ctx.Err() != nil {
		return -1, context.Cause(ctx)
	}
	if p.letterOf() != nil {
		return -1, nil
	}
	return from, nil
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

// settle asks the relay who still lacks the oldest transfer, and waits a while for that to change.
func (p *Parcel) settle(ctx context.Context) error {
	p.mu.Lock()
	d := p.open[0]
	p.mu.Unlock()
	if p.s.life() != d.life || !d.lost.IsZero() {
		return p.settleLost(ctx, d.to)
	}
	owed, err := insist(ctx, d.st, func(ctx context.Context, session wire.SessionID) (wire.Owed, error) {
		return d.st.api.owed(ctx, session, d.ID, settleHold)
	})
	switch {
	case errors.Is(err, ErrMoved):
		return nil // looked at again
	case err != nil:
		return fmt.Errorf("asking who has the file: %w", err)
	case p.s.life() != d.life:
		return nil
	}
	p.change(func() {
		p.gotLocked(d.to, owed.Members)
		if owed.Chunks == 0 || !slices.ContainsFunc(d.to, func(m wire.MemberID) bool { return !p.has[m] }) {
			p.open = p.open[1:]
		} else if len(p.open) > 1 { // in turn
			p.open = append(p.open[1:], d)
		}
	})
	return nil
}

// gotLocked: a transfer for some members is over, and is owed to no more than a few of them. Who does not ask has it, or does not want it.
func (p *Parcel) gotLocked(to, owed []wire.MemberID) {
	for _, m := range to {
		if _, asks := p.wants[m]; !asks && !slices.Contains(owed, m) {
			p.has[m] = true
		}
	}
}

// lostTime is how long those who lack something of such a transfer have to say so; they join again within seconds.
const lostTime = 15 * time.Second

// settleLost is settle for a transfer that a relay has forgotten or nobody takes: who lacks something of it asks, the others have it.
func (p *Parcel) settleLost(ctx context.Context, to []wire.MemberID) error {
	p.mu.Lock()
	d := &p.open[0]
	if d.lost.IsZero() {
		d.lost = time.Now()
	}
	left, changed := lostTime-time.Since(d.lost), p.changed
	p.mu.Unlock()
	if left <= 0 {
		p.change(func() {
			p.gotLocked(to, nil)
			p.open = p.open[1:]
		})
		return nil
	}
	timer := time.NewTimer(left)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-changed:
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	return nil
}
