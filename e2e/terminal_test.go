package e2e

import (
	"os/exec"
	"strings"
	"testing"

	"snug/hub"
)

// TestTerminalSends: the shell function that the page shows seals a message with openssl and posts it with curl, and
// everybody in the room reads it. What is not sealed is refused.
func TestTerminalSends(t *testing.T) {
	for _, tool := range []string{"sh", "openssl", "curl"} {
		if _, err := exec.LookPath(tool); err != nil {
			Skip(t, "no "+tool+": install it with `apt-get install openssl curl`")
		}
	}
	w := New(t, hub.Limits{})
	ann := w.Person("Ann").Tab("/")
	ben := w.Person("Ben").Tab("/" + ann.NewRoom(false))
	ben.Enter(false)
	ann.Members(2)
	recipe := ann.Recipe()

	out := shell(t, recipe+`
		snug_send 'backup done, €5 saved'
		printf 'load is low' | snug_send
	`)
	if got := strings.Count(out, "sent to 2 members, 2 here now"); got != 2 {
		t.Errorf("curl printed %q", out)
	}
	ann.Sees("backup done, €5 saved", "load is low")
	ben.Sees("backup done, €5 saved", "load is low")
	w.Hub.Await(t, "every message is freed when everyone has it", nothingHeld)
	ben.Screenshot("terminal")

	// The same function with curl sending the text itself instead of what was sealed.
	clear := strings.Replace(recipe, `--data-binary "@$d/jwe"`, `--data-binary "in the clear"`, 1)
	if out := shell(t, clear+"snug_send x || true"); clear == recipe || !strings.Contains(out, "not_sealed") {
		t.Errorf("an open text was answered with %q", out)
	}
	ann.Sees("backup done, €5 saved", "load is low")
}

// shell runs a script in sh and returns what it printed.
func shell(t *testing.T, script string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "sh", "-s")
	cmd.Env = append(cmd.Environ(), "no_proxy=localhost,127.0.0.1")
	cmd.Stdin = strings.NewReader(script)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return string(out)
}
