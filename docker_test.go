package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strings"
	"testing"
)

// TestDockerContext: .dockerignore leaves in everything that the command is built of, and the image is built with the release
// of Go that CONTRIBUTING.md names for rebuilding a release, by the same command.
func TestDockerContext(t *testing.T) {
	ignored := lines(t, ".dockerignore")
	for _, file := range builtOf(t) {
		for _, pattern := range ignored {
			for at := file; at != "."; at = path.Dir(at) {
				whole, _ := path.Match(pattern, at)
				name, _ := path.Match(strings.TrimPrefix(pattern, "**/"), path.Base(at))
				if whole || strings.HasPrefix(pattern, "**/") && name {
					t.Errorf("%s is needed and .dockerignore leaves it out by %s", file, pattern)
				}
			}
		}
	}
	docker, contributing := strings.Join(lines(t, "Dockerfile"), "\n"), strings.Join(lines(t, "CONTRIBUTING.md"), "\n")
	_, image, _ := strings.Cut(docker, "golang:")
	release, _, _ := strings.Cut(image, " ")
	if !strings.Contains(contributing, "Go "+release+"\n") && !strings.Contains(contributing, "Go "+release+",") {
		t.Errorf("the Dockerfile builds with Go %s, CONTRIBUTING.md says nothing of it", release)
	}
	for _, want := range []string{"CGO_ENABLED=0", "-trimpath", `-ldflags "-s -w -X main.version=`} {
		if !strings.Contains(docker, want) || !strings.Contains(contributing, want) {
			t.Errorf("%s: want it in the Dockerfile and in CONTRIBUTING.md", want)
		}
	}
	if !strings.Contains(docker, "FROM gcr.io/distroless/static:nonroot") {
		t.Error("the image is to run as nobody")
	}
}

// lines are those of a file that say something.
func lines(t *testing.T, name string) (out []string) {
	t.Helper()
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(b)) {
		if line = strings.TrimSpace(line); line != "" && line[0] != '#' {
			out = append(out, line)
		}
	}
	return out
}

// builtOf lists the files of the repository that go into the command.
func builtOf(t *testing.T) (files []string) {
	t.Helper()
	root, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	out, err := exec.CommandContext(t.Context(), "go", "list", "-deps", "-json=Dir,Standard,Module,GoFiles,EmbedFiles", ".").Output()
	if err != nil {
		t.Fatal(err)
	}
	for d := json.NewDecoder(bytes.NewReader(out)); ; {
		var p struct {
			Dir                 string
			GoFiles, EmbedFiles []string
			Module              *struct{ Main bool }
		}
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		if p.Module == nil || !p.Module.Main {
			continue
		}
		dir, err := filepath.Rel(root, p.Dir)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range append(p.GoFiles, p.EmbedFiles...) {
			files = append(files, path.Join(filepath.ToSlash(dir), name))
		}
	}
	if len(files) < 100 {
		t.Fatalf("the command is built of %d files only", len(files))
	}
	return append(files, "go.mod", "go.sum")
}
