package e2e

import (
	"os"
	"testing"
	"time"

	"snug/e2e/products"
	"snug/handlers"
)

// TestReverseProxiesAsDocumented: behind each reverse proxy, set up as docs/OPERATIONS.md says, messages come at once and files whole.
func TestReverseProxiesAsDocumented(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("../docs/OPERATIONS.md")
	if err != nil {
		t.Fatal(err)
	}
	m := newMatrix(t)
	sideBySide(t, 4, products.Documented(string(page)), func(p products.Product) string { return p.Name }, func(t *testing.T, p products.Product) {
		h := newHouse(t, handlers.Streams{}, nil)
		at := p.Start(t, products.Env{Server: h.addr, Public: m.public})
		w := way{origin: "https://" + at.Host, trust: m.public.Pool()}
		r := setup{name: p.Name, rung: "0"}.pass(t, w, w)
		if !slow() && r.p50 > 100*time.Millisecond {
			t.Errorf("p50 is %v", r.p50)
		}
		freed(t, h)
	})
}
