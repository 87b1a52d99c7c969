package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"

	"github.com/alecthomas/kong"

	"snug/client"
)

// tailCmd joins a room and prints what happens there.
type tailCmd struct {
	roomFlags
	LinkArg string   `arg:"" optional:"" name:"link" help:"The room's link, if nothing else names the room."`
	JSON    bool     `name:"json" env:"-" help:"Print one JSON object a line."`
	Count   count    `env:"-" placeholder:"N" help:"Leave after so many messages and files."`
	Save    fileName `env:"-" placeholder:"DIR" help:"Save the files that others send into this folder."`
	SaveMax size     `default:"4GiB" placeholder:"SIZE" help:"Largest file to save."`

	mu   sync.Mutex // guards out and said
	out  io.Writer
	said said
}

// Run prints until a signal, then leaves the room.
func (c *tailCmd) Run(k *kong.Context, out *output) error {
	if c.given() && c.LinkArg != "" {
		return usage("two rooms are given")
	}
	shown := ""
	conf, err := c.config(k, c.LinkArg, bufio.NewReader(os.Stdin), func(s client.Status) {
		if line := statusLine(s); line != "" && line != shown { // another way may say the same
			shown = line
			fmt.Fprint(k.Stderr, line)
		}
	})
	if err != nil {
		return err
	}
	var save *saver
	if c.Save != "" {
		if save, err = newSaver(string(c.Save)); err != nil {
			return err
		}
		defer save.close()
	}
	ctx, stop := interrupted()
	defer stop()
	s, err := client.Join(ctx, conf)
	switch {
	case err != nil && ctx.Err() != nil: // Ctrl-C
		return nil
	case err != nil:
		return err
	}
	defer leave(s)
	c.out = out
	if save != nil {
		save.s, save.max, save.bars, save.tell = s, int64(c.SaveMax), newBars(k.Stderr), c.saved
	}
	greet(k.Stderr, s)
	saving, cancel := context.WithCancel(ctx)
	defer cancel()
	return c.print(ctx, s, func(f *client.FileInfo) {
		if save != nil {
			save.take(saving, f)
		}
	}, save.wait)
}

// print shows what happens; file is told of files, and finish called before leaving for having had enough.
func (c *tailCmd) print(ctx context.Context, s *client.Session, file func(*client.FileInfo), finish func()) error {
	for messages := 0; ; {
		e, err := s.Next(ctx)
		switch {
		case ctx.Err() != nil:
			return nil
		case errors.Is(err, client.ErrRemoved): // said already
			return failure{exitFailed, client.ErrRemoved}
		case err != nil:
			return err
		}
		if e.File != nil {
			file(e.File)
		}
		if err := c.show(e); err != nil {
			return err
		}
		switch e.Kind {
		case client.KindText, client.KindShell, client.KindFile:
			messages++
		}
		if c.Count > 0 && messages == int(c.Count) {
			readOn(ctx, s, finish)
			return nil
		}
	}
}

// readOn waits for finish, and takes meanwhile what happens without showing it: else a session would hear no more what becomes of its files once
// its queue is full, and the relay would keep all of it.
func readOn(ctx context.Context, s *client.Session, finish func()) {
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer cancel()
		finish()
	}()
	for range s.Events(ctx) {
	}
	<-done
}

func (c *tailCmd) show(e client.Event) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.JSON {
		e.At = e.At.UTC()
		if e.File != nil {
			shown := *e.File
			shown.Key = nil // of no use to who reads this, but to others
			e.File = &shown
		}
		return printJSON(c.out, e)
	}
	_, err := fmt.Fprintf(c.out, "%s %s\n", e.At.Local().Format("15:04"), c.said.line(e))
	return err
}

// saved shows what became of a file.
func (c *tailCmd) saved(f saved) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch at := f.At.Local().Format("15:04"); {
	case c.JSON:
		f.At = f.At.UTC()
		printJSON(c.out, f) // if nobody reads it, the next event finds out
	case f.Path != "":
		fmt.Fprintf(c.out, "%s -- saved %s\n", at, printable(f.Path))
	default:
		fmt.Fprintf(c.out, "%s !! %s is not saved: %s\n", at, printable(f.name), printable(f.Reason))
	}
}

// line is an event for people. Lines after the first are set in, so that nobody can write what looks like another's message.
func (a *said) line(e client.Event) string {
	alias := printable(e.Alias)
	switch e.Kind {
	case client.KindText, client.KindFile, client.KindEdit, client.KindDelete, client.KindReact, client.KindTimer, client.KindStop:
		return a.message(e, alias)
	case client.KindShell:
		return "[from a terminal, sender not verified] " + body(e.Body)
	case client.KindJoined:
		return "-- " + alias + " joined"
	case client.KindLeft:
		if e.Reason != "" {
			return "-- " + alias + " left: " + e.Reason
		}
		return "-- " + alias + " left"
	case client.KindRenamed:
		return "-- " + alias + " is now " + printable(e.Body)
	case client.KindChanged:
		return "!! " + alias + " shows another identity than before; nothing is sent to it. Compare fingerprints"
	case client.KindGap:
		if e.Count < 0 {
			return "!! messages are lost, nobody knows how many"
		}
		return fmt.Sprintf("!! %s lost", plural(e.Count, "message"))
	case client.KindMoved:
		return fmt.Sprintf("-- %s removed %s; the room has a new link", alias, plural(len(e.Members), "member"))
	case client.KindLocked:
		return "-- " + alias + " locked the room; whoever comes now waits to be let in"
	case client.KindOpened:
		return "-- " + alias + " opened the room again"
	case client.KindAdmitted:
		return "-- " + alias + " let " + printable(e.Body) + " in"
	case client.KindWaiting:
		return "!! the room is locked; nothing can be read until a member lets this one in"
	case client.KindRemoved:
		return "-- " + alias + " removed this member from the room"
	}
	return strings.TrimSpace("!! something from "+alias) + " could not be opened: " + e.Reason
}

func body(s string) string {
	lines := strings.Split(strings.ReplaceAll(strings.ReplaceAll(s, "\r\n", "\n"), "\t", "    "), "\n")
	for i, l := range lines {
		lines[i] = printable(l)
	}
	return strings.Join(lines, "\n      ")
}

func greet(stderr io.Writer, s *client.Session) {
	var others []string
	for _, m := range s.Members() {
		if !m.Self {
			others = append(others, printable(m.Alias))
		}
	}
	with := "nobody else is here"
	if len(others) > 0 {
		with = "with " + strings.Join(others, ", ")
	}
	fmt.Fprintf(stderr, "snug: in the room as %s, %s; safety code %s\n", printable(s.Alias()), with, s.SafetyCode())
}

func statusLine(s client.Status) string {
	switch s.State {
	case client.StateConnecting:
		return ""
	case client.StateLive:
		return "snug: live\n"
	}
	return fmt.Sprintf("snug: %s: %s\n", s.State, s.Reason)
}
