package interop

import (
	"bytes"
	"crypto/rand"
	"errors"
	"io"
	"testing"

	"github.com/tink-crypto/tink-go/v2/streamingaead/subtle"

	"snug/client/e2ee"
)

// The sizes lie around the ends of segments of 128 bytes and of the ones that files have.
var fileShapes = []e2ee.FileShape{
	{Size: 0, Segment: 128}, {Size: 1, Segment: 128}, {Size: 71, Segment: 128}, {Size: 72, Segment: 128}, {Size: 73, Segment: 128}, {Size: 184, Segment: 128}, {Size: 5000, Segment: 128},
	{Size: 0, Segment: e2ee.FileSegment}, {Size: e2ee.FileSegment - 56, Segment: e2ee.FileSegment}, {Size: 2*e2ee.FileSegment + 5, Segment: e2ee.FileSegment},
}

func tink(t *testing.T, key [32]byte, segment int) *subtle.AESGCMHKDF {
	t.Helper()
	a, err := subtle.NewAESGCMHKDF(key[:], "SHA256", 32, segment, 0)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

var fileAAD = []byte("snug/1 file")

func TestTinkOpensOurFiles(t *testing.T) {
	for _, shape := range fileShapes {
		plain := make([]byte, shape.Size)
		rand.Read(plain)
		f, err := e2ee.NewFileSealer(shape, bytes.NewReader(plain), nil)
		if err != nil {
			t.Fatal(err)
		}
		sealed := io.NewSectionReader(f, 0, shape.Sealed())
		r, err := tink(t, f.Key(), shape.Segment).NewDecryptingReader(sealed, fileAAD)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := io.ReadAll(r); err != nil || !bytes.Equal(got, plain) {
			t.Errorf("%+v: got %d bytes, %v", shape, len(got), err)
		}
		sealed.Seek(0, io.SeekStart)
		if r, err = tink(t, f.Key(), shape.Segment).NewDecryptingReader(sealed, []byte("another")); err == nil {
			if got, err := io.ReadAll(r); err == nil || len(got) > 0 {
				t.Errorf("%+v: opened %d bytes under other associated data", shape, len(got))
			}
		}
	}
}

func TestWeOpenTinksFiles(t *testing.T) {
	var key [32]byte
	rand.Read(key[:])
	for _, shape := range fileShapes {
		plain := make([]byte, shape.Size)
		rand.Read(plain)
		for _, aad := range [][]byte{fileAAD, []byte("another")} {
			var sealed, got bytes.Buffer
			w, err := tink(t, key, shape.Segment).NewEncryptingWriter(&sealed, aad)
			if err == nil {
				_, err = w.Write(plain)
			}
			if err == nil {
				err = w.Close()
			}
			if err != nil || int64(sealed.Len()) != shape.Sealed() {
				t.Fatalf("%+v: %d sealed bytes, want %d, %v", shape, sealed.Len(), shape.Sealed(), err)
			}
			o, err := e2ee.NewFileOpener(shape, key, &got)
			if err != nil {
				t.Fatal(err)
			}
			_, err = o.Write(sealed.Bytes())
			err = errors.Join(err, o.Close())
			if ours := bytes.Equal(aad, fileAAD); ours && (err != nil || !bytes.Equal(got.Bytes(), plain)) {
				t.Errorf("%+v: %v", shape, err)
			} else if !ours && (!errors.Is(err, e2ee.ErrDamaged) || got.Len() > 0) {
				t.Errorf("%+v: opened %d bytes under other associated data", shape, got.Len())
			}
		}
	}
}
