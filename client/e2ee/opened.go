package e2ee

import "snug/wire"

// Kind says what Open found.
type Kind uint8

// What Open can find.
const (
	KindContent Kind = iota + 1 // a message
	KindKeys                    // a sender's chain; nothing to show
	KindRepeat                  // seen before: to be dropped, and counted
	KindMove                    // the room moves
	KindCard                    // a card that came as a message
	KindShell                   // a post from a shell, sender not verified
	KindHeld                    // a message of a member who is not let in yet
	KindWaiting                 // a member says whom it does not let in yet
)

// String is the word the browser's code uses for it.
func (k Kind) String() string {
	return [...]string{"none", "content", "keys", "repeat", "move", "card", "shell", "held", "waiting"}[min(k, KindWaiting)]
}

// Opened is what a frame held. Fields that do not belong to Kind are zero. Next to an error Kind is zero, and the rest is what
// is known all the same.
type Opened struct {
	Kind    Kind
	From    wire.MemberID
	Content []byte // of a message (JSON with a kind "k") or shell post (text); the caller's to keep
	E, N    uint32 // of a message, repeat or keys
	ForYou  bool   // keys: a chain for this member was in it, and was taken
	Need    bool   // next to an error: content of kind "need" to From would bring keys for what follows
	Move    *Move
	Status  Status // of a card
	Rules   bool   // of a message: it is a lock or lets somebody in, and the group has heeded it
	News    bool   // it changed something
	Waiting []wire.MemberID
}

// Move says that the room goes on under another root.
type Move struct {
	By      wire.MemberID
	Removed []wire.MemberID
	Root    *Root // nil if this member is not to follow
}
