package e2ee

import "errors"

// Why a frame, a post or a knock was not opened. Every failure of this package wraps exactly one of these; the text
// is fit to be shown to people.
var (
	// ErrUnknownSender: no card was learned for the member the relay names. Open may be tried again after Learn.
	ErrUnknownSender = errors.New("unknown sender")
	// ErrBeforeYou: the sender's chain was not sealed to this member, or only from a later message on.
	ErrBeforeYou = errors.New("sent before you were known")
	// ErrBadSignature: not signed by the identity key held for the member the relay names.
	ErrBadSignature = errors.New("bad signature")
	// ErrDamaged: truncated, altered, for another room, or not of this protocol.
	ErrDamaged = errors.New("damaged")
	// ErrNewer: of a version or type that this package does not know yet.
	ErrNewer = errors.New("sent with a newer version")
	// ErrExpired: the key that would open it was erased, as keys are after a while.
	ErrExpired = errors.New("its key is erased")
	// ErrChanged: the member shows another identity key than the one first seen, and nobody accepted it yet.
	ErrChanged = errors.New("the sender's identity changed and is not accepted")
	// ErrWaiting: its sender is not let in yet, and what only members may say has no effect.
	ErrWaiting = errors.New("the sender is not let in yet")
	// ErrOwn: the relay names this member itself as the poster.
	ErrOwn = errors.New("own frame")
)

// What a caller can do wrong.
var (
	// ErrMalformed: a link, key, alias or saved state that is not what it should be.
	ErrMalformed = errors.New("malformed")
	// ErrEmpty: a passphrase or room name with nothing in it after trimming.
	ErrEmpty = errors.New("empty")
	// ErrUnknownMember: no member of that id is held.
	ErrUnknownMember = errors.New("unknown member")
	// ErrClosed: used after Close, or a step of a knock out of turn.
	ErrClosed = errors.New("closed")
	// ErrFileChanged: the file is not the one any more that was begun to be sent.
	ErrFileChanged = errors.New("the file changed while it was being sent")
	// ErrExhausted: a counter of the protocol is at its end.
	ErrExhausted = errors.New("counter exhausted")
)

// Reason is the word for a failure that the browser's code, the vectors and the logs use; "" for an error that is no
// reason why something was not opened.
func Reason(err error) string {
	for _, r := range []struct {
		err  error
		word string
	}{
		{ErrUnknownSender, "unknown-sender"}, {ErrBeforeYou, "before-you"}, {ErrBadSignature, "bad-signature"}, {ErrChanged, "changed"}, {ErrWaiting, "waiting"},
		{ErrExpired, "expired"}, {ErrNewer, "unknown-type"}, {ErrDamaged, "damaged"}, {ErrOwn, "own"},
	} {
		if errors.Is(err, r.err) {
			return r.word
		}
	}
	return ""
}

// errRepeat is how a receiver reports a used (e, n); Group turns it into KindRepeat.
var errRepeat = errors.New("repeat")
