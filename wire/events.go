package wire

// Names of the events on a stream and in a poll's answer. Each has a payload type of the same name below.
const (
	EventHello  = "hello"  // first on every stream
	EventMsg    = "msg"    // a message, from a member or from a shell
	EventJoined = "joined" // a member is new in the room
	EventLeft   = "left"   // a member is no longer in the room
	EventCard   = "card"   // a member replaced its card
	EventAcked  = "acked"  // everything up to here is with everybody
	EventGap    = "gap"    // messages or chunks that this member was owed and will not get
	EventKnock  = "knock"  // a stranger asks to be let in
	EventHB     = "hb"     // heartbeat
	EventBye    = "bye"    // planned end; come back after the delay
)

// Msg is one message. From is nil for a post from a shell; then JWE holds the compact JWE, otherwise Body holds the frame.
// At is the relay's clock in milliseconds since 1970. Its place in the log is the id of the event.
type Msg struct {
	From *MemberID `json:"from,omitempty"`
	ID   MessageID `json:"id"`
	At   int64     `json:"at"`
	Body Bytes     `json:"body,omitempty"`
	JWE  string    `json:"jwe,omitempty"`
}

// Member is a member as the relay knows it. Card is a frame; it is left out where the reader has it already.
// Acked is what the member has acknowledged, given where the whole list of members is asked for.
type Member struct {
	ID    MemberID `json:"id"`
	Card  Bytes    `json:"card,omitempty"`
	Away  bool     `json:"away,omitempty"`
	Acked *Cursor  `json:"acked,omitempty"`
}

// Left tells why a member is gone: ReasonLeave, ReasonGrace or ReasonFull.
type Left struct {
	ID  MemberID `json:"id"`
	Why string   `json:"why"`
}

// Why a member is no longer in the room.
const (
	ReasonLeave = "leave" // it said so
	ReasonGrace = "grace" // it was away longer than the relay keeps a member
	ReasonFull  = "full"  // the room was full and it was the furthest behind of those away
)

// Acked tells a poster what has become of its messages. Everything up to Through is no longer waited for; Expired lists
// those of the reader's own messages (the newest 256 at most) that were freed by time before everybody had them.
type Acked struct {
	Through Cursor   `json:"through"`
	Expired []uint64 `json:"expired,omitempty"`
}

// Gap counts what the reader was owed and will not get. Messages is -1 when the relay no longer knows how many.
// After a gap the reader asks for the list of members again, since a joined or left may have been among the lost.
type Gap struct {
	Messages int `json:"messages"`
	Chunks   int `json:"chunks,omitempty"`
}

// Knock is a stranger's note to the members who are here.
type Knock struct {
	ID   KnockID `json:"id"`
	Body Bytes   `json:"body"`
}

// Hello opens a stream. Cursor is where the stream starts, Head the newest place in the log. HB and Life are seconds.
// Roster is the sequence number of the last change of the list of members or of a card.
type Hello struct {
	Cursor Cursor     `json:"cursor"`
	Head   Cursor     `json:"head"`
	Roster uint64     `json:"roster"`
	HB     int        `json:"hb"`
	Life   int        `json:"life"`
	Away   []MemberID `json:"away"`
	Acked  Acked      `json:"acked"`
	Limits Limits     `json:"limits"`
}

// HB is a heartbeat. Away is nil when it has not changed since the last heartbeat or hello of the stream. Near is as in Limits.
type HB struct {
	Away *[]MemberID `json:"away,omitempty"`
	Near bool        `json:"near,omitempty"`
}

// Bye announces the end of a stream. Why is one of the constants below; In is the delay in milliseconds before coming back.
type Bye struct {
	Why string `json:"why"`
	In  int64  `json:"in"`
}

// Why a stream ends.
const (
	ByeLife     = "life"     // its planned age
	ByeHeld     = "held"     // the reader has not acked the newest event for so long that something may hold it back
	ByeShutdown = "shutdown" // the relay stops
	ByeReplaced = "replaced" // the session has a newer stream
	ByeSession  = "session"  // the session ended: the member joined again, left, or was let go
)

// Limits tells a client what the relay takes. Near says that the room is near its budget: ack at once.
type Limits struct {
	Message   int  `json:"message"`   // bytes of one frame
	Chunk     int  `json:"chunk"`     // bytes of one chunk
	Members   int  `json:"members"`   // members of a room
	RoomBytes int  `json:"roomBytes"` // bytes of messages a room may hold
	TTL       int  `json:"ttl"`       // seconds a message is kept at most
	Grace     int  `json:"grace"`     // seconds an away member stays registered
	AwayAfter int  `json:"awayAfter"` // seconds without a POST after which a member counts as away
	Near      bool `json:"near,omitempty"`
}

// Bytes is binary data, base64url without padding in JSON.
type Bytes []byte

// MarshalText makes it a JSON string.
func (b Bytes) MarshalText() ([]byte, error) { return encoding.AppendEncode(nil, b), nil }

// UnmarshalText refuses padding, other alphabets and line breaks.
func (b *Bytes) UnmarshalText(t []byte) error {
	out := make([]byte, encoding.DecodedLen(len(t)))
	if err := decode(out, string(t), "bytes"); err != nil {
		return err
	}
	*b = out
	return nil
}
