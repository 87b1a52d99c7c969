//go:build linux

package main

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"
	"time"
)

// unchunk passes on what is in the chunks.
func (s *stream) unchunk(b []byte, part func([]byte) error) error {
	if !s.chunked {
		return part(b)
	}
	for len(b) > 0 {
		if s.left > 0 {
			n := min(s.left, len(b))
			data := b[:n]
			s.left -= n
			b = b[n:]
			if s.left < 2 { // of the line end behind the chunk
				data = data[:max(0, len(data)-(2-s.left))]
			}
			if err := part(data); err != nil {
				return err
			}
			continue
		}
		i := bytes.IndexByte(b, '\n')
		if i < 0 {
			s.size = append(s.size, b...)
			return nil
		}
		s.size = append(s.size, b[:i]...)
		b = b[i+1:]
		n, err := strconv.ParseUint(string(bytes.TrimSpace(s.size)), 16, 31)
		if err != nil {
			return fmt.Errorf("chunk size %q", s.size)
		}
		s.size = s.size[:0]
		if n == 0 {
			return nil
		}
		s.left = int(n) + 2
	}
	return nil
}

// lines reads the complete lines.
func (r *reader) lines(s *stream, b []byte, now time.Time, at int64) error {
	end := bytes.LastIndexByte(b, '\n')
	if end < 0 {
		s.tail = append(s.tail, b...)
		return nil
	}
	whole := b[:end+1]
	if len(s.tail) > 0 {
		whole = append(s.tail, whole...)
	}
	if !s.hello {
		s.hello = true
		r.hellos.Add(1)
	}
	came := false
	for rest := whole; ; came = true {
		i := bytes.Index(rest, []byte(mark))
		if i < 0 || len(rest) < i+markSize {
			break
		}
		m := rest[i+len(mark) : i+markSize]
		rest = rest[i+markSize:]
		number, err1 := strconv.ParseUint(string(m[8:18]), 10, 64)
		sent, err2 := strconv.ParseInt(string(m[18:]), 10, 64)
		if err := errors.Join(err1, err2); err != nil {
			return err
		}
		switch {
		case number == s.last:
			r.doubled++
		case number < s.last:
			r.disorder++
		default:
			s.last = number
			s.count++
			s.seen = at
			r.counted.Add(1)
			r.late = append(r.late, uint32(max(0, at-sent)))
		}
		s.acks.Handled(now, false)
	}
	if r.ack != nil {
		i := bytes.LastIndex(whole, []byte("\nid: "))
		if i < 0 && bytes.HasPrefix(whole, []byte("id: ")) {
			i = -1
		}
		if i >= 0 || bytes.HasPrefix(whole, []byte("id: ")) {
			line, _, _ := bytes.Cut(whole[i+1:], []byte("\n"))
			s.cursor = string(line[len("id: "):])
			if !came {
				s.acks.Handled(now, false) // of a change of the roster
			}
		}
	}
	s.tail = append(s.tail[:0], b[end+1:]...)
	if len(s.tail) == 0 {
		s.tail = nil
	}
	return nil
}
