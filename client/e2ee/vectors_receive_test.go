package e2ee

import (
	"errors"
	"testing"
	"time"
)

// script writes the steps of a receiveCase: a sender's chains, and what comes of them when.
type script struct {
	c  receiveCase
	at time.Time
}

func (s *script) step(st receiveStep) *script {
	st.At = s.at.UnixMilli()
	s.c.Steps = append(s.c.Steps, st)
	return s
}

func (s *script) after(d time.Duration) *script { s.at = s.at.Add(d); return s }

// chainAt is CK_n of chain e in these scripts.
func chainAt(e, n uint32) [32]byte {
	ck := hash("script", u32(e))
	for range n {
		ratchet(&ck)
	}
	return ck
}

func (s *script) start(e, n uint32, want string) *script {
	ck := chainAt(e, n)
	return s.step(receiveStep{Do: "start", E: e, N: n, CK: ck[:], Want: want})
}

func (s *script) message(e, n uint32, want string) *script {
	ck := chainAt(e, n)
	body := "message"
	ct := newGCM(ratchet(&ck)).Seal(nil, make([]byte, 12), []byte(body), []byte(s.c.AAD))
	return s.step(receiveStep{Do: "message", E: e, N: n, Ciphertext: ct, Want: want})
}

func newScript(name string) *script {
	return &script{receiveCase{Name: name, AAD: "aad"}, newClock().t}
}

func makeReceive(*testing.T) []receiveCase {
	const ok = "message"
	scripts := []*script{
		newScript("in order, and repeats").start(5, 3, "taken").message(5, 2, "before-you").message(5, 3, ok).message(5, 4, ok).
			message(5, 3, "repeat").message(5, 4, "repeat").message(4, 0, "before-you").message(6, 0, "before-you").message(5, 5, ok),
		newScript("overtaken messages").start(1, 0, "taken").message(1, 4, ok).message(1, 1, ok).message(1, 1, "repeat").message(1, 4, "repeat").
			message(1, 0, ok).message(1, 5, ok).message(1, 3, ok).message(1, 2, ok).message(1, 2, "repeat"),
		newScript("skipped keys last an hour").start(1, 0, "taken").message(1, 2, ok).after(59*time.Minute).message(1, 0, ok).
			after(time.Minute).message(1, 1, "expired").message(1, 0, "repeat").message(1, 3, ok),
		newScript("a replaced chain lasts an hour").start(1, 0, "taken").message(1, 0, ok).start(2, 0, "taken").message(1, 2, ok).message(2, 0, ok).
			after(time.Hour-time.Second).message(1, 3, ok).after(time.Second).message(1, 1, "expired").message(1, 4, "expired").message(1, 0, "repeat").message(2, 1, ok),
		newScript("no chain turns back").start(7, 5, "taken").message(7, 5, ok).start(7, 5, "ignored").start(7, 0, "ignored").start(7, 9, "ignored").
			start(6, 0, "ignored").message(6, 0, "before-you").message(7, 4, "before-you").message(7, 5, "repeat").message(7, 6, ok).
			start(9, 1, "taken").start(7, 8, "ignored").start(8, 0, "ignored").message(9, 1, ok).message(7, 7, ok),
		newScript("2,000 ahead and no further").start(1, 0, "taken").message(1, 2001, "damaged").message(1, 2000, ok).message(1, 0, ok).message(1, 1999, ok).
			message(1, 4002, "damaged").message(1, 2001, ok),
		newScript("2,000 skipped keys in all").start(1, 0, "taken").message(1, 1500, ok).start(2, 0, "taken").message(2, 700, ok).
			message(1, 0, "expired").message(1, 199, "expired").message(1, 200, ok).message(2, 0, ok).message(2, 699, ok),
		newScript("the sender left").start(1, 0, "taken").message(1, 0, ok).step(receiveStep{Do: "end"}).after(30*time.Minute).message(1, 1, ok).
			after(30*time.Minute).message(1, 2, "expired").message(1, 1, "repeat").start(1, 1, "ignored").start(1, 5, "taken").
			message(1, 3, "expired").message(1, 5, ok).message(1, 0, "repeat").after(2*time.Hour).message(1, 6, ok),
		newScript("the sender left and came back in time").start(1, 0, "taken").message(1, 0, ok).step(receiveStep{Do: "end"}).after(30*time.Minute).
			step(receiveStep{Do: "goOn"}).after(2*time.Hour).message(1, 1, ok),
		nineChains(newScript("keys of eight chains, records of all")),
	}
	var out []receiveCase
	for _, s := range scripts {
		out = append(out, s.c)
	}
	return out
}

func nineChains(s *script) *script {
	for e := range uint32(9) {
		s.start(e, 0, "taken").message(e, 0, "message")
	}
	return s.message(0, 1, "expired").message(0, 0, "repeat").message(1, 1, "message").message(8, 1, "message")
}

func checkReceive(t *testing.T, c receiveCase) {
	var r receiver
	for i, s := range c.Steps {
		now := time.UnixMilli(s.At)
		r.expire(now)
		if got := receiveDo(&r, s, []byte(c.AAD), now); got != s.Want {
			t.Errorf("%s, step %d (%s %d %d): got %s, want %s", c.Name, i, s.Do, s.E, s.N, got, s.Want)
		}
	}
}

func receiveDo(r *receiver, s receiveStep, aad []byte, now time.Time) string {
	switch s.Do {
	case "start":
		if r.start(s.E, s.N, [32]byte(s.CK), now) {
			return "taken"
		}
		return "ignored"
	case "end":
		r.end(now)
		return ""
	case "goOn":
		r.goOn()
		return ""
	}
	content, err := r.open(message{e: s.E, n: s.N, ciphertext: s.Ciphertext}, aad, now)
	if errors.Is(err, errRepeat) {
		return "repeat"
	}
	if err != nil {
		return Reason(err)
	}
	return string(content)
}
