package client

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"snug/wire"
)

// CheckReport is what CheckNetwork found out. Times are in milliseconds. static/js/net/check.js makes the same of the same names.
type CheckReport struct {
	Reach   CheckReach  `json:"reach"`
	Stream  CheckStream `json:"stream"`
	Octets  CheckStream `json:"octets"` // the same bytes as application/octet-stream
	Batch   CheckTry    `json:"batch"`  // an answer that ends after a second
	Poll    CheckTry    `json:"poll"`   // a POST that is answered after two seconds
	Posts   CheckPosts  `json:"posts"`
	Lost    []string    `json:"lost"`  // headers of ours that did not arrive
	Added   []string    `json:"added"` // headers that tell of a proxy
	Cached  bool        `json:"cached"`
	Altered bool        `json:"altered"` // a page came otherwise than it was sent
	Watch   *CheckWatch `json:"watch,omitempty"`
}

// CheckReach says whether the relay answers at all. Why is a sentence if not.
type CheckReach struct {
	OK  bool   `json:"ok"`
	MS  int64  `json:"ms"`
	Via string `json:"via,omitempty"`
	Why string `json:"why,omitempty"`
}

// CheckTry is one request that ends.
type CheckTry struct {
	OK  bool   `json:"ok"`
	MS  int64  `json:"ms"`
	Why string `json:"why,omitempty"`
}

// CheckStream is how pieces sent one by one arrived. Late is how long after its sending the latest of them came.
type CheckStream struct {
	Live   bool   `json:"live"`
	Pieces int    `json:"pieces"`
	Late   int64  `json:"late"`
	Held   int    `json:"held,omitempty"` // about how many bytes are held back; -1: all until the end
	Why    string `json:"why,omitempty"`
}

// CheckPosts is the largest body that got through in each form; 0: none.
type CheckPosts struct {
	Octets  int  `json:"octets"`
	Text    int  `json:"text"`
	Chunked bool `json:"chunked"`
}

// CheckWatch is how long two streams lasted in seconds: one that speaks, and one that is silent for 30 s at a time.
type CheckWatch struct {
	Seconds int  `json:"seconds"`
	Cut     int  `json:"cut"`  // when the speaking one broke; 0: it did not
	Idle    int  `json:"idle"` // when the silent one broke; 0: it did not
	Stopped bool `json:"stopped,omitempty"`
}

const (
	checkLive    = time.Second // a piece later than this came with others
	checkTime    = 12 * time.Second
	checkSilence = 30 * time.Second
)

// checker makes the probes of one check.
type checker struct {
	http   *http.Client
	origin string
}

// CheckNetwork tries out what lies between here and a relay, one thing after the other, in about 10 s where all is well. hc is the way
// to the relay; its redirects are not followed. watch is how long streams are watched after that, up to wire.MaxCheckTime; 0: not.
// progress is told what is being tried. It never fails: what went wrong is in the report.
func CheckNetwork(ctx context.Context, hc *http.Client, origin string, watch time.Duration, progress func(string)) CheckReport {
	own := *hc
	own.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	c := &checker{http: &own, origin: origin}
	r := CheckReport{Lost: []string{}, Added: []string{}}
	progress("the relay")
	if c.reach(ctx, &r); !r.Reach.OK {
		return r
	}
	progress("streams")
	r.Stream = c.stream(ctx, "event-stream")
	r.Octets = c.stream(ctx, "octet-stream")
	progress("answers that end")
	r.Batch = c.batch(ctx)
	r.Poll = c.try(ctx, "poll", url.Values{"hold": {"2"}}, "text/plain", http.NoBody, &wire.OK{})
	progress("posts")
	r.Posts = c.posts(ctx)
	if watch > 0 && (r.Stream.Live || r.Octets.Live) {
		progress("how long streams last")
		r.Watch = c.watch(ctx, watch)
	}
	return r
}

// url is that of a probe, with a nonce.
func (c *checker) url(path string, q url.Values) string {
	a := &api{base: c.origin}
	u, _ := url.Parse(a.url("", q)) // of our own making
	return c.origin + "/check/" + path + "?" + u.RawQuery
}

// reach asks for the echo: whether it comes, which headers got there, and whether it and the page come as they were sent.
func (c *checker) reach(ctx context.Context, r *CheckReport) {
	began := time.Now()
	at := c.url("echo", nil)
	first, err := c.echo(ctx, at)
	r.Reach.MS = time.Since(began).Milliseconds()
	if err != nil {
		r.Reach.Why = err.Error()
		return
	}
	r.Reach.OK, r.Reach.Via = true, first.Via
	arrived := map[string]bool{}
	for _, name := range first.Headers {
		arrived[name] = true
	}
	for _, name := range []string{"Authorization", "Last-Event-Id", "X-Snug-Check"} {
		if !arrived[name] {
			r.Lost = append(r.Lost, name)
		}
	}
	for _, name := range []string{"Via", "Forwarded", "X-Forwarded-For", "X-Bluecoat-Via", "X-Proxy-Id", "X-Icap-Version"} {
		if arrived[name] {
			r.Added = append(r.Added, name)
		}
	}
	if again, err := c.echo(ctx, at); err == nil {
		r.Cached = again.Answer == first.Answer
	}
	if _, page, err := c.do(ctx, http.MethodGet, c.url("page", nil), "", nil, nil); err == nil {
		r.Altered = string(page) != first.Page
	}
}

func (c *checker) echo(ctx context.Context, at string) (e wire.CheckEcho, err error) {
	probes := http.Header{"Authorization": {"Bearer check"}, "Last-Event-Id": {"check"}, "X-Snug-Check": {"1"}}
	resp, body, err := c.do(ctx, http.MethodGet, at, "", nil, probes)
	if err != nil {
		return e, err
	}
	if json.Unmarshal(body, &e) != nil || e.Answer == "" {
		return e, answerError(resp, body)
	}
	return e, nil
}

// do sends one request and reads its answer, which is not an error when it is 200.
func (c *checker) do(ctx context.Context, method, at, kind string, body io.Reader, h http.Header) (*http.Response, []byte, error) {
	ctx, cancel := context.WithTimeout(ctx, checkTime)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, method, at, body)
	if err != nil {
		return nil, nil, err
	}
	req.Header.Set("Accept", "application/json, text/html")
	for name, v := range h {
		req.Header[name] = v
	}
	if kind != "" {
		req.Header.Set("Content-Type", kind)
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return nil, nil, networkError(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
	if err != nil {
		return nil, nil, networkError(err)
	}
	if resp.StatusCode != http.StatusOK {
		return nil, nil, answerError(resp, b)
	}
	return resp, b, nil
}

// try posts and reads the answer into out.
func (c *checker) try(ctx context.Context, path string, q url.Values, kind string, body io.Reader, out any) CheckTry {
	began := time.Now()
	resp, b, err := c.do(ctx, http.MethodPost, c.url(path, q), kind, body, nil)
	if err == nil && json.Unmarshal(b, out) != nil {
		err = answerError(resp, b)
	}
	t := CheckTry{OK: err == nil, MS: time.Since(began).Milliseconds()}
	if err != nil {
		t.Why = err.Error()
	}
	return t
}

// stream watches eight pieces come, four a second. Where they come late, larger ones tell how much is held back.
func (c *checker) stream(ctx context.Context, as string) CheckStream {
	ctx, cancel := context.WithTimeout(ctx, 2*checkTime)
	defer cancel()
	var s CheckStream
	err := c.pieces(ctx, url.Values{"as": {as}, "every": {"250"}, "count": {"8"}}, func(_ wire.CheckPiece, late time.Duration) {
		s.Pieces++
		s.Late = max(s.Late, late.Milliseconds())
	})
	s.Live = s.Pieces == 8 && s.Late < checkLive.Milliseconds()
	if err != nil {
		s.Why = err.Error()
	}
	if s.Pieces == 0 || s.Live {
		return s
	}
	const size, every, count = 4 << 10, 50 * time.Millisecond, 64
	s.Held = -1
	first := true
	c.pieces(ctx, url.Values{"as": {as}, "every": {"50"}, "count": {"64"}, "size": {"4096"}}, func(_ wire.CheckPiece, late time.Duration) {
		if sent := int(late / every); first && sent < count-4 {
			s.Held = (sent + 1) * size
		}
		first = false
	})
	return s
}

// batch is an answer that ends after one event.
func (c *checker) batch(ctx context.Context) CheckTry {
	ctx, cancel := context.WithTimeout(ctx, checkTime)
	defer cancel()
	began, n := time.Now(), 0
	err := c.pieces(ctx, url.Values{"every": {"1000"}, "count": {"1"}}, func(wire.CheckPiece, time.Duration) { n++ })
	t := CheckTry{OK: n == 1, MS: time.Since(began).Milliseconds()}
	switch {
	case err != nil:
		t.Why = err.Error()
	case !t.OK:
		t.Why = "the answer ended without anything in it"
	}
	return t
}

// pieces reads a stream to its end and gives each piece, with how long it took. Errors: what client has for a failed request.
func (c *checker) pieces(ctx context.Context, q url.Values, each func(p wire.CheckPiece, late time.Duration)) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.url("stream", q), nil)
	if err != nil {
		return err
	}
	kind := "text/event-stream"
	if q.Get("as") == "octet-stream" {
		kind = "application/octet-stream"
	}
	req.Header.Set("Accept", kind)
	began := time.Now()
	resp, err := c.http.Do(req)
	if err != nil {
		return networkError(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK || mediaType(resp) != kind {
		return answerError(resp, nil)
	}
	lines := bufio.NewScanner(resp.Body)
	lines.Buffer(nil, 64<<10)
	for lines.Scan() {
		data, ok := strings.CutPrefix(lines.Text(), "data: ")
		var p wire.CheckPiece
		if ok && json.Unmarshal([]byte(data), &p) == nil {
			each(p, time.Since(began)-time.Duration(p.At)*time.Millisecond)
		}
	}
	if err := lines.Err(); err != nil {
		return networkError(err)
	}
	return nil
}

// posts looks for the largest body in each form, and whether one without Content-Length passes.
func (c *checker) posts(ctx context.Context) (p CheckPosts) {
	passes := func(kind string) func(n int) bool {
		return func(n int) bool {
			var got wire.CheckPosted
			try := c.try(ctx, "post", nil, kind, bytes.NewReader(checkBody(n)), &got)
			return try.OK && got.Bytes == n && got.Intact
		}
	}
	p.Octets = largest(passes("application/octet-stream"))
	p.Text = largest(passes("text/plain"))
	var got wire.CheckPosted
	p.Chunked = c.try(ctx, "post", nil, "text/plain", struct{ io.Reader }{bytes.NewReader(checkBody(4 << 10))}, &got).OK && got.Bytes == 4<<10
	return p
}

// largest tries 4 KiB, 16 KiB … 1 MiB until one fails, and then what lies between.
func largest(passes func(int) bool) (n int) {
	for try := 4 << 10; try <= wire.MaxCheckBody; try *= 4 {
		if !passes(try) {
			if n > 0 && passes(2*n) {
				n *= 2
			}
			return n
		}
		n = try
	}
	return n
}

func checkBody(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = wire.CheckByte(i)
	}
	return b
}

// watch keeps two streams open: one with a piece every 5 s, one that is silent for 30 s at a time.
func (c *checker) watch(ctx context.Context, limit time.Duration) *CheckWatch {
	limit = min(limit, wire.MaxCheckTime).Round(time.Second)
	w := &CheckWatch{Seconds: int(limit.Seconds())}
	idle := make(chan int, 1)
	go func() { idle <- c.lasts(ctx, checkSilence, limit) }()
	w.Cut = c.lasts(ctx, 5*time.Second, limit)
	w.Idle = <-idle
	w.Stopped = ctx.Err() != nil
	return w
}

// lasts returns the second in which a stream broke, 0 if it was there until its end or that of ctx.
func (c *checker) lasts(ctx context.Context, every, limit time.Duration) int {
	timed, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	began := time.Now()
	count := int(limit/every) + 1
	err := c.pieces(timed, url.Values{"every": {fmt.Sprint(every.Milliseconds())}, "count": {fmt.Sprint(count)}}, func(wire.CheckPiece, time.Duration) {})
	if timed.Err() != nil || errors.Is(err, context.DeadlineExceeded) || time.Since(began) >= limit {
		return 0
	}
	return max(1, int(time.Since(began).Seconds()))
}
