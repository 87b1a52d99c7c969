package e2e

import (
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// TestLimit: a test that hangs ends the run soon, with its name, what happened in it, and where it hangs.
func TestLimit(t *testing.T) {
	const hang = "SNUG_HANG"
	if os.Getenv(hang) != "" {
		limit(t, 10*time.Millisecond, func() string { return "ann: live" })
		t.Cleanup(func() { select {} })
		return
	}
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestLimit$", "-test.timeout=1m")
	cmd.Env = append(os.Environ(), hang+"=1")
	out, err := cmd.CombinedOutput()
	if err == nil {
		t.Fatal("it passes")
	}
	for _, want := range []string{"TestLimit hangs: not over after 10ms; ann: live", "limit_test.go:16"} {
		if !strings.Contains(string(out), want) {
			t.Errorf("it does not say %q:\n%s", want, out)
		}
	}
}
