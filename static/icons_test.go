package static

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"math"
	"os"
	"testing"
)

var update = flag.Bool("update", false, "draw the icons anew")

// The drawing of icons/snug.svg, in its units: a door of 32 by 32 with a lamp in it.
var (
	green = color.NRGBA{0x1f, 0x4f, 0x3e, 0xff}
	cream = color.NRGBA{0xf4, 0xea, 0xd2, 0xff}
	brass = color.NRGBA{0xe9, 0xb8, 0x4e, 0xff}
)

// icons are what is drawn: those for a mask fill the square, with the lamp inside the circle that every mask leaves.
var icons = []struct {
	name  string
	side  int
	lamp  float64 // its size; 0: the door of the SVG
	about float64 // where the lamp's middle is on the square
}{
	{"icons/snug-192.png", 192, 0, 0},
	{"icons/snug-512.png", 512, 0, 0},
	{"icons/snug-maskable-192.png", 192, 0.74, 15},
	{"icons/snug-maskable-512.png", 512, 0.74, 15},
	{"icons/snug-180.png", 180, 0.86, 15}, // iOS rounds the corners itself and draws black where it is transparent
}

// TestIcons: the committed PNGs are what this draws. `go test ./static -run TestIcons -update` draws them.
func TestIcons(t *testing.T) {
	for _, icon := range icons {
		want := draw(icon.side, func(x, y float64) (color.NRGBA, bool) {
			if icon.lamp == 0 {
				return door(x, y)
			}
			if c, ok := lamp(16+(x-16)/icon.lamp, 14.5+(y-icon.about)/icon.lamp, true); ok {
				return c, true
			}
			return green, true
		})
		if *update {
			var b bytes.Buffer
			if err := (&png.Encoder{CompressionLevel: png.BestCompression}).Encode(&b, want); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(icon.name, b.Bytes(), 0o644); err != nil {
				t.Fatal(err)
			}
			continue
		}
		got, err := png.Decode(bytes.NewReader(read(t, icon.name)))
		if err != nil {
			t.Fatal(err)
		}
		if off := difference(got, want); off > 2 { // another machine may round otherwise
			t.Errorf("%s is off by up to %d; draw it anew with -update", icon.name, off)
		}
	}
}

func difference(a, b image.Image) (most int) {
	if a.Bounds() != b.Bounds() {
		return math.MaxInt
	}
	for y := range a.Bounds().Dy() {
		for x := range a.Bounds().Dx() {
			p, q := color.NRGBAModel.Convert(a.At(x, y)).(color.NRGBA), color.NRGBAModel.Convert(b.At(x, y)).(color.NRGBA)
			for _, d := range []int{int(p.R) - int(q.R), int(p.G) - int(q.G), int(p.B) - int(q.B), int(p.A) - int(q.A)} {
				most = max(most, d, -d)
			}
		}
	}
	return most
}

// draw samples a drawing of 32 by 32 units, 16 times a pixel.
func draw(side int, at func(x, y float64) (color.NRGBA, bool)) *image.NRGBA {
	const fine = 4
	picture := image.NewNRGBA(image.Rect(0, 0, side, side))
	for py := range side {
		for px := range side {
			var r, g, b, n int
			for s := range fine * fine {
				x := (float64(px) + (float64(s%fine)+0.5)/fine) * 32 / float64(side)
				y := (float64(py) + (float64(s/fine)+0.5)/fine) * 32 / float64(side)
				if c, ok := at(x, y); ok {
					r, g, b, n = r+int(c.R), g+int(c.G), b+int(c.B), n+1
				}
			}
			if n > 0 {
				picture.SetNRGBA(px, py, color.NRGBA{uint8(r / n), uint8(g / n), uint8(b / n), uint8(255 * n / (fine * fine))})
			}
		}
	}
	return picture
}

func door(x, y float64) (color.NRGBA, bool) {
	inside := x >= 3 && x <= 29 && y >= 15 || math.Hypot(x-16, y-15) <= 13
	if c, ok := lamp(x, y, false); ok && inside {
		return c, true
	}
	return green, inside
}

// lamp hangs by a cord, from the top of the square if it is long.
func lamp(x, y float64, long bool) (color.NRGBA, bool) {
	across := math.Abs(x - 16)
	switch {
	case across <= 0.8 && y <= 11 && (long || y >= 2):
		return cream, true
	case y >= 10.5 && y <= 20.5 && across <= shade(y):
		return cream, true
	case y >= 20.5 && math.Hypot(x-16, y-20.5) <= 4.2:
		return brass, true
	}
	return color.NRGBA{}, false
}

// shade is half its width at a height: the curve from (2, 10.5) by (2.8, 14.5) and (5.5, 17) to (10, 19), and a rim below.
func shade(y float64) float64 {
	curve := func(t, a, b, c, d float64) float64 {
		u := 1 - t
		return u*u*u*a + 3*u*u*t*b + 3*u*t*t*c + t*t*t*d
	}
	if y >= 19 {
		return 10
	}
	low, high := 0.0, 1.0
	for range 30 {
		if t := (low + high) / 2; curve(t, 10.5, 14.5, 17, 19) < y {
			low = t
		} else {
			high = t
		}
	}
	return curve(low, 2, 2.8, 5.5, 10)
}

// TestManifest: what a browser asks for before it offers to install, and that every picture is there in the size it says.
func TestManifest(t *testing.T) {
	var manifest struct {
		Name     string
		StartURL string `json:"start_url"`
		Display  string
		Icons    []struct{ Src, Sizes, Type, Purpose string }
		Share    struct{ Action, Method, Enctype string } `json:"share_target"`
	}
	if err := json.Unmarshal(read(t, "manifest.webmanifest"), &manifest); err != nil {
		t.Fatal(err)
	}
	if manifest.Name == "" || manifest.StartURL != "/" || manifest.Display != "standalone" || manifest.Share.Action != "share" || manifest.Share.Method != "POST" {
		t.Errorf("got %+v", manifest)
	}
	sizes := map[string]bool{}
	for _, icon := range manifest.Icons {
		b := read(t, icon.Src)
		sizes[icon.Sizes+" "+icon.Purpose] = true
		if icon.Type != "image/png" {
			continue
		}
		if c, err := png.DecodeConfig(bytes.NewReader(b)); err != nil || icon.Sizes != fmt.Sprintf("%dx%d", c.Width, c.Height) {
			t.Errorf("%s: %v, %v", icon.Src, c, err)
		}
	}
	for _, want := range []string{"192x192 ", "512x512 ", "192x192 maskable", "512x512 maskable"} {
		if !sizes[want] {
			t.Errorf("there is no icon of %s", want)
		}
	}
}
