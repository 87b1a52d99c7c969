package client

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"snug/hub"
	"snug/wire"
)

func randomContent(n int) []byte {
	b := make([]byte, n)
	rand.Read(b) // never fails
	return b
}

// ship sends a file and waits until it is announced.
func (p *person) ship(name string, content []byte) *Parcel {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.t.Context(), 30*time.Second)
	defer cancel()
	parcel, err := p.SendFile(ctx, File{Name: name, Type: "text/plain", Size: int64(len(content)), Body: bytes.NewReader(content), Caption: "look"})
	if err != nil {
		p.t.Fatalf("%s sends %s: %v", p.name, name, err)
	}
	return parcel
}

func (p *person) untilDone(parcel *Parcel) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.t.Context(), 60*time.Second)
	defer cancel()
	if err := parcel.Done(ctx); err != nil {
		p.t.Fatalf("%s waits until all have the file: %v; %+v", p.name, err, parcel.Progress())
	}
}

// collector is a person who takes every file as it comes.
type collector struct {
	*person
	got chan collected
}

type collected struct {
	info *FileInfo
	body []byte
	err  error
}

// collect lets somebody join who takes files.
func (r *relay) collect(c Config) *collector {
	r.t.Helper()
	o := &collector{r.enter(c), make(chan collected, 100)}
	go o.read(func(e Event) {
		if e.Kind != KindFile {
			return
		}
		d := o.Fetch(e.File)
		go func() {
			var b bytes.Buffer
			err := d.Copy(r.t.Context(), &b)
			o.got <- collected{e.File, b.Bytes(), err}
		}()
	})
	return o
}

// has checks that a file came, and whole.
func (o *collector) has(content []byte) *FileInfo {
	o.t.Helper()
	select {
	case c := <-o.got:
		if c.err != nil || !bytes.Equal(c.body, content) {
			o.t.Errorf("%s has %d bytes, want %d; %v", o.name, len(c.body), len(content), c.err)
		}
		return c.info
	case <-time.After(60 * time.Second):
		o.t.Fatalf("%s waits for a file", o.name)
		return nil
	}
}

// three in a room: one who sends, one who takes files, one who does not.
func threeForFiles(t *testing.T, limits hub.Limits) (r *relay, ann *person, bob *collector, carol *person) {
	t.Helper()
	r = newRelay(t, limits, nil)
	root := newRoot(t)
	ann = r.join(Config{Root: root, Alias: "ann"})
	bob, carol = r.collect(Config{Root: root, Alias: "bob"}), r.join(Config{Root: root, Alias: "carol"})
	for _, name := range []string{"bob", "carol"} {
		ann.until(name, func(e Event) bool { return e.Kind == KindJoined && e.Alias == name })
	}
	return r, ann, bob, carol
}

func (r *relay) holdsNoChunks() {
	r.t.Helper()
	if got := r.hub.Stats().Chunks; got != 0 {
		r.t.Errorf("the relay still holds %d chunks", got)
	}
}

// copy fetches a file into memory.
func (p *person) copy(f *FileInfo, content []byte) {
	p.t.Helper()
	var got bytes.Buffer
	if err := p.Fetch(f).Copy(p.t.Context(), &got); err != nil || !bytes.Equal(got.Bytes(), content) {
		p.t.Errorf("%s: %d bytes of %d, %v", p.name, got.Len(), len(content), err)
	}
}

func TestFilePushed(t *testing.T) {
	r, ann, bob, _ := threeForFiles(t, hub.Limits{})
	for _, size := range []int{0, 1, 3<<20 + 5} {
		content := randomContent(size)
		parcel := ann.ship("a.txt", content)
		f := bob.has(content)
		ann.untilDone(parcel) // carol's reader has declined it
		e := bob.until("the file", func(e Event) bool { return e.Kind == KindFile && e.ID == parcel.ID })
		if f.Name != "a.txt" || f.Type != "text/plain" || f.Size != int64(size) || e.Body != "look" || f.Transfer == nil || f.Ref != (Ref{ann.Self(), parcel.ID}) {
			t.Errorf("announced as %+v %+v", e, f)
		}
		r.holdsNoChunks()
	}
}

// A big file waits until somebody asks; who asks later gets it too.
func TestFileOffered(t *testing.T) {
	r, ann, bob, carol := threeForFiles(t, hub.Limits{})
	content := randomContent(PushLimit + 1)
	parcel := ann.ship("big", content)
	e := carol.untilKind(KindFile)
	if e.File.Transfer != nil {
		t.Errorf("it is on its way: %+v", e.File)
	}
	bob.has(content)
	ann.untilDone(parcel) // carol's reader has declined it
	carol.copy(e.File, content)
	ann.untilDone(parcel)
	r.holdsNoChunks()
}

// TestFileSurvivesRestart: the relay is killed in the middle of a file and comes back with nothing. Receivers at different places get all of it.
func TestFileSurvivesRestart(t *testing.T) {
	r := newRelay(t, hub.Limits{ChunkRoomBytes: 4 << 20}, nil)
	root := newRoot(t)
	ann := r.join(Config{Root: root, Alias: "ann"})
	bob, carol := r.join(Config{Root: root, Alias: "bob"}), r.join(Config{Root: root, Alias: "carol"})
	ann.until("carol", func(e Event) bool { return e.Kind == KindJoined && e.Alias == "carol" })
	content := randomContent(PushLimit + 12345)
	parcel := ann.ship("a", content)
	half, restarted := make(chan struct{}), make(chan struct{})
	var wg sync.WaitGroup
	for i, p := range []*person{bob, carol} {
		e := p.untilKind(KindFile)
		wg.Go(func() {
			var got bytes.Buffer
			var once sync.Once
			w := writerFunc(func(b []byte) (int, error) {
				if i == 0 && got.Len() > 2<<20 {
					once.Do(func() { close(half) })
					<-restarted
				}
				return got.Write(b)
			})
			if err := p.Fetch(e.File).Copy(t.Context(), w); err != nil || !bytes.Equal(got.Bytes(), content) {
				t.Errorf("%s: %d bytes of %d, %v", p.name, got.Len(), len(content), err)
			}
		})
	}
	<-half
	r.kill()
	r.start()
	close(restarted)
	wg.Wait()
	ann.untilDone(parcel)
}

// TestFileEndsWithALifeOfTheRoom: what belongs to the life of a room before the relay was restarted is given up at once. A receiver once waited
// for a chunk of it for ever, and a sender put one into the new life, where nobody took it.
func TestFileEndsWithALifeOfTheRoom(t *testing.T) {
	r, ann, _, _ := threeForFiles(t, hub.Limits{})
	before := ann.life()
	tries := 0
	if _, err := insist(t.Context(), before.st, func(context.Context, wire.SessionID) (struct{}, error) {
		tries++
		return struct{}{}, ErrMoved
	}); !errors.Is(err, ErrMoved) || tries != 1 {
		t.Errorf("%v after %d tries", err, tries)
	}
	r.kill()
	r.start()
	ann.say("here again")
	if err := before.putChunk(t.Context(), wire.ChunkID{File: randomID()}, []byte("late")); !errors.Is(err, ErrMoved) {
		t.Errorf("got %v", err)
	}
	r.holdsNoChunks()
}

// TestFileArrivesAsTheRelayDies: everybody has the file, but the relay is killed before its sender hears so. Who does not ask has it.
func TestFileArrivesAsTheRelayDies(t *testing.T) {
	t.Parallel() // for it waits lostTime
	last, dead := make(chan struct{}), make(chan struct{})
	var dying atomic.Bool
	r := newRelay(t, hub.Limits{}, func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
			if req.Method == http.MethodPost && strings.HasSuffix(req.URL.Path, "/chunks") && !strings.HasSuffix(req.URL.Query().Get("id"), ".0") && dying.CompareAndSwap(false, true) {
				next.ServeHTTP(httptest.NewRecorder(), req)
				close(last)
				<-dead
				panic(http.ErrAbortHandler)
			}
			next.ServeHTTP(w, req)
		})
	})
	root := newRoot(t)
	ann, bob := r.join(Config{Root: root, Alias: "ann"}), r.collect(Config{Root: root, Alias: "bob"})
	ann.untilKind(KindJoined)
	content := randomContent(1<<20 + 1<<19) // two chunks
	parcel := ann.ship("a", content)
	<-last
	bob.has(content)
	r.kill()
	r.start()
	close(dead)
	ann.untilDone(parcel)
}

// TestFileToWhomItWasAnnounced: a pushed file is for all who are here when it is announced, whenever its sender has heard of them.
func TestFileToWhomItWasAnnounced(t *testing.T) {
	begun, known := make(chan struct{}), make(chan struct{})
	var once sync.Once
	r := newRelay(t, hub.Limits{}, func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
			if req.Method == http.MethodPost && strings.HasSuffix(req.URL.Path, "/chunks") {
				once.Do(func() {
					close(begun)
					<-known
				})
			}
			next.ServeHTTP(w, req)
		})
	})
	root := newRoot(t)
	ann := r.join(Config{Root: root, Alias: "ann"})
	content := randomContent(10)
	sent := make(chan *Parcel)
	go func() { sent <- ann.ship("a", content) }()
	<-begun
	bob := r.collect(Config{Root: root, Alias: "bob"})
	ann.untilKind(KindJoined)
	close(known)
	bob.has(content)
	ann.untilDone(<-sent)
}

// TestFileInALockedRoom: who waits to be let in cannot read that there is a file, and holds nobody up.
func TestFileInALockedRoom(t *testing.T) {
	r := newRelay(t, hub.Limits{ChunkRoomBytes: 3 << 20}, nil)
	root := newRoot(t)
	ann, bob := r.join(Config{Root: root, Alias: "ann"}), r.collect(Config{Root: root, Alias: "bob"})
	ann.untilKind(KindJoined)
	if _, err := ann.Lock(t.Context(), true); err != nil {
		t.Fatal(err)
	}
	bob.untilKind(KindLocked)
	r.join(Config{Root: root, Alias: "eve"}).untilKind(KindWaiting)
	content := randomContent(6 << 20)
	parcel := ann.ship("a", content)
	bob.has(content)
	ann.untilDone(parcel)
	r.holdsNoChunks()
}

// TestFileAndANewcomer: who comes in the middle of a file is owed none of it, or nobody would get on: it does not know what to decline.
func TestFileAndANewcomer(t *testing.T) {
	r := newRelay(t, hub.Limits{ChunkRoomBytes: 3 << 20}, nil)
	root := newRoot(t)
	ann, bob := r.join(Config{Root: root, Alias: "ann"}), r.join(Config{Root: root, Alias: "bob"})
	ann.untilKind(KindJoined)
	content := randomContent(PushLimit + 1)
	parcel := ann.ship("a", content)
	e := bob.untilKind(KindFile)
	var got bytes.Buffer
	var once sync.Once
	w := writerFunc(func(b []byte) (int, error) {
		once.Do(func() { r.join(Config{Root: root, Alias: "carol"}) })
		return got.Write(b)
	})
	if err := bob.Fetch(e.File).Copy(t.Context(), w); err != nil || !bytes.Equal(got.Bytes(), content) {
		t.Errorf("%d bytes of %d, %v", got.Len(), len(content), err)
	}
	ann.untilDone(parcel)
	r.holdsNoChunks()
}

// TestFileStopped: who still waits for a file is told that it does not come any more.
func TestFileStopped(t *testing.T) {
	_, ann, _, carol := threeForFiles(t, hub.Limits{})
	parcel := ann.ship("a", randomContent(PushLimit+1))
	e := carol.untilKind(KindFile)
	if err := parcel.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	if stop := carol.untilKind(KindStop); stop.Of != e.File.Ref {
		t.Errorf("stopped %v", stop.Of)
	}
	if err := carol.Fetch(e.File).Copy(t.Context(), io.Discard); !errors.Is(err, ErrStopped) {
		t.Errorf("got %v", err)
	}
	if err := parcel.Done(t.Context()); !errors.Is(err, ErrStopped) {
		t.Errorf("got %v", err)
	}
}

// A file that was declined is fetched later all the same, but once at a time.
func TestFileFetchedLater(t *testing.T) {
	_, ann, bob, carol := threeForFiles(t, hub.Limits{})
	content := randomContent(100)
	parcel := ann.ship("a", content)
	bob.has(content)
	ann.untilDone(parcel) // carol has declined
	e := carol.untilKind(KindFile)
	d := carol.Fetch(e.File)
	if err := carol.Fetch(e.File).Copy(t.Context(), io.Discard); !errors.Is(err, ErrFetching) {
		t.Errorf("twice at a time: %v", err)
	}
	var got bytes.Buffer
	if err := d.Copy(t.Context(), &got); err != nil || !bytes.Equal(got.Bytes(), content) {
		t.Errorf("got %d bytes, %v", got.Len(), err)
	}
}

// Who comes back to a room whose sender has gone is told, not left waiting.
func TestFileOfSomebodyWhoLeft(t *testing.T) {
	_, ann, _, carol := threeForFiles(t, hub.Limits{})
	ann.ship("a", randomContent(PushLimit+1))
	e := carol.untilKind(KindFile)
	ann.Leave(t.Context())
	carol.untilKind(KindLeft)
	if err := carol.Fetch(e.File).Copy(t.Context(), io.Discard); !errors.Is(err, ErrStopped) {
		t.Errorf("got %v", err)
	}
}

// TestFileEndsInTheMiddle: nobody waits for the rest of a file whose sender goes, or takes it back, when part of it has come.
func TestFileEndsInTheMiddle(t *testing.T) {
	for name, end := range map[string]func(*person, *Parcel){
		"left":    func(ann *person, _ *Parcel) { ann.Leave(context.Background()) },
		"stopped": func(_ *person, p *Parcel) { p.Stop(context.Background()) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRelay(t, hub.Limits{ChunkRoomBytes: 3 << 20}, nil)
			root := newRoot(t)
			ann, bob := r.join(Config{Root: root, Alias: "ann"}), r.join(Config{Root: root, Alias: "bob"})
			ann.untilKind(KindJoined)
			parcel := ann.ship("a", randomContent(PushLimit+1))
			e := bob.untilKind(KindFile)
			ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second) // the sender is asked again after 30
			defer cancel()
			var once sync.Once
			w := writerFunc(func(b []byte) (int, error) {
				once.Do(func() { end(ann, parcel) })
				return len(b), nil
			})
			if err := bob.Fetch(e.File).Copy(ctx, w); !errors.Is(err, ErrStopped) {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestFileThatChanges(t *testing.T) {
	_, ann, bob, carol := threeForFiles(t, hub.Limits{})
	content := randomContent(3 << 20)
	parcel := ann.ship("a", content)
	bob.has(bytes.Clone(content))
	ann.untilDone(parcel)
	content[500]++ // the parcel reads this very slice
	e := carol.untilKind(KindFile)
	if err := carol.Fetch(e.File).Copy(t.Context(), io.Discard); !errors.Is(err, ErrStopped) {
		t.Errorf("got %v", err)
	}
}

func TestFileToNobody(t *testing.T) {
	r := newRelay(t, hub.Limits{}, nil)
	ann := r.join(Config{Root: newRoot(t), Alias: "ann"})
	_, err := ann.SendFile(t.Context(), File{Name: "a", Size: 1, Body: strings.NewReader("x")})
	if !isRefusal(err, wire.CodeNobody) {
		t.Errorf("got %v", err)
	}
	if _, err := ann.SendFile(t.Context(), File{Size: -1}); err == nil {
		t.Error("took a negative size")
	}
}

// TestFileTransferAnnouncedAgain: after a restart of the relay a sender repeats what it had said, sealed anew. A receiver once followed the transfer
// that had gone with the relay, declined the one that went on, and the sender took it for served.
func TestFileTransferAnnouncedAgain(t *testing.T) {
	var f files
	ref := Ref{ID: "file"}
	old := arrival{Transfer{ID: randomID()}, life{epoch: wire.Epoch{1}}}
	f.announced(ref, old)
	goesOn := arrival{Transfer{ID: randomID()}, life{epoch: wire.Epoch{2}}}
	f.arrived(ref, goesOn)
	if unwanted := f.arrived(ref, arrival{old.Transfer, life{epoch: wire.Epoch{2}}}); len(unwanted) > 0 {
		t.Errorf("declined %v", unwanted)
	}
	if puts := f.coming[ref].puts; len(puts) != 1 || puts[0] != goesOn {
		t.Errorf("follows %v, want %v", puts, goesOn)
	}
}
