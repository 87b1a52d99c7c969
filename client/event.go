package client

import (
	"time"

	"snug/wire"
)

// Kind says what an Event is about. The words are those of the JSON that snug tail prints, and stay as they are.
type Kind string

// What can happen in a room.
const (
	KindText    Kind = "text"    // a message of a member, verified
	KindEdit    Kind = "edit"    // a member gave what it said, Of, another Body
	KindDelete  Kind = "delete"  // a member took back what it said, Of
	KindReact   Kind = "react"   // a member put Emoji under Of, or took it away if Off
	KindTimer   Kind = "timer"   // a member set the room's timer, TTL
	KindFile    Kind = "file"    // a member sends a File, Body is its caption; see Session.Fetch
	KindStop    Kind = "stop"    // a member does not send the file Of any more
	KindShell   Kind = "shell"   // a post from a terminal; whoever has the post token can send one
	KindJoined  Kind = "joined"  // a member is new in the room
	KindLeft    Kind = "left"    // a member is no longer in the room; Reason tells if it did not say so itself
	KindRenamed Kind = "renamed" // a member has another alias, Body
	KindChanged Kind = "changed" // a known member shows another identity key; see Session.Accept
	KindGap     Kind = "gap"     // Count messages for us are lost; -1: nobody knows how many
	KindFailed  Kind = "failed"  // something came that could not be opened; Reason tells why
	KindMoved   Kind = "moved"   // From removed Members, and the room goes on under another link
	KindRemoved Kind = "removed" // From removed this member; the last event of a session

	KindLocked   Kind = "locked"   // From locked the room: whoever comes now waits
	KindOpened   Kind = "opened"   // From opened it again, and let in all who waited
	KindAdmitted Kind = "admitted" // From let in a member who had waited, Members and Body its alias; maybe this one
	KindWaiting  Kind = "waiting"  // the room is locked and this member waits, says From
)

// Event is something that happened in the room. Fields that mean nothing for its kind are zero.
type Event struct {
	Kind    Kind            `json:"kind"`
	At      time.Time       `json:"at"` // by the relay's clock if it came as a message, else by ours
	From    wire.MemberID   `json:"from,omitzero"`
	Alias   string          `json:"alias,omitempty"` // of From, as it was then
	ID      string          `json:"id,omitempty"`    // the sender's own name for a text or file
	Body    string          `json:"body,omitempty"`
	Re      Ref             `json:"re,omitzero"`   // what it answers
	Of      Ref             `json:"of,omitzero"`   // what it is about
	Me      bool            `json:"me,omitempty"`  // of a text: it says what its author does
	TTL     Seconds         `json:"ttl,omitempty"` // how long it is to be shown once it is read; 0: for good
	Emoji   string          `json:"emoji,omitempty"`
	Off     bool            `json:"off,omitempty"`
	File    *FileInfo       `json:"file,omitempty"`
	Reason  string          `json:"reason,omitempty"` // for people
	Count   int             `json:"count,omitempty"`
	Members []wire.MemberID `json:"members,omitempty"`
	Err     error           `json:"-"` // of KindFailed: wraps one of package e2ee's
}

// Member is a member of the room, as this one sees it.
type Member struct {
	ID          wire.MemberID `json:"id"`
	Alias       string        `json:"alias"`
	Self        bool          `json:"self,omitempty"`
	Away        bool          `json:"away,omitempty"`
	Waiting     bool          `json:"waiting,omitempty"` // not let in yet; see Session.Admit
	Fingerprint string        `json:"fingerprint"`       // to be compared by voice
	// Changed is set when the member shows another identity key than the one first seen: nothing is sealed to it until Accept.
	// NewAlias and NewFingerprint are what it shows now.
	Changed        bool   `json:"changed,omitempty"`
	NewAlias       string `json:"newAlias,omitempty"`
	NewFingerprint string `json:"newFingerprint,omitempty"`
}

// Shell is what a terminal needs to send into the room: enough to send, not to read.
type Shell struct {
	URL   string `json:"url"`
	Token string `json:"token"`
	Key   string `json:"key"` // X25519 public key, hexadecimal; see Seal
}
