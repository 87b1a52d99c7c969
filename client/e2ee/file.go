package e2ee

import (
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"io"
)

// FileSegment is the segment that files are sealed with: large enough that its tag is nothing, small enough to be held in memory.
const FileSegment = 1 << 20

// MaxFile is the largest file, in bytes.
const MaxFile = 1 << 40

const (
	fileAAD    = label + "file"
	saltSize   = 32
	prefixSize = 7
	fileHeader = 1 + saltSize + prefixSize
	minSegment = fileHeader + tagSize + 1 // the first one must hold a byte
)

// FileShape says how long a file is and how it is cut: what it takes to know where every byte of the sealed file belongs.
type FileShape struct {
	Size    int64 // bytes of the file
	Segment int   // bytes of a sealed segment; the last one may be shorter
}

// Check fails with ErrMalformed for a shape that no file has. The other methods are for shapes that passed.
func (s FileShape) Check() error {
	if s.Size < 0 || s.Size > MaxFile || s.Segment < minSegment || s.Segment > FileSegment || s.Segments() > 1<<32 {
		return fmt.Errorf("file: %w: size or segment", ErrMalformed)
	}
	return nil
}

// Segments is how many segments the sealed file has; an empty file has one.
func (s FileShape) Segments() int64 {
	body := int64(s.Segment - tagSize)
	return max(1, (s.Size+fileHeader+body-1)/body)
}

// Sealed is the length of the sealed file.
func (s FileShape) Sealed() int64 { return fileHeader + s.Size + tagSize*s.Segments() }

// plain is where segment i lies in the file.
func (s FileShape) plain(i int64) (from int64, n int) {
	body := int64(s.Segment - tagSize)
	from = max(0, i*body-fileHeader)
	return from, int(min((i+1)*body-fileHeader, s.Size) - from)
}

// sealed is where segment i lies in the sealed file. The header belongs to none.
func (s FileShape) sealed(i int64) (from int64, n int) {
	_, n = s.plain(i)
	return max(fileHeader, i*int64(s.Segment)), n + tagSize
}

// fileCipher is AES256_GCM_HKDF streaming of Tink for one file.
type fileCipher struct {
	FileShape
	gcm    cipher.AEAD
	prefix [prefixSize]byte
}

// newFileCipher takes the header apart. It fails with ErrDamaged.
func newFileCipher(shape FileShape, key [32]byte, header []byte) (*fileCipher, error) {
	if len(header) != fileHeader || header[0] != fileHeader {
		return nil, fmt.Errorf("file: %w: header", ErrDamaged)
	}
	derived, err := hkdf.Key(sha256.New, key[:], header[1:1+saltSize], fileAAD, 32)
	if err != nil {
		panic("e2ee: HKDF of 32 bytes: " + err.Error()) // only asked for lengths beyond 8,160 does it fail
	}
	defer clear(derived)
	return &fileCipher{shape, newGCM([32]byte(derived)), [prefixSize]byte(header[1+saltSize:])}, nil
}

// nonce is the prefix, the number of the segment, and whether it is the last.
func (c *fileCipher) nonce(i int64) []byte {
	last := byte(0)
	if i == c.Segments()-1 {
		last = 1
	}
	return append(binary.BigEndian.AppendUint32(c.prefix[:prefixSize:prefixSize], uint32(i)), last)
}

// FileSealer is a file as it goes out: sealed, and readable from any place, so that what the network lost can be sent again. It holds two
// segments, and 16 bytes for each one sealed. It is not safe for concurrent use.
type FileSealer struct {
	*fileCipher
	key    [32]byte
	header []byte
	src    io.ReaderAt
	in     []byte
	out    []byte // segment at
	at     int64
	tags   map[int64][tagSize]byte
}

// NewFileSealer draws the keys of a file; src is read when ReadAt needs it. A nil r is crypto/rand. It fails with ErrMalformed for a
// shape that cannot be.
func NewFileSealer(shape FileShape, src io.ReaderAt, r io.Reader) (*FileSealer, error) {
	if err := shape.Check(); err != nil {
		return nil, err
	}
	var drawn [3][32]byte
	for i := range drawn {
		var err error
		if drawn[i], err = random(r); err != nil {
			return nil, err
		}
	}
	header := append([]byte{fileHeader}, drawn[1][:]...)
	header = append(header, drawn[2][:prefixSize]...)
	c, err := newFileCipher(shape, drawn[0], header)
	if err != nil {
		return nil, err
	}
	return &FileSealer{fileCipher: c, key: drawn[0], header: header, src: src, at: -1, tags: map[int64][tagSize]byte{}}, nil
}

// Key opens the file; a secret.
func (f *FileSealer) Key() [32]byte { return f.key }

// ReadAt reads the sealed file as io.ReaderAt does. It fails with ErrFileChanged if a segment that went out before would be another one
// now: the same key and nonce must never seal two texts.
func (f *FileSealer) ReadAt(p []byte, off int64) (n int, err error) {
	if off < 0 {
		return 0, fmt.Errorf("file: %w: offset", ErrMalformed)
	}
	for n < len(p) {
		at := off + int64(n)
		switch {
		case at >= f.Sealed():
			return n, io.EOF
		case at < fileHeader:
			n += copy(p[n:], f.header[at:])
		default:
			i := at / int64(f.Segment)
			if err := f.load(i); err != nil {
				return n, err
			}
			from, _ := f.sealed(i)
			n += copy(p[n:], f.out[at-from:])
		}
	}
	return n, nil
}

// load seals segment i.
func (f *FileSealer) load(i int64) error {
	if i == f.at {
		return nil
	}
	from, n := f.plain(i)
	if f.in == nil {
		f.in = make([]byte, min(f.Size, int64(f.Segment)))
	}
	plain := f.in[:n]
	if got, err := f.src.ReadAt(plain, from); got < n {
		if err == io.EOF {
			return fmt.Errorf("file: %w: it is shorter", ErrFileChanged)
		}
		return fmt.Errorf("file: %w", err)
	}
	f.at = -1
	f.out = f.gcm.Seal(f.out[:0], f.nonce(i), plain, nil)
	tag := [tagSize]byte(f.out[n:])
	if was, again := f.tags[i]; again && was != tag {
		return fmt.Errorf("file: %w", ErrFileChanged)
	}
	f.tags[i] = tag
	f.at = i
	return nil
}

// FileOpener takes a sealed file in order, in pieces of any size, and writes what it opens to a writer, whole segments at a time and nothing
// that was not proved genuine. It holds one segment. It is not safe for concurrent use.
type FileOpener struct {
	shape  FileShape
	key    [32]byte
	w      io.Writer
	cipher *fileCipher // nil until the header is there
	held   []byte      // the beginning of the next segment, or of the header
	next   int64       // the next segment
	at     int64       // bytes taken
	err    error       // why it takes no more
}

// NewFileOpener begins a file. It fails with ErrMalformed for a shape that cannot be.
func NewFileOpener(shape FileShape, key [32]byte, w io.Writer) (*FileOpener, error) {
	if err := shape.Check(); err != nil {
		return nil, err
	}
	return &FileOpener{shape: shape, key: key, w: w}, nil
}

// Offset is how much of the sealed file was taken.
func (f *FileOpener) Offset() int64 { return f.at }

// Write takes what comes next of the sealed file. It fails with ErrDamaged, also for bytes after the end, or with the error of the writer,
// and then for good.
func (f *FileOpener) Write(p []byte) (n int, err error) {
	for len(p) > 0 && f.err == nil {
		want := f.want()
		if want == 0 {
			f.err = fmt.Errorf("file: %w: more than the file", ErrDamaged)
			break
		}
		take := p[:min(len(p), want-len(f.held))]
		f.held = append(f.held, take...)
		p, n, f.at = p[len(take):], n+len(take), f.at+int64(len(take))
		if len(f.held) == want {
			f.err = f.step()
			f.held = f.held[:0]
		}
	}
	return n, f.err
}

// want is how long the header or segment is that comes next; 0 after the last.
func (f *FileOpener) want() int {
	if f.cipher == nil {
		return fileHeader
	}
	if f.next == f.shape.Segments() {
		return 0
	}
	_, n := f.shape.sealed(f.next)
	return n
}

func (f *FileOpener) step() (err error) {
	if f.cipher == nil {
		f.cipher, err = newFileCipher(f.shape, f.key, f.held)
		return err
	}
	plain, err := f.cipher.gcm.Open(f.held[:0], f.cipher.nonce(f.next), f.held, nil)
	if err != nil {
		return fmt.Errorf("file: %w", ErrDamaged)
	}
	f.next++
	if _, err = f.w.Write(plain); err != nil {
		return fmt.Errorf("file: %w", err)
	}
	return nil
}

// Close tells whether the file is whole: it fails with ErrDamaged if something is missing, or as Write did. It erases the key.
func (f *FileOpener) Close() error {
	clear(f.key[:])
	if f.err == nil && f.want() != 0 {
		f.err = fmt.Errorf("file: %w: it ends too early", ErrDamaged)
	}
	err := f.err
	if f.err == nil {
		f.err = ErrClosed
	}
	return err
}
