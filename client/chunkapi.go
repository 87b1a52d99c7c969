package client

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"snug/wire"
)

// putChunk posts a chunk. Repeating it under the same id is safe, if it is the same chunk.
func (a *api) putChunk(ctx context.Context, s wire.SessionID, id wire.ChunkID, b []byte) error {
	_, err := callBytes(ctx, a, "chunks", url.Values{"s": {s.String()}, "id": {id.String()}}, b, isOK)
	return err
}

// bigAnswer is what an answer may have where large ones get stuck: squid 5 behind a scanner stalls above 64 KiB (its bug 5352).
const bigAnswer = 48 << 10

// chunk fetches a chunk of so many bytes, and waits up to hold for it; in parts once the network was seen to stop in the middle.
func (a *api) chunk(ctx context.Context, s wire.SessionID, id wire.ChunkID, size int, hold time.Duration) ([]byte, error) {
	if !a.inParts.Load() {
		b, err := a.part(ctx, s, part{id: id, size: size, hold: hold})
		if network, ok := errors.AsType[*NetworkError](err); !ok || !network.Timeout || size <= bigAnswer {
			return b, err
		}
		a.inParts.Store(true) // if it was something else, that costs some requests more and nothing else
	}
	var out []byte
	for len(out) < size {
		b, err := a.part(ctx, s, part{id, len(out), min(size-len(out), inForm(bigAnswer, a.reads.Load())), hold})
		if err != nil {
			return nil, err
		}
		if len(b) == 0 {
			break // shorter than was said, which the caller sees
		}
		out = append(out, b...)
	}
	return out, nil
}

// part is some bytes of a chunk.
type part struct {
	id         wire.ChunkID
	from, size int
	hold       time.Duration
}

// part fetches a part, as text if the network refuses the binary form.
func (a *api) part(ctx context.Context, s wire.SessionID, p part) ([]byte, error) {
	first := a.reads.Load()
	b, err := a.partAs(ctx, s, p, first)
	if blocked, ok := errors.AsType[*BlockedError](err); !ok || !blocked.mayBeTheForm() {
		return b, err
	}
	b, second := a.partAs(ctx, s, p, !first)
	if second != nil {
		return nil, err
	}
	a.reads.Store(!first)
	return b, nil
}

func (a *api) partAs(ctx context.Context, s wire.SessionID, p part, text bool) ([]byte, error) {
	q := url.Values{"s": {s.String()}, "hold": {strconv.Itoa(seconds(p.hold))}, "from": {strconv.Itoa(p.from)}, "size": {strconv.Itoa(p.size)}}
	kind := "application/octet-stream"
	if text {
		q.Set("as", "text")
		kind = "text/plain"
	}
	timed, end := context.WithCancelCause(ctx)
	defer end(nil)
	late := time.AfterFunc(p.hold+requestTime, func() { end(context.DeadlineExceeded) })
	defer late.Stop()
	req := request{http: a.http, method: http.MethodGet, url: func() string { return a.url("chunks/"+p.id.String(), q) }}
	req.progress = func() { late.Reset(stuckTime) }
	resp, body, err := send(timed, req)
	switch {
	case ctx.Err() != nil:
		return nil, context.Cause(ctx)
	case err != nil && context.Cause(timed) == context.DeadlineExceeded:
		return nil, &NetworkError{Timeout: true, Err: context.DeadlineExceeded}
	case err != nil:
		return nil, networkError(err)
	case resp.StatusCode != http.StatusOK || mediaType(resp) != kind:
		return nil, answerError(resp, body)
	case !text:
		return body, nil
	}
	b, err := b64u.DecodeString(string(body))
	if err != nil {
		return nil, answerError(resp, nil)
	}
	return b, nil
}

// owed asks what is held of a transfer, and waits up to hold until that is nothing.
func (a *api) owed(ctx context.Context, s wire.SessionID, file wire.FileID, hold time.Duration) (wire.Owed, error) {
	q := url.Values{"s": {s.String()}, "hold": {strconv.Itoa(seconds(hold))}}
	req := request{http: a.http, method: http.MethodGet, url: func() string { return a.url("files/"+file.String(), q) }, time: hold + requestTime}
	return call(ctx, req, func(o wire.Owed) bool { return o.Members != nil })
}

func (a *api) ackChunks(ctx context.Context, s wire.SessionID, req wire.AckRequest) error {
	_, err := call(ctx, a.json("ack", url.Values{"s": {s.String()}}, req), isOK)
	return err
}
