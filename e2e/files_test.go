package e2e

import (
	"bytes"
	"cmp"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/heapprofiler"
	"github.com/chromedp/cdproto/storage"
	"github.com/chromedp/chromedp"

	"snug/client"
	"snug/e2e/proxies"
	"snug/hub"
	"snug/wire"
)

// TestPicture: a picture is picked, looked at, sent without what it tells besides, and seen at once by the other, on a phone too.
func TestPicture(t *testing.T) {
	_, _, ann, ben := twoPages(t, hub.Limits{})
	path, secret := photo(t, "The hills.jpg", 1600, 1000)
	ann.Picks(path)
	ann.do("writes a caption", chromedp.SendKeys(element("field('Message')"), "From the top"))
	ann.Screenshot("files-tray")
	ann.SendsFiles()
	loaded := `box().querySelector('.picture img').naturalWidth === 1600`
	for _, p := range []*Page{ann, ben} {
		p.files("the picture", loaded)
		p.Sees("From the top")
		p.files("a picture without the place", `!(await blobOf(box()).text()).includes(`+quoted(secret)+`) && blobOf(box()).type === 'image/jpeg'`)
	}
	ben.files("a small picture in the message", `box().given.item.file.thumb.length > 100 && box().given.item.file.width === 1600`)
	for _, dark := range []bool{false, true} {
		for _, p := range []*Page{ann, ben} {
			p.Dark(dark)
			p.Screenshot(fmt.Sprintf("files-picture-%s-dark-%v", p.who, dark))
		}
	}
	ben.Click("Look at The hills.jpg")
	ben.Await("the picture alone", `name(document.querySelector('dialog.lightbox[open] b')) === 'The hills.jpg'`)
	ben.Screenshot("files-lightbox")
	ben.do("presses Escape", chromedp.KeyEvent("\x1b"))
	ben.Await("the conversation", `!document.querySelector('dialog.lightbox')`)

	ann.Picks(path)
	ann.Click("Do not send The hills.jpg")
	ann.Await("an empty tray", `!document.querySelector('.tray:not([hidden])')`)
	ann.Picks(path)
	ann.Tick("Remove metadata") // off
	ann.SendsFiles()
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(raw)
	ben.HasFile(hex.EncodeToString(sum[:]))
}

// TestFilesDroppedAndPasted: any file arrives as it was; what a page cannot show safely can only be saved.
func TestFilesDroppedAndPasted(t *testing.T) {
	_, _, ann, ben := twoPages(t, hub.Limits{})
	hash := ann.Drops("drop", "report.svg", "image/svg+xml", 300_000)
	ann.SendsFiles()
	ben.HasFile(hash)
	ben.files("a row to save it from", `box().dataset.look === 'row' && !!button('Save report.svg') && !box().querySelector('img, a, iframe')`)
	hash = ben.Drops("paste", "notes.txt", "text/plain", 0)
	ben.SendsFiles()
	ann.HasFile(hash)
	hash = ann.Drops("drop", "backup.zip", "application/zip", 9_000_000)
	ann.Screenshot("files-large-tray")
	ann.SendsFiles()
	ben.Transfers("offered")
	ben.Screenshot("files-offered")
	read[bool](ben, `(globalThis.showSaveFilePicker = undefined, true)`) // there is nobody to choose a place
	ben.Click("Get 9 MB")
	ben.HasFile(hash)
	ben.Screenshot("files-saved")
	ann.Screenshot("files-rows")
}

// film is a short film that the page makes.
func film(t *testing.T, p *Page) []byte {
	t.Helper()
	made, err := chromedp.Run(p.ctx, chromedp.Evaluate[string](`(async () => {
		const canvas = document.createElement('canvas');
		canvas.width = 320; canvas.height = 180;
		const pen = canvas.getContext('2d');
		const recorder = new MediaRecorder(canvas.captureStream(20), { mimeType: 'video/webm' });
		const parts = [];
		recorder.ondataavailable = ({ data }) => parts.push(data);
		recorder.start();
		for (let i = 0; i < 12; i++) {
			pen.fillStyle = 'hsl(' + i * 30 + ' 60% 50%)';
			pen.fillRect(0, 0, 320, 180);
			await new Promise((next) => setTimeout(next, 60));
		}
		recorder.stop();
		await new Promise((done) => (recorder.onstop = done));
		const bytes = new Uint8Array(await new Blob(parts).arrayBuffer());
		return btoa(Array.from(bytes, (b) => String.fromCharCode(b)).join(''));
	})()`, awaitPromise))
	if err != nil {
		t.Fatal(err)
	}
	raw, err := base64.StdEncoding.DecodeString(made)
	if err != nil || len(raw) < 1000 {
		t.Fatalf("%d bytes of a film, %v", len(raw), err)
	}
	return raw
}

// TestVideo: a film from one page plays in the other.
func TestVideo(t *testing.T) {
	_, _, ann, ben := twoPages(t, hub.Limits{})
	raw := film(t, ann)
	path := filepath.Join(t.TempDir(), "film.webm")
	if err := os.WriteFile(path, raw, 0o600); err != nil {
		t.Fatal(err)
	}
	ann.Picks(path)
	ann.SendsFiles()
	sum := sha256.Sum256(raw)
	ben.HasFile(hex.EncodeToString(sum[:]))
	ben.files("a film that can be played", `box().querySelector('video').readyState >= 1 && box().querySelector('video').videoWidth === 320`)
	ben.Screenshot("files-video")
}

// TestFileCancelled: either side stops a file on its way, and the other is told.
func TestFileCancelled(t *testing.T) {
	_, _, ann, ben := twoPages(t, hub.Limits{ChunkRoomBytes: 3 << 20})
	read[bool](ben, `(globalThis.showSaveFilePicker = undefined, true)`)
	moving := `box().querySelector('progress')?.value > 0`
	for i, who := range []string{"receiver", "sender"} {
		ann.Drops("drop", who+".bin", "application/octet-stream", (40+i)*1_000_000)
		ann.SendsFiles()
		ben.Transfers("offered")
		ben.Click(fmt.Sprintf("Get %d MB", 40+i))
		ben.files("progress", moving)
		ann.files("progress", moving)
		if who == "receiver" {
			ben.Screenshot("files-moving")
			ben.Click("Stop getting it")
			ben.Transfers("skipped")
			ann.Transfers("done") // nobody wants more
			continue
		}
		ann.Click("Take it back")
		ann.Transfers("stopped")
		ben.Transfers("stopped")
		ben.Reads("Its sender stopped sending it.")
	}
	hash := ann.Drops("drop", "small.bin", "application/octet-stream", 100_000) // nothing is stuck
	ann.SendsFiles()
	ben.HasFile(hash)
}

// TestFileThroughRestart: the relay is killed in the middle of a file and comes back empty; the file arrives whole.
func TestFileThroughRestart(t *testing.T) {
	w, _, ann, ben := twoPages(t, hub.Limits{ChunkRoomBytes: 4 << 20})
	read[bool](ben, `(globalThis.showSaveFilePicker = undefined, true)`)
	hash := ann.Drops("drop", "long.bin", "application/octet-stream", 12_000_000)
	ann.SendsFiles()
	ben.Transfers("offered")
	ben.Click("Get 12 MB")
	ben.files("a third of it", `box().querySelector('progress').value > 0.3`)
	w.Crash()
	w.Restart()
	ben.HasFile(hash)
}

// TestFileThroughNarrowProxies: bodies over 64 KiB refused for one, binary bodies and answers for the other, and two connections each.
func TestFileThroughNarrowProxies(t *testing.T) {
	w := New(t, hub.Limits{})
	w.Expect("status of 4", "status of 5", "ERR_")
	proxy := func(habits ...proxies.Habit) *Person {
		p := proxies.Start(t, proxies.Config{Habits: habits})
		return w.Behind(t, fmt.Sprintf("P%d", len(habits)), p.URL)
	}
	octets := "application/octet-stream"
	ann := proxy(proxies.Limits{Body: 64 << 10}, proxies.Connections{Max: 2}).Tab("/")
	fragment := ann.NewRoom(false)
	ben := proxy(proxies.Types{Bodies: []string{octets}, Answers: []string{octets}}).Tab("/" + fragment)
	ben.Enter(false)
	ann.Members(2)
	ben.Members(2)
	hash := ann.Drops("drop", "a.bin", octets, 1_500_000)
	ann.SendsFiles()
	ann.Say("meanwhile")
	ben.HasFile(hash)
	hash = ben.Drops("drop", "b.bin", octets, 1_500_000)
	ben.SendsFiles()
	ann.HasFile(hash)
}

// TestFileWhereLongAnswersStall: nothing above 64 KiB of an answer passes, so a file comes in parts of chunks.
func TestFileWhereLongAnswersStall(t *testing.T) {
	w := New(t, hub.Limits{})
	ann := w.Person("Ann").Tab("/")
	fragment := ann.NewRoom(false)
	ben := w.Behind(t, "Ben", proxies.Start(t, proxies.Config{Habits: []proxies.Habit{proxies.Stall{After: 64 << 10}}}).URL).Tab("/" + fragment)
	ben.Enter(false)
	ann.Members(2)
	ben.Members(2)
	for _, size := range []int{1 << 20, 9_000_000} { // one that is pushed, one that is fetched
		hash := ann.Drops("drop", fmt.Sprintf("%d.bin", size), "application/octet-stream", size)
		ann.SendsFiles()
		if size > client.PushLimit {
			ben.Transfers("offered")
			read[bool](ben, `(globalThis.showSaveFilePicker = undefined, true)`)
			ben.Click("Get 9 MB")
		}
		ben.HasFile(hash)
	}
}

// TestFileToAndFromGo: the browser and the Go client send each other a small and a large file.
func TestFileToAndFromGo(t *testing.T) {
	w, fragment, ann, ben := twoPages(t, hub.Limits{})
	s, err := client.Join(t.Context(), client.Config{Link: w.URL + "/" + fragment, Alias: "Gopher"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	offers := make(chan *client.FileInfo, 4)
	go func() {
		for e := range s.Events(t.Context()) {
			if e.Kind == client.KindFile {
				offers <- e.File
			}
		}
	}()
	ann.Members(3)
	ben.Members(3)
	read[bool](ben, `(globalThis.showSaveFilePicker = undefined, true)`)
	for _, size := range []int{300_000, 9_000_000} {
		name := fmt.Sprintf("%d.bin", size)
		hash := ann.Drops("drop", name, "application/octet-stream", size)
		ann.SendsFiles()
		sum := sha256.New()
		if err := s.Fetch(<-offers).Copy(t.Context(), sum); err != nil || hex.EncodeToString(sum.Sum(nil)) != hash {
			t.Errorf("%s from the browser: %x, %v", name, sum.Sum(nil), err)
		}
		content := make([]byte, size)
		rand.Read(content) // never fails
		if _, err := s.SendFile(t.Context(), client.File{Name: "go-" + name, Type: "application/octet-stream", Size: int64(size), Body: bytes.NewReader(content)}); err != nil {
			t.Fatal(err)
		}
		ben.NewestFile("go-" + name)
		if size > 8<<20 {
			ben.Transfers("offered")
			ben.do("gets it", chromedp.Click(element(`[...document.querySelectorAll('snug-file')].at(-1).querySelector('.quiet')`)))
		}
		wanted := sha256.Sum256(content)
		ben.HasFile(hex.EncodeToString(wanted[:]))
	}
}

// TestFileForSome: one takes a large file, one does not, a third comes later; nobody holds the others back.
func TestFileForSome(t *testing.T) {
	w, fragment, ann, ben := twoPages(t, hub.Limits{ChunkRoomBytes: 8 << 20})
	cat := w.Person("Cat").Tab("/" + fragment)
	cat.Enter(false)
	ann.Members(3)
	hash := ann.Drops("drop", "for-some.bin", "application/octet-stream", 9_000_000)
	ann.SendsFiles()
	for _, p := range []*Page{ben, cat} {
		p.Transfers("offered")
		read[bool](p, `(globalThis.showSaveFilePicker = undefined, true)`)
	}
	dan := w.Person("Dan").Tab("/" + fragment)
	dan.Enter(false)
	ann.Members(4)
	ben.Click("Get 9 MB")
	ben.HasFile(hash)
	cat.Transfers("offered")
	cat.Click("Get 9 MB")
	cat.HasFile(hash)
	if n := read[int](dan, `document.querySelectorAll('snug-file').length`); n != 0 {
		t.Errorf("who came later sees %d files", n)
	}
}

// TestFileForAFullDevice: who has no room for a file is told so, and gets it once there is.
func TestFileForAFullDevice(t *testing.T) {
	_, _, ann, ben := twoPages(t, hub.Limits{})
	read[bool](ben, `(globalThis.showSaveFilePicker = undefined, true)`)
	quota := func(bytes float64) {
		t.Helper()
		ben.do("is given so much room", func(ctx context.Context, _ *chromedp.Target) (chromedp.Void, error) {
			_, err := chromedp.Call(ctx, storage.OverrideQuotaForOrigin, storage.OverrideQuotaForOriginParams{Origin: read[string](ben, "location.origin"), QuotaSize: &bytes})
			return chromedp.Void{}, err
		})
	}
	quota(10e6)
	hash := ann.Drops("drop", "large.bin", "application/octet-stream", 40_000_000)
	ann.SendsFiles()
	ben.Transfers("offered")
	ann.Await("one tick: all have heard of it, and nobody has it", `((row) => row?.dataset.state === 'all' && row.querySelector('.tick .spoken').textContent === 'Sent')(document.querySelector('.row[data-kind=file]'))`, `document.querySelector('.row[data-kind=file]').outerHTML`)
	ben.Click("Get 40 MB")
	ben.Transfers("failed")
	ben.Reads("There is no room for it on this device.")
	quota(1e9)
	ben.Click("Try again")
	ben.HasFile(hash)
}

// BenchmarkFile is a file from one browser to another, from the moment that somebody asks for it until all of it is there and proved.
// SNUG_FILE_MB: its size, 20 without. docs/PERFORMANCE.md has the figures.
func BenchmarkFile(b *testing.B) {
	mb, err := strconv.Atoi(cmp.Or(os.Getenv("SNUG_FILE_MB"), "20"))
	if err != nil {
		b.Fatal(err)
	}
	_, _, ann, ben := twoPages(b, hub.Limits{RelayBytes: 128 << 20})
	read[bool](ben, `(globalThis.showSaveFilePicker = undefined, true)`)
	var total float64
	for b.Loop() {
		ann.Drops("drop", "bench.bin", "application/octet-stream", mb*1_000_000)
		ann.SendsFiles()
		ben.Transfers("offered")
		ms, err := chromedp.Run(ben.ctx, chromedp.Evaluate[float64](`(async () => {`+fileFinders+`
			const { item, session } = box().given;
			const began = performance.now();
			await new Promise((done) => {
				session.addEventListener('update', ({ detail }) => detail.key === item.key && detail.transfer === 'done' && done());
				session.getFile(item.key);
			});
			return performance.now() - began;
		})()`, awaitPromise))
		if err != nil {
			b.Fatal(err)
		}
		total += ms
	}
	b.ReportMetric(total/float64(b.N), "ms/file")
	b.ReportMetric(float64(mb)*1000*float64(b.N)/total, "MB/s")
	b.ReportMetric(0, "ns/op") // means nothing here
}

// TestReloadInTheMiddleOfAFile: a kept room's page that was loaded anew knows nothing of what it was fetching, and holds nobody up with it.
func TestReloadInTheMiddleOfAFile(t *testing.T) {
	w := New(t, hub.Limits{})
	ann := w.Person("Ann")
	tab := ann.Tab("/")
	fragment := tab.NewRoom(true)
	ben := w.Insider(fragment, "Ben", nil)
	tab.Members(2)
	tab.Kept(1)
	ben.Chunk(wire.ChunkID{File: wire.FileID{1}})
	w.Hub.Await(t, "the chunk waits for Ann", func(s hub.Stats) bool { return s.Chunks == 1 })
	tab.Close()
	tab = ann.Tab("/")
	tab.ComeBack("Private room")
	w.Hub.Await(t, "nothing waits for her", func(s hub.Stats) bool { return s.Chunks == 0 })
	if got := ben.Chunk(wire.ChunkID{File: wire.FileID{1}, N: 1}); got != http.StatusNotFound {
		t.Errorf("more of it was answered with %d", got)
	}
}

// TestLargeFileThroughSmallRelay: ten times what the relay holds goes through, and neither the relay nor the pages grow with it.
func TestLargeFileThroughSmallRelay(t *testing.T) {
	mb, err := strconv.Atoi(cmp.Or(os.Getenv("SNUG_FILE_MB"), "40"))
	if err != nil {
		t.Fatal(err)
	}
	w := NewWhole(t, hub.Limits{RelayBytes: max(int64(mb)<<17, 24<<20), ChunkRoomBytes: max(int64(mb)<<17, 24<<20) / 2, RoomBytes: 4 << 20})
	_, ann, ben := w.twoPages()
	read[bool](ben, `(globalThis.showSaveFilePicker = undefined, true)`)
	hash := ann.Drops("drop", "large.bin", "application/octet-stream", mb<<20)
	if _, err := chromedp.Call(ann.ctx, heapprofiler.CollectGarbage, cdp.Empty{}); err != nil { // what the test made the file of is not the page's
		t.Fatal(err)
	}
	ann.SendsFiles()
	ben.Transfers("offered")
	began := time.Now()
	ben.Click("Get ")
	heap := `performance.memory.usedJSHeapSize`
	var most [2]float64
	var held int64
	for done := false; !done; done = read[bool](ben, `!document.querySelector('snug-file progress')`) && time.Since(began) > time.Second {
		for i, p := range []*Page{ann, ben} {
			most[i] = max(most[i], read[float64](p, heap))
		}
		held = max(held, w.Hub.Stats().Bytes)
	}
	if hash != "" {
		ben.HasFile(hash)
	}
	ben.Transfers("done")
	t.Logf("%d MiB in %v; heap at most %.0f and %.0f MiB, the relay held at most %d MiB", mb, time.Since(began).Round(time.Millisecond), most[0]/(1<<20), most[1]/(1<<20), held>>20)
	if most[0] > 200<<20 || most[1] > 200<<20 || held > max(int64(mb)<<17, 24<<20) {
		t.Errorf("somebody holds too much")
	}
}
