package handlers

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"time"

	"github.com/labstack/echo/v4"

	"snug/hub"
	"snug/wire"
)

const (
	maxPollRooms = 16      // of one POST /poll
	maxPollBody  = 4 << 10 // of the list of rooms: 256 bytes each, twice what one takes
	maxPolled    = maxPass // of events in an answer
)

// poll is POST /r/{room}/poll?s=&after=&hold=: an ack of after, then the events behind it, waited for up to hold.
func (s *Server) poll(c echo.Context) error {
	who, err := parseCaller(c)
	if err != nil {
		return err
	}
	after, err := param(who.query, "after", wire.ParseCursor)
	if err != nil {
		return err
	}
	hold, err := who.query.seconds("hold", s.holdSpan())
	if err != nil {
		return err
	}
	polled, err := s.pollRooms(c, []wire.PollRoom{{Room: who.room, Session: who.session, After: after}}, hold)
	if err == nil {
		err = polled[0].err
	}
	if err != nil {
		return err
	}
	return s.large(c, polled[0].polled)
}

// polls is POST /poll?hold=: the same for several rooms at once, for clients that may have few connections. A room that
// cannot be read has its error in the answer, and does not let the others wait.
func (s *Server) polls(c echo.Context) error {
	q, err := parseQuery(c.Request().URL.RawQuery)
	if err != nil {
		return err
	}
	hold, err := q.seconds("hold", s.holdSpan())
	if err != nil {
		return err
	}
	rooms, err := readPollRooms(c)
	if err != nil {
		return err
	}
	polled, err := s.pollRooms(c, rooms, hold)
	if err != nil {
		return err
	}
	answers := make([]wire.Polled, len(polled))
	for i, p := range polled {
		answers[i] = p.polled
		if p.err != nil {
			e := s.describe(c, p.err)
			answers[i] = wire.Polled{Events: []wire.PolledEvent{}, Away: []wire.MemberID{}, Error: &e}
		}
	}
	return s.large(c, answers)
}

func readPollRooms(c echo.Context) ([]wire.PollRoom, error) {
	var rooms []wire.PollRoom
	if err := readJSON(c, maxPollBody, &rooms, false); err != nil {
		return nil, err
	}
	if len(rooms) == 0 || len(rooms) > maxPollRooms {
		return nil, fmt.Errorf("body: %w: want 1 to %d rooms", wire.ErrMalformed, maxPollRooms)
	}
	seen := map[wire.RoomID]bool{}
	for _, r := range rooms {
		if seen[r.Room] {
			return nil, fmt.Errorf("body: %w: a room is named twice", wire.ErrMalformed)
		}
		seen[r.Room] = true
	}
	return rooms, nil
}

// pollRooms reads each room, waiting until one has something to say, the hold is over or the relay drains. The error is
// hub.ErrClosed if it drains already. A client that seems gone is answered too: it may have closed only its sending half.
func (s *Server) pollRooms(c echo.Context, rooms []wire.PollRoom, hold time.Duration) ([]*pollReader, error) {
	if s.isDraining() {
		return nil, later{hub.ErrClosed, s.spread()}
	}
	count := s.metrics.kinds[kindPoll]
	count.open.Inc()
	defer count.open.Dec()
	readers := make([]*pollReader, len(rooms))
	for i, r := range rooms {
		readers[i] = s.startPoll(r, maxPolled/len(rooms))
		defer readers[i].close()
	}
	ctx, cancel := context.WithTimeout(c.Request().Context(), hold)
	defer cancel()
	s.awaitAny(ctx, readers)
	for _, r := range readers {
		count.deliveries.Add(float64(r.delivered))
	}
	count.flushes.Inc()
	return readers, nil
}

// awaitAny returns when a reader has something to answer, ctx ends or the relay drains. A request is one goroutine
// however many rooms it waits for.
func (s *Server) awaitAny(ctx context.Context, readers []*pollReader) {
	for {
		cases := []reflect.SelectCase{receive(ctx.Done()), receive(s.draining)}
		fixed := len(cases)
		for _, r := range readers {
			if r.answers {
				return
			}
			cases = append(cases, receive(r.sub.Ready()), receive(r.sub.Done()))
		}
		chosen, _, _ := reflect.Select(cases)
		if chosen < fixed {
			return
		}
		readers[(chosen-fixed)/2].read(false)
	}
}

func receive(c <-chan struct{}) reflect.SelectCase {
	return reflect.SelectCase{Dir: reflect.SelectRecv, Chan: reflect.ValueOf(c)}
}

// pollReader reads one room for a poll. It belongs to the request's goroutine.
type pollReader struct {
	sub       hub.Subscription // nil if err is set from the start
	max       int
	polled    wire.Polled
	err       error
	answers   bool // there is something to answer, or nothing to wait for
	delivered int
}

// startPoll acks, subscribes and reads for the first time.
func (s *Server) startPoll(r wire.PollRoom, max int) *pollReader {
	p := &pollReader{max: max}
	if p.err = s.conf.Hub.Ack(r.Room, r.Session, r.After); p.err == nil {
		p.sub, p.err = s.conf.Hub.Subscribe(r.Room, r.Session, r.After, hub.Poll)
	}
	if p.err != nil {
		p.answers = true
		return p
	}
	hello := p.sub.Hello()
	p.polled = wire.Polled{Cursor: hello.Cursor, Events: []wire.PolledEvent{}, Away: hello.Away, Acked: hello.Acked}
	p.read(true)
	return p
}

// read takes what is pending into the answer.
func (p *pollReader) read(first bool) {
	u, err := p.sub.Next(p.max)
	if errors.Is(err, hub.ErrReplaced) { // the newer poll has the events, and this answer has no reader
		p.answers = true
		return
	}
	if err != nil {
		p.err, p.answers = err, true
		return
	}
	p.polled.Events = polledEvents(p.polled.Events, u)
	p.polled.Cursor, p.polled.Near = u.Cursor, u.Near
	p.polled.Away = append([]wire.MemberID{}, u.Away...) // never null
	if u.Acked != nil {
		p.polled.Acked = *u.Acked
	}
	p.delivered += len(u.Events)
	p.answers = endsWait(u, first)
}

func (p *pollReader) close() {
	if p.sub != nil {
		p.sub.Close()
	}
}
