package handlers

import (
	"bufio"
	"bytes"
	"context"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"

	"snug/hub"
	"snug/wire"
)

// TestIdleStreamLeavesNetHTTP: that is where its memory was. What is left are two goroutines, one to write and one that listens.
func TestIdleStreamLeavesNetHTTP(t *testing.T) {
	for name, sink := range map[string]Sink{"plain": SinkGoroutine, "tls": overTLS} {
		t.Run(name, func(t *testing.T) {
			r := newRelay(t, written(sink))
			p := r.room(1).join(1)
			r.web.CloseClientConnections() // of the join
			conn := r.dial("GET " + p.path("/stream", "after", p.Cursor.String()) + " HTTP/1.1\r\nHost: x\r\n\r\n")
			resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
			if err != nil {
				t.Fatal(err)
			}
			afterHello(t, resp.Body)
			eventually(t, "net/http has forgotten the connection", func() bool { return strings.Count(stacks(), "net/http.(*conn).serve(") == 0 })
			if s := stacks(); strings.Count(s, "handlers.(*takenLine).serve(") != 1 || strings.Count(s, "handlers.awaitHangUp(") != 1 {
				t.Errorf("got %s", s)
			}
		})
	}
}

// broken is a hub whose subscriptions panic when they are asked for what comes.
type broken struct{ hub.Hub }

type brokenSubscription struct{ hub.Subscription }

func (h broken) Subscribe(room wire.RoomID, session wire.SessionID, after wire.Cursor, of hub.Kind) (hub.Subscription, error) {
	sub, err := h.Hub.Subscribe(room, session, after, of)
	return brokenSubscription{sub}, err
}

func (brokenSubscription) Next(int) (hub.Update, error) { panic("canary") }

// TestPanicEndsOneStream: no middleware is behind a stream that was taken over.
func TestPanicEndsOneStream(t *testing.T) {
	r := newRelay(t, written(overTLS), func(r *relay) { r.hub = broken{hub.NewMemory(r.limits)} })
	p := r.room(1).join(1)
	conn := r.dial("GET " + p.path("/stream", "after", p.Cursor.String()) + " HTTP/1.1\r\nHost: x\r\n\r\n")
	if _, err := http.ReadResponse(bufio.NewReader(conn), nil); err == nil {
		t.Error("got an answer")
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if err := r.server.Wait(ctx); err != nil {
		t.Fatal(err)
	}
	if r.metric("snug_panics_total", "") != 1 || r.metric("snug_readers", "")+r.metric("snug_subscriptions", "") != 0 {
		t.Errorf("got %s", r.gathered())
	}
	if log := r.log.String(); !strings.Contains(log, `"msg":"panic"`) || strings.Contains(log, "canary") {
		t.Errorf("got %s", log)
	}
}

func TestRunningIsWaitedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var r running
		if err := r.wait(t.Context()); err != nil {
			t.Errorf("nothing runs: got %v", err)
		}
		r.add()
		r.add()
		ended := make(chan error, 1)
		go func() { ended <- r.wait(t.Context()) }()
		r.done()
		synctest.Wait()
		if len(ended) != 0 {
			t.Error("one still runs")
		}
		r.done()
		if err := <-ended; err != nil {
			t.Errorf("got %v", err)
		}
		r.add()
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if err := r.wait(ctx); err != context.Canceled {
			t.Errorf("got %v, want %v", err, context.Canceled)
		}
	})
}

func TestAppendChunk(t *testing.T) {
	b := bytes.Repeat([]byte{'x'}, 26)
	if got := string(appendChunk([]byte("head"), b)); got != "head1a\r\n"+string(b)+"\r\n" {
		t.Errorf("got %q", got)
	}
}

// stacks are those of all goroutines.
func stacks() string {
	b := make([]byte, 1<<20)
	return string(b[:runtime.Stack(b, true)])
}
