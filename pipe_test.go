package main

import (
	"bufio"
	"context"
	"errors"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"snug/client"
	"snug/client/e2ee"
	"snug/handlers"
	"snug/hub"
)

// TestTailLeavesAClosedPipe: snug tail | head -1 once left a member in the room for as long as the relay waits for one to come back, because the
// write into the closed pipe ended the process before it could say goodbye.
func TestTailLeavesAClosedPipe(t *testing.T) {
	memory := hub.NewMemory(hub.Limits{})
	defer memory.Close()
	relay, err := handlers.New(handlers.Config{Hub: memory})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(relay)
	defer server.Close()
	defer server.CloseClientConnections()
	root, err := e2ee.NewLinkRoot(nil)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	ann, err := client.Join(ctx, client.Config{Origin: server.URL, Root: root, Alias: "ann"})
	if err != nil {
		t.Fatal(err)
	}
	defer ann.Close()
	tail := command(t, []string{"SNUG_LINK=" + root.Link(server.URL)}, "tail", "--alias", "bob")
	read, write, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	var stderr strings.Builder
	tail.Stdout, tail.Stderr = write, &stderr
	if err := tail.Start(); err != nil {
		t.Fatal(err)
	}
	write.Close()
	untilBob(t, ctx, ann, client.KindJoined)
	ann.Send(ctx, "one")
	if line, err := bufio.NewReader(read).ReadString('\n'); err != nil || !strings.HasSuffix(line, "ann: one\n") {
		t.Fatalf("%q, %v", line, err)
	}
	read.Close()
	ann.Send(ctx, "two")
	untilBob(t, ctx, ann, client.KindLeft)
	exit, _ := errors.AsType[*exec.ExitError](tail.Wait())
	if exit == nil || exit.ExitCode() != exitUnread || strings.Contains(stderr.String(), "pipe") {
		t.Errorf("ends with %v; %s", exit, &stderr)
	}
}

func untilBob(t *testing.T, ctx context.Context, s *client.Session, does client.Kind) {
	t.Helper()
	for e := range s.Events(ctx) {
		if e.Kind == does && e.Alias == "bob" {
			return
		}
	}
	t.Fatalf("nobody hears that bob %s", does)
}
