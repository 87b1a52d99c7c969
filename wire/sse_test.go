package wire

import (
	"bytes"
	"encoding/json"
	"reflect"
	"strings"
	"testing"
)

// TestAppendMsg: the hand-written form says what encoding/json would say.
func TestAppendMsg(t *testing.T) {
	from := MemberID{1, 2, 3}
	for name, m := range map[string]Msg{
		"member": {From: &from, ID: MessageID{9}, At: 1_700_000_000_000, Body: bytes.Repeat([]byte{0xfe}, MinFrame)},
		"shell":  {ID: MessageID{8}, At: 0, JWE: "a.b.c"},
	} {
		t.Run(name, func(t *testing.T) {
			c := Cursor{Epoch: Epoch{7}, Seq: 12}
			framed := Framed(AppendID(AppendMsg(nil, m), c))
			if framed.Name() != EventMsg || framed.ID() != c.String() {
				t.Errorf("event %q with id %q, want %q with %q", framed.Name(), framed.ID(), EventMsg, c)
			}
			var got Msg
			if err := json.Unmarshal(framed.Data(), &got); err != nil || !reflect.DeepEqual(got, m) {
				t.Errorf("data is %+v (%v), want %+v", got, err, m)
			}
			if want := MustJSON(m); string(framed.Data()) != string(want) {
				t.Errorf("data\n%s, want\n%s", framed.Data(), want)
			}
			if lines := strings.Split(string(framed), "\n"); len(lines) != 5 || lines[3] != "" || lines[4] != "" {
				t.Errorf("the event has the lines %q, want three fields and a blank line", lines)
			}
		})
	}
}

func TestEvent(t *testing.T) {
	got := string(Event(EventBye, Bye{Why: ByeLife, In: 250}))
	if want := "event: bye\ndata: {\"why\":\"life\",\"in\":250}\n\n"; got != want {
		t.Errorf("Event = %q, want %q", got, want)
	}
	if id := Framed(got).ID(); id != "" {
		t.Errorf("a control event has the id %q", id)
	}
}

// TestHeartbeatSaysWhoIsAway: nobody away and no change are two different things.
func TestHeartbeatSaysWhoIsAway(t *testing.T) {
	none := []MemberID{}
	for want, hb := range map[string]HB{`{}`: {}, `{"away":[]}`: {Away: &none}} {
		if got := string(MustJSON(hb)); got != want {
			t.Errorf("heartbeat is %s, want %s", got, want)
		}
	}
}

func BenchmarkAppendMsg(b *testing.B) {
	from, body := MemberID{1}, make([]byte, 340)
	buf := make([]byte, 0, 1024)
	b.ReportAllocs()
	for b.Loop() {
		buf = AppendID(AppendMsg(buf[:0], Msg{From: &from, Body: body}), Cursor{Seq: 1})
	}
}
