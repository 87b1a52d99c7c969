package client

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"snug/wire"
)

// ErrForgotten: the relay was restarted while a file was on its way, and has lost what it had of it.
var ErrForgotten = errors.New("the relay was restarted and has lost the beginning of the file")

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

// ChunkSize is the largest chunk that is worth trying, in bytes: 256 KiB at first, a quarter of it after each refusal, 4 KiB in the end, a quarter
// less where the network makes us post text.
func (s *Session) ChunkSize() int {
	a := s.current().api
	return a.chunks.size(a.asText.Load())
}

// PutChunk gives the relay a chunk of a file for all who are in the room now. What is in it is the caller's matter, and so is sealing it. A chunk
// that is put again under its id is the same one, whatever it holds. PutChunk tries until the relay has it, waiting while the relay is full or cannot be
// reached. It fails with *TooBigError, the relay's refusal (*RelayError; nobody else is here, say), ErrMoved, ErrClosed, ErrRemoved or the error of ctx.
func (s *Session) PutChunk(ctx context.Context, id wire.ChunkID, b []byte) error {
	return s.current().putChunk(ctx, id, b)
}

// PutChunks reads r to its end and puts it in chunks FILE.0, FILE.1 and so on, as large as the network lets them be, and returns their ids in
// order: a number is left out when the relay may have got a larger chunk under it. It fails as PutChunk does, with ErrForgotten
// (begin again, as another file), or with the error of r; the ids are then of what was put.
func (s *Session) PutChunks(ctx context.Context, file wire.FileID, r io.Reader) (ids []wire.ChunkID, err error) {
	st := s.current()
	epoch := st.epoch()
	rest := bufio.NewReaderSize(r, largestChunk)
	for next := (wire.ChunkID{File: file}); ; {
		b, err := rest.Peek(st.api.chunks.size(st.api.asText.Load()))
		if len(b) == 0 && err == io.EOF {
			return ids, nil
		}
		if err != nil && err != io.EOF {
			return ids, err
		}
		err = st.putChunk(ctx, next, b)
		if now := st.epoch(); now != epoch {
			if len(ids) > 0 {
				return ids, ErrForgotten
			}
			epoch = now
		}
		big, tooBig := errors.AsType[*TooBigError](err)
		switch {
		case tooBig && big.Size > 0:
			if !big.Sure {
				next.N++
			}
		case err != nil:
			return ids, err
		default:
			ids = append(ids, next)
			next.N++
			rest.Discard(len(b)) // they were read
		}
	}
}

// Chunk fetches a chunk, and tries until the relay has answered. Fetching is no ack; GotChunks is. It fails with *RelayError, whose Code is
// wire.CodeNoChunk if it is not there (yet) and wire.CodeChunkGone if it will not be any more, with ErrMoved, ErrClosed, ErrRemoved or the error of ctx.
func (s *Session) Chunk(ctx context.Context, id wire.ChunkID) ([]byte, error) {
	st := s.current()
	return insist(ctx, st, func(ctx context.Context, session wire.SessionID) ([]byte, error) {
		return st.api.chunk(ctx, session, id)
	})
}

// GotChunks tells the relay that this member has the chunks, so that it need not keep them for it. It fails as Chunk does.
func (s *Session) GotChunks(ctx context.Context, ids ...wire.ChunkID) error {
	return s.current().ackChunks(ctx, wire.AckRequest{Got: ids})
}

// SkipFiles tells the relay that this member wants nothing (more) of the files. It fails as Chunk does.
func (s *Session) SkipFiles(ctx context.Context, files ...wire.FileID) error {
	return s.current().ackChunks(ctx, wire.AckRequest{Skip: files})
}

func (st *stay) putChunk(ctx context.Context, id wire.ChunkID, b []byte) error {
	_, err := insist(ctx, st, func(ctx context.Context, session wire.SessionID) (none struct{}, err error) {
		if err = st.api.putChunk(ctx, session, id, b); err == nil {
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

func (st *stay) ackChunks(ctx context.Context, req wire.AckRequest) error {
	_, err := insist(ctx, st, func(ctx context.Context, session wire.SessionID) (struct{}, error) {
		return struct{}{}, st.api.ackChunks(ctx, session, req)
	})
	return err
}

// insist tries until the relay has answered, and joins again when it has forgotten the session. It ends with ctx, the session, or the stay.
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
		case isClosed(st.gone):
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
