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

// startICAP starts a content scanner that finds nothing, and returns its host:port. It reads the whole answer before it lets it go; with
// a preview, only that many bytes. It speaks as much of ICAP (RFC 3507) as squid asks for: OPTIONS and RESPMOD.
func startICAP(t testing.TB, preview int) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &scanner{preview: preview, open: map[net.Conn]bool{}}
	s.wg.Go(func() { s.serve(ln) })
	t.Cleanup(func() {
		ln.Close()
		s.close()
	})
	return ln.Addr().String()
}

type scanner struct {
	preview int // static
	wg      sync.WaitGroup
	mu      sync.Mutex
	open    map[net.Conn]bool // guarded by mu; nil when closed
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
		answer, err := s.answer(r)
		if err != nil {
			return
		}
		if _, err := c.Write(answer); err != nil {
			return
		}
	}
}

// answer reads one request and says what to answer.
func (s *scanner) answer(r *bufio.Reader) ([]byte, error) {
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
		options := "ICAP/1.0 200 OK\r\nMethods: RESPMOD\r\nISTag: \"snug\"\r\nAllow: 204\r\nEncapsulated: null-body=0\r\n"
		if s.preview > 0 {
			options += fmt.Sprintf("Preview: %d\r\nTransfer-Preview: *\r\n", s.preview)
		}
		return []byte(options + "\r\n"), nil
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
	if !body {
		return []byte("ICAP/1.0 204 No Content\r\nISTag: \"snug\"\r\n\r\n"), nil
	}
	var scanned bytes.Buffer
	if _, err := scanned.ReadFrom(httputil.NewChunkedReader(r)); err != nil {
		return nil, err
	}
	if _, err := tp.ReadLine(); err != nil { // after the last chunk
		return nil, err
	}
	if s.preview > 0 { // enough to know that it is harmless
		return []byte("ICAP/1.0 204 No Content\r\nISTag: \"snug\"\r\n\r\n"), nil
	}
	return whole(head[begin:], scanned.Bytes()), nil
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
