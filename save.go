package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"snug/client"
	"snug/wire"
)

// saver writes the files of a room into one folder and never outside it, under names that are free there.
type saver struct {
	dir  string // static, as all up to bars
	root *os.Root
	max  int64
	s    *client.Session
	tell func(saved)
	bars *bars
	wg   sync.WaitGroup // of the files under way
}

// saved is what has become of a file; the same as an Event, for those who read JSON.
type saved struct {
	Kind   string        `json:"kind"` // saved, or unsaved with a reason
	At     time.Time     `json:"at"`
	From   wire.MemberID `json:"from"`
	Of     client.Ref    `json:"of"`
	Path   string        `json:"path,omitempty"`
	Reason string        `json:"reason,omitempty"`
	name   string
}

// newSaver opens the folder, and makes it if it is not there.
func newSaver(dir string) (*saver, error) {
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return nil, usage("--save: %w", err)
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, usage("--save: %w", err)
	}
	part, err := createPart(root)
	if err != nil {
		root.Close()
		return nil, usage("--save: nothing can be written there: %w", because(err))
	}
	part.Close()
	return &saver{dir: dir, root: root}, root.Remove(filepath.Base(part.Name()))
}

// createPart makes a hidden file.
func createPart(root *os.Root) (*os.File, error) {
	return root.OpenFile(".snug-"+rand.Text()+".part", os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o666)
}

// because is what the system says, without the name of a file that nobody has heard of.
func because(err error) error {
	if p, ok := errors.AsType[*os.PathError](err); ok {
		return p.Err
	}
	return err
}

// take fetches a file in the background. It must be called before the next event is taken.
func (v *saver) take(ctx context.Context, f *client.FileInfo) {
	told := saved{Kind: "saved", From: f.Ref.From, Of: f.Ref, name: f.Name}
	if f.Size > v.max {
		told.Kind, told.Reason, told.At = "unsaved", fmt.Sprintf("larger than %v; see --save-max", size(v.max)), time.Now()
		v.tell(told)
		return
	}
	d := v.s.Fetch(f)
	v.wg.Go(func() {
		name, err := v.save(ctx, f, d)
		told.At, told.Path = time.Now(), filepath.Join(v.dir, name)
		if err != nil {
			told.Kind, told.Path, told.Reason = "unsaved", "", because(err).Error()
		}
		v.tell(told)
	})
}

// save fetches into a hidden file, which gets its name when it is whole.
func (v *saver) save(ctx context.Context, f *client.FileInfo, d *client.Download) (name string, err error) {
	to, err := createPart(v.root)
	if err != nil {
		over, cancel := context.WithCancelCause(ctx)
		cancel(err)
		return "", d.Copy(over, io.Discard) // declines it
	}
	part := filepath.Base(to.Name())
	defer v.root.Remove(part) // which has another name by then, if all went well
	bar := v.bars.begin(f.Name, f.Size)
	defer bar.end()
	err = d.Copy(ctx, io.MultiWriter(to, bar))
	if err = errors.Join(err, to.Close()); err != nil {
		return "", err
	}
	if name, err = v.free(f.Name); err != nil {
		return "", err
	}
	return name, v.root.Rename(part, name)
}

// maxFileName is what most file systems take, in bytes.
const maxFileName = 255

// cut is the beginning of s, of at most n bytes.
func cut(s string, n int) string {
	for n = max(0, min(n, len(s))); n < len(s) && n > 0 && !utf8.RuneStart(s[n]); n-- {
	}
	return s[:n]
}

// maxSame is how many files of one name a folder takes.
const maxSame = 10_000

// free takes a name that nothing in the folder has: the file's own, or with a number. Taking it is making an empty file, so that no other gets it.
func (v *saver) free(name string) (string, error) {
	ext := filepath.Ext(name)
	stem := strings.TrimSuffix(name, ext)
	for n := 1; n <= maxSame; n++ {
		try := name
		if n > 1 {
			try = fmt.Sprintf("%s (%d)%s", cut(stem, maxFileName-len(ext)-len(" (10000)")), n, ext)
		}
		f, err := v.root.OpenFile(try, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o666)
		if err == nil {
			return try, f.Close()
		}
		if !errors.Is(err, os.ErrExist) {
			return "", err
		}
	}
	return "", fmt.Errorf("there are %d files of that name already", maxSame)
}

// wait waits for the files under way. A nil saver has none.
func (v *saver) wait() {
	if v != nil {
		v.wg.Wait()
	}
}

// close waits for the files under way, which end with their context.
func (v *saver) close() {
	v.wait()
	v.root.Close()
}
