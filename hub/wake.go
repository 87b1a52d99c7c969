package hub

import "time"

// wakes is how a room wakes its readers: whoever changes something only says so, and one goroutine of the room, there
// while there is something to do, tells the subscriptions. So a post costs its poster the same in front of two readers
// and of a thousand, and posts that come while readers are being woken wake them together.
type wakes struct {
	subs    []*subscription // all of the room
	poked   []*subscription // with something for them alone
	all     bool            // the log has grown
	door    bool            // a stranger has knocked
	running bool            // the goroutine is there
}

func (w *wakes) count() int { return len(w.subs) }

func (w *wakes) add(s *subscription) {
	s.index = len(w.subs)
	w.subs = append(w.subs, s)
}

func (w *wakes) remove(s *subscription) {
	last := len(w.subs) - 1
	w.subs[s.index] = w.subs[last]
	w.subs[s.index].index = s.index
	w.subs[last] = nil
	w.subs = w.subs[:last]
	if last == 0 {
		w.subs = nil
	}
}

// poke has the member's subscriptions woken.
func (r *room) poke(m *member) {
	for _, s := range m.subs {
		if s != nil && !s.poked {
			s.poked = true
			r.wakes.poked = append(r.wakes.poked, s)
		}
	}
}

// wakeLocked starts the waker if there is something for it to do.
func (r *room) wakeLocked() {
	if r.needsWaker() {
		r.hub.wg.Go(r.wake)
	}
}

// needsWaker tells whether the waker has to run and does not; from then on it counts as running.
func (r *room) needsWaker() bool {
	w := &r.wakes
	if len(w.subs) == 0 {
		w.all, w.door = false, false
	}
	if w.running || !w.all && !w.door && len(w.poked) == 0 {
		return false
	}
	w.running = true
	return true
}

// lendMost is how many readers a poster may wake itself: about half a millisecond of writing.
const lendMost = 64

// lend gives the waker away, to be run by the caller of Post, which saves a goroutine and the waking of a processor for it.
// It is nil if there is nothing to wake.
func (r *room) lend() func() {
	if len(r.wakes.subs) > lendMost || !r.needsWaker() {
		return nil
	}
	r.hub.wg.Add(1)
	return func() {
		defer r.hub.wg.Done()
		r.wake()
	}
}

// wake tells subscriptions until there is nothing left to tell. It does so outside the lock and never waits, but for what
// the readers' Pump takes; those with channels are told first.
func (r *room) wake() {
	list := r.hub.wakeLists.Get().(*wakeList)
	defer r.hub.wakeLists.Put(list)
	for r.takeWakes(list) {
		for _, s := range list.batch {
			if s.reader != nil {
				list.readers = append(list.readers, s.reader)
				continue
			}
			select {
			case s.ready <- struct{}{}:
			default: // it has been told and has not looked yet
			}
		}
		if len(list.readers) == 0 {
			continue
		}
		if later := list.readers[0].Pump(list.readers); later > 0 {
			r.wakeLater(list, later)
			break
		}
	}
	list.reset()
}

// wakeLater has the readers of the list called in a while, with whatever there is then. The waker counts as running meanwhile.
func (r *room) wakeLater(list *wakeList, in time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, s := range list.batch {
		if s.reader != nil && !s.poked {
			s.poked = true
			r.wakes.poked = append(r.wakes.poked, s)
		}
	}
	r.hub.wg.Add(1)
	time.AfterFunc(in, func() {
		defer r.hub.wg.Done()
		r.wake()
	})
}

// wakeList is who is to be woken. The lists are shared by all rooms, since few of them wake anybody at a time.
type wakeList struct {
	batch   []*subscription
	readers []Reader
}

func (l *wakeList) reset() {
	clear(l.batch)
	clear(l.readers)
	l.batch, l.readers = l.batch[:0], l.readers[:0]
}

// takeWakes lists who is to be woken. If there is nobody the waker has ended.
func (r *room) takeWakes(l *wakeList) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	l.reset()
	w := &r.wakes
	for i, s := range w.poked {
		w.poked[i] = nil
		s.poked = false
		if s.err == nil || !s.quiet {
			l.batch = append(l.batch, s)
		}
	}
	if w.all || w.door {
		for _, s := range w.subs {
			// Who posts and has everything else would find nothing.
			if w.door || s.pos < r.log.head && s.member.acked < r.log.head {
				l.batch = append(l.batch, s)
			}
		}
	}
	w.poked, w.all, w.door = w.poked[:0], false, false
	w.running = len(l.batch) > 0
	return w.running
}
