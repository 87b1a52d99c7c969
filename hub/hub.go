// Package hub keeps rooms: who is in them, the ciphertext still owed to somebody, and what each member has acknowledged.
// It knows no HTTP and no keys. Nothing is ever written to disk.
//
// The rules, in short: a message is freed when every member that was in the room when it was posted has acked it (its
// poster counts as having acked), or when it is as old as Limits.TTL. Only acks move a member's cursor; a successful
// write is not delivery and an open stream is not presence. A member stays registered while away, up to Limits.Grace.
// When a room is full, the member furthest behind among those away is let go first. Nothing is dropped silently: who
// missed how much is told by a Gap. A room without members is gone, with all its bytes.
package hub

import (
	"errors"
	"time"

	"snug/wire"
)

// What a caller can act on. Every method may return ErrNoSession or ErrClosed besides those it names.
var (
	ErrNoSession   = errors.New("unknown session")                                       // join again
	ErrNobody      = errors.New("nobody is in the room")                                 // a post or knock would reach nobody
	ErrBadCursor   = errors.New("cursor is ahead of the room, or of another life of it") // a client's mistake
	ErrRoomFull    = errors.New("room is full and every member is present")              // come again when they have acked
	ErrMembersFull = errors.New("room has all the members it may have")
	ErrChunksFull  = errors.New("too many bytes of files are unfetched") // come again when they are fetched
	ErrRelayFull   = errors.New("relay holds all it may hold")
	ErrTooLarge    = errors.New("larger than the limit")
	ErrNoChunk     = errors.New("no such chunk")                // not put yet, or never
	ErrChunkGone   = errors.New("chunk was freed")              // by time, or because the member was away when room was needed
	ErrRosterStale = errors.New("members changed since roster") // see Posted.Roster
	ErrNoKnock     = errors.New("no such knock")                // never, or too long ago
	ErrKnocksFull  = errors.New("too many knocks")              // in the room, or notes in one
	ErrClosed      = errors.New("hub is closed")                // shutting down
)

// Kind tells what reads: of each kind a session has one subscription, the newest.
type Kind uint8

// Kinds of subscription. They may stand beside each other, because a client that climbs back to a stream keeps its
// poll until the stream has proved itself.
const (
	Stream Kind = iota
	Batch
	Poll
)

// Hub is what handlers need of a relay's state. Memory is the one that ships; hubtest holds what every Hub must keep.
// All methods may be called from any goroutine. A room comes to life with its first member and ends with its last.
// Bytes that are passed in belong to the hub from then on and must not be changed.
type Hub interface {
	// Join registers the member, or finds it again, and gives it a new session; the older session of the member ends.
	// Joined.Gap is for a member that was let go; what one that stayed registered has lost, its subscription tells.
	// Errors: ErrMembersFull, ErrRelayFull, ErrRoomFull (no room to tell the others), ErrTooLarge (card).
	Join(room wire.RoomID, j Join) (wire.Joined, error)
	// Leave ends the membership at once: what was owed to the member is owed no more.
	Leave(room wire.RoomID, s wire.SessionID) error
	// SetCard replaces the member's card and tells the others. Errors: ErrTooLarge, ErrRelayFull, ErrRoomFull.
	SetCard(room wire.RoomID, s wire.SessionID, card []byte) error
	// Known tells whether the session is one of the room's, before anything large is taken from it. It is no sign of life.
	Known(room wire.RoomID, s wire.SessionID) error
	// Members lists the room's members with their cards and what they have acked.
	Members(room wire.RoomID, s wire.SessionID) (wire.Roster, error)

	// Post appends a message from a member. Posting the same id again stores nothing and answers the first place.
	// With p.Roster set and older than the room's, ErrRosterStale comes with the newer cards in Posted.Roster.
	// Errors: ErrTooLarge, ErrRoomFull, ErrRelayFull, ErrRosterStale.
	Post(room wire.RoomID, s wire.SessionID, p Post) (Posted, error)
	// PostShell appends a message from a shell. It never costs a member its membership; so that shells cannot fill a room
	// for the next poster to do so, the last quarter of the room's budget is left to members.
	// Errors: ErrNobody, ErrTooLarge, ErrRoomFull, ErrRelayFull.
	PostShell(room wire.RoomID, id wire.MessageID, jwe string) (Posted, error)
	// Ack records that the member has everything up to and including through, and counts as presence.
	// An older cursor than the recorded one changes nothing. Errors: ErrBadCursor.
	Ack(room wire.RoomID, s wire.SessionID, through wire.Cursor) error

	// Subscribe starts reading after the cursor; what was acked already is not read again. An older subscription of
	// the same session and kind ends. Errors: ErrBadCursor. The caller closes the subscription.
	Subscribe(room wire.RoomID, s wire.SessionID, after wire.Cursor, kind Kind) (Subscription, error)

	// SubscribeReader is Subscribe for a reader that no goroutine waits for: r is told instead of the channels, which are
	// nil. It is not told of what is pending when the subscription begins.
	SubscribeReader(room wire.RoomID, s wire.SessionID, after wire.Cursor, kind Kind, r Reader) (Subscription, error)

	// PutChunk keeps a chunk for all other members who are here since the first chunk of its file. Putting the same id again stores nothing, unless it was
	// dropped: then it is kept for those who still lack it. Errors: ErrTooLarge, ErrChunksFull, ErrRelayFull, ErrNobody (no other
	// member wants it).
	PutChunk(room wire.RoomID, s wire.SessionID, id wire.ChunkID, body []byte) error
	// Chunk returns a chunk; the bytes are shared and must not be changed. With ErrNoChunk comes a channel that is closed
	// when there may be more to say. Errors: ErrNoChunk, ErrChunkGone.
	Chunk(room wire.RoomID, s wire.SessionID, id wire.ChunkID) (body []byte, more <-chan struct{}, err error)
	// Owed tells what is held of a file, and for whom; the channel is closed when there may be less.
	Owed(room wire.RoomID, s wire.SessionID, file wire.FileID) (o wire.Owed, more <-chan struct{}, err error)
	// AckChunks records what chunks the member has, and which files it does not want, now or later: those listed, or all that have begun.
	AckChunks(room wire.RoomID, s wire.SessionID, req wire.AckRequest) error

	// Knock leaves a stranger's note for the members who are here now; it is held in memory, and told once to each
	// subscription, for KnockTTL. Errors: ErrNobody (no member is present), ErrTooLarge, ErrKnocksFull, ErrRelayFull.
	Knock(room wire.RoomID, id wire.KnockID, body []byte) error
	// AnswerKnock leaves a member's note for the stranger. Errors: ErrNoKnock, ErrTooLarge, ErrKnocksFull, ErrRelayFull.
	AnswerKnock(room wire.RoomID, s wire.SessionID, id wire.KnockID, body []byte) error
	// KnockAnswers returns the members' notes from number after on, and a channel that is closed when there is more.
	// Errors: ErrNoKnock.
	KnockAnswers(room wire.RoomID, id wire.KnockID, after int) (notes [][]byte, more <-chan struct{}, err error)

	// Stats counts what the hub holds, for metrics and tests.
	Stats() Stats
	// Close ends every subscription and refuses everything from then on.
	Close() error
}

// Join is a proven request to be a member: the caller has checked token and secret.
type Join struct {
	Member wire.MemberID
	Card   []byte
	Cursor *wire.Cursor  // what the client has handled; acks if it is of this life of the room
	Known  []wire.Member // members to register as away, if this join begins a new life of the room, or the joiner comes from the one before and nobody has left this one
}

// Post is a message of a member. Roster is the roster number it was sealed for, nil if the poster does not care any more.
// The hub does not keep Frame.
type Post struct {
	ID     wire.MessageID
	Frame  []byte // the caller's again when Post returns
	Roster *uint64
	Lend   bool // the caller can call Posted.Wake
}

// Posted is wire.Posted and, with ErrRosterStale, the newer list of members.
type Posted struct {
	wire.Posted
	Roster *wire.Roster
	// Wake wakes the readers, if it is not nil, as it may be with Post.Lend only: the caller calls it, once, as soon as it
	// has answered its poster. It calls their Pump, so it takes about as long as writing to 64 sockets at most.
	Wake func()
}

// Subscription reads a room for one session. It belongs to one goroutine at a time; only Ready and Done may be waited on from others.
type Subscription interface {
	// Hello describes where the subscription starts. HB, Life and Limits of it are left to the caller. It is there until
	// Next is called for the second time.
	Hello() wire.Hello
	// Next returns what is pending, without waiting: at most about max bytes of events, at least one event if there is any.
	Next(max int) (Update, error)
	// Ready receives when Next may have something new. It may receive for nothing.
	Ready() <-chan struct{}
	// Done is closed when the subscription ends before Close; Next then returns ErrReplaced, ErrNoSession or ErrClosed.
	Done() <-chan struct{}
	// Close gives the subscription back. It may be called more than once.
	Close()
}

// Reader reads a subscription without a goroutine of its own, so that an open stream costs next to nothing while nothing happens.
type Reader interface {
	// Pump is called on one reader with all those of its room, itself among them, that may have something new or whose
	// subscription has ended before Close. The hub calls it with no lock held, for one room at a time only, so a call that
	// takes its time holds up nobody but the readers of that room, and what is posted meanwhile comes with the next call.
	// It may come for nothing, and once more while or after the subscription is closed. batch must not be kept.
	// When it returns a time above 0 it has done nothing, and is called again after that, with all who wait then.
	Pump(batch []Reader) (later time.Duration)
}

// ErrReplaced ends a subscription whose session has a newer one of the same kind.
var ErrReplaced = errors.New("replaced by a newer stream of the session")

// Update is what a subscription has to tell, in the order of the fields.
type Update struct {
	Gap    *wire.Gap     // owed and lost, before the events; through GapAt
	GapAt  wire.Cursor   // where the reader stands after the gap
	Events []wire.Framed // the slice too is shared by all readers at the same place; must not be changed
	Cursor wire.Cursor   // where the reader stands after the events
	// Handled is what the reader has acked. A change of it alone does not make Ready receive.
	Handled wire.Cursor
	Knocks  []wire.Knock    // strangers' notes
	Acked   *wire.Acked     // if it changed since the last Update and concerns the reader's own messages
	Away    []wire.MemberID // who is away
	// AwayChanged says that Away differs from the last Update's. A change of it alone does not make Ready receive.
	AwayChanged bool
	More        bool // max was reached, call Next again
	Near        bool // the room is near its budget: ack at once
}

// Stats counts what a hub holds. Freed and Dropped count since the start.
type Stats struct {
	Rooms, Members, Away, Subscriptions int
	Messages, Chunks                    int   // held now
	Bytes                               int64 // held now: messages, cards, chunks and what they cost to keep
	Posted, Freed                       uint64
	Expired                             uint64            // messages freed by time before everybody had them
	LetGo                               map[string]uint64 // members let go, by wire.Reason…
	ChunksDropped                       uint64            // chunks freed before everybody who wanted them had them
}
