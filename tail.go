package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/alecthomas/kong"

	"snug/client"
)

// tailCmd joins a room and prints what happens there.
type tailCmd struct {
	roomFlags
	LinkArg string `arg:"" optional:"" name:"link" help:"The room's link, if nothing else names the room."`
	JSON    bool   `name:"json" env:"-" help:"Print one JSON object a line."`
	Count   int    `env:"-" placeholder:"N" help:"Leave after so many messages."`
}

// Run prints until a signal, then leaves the room.
func (c *tailCmd) Run(k *kong.Context, out *output) error {
	if c.given() && c.LinkArg != "" {
		return usage("two rooms are given")
	}
	if c.Count < 0 {
		return usage("--count: want a number above zero")
	}
	conf, err := c.config(k, c.LinkArg, bufio.NewReader(os.Stdin), func(s client.Status) { showStatus(k.Stderr, s) })
	if err != nil {
		return err
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
	greet(k.Stderr, s)
	return c.print(ctx, s, out)
}

func (c *tailCmd) print(ctx context.Context, s *client.Session, out io.Writer) error {
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
		if err := c.show(out, e); err != nil {
			return err
		}
		if e.Kind == client.KindText || e.Kind == client.KindShell {
			messages++
		}
		if c.Count > 0 && messages == c.Count {
			return nil
		}
	}
}

func (c *tailCmd) show(out io.Writer, e client.Event) error {
	if c.JSON {
		e.At = e.At.UTC()
		return printJSON(out, e)
	}
	_, err := fmt.Fprintf(out, "%s %s\n", e.At.Local().Format("15:04"), line(e))
	return err
}

// line is an event for people. Lines after the first are set in, so that nobody can write what looks like another's message.
func line(e client.Event) string {
	alias := printable(e.Alias)
	switch e.Kind {
	case client.KindText:
		return alias + ": " + body(e.Body)
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

func showStatus(stderr io.Writer, s client.Status) {
	switch s.State {
	case client.StateConnecting:
	case client.StateLive:
		fmt.Fprintln(stderr, "snug: live")
	default:
		fmt.Fprintf(stderr, "snug: %s: %s\n", s.State, s.Reason)
	}
}
