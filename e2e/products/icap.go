package products

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http/httputil"
	"net/textproto"
	"strconv"
	"strings"
	"sync"
	"testing"
)

// startICAP starts a content scanner that finds nothing, and returns its host:port. It wants to see 1 KiB of each answer first, as such scanners
// do, and then all the rest before it lets anything go; with only that KiB it is content if the beginning is enough for it. It speaks as much
// of ICAP (RFC 3507) as squid asks for: OPTIONS and RESPMOD. Squid 5.7 itself gives up on answers over 64 KiB for a scanner without a preview.
func startICAP(t testing.TB, beginning bool) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &scanner{beginning: beginning, open: map[net.Conn]bool{}}
	s.wg.Go(func() { s.serve(ln) })
	t.Cleanup(func() {
		ln.Close()
		s.close()
	})
	return ln.Addr().String()
}

type scanner struct {
	beginning bool // static
	wg        sync.WaitGroup
	mu        sync.Mutex
	open      map[net.Conn]bool // guarded by mu; nil when closed
}

func (s *scanner) serve(ln net.Listener) {
	for {
		c, err := ln.Accept()
		if err != nil {
			return
		}
		s.mu.Lock()
		if s.open == nil {
			c.Close()
		} else {
			s.open[c] = true
			s.wg.Go(func() { s.scan(c) })
		}
		s.mu.Unlock()
	}
}

func (s *scanner) close() {
	s.mu.Lock()
	for c := range s.open {
		c.Close()
	}
	s.open = nil
	s.mu.Unlock()
	s.wg.Wait()
}

// scan serves one connection of the proxy.
func (s *scanner) scan(c net.Conn) {
	defer c.Close()
	r := bufio.NewReader(c)
	for {
		answer, err := s.answer(r, c)
		if err != nil {
			return
		}
		if _, err := c.Write(answer); err != nil {
			return
		}
	}
}

// answer reads one request, asking w for the rest of what it saw the beginning of, and says what to answer.
func (s *scanner) answer(r *bufio.Reader, w io.Writer) ([]byte, error) {
	tp := textproto.NewReader(r)
	line, err := tp.ReadLine()
	if err != nil {
		return nil, err
	}
	header, err := tp.ReadMIMEHeader()
	if err != nil {
		return nil, err
	}
	if strings.HasPrefix(line, "OPTIONS ") {
		return []byte("ICAP/1.0 200 OK\r\nMethods: RESPMOD\r\nISTag: \"snug\"\r\nAllow: 204\r\nEncapsulated: null-body=0\r\nPreview: 1024\r\nTransfer-Preview: *\r\n\r\n"), nil
	}
	parts := strings.Split(header.Get("Encapsulated"), ",")
	heads, body := 0, false // bytes of the encapsulated headers; whether a body follows
	begin := 0              // of the answer's headers
	for _, p := range parts {
		name, at, _ := strings.Cut(strings.TrimSpace(p), "=")
		n, err := strconv.Atoi(at)
		if err != nil {
			return nil, err
		}
		switch name {
		case "res-hdr":
			begin = n
		case "res-body", "null-body":
			heads, body = n, name == "res-body"
		}
	}
	head := make([]byte, heads)
	if _, err := io.ReadFull(r, head); err != nil {
		return nil, err
	}
	const harmless = "ICAP/1.0 204 No Content\r\nISTag: \"snug\"\r\n\r\n"
	if !body {
		return []byte(harmless), nil
	}
	scanned, all, err := chunks(tp)
	if err != nil {
		return nil, err
	}
	if s.beginning {
		return []byte(harmless), nil
	}
	if header.Get("Preview") != "" && !all {
		if _, err := io.WriteString(w, "ICAP/1.0 100 Continue\r\n\r\n"); err != nil {
			return nil, err
		}
		rest, _, err := chunks(tp)
		if err != nil {
			return nil, err
		}
		scanned = append(scanned, rest...)
	}
	return whole(head[begin:], scanned), nil
}

// chunks reads a body up to its last chunk; all: that one says that nothing follows the preview.
func chunks(tp *textproto.Reader) (body []byte, all bool, err error) {
	for {
		line, err := tp.ReadLine()
		if err != nil {
			return nil, false, err
		}
		size, extension, _ := strings.Cut(line, ";")
		n, err := strconv.ParseUint(strings.TrimSpace(size), 16, 31)
		if err != nil {
			return nil, false, err
		}
		body = append(body, make([]byte, n)...)
		if _, err := io.ReadFull(tp.R, body[len(body)-int(n):]); err != nil {
			return nil, false, err
		}
		if _, err := tp.ReadLine(); err != nil { // the end of the chunk
			return nil, false, err
		}
		if n == 0 {
			return body, strings.TrimSpace(extension) == "ieof", nil
		}
	}
}

// whole gives the proxy the answer back as it was.
func whole(head, body []byte) []byte {
	var out bytes.Buffer
	fmt.Fprintf(&out, "ICAP/1.0 200 OK\r\nISTag: \"snug\"\r\nEncapsulated: res-hdr=0, res-body=%d\r\n\r\n", len(head))
	out.Write(head)
	w := httputil.NewChunkedWriter(&out)
	w.Write(body)
	w.Close()
	out.WriteString("\r\n")
	return out.Bytes()
}
