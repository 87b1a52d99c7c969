package wire

import (
	"encoding/json"
	"slices"
)

// JoinRequest is the body of POST /r/{room}/join. Cursor is what the client has handled of an earlier life of its
// membership, if any; it acks. Known is the list of members the joiner knew: in a room of a fresh epoch they are
// registered as away again, so that members asleep during a restart miss nothing.
type JoinRequest struct {
	Access AccessToken  `json:"access"`
	Secret MemberSecret `json:"secret"`
	Card   Bytes        `json:"card"`
	Cursor *Cursor      `json:"cursor,omitempty"`
	Known  []Member     `json:"known,omitempty"`
}

// Joined answers a join. Members includes the joiner. Cursor is where to start reading; Fresh says that the member is
// new here, so that nothing older is owed to it; Gap that something owed was lost while it was away.
type Joined struct {
	Session SessionID `json:"session"`
	Member  MemberID  `json:"member"`
	Cursor  Cursor    `json:"cursor"`
	Roster  uint64    `json:"roster"`
	Fresh   bool      `json:"fresh"`
	Members []Member  `json:"members"`
	Acked   Acked     `json:"acked"`
	Gap     *Gap      `json:"gap,omitempty"`
	Limits  Limits    `json:"limits"`
}

// Roster answers GET /r/{room}/members and is the body of a 409 to a post that was sealed for an older list.
// In the 409 cards that the poster has are left out.
type Roster struct {
	Roster  uint64   `json:"roster"`
	Members []Member `json:"members"`
}

// Posted answers a post: its place, how many members the room has and how many of them are here, the poster included
// if it is a member. Duplicate says that this id was posted before and the place is that of the first.
type Posted struct {
	ID        MessageID `json:"id"`
	Cursor    Cursor    `json:"cursor"`
	Members   int       `json:"members"`
	Online    int       `json:"online"`
	Duplicate bool      `json:"duplicate,omitempty"`
}

// AppendJSON appends p as json.Marshal writes it, in a tenth of the time: it answers each message.
func (p Posted) AppendJSON(b []byte) []byte {
	b = append(slices.Grow(b, 128), `{"id":"`...)
	b = encoding.AppendEncode(b, p.ID[:])
	b = append(b, `","cursor":"`...)
	b = p.Cursor.append(b)
	b = append(b, `","members":`...)
	b = appendInt(b, int64(p.Members))
	b = append(b, `,"online":`...)
	b = appendInt(b, int64(p.Online))
	if p.Duplicate {
		b = append(b, `,"duplicate":true`...)
	}
	return append(b, '}')
}

// Owed answers GET /r/{room}/files/{file}: what the relay holds of a transfer, and for whom. None: whoever was there and wants it has it.
type Owed struct {
	Chunks  int        `json:"chunks"`
	Members []MemberID `json:"members"` // that some of them are owed to
	Away    int        `json:"away"`    // of these members
}

// AckRequest is the optional body of POST /r/{room}/ack. Got lists chunks the member has, Skip files it does not want; SkipAll is all that have begun.
type AckRequest struct {
	Got  []ChunkID `json:"got,omitempty"`
	Skip []FileID  `json:"skip,omitempty"`

	SkipAll bool `json:"skip_all,omitempty"`
}

// KnockRequest is the body of POST /r/{room}/knock (Body) and of /r/{room}/knock/poll (After, Hold). The secret is the
// stranger's own; its hash is the knock id. After counts the answers the stranger has, Hold is in seconds.
type KnockRequest struct {
	Secret MemberSecret `json:"secret"`
	Body   Bytes        `json:"body,omitempty"`
	After  int          `json:"after,omitempty"`
	Hold   int          `json:"hold,omitempty"`
}

// KnockAnswers answers a stranger's poll: the members' notes from number After on.
type KnockAnswers struct {
	Notes []Bytes `json:"notes"`
}

// OK answers what has nothing else to say. It is never empty, so that a client can tell our answer from a proxy's.
type OK struct {
	OK bool `json:"ok"`
}

// PolledEvent is one event in a poll's answer; ID is empty for a control event.
type PolledEvent struct {
	Event string          `json:"event"`
	ID    string          `json:"id,omitempty"`
	Data  json.RawMessage `json:"data"`
}

// PollRoom is one room of POST /poll, whose body is a list of them.
type PollRoom struct {
	Room    RoomID    `json:"room"`
	Session SessionID `json:"s"`
	After   Cursor    `json:"after"`
}

// Error is the one shape of every refusal. Code is one of the Code constants and stays the same for ever; Error is for
// people; Link points at the help. Rejoin says that the session is unknown and a new join will mend it; RetryAfter is in seconds.
// Roster comes with CodeRosterStale.
type Error struct {
	Code       string  `json:"code"`
	HTTP       int     `json:"http"`
	Error      string  `json:"error"`
	Link       string  `json:"link"`
	Rejoin     bool    `json:"rejoin,omitempty"`
	RetryAfter int     `json:"retryAfter,omitempty"`
	Roster     *Roster `json:"roster,omitempty"`
}

// Codes of refusals.
const (
	CodeBadRequest   = "bad_request"   // 400: something does not parse; the text says what
	CodeBadCursor    = "bad_cursor"    // 400: a cursor ahead of the room, or of another life of it
	CodeNotSealed    = "not_sealed"    // 400: a body that is neither a frame nor a JWE
	CodeNoSession    = "no_session"    // 401: unknown session, rejoin
	CodeNoToken      = "no_token"      // 401: a shell post without a token
	CodeWrongToken   = "wrong_token"   // 403
	CodeNotFound     = "not_found"     // 404: no such page
	CodeNobody       = "nobody"        // 404: nobody is in the room
	CodeNoChunk      = "no_chunk"      // 404: no such chunk (yet)
	CodeMethod       = "method"        // 405
	CodeBodyLate     = "body_late"     // 408: the body took longer than the relay waits; try again, with a smaller one if it can be
	CodeRosterStale  = "roster_stale"  // 409: the members changed; the newer cards come along
	CodeNoKnock      = "no_knock"      // 404: no such knock, or it is too old
	CodeKnocksFull   = "knocks_full"   // 429: too many knocks
	CodeChunkGone    = "chunk_gone"    // 410: the chunk was freed before this member had it
	CodeTooLarge     = "too_large"     // 413
	CodeURLTooLong   = "url_too_long"  // 414
	CodeMediaType    = "media_type"    // 415: a body of a kind this path does not take
	CodeRoomFull     = "room_full"     // 429: message budget, all members present
	CodeMembersFull  = "members_full"  // 429: the room has all the members it may have
	CodeChunksFull   = "chunks_full"   // 429: too many unfetched bytes, come again
	CodeRelayFull    = "relay_full"    // 429: the relay holds all it may hold
	CodeSlowDown     = "slow_down"     // 429: rate limit
	CodeInternal     = "internal"      // 500
	CodeShuttingDown = "shutting_down" // 503
)

// Polled answers a poll: the events after the reader's cursor, as a stream would carry them, and where the reader stands
// after them. In the list that answers POST /poll a room that cannot be read has Error and nothing else.
type Polled struct {
	Cursor Cursor        `json:"cursor"`
	Events []PolledEvent `json:"events"`
	Away   []MemberID    `json:"away"`
	Acked  Acked         `json:"acked"`
	Near   bool          `json:"near,omitempty"`
	Error  *Error        `json:"error,omitempty"`
}

// Origin answers GET /origin.json: where others reach the relay, scheme://host, empty if it does not know.
type Origin struct {
	Origin string `json:"origin"`
}
