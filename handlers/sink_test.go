package handlers

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"snug/wire"
)

func TestPushThroughFollowsABurstOnce(t *testing.T) {
	inBubble(t, Config{}, func(b *bench) {
		out, stop := b.stream("")
		pass(time.Second)
		out.check(t, "0s retry: 1000 event: hello", "40ms :")
		b.post()
		pass(20 * time.Millisecond)
		b.post()
		pass(time.Second)
		out.check(t, "1s event: msg", "1.02s event: msg", "2.02s :") // nobody has acked it
		b.post()
		pass(20 * time.Millisecond)
		b.post()
		pass(time.Second)
		out.check(t, "2.02s event: msg", "2.04s event: msg", "2.08s :") // so the way is known to hold things back
		stop()
	})
}

// TestNoPushThroughWhereAcksCome: who acks what nothing was written after has it without help.
func TestNoPushThroughWhereAcksCome(t *testing.T) {
	inBubble(t, Config{}, func(b *bench) {
		out, stop := b.stream("")
		pass(time.Second)
		out.take()
		b.post()
		pass(300 * time.Millisecond)
		b.ack()
		pass(time.Second)
		out.check(t, "1s event: msg")
		b.post()
		pass(5 * time.Second)
		out.check(t, "2.3s event: msg")
		stop()
	})
}

// TestAnAckAfterTheHeartbeatProvesNothing: the heartbeat may have pushed the message through.
func TestAnAckAfterTheHeartbeatProvesNothing(t *testing.T) {
	inBubble(t, Config{}, func(b *bench) {
		out, stop := b.stream("&hb=5")
		pass(4900 * time.Millisecond)
		out.take()
		b.post()
		pass(300 * time.Millisecond)
		b.ack()
		pass(time.Second)
		out.check(t, "4.9s event: msg", "5s event: hb", "5.9s :")
		stop()
	})
}

func TestLingerOnlyWhenBusy(t *testing.T) {
	inBubble(t, Config{Streams: Streams{PushThrough: -1}}, func(b *bench) {
		out, stop := b.stream("")
		pass(time.Second)
		b.post()
		for range 5 { // within the linger of the first
			pass(100 * time.Microsecond)
			b.post()
		}
		pass(time.Second)
		notes := out.take()
		if len(notes) != 3 {
			t.Fatalf("got %d flushes, want the hello, a message at once, and five together", len(notes))
		}
		if n := notes[2]; n.at != time.Second+2*time.Millisecond || strings.Count(n.text, "event: msg") != 5 {
			t.Errorf("got %v with %d messages", n.at, strings.Count(n.text, "event: msg"))
		}
		stop()
	})
}

func TestNoLingerIfTurnedOff(t *testing.T) {
	inBubble(t, Config{Streams: Streams{PushThrough: -1, Linger: -1}}, func(b *bench) {
		out, stop := b.stream("")
		b.post()
		b.post()
		out.check(t, "0s retry", "0s event: msg", "0s event: msg")
		stop()
	})
}

func TestHeartbeatTellsWhoIsAwayWhenItChanges(t *testing.T) {
	inBubble(t, Config{Streams: Streams{PushThrough: -1}}, func(b *bench) {
		out, stop := b.stream("&hb=20")
		out.check(t, "0s retry")
		pass(41 * time.Second)
		out.check(t, "20s event: hb data: {}", "40s event: hb data: {}")
		if err := b.hub.Ack(b.room, b.a.Session, b.b.Cursor); err != nil { // b stays silent
			t.Fatal(err)
		}
		pass(40 * time.Second)
		out.check(t, `1m0s event: hb data: {"away":["`+wire.MemberID{2}.String()+`"]}`, "1m20s event: hb data: {}")
		stop()
	})
}

func TestHeartbeatsKeepTheirPaceInABusyRoom(t *testing.T) {
	inBubble(t, Config{Streams: Streams{PushThrough: -1}}, func(b *bench) {
		out, stop := b.stream("&hb=5")
		beats := 0
		for range 55 {
			pass(290 * time.Millisecond)
			b.post()
		}
		for _, n := range out.take() {
			beats += strings.Count(n.text, "event: hb")
		}
		if beats != 3 {
			t.Errorf("got %d heartbeats in 16 s, want 3", beats)
		}
		stop()
	})
}

func TestPlannedEnd(t *testing.T) {
	inBubble(t, Config{}, func(b *bench) {
		ends := map[time.Duration]bool{}
		for range 5 {
			out, stop := b.stream("&life=100&hb=25")
			pass(111 * time.Second)
			notes := out.take()
			last := notes[len(notes)-1]
			if last.text != "event: bye\ndata: {\"why\":\"life\",\"in\":0}\n\n" || last.at < 100*time.Second || last.at > 110*time.Second {
				t.Errorf("got %v at %v", last.text, last.at)
			}
			if at := out.deadlineAt(); at != last.at+10*time.Second {
				t.Errorf("the end of the answer has the deadline %v, want one behind %v", at, last.at)
			}
			ends[last.at] = true
			stop()
		}
		if len(ends) < 2 {
			t.Errorf("no jitter: %v", ends)
		}
	})
}

func TestLongestLifeIsTheRelays(t *testing.T) {
	inBubble(t, Config{Streams: Streams{Life: time.Minute}}, func(b *bench) {
		out, stop := b.stream("&life=999999999999")
		pass(67 * time.Second)
		notes := out.take()
		if !strings.Contains(notes[0].text, `"life":60,`) || !strings.HasPrefix(notes[len(notes)-1].text, "event: bye") {
			t.Errorf("got %+v", notes)
		}
		stop()
	})
}

func TestStalledStreamEndsAtItsDeadline(t *testing.T) {
	inBubble(t, Config{}, func(b *bench) {
		out, stop := b.stream("&hb=25")
		pass(time.Second)
		out.stall()
		b.post()
		pass(9 * time.Second)
		if n := b.hub.Stats().Subscriptions; n != 1 {
			t.Errorf("ended early: %d subscriptions", n)
		}
		pass(2 * time.Second)
		if n := b.hub.Stats().Subscriptions; n != 0 {
			t.Errorf("still open after its deadline: %d subscriptions", n)
		}
		stop()
	})
}

func TestIdleStreamHasNoDeadline(t *testing.T) {
	inBubble(t, Config{}, func(b *bench) {
		out, stop := b.stream("")
		pass(5 * time.Second)
		if at := out.deadlineAt(); at > 0 {
			t.Errorf("got deadline %v", at)
		}
		stop()
	})
}

func TestBatchEndsAfterItsHold(t *testing.T) {
	inBubble(t, Config{}, func(b *bench) {
		out, stop := b.stream("&mode=batch&hold=7")
		pass(26 * time.Second)
		out.check(t, "0s event: hello")
		if n := b.hub.Stats().Subscriptions; n != 0 {
			t.Errorf("still open")
		}
		stop()
	})
}

// TestKnockAtTheDoorDoesNotShortenBatches: each new subscription is told of all knocks.
func TestKnockAtTheDoorDoesNotShortenBatches(t *testing.T) {
	inBubble(t, Config{}, func(b *bench) {
		knock := func(n byte) {
			if err := b.hub.Knock(b.room, wire.KnockID{n}, []byte("note")); err != nil {
				t.Fatal(err)
			}
		}
		knock(1)
		out, stop := b.stream("&mode=batch&hold=7")
		pass(6 * time.Second)
		out.check(t, "0s event: hello")
		knock(2)
		synctest.Wait()
		out.check(t, "6s event: knock")
		stop()
	})
}

// TestUnreadEventEndsTheStream: what something in between may hold back is let go by the end of the answer.
func TestUnreadEventEndsTheStream(t *testing.T) {
	const bye = `event: bye data: {"why":"held","in":0}`
	inBubble(t, Config{Streams: Streams{PushThrough: -1}}, func(b *bench) {
		out, stop := b.stream("&hb=25")
		pass(time.Second)
		out.take()
		b.post()
		pass(5 * time.Second)
		b.post() // pushes the one before
		pass(10 * time.Second)
		out.check(t, "1s event: msg", "6s event: msg", "13s "+bye)
		stop()
	})
	inBubble(t, Config{}, func(b *bench) {
		out, stop := b.stream("&hb=25")
		pass(time.Second)
		out.take()
		b.post()
		pass(5 * time.Second)
		b.ack() // after the comment, so it is not known what brought the message through
		pass(10 * time.Second)
		b.post()
		pass(500 * time.Millisecond)
		b.ack()
		pass(5 * time.Second)
		out.check(t, "1s event: msg", "2s :", "16s event: msg", "16.04s :")
		b.post()
		pass(20 * time.Second)
		out.check(t, "21.5s event: msg", "21.54s :", "25s event: hb", "28.5s "+bye)
		stop()
	})
}

// TestWhoAcksAtOnceMayRest: a stream that was seen to be live is not ended for an ack that comes late, as that of a page in the background may.
func TestWhoAcksAtOnceMayRest(t *testing.T) {
	inBubble(t, Config{}, func(b *bench) {
		out, stop := b.stream("&hb=25")
		pass(time.Second)
		b.post()
		pass(300 * time.Millisecond)
		b.ack()
		pass(2 * time.Second)
		out.take()
		b.post()
		pass(20 * time.Second)
		out.check(t, "3.3s event: msg")
		stop()
	})
}

// TestBatchIsNotUnread: it ends anyway.
func TestBatchIsNotUnread(t *testing.T) {
	inBubble(t, Config{}, func(b *bench) {
		b.post()
		out, stop := b.stream("&mode=batch&hold=20")
		pass(10 * time.Second)
		if notes := out.take(); len(notes) != 1 || strings.Contains(notes[0].text, "event: bye") {
			t.Errorf("got %v", notes)
		}
		stop()
	})
}
