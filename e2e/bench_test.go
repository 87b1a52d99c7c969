package e2e

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/systeminfo"
	"github.com/chromedp/chromedp"

	"snug/hub"
)

// BenchmarkCrypto runs testdata/js/bench.mjs in the browser: what joining a room of 100 costs, and how many messages a second are sealed and
// opened. docs/PERFORMANCE.md has the figures.
func BenchmarkCrypto(b *testing.B) {
	files := http.FileServer(http.Dir(".."))
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.URL.Path == "/":
			w.Header().Set("Content-Type", "text/html")
			w.Write([]byte("<!doctype html><title>bench</title><link rel=icon href=data:,>"))
		case strings.HasPrefix(r.URL.Path, "/testdata/js/"), strings.HasPrefix(r.URL.Path, "/static/js/"):
			w.Header().Set("Content-Type", "text/javascript")
			files.ServeHTTP(w, r)
		default:
			http.NotFound(w, r)
		}
	}))
	b.Cleanup(server.Close)
	page := New(b, hub.Limits{}).Person("Bench").Tab("/")
	page.do("opens the bench", chromedp.Navigate(server.URL))

	type rates struct{ Sealed, Opened float64 }
	type figures struct {
		Members             int
		JoinWallMs          float64
		OneByOne, Pipelined rates
	}
	var got figures
	for b.Loop() {
		var err error
		got, err = chromedp.Run(page.ctx, chromedp.Evaluate[figures](`import('/testdata/js/bench.mjs').then(({ bench }) => bench())`, awaitPromise))
		if err != nil {
			b.Fatal(err)
		}
	}
	if got.Members != 100 || got.JoinWallMs <= 0 || got.Pipelined.Sealed <= 0 || got.Pipelined.Opened <= 0 {
		b.Fatalf("got %+v", got)
	}
	b.ReportMetric(joinCPU(b, page), "cpu-ms/join-of-100")
	b.ReportMetric(got.JoinWallMs, "ms/join-of-100")
	b.ReportMetric(got.OneByOne.Sealed, "sealed/s-one-by-one")
	b.ReportMetric(got.OneByOne.Opened, "opened/s-one-by-one")
	b.ReportMetric(got.Pipelined.Sealed, "sealed/s")
	b.ReportMetric(got.Pipelined.Opened, "opened/s")
	b.ReportMetric(0, "ns/op") // means nothing here
}

// joinCPU is what joining a room of 100 costs on all threads of the browser's processes, in milliseconds.
func joinCPU(b *testing.B, page *Page) float64 {
	b.Helper()
	const joins = 10
	evaluate := func(expression string) {
		if _, err := chromedp.Run(page.ctx, chromedp.Evaluate[bool](expression, awaitPromise)); err != nil {
			b.Fatal(err)
		}
	}
	cpu := func() (seconds float64) {
		info, err := chromedp.CallBrowser(page.ctx, systeminfo.GetProcessInfo, cdp.Empty{})
		if err != nil {
			b.Fatal(err)
		}
		for _, p := range info.ProcessInfo {
			seconds += p.CPUTime
		}
		return seconds
	}
	evaluate(fmt.Sprintf(`(async () => {
		const { newcomer } = await import('/testdata/js/bench.mjs');
		globalThis.joins = [];
		for (let i = 0; i < %d; i++) joins.push(await newcomer(100));
		return true;
	})()`, joins))
	before := cpu()
	evaluate(`(async () => { for (const join of joins) await join(); return true; })()`)
	return 1000 * (cpu() - before) / joins
}
