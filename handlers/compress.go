package handlers

import (
	"bytes"
	"compress/gzip"
	"io"
	"sync"

	"github.com/andybalholm/brotli"
)

// compressed has the compressed forms of a content. Brotli saves an eighth over gzip and takes longer to make than anybody should wait for, so
// it is made beside the first answer that could use it.
type compressed struct {
	plain  []byte        // static
	gzip   []byte        // static; nil where compressing does not pay
	made   chan struct{} // closed when brotli is there
	brotli []byte        // once made is closed
	want   sync.Once
}

// contents has what was compressed, by hash, since all relays of a process give the same page.
var contents sync.Map // [32]byte to func() *compressed

// compressing is held by who makes brotli: one at a time leaves the other processors to those who are served.
var compressing sync.Mutex

func compressOnce(hash [32]byte, b []byte) *compressed {
	entry, _ := contents.LoadOrStore(hash, sync.OnceValue(func() *compressed {
		c := &compressed{plain: b, made: make(chan struct{})}
		var z bytes.Buffer
		w, err := gzip.NewWriterLevel(&z, gzip.BestCompression)
		if err != nil {
			panic("handlers: gzip: " + err.Error()) // a wrong level
		}
		if fill(w, b); z.Len() < len(b)*9/10 { // pictures and fonts are compressed already
			c.gzip = z.Bytes()
		}
		return c
	}))
	return entry.(func() *compressed)()
}

// best is the brotli form, nil while it is being made.
func (c *compressed) best() []byte {
	c.want.Do(func() {
		go func() {
			compressing.Lock()
			defer compressing.Unlock()
			var z bytes.Buffer
			fill(brotli.NewWriterLevel(&z, brotli.BestCompression), c.plain)
			c.brotli = z.Bytes()
			close(c.made)
		}()
	})
	select {
	case <-c.made:
		return c.brotli
	default:
		return nil
	}
}

func fill(w io.WriteCloser, b []byte) {
	_, err := w.Write(b)
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		panic("handlers: compress into memory: " + err.Error()) // a buffer takes all
	}
}
