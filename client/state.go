package client

import (
	"encoding/json"
	"fmt"
	"time"

	"snug/wire"
)

// savedSession is what State saves. Waiting are the events that were opened and not handled: their keys are erased, so
// they can only come from here.
type savedSession struct {
	V       int
	Origin  string
	Alias   string
	Group   []byte
	Cursor  wire.Cursor
	Waiting []Event
	Memory  *networkMemory
	Narrow  time.Time // until when the network counts as too narrow for requests that wait
}

// State is what it takes to come back as the same member, with Config.State, and miss nothing. It is all secrets: keep it sealed. Best taken
// last, before Close; it knows nothing of what is sent and not acknowledged. It fails with ErrClosed.
func (s *Session) State() ([]byte, error) {
	st := s.current()
	st.mu.Lock()
	defer st.mu.Unlock()
	group, err := st.group.Export()
	if err != nil {
		return nil, closedOr(err)
	}
	s.mu.Lock()
	memory, alias := s.memory, s.alias
	s.mu.Unlock()
	return json.Marshal(savedSession{V: 1, Origin: s.origin, Alias: alias, Group: group, Cursor: st.read, Waiting: s.queue.waiting(), Memory: memory, Narrow: s.narrow.learned()})
}

func readState(b []byte) (s savedSession, err error) {
	if json.Unmarshal(b, &s) != nil || s.V != 1 || s.Group == nil {
		return s, fmt.Errorf("%w: not what State gave", errNoState)
	}
	return s, nil
}
