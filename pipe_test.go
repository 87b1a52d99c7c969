package main

import (
	"bufio"
	"context"
	"errors"
	"net/http/httptest"
	"os"
	"os/exec"
	"os/signal"
	"slices"
	"strings"
	"syscall"
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
	ann, link := roomWithAnn(t)
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	tail := command(t, []string{"SNUG_LINK=" + link}, "tail", "--alias", "bob")
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

// TestTailLeavesAClosedTerminal: closing its window once left such a member as well.
func TestTailLeavesAClosedTerminal(t *testing.T) {
	ann, link := roomWithAnn(t)
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	tail := command(t, []string{"SNUG_LINK=" + link}, "tail", "--alias", "bob")
	if err := tail.Start(); err != nil {
		t.Fatal(err)
	}
	untilBob(t, ctx, ann, client.KindJoined)
	tail.Process.Signal(syscall.SIGHUP)
	untilBob(t, ctx, ann, client.KindLeft)
	if err := tail.Wait(); err != nil {
		t.Error(err)
	}
}

// TestNohup: what was started to outlive its terminal does.
func TestNohup(t *testing.T) {
	signal.Ignore(syscall.SIGHUP)
	t.Cleanup(func() { signal.Reset(syscall.SIGHUP) })
	if slices.Contains(stops(), os.Signal(syscall.SIGHUP)) {
		t.Error("it ends with its terminal")
	}
}

func roomWithAnn(t *testing.T) (ann *client.Session, link string) {
	t.Helper()
	memory := hub.NewMemory(hub.Limits{})
	t.Cleanup(func() { memory.Close() })
	relay, err := handlers.New(handlers.Config{Hub: memory})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(relay)
	t.Cleanup(server.Close)
	t.Cleanup(server.CloseClientConnections)
	root, err := e2ee.NewLinkRoot(nil)
	if err != nil {
		t.Fatal(err)
	}
	ann, err = client.Join(t.Context(), client.Config{Origin: server.URL, Root: root, Alias: "ann"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(ann.Close)
	return ann, root.Link(server.URL)
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
