package client

import (
	"cmp"
	"context"
	"errors"
	"iter"
	"net/http"
	"sync"
	"time"

	"snug/client/e2ee"
	"snug/wire"
)

// Session is one member's stay in one room, from Join to Leave or Close, through every move of the room. Its methods may be called from any
// goroutine, but Next and Events from one at a time.
type Session struct {
	origin  string // static, as the next three
	http    *http.Client
	ownHTTP bool
	tell    func(Status) // Config.Status
	queue   *queue
	out     *outbox
	seen    seen
	files   files
	narrow  *narrow
	ctx     context.Context // ends with the session
	cancel  context.CancelCauseFunc
	wg      sync.WaitGroup // of all that spawn started; Close waits

	telling sync.Mutex // held while somebody is told of a status, so that they come one at a time and in order; taken before mu

	mu     sync.Mutex // guards all below
	stay   *stay
	alias  string
	status Status
	memory *networkMemory // nil: the network has taught nothing yet
	timer  Seconds        // of the room
}

// Join enters a room. ctx bounds the joining only; the session lives until Leave or Close. It tries once, and fails with e2ee.ErrMalformed or
// e2ee.ErrEmpty for a wrong Config, or with a *RelayError, *BlockedError or *NetworkError. A session that is in never gives up. When ctx ends
// while the relay may have taken the member in, Join takes up to 2 s more to leave again.
func Join(ctx context.Context, c Config) (*Session, error) {
	var saved savedSession
	if c.State != nil {
		var err error
		if saved, err = readState(c.State); err != nil {
			return nil, err
		}
		c.Origin, c.Root = saved.Origin, e2ee.Root{1} // the group brings its own
		c.Link, c.Passphrase, c.Name = "", "", ""
	}
	c, err := c.resolve()
	if err != nil {
		return nil, err
	}
	group, err := newGroup(c, saved)
	if err != nil {
		return nil, err
	}
	s := &Session{origin: c.Origin, http: c.httpClient(), ownHTTP: c.HTTP == nil, tell: c.Status, queue: newQueue(), out: newOutbox(), alias: cmp.Or(c.Alias, saved.Alias), memory: saved.Memory, narrow: newNarrow(saved.Narrow)}
	s.ctx, s.cancel = context.WithCancelCause(context.Background())
	st := newStay(s, group, saved.Cursor)
	for _, e := range saved.Waiting {
		s.queue.add(item{Event: e, Stay: st, Before: saved.Cursor})
	}
	s.stay, s.out.stay = st, st
	if err := st.join(ctx); err != nil {
		if ctx.Err() != nil {
			st.unjoin()
		}
		group.Close()
		s.cancel(ErrClosed)
		return nil, err
	}
	s.spawn(func() { s.out.run(s.ctx) })
	s.spawn(s.run)
	return s, nil
}

// spawn runs what in a goroutine that Close waits for; false if the session is over.
func (s *Session) spawn(what func()) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ctx.Err() != nil {
		return false
	}
	s.wg.Go(what)
	return true
}

func newGroup(c Config, saved savedSession) (*e2ee.Group, error) {
	if saved.Group == nil {
		return e2ee.NewGroup(e2ee.Config{Root: c.Root, Identity: c.Identity, Alias: c.Alias, Now: c.Now})
	}
	group, err := e2ee.Import(saved.Group, e2ee.Config{Now: c.Now})
	if err == nil && c.Alias != "" && c.Alias != saved.Alias {
		_, err = group.Rename(c.Alias)
	}
	return group, err
}

// run lives through one stay after the other.
func (s *Session) run() {
	for st := s.current(); st != nil; {
		m := st.live(s.ctx)
		if m == nil {
			return
		}
		if m.Root == nil {
			s.removed(st, m)
			return
		}
		st = s.follow(st, m)
	}
}

func (s *Session) current() *stay {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.stay
}

// Next waits for what happens next in the room. An event counts as handled when Next is called again; only then is it acknowledged to the
// relay, so that a sender's second tick means what it says, and a file that was not taken by then is declined. After 256 events that nobody took, the session stops reading
// and the relay keeps the rest. Next fails with ErrRemoved or ErrClosed at the end, when all events were given, or with the error of ctx.
func (s *Session) Next(ctx context.Context) (Event, error) {
	if i, ok := s.queue.done(); ok {
		if i.Event.File != nil {
			s.decline(i.Event.File)
		}
		i.Stay.handled()
	}
	return s.queue.next(ctx)
}

// Events ranges over what happens until the session ends or ctx does. An event counts as handled when the loop's body is through with it.
func (s *Session) Events(ctx context.Context) iter.Seq[Event] {
	return func(yield func(Event) bool) {
		for {
			e, err := s.Next(ctx)
			if err != nil || !yield(e) {
				return
			}
		}
	}
}

// Members are those in the room, this one first.
func (s *Session) Members() []Member { return s.current().members(s.Alias()) }

// Self is this member's id.
func (s *Session) Self() wire.MemberID { return s.current().group.Self() }

// Alias is the name that others see.
func (s *Session) Alias() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.alias
}

// Rename takes another alias. It fails with e2ee.ErrMalformed for one that cannot be; an error of the network means that others see it later.
func (s *Session) Rename(ctx context.Context, alias string) error {
	st := s.current()
	if _, err := st.group.Rename(alias); err != nil {
		return closedOr(err)
	}
	s.mu.Lock()
	s.alias = alias
	s.mu.Unlock()
	return st.showCard(ctx)
}

// Accept trusts the new identity of a member that shows as changed. It fails with e2ee.ErrUnknownMember if there is none.
func (s *Session) Accept(id wire.MemberID) error { return closedOr(s.current().group.Accept(id)) }

// SafetyCode is equal on all screens that see the same members.
func (s *Session) SafetyCode() string { return s.current().group.SafetyCode() }

// Room is the room's id, which changes when it moves.
func (s *Session) Room() wire.RoomID { return s.current().room }

// Link lets whoever has it join; it changes when the room moves. It is empty once the session is over.
func (s *Session) Link() string {
	root := s.current().group.Root()
	if root == (e2ee.Root{}) {
		return ""
	}
	return root.Link(s.origin)
}

// Identity is what makes this member the same one again; a secret.
func (s *Session) Identity() e2ee.Identity { return s.current().group.Identity() }

// Shell is what a terminal needs to send into the room.
func (s *Session) Shell() Shell { return shellOf(s.origin, s.current().group.Keys()) }

// Status is how the line to the relay is.
func (s *Session) Status() Status {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.status
}

// Leave leaves the room: the relay keeps nothing for this member any more, and everybody else starts new keys. The session
// is over, whether the relay has heard it or not; ctx bounds the telling, and its failure is returned.
func (s *Session) Leave(ctx context.Context) error {
	defer s.Close()
	if !s.end(ErrClosed) {
		return nil
	}
	s.wg.Wait() // first, or the line would find its session gone and join again
	st := s.current()
	err := st.api.leave(ctx, st.sessionID())
	if relay, ok := errors.AsType[*RelayError](err); ok && relay.rejoin { // it may know us by a session that we never heard of
		if err = st.join(ctx); err == nil {
			err = st.api.leave(ctx, st.sessionID())
		}
	}
	return err
}

// Close ends the session without a word to the room, where the member counts as away and is kept for hours: to come back,
// take State before. It waits for the session's goroutines and erases its keys. It may be called more than once.
func (s *Session) Close() {
	s.end(ErrClosed)
	s.wg.Wait()
	s.current().group.Close()
	if s.ownHTTP {
		s.http.CloseIdleConnections()
	}
}

// end stops everything; Next gives what is left, and then err. It is false if the session was over already.
func (s *Session) end(err error) bool {
	s.mu.Lock()
	first := s.ctx.Err() == nil
	s.cancel(err)
	s.mu.Unlock()
	s.out.close(err)
	s.queue.end(err)
	return first
}

// removed: another member has taken this one out.
func (s *Session) removed(st *stay, m *move) {
	st.mu.Lock()
	st.tellLocked(Event{Kind: KindRemoved, From: m.By, Members: m.Removed})
	st.mu.Unlock()
	s.say(func(ctx context.Context) { st.api.leave(ctx, st.sessionID()) }) // or the relay lets us go by time
	s.end(ErrRemoved)
	st.group.Close()
}

const sayTime = 5 * time.Second

// say tells the relay something that it need not hear.
func (s *Session) say(what func(context.Context)) {
	ctx, cancel := context.WithTimeout(s.ctx, sayTime)
	defer cancel()
	what(ctx)
}

// closedOr makes the end of the keys the end of the session.
func closedOr(err error) error {
	if errors.Is(err, e2ee.ErrClosed) {
		return ErrClosed
	}
	return err
}
