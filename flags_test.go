package main

import (
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/alecthomas/kong"

	"snug/hub"
)

func TestSize(t *testing.T) {
	tests := []struct {
		text string
		want size
	}{
		{"1", 1}, {"512B", 512}, {"64KiB", 64 << 10}, {"64 MiB", 64 << 20}, {"64mib", 64 << 20}, {"1GiB", 1 << 30}, {"2MB", 2e6}, {"3kb", 3e3}, {"1GB", 1e9},
	}
	for _, test := range tests {
		var got size
		if err := got.UnmarshalText([]byte(test.text)); err != nil || got != test.want {
			t.Errorf("%s: got %d, %v, want %d", test.text, got, err, test.want)
		}
		var again size
		if err := again.UnmarshalText([]byte(got.String())); err != nil || again != got {
			t.Errorf("%s is written %s, which reads as %d, %v", test.text, got, again, err)
		}
	}
	for _, text := range []string{"", "0", "-1", "MiB", "1.5GiB", "64 MiB each", "9223372036854775807GiB", "1TiB", "0x10"} {
		var got size
		if err := got.UnmarshalText([]byte(text)); err == nil {
			t.Errorf("%q was read as %d", text, got)
		}
	}
}

func TestSpan(t *testing.T) {
	var got span
	if err := got.UnmarshalText([]byte("1h30m")); err != nil || time.Duration(got) != 90*time.Minute {
		t.Errorf("got %v, %v", got, err)
	}
	for _, text := range []string{"", "0s", "-1h", "12", "1 day", "2562047h"} { // the last and a time today are too much for a Duration
		if err := got.UnmarshalText([]byte(text)); err == nil {
			t.Errorf("%q was read as %v", text, got)
		}
	}
}

func TestPublicURL(t *testing.T) {
	for text, want := range map[string]publicURL{"https://snug.example/": "https://snug.example", "http://host:8080": "http://host:8080"} {
		var got publicURL
		if err := got.UnmarshalText([]byte(text)); err != nil || got != want {
			t.Errorf("%s: got %s, %v", text, got, err)
		}
	}
	for _, text := range []string{"", "snug.example", "ftp://x", "https://", "https://u:p@x", "https://x/?a", "https://x/#a", "https://x/?", "https://x/#", "https://x/chat"} {
		if err := new(publicURL).UnmarshalText([]byte(text)); err == nil {
			t.Errorf("%q was taken", text)
		}
	}
}

func TestWelcome(t *testing.T) {
	plain := "\nOn other machines browsers encrypt over https only: put TLS in front, or try --tls-self-signed."
	tests := []struct {
		listen address
		port   int
		secure bool
		want   string
	}{
		{":8080", 8080, false, "snug: open http://localhost:8080" + plain},
		{"0.0.0.0:80", 80, false, "snug: open http://localhost" + plain},
		{"192.0.2.1:80", 80, false, "snug: open http://192.0.2.1" + plain},
		{"[::]:443", 443, true, "snug: open https://localhost"},
		{"[::1]:0", 41234, false, "snug: open http://[::1]:41234"},
		{"[2001:db8::1]:443", 443, true, "snug: open https://[2001:db8::1]"},
		{"localhost:9000", 9000, false, "snug: open http://localhost:9000"},
	}
	for _, test := range tests {
		c := serveCmd{Listen: test.listen}
		if got := c.welcome(&net.TCPAddr{Port: test.port}, test.secure, ""); got != test.want {
			t.Errorf("%s\n got %q\nwant %q", test.listen, got, test.want)
		}
	}
	c := serveCmd{Listen: ":8080", PublicURL: "https://snug.example"}
	if got, want := c.welcome(&net.TCPAddr{Port: 8080}, false, ""), "snug: open https://snug.example"; got != want {
		t.Errorf("behind a proxy\n got %q\nwant %q", got, want)
	}
	if got := c.welcome(&net.TCPAddr{Port: 8080}, true, "AB:CD"); !strings.HasPrefix(got, "snug: open https://snug.example\n") || !strings.HasSuffix(got, "\nAB:CD") {
		t.Errorf("its own certificate and a public URL: got %q", got)
	}
}

// parse reads args without the environment of the test.
func parse(t *testing.T, args ...string) (*cli, *kong.Kong) {
	t.Helper()
	for _, v := range os.Environ() {
		if name, _, _ := strings.Cut(v, "="); strings.HasPrefix(name, "SNUG_") {
			t.Setenv(name, "") // to have it back after the test
			os.Unsetenv(name)
		}
	}
	var c cli
	parser, err := newParser(&c, io.Discard, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := parser.Parse(args); err != nil {
		t.Fatal(err)
	}
	return &c, parser
}

// TestDefaults: what the flags say where nothing is said is what the hub does where nothing is said.
func TestDefaults(t *testing.T) {
	c, _ := parse(t)
	if got, want := c.Serve.limits().Wire(), (hub.Limits{}).Wire(); got != want {
		t.Errorf("limits %+v, the hub's are %+v", got, want)
	}
	if c.Serve.ChunkTTL != 0 || time.Duration(c.Serve.MessageTTL) != 12*time.Hour {
		t.Errorf("chunks live %v, messages %v", c.Serve.ChunkTTL, c.Serve.MessageTTL)
	}
	if err := c.Serve.check(); err != nil {
		t.Error(err)
	}
}

// TestReadmeConfiguration: the table in the README is what the flags say. SNUG_UPDATE=1 writes it anew.
func TestReadmeConfiguration(t *testing.T) {
	const begin, end = "<!-- flags: written by SNUG_UPDATE=1 go test -run TestReadmeConfiguration . -->\n", "<!-- end of flags -->"
	update := os.Getenv("SNUG_UPDATE") != ""
	_, parser := parse(t)
	readme, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	before, rest, found := strings.Cut(string(readme), begin)
	got, after, closed := strings.Cut(rest, end)
	if !found || !closed {
		t.Fatal("README.md has lost the marks around its table of flags")
	}
	want := flagTable(parser.Model.Node)
	if update {
		if err := os.WriteFile("README.md", []byte(before+begin+want+end+after), 0o644); err != nil {
			t.Fatal(err)
		}
	} else if got != want {
		t.Errorf("run SNUG_UPDATE=1 go test -run TestReadmeConfiguration .\n got %s\nwant %s", got, want)
	}
}

func flagTable(app *kong.Node) string {
	var b strings.Builder
	b.WriteString("| flag | variable | default | |\n|---|---|---|---|\n")
	row := func(flag *kong.Flag) {
		if flag.Hidden || len(flag.Envs) == 0 {
			return
		}
		value := flag.Default
		if value != "" {
			value = "`" + value + "`"
		}
		fmt.Fprintf(&b, "| `--%s` | `%s` | %s | %s |\n", flag.Name, flag.Envs[0], value, strings.ReplaceAll(flag.Help, "|", "\\|"))
	}
	for _, command := range app.Children {
		if command.Name == "serve" {
			for _, flag := range command.Flags {
				row(flag)
			}
		}
	}
	for _, flag := range app.Flags {
		row(flag)
	}
	return b.String()
}

// TestOddArguments: values that begin with a dash get a sentence of ours, and bytes that are not UTF-8 reach who can use them, and nobody else.
func TestOddArguments(t *testing.T) {
	t.Chdir(t.TempDir())
	t.Setenv("SNUG_LINK", "http://127.0.0.1:1/#AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAE")
	for _, test := range []struct {
		args []string
		want string
	}{
		{[]string{"serve", "--grace", "-1s"}, `snug: --grace: "-1s" begins like a flag; a value that does is written --grace=-1s`},
		{[]string{"tail", "--count", "-1"}, `snug: --count: "-1" begins like a flag; a value that does is written --count=-1`},
		{[]string{"tail", "--count=-1"}, `snug: --count: "-1" is not a number above zero`},
		{[]string{"tail", "--count", "all"}, `snug: --count: "all" is not a number above zero`},
		{[]string{"send", "caf\xe9"}, "snug: the text is not UTF-8"},
		{[]string{"send", "--alias", "caf\xe9", "x"}, "snug: --alias: not UTF-8"},
		{[]string{"tail", "--room", "caf\xe9"}, "snug: --room: not UTF-8"},
		{[]string{"tail", "--passphrase", "caf\xe9"}, "snug: --passphrase: not UTF-8"},
		{[]string{"room", "new", "--name", "caf\xe9"}, "snug: --name: not UTF-8"},
		{[]string{"send", "--file", "caf\xe9"}, "snug: --file: open caf\xe9: no such file or directory"},
		{[]string{"serve", "--max-message", "3MiB"}, "snug: --max-message 3MiB must be 2MiB or less, as clients read no larger events; larger things are files"},
		{[]string{"serve", "--max-chunk", "1KiB"}, "snug: --max-chunk 1KiB must lie between 4KiB, the smallest pieces that clients make, and --room-chunk-bytes 64MiB"},
	} {
		var stderr strings.Builder
		if code := run(test.args, io.Discard, &stderr); code != exitUsage || stderr.String() != test.want+"\n" {
			t.Errorf("%q: got %d %q, want %q", test.args, code, stderr.String(), test.want)
		}
	}
}

// TestOddVariables: what is not UTF-8 in a variable is refused as in an argument, and not changed into something else.
func TestOddVariables(t *testing.T) {
	t.Chdir(t.TempDir())
	t.Setenv("SNUG_ROOM", "caf\xe9")
	t.Setenv("SNUG_PASSPHRASE", "one two three")
	var stderr strings.Builder
	if code := run([]string{"tail"}, io.Discard, &stderr); code != exitUsage || !strings.HasPrefix(stderr.String(), "snug: --room: not UTF-8") {
		t.Errorf("got %d %q", code, stderr.String())
	}
}
