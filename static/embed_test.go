package static

import (
	"io/fs"
	"os"
	"path"
	"strings"
	"testing"
)

// TestEverythingIsEmbedded: a new file beside index.html needs its place in the go:embed line.
func TestEverythingIsEmbedded(t *testing.T) {
	err := fs.WalkDir(os.DirFS("."), ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || path.Ext(name) == ".go" {
			return err
		}
		want, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		if got, err := Files.ReadFile(name); err != nil || string(got) != string(want) {
			t.Errorf("%s is not in Files as it is on disk: %v", name, err)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestNothingElseIsEmbedded(t *testing.T) {
	kinds := " .html .css .js .svg .png .ico .webmanifest .txt "
	err := fs.WalkDir(Files, ".", func(name string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() && !strings.Contains(kinds, " "+path.Ext(name)+" ") {
			t.Errorf("%s is not of a kind that the browser gets:%s", name, kinds)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}
