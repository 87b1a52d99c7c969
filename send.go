package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/alecthomas/kong"

	"snug/client"
	"snug/client/e2ee"
	"snug/wire"
)

// maxText is what one message may hold, so that it fits into a frame of the default size whatever JSON makes of it.
const maxText = 128 << 10

// sendCmd sends one message as a full member: it joins, sends and leaves.
type sendCmd struct {
	roomFlags
	Args    []string   `arg:"" optional:"" name:"text" help:"What to say. If nothing else names the room, the first is its link. Without text: stdin."`
	File    []fileName `env:"-" sep:"none" placeholder:"PATH" help:"Send a file, with the text, if any, as its caption; may be given more than once. Waits until all who are here have it."`
	WaitAll bool       `env:"-" help:"Wait until every member has it, not just the relay."`
	Timeout span       `default:"60s" placeholder:"TIME" help:"How long to try; with files: how long nothing may move."`
	JSON    bool       `name:"json" env:"-" help:"Print JSON."`
}

// sent is what snug send --json prints.
type sent struct {
	ID      string      `json:"id,omitempty"` // of a text
	Room    wire.RoomID `json:"room"`
	Members int         `json:"members"` // others in the room
	Online  int         `json:"online"`  // of them
	All     bool        `json:"all"`     // they all have it
	Files   []sentFile  `json:"files,omitempty"`
}

// Run sends.
func (c *sendCmd) Run(k *kong.Context, out *output) error {
	stdin := bufio.NewReader(os.Stdin)
	link, words, err := c.split()
	if err != nil {
		return err
	}
	conf, err := c.config(k, link, stdin, nil)
	if err != nil {
		return err
	}
	if len(c.File) > 0 {
		return c.runFiles(k, out, conf, strings.Join(words, " "))
	}
	text, err := readText(words, stdin)
	if err != nil {
		return err
	}
	ctx, stop := interrupted()
	defer stop()
	ctx, cancel := context.WithTimeoutCause(ctx, time.Duration(c.Timeout), fmt.Errorf("not sent within %v", c.Timeout))
	defer cancel()
	done, err := c.send(ctx, conf, text)
	if err != nil {
		return err
	}
	return c.report(out, done)
}

// split takes the link off the arguments, if it is to be there.
func (c *sendCmd) split() (link string, words []string, err error) {
	if len(c.Args) == 0 {
		return "", nil, nil
	}
	for i, a := range c.Args {
		c.Args[i] = giveBytes(a)
	}
	_, _, notALink := e2ee.ParseLink(c.Args[0])
	switch {
	case !c.given():
		return c.Args[0], c.Args[1:], nil
	case notALink == nil: // it would be told to another room
		return "", nil, usage("two rooms are given; to send a link as text, write it to stdin")
	}
	return "", c.Args, nil
}

// runFiles sends files, the text being the caption of the first.
func (c *sendCmd) runFiles(k *kong.Context, out *output, conf client.Config, caption string) error {
	if caption != "" {
		if err := checkText(caption); err != nil {
			return err
		}
	}
	files, closeAll, err := openFiles(c.File)
	if err != nil {
		return err
	}
	defer closeAll()
	files[0].Caption = caption
	ctx, stop := interrupted()
	defer stop()
	s, err := c.enter(ctx, conf)
	if err != nil {
		return err
	}
	defer leave(s)
	h := shipment{s: s, files: files, patience: time.Duration(c.Timeout)}
	defer h.stop()
	done, err := h.send(ctx, newBars(k.Stderr))
	if c.JSON && len(done.Files) > 0 {
		err = errors.Join(err, printJSON(out, done))
	}
	if err != nil || c.JSON {
		return err
	}
	return c.report(out, done)
}

// enter joins a room in which there is somebody.
func (c *sendCmd) enter(ctx context.Context, conf client.Config) (*client.Session, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, time.Duration(c.Timeout), fmt.Errorf("not sent within %v", c.Timeout))
	defer cancel()
	s, err := client.Join(ctx, conf)
	if err != nil {
		return nil, err
	}
	if len(s.Members()) < 2 {
		leave(s)
		return nil, failure{exitNobody, errors.New("nobody else is in the room, so nobody would receive it")}
	}
	go func() { // ends with the session, which leave ends
		for range s.Events(context.Background()) {
		}
	}()
	return s, nil
}

// readText is the words, or all of stdin without the newline that ends a file.
func readText(words []string, stdin io.Reader) (string, error) {
	text := strings.Join(words, " ")
	if len(words) == 0 {
		b, err := io.ReadAll(io.LimitReader(stdin, maxText+2))
		if err != nil {
			return "", fmt.Errorf("stdin: %w", err)
		}
		text = strings.TrimSuffix(strings.TrimSuffix(string(b), "\n"), "\r")
	}
	return text, checkText(text)
}

func checkText(text string) error {
	switch {
	case text == "":
		return usage("nothing to send: the text is empty")
	case len(text) > maxText:
		return usage("the text is longer than %d bytes", maxText)
	case !utf8.ValidString(text):
		return usage("the text is not UTF-8")
	}
	return nil
}

func (c *sendCmd) send(ctx context.Context, conf client.Config, text string) (sent, error) {
	s, err := c.enter(ctx, conf)
	if err != nil {
		return sent{}, err
	}
	defer leave(s)
	l, err := s.Send(ctx, text)
	if err != nil {
		return sent{}, err
	}
	posted, err := l.Posted(ctx)
	if err != nil {
		return sent{}, whyNot(ctx, s, l, err)
	}
	done := sent{ID: l.ID, Room: s.Room(), Members: posted.Members - 1, Online: posted.Online - 1}
	if c.WaitAll {
		if err := l.Acked(ctx); err != nil {
			return done, whyNot(ctx, s, l, fmt.Errorf("the relay has it, but not everybody: %w", err))
		}
		done.All = true
	}
	return done, nil
}

// whyNot adds what the session knows to an error, and the exit code if the network is to blame.
func whyNot(ctx context.Context, s *client.Session, l *client.Letter, err error) error {
	if ctx.Err() == nil {
		return err
	}
	if reason := l.Reason(); reason != "" {
		err = fmt.Errorf("%w: %s", err, reason)
	}
	if s.Status().State == client.StateBlocked {
		return failure{exitBlocked, err}
	}
	return err
}

func (c *sendCmd) report(out io.Writer, s sent) error {
	if c.JSON {
		return printJSON(out, s)
	}
	fate := fmt.Sprintf("sent to %s, %d here now", plural(s.Members, "member"), s.Online)
	switch n := plural(s.Members, "member"); { // whoever does not want a file does not say so to the person who sends it
	case s.All && len(s.Files) > 0:
		it := "it"
		if len(s.Files) > 1 {
			it = "them"
		}
		fate = fmt.Sprintf("sent; %s have %s or do not want %s", n, it, it)
		if s.Members == 1 {
			fate = fmt.Sprintf("sent; %s has %s or does not want %s", n, it, it)
		}
	case s.All:
		fate = fmt.Sprintf("sent, and %s have it", n)
		if s.Members == 1 {
			fate = "sent, and 1 member has it"
		}
	}
	_, err := fmt.Fprintln(out, fate)
	return err
}

func plural(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
