package e2e

import (
	"testing"
	"time"

	"snug/hub"
)

// TestRoomOpens measures a press on the button until there is a room to write in, and until it is live. On a machine that has nothing else to do
// that is well under the second that people wait for without noticing (docs/PERFORMANCE.md); here it is only told, since tests share their processors.
func TestRoomOpens(t *testing.T) {
	w := NewWhole(t, hub.Limits{})
	for _, visit := range []string{"first", "second"} {
		ann := w.Person("Ann " + visit).Tab("/")
		ann.Fill("Your name", "Ann")
		if visit == "second" { // the modules are in the browser's cache, and were fetched while the name was typed
			ann.NewRoom(false)
			ann.toStart()
		}
		ann.Await("a room", `(async () => {
			const begin = performance.now();
			button('Open a new room').click();
			const until = async (done) => { while (!done()) await new Promise(requestAnimationFrame); return Math.round(performance.now() - begin); };
			window.took = [await until(() => field('Message')), await until(() => button('Connection: Live'))];
			return true;
		})() && await new Promise((done) => { const look = () => (window.took ? done(true) : setTimeout(look, 10)); look(); })`)
		took := read[[]int](ann, "window.took")
		t.Logf("%s visit: a room to write in after %v, live after %v", visit, time.Duration(took[0])*time.Millisecond, time.Duration(took[1])*time.Millisecond)
	}
}
