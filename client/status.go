package client

import (
	"errors"
	"time"
)

// State says in a word how the line to the relay is.
type State string

// What the line can be.
const (
	StateConnecting State = "connecting" // on the way
	StateLive       State = "live"       // a stream carries the room
	StatePolling    State = "polling"    // the network lets no stream through; messages take a little longer
	StateOffline    State = "offline"    // nothing gets through
	StateBlocked    State = "blocked"    // something in between, or the relay, refuses
)

// Status is how the line is. Reason is for people; Rung is the way in use, see Ladder.
type Status struct {
	State  State
	Rung   Rung
	Reason string
}

// setStatus tells whoever asked, at each change.
func (s *Session) setStatus(status Status) {
	s.telling.Lock()
	defer s.telling.Unlock()
	if !s.changeStatus(status) {
		return
	}
	if s.tell != nil {
		s.tell(status) // not under mu: whoever is told may wait for a lock that is held while the session is asked something
	}
	if status.State == StateLive || status.State == StatePolling {
		s.out.poke()
	}
}

func (s *Session) changeStatus(status Status) (news bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if status == s.status || s.ctx.Err() != nil {
		return false
	}
	s.status = status
	return true
}

// trouble shows why joining again does not work yet.
func (s *Session) trouble(err error) {
	status := Status{State: StateOffline, Rung: s.Status().Rung, Reason: err.Error()}
	if _, network := errors.AsType[*NetworkError](err); !network {
		status.State = StateBlocked
	}
	s.setStatus(status)
}

// networkMemory is what the network has taught, and when.
type networkMemory struct {
	Ladder LadderMemory
	At     time.Time
}

// remember keeps what the network has taught for the next stay, and for State.
func (s *Session) remember(m LadderMemory) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.memory = &networkMemory{m, time.Now()}
}

// recall gives it back with its age in milliseconds; nil if there is none.
func (s *Session) recall() (*LadderMemory, int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.memory == nil {
		return nil, 0
	}
	m := s.memory.Ladder
	return &m, max(0, time.Since(s.memory.At).Milliseconds())
}
