package static

import (
	"bytes"
	"path"
	"regexp"
	"testing"

	"github.com/andybalholm/brotli"
)

// What a first visit may cost before the room is usable: a proxy that allows two connections takes modules in pairs, and a phone on a
// slow line takes a second for every 100 KB or so. e2e's TestFirstVisit counts the same in a browser.
const (
	mostModules = 15
	mostBytes   = 120_000 // compressed, with the document, the style sheet and the drawing
)

// visit is where the browser begins and what app.js fetches by itself on the way into a room; everything else waits until it is asked for.
var visit = []string{"js/ui/app.js", "js/ui/lang/en.js", "js/ui/room.js", "js/room/shared.js"}

var (
	statically = regexp.MustCompile(`(?m)^(?:import|export)\b[^'"]*?from '(\.[^']+)'`)
	nothing    = regexp.MustCompile(`(?m)^import '(\.[^']+)'`)
)

// TestFirstVisit: a module too many here is one that should be fetched when it is needed.
func TestFirstVisit(t *testing.T) {
	seen := map[string]bool{}
	var walk func(name string)
	walk = func(name string) {
		if seen[name] {
			return
		}
		seen[name] = true
		src := read(t, name)
		for _, m := range append(statically.FindAllSubmatch(src, -1), nothing.FindAllSubmatch(src, -1)...) {
			walk(path.Join(path.Dir(name), string(m[1])))
		}
	}
	for _, name := range visit {
		walk(name)
	}
	total := 0
	for _, name := range []string{"index.html", "app.css", "icons/snug.svg"} {
		total += compressed(t, name)
	}
	for name := range seen {
		total += compressed(t, name)
	}
	t.Logf("%d modules, %d bytes compressed", len(seen), total)
	if len(seen) > mostModules || total > mostBytes {
		t.Errorf("a first visit takes %d modules and %d bytes, want at most %d and %d: %v", len(seen), total, mostModules, mostBytes, seen)
	}
}

func read(t *testing.T, name string) []byte {
	t.Helper()
	b, err := Files.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func compressed(t *testing.T, name string) int {
	t.Helper()
	var z bytes.Buffer
	w := brotli.NewWriterLevel(&z, brotli.BestCompression) // as handlers give it to browsers
	if _, err := w.Write(read(t, name)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return z.Len()
}
