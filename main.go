// Command snug runs private rooms: end-to-end encrypted in the browser, carried by a relay that works behind any proxy
// that lets GET and POST pass. This file is the only one that reads flags and the environment.
package main

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"regexp"
	"runtime/debug"
	"strings"
	"syscall"

	"github.com/alecthomas/kong"

	"snug/static"
)

// version is set by -ldflags "-X main.version=v1.2.3" where the build does not see the repository, as in the Dockerfile.
var version string

// cli is all that the command line and the environment can say. A subcommand is a field with a Run method; every flag
// can also be given as SNUG_ and its name, so --room-bytes is SNUG_ROOM_BYTES.
type cli struct {
	LogLevel level            `default:"info" placeholder:"LEVEL" help:"Least important level that is logged: debug, info, warn or error."`
	LogJSON  bool             `name:"log-json" help:"Log JSON instead of text."`
	Version  kong.VersionFlag `env:"-" help:"Print the version and leave."`

	Serve serveCmd `cmd:"" default:"withargs" help:"Run the relay. This is the default command."`
	Send  sendCmd  `cmd:"" help:"Send a message into a room, end-to-end encrypted, as a full member."`
	Tail  tailCmd  `cmd:"" help:"Join a room and print what is said there, until Ctrl-C."`
	Seal  sealCmd  `cmd:"" help:"Encrypt stdin for a room, for curl to post. Needs the room's public key only."`
	Room  roomCmd  `cmd:"" help:"Make rooms."`

	Check  checkCmd  `cmd:"" help:"Tell what the network between here and a relay does: to streams, to posts, to TLS."`
	UI     uiCmd     `cmd:"" name:"ui" help:"Serve the page from this program to browsers on this machine, for a network that may change it on its way."`
	Verify verifyCmd `cmd:"" help:"Compare the page that a relay serves with the one in this program."`
}

func main() { os.Exit(run(os.Args[1:], os.Stdout, os.Stderr)) }

// run carries out one command line and returns the exit code: 0, exitUsage for flags and variables that do not make
// sense, or what exitCode says. Whatever went wrong is one sentence on stderr.
func run(args []string, stdout, stderr io.Writer) int {
	var c cli
	parser, err := newParser(&c, stdout, stderr)
	if err != nil {
		panic(err) // the tags above are wrong; every test that starts the command finds it
	}
	prepareVariables(parser.Model.Node)
	kept := make([]string, len(args))
	for i, a := range args {
		kept[i] = keepBytes(a)
	}
	ctx, err := parser.Parse(kept)
	if err != nil {
		fmt.Fprintf(stderr, "snug: %s\n", misread(err))
		return exitUsage
	}
	err = ctx.Run(newLogger(stderr, slog.Level(c.LogLevel), c.LogJSON), &output{stdout})
	if err != nil && err != errUnread { // that is what whoever closed the pipe wanted
		fmt.Fprintf(stderr, "snug: %s\n", err)
	}
	return exitCode(err)
}

// dashed is what kong says of a value that begins like a flag.
var dashed = regexp.MustCompile(`^(--[\w-]+): expected .* value but got "(-.*)" \(.*$`)

// misread says why arguments or variables cannot be read.
func misread(err error) string {
	if m := dashed.FindStringSubmatch(err.Error()); m != nil {
		return fmt.Sprintf("%s: %q begins like a flag; a value that does is written %s=%s", m[1], m[2], m[1], m[2])
	}
	return strings.Replace(err.Error(), "(from envar ", "(from ", 1)
}

// output is where a command's results go; a type of its own, so that kong can tell it from other writers.
type output struct{ io.Writer }

// errUnread is what writing fails with when nobody reads the pipe any more, as behind head.
var errUnread error = failure{exitUnread, errors.New("nobody reads what is printed")}

func (o *output) Write(b []byte) (int, error) {
	n, err := o.Writer.Write(b)
	if errors.Is(err, syscall.EPIPE) { // here, where it cannot be the network's
		err = errUnread
	}
	return n, err
}

func newParser(c *cli, stdout, stderr io.Writer) (*kong.Kong, error) {
	return kong.New(c,
		kong.Name("snug"),
		kong.Description("Private rooms in the browser, end-to-end encrypted, through any proxy that lets GET and POST pass."),
		kong.Vars{"version": versionText()},
		kong.DefaultEnvars("SNUG"),
		kong.Writers(stdout, stderr),
	)
}

// prepareVariables makes an empty variable mean an unset one, because compose files write SNUG_X=${SNUG_X}, and keeps the bytes of the others.
func prepareVariables(node *kong.Node) {
	for _, flag := range node.Flags {
		for _, name := range flag.Envs {
			if v, ok := os.LookupEnv(name); ok && v == "" {
				os.Unsetenv(name)
			} else if ok {
				os.Setenv(name, keepBytes(v))
			}
		}
	}
	for _, child := range node.Children {
		prepareVariables(child)
	}
}

func newLogger(w io.Writer, level slog.Level, json bool) *slog.Logger {
	opts := &slog.HandlerOptions{Level: level}
	if json {
		return slog.New(slog.NewJSONHandler(w, opts))
	}
	return slog.New(slog.NewTextHandler(w, opts))
}

// versionText is the version, or the commit it was built from, the Go release, and the hash of the page.
func versionText() string {
	v, info := version, &debug.BuildInfo{GoVersion: "go"}
	if read, ok := debug.ReadBuildInfo(); ok {
		info = read
	}
	if v == "" {
		v = info.Main.Version
	}
	if v == "" || v == "(devel)" {
		v = "development"
	}
	return fmt.Sprintf("snug %s (%s)\npage %s", v, info.GoVersion, static.Hash())
}
