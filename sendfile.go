package main

import (
	"context"
	"errors"
	"fmt"
	"mime"
	"os"
	"path/filepath"
	"time"

	"snug/client"
)

// sentFile is a file in what snug send --json prints.
type sentFile struct {
	ID      string `json:"id"`
	Name    string `json:"name"`
	Size    int64  `json:"size"`
	Missing int    `json:"missing"` // members who are here and do not have it
}

// openFiles opens what is to be sent before a room is entered, so that a wrong name troubles nobody there.
func openFiles(paths []fileName) (files []client.File, closeAll func(), err error) {
	var opened []*os.File
	closeAll = func() {
		for _, f := range opened {
			f.Close()
		}
	}
	for _, path := range paths {
		f, err := openFile(string(path))
		if err != nil {
			closeAll()
			return nil, nil, err
		}
		opened = append(opened, f)
		size, err := lengthOf(f)
		if err != nil {
			closeAll()
			return nil, nil, err
		}
		files = append(files, client.File{Name: filepath.Base(string(path)), Type: mime.TypeByExtension(filepath.Ext(string(path))), Size: size, Body: f})
	}
	return files, closeAll, nil
}

// openFile opens a file, but no pipe: that waits for one who writes.
func openFile(name string) (*os.File, error) {
	if info, err := os.Stat(name); err == nil && !info.Mode().IsRegular() {
		return nil, usage("--file: %s is no file", name)
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, usage("--file: %w", err)
	}
	return f, nil
}

// lengthOf is how many bytes a file has. Those of /proc say none and give some, and a file is announced with its length.
func lengthOf(f *os.File) (int64, error) {
	info, err := f.Stat()
	if err != nil {
		return 0, usage("--file: %w", err)
	}
	if n, _ := f.ReadAt(make([]byte, 1), info.Size()); n > 0 {
		return 0, usage("--file: %s has more in it than it says, as files of /proc do; send a copy of it", f.Name())
	}
	return info.Size(), nil
}

// shipment is all the files of one command.
type shipment struct {
	s        *client.Session
	files    []client.File
	parcels  []*client.Parcel
	patience time.Duration // in which something must move
}

// send announces the files and waits until everybody who is here has them.
func (h *shipment) send(ctx context.Context, bars *bars) (done sent, err error) {
	announcing, cancel := context.WithTimeoutCause(ctx, h.patience, fmt.Errorf("not sent within %v", h.patience))
	defer cancel()
	for _, f := range h.files {
		p, err := h.s.SendFile(announcing, f)
		if err != nil {
			return h.report(done), fmt.Errorf("%s: %w", printable(f.Name), err)
		}
		h.parcels = append(h.parcels, p)
		posted, err := p.Posted(announcing)
		if err != nil {
			return h.report(done), fmt.Errorf("%s: %w", printable(f.Name), err)
		}
		done.Room, done.Members, done.Online = h.s.Room(), posted.Members-1, posted.Online-1
	}
	err = h.wait(ctx, bars)
	done = h.report(done)
	done.All = err == nil && done.Members == done.Online
	return done, err
}

// wait ends when all is done, or nothing has moved for too long.
func (h *shipment) wait(ctx context.Context, bars *bars) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	late := time.AfterFunc(h.patience, func() { cancel(errStill) })
	defer late.Stop()
	all := make(chan error, 1)
	go func() { // ends with ctx
		var errs []error
		for i, p := range h.parcels {
			if err := p.Done(ctx); err != nil {
				errs = append(errs, h.lacking(i, err))
			}
		}
		all <- errors.Join(errs...)
	}()
	total, _ := h.moved()
	bar := bars.begin("sending", total)
	defer bar.end()
	look := time.NewTicker(200 * time.Millisecond)
	defer look.Stop()
	for last := [2]int64{}; ; {
		select {
		case err := <-all:
			return err
		case <-look.C:
			if _, now := h.moved(); now != last {
				last = now
				late.Reset(h.patience)
				bar.set(now[0])
			}
		}
	}
}

// errStill ends a wait in which nothing moved.
var errStill = errors.New("nothing has moved for too long")

// moved are bytes: all there are, and those that are with the relay; and how many are still to get something.
func (h *shipment) moved() (total int64, now [2]int64) {
	for _, p := range h.parcels {
		g := p.Progress()
		total += g.Size
		now[0] += g.Sent
		now[1] += int64(len(g.Missing))
	}
	return total, now
}

// lacking says who does not have file i.
func (h *shipment) lacking(i int, err error) error {
	name := printable(h.files[i].Name)
	if n := len(h.parcels[i].Progress().Missing); n > 0 && errors.Is(err, errStill) {
		verb := "do"
		if n == 1 {
			verb = "does"
		}
		return fmt.Errorf("%s: %s %s not have it: %w", name, plural(n, "member"), verb, err)
	}
	return fmt.Errorf("%s: %w", name, err)
}

// takeBackTime bounds telling the others that there is no more to come.
const takeBackTime = 5 * time.Second

// stop takes back what the relay does not have all of, or has for nobody who could ask again.
func (h *shipment) stop() {
	ctx, cancel := context.WithTimeout(context.Background(), takeBackTime)
	defer cancel()
	for i, p := range h.parcels {
		if g := p.Progress(); g.Sent < g.Size || h.files[i].Size > client.PushLimit {
			p.Stop(ctx) // or the others see that we left
		}
	}
}

func (h *shipment) report(done sent) sent {
	for i, p := range h.parcels {
		done.Files = append(done.Files, sentFile{ID: p.ID, Name: h.files[i].Name, Size: h.files[i].Size, Missing: len(p.Progress().Missing)})
	}
	return done
}
