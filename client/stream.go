package client

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/r3labs/sse/v2"

	"snug/wire"
)

// maxEvent is far above the largest frame in base64url that a relay carries by default, and bounds what one event may cost.
const maxEvent = 4 << 20

// event is one event of the relay, from whatever rung. Cursor is zero for those without a place in the log.
type event struct {
	name   string
	cursor wire.Cursor
	data   []byte
}

// errNotOurs ends an answer with an event that does not read as the relay wrote it. It must not be passed over: the next answer brings it again.
var errNotOurs = errors.New("an event that is not the relay's")

// newEvent reads the id of events that have a place in the log; others have none, whatever the reader says: sse.Client
// gives them the id of the event before.
func newEvent(name, id string, data []byte) (e event, err error) {
	e = event{name: name, data: data}
	switch name {
	case wire.EventMsg, wire.EventJoined, wire.EventLeft, wire.EventCard, wire.EventGap:
		if e.cursor, err = wire.ParseCursor(id); err != nil {
			return e, errNotOurs
		}
	}
	if !json.Valid(data) {
		return e, errNotOurs
	}
	return e, nil
}

// placed tells whether the event has a place in the log.
func (e event) placed() bool { return e.cursor.Epoch != wire.Epoch{} }

// streamQuery is what to ask of GET /stream. Zero numbers are the relay's choice.
type streamQuery struct {
	session  wire.SessionID
	after    wire.Cursor
	batch    bool
	octets   bool
	hb, life int // seconds, of a stream
	hold     int // seconds, of a batch
}

func (q streamQuery) values() url.Values {
	v := url.Values{"s": {q.session.String()}, "after": {q.after.String()}}
	if q.batch {
		v.Set("mode", "batch")
		v.Set("hold", strconv.Itoa(q.hold))
	}
	if q.octets {
		v.Set("as", "octet-stream")
	}
	if q.hb > 0 {
		v.Set("hb", strconv.Itoa(q.hb))
	}
	if q.life > 0 {
		v.Set("life", strconv.Itoa(q.life))
	}
	return v
}

// stream reads one answer to its end and gives each event to take, which may wait. An error of take ends it. It returns nil when the answer ended as
// it should, and otherwise as the methods of api do, or io.ErrUnexpectedEOF when the answer broke off.
//
// It is read by sse.Client, with what that needs: one Subscribe per connection, no back-off and no reconnect of its own, a
// buffer for the largest event, unfinished events held back, and ids not trusted where the relay sent none.
func (a *api) stream(ctx context.Context, q streamQuery, take func(event) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	kind := "text/event-stream"
	if q.octets {
		kind = "application/octet-stream"
	}
	c := sse.NewClient(a.url("stream", q.values()), sse.ClientMaxBufferSize(maxEvent))
	c.Connection = a.http
	c.Headers["Accept"] = kind
	c.ReconnectStrategy = noRetry{}
	answered := false
	c.ResponseValidator = func(_ *sse.Client, resp *http.Response) error {
		if resp.StatusCode == http.StatusOK && mediaType(resp) == kind {
			answered = true
			resp.Body = &wholeEvents{ReadCloser: resp.Body}
			return nil
		}
		defer resp.Body.Close() // sse.Client does not, after an error
		body, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
		if err != nil {
			return err
		}
		return answerError(resp, body)
	}
	err := c.SubscribeRawWithContext(ctx, func(got *sse.Event) {
		if ctx.Err() != nil || (len(got.Event) == 0 && len(got.Data) == 0) { // cancelled, or a retry field alone
			return
		}
		e, err := newEvent(string(got.Event), string(got.ID), got.Data)
		if err == nil {
			err = take(e)
		}
		if err != nil {
			cancel(err)
		}
	})
	return streamError(ctx, err, answered)
}

func streamError(ctx context.Context, err error, answered bool) error {
	switch {
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case err == nil:
		return nil
	case answered:
		return fmt.Errorf("%w: %w", io.ErrUnexpectedEOF, err)
	}
	if refused, ok := errors.AsType[*RelayError](err); ok {
		return refused
	}
	return networkError(err)
}

// noRetry is a back-off that ends after the first attempt: our ladder decides what comes next.
type noRetry struct{}

func (noRetry) NextBackOff() time.Duration { return -1 } // backoff.Stop
func (noRetry) Reset()                     {}

// wholeEvents passes on what ends with a blank line and keeps back the rest, so that an event cut short by the end of the
// answer is never taken for a whole one. The relay's line ends are LF; a proxy that rewrote them would break more than this.
type wholeEvents struct {
	io.ReadCloser
	buf   []byte // read, and not passed on
	whole int    // how much of buf ends with a blank line
	chunk [8 << 10]byte
	err   error
}

func (w *wholeEvents) Read(p []byte) (int, error) {
	for w.whole == 0 {
		if w.err != nil {
			return 0, w.err
		}
		if len(w.buf) > maxEvent {
			return 0, fmt.Errorf("%w: of more than %d bytes", errNotOurs, maxEvent)
		}
		w.fill()
	}
	n := copy(p, w.buf[:w.whole])
	w.buf, w.whole = w.buf[n:], w.whole-n
	return n, nil
}

func (w *wholeEvents) fill() {
	searched := max(0, len(w.buf)-1)
	n, err := w.ReadCloser.Read(w.chunk[:])
	w.buf, w.err = append(w.buf, w.chunk[:n]...), err
	if i := bytes.LastIndex(w.buf[searched:], []byte("\n\n")); i >= 0 {
		w.whole = searched + i + 2
	}
}
