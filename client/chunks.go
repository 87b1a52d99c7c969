package client

import (
	"context"
	"errors"
	"fmt"
	"time"

	"snug/wire"
)

// TooBigError is a chunk that the network refuses, or seems to, for its size.
type TooBigError struct {
	Size int   // the largest that is worth trying now; 0: it is as small as can be
	Sure bool  // somebody said so; else the relay may have taken the chunk all the same, and its number is used up
	Err  error // what the refusal was
}

func (e *TooBigError) Error() string {
	if e.Size == 0 {
		return "the network lets not even small pieces of a file pass: " + e.Err.Error()
	}
	return fmt.Sprintf("the network refuses a piece of this size; up to %d KiB may pass", e.Size>>10)
}

func (e *TooBigError) Unwrap() error { return e.Err }

// putChunk gives the relay a chunk for all who are in the room now. A chunk that is put again under its id is the same one, whatever it holds. It
// tries until the relay has it, waiting while the relay is full or cannot be reached. It fails with *TooBigError, the relay's refusal (*RelayError; nobody
// wants it, say), ErrMoved when that life of the room is over, ErrClosed, ErrRemoved or the error of ctx.
func (l life) putChunk(ctx context.Context, id wire.ChunkID, b []byte) error {
	st := l.st
	_, err := insist(ctx, st, func(ctx context.Context, session wire.SessionID) (none struct{}, err error) {
		if st.s.life() != l { // there it would be waited for by nobody, and take a place
			return none, ErrMoved
		}
		err = st.api.putChunk(ctx, session, id, b)
		if isRefusal(err, wire.CodeChunksFull) { // wait as long as the relay says, but not when the others have fetched all before
			if _, failed := st.owed(ctx, session, id.File, waitOf(err)); failed == nil {
				err = st.api.putChunk(ctx, session, id, b)
			}
		}
		if err == nil {
			st.api.chunks.pass(len(b))
			return none, nil
		}
		asText := st.api.asText.Load()
		if st.api.chunks.refused(len(b), err, asText) {
			return none, &TooBigError{Size: st.api.chunks.size(asText), Sure: isTooLarge(err), Err: err}
		}
		if isTooLarge(err) {
			return none, &TooBigError{Sure: true, Err: err}
		}
		return none, err
	})
	return err
}

// owed asks what is held of a transfer, and waits up to hold until that is nothing, if the network lets it.
func (st *stay) owed(ctx context.Context, session wire.SessionID, file wire.FileID, hold time.Duration) (wire.Owed, error) {
	return waitFor(ctx, st.s.narrow, forFiles, hold, func(ctx context.Context, hold time.Duration) (wire.Owed, error) {
		return st.api.owed(ctx, session, file, hold)
	})
}

// ackChunks tells the relay which chunks are here, and of which transfers nothing (more) is wanted. It fails as putChunk does.
func (st *stay) ackChunks(ctx context.Context, req wire.AckRequest) error {
	_, err := insist(ctx, st, func(ctx context.Context, session wire.SessionID) (struct{}, error) {
		return struct{}{}, st.api.ackChunks(ctx, session, req)
	})
	return err
}

// insist tries until the relay has answered, and joins again when it has forgotten the session. It ends with ctx, the session, the stay, or when try
// says ErrMoved.
func insist[T any](ctx context.Context, st *stay, try func(context.Context, wire.SessionID) (T, error)) (T, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	defer context.AfterFunc(st.s.ctx, func() { cancel(context.Cause(st.s.ctx)) })()
	for fails := 0; ; fails++ {
		session := st.sessionID()
		out, err := try(ctx, session)
		relay, ours := errors.AsType[*RelayError](err)
		_, tooBig := errors.AsType[*TooBigError](err)
		switch {
		case err == nil:
			return out, nil
		case ctx.Err() != nil:
			return out, context.Cause(ctx)
		case isClosed(st.gone), errors.Is(err, ErrMoved):
			return out, ErrMoved
		case ours && relay.rejoin:
			st.rejoin(ctx, session) // fails only with ctx
			continue
		case tooBig, ours && relay.isFinal():
			return out, err
		case ours && relay.Code == wire.CodeChunksFull:
			fails = 0 // the others are fetching: it is no failure
		}
		if err := pause(ctx, max(backoffTime(fails), waitOf(err))); err != nil {
			return out, err
		}
	}
}

// waitOf is how long who answered wants us to wait.
func waitOf(err error) time.Duration {
	if relay, ok := errors.AsType[*RelayError](err); ok {
		return relay.RetryAfter
	}
	if blocked, ok := errors.AsType[*BlockedError](err); ok {
		return min(blocked.RetryAfter, maxPause)
	}
	return 0
}
