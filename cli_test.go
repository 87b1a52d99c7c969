package main

import (
	"context"
	"crypto/rand"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"snug/client"
	"snug/client/e2ee"
	"snug/handlers"
	"snug/hub"
)

// relayKey is the name under which a script finds its relay.
type relayKey struct{}

// TestScripts runs the scripts of testdata/script, each with a relay of its own at $RELAY, a new room at $LINK, and snug in its path.
//
//	members N       waits until the relay has N members
//	code N ARGS     runs snug and wants it to exit with N
//	post FILE       posts a file as a shell would
//	field NAME ENV  puts field NAME of the JSON on the last stdout into a variable
//	silent          joins, and handles nothing that happens
//	random FILE N   makes a file of N random bytes
//	grown FILE N    waits until the file, a pattern, has more than N bytes
//	listening ADDR  waits until somebody listens there
//	eventually ARGS runs snug again and again until it succeeds
//
// $BLOCKS is a proxy that asks for a login, $FREE an address that nobody listens on.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 filepath.Join("testdata", "script"),
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Setup:               setupScript,
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"members":    waitForMembers,
			"code":       exitsWith,
			"post":       post,
			"field":      field,
			"silent":     silent,
			"random":     random,
			"grown":      grown,
			"listening":  listening,
			"eventually": eventually,
		},
	})
}

func setupScript(env *testscript.Env) error {
	exe, err := os.Executable()
	if err != nil {
		return err
	}
	bin := filepath.Join(env.WorkDir, "bin")
	if err := os.Mkdir(bin, 0o755); err != nil {
		return err
	}
	if err := os.Symlink(exe, filepath.Join(bin, "snug")); err != nil {
		return err
	}
	memory := hub.NewMemory(hub.Limits{})
	relay, err := handlers.New(handlers.Config{Hub: memory})
	if err != nil {
		return err
	}
	server := httptest.NewServer(relay)
	env.Defer(func() {
		server.CloseClientConnections()
		server.Close()
		memory.Close()
	})
	blocks := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Proxy-Authenticate", `Basic realm="office"`)
		w.WriteHeader(http.StatusProxyAuthRequired)
	}))
	env.Defer(blocks.Close)
	env.Values[relayKey{}] = memory
	free, err := freeAddr()
	if err != nil {
		return err
	}
	root, err := e2ee.NewLinkRoot(nil)
	if err != nil {
		return err
	}
	shell := client.ShellOf(server.URL, root)
	env.Vars = append(env.Vars, "RELAY="+server.URL, "LINK="+root.Link(server.URL), "KEY="+shell.Key, "TOKEN="+shell.Token, "POST="+shell.URL, "BLOCKS="+blocks.URL, "FREE="+free,
		"PATH="+bin+string(filepath.ListSeparator)+os.Getenv("PATH"), asCommand+"=1", "GORACE=atexit_sleep_ms=0", "USER=tester")
	return nil
}

func waitForMembers(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: members N")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	memory := ts.Value(relayKey{}).(*hub.Memory)
	for end := time.Now().Add(20 * time.Second); memory.Stats().Members != want; time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			ts.Fatalf("%d members, want %d", memory.Stats().Members, want)
		}
	}
}

func exitsWith(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: code N ARGS")
	}
	err := ts.Exec("snug", args[1:]...)
	got := 0
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		got = exit.ExitCode()
	} else {
		ts.Check(err)
	}
	if strconv.Itoa(got) != args[0] {
		ts.Fatalf("exit code %d, want %s", got, args[0])
	}
}

func post(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: post FILE")
	}
	resp, err := http.Post(ts.Getenv("POST")+"?auth="+ts.Getenv("TOKEN"), "text/plain", strings.NewReader(ts.ReadFile(args[0])))
	ts.Check(err)
	resp.Body.Close()
	if resp.StatusCode != http.StatusCreated {
		ts.Fatalf("the relay answers %s", resp.Status)
	}
}

func field(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: field NAME ENV")
	}
	_, after, found := strings.Cut(ts.ReadFile("stdout"), `"`+args[0]+`":"`)
	value, _, ended := strings.Cut(after, `"`)
	if !found || !ended {
		ts.Fatalf("no field %s on stdout", args[0])
	}
	ts.Setenv(args[1], value)
}

func freeAddr() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return l.Addr().String(), l.Close()
}

func silent(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 0 {
		ts.Fatalf("usage: silent")
	}
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	s, err := client.Join(ctx, client.Config{Link: ts.Getenv("LINK"), Alias: "silent"})
	ts.Check(err)
	ts.Defer(s.Close)
}

func random(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: random FILE N")
	}
	n, err := strconv.Atoi(args[1])
	ts.Check(err)
	b := make([]byte, n)
	rand.Read(b) // never fails
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), b, 0o666))
}

// until asks until it is so.
func until(ts *testscript.TestScript, what string, ask func() bool) {
	for end := time.Now().Add(30 * time.Second); !ask(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			ts.Fatalf("not in time: %s", what)
		}
	}
}

func grown(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: grown FILE N")
	}
	n, err := strconv.ParseInt(args[1], 10, 64)
	ts.Check(err)
	until(ts, args[0]+" grows", func() bool {
		found, _ := filepath.Glob(ts.MkAbs(args[0]))
		if len(found) != 1 {
			return false
		}
		info, err := os.Stat(found[0])
		return err == nil && info.Size() > n
	})
}

func listening(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: listening ADDR")
	}
	until(ts, "somebody listens on "+args[0], func() bool {
		c, err := net.Dial("tcp", args[0])
		if err == nil {
			c.Close()
		}
		return err == nil
	})
}

func eventually(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) == 0 {
		ts.Fatalf("usage: eventually ARGS")
	}
	until(ts, strings.Join(args, " "), func() bool { return ts.Exec("snug", args...) == nil })
}
