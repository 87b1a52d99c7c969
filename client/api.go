package client

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"sync/atomic"
	"time"

	"snug/wire"
)

const (
	requestTime = 20 * time.Second // a post of a message over a slow and scanning proxy; a lost one is sent again under its id
	stuckTime   = 10 * time.Second // without a byte more of an answer that had begun
	slowest     = 8 << 10          // bytes a second that a big body may take before it counts as lost
	maxAnswer   = 8 << 20          // the cards of 256 members, and what a poll may carry, several times over
)

var b64u = base64.RawURLEncoding

// api is the relay's HTTP interface (docs/HTTP.md) as methods of one room. GET and POST only, no custom header, everything in URL and
// body. Every method fails with *RelayError, *BlockedError, *NetworkError or the error of ctx. Safe for concurrent use; holds no session.
type api struct {
	base    string       // origin of the relay; static
	room    wire.RoomID  // static
	http    *http.Client // static
	asText  atomic.Bool  // posts go as text/plain since the network has refused the binary form and taken this one
	reads   atomic.Bool  // chunks are read as text/plain, for the same reason
	inParts atomic.Bool  // chunks are read in parts, since the network has stopped in the middle of one
	chunks  chunkSize
	late    func() // told of each post that is not answered soon; static, nil: nobody asks
}

func (a *api) join(ctx context.Context, req wire.JoinRequest) (wire.Joined, error) {
	return call(ctx, a.json("join", nil, req), func(j wire.Joined) bool { return j.Session != wire.SessionID{} })
}

// post posts a frame. Repeating it under the same id is safe. A nil roster is for those who do not care any more.
func (a *api) post(ctx context.Context, s wire.SessionID, id wire.MessageID, frame []byte, roster *uint64) (wire.Posted, error) {
	q := url.Values{"s": {s.String()}, "id": {id.String()}}
	if roster != nil {
		q.Set("roster", strconv.FormatUint(*roster, 10))
	}
	return callBytes(ctx, a, "messages", q, frame, func(p wire.Posted) bool { return p.ID == id })
}

func (a *api) ack(ctx context.Context, s wire.SessionID, through wire.Cursor) error {
	_, err := call(ctx, a.json("ack", url.Values{"s": {s.String()}, "through": {through.String()}}, nil), isOK)
	return err
}

func (a *api) card(ctx context.Context, s wire.SessionID, card []byte) error {
	_, err := callBytes(ctx, a, "card", url.Values{"s": {s.String()}}, card, isOK)
	return err
}

func (a *api) leave(ctx context.Context, s wire.SessionID) error {
	_, err := call(ctx, a.json("leave", url.Values{"s": {s.String()}}, nil), isOK)
	return err
}

func (a *api) members(ctx context.Context, s wire.SessionID) (wire.Roster, error) {
	req := request{http: a.http, method: http.MethodGet, url: func() string { return a.url("members", url.Values{"s": {s.String()}}) }}
	return call(ctx, req, func(r wire.Roster) bool { return r.Members != nil })
}

// poll waits up to hold for events behind after, which it acks. It is tried once: what a failure means is the ladder's matter.
func (a *api) poll(ctx context.Context, s wire.SessionID, after wire.Cursor, hold int) (wire.Polled, error) {
	req := a.json("poll", url.Values{"s": {s.String()}, "after": {after.String()}, "hold": {strconv.Itoa(hold)}}, nil)
	req.time += time.Duration(hold) * time.Second
	return once(ctx, req, func(p wire.Polled) bool { return p.Events != nil })
}

// bodyTime is what n bytes may take on the slowest line.
func bodyTime(n int) time.Duration { return time.Duration(n) * time.Second / slowest }

func isOK(ok wire.OK) bool { return ok.OK }

// url is that of a path below the room. The nonce keeps caches, and proxies that merge equal requests, from answering for the relay.
func (a *api) url(path string, q url.Values) string {
	if q == nil {
		q = url.Values{}
	}
	var nonce [9]byte
	rand.Read(nonce[:]) // never fails
	q.Set("n", b64u.EncodeToString(nonce[:]))
	return a.base + "/r/" + a.room.String() + "/" + path + "?" + q.Encode()
}

// request is one request; url is asked at each attempt, so that each has its own nonce.
type request struct {
	http   *http.Client
	method string
	url    func() string
	kind   string // of the body
	body   []byte
	time   time.Duration // 0: requestTime

	late     func() // told when there is no answer soon, or none for what may be want of a connection; nil: nobody asks
	progress func() // told whenever some of the answer has come; nil: nobody asks
}

// json is a POST of a JSON body, or of none.
func (a *api) json(path string, q url.Values, body any) request {
	req := request{http: a.http, method: http.MethodPost, url: func() string { return a.url(path, q) }, kind: "text/plain", time: requestTime, late: a.late}
	if body != nil {
		req.kind, req.body = "application/json", wire.MustJSON(body)
	}
	return req
}

// callBytes posts bytes, as text if the network refuses the binary form. Whichever form gets through is kept.
func callBytes[T any](ctx context.Context, a *api, path string, q url.Values, b []byte, ours func(T) bool) (T, error) {
	form := func(asText bool) request {
		req := a.json(path, q, nil)
		req.time += bodyTime(len(b))
		req.kind, req.body = "application/octet-stream", b
		if asText {
			req.kind, req.body = "text/plain", []byte(b64u.EncodeToString(b))
		}
		return req
	}
	first := a.asText.Load()
	out, err := call(ctx, form(first), ours)
	blocked, ok := errors.AsType[*BlockedError](err)
	if !ok || !blocked.mayBeTheForm() {
		return out, err
	}
	out, second := call(ctx, form(!first), ours)
	_, refused := errors.AsType[*RelayError](second)
	if second != nil && !refused && !isTooLarge(second) {
		return out, err
	}
	a.asText.Store(!first) // had the relay refused it, or a box only its size, the form got through all the same
	return out, second
}

// mayBeTheForm: a login, a redirect or a broken way says nothing about the form of the body.
func (e *BlockedError) mayBeTheForm() bool {
	switch s := e.Status; {
	case s < 200, s >= 300 && s < 400, s == 407, s == 413, s == 511, isGateway(s):
		return false
	}
	return true
}

// call tries once more after a broken connection: a POST on one that the other side has just closed fails without having
// been read, and ids make a repeat harmless.
func call[T any](ctx context.Context, req request, ours func(T) bool) (T, error) {
	if req.late != nil {
		defer time.AfterFunc(narrowSuspect, req.late).Stop()
	}
	out, err := once(ctx, req, ours)
	if network, ok := errors.AsType[*NetworkError](err); ok && !network.Timeout {
		out, err = once(ctx, req, ours)
	}
	if req.late != nil && mayBeNarrow(err) {
		req.late()
	}
	return out, err
}

// once sends the request and reads the answer as JSON that is ours.
func once[T any](ctx context.Context, req request, ours func(T) bool) (out T, err error) {
	timed, cancel := context.WithTimeout(ctx, max(req.time, requestTime))
	defer cancel()
	resp, body, err := send(timed, req)
	if ctx.Err() != nil {
		return out, context.Cause(ctx)
	}
	if err != nil {
		err = networkError(err)
		if network, ok := errors.AsType[*NetworkError](err); ok && network.Timeout {
			req.http.CloseIdleConnections() // those of the same age may have gone silent as well, and each would cost as long
		}
		return out, err
	}
	if resp.StatusCode/100 == 2 && json.Unmarshal(body, &out) == nil && ours(out) {
		return out, nil
	}
	return *new(T), answerError(resp, body)
}

func send(ctx context.Context, req request) (*http.Response, []byte, error) {
	r, err := http.NewRequestWithContext(ctx, req.method, req.url(), bytes.NewReader(req.body))
	if err != nil {
		return nil, nil, err
	}
	r.Header.Set("Accept", "application/json")
	if req.kind != "" {
		r.Header.Set("Content-Type", req.kind)
	}
	resp, err := req.http.Do(r)
	if err != nil {
		return nil, nil, err
	}
	defer resp.Body.Close()
	from := io.LimitReader(resp.Body, maxAnswer)
	if req.progress != nil {
		from = &watched{from, req.progress}
	}
	body, err := io.ReadAll(from)
	return resp, body, err
}

// watched tells of every read.
type watched struct {
	io.Reader
	progress func()
}

func (w *watched) Read(p []byte) (int, error) {
	n, err := w.Reader.Read(p)
	w.progress()
	return n, err
}
