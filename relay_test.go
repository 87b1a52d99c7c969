package main

import (
	"bufio"
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"snug/wire"
)

// asCommand makes the test binary behave as snug itself.
const asCommand = "SNUG_TEST_AS_COMMAND"

func TestMain(m *testing.M) {
	if os.Getenv(asCommand) != "" {
		os.Unsetenv(asCommand)
		main()
	}
	os.Exit(m.Run())
}

// command is snug with args; its environment has no SNUG_ variable but those of env.
func command(t *testing.T, env []string, args ...string) *exec.Cmd {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), exe, args...)
	for _, v := range os.Environ() {
		if !strings.HasPrefix(v, "SNUG_") {
			cmd.Env = append(cmd.Env, v)
		}
	}
	cmd.Env = append(append(cmd.Env, asCommand+"=1", "GORACE=atexit_sleep_ms=0"), env...) // the detector waits a second at exit
	return cmd
}

// relay is a running snug.
type relay struct {
	cmd    *exec.Cmd
	url    string   // from the start line
	hello  []string // all lines of the start
	exited chan error
	stderr locked
}

// locked is a buffer for two goroutines.
type locked struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *locked) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(b)
}

func (l *locked) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}

// start runs snug until the test ends. lines is how many lines the start prints.
func start(t *testing.T, lines int, env []string, args ...string) *relay {
	t.Helper()
	r := &relay{cmd: command(t, env, args...), exited: make(chan error, 1)}
	r.cmd.Stderr = &r.stderr
	stdout, err := r.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := r.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		r.cmd.Process.Kill()
		if t.Failed() {
			t.Logf("stderr:\n%s", r.stderr.String())
		}
	})
	scanner := bufio.NewScanner(stdout)
	for len(r.hello) < lines && scanner.Scan() {
		r.hello = append(r.hello, scanner.Text())
	}
	go func() {
		io.Copy(io.Discard, stdout)
		r.exited <- r.cmd.Wait()
	}()
	if len(r.hello) < lines {
		t.Fatalf("the start printed %q and ended", r.hello)
	}
	found := false
	if r.url, found = strings.CutPrefix(r.hello[0], "snug: open "); !found {
		t.Fatalf("start line %q", r.hello[0])
	}
	return r
}

// wait returns the exit code, -1 if a signal ended the process.
func (r *relay) wait(t *testing.T) int {
	t.Helper()
	select {
	case err := <-r.exited:
		var exit *exec.ExitError
		if err != nil && !errors.As(err, &exit) {
			t.Fatal(err)
		}
		return r.cmd.ProcessState.ExitCode()
	case <-time.After(20 * time.Second):
		t.Fatal("snug does not end")
		return 0
	}
}

// hang leaves a request half sent until the test ends.
func hang(t *testing.T, base string) {
	t.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(base, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	fmt.Fprintf(conn, "POST /poll HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 100\r\nExpect: 100-continue\r\n\r\n")
	if _, err := conn.Read(make([]byte, 16)); err != nil { // 100 Continue: the handler reads the body now
		t.Fatal(err)
	}
}

func freeAddress(t *testing.T) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	return ln.Addr().String()
}

// member is a joined member of a room of its own.
type member struct {
	wire.Joined
	base, card, from string
	room             wire.RoomID
}

// join makes a room and joins it, with a card that looks sealed to the relay.
func join(t *testing.T, base string, with ...*http.Client) member {
	t.Helper()
	client := http.DefaultClient
	if len(with) > 0 {
		client = with[0]
	}
	var req wire.JoinRequest
	rand.Read(req.Access[:])
	rand.Read(req.Secret[:])
	req.Card = make([]byte, wire.MinFrame)
	rand.Read(req.Card)
	req.Card[0], req.Card[1] = 1, 1
	m := member{base: base, room: req.Access.Post().Room(), card: base64.RawURLEncoding.EncodeToString(req.Card)[:40], from: "127.0.0.1:0"}
	resp, err := client.Post(base+"/r/"+m.room.String()+"/join", "application/json", bytes.NewReader(wire.MustJSON(req)))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if err := json.NewDecoder(resp.Body).Decode(&m.Joined); err != nil || resp.StatusCode != 200 {
		t.Fatalf("join: %s, %v", resp.Status, err)
	}
	return m
}

// stream opens the member's stream and returns when hello was read.
func (m member) stream(t *testing.T, client *http.Client) (hello wire.Hello, rest io.ReadCloser) {
	t.Helper()
	resp, err := client.Get(m.base + "/r/" + m.room.String() + "/stream?s=" + m.Session.String() + "&after=" + m.Cursor.String())
	if err != nil || resp.StatusCode != 200 {
		t.Fatal(resp, err)
	}
	lines := bufio.NewReader(resp.Body)
	for line := ""; line != "event: hello\n"; {
		if line, err = lines.ReadString('\n'); err != nil {
			t.Fatal(err)
		}
	}
	data, err := lines.ReadString('\n')
	if err == nil {
		err = json.Unmarshal([]byte(strings.TrimPrefix(data, "data: ")), &hello)
	}
	if err != nil {
		t.Fatal(err)
	}
	return hello, struct {
		io.Reader
		io.Closer
	}{lines, resp.Body}
}
