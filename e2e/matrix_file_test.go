package e2e

import (
	"bytes"
	"context"
	"crypto/rand"
	"testing"
	"time"

	"snug/client"
)

// received is a file that somebody sent, or why it did not come.
type received struct {
	content []byte
	err     error
}

// collect fetches a file, beside all that is said meanwhile.
func (p *talker) collect(f *client.FileInfo) {
	d := p.Fetch(f) // before the next event
	p.fetching.Go(func() {
		var b bytes.Buffer
		err := d.Copy(context.Background(), &b) // ends with the session
		p.mu.Lock()
		defer p.mu.Unlock()
		p.files = append(p.files, received{b.Bytes(), err})
		p.changeLocked()
	})
}

// files has each send the other 1 MiB, both at once, and returns how long it took until both had all of it: once, and as it was.
func files(t *testing.T, ann, bob *talker) time.Duration {
	t.Helper()
	begun := time.Now()
	ctx, cancel := context.WithTimeout(t.Context(), 2*patience)
	defer cancel()
	contents, parcels := map[*talker][]byte{}, map[*talker]*client.Parcel{}
	for _, p := range []*talker{ann, bob} {
		b := make([]byte, 1<<20)
		rand.Read(b) // never fails
		parcel, err := p.SendFile(ctx, client.File{Name: p.name, Size: int64(len(b)), Body: bytes.NewReader(b)})
		if err != nil {
			t.Fatalf("%s sends a file: %v; %s", p.name, err, p.history())
		}
		contents[p], parcels[p] = b, parcel
	}
	for _, pair := range [][2]*talker{{ann, bob}, {bob, ann}} {
		from, to := pair[0], pair[1]
		if !to.await(2*patience, func() bool { return len(to.files) > 0 }) {
			t.Errorf("a file from %s to %s never came: %+v; %s; %s", from.name, to.name, parcels[from].Progress(), from.history(), to.history())
			continue
		}
		if err := parcels[from].Done(ctx); err != nil {
			t.Errorf("%s never heard that %s has the file: %v", from.name, to.name, err)
		}
		to.mu.Lock()
		if got := to.files; len(got) != 1 || got[0].err != nil || !bytes.Equal(got[0].content, contents[from]) {
			t.Errorf("%s has %d files, the first of %d bytes, which are not those that were sent: %v", to.name, len(got), len(got[0].content), got[0].err)
		}
		to.mu.Unlock()
	}
	return time.Since(begun)
}
