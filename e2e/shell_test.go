package e2e

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"snug/hub"
)

// TestRecipeInEveryShell: what the page shows seals texts of every size in each POSIX shell of this machine, and a page reads them, to the
// byte, marked as what they are.
func TestRecipeInEveryShell(t *testing.T) {
	for _, tool := range []string{"dash", "bash", "openssl", "curl"} {
		if _, err := exec.LookPath(tool); err != nil {
			Skip(t, "no "+tool+": install it with `apt-get install dash bash openssl curl`")
		}
	}
	w := New(t, hub.Limits{})
	ann := w.Person("Ann").Tab("/")
	ann.NewRoom(false)
	recipe := filepath.Join(t.TempDir(), "recipe.sh")
	if err := os.WriteFile(recipe, []byte(ann.Recipe()), 0o600); err != nil {
		t.Fatal(err)
	}
	texts := []string{
		"ok",
		"with a newline at the end\n",
		"three\n\n\n",
		"15 bytes, block", // one byte short of an AES block
		"16 bytes, a block",
		"übergroß — 漢字 🚪\ttab",
		"-n %s \\n 'quoted' \"twice\" $HOME `id`",
		strings.Repeat("line of a log file, 32 bytes ok\n", 1000),
		strings.Repeat("ä", 30_000),
	}
	dir := t.TempDir()
	var files, want []string
	for i, text := range texts {
		name := filepath.Join(dir, string(rune('a'+i)))
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		files = append(files, name)
	}
	for _, shell := range [][]string{{"dash"}, {"bash", "--posix"}, {"bash"}, {"zsh"}, {"busybox", "ash"}} {
		path, err := exec.LookPath(shell[0])
		if err != nil {
			continue // dash and bash are here; others are a bonus
		}
		args := append(append(shell[1:len(shell):len(shell)], "../testdata/shell/send.sh", recipe), files...)
		if out, err := run(t, path, args...); err != nil {
			t.Fatalf("%v: %v: %s", shell, err, out)
		}
		want = append(append(want, texts...), `-n %s it's "quoted" \n $HOME`)
		ann.Sees(want...)
	}
	if got := read[int](ann, `[...document.querySelectorAll('[data-kind=shell]')].length`); got != len(want) {
		t.Errorf("%d of %d messages are marked as from a terminal", got, len(want))
	}
	ann.Reads("From a terminal sender not verified")

	w.Expect("ERR_")
	w.Crash()
	out, err := run(t, "dash", "-c", `. "$0"; snug_send x || exit 7`, recipe)
	if exit, ok := err.(*exec.ExitError); !ok || exit.ExitCode() != 7 || !strings.Contains(out, "curl:") {
		t.Errorf("without a relay it says %q and ends with %v", out, err)
	}
	w.Restart()
}

// TestRecipeIsOneText: the page, /help and the README show the same function but for what is filled in.
func TestRecipeIsOneText(t *testing.T) {
	w := New(t, hub.Limits{})
	ann := w.Person("Ann").Tab("/")
	ann.NewRoom(false)
	page := ann.Recipe()
	pem, token := between(page, "'-----BEGIN PUBLIC KEY-----' '", "'"), between(page, "Bearer ", "'")
	url := between(page, `"@$d/jwe" '`, "'")
	if len(pem) != 60 || len(token) != 43 || !strings.HasPrefix(url, w.URL+"/r/") {
		t.Fatalf("the page fills in the key %q, the token %q and the address %q", pem, token, url)
	}
	want := strings.NewReplacer(pem, "PEM", token, "TOKEN", url, "ADDRESS").Replace(page)

	resp, err := http.Get(w.URL + "/help")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	help, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	readme, err := os.ReadFile("../README.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, shown := range []struct{ where, text, indent, url string }{
		{"/help", string(help), "    ", w.URL + "/r/ROOM"},
		{"README.md", string(readme), "", "https://snug.example/r/ROOM"},
	} {
		got := function(shown.text, shown.indent)
		if got = strings.Replace(got, shown.url, "ADDRESS", 1); got != want {
			t.Errorf("%s shows\n%s\nbut the page shows\n%s", shown.where, got, want)
		}
	}
}

// function is the shell function in a text that has it indented.
func function(text, indent string) string {
	body := between(text, indent+"snug_send() (\n", "\n"+indent+")\n")
	lines := strings.Split("snug_send() (\n"+body+"\n)\n", "\n")
	for i := range lines {
		lines[i] = strings.TrimPrefix(lines[i], indent)
	}
	return strings.Join(lines, "\n")
}

func between(text, before, after string) string {
	_, rest, _ := strings.Cut(text, before)
	found, _, _ := strings.Cut(rest, after)
	return found
}

// run runs a program with an empty directory for temporary files.
func run(t *testing.T, name string, args ...string) (out string, err error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Env = append(cmd.Environ(), "TMPDIR="+t.TempDir(), "no_proxy=localhost,127.0.0.1")
	var b bytes.Buffer
	cmd.Stdout, cmd.Stderr = &b, &b
	err = cmd.Run()
	return b.String(), err
}
