package e2ee

import (
	"bytes"
	"crypto/hkdf"
	"crypto/sha256"
	"errors"
	"io"
	"slices"
	"testing"
)

// sealFileOf seals a file of one segment under other associated data.
func sealFileOf(c fileCase, aad string) []byte {
	derived := must(hkdf.Key(sha256.New, c.Key, c.Salt, aad, 32))
	nonce := slices.Concat(c.Prefix, []byte{0, 0, 0, 0, 1})
	return newGCM([32]byte(derived)).Seal(bytes.Clone(c.Sealed[:fileHeader]), nonce, c.Plain, nil)
}

// A sealed file is the same bytes wherever reading begins and however it is cut.
func TestFileFromAnyPlace(t *testing.T) {
	c := makeFile(500, smallSegment)
	f := c.sealer()
	for _, piece := range []int{1, 7, smallSegment, 1000} {
		for off := 0; off <= len(c.Sealed); off += 13 {
			got, err := io.ReadAll(io.NewSectionReader(f, int64(off), 1<<40))
			if err != nil || !bytes.Equal(got, c.Sealed[off:]) {
				t.Fatalf("from %d: %v", off, err)
			}
			p := make([]byte, piece)
			n, err := f.ReadAt(p, int64(off))
			if want := min(piece, len(c.Sealed)-off); n != want || !bytes.Equal(p[:n], c.Sealed[off:off+want]) || (n < piece) != (err == io.EOF) {
				t.Fatalf("%d bytes from %d: %d, %v", piece, off, n, err)
			}
		}
	}
}

func TestFileOpensInAnyPieces(t *testing.T) {
	for _, size := range fileSizes {
		c := makeFile(size, smallSegment)
		for _, piece := range []int{1, 2, 39, 40, 41, smallSegment} {
			var out bytes.Buffer
			o := must(NewFileOpener(c.shape(), [32]byte(c.Key), &out))
			for part := range slices.Chunk([]byte(c.Sealed), piece) {
				if n, err := o.Write(part); n != len(part) || err != nil {
					t.Fatalf("%d bytes in pieces of %d: %v", size, piece, err)
				}
			}
			if err := o.Close(); err != nil || !bytes.Equal(out.Bytes(), c.Plain) || o.Offset() != int64(len(c.Sealed)) {
				t.Errorf("%d bytes in pieces of %d: %v", size, piece, err)
			}
		}
	}
}

// What is not proved genuine never reaches the writer, and what was refused once stays refused.
func TestFileOpenerWritesOnlyWhatIsGenuine(t *testing.T) {
	c := makeFile(250, smallSegment)
	bad := bytes.Clone(c.Sealed)
	bad[smallSegment] ^= 1 // in the second segment
	var out bytes.Buffer
	o := must(NewFileOpener(c.shape(), [32]byte(c.Key), &out))
	if _, err := o.Write(bad); !errors.Is(err, ErrDamaged) || !bytes.Equal(out.Bytes(), c.Plain[:72]) {
		t.Fatalf("got %d bytes and %v", out.Len(), err)
	}
	if _, err := o.Write(c.Sealed[smallSegment:]); !errors.Is(err, ErrDamaged) {
		t.Errorf("went on after damage: %v", err)
	}
	if err := o.Close(); !errors.Is(err, ErrDamaged) {
		t.Errorf("closed with %v", err)
	}
}

func TestFileOpenerTellsTheWritersError(t *testing.T) {
	c, broken := makeFile(250, smallSegment), errors.New("disk full")
	o := must(NewFileOpener(c.shape(), [32]byte(c.Key), errWriter{broken}))
	if _, err := o.Write(c.Sealed); !errors.Is(err, broken) {
		t.Errorf("got %v, want %v", err, broken)
	}
	if err := o.Close(); !errors.Is(err, broken) {
		t.Errorf("closed with %v, want %v", err, broken)
	}
}

type errWriter struct{ err error }

func (w errWriter) Write([]byte) (int, error) { return 0, w.err }

// A file that changes on the disk between two sendings must not be sealed under the same nonces.
func TestFileThatChangedIsNotSealedAgain(t *testing.T) {
	c := makeFile(250, smallSegment)
	f, p := c.sealer(), make([]byte, len(c.Sealed))
	if _, err := f.ReadAt(p, 0); err != nil {
		t.Fatal(err)
	}
	c.Plain[80] ^= 1 // in the second segment; the sealer reads this very slice
	if n, err := f.ReadAt(p, 0); !errors.Is(err, ErrFileChanged) || n != smallSegment {
		t.Errorf("changed: gave %d bytes and %v", n, err)
	}
	if _, err := f.ReadAt(p[:20], 2*smallSegment); err != nil {
		t.Errorf("the third segment is the same as before: %v", err)
	}
	c.Plain[80] ^= 1
	if _, err := f.ReadAt(p, 0); err != nil || !bytes.Equal(p, c.Sealed) {
		t.Errorf("changed back: %v", err)
	}
	short := must(NewFileSealer(c.shape(), bytes.NewReader(c.Plain[:100]), nil))
	if _, err := short.ReadAt(p, 0); !errors.Is(err, ErrFileChanged) {
		t.Errorf("shorter than it was: %v", err)
	}
	broken := errors.New("bad sector")
	torn := must(NewFileSealer(c.shape(), errReader{broken}, nil))
	if _, err := torn.ReadAt(p, 0); !errors.Is(err, broken) {
		t.Errorf("got %v, want %v", err, broken)
	}
}

type errReader struct{ err error }

func (r errReader) ReadAt([]byte, int64) (int, error) { return 0, r.err }

func TestFilesDrawTheirOwnKeys(t *testing.T) {
	c := makeFile(10, smallSegment)
	a, b := must(NewFileSealer(c.shape(), bytes.NewReader(c.Plain), nil)), must(NewFileSealer(c.shape(), bytes.NewReader(c.Plain), nil))
	if a.Key() == b.Key() || bytes.Equal(a.header, b.header) {
		t.Error("two files have the same key or header")
	}
	if _, err := NewFileSealer(FileShape{-1, FileSegment}, nil, nil); !errors.Is(err, ErrMalformed) {
		t.Errorf("a negative size: %v", err)
	}
	if _, err := NewFileSealer(c.shape(), nil, bytes.NewReader(make([]byte, 70))); err == nil {
		t.Error("no randomness, and no error")
	}
}

func FuzzFileOpener(f *testing.F) {
	for _, size := range fileSizes {
		f.Add(int64(size), smallSegment, []byte(makeFile(size, smallSegment).Sealed), 50)
	}
	for _, c := range makeRefusedFiles(nil) {
		f.Add(c.Size, c.Segment, []byte(c.Sealed), 1)
	}
	key := fixed("file key")
	f.Fuzz(func(t *testing.T, size int64, segment int, sealed []byte, piece int) {
		shape := FileShape{size, segment}
		var out bytes.Buffer
		o, err := NewFileOpener(shape, key, &out)
		if err != nil {
			return
		}
		for part := range slices.Chunk(sealed, max(1, piece)) {
			if _, err = o.Write(part); err != nil {
				break
			}
		}
		whole := o.Close() == nil
		if whole != (err == nil && int64(len(sealed)) == shape.Sealed()) || (whole && int64(out.Len()) != size) {
			t.Errorf("%d of %d bytes, whole: %v, %v", len(sealed), shape.Sealed(), whole, err)
		}
		if all := filePlain(500); out.Len() > 500 || !bytes.HasPrefix(all, out.Bytes()) {
			t.Error("gave bytes that nobody sealed")
		}
	})
}

func BenchmarkFileSeal(b *testing.B) {
	shape := FileShape{16 << 20, FileSegment}
	plain, piece := make([]byte, shape.Size), make([]byte, FileSegment)
	b.SetBytes(shape.Size)
	b.ReportAllocs()
	for b.Loop() {
		f := must(NewFileSealer(shape, bytes.NewReader(plain), nil))
		for off := int64(0); off < shape.Sealed(); off += FileSegment {
			if _, err := f.ReadAt(piece, off); err != nil && err != io.EOF {
				b.Fatal(err)
			}
		}
	}
}

func BenchmarkFileOpen(b *testing.B) {
	shape := FileShape{16 << 20, FileSegment}
	f := must(NewFileSealer(shape, bytes.NewReader(make([]byte, shape.Size)), nil))
	sealed := must(io.ReadAll(io.NewSectionReader(f, 0, shape.Sealed())))
	b.SetBytes(shape.Size)
	b.ReportAllocs()
	for b.Loop() {
		o := must(NewFileOpener(shape, f.Key(), io.Discard))
		if _, err := o.Write(sealed); err != nil {
			b.Fatal(err)
		}
		if err := o.Close(); err != nil {
			b.Fatal(err)
		}
	}
}
