package e2ee

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"testing"
	"time"
)

// TestTranscriptOfJS has the browser's code play a conversation, and opens it.
func TestTranscriptOfJS(t *testing.T) {
	const script = "../../testdata/js/transcript.mjs"
	if _, err := os.Stat(script); err != nil {
		skipOrFail(t, "no testdata/js/transcript.mjs in this tree")
	}
	node, err := exec.LookPath("node")
	if err != nil {
		skipOrFail(t, "no node on PATH: install Node.js 20 or newer (https://nodejs.org, or apt-get install nodejs)")
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	out, err := exec.CommandContext(ctx, node, script).Output()
	if err != nil {
		var exit *exec.ExitError
		if errors.As(err, &exit) {
			t.Fatalf("%v: %s", err, exit.Stderr)
		}
		t.Fatal(err)
	}
	var file map[string]json.RawMessage
	if err := json.Unmarshal(out, &file); err != nil || len(file) != 1 {
		t.Fatalf("want one object with a transcript in it: %v", err)
	}
	groupVectors()["transcript"].check(t, file["transcript"])
}
