package e2ee

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"testing"
)

type (
	shapeCase struct {
		Size     int64 `json:"size"`
		Segment  int   `json:"segment"`
		Segments int64 `json:"segments"` // 0: refused
		Sealed   int64 `json:"sealed"`
	}
	fileCase struct {
		Key     hx     `json:"key"`
		Salt    hx     `json:"salt,omitempty"`
		Prefix  hx     `json:"prefix,omitempty"`
		Size    int64  `json:"size"`
		Segment int    `json:"segment"`
		Plain   hx     `json:"plain,omitempty"`
		Sealed  hx     `json:"sealed"`
		Why     string `json:"why,omitempty"`
	}
)

func fileVectors() map[string]vector {
	return map[string]vector{
		"shape":       casesOf(makeShapes, checkShape),
		"sealFile":    casesOf(makeFiles, checkFile),
		"refusedFile": casesOf(makeRefusedFiles, checkRefusedFile),
	}
}

func makeShapes(*testing.T) (out []shapeCase) {
	for _, s := range []FileShape{
		{0, FileSegment}, {1, FileSegment}, {FileSegment - 57, FileSegment}, {FileSegment - 56, FileSegment}, {FileSegment - 55, FileSegment},
		{3 * FileSegment, FileSegment}, {MaxFile, FileSegment}, {0, 57}, {1, 57}, {2, 57}, {1 << 32, 128}, {MaxFile, 512},
		{-1, FileSegment}, {MaxFile + 1, FileSegment}, {1, 56}, {1, FileSegment + 1}, {MaxFile, 128},
	} {
		c := shapeCase{Size: s.Size, Segment: s.Segment}
		if s.Check() == nil {
			c.Segments, c.Sealed = s.Segments(), s.Sealed()
		}
		out = append(out, c)
	}
	return out
}

func checkShape(t *testing.T, c shapeCase) {
	s := FileShape{c.Size, c.Segment}
	if err := s.Check(); (err != nil) != (c.Segments == 0) {
		t.Errorf("%+v: %v", s, err)
	} else if err == nil && (s.Segments() != c.Segments || s.Sealed() != c.Sealed) {
		t.Errorf("%+v: %d segments, %d bytes; want %d, %d", s, s.Segments(), s.Sealed(), c.Segments, c.Sealed)
	}
}

// smallSegment keeps the vectors short: 72 bytes of a file in the first segment, 112 in each of the others.
const smallSegment = 128

// fileSizes lie at both sides of where a segment ends.
var fileSizes = []int{0, 1, 71, 72, 73, 183, 184, 185, 500}

func filePlain(n int) []byte {
	b := make([]byte, n)
	must((&stream{name: "file"}).Read(b))
	return b
}

func makeFile(size, segment int) fileCase {
	key, salt, prefix := fixed("file key"), fixed("file salt"), fixed("file prefix")
	c := fileCase{Key: key[:], Salt: salt[:], Prefix: prefix[:prefixSize], Size: int64(size), Segment: segment, Plain: filePlain(size)}
	c.Sealed = sealFile(c)
	return c
}

func (c fileCase) shape() FileShape { return FileShape{c.Size, c.Segment} }

// sealer is one whose draws are those of the case.
func (c fileCase) sealer() *FileSealer {
	draws := slices.Concat(c.Key, c.Salt, c.Prefix, make([]byte, 32-prefixSize))
	return must(NewFileSealer(c.shape(), bytes.NewReader(c.Plain), bytes.NewReader(draws)))
}

func sealFile(c fileCase) []byte {
	sealed := make([]byte, c.shape().Sealed())
	if n, err := c.sealer().ReadAt(sealed, 0); n != len(sealed) {
		panic(err)
	}
	return sealed
}

func openFile(shape FileShape, key [32]byte, sealed []byte) ([]byte, error) {
	var out bytes.Buffer
	o, err := NewFileOpener(shape, key, &out)
	if err != nil {
		return nil, err
	}
	if _, err := o.Write(sealed); err != nil {
		return out.Bytes(), err
	}
	return out.Bytes(), o.Close()
}

func makeFiles(*testing.T) (out []fileCase) {
	for _, size := range fileSizes {
		out = append(out, makeFile(size, smallSegment))
	}
	return append(out, makeFile(3, 57))
}

func checkFile(t *testing.T, c fileCase) {
	same(t, "sealed", sealFile(c), c.Sealed)
	plain, err := openFile(c.shape(), [32]byte(c.Key), c.Sealed)
	if err != nil {
		t.Errorf("%d bytes: %v", c.Size, err)
	}
	same(t, "plain", plain, c.Plain)
}

// makeRefusedFiles damages files of one, and of three segments, in every way that a relay could.
func makeRefusedFiles(*testing.T) (out []fileCase) {
	refuse := func(c fileCase, why string, damage func(*fileCase)) {
		c.Sealed, c.Key = bytes.Clone(c.Sealed), bytes.Clone(c.Key)
		damage(&c)
		c.Plain, c.Salt, c.Prefix, c.Why = nil, nil, nil, why
		out = append(out, c)
	}
	one, three := makeFile(10, smallSegment), makeFile(250, smallSegment)
	for _, c := range []fileCase{one, three} {
		refuse(c, "cut off", func(c *fileCase) { c.Sealed = c.Sealed[:len(c.Sealed)-1] })
		refuse(c, "nothing but the header", func(c *fileCase) { c.Sealed = c.Sealed[:fileHeader] })
		refuse(c, "empty", func(c *fileCase) { c.Sealed = nil })
		refuse(c, "a byte too many", func(c *fileCase) { c.Sealed = append(c.Sealed, 0) })
		refuse(c, "wrong key", func(c *fileCase) { c.Key[0] ^= 1 })
		refuse(c, "length of the header", func(c *fileCase) { c.Sealed[0]++ })
		refuse(c, "salt", func(c *fileCase) { c.Sealed[1] ^= 1 })
		refuse(c, "prefix", func(c *fileCase) { c.Sealed[fileHeader-1] ^= 1 })
		refuse(c, "first byte of the text", func(c *fileCase) { c.Sealed[fileHeader] ^= 1 })
		refuse(c, "last byte of the tag", func(c *fileCase) { c.Sealed[len(c.Sealed)-1] ^= 0x80 })
		refuse(c, "other size in the descriptor", func(c *fileCase) { c.Size-- })
		refuse(c, "other segment in the descriptor", func(c *fileCase) { c.Segment = 57 })
	}
	refuse(three, "cut at a segment, and the size made to fit", func(c *fileCase) { c.Sealed, c.Size = c.Sealed[:2*smallSegment], 72+112 })
	refuse(three, "two segments changed places", func(c *fileCase) {
		first := bytes.Clone(c.Sealed[smallSegment : 2*smallSegment])
		copy(c.Sealed[smallSegment:], c.Sealed[2*smallSegment:])
		copy(c.Sealed[len(c.Sealed)-smallSegment:], first)
	})
	refuse(three, "a segment left out, and the size made to fit", func(c *fileCase) {
		c.Sealed, c.Size = slices.Delete(c.Sealed, smallSegment, 2*smallSegment), c.Size-112
	})
	refuse(three, "a segment of another file with the same key", func(c *fileCase) {
		other := makeFile(250, smallSegment)
		other.Salt = bytes.Repeat([]byte{7}, saltSize)
		copy(c.Sealed[smallSegment:2*smallSegment], sealFile(other)[smallSegment:])
	})
	refuse(one, "other associated data", func(c *fileCase) { c.Sealed = sealFileOf(one, strings.ToUpper(fileAAD)) })
	return out
}

func checkRefusedFile(t *testing.T, c fileCase) {
	if _, err := openFile(c.shape(), [32]byte(c.Key), c.Sealed); !errors.Is(err, ErrDamaged) {
		t.Errorf("%s: got %v, want %v", c.Why, err, ErrDamaged)
	}
}
