package e2e

import (
	"bufio"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"snug/hub"
)

// startUI builds the program and runs snug ui in front of the relay, until the test ends. It returns the local address.
func startUI(t *testing.T, relay string) string {
	t.Helper()
	bin := filepath.Join(t.TempDir(), "snug")
	if out, err := exec.Command("go", "build", "-o", bin, "snug").CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	cmd := exec.Command(bin, "ui", "--listen", "127.0.0.1:0", relay)
	cmd.Env = append(os.Environ(), "NO_PROXY=*")
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cmd.Process.Signal(os.Interrupt)
		cmd.Wait()
	})
	line, err := bufio.NewReader(stdout).ReadString('\n')
	url, found := strings.CutPrefix(strings.TrimSpace(line), "snug: open ")
	if !found {
		t.Fatalf("snug ui says %q, %v", line, err)
	}
	return url
}

// TestLocalPage: somebody with the page of their own machine talks with somebody who has it from the relay, over a link that leads to the relay.
func TestLocalPage(t *testing.T) {
	w := New(t, hub.Limits{})
	local := startUI(t, w.URL)
	ann := w.Person("Ann").TabAt(local + "/")
	ann.NewRoom(false)
	ann.Click("Invite")
	ann.Await("links to the relay", `field('The link').value.startsWith(`+quoted(w.URL+"/#")+`)`)
	link := read[string](ann, "field('The link').value")
	ben := w.Person("Ben").TabAt(link)
	ben.Enter(false)
	ann.Members(2)
	ben.Say("Is this the relay's page?")
	ann.Sees("Is this the relay's page?")
	ann.Say("Not mine.")
	ben.Sees("Is this the relay's page?", "Not mine.")
	ann.Delivered()
}
