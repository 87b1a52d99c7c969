package client

import (
	"context"
	"sync"

	"snug/wire"
)

// Letter is a message on its way. Its methods may be called from any goroutine.
type Letter struct {
	ID string // the content's id, the same for all who read it

	content []byte // JSON, to be sealed when its turn comes; nil if frame is set
	frame   []byte // a move, sealed already

	posted chan struct{} // closed when the relay has it, or never will
	done   chan struct{} // closed when everybody has it, or never will

	mu     sync.Mutex // guards all below
	place  wire.Posted
	reason string
	failed error // before it was posted
	err    error // of done
}

func newLetter(id string, content, frame []byte) *Letter {
	return &Letter{ID: id, content: content, frame: frame, posted: make(chan struct{}), done: make(chan struct{})}
}

// Posted waits until the relay has taken the message, and tells to how many members it goes. It fails if that will never
// be: with the relay's refusal, ErrClosed or ErrRemoved; or with the error of ctx, which changes nothing for the message.
func (l *Letter) Posted(ctx context.Context) (wire.Posted, error) {
	if err := wait(ctx, l.posted); err != nil {
		return wire.Posted{}, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.place, l.failed
}

// Acked waits until every member has acknowledged the message. It fails as Posted does, or with ErrExpired or ErrMoved.
func (l *Letter) Acked(ctx context.Context) error {
	if err := wait(ctx, l.done); err != nil {
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.err
}

// Reason says for people why the message still waits; "" if nothing is known to be in its way.
func (l *Letter) Reason() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.reason
}

func wait(ctx context.Context, c <-chan struct{}) error {
	if isClosed(c) { // even if ctx is over as well
		return nil
	}
	select {
	case <-c:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func (l *Letter) waits(reason string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.reason = reason
}

// taken: the relay has it.
func (l *Letter) taken(p wire.Posted) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.place, l.reason = p, ""
	closeOnce(l.posted)
}

// finish: its fate is known. The first time counts.
func (l *Letter) finish(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if isClosed(l.done) {
		return
	}
	l.err, l.reason = err, ""
	if !isClosed(l.posted) {
		l.failed = err
	}
	closeOnce(l.posted)
	close(l.done)
}

// closeOnce closes c unless it is closed. The caller holds the lock under which all do.
func closeOnce(c chan struct{}) {
	if !isClosed(c) {
		close(c)
	}
}

func isClosed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}
