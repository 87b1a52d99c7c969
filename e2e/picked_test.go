package e2e

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/dom"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/target"
	"github.com/chromedp/chromedp"

	"snug/hub"
)

// Chooses presses a button that opens the browser's dialog for files, and chooses these in it.
func (p *Page) Chooses(button string, paths ...string) {
	p.t.Helper()
	p.do("chooses files", func(ctx context.Context, _ *chromedp.Target) (chromedp.Void, error) {
		ctx, stop := context.WithCancel(ctx)
		defer stop()
		if _, err := chromedp.Call(ctx, page.SetInterceptFileChooserDialog, page.SetInterceptFileChooserDialogParams{Enabled: true}); err != nil {
			return chromedp.Void{}, err
		}
		opened := chromedp.Events(ctx, page.FileChooserOpened)
		if err := chromedp.Do(ctx, chromedp.Click(element("button("+quoted(button)+")"))); err != nil {
			return chromedp.Void{}, err
		}
		for dialog, err := range opened {
			if err != nil {
				return chromedp.Void{}, err
			}
			if want := map[bool]page.FileChooserOpenedMode{true: page.FileChooserOpenedModeSelectMultiple, false: page.FileChooserOpenedModeSelectSingle}[button == "Add files"]; dialog.Mode != want {
				return chromedp.Void{}, fmt.Errorf("the dialog lets one choose as %s, want %s", dialog.Mode, want)
			}
			_, err = chromedp.Call(ctx, dom.SetFileInputFiles, dom.SetFileInputFilesParams{Files: paths, BackendNodeID: dialog.BackendNodeID})
			return chromedp.Void{}, err
		}
		return chromedp.Void{}, ctx.Err()
	})
	p.Await("the tray", `!!document.querySelector('.tray:not([hidden])')`)
}

// TestFileChosen: the button opens the browser's dialog; what is chosen there can be taken out again, arrives as it was, and can be chosen once more.
func TestFileChosen(t *testing.T) {
	_, _, ann, ben := twoPages(t, hub.Limits{})
	dir := t.TempDir()
	paths := []string{filepath.Join(dir, "minutes.txt"), filepath.Join(dir, "Grüße, 1 & 2.csv")}
	for i, path := range paths {
		if err := os.WriteFile(path, bytes.Repeat([]byte(path), 1000*(i+1)), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	const tray = `JSON.stringify([...document.querySelectorAll('.tray:not([hidden]) li')].map((e) => name(e.querySelector('b'))))`
	ann.Chooses("Add files", paths...)
	ann.Await("both in the tray", tray+` === '["minutes.txt","Grüße, 1 & 2.csv"]'`, tray)
	ann.Click("Do not send minutes.txt")
	ann.Await("one in the tray", tray+` === '["Grüße, 1 & 2.csv"]'`, tray)
	for range 2 { // the same one again
		ann.SendsFiles()
		raw, err := os.ReadFile(paths[1])
		if err != nil {
			t.Fatal(err)
		}
		sum := sha256.Sum256(raw)
		ben.HasFile(hex.EncodeToString(sum[:]))
		ben.files("its name", `name(box().querySelector('.what b')) === 'Grüße, 1 & 2.csv'`)
		ann.Chooses("Add files", paths[1])
		ann.Await("it in the tray", tray+` === '["Grüße, 1 & 2.csv"]'`, tray)
	}
	ann.Await("two files", `document.querySelectorAll('[role=log] snug-file').length === 2`)
	// On a phone the camera is asked for a picture.
	path, _ := photo(t, "camera.jpg", 640, 480)
	ben.Chooses("Take a picture", path)
	ben.SendsFiles()
	ann.files("the picture", `box().querySelector('.picture img').naturalWidth === 640`)
}

// paper is a PDF with some words on its one page.
func paper(words string) []byte {
	var b bytes.Buffer
	var at []int
	object := func(format string, args ...any) {
		at = append(at, b.Len())
		fmt.Fprintf(&b, "%d 0 obj\n"+format+"\nendobj\n", append([]any{len(at)}, args...)...)
	}
	b.WriteString("%PDF-1.4\n")
	object("<< /Type /Catalog /Pages 2 0 R >>")
	object("<< /Type /Pages /Kids [3 0 R] /Count 1 >>")
	object("<< /Type /Page /Parent 2 0 R /MediaBox [0 0 420 595] /Contents 4 0 R /Resources << /Font << /F 5 0 R >> >> >>")
	text := fmt.Sprintf("BT /F 24 Tf 40 520 Td (%s) Tj ET", words)
	object("<< /Length %d >>\nstream\n%s\nendstream", len(text), text)
	object("<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>")
	xref := b.Len()
	fmt.Fprintf(&b, "xref\n0 %d\n0000000000 65535 f \n", len(at)+1)
	for _, offset := range at {
		fmt.Fprintf(&b, "%010d 00000 n \n", offset)
	}
	fmt.Fprintf(&b, "trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n", len(at)+1, xref)
	return b.Bytes()
}

// viewer tells of the tab, at an address that only this browser knows, in which the browser's viewer of PDF begins its work.
func viewer(t *testing.T, p *Page) <-chan *target.Info {
	t.Helper()
	ctx, stop := context.WithCancel(p.ctx)
	t.Cleanup(stop)
	found := make(chan *target.Info, 1)
	tabs := make(map[target.ID]*target.Info)
	err := chromedp.Listen(ctx, func(event any) {
		var info *target.Info
		switch e := event.(type) {
		case *target.EventTargetCreated:
			info = e.TargetInfo
		case *target.EventTargetInfoChanged:
			info = e.TargetInfo
		default:
			return
		}
		if info.Type == "page" && strings.HasPrefix(info.URL, "blob:") {
			tabs[info.TargetID] = info
		}
		if tab := tabs[target.ID(info.ParentFrameID)]; tab != nil && strings.HasPrefix(info.URL, "chrome-extension:") { // its page is of that name
			select {
			case found <- tab:
			default:
			}
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// TestPDF: a PDF opens in a tab of its own, which has nothing to do with the page; what only says that it is one is not opened, and the page says so.
func TestPDF(t *testing.T) {
	_, ann, ben := NewWhole(t, hub.Limits{}).twoPages()
	dir := t.TempDir()
	send := func(name string, content []byte) {
		t.Helper()
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
		ann.Picks(path)
		ann.SendsFiles()
		sum := sha256.Sum256(content)
		ben.HasFile(hex.EncodeToString(sum[:]))
		ben.files("a row with ways to open and to save it", `box().dataset.look === 'row' && box().given.item.file.type === 'application/pdf' && !!button('Open `+name+`') && !!button('Save `+name+`')`)
	}
	send("plan.pdf", paper("The plan"))
	viewed := viewer(t, ben)
	ben.Click("Open plan.pdf")
	select {
	case tab := <-viewed:
		if tab.CanAccessOpener {
			t.Error("the tab of the PDF can reach the page")
		}
	case <-time.After(patience):
		t.Fatal("no tab that shows the PDF")
	}

	send("trap.pdf", []byte("<!doctype html><script>alert(1)</script>"))
	tabs := func() (n int) {
		t.Helper()
		all, err := chromedp.Targets(ben.ctx)
		if err != nil {
			t.Fatal(err)
		}
		for _, info := range all {
			if info.Type == "page" {
				n++
			}
		}
		return n
	}
	before := tabs()
	ben.Click("Open trap.pdf")
	ben.Reads("This is no PDF, whatever its name says.")
	ben.Screenshot("files-pdf")
	if after := tabs(); after != before {
		t.Errorf("%d tabs, %d before", after, before)
	}
}
