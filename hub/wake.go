package hub

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
	w := &r.wakes
	if len(w.subs) == 0 {
		w.all, w.door = false, false
	}
	if w.running || !w.all && !w.door && len(w.poked) == 0 {
		return
	}
	w.running = true
	r.hub.wg.Go(r.wake)
}

// wake tells subscriptions until there is nothing left to tell. It does so outside the lock and never waits, but for what
// the readers' Pump takes; those with channels are told first.
func (r *room) wake() {
	var batch []*subscription
	var readers []Reader
	for {
		if batch = r.takeWakes(batch[:0]); len(batch) == 0 {
			return
		}
		readers = readers[:0]
		for _, s := range batch {
			if s.reader != nil {
				readers = append(readers, s.reader)
				continue
			}
			select {
			case s.ready <- struct{}{}:
			default: // it has been told and has not looked yet
			}
		}
		if len(readers) > 0 {
			readers[0].Pump(readers)
		}
	}
}

// takeWakes lists who is to be woken. If there is nobody the waker has ended.
func (r *room) takeWakes(batch []*subscription) []*subscription {
	r.mu.Lock()
	defer r.mu.Unlock()
	w := &r.wakes
	for _, s := range w.poked {
		s.poked = false
		batch = append(batch, s)
	}
	if w.all || w.door {
		for _, s := range w.subs {
			// Who posts and has everything else would find nothing.
			if w.door || s.pos < r.log.head && s.member.acked < r.log.head {
				batch = append(batch, s)
			}
		}
	}
	clear(w.poked)
	w.poked, w.all, w.door = w.poked[:0], false, false
	w.running = len(batch) > 0
	return batch
}
