package main

import (
	"bytes"
	"encoding/json"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/fstest"

	"snug/handlers"
	"snug/hub"
	"snug/static"
)

// serves starts a relay with the page, changed by edit.
func serves(t *testing.T, edit func(fstest.MapFS)) string {
	t.Helper()
	files := fstest.MapFS{}
	for _, name := range static.Names() {
		b, err := static.Files.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		files[name] = &fstest.MapFile{Data: bytes.Clone(b)}
	}
	edit(files)
	memory := hub.NewMemory(hub.Limits{})
	h, err := handlers.New(handlers.Config{Hub: memory, Static: files})
	if err != nil {
		t.Fatal(err)
	}
	web := httptest.NewServer(h)
	t.Cleanup(func() { web.Close(); memory.Close() })
	return web.URL
}

func TestVerify(t *testing.T) {
	tests := []struct {
		name  string
		edit  func(fstest.MapFS)
		code  int
		lines []string
	}{
		{"the same", func(fstest.MapFS) {}, 0, []string{"OK: all ", static.Hash()}},
		{"one byte", func(f fstest.MapFS) { f["js/ui/app.js"].Data[0]++ }, 1, []string{"changed  /js/ui/app.js: ", "1 of "}},
		{"a script more", func(f fstest.MapFS) {
			f["index.html"].Data = bytes.Replace(f["index.html"].Data, []byte("</head>"), []byte(`<script src="/x.js"></script></head>`), 1)
		}, 1, []string{"changed  /: ", "changed  /index.html: "}},
		{"a file less", func(f fstest.MapFS) { delete(f, "app.css") }, 1, []string{"missing  /app.css: the relay does not have it"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var out, errs bytes.Buffer
			relay := serves(t, test.edit)
			if code := run([]string{"verify", relay}, &out, &errs); code != test.code {
				t.Errorf("exit code %d, want %d; %s", code, test.code, &errs)
			}
			for _, line := range test.lines {
				if !strings.Contains(out.String(), line) {
					t.Errorf("got %s, want %s", &out, line)
				}
			}
			out.Reset()
			run([]string{"verify", "--json", relay}, &out, &errs)
			var v verdict
			if err := json.Unmarshal(out.Bytes(), &v); err != nil || v.OK != (test.code == 0) || v.Assets != static.Hash() || (len(v.Problems) == 0) != v.OK {
				t.Errorf("got %s, %v", &out, err)
			}
		})
	}
	var out, errs bytes.Buffer
	if code := run([]string{"verify", "http://127.0.0.1:1"}, &out, &errs); code != 1 || !strings.HasPrefix(errs.String(), "snug: the relay cannot be reached: ") {
		t.Errorf("exit code %d, %s", code, &errs)
	}
	if code := run([]string{"verify", "snug.example"}, &out, &errs); code != 2 {
		t.Errorf("exit code %d for a wrong address", code)
	}
}
