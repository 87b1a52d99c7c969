package e2e

import (
	"cmp"
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"
)

var update = flag.Bool("update", false, "write the matrix into docs/PROXIES.md")

const (
	proxiesDoc  = "../docs/PROXIES.md"
	matrixBegin = "<!-- matrix: go test ./e2e -run TestMatrix -update -->\n"
	matrixEnd   = "<!-- end of the matrix -->\n"
)

const heading = "| between them | rung | first message | settled | p50 ms | p99 ms | lone ms | 1 MiB | sent | lost | doubled | out of order |\n|---|---|---|---|---|---|---|---|---|---|---|---|\n"

// String is the row's line in the table.
func (r row) String() string {
	rungs := string(r.rungs[0])
	if r.rungs[1] != r.rungs[0] {
		rungs += ", " + string(r.rungs[1])
	}
	return fmt.Sprintf("| %s | %s | %s | %s | %s | %s | %s | %s | %d | %d | %d | %d |\n", r.name, rungs, seconds(r.first), seconds(r.settled),
		milliseconds(r.p50), milliseconds(r.p99), milliseconds(r.lone), seconds(r.files), r.sent, r.lost, r.doubled, r.disordered)
}

// report prints the matrix, and with -update puts it into the docs.
func report(t *testing.T, all []setup, done []row) {
	t.Helper()
	place := map[string]int{}
	for i, s := range all {
		place[s.name] = i
	}
	slices.SortFunc(done, func(a, b row) int { return cmp.Compare(place[a.name], place[b.name]) })
	var b strings.Builder
	b.WriteString(heading)
	for _, r := range done {
		b.WriteString(r.String())
	}
	t.Log("\n" + b.String())
	if !*update || t.Failed() {
		return
	}
	doc, err := os.ReadFile(proxiesDoc)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, ok := strings.Cut(string(doc), matrixBegin)
	_, after, ok2 := strings.Cut(rest, matrixEnd)
	if !ok || !ok2 {
		t.Fatalf("%s has no place for the matrix", proxiesDoc)
	}
	if err := os.WriteFile(proxiesDoc, []byte(before+matrixBegin+b.String()+matrixEnd+after), 0o644); err != nil {
		t.Fatal(err)
	}
}

func seconds(d time.Duration) string      { return fmt.Sprintf("%.1f s", d.Seconds()) }
func milliseconds(d time.Duration) string { return fmt.Sprintf("%.1f", float64(d.Microseconds())/1000) }
