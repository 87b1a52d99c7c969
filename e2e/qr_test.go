package e2e

import (
	"fmt"
	"image"
	"image/color"
	"strings"
	"testing"

	"github.com/makiuchi-d/gozxing"
	"github.com/makiuchi-d/gozxing/qrcode"

	"snug/hub"
)

// readQR decodes the QR code in a picture by an implementation that is not ours. pure: there is nothing else in the picture.
func readQR(picture image.Image, pure bool) (string, error) {
	bitmap, err := gozxing.NewBinaryBitmapFromImage(picture)
	if err != nil {
		return "", err
	}
	hints := map[gozxing.DecodeHintType]any{gozxing.DecodeHintType_TRY_HARDER: true, gozxing.DecodeHintType_CHARACTER_SET: "UTF-8"}
	if pure {
		hints[gozxing.DecodeHintType_PURE_BARCODE] = true
	}
	result, err := qrcode.NewQRCodeReader().Decode(bitmap, hints)
	if err != nil {
		return "", err
	}
	return result.GetText(), nil
}

// rows of a code are its modules, '#' for dark, as a picture of four pixels each with the quiet zone around.
func pictured(rows []string) image.Image {
	const scale, quiet = 4, 4
	side := (len(rows) + 2*quiet) * scale
	picture := image.NewGray(image.Rect(0, 0, side, side))
	for y := range side {
		for x := range side {
			picture.SetGray(x, y, color.Gray{Y: 255})
			row, column := y/scale-quiet, x/scale-quiet
			if row >= 0 && row < len(rows) && column >= 0 && column < len(rows) && rows[row][column] == '#' {
				picture.SetGray(x, y, color.Gray{})
			}
		}
	}
	return picture
}

// TestQRCodes: another implementation reads what lib/qr.js draws, in every version, at every level and under every mask.
func TestQRCodes(t *testing.T) {
	w := New(t, hub.Limits{})
	page := w.Person("Ann").Tab("/")
	page.Await("the encoder", `!!(window.qr = await import('/js/lib/qr.js'))`)
	text := "https://snug.example/#" + strings.Repeat("Zoë-grüßt ", 4)
	for version := 3; version <= 20; version++ { // that holds the text at the weakest level
		for i, level := range []string{"L", "M", "Q", "H"} {
			mask := (version + i*3) % 8
			code := read[[]string](page, fmt.Sprintf(`(() => {
				const { size, dark } = qr.encode(%s, { version: %d, level: %q, mask: %d });
				return Array.from({ length: size }, (_, y) => Array.from({ length: size }, (_, x) => (dark(x, y) ? '#' : ' ')).join(''));
			})()`, quoted(text), version, level, mask))
			if got, err := readQR(pictured(code), true); err != nil || got != text {
				t.Errorf("version %d, level %s, mask %d: got %q, %v", version, level, mask, got, err)
			}
		}
	}
}

// TestInviteByQR: what a camera reads off the screen, on a phone and beside the conversation, in light and in dark, is the room's link.
func TestInviteByQR(t *testing.T) {
	w := New(t, hub.Limits{})
	ann := w.Person("Ann").Tab("/")
	want := w.URL + "/" + ann.NewRoom(false)
	for _, dark := range []bool{false, true} {
		for _, phone := range []bool{false, true} {
			if phone {
				ann.Phone()
			}
			ann.Dark(dark)
			ann.Panel("Invite")
			ann.Await("the code", `!!document.querySelector('.qr path')`)
			name := fmt.Sprintf("invite-%s-%s", map[bool]string{true: "phone", false: "desktop"}[phone], map[bool]string{true: "dark", false: "light"}[dark])
			picture := ann.Screenshot(name)
			if got, err := readQR(picture, false); err != nil || got != want {
				t.Errorf("%s: got %q, %v", name, got, err)
			}
		}
		ann.Desktop()
	}
}
