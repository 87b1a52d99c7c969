package e2e

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"os"
	"path/filepath"
	"testing"

	"github.com/chromedp/chromedp"

	"snug/hub"
)

// fileFinders are what the expressions about files are made of, besides the finders.
const fileFinders = `
	const boxes = () => [...document.querySelectorAll('snug-file')];
	const box = (i = -1) => boxes().at(i);
	const blobOf = (b) => b.given.session.fileOf(b.given.item.key);
	const hash = async (blob) => [...new Uint8Array(await crypto.subtle.digest('SHA-256', await blob.arrayBuffer()))].map((b) => b.toString(16).padStart(2, '0')).join('');
`

// files waits until an expression, made of the finders for files too, is true.
func (p *Page) files(what, expression string) {
	p.t.Helper()
	p.Await(what, `await (async () => {`+fileFinders+` return `+expression+`; })()`, `[...document.querySelectorAll('snug-file')].map((e) => [e.dataset.look, e.dataset.transfer, e.given.item.why, e.given.item.state])`)
}

// Picks chooses files for the composer, as the browser's dialog does.
func (p *Page) Picks(paths ...string) {
	p.t.Helper()
	p.do("picks files", chromedp.SetUploadFiles(chromedp.JSPath(`document.querySelector('.pen input[type=file]')`), paths))
	p.Await("the tray", `!!document.querySelector('.tray:not([hidden])')`)
}

// Drops lets files of random bytes fall on the room, or pastes them, and returns their hashes.
func (p *Page) Drops(event, name, kind string, size int) (hash string) {
	p.t.Helper()
	made, err := chromedp.Run(p.ctx, chromedp.Evaluate[string](`(async () => {`+fileFinders+`
		const parts = [];
		for (let left = `+fmt.Sprint(size)+`; left > 0; left -= 65536) parts.push(crypto.getRandomValues(new Uint8Array(Math.min(left, 65536))));
		const file = new File(parts, `+quoted(name)+`, { type: `+quoted(kind)+` });
		const data = new DataTransfer();
		data.items.add(file);
		const floor = document.querySelector('.floor');
		if (`+quoted(event)+` === 'paste') floor.dispatchEvent(new ClipboardEvent('paste', { clipboardData: data, bubbles: true, cancelable: true }));
		else for (const name of ['dragover', 'drop']) floor.dispatchEvent(new DragEvent(name, { dataTransfer: data, bubbles: true, cancelable: true }));
		return file.size > 200e6 ? '' : hash(file);
	})()`, awaitPromise))
	if err != nil {
		p.fail("drops a file", err)
	}
	p.Await("the tray", `document.querySelector('.tray:not([hidden])').textContent.includes(`+quoted(name)+`)`)
	return made
}

// SendsFiles sends what is in the tray.
func (p *Page) SendsFiles() {
	p.t.Helper()
	p.Click("Send")
	p.Await("an empty tray", `!document.querySelector('.tray:not([hidden])')`)
}

// NewestFile waits until the newest file here is the one of this name.
func (p *Page) NewestFile(name string) {
	p.t.Helper()
	p.files(name, `box()?.given.item.file.name === `+quoted(name))
}

// HasFile waits until the newest file is here with these bytes.
func (p *Page) HasFile(hash string) {
	p.t.Helper()
	p.files("the file", `box().dataset.transfer === 'done' && await hash(blobOf(box())) === `+quoted(hash))
}

// Transfers waits until the newest file is in this state.
func (p *Page) Transfers(state string) {
	p.t.Helper()
	p.files("a file that is "+state, `box().dataset.transfer === `+quoted(state))
}

// twoPages is two people in a room of their own, the second with a phone.
func twoPages(t testing.TB, limits hub.Limits) (w *World, fragment string, ann, ben *Page) {
	t.Helper()
	w = New(t, limits)
	fragment, ann, ben = w.twoPages()
	return w, fragment, ann, ben
}

func (w *World) twoPages() (fragment string, ann, ben *Page) {
	w.t.Helper()
	w.Expect("status of 404", "status of 410", "status of 429", "status of 401", "status of 413", "ERR_", "status of 502")
	ann = w.Person("Ann").Tab("/")
	fragment = ann.NewRoom(false)
	ben = w.Person("Ben").Tab("/" + fragment)
	ben.Phone()
	ben.Enter(false)
	ann.Members(2)
	ben.Members(2)
	return fragment, ann, ben
}

// photo is a JPEG of some size that tells where it was taken.
func photo(t testing.TB, name string, width, height int) (path, secret string) {
	t.Helper()
	picture := image.NewRGBA(image.Rect(0, 0, width, height))
	for y := range height {
		for x := range width {
			hill := 0.55 + 0.2*float64((x*7/width)%2)*float64(x%97)/97
			c := color.RGBA{uint8(90 + 120*y/height), uint8(120 + 60*y/height), uint8(200 - 90*y/height), 255}
			if float64(y) > hill*float64(height) {
				c = color.RGBA{uint8(30 + x%40), uint8(80 + 40*x/width), 50, 255}
			}
			picture.Set(x, y, c)
		}
	}
	var plain bytes.Buffer
	if err := jpeg.Encode(&plain, picture, &jpeg.Options{Quality: 85}); err != nil {
		t.Fatal(err)
	}
	secret = "GPS 52.5200 N 13.4050 E"
	exif := "Exif\x00\x00" + secret
	all := append([]byte{0xff, 0xd8, 0xff, 0xe1, 0, byte(len(exif) + 2)}, exif...)
	all = append(all, plain.Bytes()[2:]...)
	path = filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, all, 0o600); err != nil {
		t.Fatal(err)
	}
	return path, secret
}
