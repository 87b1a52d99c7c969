package e2ee

import (
	"slices"
	"time"
)

const (
	maxChains  = 8   // chains of one sender that keep keys; an honest sender starts one per leave, and few within the hour
	maxRecords = 256 // chains remembered without keys, to tell a repeat from a message whose key is erased
)

// receiver holds the chains of one other member, ascending by number; the last is the current one. The zero value holds none.
type receiver struct{ chains []*recvChain }

// skippedKey is the key of a message that has not come yet. One that is lost stays as a mark without its key, so that
// its message is told from a repeat.
type skippedKey struct {
	n    uint32
	key  [32]byte
	at   time.Time
	lost bool
}

func (s *skippedKey) lose() {
	clear(s.key[:])
	s.lost = true
}

// recvChain is one chain of another member. Once its hour is over it keeps no key, only the record of what was used.
type recvChain struct {
	e           uint32
	first, next uint32 // the first n that was sealed to this member, and the next to come
	ck          [32]byte
	until       time.Time    // when it is erased; zero for the current one
	skipped     []skippedKey // ascending n
	erased      bool
}

// endBy sets the end of the chain, unless it ends earlier.
func (c *recvChain) endBy(t time.Time) {
	if c.until.IsZero() || t.Before(c.until) {
		c.until = t
	}
}

func (c *recvChain) erase() {
	clear(c.ck[:])
	for i := range c.skipped {
		c.skipped[i].lose()
	}
	c.erased = true
}

func (r *receiver) find(e uint32) *recvChain {
	i, ok := slices.BinarySearchFunc(r.chains, e, func(c *recvChain, e uint32) int { return int(int64(c.e) - int64(e)) })
	if !ok {
		return nil
	}
	return r.chains[i]
}

// start begins chain e at n, and tells whether it did: a chain never turns back, and one that was erased comes back
// only further on, so that no message opens a second time.
func (r *receiver) start(e, n uint32, ck [32]byte, now time.Time) bool {
	if last := r.newest(); last != nil && e <= last.e {
		return e == last.e && last.resume(n, ck)
	}
	r.end(now)
	r.chains = append(r.chains, &recvChain{e: e, first: n, next: n, ck: ck})
	for i := range len(r.chains) - maxChains {
		r.chains[i].erase()
	}
	if over := len(r.chains) - maxRecords; over > 0 {
		r.chains = slices.Delete(r.chains, 0, over)
	}
	return true
}

func (r *receiver) newest() *recvChain {
	if len(r.chains) == 0 {
		return nil
	}
	return r.chains[len(r.chains)-1]
}

// lacks tells whether the sender's keys for chain e would help.
func (r *receiver) lacks(e uint32) bool {
	last := r.newest()
	return last == nil || e > last.e || (e == last.e && last.erased)
}

// resume takes up an erased chain (its sender had left, and is back) from n on; what was missed in between is lost.
func (c *recvChain) resume(n uint32, ck [32]byte) bool {
	if !c.erased || n < c.next || n-c.next > maxSkip {
		return false
	}
	for ; c.next < n; c.next++ {
		c.skipped = append(c.skipped, skippedKey{n: c.next, lost: true})
	}
	c.ck, c.until, c.erased = ck, time.Time{}, false
	return true
}

// goOn takes back the end of the newest chain: its sender is back in time.
func (r *receiver) goOn() {
	if last := r.newest(); last != nil && !last.erased {
		last.until = time.Time{}
	}
}

// end gives all chains one more hour, for messages still under way.
func (r *receiver) end(now time.Time) {
	for _, c := range r.chains {
		c.endBy(now.Add(keepKeys))
	}
}

// expire erases what is past its hour.
func (r *receiver) expire(now time.Time) {
	for _, c := range r.chains {
		if !c.erased && !c.until.IsZero() && !now.Before(c.until) {
			c.erase()
		}
		for i := range c.skipped {
			if s := &c.skipped[i]; !s.lost && now.Sub(s.at) >= keepKeys {
				s.lose()
			}
		}
	}
}

func (r *receiver) erase() {
	for _, c := range r.chains {
		c.erase()
	}
	r.chains = nil
}

// open opens one message whose signature holds, and erases its key. Nothing changes unless it succeeds. It fails with
// ErrBeforeYou, ErrExpired, ErrDamaged or errRepeat.
func (r *receiver) open(m message, aad []byte, now time.Time) ([]byte, error) {
	c := r.find(m.e)
	switch {
	case c == nil && len(r.chains) == maxRecords && m.e < r.chains[0].e:
		return nil, ErrExpired
	case c == nil, m.n < c.first:
		return nil, ErrBeforeYou
	case m.n < c.next:
		return c.openSkipped(m, aad)
	case c.erased:
		return nil, ErrExpired
	case m.n-c.next > maxSkip:
		return nil, ErrDamaged
	}
	content, err := c.openAhead(m, aad, now)
	if err == nil {
		r.trim()
	}
	return content, err
}

func (c *recvChain) openSkipped(m message, aad []byte) ([]byte, error) {
	i, ok := slices.BinarySearchFunc(c.skipped, m.n, func(s skippedKey, n uint32) int { return int(int64(s.n) - int64(n)) })
	if !ok {
		return nil, errRepeat
	}
	if c.skipped[i].lost {
		return nil, ErrExpired
	}
	content, err := openWith(c.skipped[i].key, m, aad)
	if err == nil {
		c.skipped = slices.Delete(c.skipped, i, i+1) // overwrites the key and zeroes what it frees
	}
	return content, err
}

// openAhead opens message next or one after it, keeping the keys of those between.
func (c *recvChain) openAhead(m message, aad []byte, now time.Time) ([]byte, error) {
	ck := c.ck
	skipped := make([]skippedKey, 0, m.n-c.next)
	for n := c.next; n < m.n; n++ {
		skipped = append(skipped, skippedKey{n: n, key: ratchet(&ck), at: now})
	}
	mk := ratchet(&ck)
	content, err := openWith(mk, m, aad)
	clear(mk[:])
	if err == nil {
		c.ck, c.next = ck, m.n+1
		c.skipped = append(c.skipped, skipped...)
	}
	clear(skipped)
	clear(ck[:])
	return content, err
}

func openWith(mk [32]byte, m message, aad []byte) ([]byte, error) {
	content, err := newGCM(mk).Open(nil, make([]byte, 12), m.ciphertext, aad)
	if err != nil {
		return nil, ErrDamaged
	}
	return content, nil
}

// trim loses the oldest skipped keys above the bound, and forgets the oldest marks above the same bound.
func (r *receiver) trim() {
	keys, marks := -maxSkip, -maxSkip
	for _, c := range r.chains {
		for i := range c.skipped {
			if c.skipped[i].lost {
				marks++
			} else {
				keys++
			}
		}
	}
	if keys <= 0 && marks <= 0 {
		return
	}
	for _, c := range r.chains {
		for i := 0; i < len(c.skipped) && keys > 0; i++ {
			if !c.skipped[i].lost {
				c.skipped[i].lose()
				keys--
				marks++
			}
		}
		c.skipped = slices.DeleteFunc(c.skipped, func(s skippedKey) bool {
			drop := s.lost && marks > 0
			if drop {
				marks--
			}
			return drop
		})
	}
}
