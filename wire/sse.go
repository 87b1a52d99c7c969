package wire

import (
	"bytes"
	"encoding/json"
	"strconv"
)

// AppendEvent appends one event in the form of the WHATWG event stream: name and data, without an id and without the
// blank line that ends it, so that the caller can add AppendID under its lock. Data is JSON, which never holds a raw CR or LF.
func AppendEvent(dst []byte, name string, data []byte) []byte {
	dst = append(dst, "event: "...)
	dst = append(dst, name...)
	dst = append(dst, "\ndata: "...)
	dst = append(dst, data...)
	return append(dst, '\n')
}

// AppendID appends the cursor as the event's id and the blank line that ends the event.
func AppendID(dst []byte, c Cursor) []byte {
	dst = append(dst, "id: "...)
	dst = c.append(dst)
	return append(dst, '\n', '\n')
}

// Event frames a control event, one with no place in the log. The payload is one of this package's types, which all marshal.
func Event(name string, payload any) []byte {
	return append(AppendEvent(nil, name, MustJSON(payload)), '\n')
}

// MustJSON marshals a value of this package's types; those cannot fail.
func MustJSON(payload any) []byte {
	b, err := json.Marshal(payload)
	if err != nil {
		panic("wire: " + err.Error())
	}
	return b
}

// AppendMsg appends the framed form of a message, as AppendEvent does. It is written by hand because a message is framed
// once and shared by all its readers, and the body is most of it: encoding/json would copy it twice more.
func AppendMsg(dst []byte, m Msg) []byte {
	dst = append(dst, "event: msg\ndata: {"...)
	if m.From != nil {
		dst = append(dst, `"from":"`...)
		dst = encoding.AppendEncode(dst, m.From[:])
		dst = append(dst, `",`...)
	}
	dst = append(dst, `"id":"`...)
	dst = encoding.AppendEncode(dst, m.ID[:])
	dst = append(dst, `","at":`...)
	dst = appendInt(dst, m.At)
	if m.From != nil {
		dst = append(dst, `,"body":"`...)
		dst = encoding.AppendEncode(dst, m.Body)
	} else {
		dst = append(dst, `,"jwe":"`...)
		dst = append(dst, m.JWE...) // CheckJWE has passed it: base64url and dots
	}
	return append(dst, "\"}\n"...)
}

// Framed is one event as the log holds it: the bytes of the stream, from which a poll's answer takes the data.
type Framed []byte

// Name returns the event's name, Data its JSON, Cursor its place in the log. f is what AppendEvent and AppendID wrote.
func (f Framed) Name() string { return string(f.field("event: ")) }

// Data returns the JSON between the data field and the end of its line.
func (f Framed) Data() []byte { return f.field("data: ") }

// ID returns the id field, empty for a control event.
func (f Framed) ID() string { return string(f.field("id: ")) }

func (f Framed) field(prefix string) []byte {
	for rest := []byte(f); len(rest) > 0; {
		line, after, _ := bytes.Cut(rest, []byte("\n"))
		if v, ok := bytes.CutPrefix(line, []byte(prefix)); ok {
			return v
		}
		rest = after
	}
	return nil
}

func appendInt(dst []byte, n int64) []byte { return strconv.AppendInt(dst, n, 10) }
