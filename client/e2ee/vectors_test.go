package e2ee

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode/utf16"
)

var update = flag.Bool("update", false, "write the vectors in testdata/vectors anew")

const vectorDir = "../../testdata/vectors"

// vector is how the cases of one function are made and checked.
type vector struct {
	make  func(*testing.T) any
	check func(*testing.T, json.RawMessage)
}

// casesOf makes a vector from typed functions.
func casesOf[C any](mk func(*testing.T) []C, check func(*testing.T, C)) vector {
	return vector{
		make: func(t *testing.T) any { return mk(t) },
		check: func(t *testing.T, raw json.RawMessage) {
			t.Helper()
			dec := json.NewDecoder(bytes.NewReader(raw))
			dec.DisallowUnknownFields()
			var list []C
			if err := dec.Decode(&list); err != nil {
				t.Fatal(err)
			}
			if len(list) == 0 {
				t.Fatal("no cases")
			}
			for _, c := range list {
				check(t, c)
			}
		},
	}
}

func vectorFiles() map[string]map[string]vector {
	return map[string]map[string]vector{
		"root.json":        rootVectors(),
		"frame.json":       frameVectors(),
		"card.json":        cardVectors(),
		"chain.json":       chainVectors(),
		"group.json":       groupVectors(),
		"knock.json":       knockVectors(),
		"jwe.json":         jweVectors(),
		"fingerprint.json": fingerprintVectors(),
		"file.json":        fileVectors(),
	}
}

// TestVectors checks every case of testdata/vectors, which static/js/crypto is held to as well. With -update it writes them first.
func TestVectors(t *testing.T) {
	files := vectorFiles()
	if *update {
		for name, functions := range files {
			writeVectors(t, name, functions)
		}
	}
	found, err := filepath.Glob(filepath.Join(vectorDir, "*.json"))
	if err != nil || len(found) != len(files) {
		t.Errorf("found %d vector files, want %d", len(found), len(files))
	}
	for _, path := range found {
		t.Run(filepath.Base(path), func(t *testing.T) { checkVectors(t, path, files[filepath.Base(path)]) })
	}
}

func checkVectors(t *testing.T, path string, functions map[string]vector) {
	if functions == nil {
		t.Fatal("nobody reads this file")
	}
	var file map[string]json.RawMessage
	b, err := os.ReadFile(path)
	if err == nil {
		err = json.Unmarshal(b, &file)
	}
	if err != nil {
		t.Fatal(err)
	}
	if len(file) != len(functions) {
		t.Errorf("%d functions, want %d", len(file), len(functions))
	}
	for name, raw := range file {
		v, ok := functions[name]
		if !ok {
			t.Errorf("nobody checks %q", name)
			continue
		}
		t.Run(name, func(t *testing.T) { v.check(t, raw) })
	}
}

// writeVectors writes one case a line, so that a change is seen in a diff.
func writeVectors(t *testing.T, name string, functions map[string]vector) {
	t.Helper()
	var b bytes.Buffer
	names := make([]string, 0, len(functions))
	for f := range functions {
		names = append(names, f)
	}
	slices.Sort(names)
	var parts []string
	for _, f := range names {
		var list []json.RawMessage
		if err := json.Unmarshal(plainJSON(t, functions[f].make(t)), &list); err != nil {
			t.Fatal(err)
		}
		lines := make([]string, len(list))
		for i, c := range list {
			lines[i] = "    " + string(c)
		}
		parts = append(parts, "  "+string(plainJSON(t, f))+": [\n"+strings.Join(lines, ",\n")+"\n  ]")
	}
	b.WriteString("{\n" + strings.Join(parts, ",\n") + "\n}\n")
	if err := os.MkdirAll(vectorDir, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(vectorDir, name), b.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
}

func plainJSON(t *testing.T, v any) []byte {
	t.Helper()
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		t.Fatal(err)
	}
	return bytes.TrimSpace(ascii(b.Bytes()))
}

// ascii escapes what editors like to change, such as combining characters and odd spaces.
func ascii(b []byte) (out []byte) {
	for _, r := range string(b) {
		switch {
		case r < 0x7f:
			out = append(out, byte(r))
		case r > 0xffff:
			hi, lo := utf16.EncodeRune(r)
			out = fmt.Appendf(out, `\u%04x\u%04x`, hi, lo)
		default:
			out = fmt.Appendf(out, `\u%04x`, r)
		}
	}
	return out
}

// same compares bytes and says which field differs.
func same(t *testing.T, what string, got, want []byte) {
	t.Helper()
	if !bytes.Equal(got, want) {
		t.Errorf("%s: got %x, want %x", what, got, want)
	}
}
