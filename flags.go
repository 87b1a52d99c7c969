package main

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"snug/handlers"
)

// The types of flags. Each reads what people write and refuses the rest in half a sentence that shows how it is written;
// kong puts the name of the flag before it.

// size is a number of bytes as people write it: 512, 64KiB, 64MiB, 1GiB, or 64MB with thousands.
type size int64

var sizeUnits = []struct {
	name  string
	bytes int64
}{ // the larger unit first, so that String finds it first
	{"GiB", 1 << 30}, {"MiB", 1 << 20}, {"KiB", 1 << 10}, {"GB", 1e9}, {"MB", 1e6}, {"KB", 1e3}, {"B", 1},
}

// UnmarshalText reads a size above zero.
func (s *size) UnmarshalText(b []byte) error {
	text, unit := strings.TrimSpace(string(b)), int64(1)
	for _, u := range sizeUnits {
		if n, ok := cutSuffixFold(text, u.name); ok {
			text, unit = strings.TrimSpace(n), u.bytes
			break
		}
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n <= 0 || n > (1<<62)/unit {
		return fmt.Errorf("%q is not a size; write it like 64MiB", b)
	}
	*s = size(n * unit)
	return nil
}

func (s size) String() string {
	for _, u := range sizeUnits {
		if int64(s)%u.bytes == 0 && int64(s) >= u.bytes {
			return strconv.FormatInt(int64(s)/u.bytes, 10) + u.name
		}
	}
	return "0B"
}

func cutSuffixFold(s, suffix string) (string, bool) {
	n := len(s) - len(suffix)
	if n < 0 || !strings.EqualFold(s[n:], suffix) {
		return s, false
	}
	return s[:n], true
}

// span is a duration above zero.
type span time.Duration

// maxSpan leaves room for adding a span, and a tenth more of it, to another: 146 years.
const maxSpan = 1 << 62

// UnmarshalText reads what time.ParseDuration reads.
func (d *span) UnmarshalText(b []byte) error {
	v, err := time.ParseDuration(string(b))
	if err != nil || v <= 0 || v > maxSpan {
		return fmt.Errorf("%q is not a time span; write it like 90s or 12h", b)
	}
	*d = span(v)
	return nil
}

func (d span) String() string { return time.Duration(d).String() }

// count is a whole number above zero.
type count int

// UnmarshalText reads a decimal number.
func (c *count) UnmarshalText(b []byte) error {
	n, err := strconv.ParseInt(string(b), 10, 32)
	if err != nil || n <= 0 {
		return fmt.Errorf("%q is not a number above zero", b)
	}
	*c = count(n)
	return nil
}

// fileName is the name of a file, in whatever bytes it has.
type fileName string

// UnmarshalText takes back what keepBytes did.
func (p *fileName) UnmarshalText(b []byte) error {
	*p = fileName(giveBytes(string(b)))
	return nil
}

// word is a text that others have to have as well: a name, or words that make a key.
type word string

// UnmarshalText refuses what is not UTF-8: as something else it would lead to another room than in a browser.
func (w *word) UnmarshalText(b []byte) error {
	text := giveBytes(string(b))
	if !utf8.ValidString(text) {
		return errors.New("not UTF-8")
	}
	*w = word(text)
	return nil
}

// oddByte stands, with a byte added, for one that is not UTF-8: kong passes values through JSON, which would make all of them the same mark, and a
// file could not be found by its name. It lies where no character is.
const oddByte = 0x10ff00

func keepBytes(arg string) string {
	if utf8.ValidString(arg) {
		return arg
	}
	var b strings.Builder
	for n := 0; len(arg) > 0; arg = arg[n:] {
		var r rune
		if r, n = utf8.DecodeRuneInString(arg); r == utf8.RuneError && n == 1 {
			r = oddByte + rune(arg[0])
		}
		b.WriteRune(r)
	}
	return b.String()
}

// giveBytes is the way back.
func giveBytes(arg string) string {
	var b strings.Builder
	for _, r := range arg {
		if r >= oddByte+utf8.RuneSelf {
			b.WriteByte(byte(r - oddByte))
		} else {
			b.WriteRune(r)
		}
	}
	return b.String()
}

// address is where to listen, HOST:PORT; an empty host is every address of the machine.
type address string

// UnmarshalText checks the form only; whether the port is free is found when listening.
func (a *address) UnmarshalText(b []byte) error {
	_, port, err := net.SplitHostPort(string(b))
	if _, bad := strconv.ParseUint(port, 10, 16); err != nil || bad != nil {
		return fmt.Errorf("%q is not an address; write it like :8080 or 127.0.0.1:8080", b)
	}
	*a = address(b)
	return nil
}

// loopback tells whether only this machine can reach the address.
func (a address) loopback() bool {
	host, _, _ := net.SplitHostPort(string(a)) // UnmarshalText has passed it
	return host == "localhost" || net.ParseIP(host).IsLoopback()
}

// publicURL is an http or https address without path, query or fragment, kept without its last slash.
type publicURL string

// UnmarshalText refuses a path as well: the page, and every link into a room, knows a relay at the root of its host only.
func (p *publicURL) UnmarshalText(b []byte) error {
	u, err := url.Parse(string(b))
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" || u.User != nil || strings.Trim(u.Path, "/") != "" || bytes.ContainsAny(b, "?#") {
		return fmt.Errorf("%q is not an address for people; write it like https://snug.example", b)
	}
	*p = publicURL(strings.TrimRight(string(b), "/"))
	return nil
}

// level is the least important level that is logged.
type level slog.Level

// UnmarshalText takes the four names, in any case.
func (l *level) UnmarshalText(b []byte) error {
	if (*slog.Level)(l).UnmarshalText(b) != nil {
		return fmt.Errorf("%q is not a level; write debug, info, warn or error", b)
	}
	return nil
}

// sinkName is how streams are written.
type sinkName string

func (s sinkName) sink() handlers.Sink {
	switch s {
	case "goroutine":
		return handlers.SinkGoroutine
	case "socket":
		return handlers.SinkSocket
	}
	return handlers.SinkAuto
}
