package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http/httptest"
	"testing"
	"time"

	"snug/client"
	"snug/client/e2ee"
	"snug/handlers"
	"snug/hub"
)

// stuck is a file that nothing can be read of until it breaks.
type stuck chan struct{}

func (s stuck) ReadAt([]byte, int64) (int, error) {
	<-s
	return 0, errors.New("broken")
}

// TestTailReadsOnWhileItSaves: with --count, tail once read nothing more while it waited for files. When 256 events were waiting it heard neither
// that a file was given up, and waited for ever, nor could the relay let go of what it held for this member.
func TestTailReadsOnWhileItSaves(t *testing.T) {
	memory := hub.NewMemory(hub.Limits{})
	defer memory.Close()
	relay, err := handlers.New(handlers.Config{Hub: memory})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(relay)
	defer server.Close()
	defer server.CloseClientConnections()
	ctx, cancel := context.WithTimeout(t.Context(), 60*time.Second)
	defer cancel()
	root, err := e2ee.NewLinkRoot(nil)
	if err != nil {
		t.Fatal(err)
	}
	join := func(alias string) *client.Session {
		s, err := client.Join(ctx, client.Config{Origin: server.URL, Root: root, Alias: alias})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(s.Close)
		return s
	}
	bob, ann := join("bob"), join("ann")
	go func() {
		for range ann.Events(ctx) {
		}
	}()

	save, err := newSaver(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	save.s, save.max, save.bars, save.tell = bob, 1<<30, newBars(io.Discard), func(saved) {}
	left := make(chan error, 1)
	go func() {
		c := tailCmd{Count: 1, out: io.Discard}
		left <- c.print(ctx, bob, func(f *client.FileInfo) { save.take(ctx, f) }, save.wait)
	}()
	body := make(stuck)
	parcel, err := ann.SendFile(ctx, client.File{Name: "big", Size: client.PushLimit + 1, Body: body})
	if err != nil {
		t.Fatal(err)
	}
	var last *client.Letter
	for n := range 300 {
		if last, err = ann.Send(ctx, fmt.Sprint(n)); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := last.Posted(ctx); err != nil {
		t.Fatal(err)
	}
	close(body)
	if err := parcel.Done(ctx); err == nil || ctx.Err() != nil {
		t.Errorf("the file: got %v", err)
	}
	select {
	case err := <-left:
		if err != nil {
			t.Error(err)
		}
	case <-ctx.Done():
		t.Error("it waits for a file that does not come")
	}
}
