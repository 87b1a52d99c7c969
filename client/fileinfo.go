package client

import (
	"bytes"
	"encoding/json"
	"math"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"snug/client/e2ee"
	"snug/wire"
)

// FileInfo describes a file that a member sends. What is in it comes from that member and was brought within bounds; Name is a name and no path.
type FileInfo struct {
	Ref      Ref     `json:"ref"`
	Name     string  `json:"name"`
	Type     string  `json:"type"` // MIME
	Size     int64   `json:"size"`
	Width    int     `json:"width,omitempty"` // of a picture or video, in pixels
	Height   int     `json:"height,omitempty"`
	Duration float64 `json:"duration,omitempty"` // of a sound or video, in seconds
	Thumb    []byte  `json:"thumb,omitempty"`    // a small picture, JPEG or WebP
	Segment  int     `json:"segment"`            // with Size, how it is sealed
	Key      []byte  `json:"key,omitempty"`      // what opens it; a secret

	// Transfer is that in which the file was on its way when it was announced; nil: it comes when somebody asks.
	Transfer *Transfer `json:"transfer,omitempty"`
}

func (f *FileInfo) shape() e2ee.FileShape { return e2ee.FileShape{Size: f.Size, Segment: f.Segment} }

// descriptor is FileInfo as it goes through the room.
type descriptor struct {
	Key      wire.Bytes `json:"key"`
	Size     int64      `json:"size"`
	Segment  int        `json:"segment"`
	Name     string     `json:"name"`
	Type     string     `json:"type"`
	Width    number     `json:"width,omitempty"`
	Height   number     `json:"height,omitempty"`
	Duration number     `json:"duration,omitempty"`
	Thumb    wire.Bytes `json:"thumb,omitempty"`
}

// number is one that is only shown, so whatever else is there instead is no reason to refuse the rest.
type number float64

func (n *number) UnmarshalJSON(b []byte) error {
	var f float64
	if json.Unmarshal(b, &f) == nil {
		*n = number(f)
	}
	return nil
}

const (
	maxName   = 255      // bytes, as most file systems have it
	maxThumb  = 12 << 10 // bytes
	maxPixels = 1 << 16  // a side
	maxLength = 1e7      // seconds
	plainType = "application/octet-stream"
)

var mimeType = regexp.MustCompile(`^[a-zA-Z0-9][a-zA-Z0-9!#$&^_.+-]{0,63}/[a-zA-Z0-9][a-zA-Z0-9!#$&^_.+-]{0,63}$`)

// info checks a descriptor. What it takes to fetch the file must be right; what is for show is dropped if it is not.
func (d *descriptor) info(ref Ref) (*FileInfo, error) {
	f := &FileInfo{Ref: ref, Name: cleanName(d.Name), Type: plainType, Size: d.Size, Segment: d.Segment, Key: d.Key}
	if len(d.Key) != 32 {
		return nil, wire.ErrMalformed
	}
	if err := f.shape().Check(); err != nil {
		return nil, err
	}
	if mimeType.MatchString(d.Type) {
		f.Type = strings.ToLower(d.Type)
	}
	if w, h := d.Width, d.Height; w >= 1 && h >= 1 && w < maxPixels && h < maxPixels {
		f.Width, f.Height = int(w), int(h)
	}
	if d.Duration > 0 && d.Duration < maxLength {
		f.Duration = math.Round(float64(d.Duration)*1000) / 1000
	}
	if isThumb(d.Thumb) {
		f.Thumb = d.Thumb
	}
	return f, nil
}

// isThumb: nothing but the two kinds that are meant to be there reaches a decoder.
func isThumb(b []byte) bool {
	return len(b) <= maxThumb && (bytes.HasPrefix(b, []byte("\xff\xd8\xff")) || len(b) > 12 && string(b[:4]) == "RIFF" && string(b[8:12]) == "WEBP")
}

// cleanName makes of what somebody calls a file a name that is harmless wherever it is shown or written: no path, no control or
// invisible characters that turn text around, nothing hidden, nothing that a system takes for something else.
func cleanName(name string) string {
	name = strings.ToValidUTF8(name, "_")
	if i := strings.LastIndexAny(name, `/\`); i >= 0 {
		name = name[i+1:]
	}
	name = strings.Map(func(r rune) rune {
		switch {
		case strings.ContainsRune(`<>:"|?*`, r):
			return '_'
		case unicode.Is(unicode.Cf, r) || !unicode.IsGraphic(r):
			return -1
		}
		return r
	}, name)
	name = strings.TrimRight(strings.TrimLeft(name, " ."), " .")
	if stem, _, _ := strings.Cut(name, "."); reserved.MatchString(strings.TrimSpace(stem)) {
		name = "_" + name
	}
	if name = shorten(name, maxName); name == "" {
		return "file"
	}
	return name
}

// reserved are the names of devices on Windows.
var reserved = regexp.MustCompile(`(?i)^(con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³])$`)

// shorten cuts the name to n bytes, and keeps its ending if that is one.
func shorten(name string, n int) string {
	if len(name) <= n {
		return name
	}
	end := ""
	if i := strings.LastIndexByte(name, '.'); i > 0 && len(name)-i <= 16 {
		end = name[i:]
	}
	cut := n - len(end)
	for !utf8.RuneStart(name[cut]) {
		cut--
	}
	return strings.TrimRight(name[:cut], " .") + end
}

// Transfer is one passage of a file through the relay: chunk N of it holds Piece bytes of the sealed file from From + N*Piece on.
type Transfer struct {
	ID    wire.FileID `json:"id"`
	From  int64       `json:"from"`
	Piece int64       `json:"piece"`
}

// maxPiece is more than any relay takes.
const maxPiece = 4 << 20

// check tells whether it can be a transfer of a file of so many sealed bytes.
func (t *Transfer) check(sealed int64) error {
	if t.ID == (wire.FileID{}) || t.From < 0 || t.From >= sealed || t.Piece < 1 || t.Piece > maxPiece || (sealed-t.From-1)/t.Piece > math.MaxUint32 {
		return wire.ErrMalformed
	}
	return nil
}

// chunk is number n, and where it lies.
func (t *Transfer) chunk(n uint32, sealed int64) (id wire.ChunkID, from int64, size int) {
	from = t.From + int64(n)*t.Piece
	return wire.ChunkID{File: t.ID, N: n}, from, int(min(t.Piece, sealed-from))
}
