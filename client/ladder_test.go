package client

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

type ladderCase struct {
	Name  string       `json:"name"`
	Steps []ladderStep `json:"steps"`
}

type ladderStep struct {
	LadderInput
	R    *float64       `json:"r"`
	Out  []LadderAction `json:"out"`
	Next *int64         `json:"next"`
}

// TestLadder runs the cases that static/js/net/ladder.js passes too (testdata/js/ladder-tables.test.mjs).
func TestLadder(t *testing.T) {
	files, err := filepath.Glob("../testdata/ladder/*")
	if err != nil || len(files) == 0 {
		t.Fatalf("no cases: %v", err)
	}
	used, names := map[string]bool{}, map[string]bool{}
	for _, file := range files {
		for _, c := range readLadderCases(t, file) {
			if names[c.Name] {
				t.Errorf("two cases are called %q", c.Name)
			}
			names[c.Name] = true
			for _, s := range c.Steps {
				used["in "+s.In] = true
				for _, a := range s.Out {
					used["do "+a.Do] = true
				}
			}
			t.Run(filepath.Base(file)+"/"+c.Name, func(t *testing.T) { runLadderCase(t, c) })
		}
	}
	for _, name := range strings.Fields("start stop timer online offline change pageshow visible active rejoined hello event hb bye end good refused error relay") {
		if !used["in "+name] {
			t.Errorf("no case uses the input %s", name)
		}
	}
	for _, name := range strings.Fields("open batch poll close promote rejoin error remember status") {
		if !used["do "+name] {
			t.Errorf("no case expects the action %s", name)
		}
	}
}

func readLadderCases(t *testing.T, file string) (cases []ladderCase) {
	t.Helper()
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	d := json.NewDecoder(f)
	d.DisallowUnknownFields()
	if err := d.Decode(&cases); err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	return cases
}

func runLadderCase(t *testing.T, c ladderCase) {
	l := NewLadder()
	for i, s := range c.Steps {
		in := s.LadderInput
		in.R = 0.5
		if s.R != nil {
			in.R = *s.R
		}
		if got := l.Step(in); !slices.Equal(got, s.Out) {
			t.Fatalf("step %d, %s at %d:\n got %+v\nwant %+v", i, in.In, in.T, got, s.Out)
		}
		got, ok := l.Deadline()
		if ok != (s.Next != nil) || ok && got != *s.Next {
			t.Fatalf("step %d, %s at %d: deadline %d %v, want %v", i, in.In, in.T, got, ok, s.Next)
		}
	}
}
