package wire

import "testing"

func TestPostedIsWrittenAsJSON(t *testing.T) {
	for _, p := range []Posted{{}, {ID: MessageID{1, 2, 255}, Cursor: Cursor{Epoch{3}, 1 << 40}, Members: 12, Online: 7, Duplicate: true}} {
		if got, want := string(p.AppendJSON(nil)), string(MustJSON(p)); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}

func BenchmarkFrame(b *testing.B) {
	m := Msg{From: &MemberID{1}, ID: MessageID{2}, At: 1_700_000_000_000, Body: make([]byte, 300)}
	b.ReportAllocs()
	for b.Loop() {
		AppendID(AppendMsg(make([]byte, 0, 700), m), Cursor{Epoch{3}, 1 << 20})
	}
}

func BenchmarkPosted(b *testing.B) {
	p := Posted{ID: MessageID{1}, Cursor: Cursor{Epoch{3}, 1 << 20}, Members: 25, Online: 20}
	b.ReportAllocs()
	for b.Loop() {
		p.AppendJSON(nil)
	}
}
