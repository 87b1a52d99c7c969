package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"os/signal"
	"os/user"
	"strings"
	"syscall"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/alecthomas/kong"
	"github.com/mdp/qrterminal/v3"
	"golang.org/x/term"

	"snug/client"
	"snug/client/e2ee"
	"snug/wire"
)

// Exit codes of the commands that talk to a room. Scripts depend on them; docs/CLIENT.md lists them.
const (
	exitFailed  = 1 // whatever is not below
	exitUsage   = 2 // the command line, a link or a key makes no sense
	exitNobody  = 3 // nobody else is in the room
	exitBlocked = 4 // something between here and the relay refuses

	exitUnread = 141 // nobody reads stdout any more; shells say so of a program that SIGPIPE ended
)

// failure is an error with an exit code of its own.
type failure struct {
	code int
	error
}

func (f failure) Unwrap() error { return f.error }

func usage(format string, args ...any) error { return failure{exitUsage, fmt.Errorf(format, args...)} }

// exitCode is what an error of a command means to scripts.
func exitCode(err error) int {
	if err == nil {
		return 0
	}
	if f, ok := errors.AsType[failure](err); ok {
		return f.code
	}
	if _, ok := errors.AsType[*client.BlockedError](err); ok {
		return exitBlocked
	}
	if errors.Is(err, e2ee.ErrMalformed) || errors.Is(err, e2ee.ErrEmpty) {
		return exitUsage
	}
	return exitFailed
}

// roomFlags say which room to enter, and as whom.
type roomFlags struct {
	Link       string   `placeholder:"LINK" help:"The room's link. Better in the variable or a file: other users of this machine can see arguments."`
	LinkFile   fileName `placeholder:"FILE" help:"File with the link in its first line; - is stdin."`
	Relay      relayURL `placeholder:"URL" help:"Address of the relay, for a passphrase room."`
	Room       word     `placeholder:"NAME" help:"Name of a passphrase room. The passphrase comes from its variable, or is asked for."`
	Passphrase word     `placeholder:"WORDS" help:"Passphrase of that room. Better in the variable."`
	Alias      word     `placeholder:"NAME" help:"The name that others see. Without it: user@host."`
	Proxy      string   `placeholder:"URL" help:"Proxy to use. Without it: HTTPS_PROXY, HTTP_PROXY and NO_PROXY."`
}

// given tells whether flags or variables name a room, so that no argument does.
func (f *roomFlags) given() bool { return f.Link != "" || f.LinkFile != "" || f.Room != "" }

// config is what client.Join wants to know. arg is the link given as an argument, or "". stdin is read if it holds the link.
func (f *roomFlags) config(k *kong.Context, arg string, stdin *bufio.Reader, status func(client.Status)) (client.Config, error) {
	warnOfSecrets(k, arg)
	c := client.Config{Alias: string(f.Alias), Status: status}
	if c.Alias == "" {
		c.Alias = defaultAlias()
	}
	if f.Proxy != "" {
		proxy, err := url.Parse(f.Proxy)
		if err != nil || proxy.Host == "" {
			return c, usage("--proxy: not an address; write it like http://proxy.example:3128")
		}
		c.Proxy = proxy
	}
	switch byLink := f.Link != "" || f.LinkFile != "" || arg != ""; {
	case f.Room != "" && byLink, f.Link != "" && f.LinkFile != "":
		return c, usage("two rooms are given, by flags or variables")
	case f.Room != "":
		return f.passphraseRoom(c)
	}
	link, err := f.link(arg, stdin)
	if err != nil {
		return c, err
	}
	c.Origin, c.Root, err = e2ee.ParseLink(strings.TrimSpace(link))
	if err != nil {
		return c, usage("this is not a room's link; it looks like https://relay.example/#SECRET")
	}
	return c, nil
}

func (f *roomFlags) link(arg string, stdin *bufio.Reader) (string, error) {
	switch {
	case f.LinkFile == "-":
		line, err := stdin.ReadString('\n')
		if err != nil && err != io.EOF {
			return "", fmt.Errorf("stdin: %w", err)
		}
		return line, nil
	case f.LinkFile != "":
		b, err := os.ReadFile(string(f.LinkFile))
		if err != nil {
			return "", usage("--link-file: %w", err)
		}
		line, _, _ := strings.Cut(string(b), "\n")
		return line, nil
	case f.Link != "":
		return f.Link, nil
	case arg != "":
		return arg, nil
	}
	return ask("Link of the room: ", "no room: give its link in SNUG_LINK or --link-file, or --relay, --room and SNUG_PASSPHRASE")
}

func (f *roomFlags) passphraseRoom(c client.Config) (client.Config, error) {
	if f.Relay == "" {
		return c, usage("--room needs --relay, the address of the relay")
	}
	c.Origin, c.Name, c.Passphrase = string(f.Relay), string(f.Room), string(f.Passphrase)
	if c.Passphrase != "" {
		return c, nil
	}
	var err error
	c.Passphrase, err = ask("Passphrase: ", "no passphrase: give it in SNUG_PASSPHRASE")
	return c, err
}

// ask reads a secret from the terminal without showing it; without a terminal it is a usage error with the text instead.
func ask(prompt, instead string) (string, error) {
	if !term.IsTerminal(int(os.Stdin.Fd())) || !term.IsTerminal(int(os.Stderr.Fd())) {
		return "", usage("%s", instead)
	}
	fmt.Fprint(os.Stderr, prompt)
	b, err := term.ReadPassword(int(os.Stdin.Fd()))
	fmt.Fprintln(os.Stderr)
	return string(b), err
}

// warnOfSecrets says so when a secret stands in the arguments, where ps shows it.
func warnOfSecrets(k *kong.Context, arg string) {
	found := arg != ""
	for _, p := range k.Path {
		found = found || (p.Flag != nil && !p.Resolved && (p.Flag.Name == "link" || p.Flag.Name == "passphrase"))
	}
	if found {
		fmt.Fprintln(k.Stderr, "snug: warning: the room's secret is in the arguments, where other users of this machine can see it; use SNUG_LINK, SNUG_PASSPHRASE or --link-file")
	}
}

// defaultAlias is user@host, the host without its domain.
func defaultAlias() string {
	name := os.Getenv("USER")
	if u, err := user.Current(); name == "" && err == nil {
		name = u.Username
	}
	host, _ := os.Hostname() // without one, the user alone
	host, _, _ = strings.Cut(host, ".")
	alias := strings.Trim(printable(name)+"@"+printable(host), "@ ")
	for len(alias) > 64 {
		_, last := utf8.DecodeLastRuneInString(alias)
		alias = alias[:len(alias)-last]
	}
	if e2ee.CheckAlias(alias) != nil {
		return "terminal"
	}
	return alias
}

// printable keeps what others wrote from doing things to a terminal: control characters, and those that turn the
// direction of text, become a mark.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || (r >= 0x202a && r <= 0x202e) || (r >= 0x2066 && r <= 0x2069) {
			return '\uFFFD'
		}
		return r
	}, s)
}

// printJSON prints one line.
func printJSON(out io.Writer, v any) error {
	e := json.NewEncoder(out)
	e.SetEscapeHTML(false) // it goes to programs, not into pages
	return e.Encode(v)
}

// interrupted ends with the first signal to stop; a second one ends the process. A pipe that nobody reads any more makes writing fail instead of
// ending the process at once: a member that has not left stays in the room until it is given up.
func interrupted() (context.Context, context.CancelFunc) {
	signal.Ignore(syscall.SIGPIPE)
	ctx, stop := signal.NotifyContext(context.Background(), stops()...)
	context.AfterFunc(ctx, stop)
	return ctx, stop
}

// stops are the signals that ask a command to end. That of a closed terminal is one, unless it was started to outlive that, as by nohup.
func stops() []os.Signal {
	list := []os.Signal{os.Interrupt, syscall.SIGTERM}
	if !signal.Ignored(syscall.SIGHUP) {
		list = append(list, syscall.SIGHUP)
	}
	return list
}

const leaveTime = 5 * time.Second

// leave says goodbye. Whoever cannot be told finds out by time.
func leave(s *client.Session) {
	ctx, cancel := context.WithTimeout(context.Background(), leaveTime)
	defer cancel()
	if err := s.Leave(ctx); err != nil {
		fmt.Fprintf(os.Stderr, "snug: the relay has not heard that we left: %v\n", err)
	}
}

// roomCmd holds the commands about rooms themselves.
type roomCmd struct {
	New roomNewCmd `cmd:"" help:"Make a room: print its link and what a terminal needs to send into it. Nothing is registered anywhere."`
}

// roomNewCmd makes a room.
type roomNewCmd struct {
	Relay          relayURL `required:"" placeholder:"URL" help:"Address of the relay."`
	WithPassphrase bool     `env:"-" help:"Make it a passphrase room, for people who have to type it."`
	Name           word     `env:"-" placeholder:"NAME" help:"Name of the passphrase room. Without it: two words."`
	JSON           bool     `name:"json" env:"-" help:"Print JSON."`
	QR             bool     `name:"qr" env:"-" help:"Print the link as a QR code, too."`
}

// newRoom is what snug room new prints.
type newRoom struct {
	Link       string      `json:"link"`
	Room       wire.RoomID `json:"room"`
	URL        string      `json:"url"`
	Token      string      `json:"token"`
	Key        string      `json:"key"`
	Name       string      `json:"name,omitempty"`
	Passphrase string      `json:"passphrase,omitempty"`
}

// Run prints the room.
func (c *roomNewCmd) Run(out *output) error {
	if c.Name != "" && !c.WithPassphrase {
		return usage("--name is for rooms --with-passphrase; a link room has no name")
	}
	r, err := c.make()
	if err != nil {
		return err
	}
	if c.JSON {
		return printJSON(out, r)
	}
	if c.WithPassphrase {
		fmt.Fprintf(out, "name        %s\npassphrase  %s\n", r.Name, r.Passphrase)
	}
	_, err = fmt.Fprintf(out, "link        %s\nroom        %s\npost URL    %s\npost token  %s\npublic key  %s\n", r.Link, r.Room, r.URL, r.Token, r.Key)
	if c.QR {
		qrterminal.GenerateWithConfig(r.Link, qrterminal.Config{Level: qrterminal.L, Writer: out, HalfBlocks: true, QuietZone: 2,
			BlackChar: qrterminal.BLACK_BLACK, WhiteChar: qrterminal.WHITE_WHITE,
			BlackWhiteChar: qrterminal.BLACK_WHITE, WhiteBlackChar: qrterminal.WHITE_BLACK})
	}
	return err
}

func (c *roomNewCmd) make() (r newRoom, err error) {
	root, err := e2ee.NewLinkRoot(nil)
	if err == nil && c.WithPassphrase {
		root, err = c.passphrase(&r)
	}
	if err != nil {
		return r, err
	}
	shell := client.ShellOf(string(c.Relay), root)
	r.Link, r.Room = root.Link(string(c.Relay)), root.Keys().Room
	r.URL, r.Token, r.Key = shell.URL, shell.Token, shell.Key
	return r, nil
}

func (c *roomNewCmd) passphrase(r *newRoom) (e2ee.Root, error) {
	words, err := e2ee.NewPassphrase(nil, 9)
	if err != nil {
		return e2ee.Root{}, err
	}
	list := strings.Fields(words)
	r.Name, r.Passphrase = string(c.Name), strings.Join(list[2:], " ")
	if r.Name == "" {
		r.Name = strings.Join(list[:2], " ")
	}
	return e2ee.PassphraseRoot(r.Passphrase, r.Name)
}
