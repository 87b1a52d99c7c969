package main

import (
	"io"
	"os"
	"sync/atomic"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"
)

// bars are the progress bars of a command: one at a time, on stderr, and only if that is a terminal.
type bars struct {
	to   io.Writer // nil: none
	busy atomic.Bool
}

func newBars(stderr io.Writer) *bars {
	if f, ok := stderr.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		return &bars{to: f}
	}
	return &bars{}
}

// bar shows how far something is; the zero one shows nothing.
type bar struct {
	of *bars
	b  *progressbar.ProgressBar
}

// begin gives a bar, which shows nothing while another is there. The caller ends it.
func (s *bars) begin(what string, bytes int64) bar {
	if s.to == nil || !s.busy.CompareAndSwap(false, true) {
		return bar{}
	}
	return bar{s, progressbar.NewOptions64(bytes,
		progressbar.OptionSetWriter(s.to), progressbar.OptionSetDescription(printable(what)), progressbar.OptionShowBytes(true),
		progressbar.OptionUseIECUnits(true), progressbar.OptionThrottle(100*time.Millisecond), progressbar.OptionClearOnFinish(), progressbar.OptionSetWidth(20))}
}

func (b bar) set(n int64) {
	if b.b != nil {
		b.b.Set64(n)
	}
}

// Write counts bytes.
func (b bar) Write(p []byte) (int, error) {
	if b.b != nil {
		b.b.Add(len(p))
	}
	return len(p), nil
}

func (b bar) end() {
	if b.b != nil {
		b.b.Clear()
		b.of.busy.Store(false)
	}
}
