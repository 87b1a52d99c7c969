package client

import (
	"bufio"
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"snug/client/e2ee"
)

// canaries are what a relay must not hold, by what they are; a name may have several spellings.
type canaries map[string][][]byte

func (c canaries) text(what, s string) { c[what] = append(c[what], []byte(s)) }

// key looks for a key as bytes and in the usual spellings.
func (c canaries) key(what string, b []byte) {
	c[what] = append(c[what], bytes.Clone(b), []byte(base64.RawURLEncoding.EncodeToString(b)),
		[]byte(base64.RawStdEncoding.EncodeToString(b)), []byte(hex.EncodeToString(b)))
}

// state adds every key of a saved session: chains of the others, HPKE keys, identity.
func (c canaries) state(t *testing.T, who string, s *Session) {
	t.Helper()
	b, err := s.State()
	if err != nil {
		t.Fatal(err)
	}
	var saved savedSession
	var group struct {
		Seed  []byte
		HPKE  []struct{ Private []byte }
		Peers []struct{ Chains []struct{ CK []byte } }
	}
	if err := json.Unmarshal(b, &saved); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(saved.Group, &group); err != nil {
		t.Fatal(err)
	}
	c.key(who+"'s identity", group.Seed)
	for _, k := range group.HPKE {
		c.key(who+"'s HPKE key", k.Private)
	}
	chains := 0
	for _, p := range group.Peers {
		for _, chain := range p.Chains {
			if len(chain.CK) == 0 { // erased
				continue
			}
			c.key("a chain key that "+who+" holds", chain.CK)
			chains++
		}
	}
	if chains == 0 {
		t.Errorf("%s holds no chain", who)
	}
}

// TestRelayMemory: after a conversation, the memory of the relay's process holds neither alias, room name, text nor any key
// that opens anything. Access and post token are known to it by design.
func TestRelayMemory(t *testing.T) {
	if testing.Short() {
		t.Skip("builds the binary")
	}
	t.Parallel()
	url, pid := startBinary(t)
	word := func() string { return "canary" + strings.ToLower(rand.Text()) }
	name, alias, text, shell, pass := word(), word(), word(), word(), word()

	ctx := t.Context()
	root, err := e2ee.PassphraseRoot(pass, name)
	if err != nil {
		t.Fatal(err)
	}
	join := func(alias string) *Session {
		s, err := Join(ctx, Config{Origin: url, Root: root, Alias: alias})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(s.Close)
		go func() {
			for range s.Events(ctx) {
			}
		}()
		return s
	}
	ann, bob, away := join(alias+"1"), join(alias+"2"), join(alias+"3")
	away.Close() // without leaving, so that the relay keeps everything for it
	for i := range 20 {
		for _, s := range []*Session{ann, bob} {
			l, err := s.Send(ctx, fmt.Sprint(text, i))
			if err != nil {
				t.Fatal(err)
			}
			if _, err := l.Posted(ctx); err != nil {
				t.Fatal(err)
			}
		}
	}
	await(t, "read", func() bool { _, read, _ := ann.current().places(); return read.Seq >= 40 })
	jwe, err := Seal(ann.Shell().Key, shell)
	if err != nil {
		t.Fatal(err)
	}

	c := canaries{}
	c.text("room name", name)
	c.text("passphrase", pass)
	c.text("alias", alias)
	c.text("text", text)
	c.text("shell text", shell)
	c.key("root", root[:])
	keys := root.Keys()
	c.key("outer", keys.Outer[:])
	c.key("drop", keys.Drop[:])
	c.state(t, "ann", ann)
	c.state(t, "bob", bob)
	post(t, ann.Shell(), jwe)

	control := canaries{}
	control["room id"] = [][]byte{keys.Room[:]}
	control["shell post"] = [][]byte{[]byte(jwe)}
	found := scan(t, pid, c, control)
	for what := range c {
		if found[what] > 0 {
			t.Errorf("%s is in the relay's memory, %d times", what, found[what])
		}
	}
	for what := range control {
		if found[what] == 0 {
			t.Errorf("%s is not in the relay's memory, so the search is no good", what)
		}
	}
}

// startBinary builds snug and runs a relay with it.
func startBinary(t *testing.T) (url string, pid int) {
	t.Helper()
	exe := filepath.Join(t.TempDir(), "snug")
	if out, err := exec.Command("go", "build", "-buildvcs=false", "-o", exe, "snug").CombinedOutput(); err != nil {
		skipOrFail(t, fmt.Sprintf("needs the go command and a module that builds: %v\n%s", err, out))
	}
	cmd := exec.Command(exe, "--listen", "127.0.0.1:0")
	cmd.Env = []string{"HOME=/"}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cmd.Process.Kill()
		cmd.Wait()
	})
	line, err := bufio.NewReader(stdout).ReadString('\n')
	url, ok := strings.CutPrefix(strings.TrimSpace(line), "snug: open ")
	if !ok {
		t.Fatalf("start line %q, %v", line, err)
	}
	return url, cmd.Process.Pid
}

// scan counts what is found in the writable memory of a process.
func scan(t *testing.T, pid int, sets ...canaries) map[string]int {
	t.Helper()
	maps, err := os.ReadFile(fmt.Sprintf("/proc/%d/maps", pid))
	if err != nil {
		skipOrFail(t, "needs /proc/PID/maps: "+err.Error())
	}
	mem, err := os.Open(fmt.Sprintf("/proc/%d/mem", pid))
	if err != nil {
		skipOrFail(t, "needs to read the memory of a child, as root or with kernel.yama.ptrace_scope=0: "+err.Error())
	}
	defer mem.Close()
	found, read := map[string]int{}, int64(0)
	for line := range strings.Lines(string(maps)) {
		var from, to int64
		var mode string
		if n, _ := fmt.Sscanf(line, "%x-%x %s", &from, &to, &mode); n != 3 || !strings.HasPrefix(mode, "rw") {
			continue
		}
		read += scanRange(io.NewSectionReader(mem, from, to-from), found, sets)
	}
	t.Logf("searched %d KiB", read>>10)
	return found
}

// scanRange reads in pieces that overlap by more than the longest canary.
func scanRange(r io.Reader, found map[string]int, sets []canaries) (read int64) {
	const piece, overlap = 1 << 20, 4 << 10
	buf := make([]byte, 0, piece+overlap)
	for {
		n, err := io.ReadFull(r, buf[len(buf):len(buf)+piece])
		read += int64(n)
		buf = buf[:len(buf)+n]
		for _, set := range sets {
			for what, spellings := range set {
				for _, s := range spellings {
					found[what] += bytes.Count(buf, s)
				}
			}
		}
		if err != nil { // the end, or memory that cannot be read
			return read
		}
		buf = append(buf[:0], buf[len(buf)-overlap:]...)
	}
}
