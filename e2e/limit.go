package e2e

import (
	"fmt"
	"runtime/debug"
	"testing"
	"time"
)

// testTime is how long a test may take that has a relay of its own, the end of everything in it included: several times what the slowest takes on
// a busy machine, and far less than what go test lets a package have.
const testTime = 5 * time.Minute

// limit ends the run when a test is still under way after its time, and shows what has happened and where every goroutine is. Whatever a test waits
// for has a bound of its own, after which the test fails and the others go on; what is left to hang are locks, and nobody can end those.
func limit(t testing.TB, after time.Duration, history func() string) {
	timer := time.AfterFunc(after, func() {
		debug.SetTraceback("all")
		panic(fmt.Sprintf("%s hangs: not over after %v; %s", t.Name(), after, history()))
	})
	t.Cleanup(func() { timer.Stop() })
}
