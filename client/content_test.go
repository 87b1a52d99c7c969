package client

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"unicode/utf8"

	"snug/client/e2ee"
	"snug/hub"
	"snug/wire"
)

// two in a room.
func two(t *testing.T) (ann, bob *person) {
	t.Helper()
	r := newRelay(t, hub.Limits{}, nil)
	root := newRoot(t)
	ann, bob = r.join(Config{Root: root, Alias: "ann"}), r.join(Config{Root: root, Alias: "bob"})
	ann.untilKind(KindJoined)
	return ann, bob
}

// raw sends a content as it is.
func (p *person) raw(b string) {
	p.t.Helper()
	if err := p.out.add(p.t.Context(), newLetter("", []byte(b), nil)); err != nil {
		p.t.Fatal(err)
	}
}

func sentBy(t *testing.T) func(*Letter, error) *Letter {
	return func(l *Letter, err error) *Letter {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return l
	}
}

func TestKindsOfContent(t *testing.T) {
	ann, bob := two(t)
	sent := sentBy(t)
	first := sent(ann.Say(t.Context(), Text{Body: "hello"}))
	hello := Ref{ann.Self(), first.ID}
	if e := bob.untilText("hello"); e.ID != first.ID || e.Re != (Ref{}) || e.Me || e.TTL != 0 {
		t.Errorf("text: %+v", e)
	}
	sent(bob.Say(t.Context(), Text{Body: "waves", Re: hello, Me: true, TTL: 60}))
	if e := ann.untilText("waves"); e.Re != hello || !e.Me || e.TTL != 60 {
		t.Errorf("answer: %+v", e)
	}
	sent(bob.React(t.Context(), hello, "👋", true))
	if e := ann.untilKind(KindReact); e.Of != hello || e.Emoji != "👋" || e.Off || e.From != bob.Self() {
		t.Errorf("reaction: %+v", e)
	}
	sent(bob.React(t.Context(), hello, "👋", false))
	ann.until("no reaction", func(e Event) bool { return e.Kind == KindReact && e.Off })
	sent(ann.Edit(t.Context(), first.ID, "hello all"))
	if e := bob.untilKind(KindEdit); e.Of != hello || e.Body != "hello all" {
		t.Errorf("edit: %+v", e)
	}
	sent(ann.Delete(t.Context(), first.ID))
	if e := bob.untilKind(KindDelete); e.Of != hello {
		t.Errorf("delete: %+v", e)
	}
	sent(ann.SetTimer(t.Context(), 3600))
	if e := bob.untilKind(KindTimer); e.TTL != 3600 || bob.Timer() != 3600 || ann.Timer() != 3600 {
		t.Errorf("timer: %+v", e)
	}
	sent(bob.Send(t.Context(), "soon gone"))
	if e := ann.untilText("soon gone"); e.TTL != 3600 {
		t.Errorf("with a timer: %+v", e)
	}
}

// Nobody changes what another has said, and what is not as it should be is shown as such.
func TestContentThatIsRefused(t *testing.T) {
	ann, bob := two(t)
	l := sentBy(t)(ann.Send(t.Context(), "mine"))
	mine := Ref{ann.Self(), l.ID}.String()
	for _, c := range []string{
		`{"k":"edit","of":"` + mine + `","body":"yours"}`,
		`{"k":"delete","of":"` + mine + `"}`,
		`{"k":"stop","of":"` + mine + `"}`,
		`{"k":"put","of":"` + mine + `","put":{"id":"AAAAAAAAAAAAAAAAAAAAAQ","from":0,"piece":4096}}`,
		`{"k":"edit","of":"nonsense","body":"x"}`,
		`{"k":"react","of":"` + mine + `"}`,
		`{"k":"react","of":"` + mine + `","emoji":"` + strings.Repeat("x", 65) + `"}`,
		`{"k":"text","id":"` + strings.Repeat("x", 65) + `"}`,
		`{"k":"text","body":5}`,
		`{"k":"file","id":"x"}`,
		`{"k":"file","id":"x","file":{"key":"AAAA","size":1,"segment":1048576}}`,
		`{"k":"want","of":"` + mine + `","from":-1}`,
		`{"k":"juggle"}`,
		`{"k":"timer","ttl":1000000000000000}`,
	} {
		bob.raw(c)
	}
	bob.raw(`{"k":"typing","on":true}`) // of no use here, and no reason to complain
	bob.raw(`{"k":"text","id":"end","body":"end","ttl":1000000000000000}`)
	if e := ann.untilText("end"); e.TTL != 0 || ann.Timer() != 0 {
		t.Errorf("a time that cannot be: %v, timer %v", e.TTL, ann.Timer())
	}
	var damaged, newer, other int
	for _, e := range ann.seen() {
		switch {
		case e.Kind == KindFailed && errors.Is(e.Err, e2ee.ErrNewer):
			newer++
		case e.Kind == KindFailed && errors.Is(e.Err, e2ee.ErrDamaged):
			damaged++
		case e.Kind != KindJoined && e.Body != "end":
			other++
		}
	}
	if newer != 1 || damaged != 13 || other != 0 {
		t.Errorf("%d of a newer version, %d damaged, %d others: %s", newer, damaged, other, summary(ann.seen()))
	}
}

func TestRef(t *testing.T) {
	id := wire.MemberID{7}
	r := Ref{id, "abc"}
	if got, err := ParseRef(r.String()); err != nil || got != r {
		t.Errorf("got %v, %v", got, err)
	}
	for _, bad := range []string{"", "abc", id.String(), id.String() + " ", id.String() + " a\nb", "short abc", id.String() + " " + strings.Repeat("x", 65)} {
		if got, err := ParseRef(bad); err == nil {
			t.Errorf("%q gives %v", bad, got)
		}
	}
	var back Ref
	if err := json.Unmarshal([]byte(`""`), &back); err != nil || back != (Ref{}) {
		t.Errorf("nothing gives %v, %v", back, err)
	}
}

func TestCleanName(t *testing.T) {
	for name, want := range map[string]string{
		"photo.jpg":                          "photo.jpg",
		"Grüße 👋.txt":                        "Grüße 👋.txt",
		"../../etc/passwd":                   "passwd",
		`C:\Users\ann\report.pdf`:            "report.pdf",
		"..":                                 "file",
		"":                                   "file",
		"/":                                  "file",
		".bashrc":                            "bashrc",
		"a\x00b\nc\x1b[2J":                   "abc[2J",
		"invoice\u202efdp.exe":               "invoicefdp.exe",
		"bad\xffutf8":                        "bad_utf8",
		"CON":                                "_CON",
		"com1.txt":                           "_com1.txt",
		"what?.txt":                          "what_.txt",
		"dots...":                            "dots",
		strings.Repeat("x", 300) + ".tar.gz": strings.Repeat("x", 252) + ".gz",
	} {
		if got := cleanName(name); got != want {
			t.Errorf("%q gives %q, want %q", name, got, want)
		}
	}
}

func FuzzDescriptor(f *testing.F) {
	key := wire.Bytes(make([]byte, 32))
	f.Add(wire.MustJSON(descriptor{Key: key, Size: 5, Segment: e2ee.FileSegment, Name: "a.txt", Type: "text/plain", Width: 3, Height: 4, Duration: 1.5, Thumb: wire.Bytes("\xff\xd8\xffx")}))
	f.Add([]byte(`{"key":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA","size":1e3,"segment":64,"name":"../x","width":-1,"height":"x","duration":1e99}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		var d descriptor
		if json.Unmarshal(b, &d) != nil {
			return
		}
		info, err := d.info(Ref{})
		if err != nil {
			return
		}
		switch {
		case info.shape().Check() != nil || len(info.Key) != 32:
			t.Errorf("cannot be fetched: %+v", info)
		case info.Name == "" || len(info.Name) > maxName || !utf8.ValidString(info.Name) || strings.ContainsAny(info.Name, "/\\\x00\n") || info.Name[0] == '.' || cleanName(info.Name) != info.Name:
			t.Errorf("name %q", info.Name)
		case info.Width < 0 || info.Height < 0 || (info.Width == 0) != (info.Height == 0) || info.Duration < 0 || len(info.Thumb) > maxThumb || !mimeType.MatchString(info.Type):
			t.Errorf("shows %+v", info)
		}
	})
}

func FuzzTransfer(f *testing.F) {
	f.Add(int64(0), int64(4096), int64(100_000))
	f.Add(int64(99_999), int64(1), int64(100_000))
	f.Fuzz(func(t *testing.T, from, piece, sealed int64) {
		tr := Transfer{ID: wire.FileID{1}, From: from, Piece: piece}
		if sealed < 1 || sealed > maxSealed || tr.check(sealed) != nil {
			return
		}
		last := uint32((sealed - from - 1) / piece)
		if _, at, size := tr.chunk(last, sealed); at < from || size < 1 || size > maxPiece || at+int64(size) != sealed {
			t.Errorf("%+v of %d: the last chunk is %d bytes at %d", tr, sealed, size, at)
		}
	})
}
