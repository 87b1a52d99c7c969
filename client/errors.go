package client

import (
	"encoding/json"
	"errors"
	"fmt"
	"mime"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"snug/wire"
)

// What a caller can act on. Join, and what waits for the relay, may also fail with a *RelayError, a *BlockedError or a *NetworkError.
var (
	// ErrClosed: the session has ended by Close or Leave.
	ErrClosed = errors.New("the session is closed")
	// ErrRemoved: a member has removed this one. The session is over, and the room has another link.
	ErrRemoved = errors.New("removed from the room")
	// ErrExpired: the relay let a message go by time before everybody had collected it, or was restarted when too much else was kept to post it again.
	ErrExpired = errors.New("not everybody collected it in time")
	// ErrMoved: the room moved before the relay knew that everybody had the message.
	ErrMoved = errors.New("the room moved before everybody had it")
	// ErrOvertaken: somebody else removed a member at the same moment, and that is the move that all follow.
	ErrOvertaken = errors.New("somebody else changed the room at the same moment")
	// ErrStopped: a file is not sent any more.
	ErrStopped = errors.New("the file is not sent any more")
	// ErrMoving: the room is on its way already.
	ErrMoving = errors.New("the room is moving")
)

// errNotTheirs: a member wants to change what another has said.
var errNotTheirs = errors.New("of another member")

// RelayError is a refusal by the relay itself. Code is one of wire.Code…, Text is for people.
type RelayError struct {
	Code       string
	HTTP       int
	Text       string
	Link       string
	RetryAfter time.Duration // 0: it did not say

	rejoin bool
	roster *wire.Roster
}

func (e *RelayError) Error() string { return e.Text }

// isFinal: asking again will not help.
func (e *RelayError) isFinal() bool {
	return e.HTTP >= 400 && e.HTTP < 500 && e.HTTP != http.StatusTooManyRequests && e.HTTP != http.StatusRequestTimeout
}

// BlockedError is an answer that is not the relay's: a proxy that wants a login, a block page, a captive portal. Hint says
// in words which.
type BlockedError struct {
	Status      int
	ContentType string
	Hint        string
	RetryAfter  time.Duration
}

func (e *BlockedError) Error() string { return e.Hint }

// ofSize is a 413 that says what to do about it.
func (e *BlockedError) ofSize(n int) *BlockedError {
	told := *e
	told.Hint = fmt.Sprintf("too big for this network, which refuses a message of %d KiB; send less at a time (413)", (n+1023)>>10)
	return &told
}

// NetworkError is no answer at all. Its text holds no URL, since a URL may hold a session.
type NetworkError struct {
	Timeout bool
	Err     error
}

func (e *NetworkError) Error() string {
	if e.Timeout {
		return "no answer in time"
	}
	return unreached + e.Err.Error()
}

const unreached = "the relay cannot be reached: "

func (e *NetworkError) Unwrap() error { return e.Err }

// NetworkFailure is what a failed request of one's own through Transport stands for: a *BlockedError if a proxy has refused it, else
// a *NetworkError.
func NetworkFailure(err error) error { return networkError(err) }

// networkError classifies what http.Client.Do or a read of its answer failed with.
func networkError(err error) error {
	if blocked, ok := errors.AsType[*BlockedError](err); ok {
		return blocked
	}
	timeout := false
	if t, ok := errors.AsType[interface {
		error
		Timeout() bool
	}](err); ok {
		timeout = t.Timeout()
	}
	if u, ok := errors.AsType[*url.Error](err); ok {
		err = u.Err
	}
	return &NetworkError{Timeout: timeout, Err: err}
}

// answerError is what an answer other than the expected one stands for. body is its beginning.
func answerError(resp *http.Response, body []byte) error {
	after := retryAfter(resp)
	var e wire.Error
	if resp.StatusCode >= 400 && json.Unmarshal(body, &e) == nil && e.Code != "" && e.HTTP != 0 && e.Error != "" {
		if e.RetryAfter > 0 {
			after = time.Duration(e.RetryAfter) * time.Second
		}
		return &RelayError{Code: e.Code, HTTP: e.HTTP, Text: e.Error, Link: e.Link, RetryAfter: after, rejoin: e.Rejoin, roster: e.Roster}
	}
	kind := mediaType(resp)
	return &BlockedError{Status: resp.StatusCode, ContentType: kind, Hint: hint(resp.StatusCode, kind), RetryAfter: after}
}

// mediaType is the answer's type in lower case, without parameters.
func mediaType(resp *http.Response) string {
	kind, _, err := mime.ParseMediaType(resp.Header.Get("Content-Type"))
	if err != nil {
		return ""
	}
	return kind
}

func retryAfter(resp *http.Response) time.Duration {
	value := resp.Header.Get("Retry-After")
	if n, err := strconv.ParseUint(value, 10, 31); err == nil {
		return time.Duration(n) * time.Second
	}
	if at, err := http.ParseTime(value); err == nil {
		return max(0, time.Until(at))
	}
	return 0
}

func hint(status int, kind string) string {
	switch {
	case status >= 300 && status < 400:
		return "the network sends us to another page, perhaps to log in"
	case status == http.StatusProxyAuthRequired:
		return "the proxy asks for a login (407)"
	case status == http.StatusNetworkAuthenticationRequired:
		return "the network asks for a login (511)"
	case status == http.StatusRequestEntityTooLarge:
		return "too big for the network (413)"
	case isGateway(status):
		return fmt.Sprintf("the way to the relay is broken (%d)", status)
	case status == 401 || status == 403 || status == 451:
		return fmt.Sprintf("the network refuses this (%d)", status)
	case kind == "text/html":
		return fmt.Sprintf("a page instead of the relay's answer (%d)", status)
	}
	return fmt.Sprintf("an answer that is not the relay's (%d)", status)
}

func isGateway(status int) bool { return status == 502 || status == 503 || status == 504 }
