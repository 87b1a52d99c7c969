package client

import (
	"context"
	"errors"
	"net/http"
	"net/url"

	"snug/wire"
)

// putChunk posts a chunk. Repeating it under the same id is safe, if it is the same chunk.
func (a *api) putChunk(ctx context.Context, s wire.SessionID, id wire.ChunkID, b []byte) error {
	_, err := callBytes(ctx, a, "chunks", url.Values{"s": {s.String()}, "id": {id.String()}}, b, isOK)
	return err
}

// chunk fetches a chunk, as text if the network refuses the binary form.
func (a *api) chunk(ctx context.Context, s wire.SessionID, id wire.ChunkID) ([]byte, error) {
	first := a.reads.Load()
	b, err := a.chunkAs(ctx, s, id, first)
	if blocked, ok := errors.AsType[*BlockedError](err); !ok || !blocked.mayBeTheForm() {
		return b, err
	}
	b, second := a.chunkAs(ctx, s, id, !first)
	if second != nil {
		return nil, err
	}
	a.reads.Store(!first)
	return b, nil
}

func (a *api) chunkAs(ctx context.Context, s wire.SessionID, id wire.ChunkID, text bool) ([]byte, error) {
	q, kind := url.Values{"s": {s.String()}}, "application/octet-stream"
	if text {
		q.Set("as", "text")
		kind = "text/plain"
	}
	timed, cancel := context.WithTimeout(ctx, requestTime+bodyTime(largestChunk))
	defer cancel()
	resp, body, err := send(timed, request{http: a.http, method: http.MethodGet, url: func() string { return a.url("chunks/"+id.String(), q) }})
	switch {
	case ctx.Err() != nil:
		return nil, context.Cause(ctx)
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

func (a *api) ackChunks(ctx context.Context, s wire.SessionID, req wire.AckRequest) error {
	_, err := call(ctx, a.json("ack", url.Values{"s": {s.String()}}, req), isOK)
	return err
}
