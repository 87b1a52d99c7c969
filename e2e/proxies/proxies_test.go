package proxies

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// origin is a server that streams five pieces of 1,000 bytes and ends when told to.
type origin struct {
	*httptest.Server
	end   chan struct{}
	posts atomic.Int32
	gets  atomic.Int32
}

const pieces, pieceSize = 5, 1000

func newOrigin(t *testing.T, secure *CA) *origin {
	t.Helper()
	o := &origin{end: make(chan struct{})}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /stream", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", r.URL.Query().Get("as"))
		w.Header().Set("X-Mark", "1")
		for i := range pieces {
			io.WriteString(w, strings.Repeat(string(rune('a'+i)), pieceSize))
			w.(http.Flusher).Flush()
			time.Sleep(5 * time.Millisecond)
		}
		select {
		case <-o.end:
		case <-r.Context().Done():
		}
	})
	mux.HandleFunc("POST /echo", func(w http.ResponseWriter, r *http.Request) {
		o.posts.Add(1)
		w.Header().Set("Content-Type", "text/plain")
		w.Header().Set("X-Asked", r.Header.Get("X-Ask"))
		io.Copy(w, r.Body)
	})
	mux.HandleFunc("GET /count", func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, o.gets.Add(1)) })
	o.Server = httptest.NewUnstartedServer(mux)
	o.Config.ErrorLog = nil
	if secure == nil {
		o.Start()
	} else {
		cert, err := secure.Certificate("127.0.0.1")
		if err != nil {
			t.Fatal(err)
		}
		o.TLS = tlsConfig(cert)
		o.StartTLS()
	}
	t.Cleanup(func() { o.CloseClientConnections(); o.Close() })
	return o
}

// through is a client that has the proxy set.
func through(p *Proxy, userinfo *url.Userinfo) *http.Client {
	u := *p.URL
	u.User = userinfo
	return &http.Client{Transport: &http.Transport{Proxy: http.ProxyURL(&u), DisableCompression: true, TLSClientConfig: tlsTrust(p)}}
}

// reading is a stream as its reader has it.
type reading struct {
	mu     sync.Mutex
	status int
	proto  string
	mark   string
	got    bytes.Buffer
	err    error
	done   chan struct{}
}

func read(t *testing.T, c *http.Client, req *http.Request) *reading {
	r := &reading{done: make(chan struct{})}
	go func() {
		defer close(r.done)
		resp, err := c.Do(req.WithContext(t.Context()))
		if err != nil {
			r.err = err
			return
		}
		defer resp.Body.Close()
		r.mu.Lock()
		r.status, r.proto, r.mark = resp.StatusCode, resp.Proto, resp.Header.Get("X-Mark")
		r.mu.Unlock()
		buf := make([]byte, 4096)
		for {
			n, err := resp.Body.Read(buf)
			r.mu.Lock()
			r.got.Write(buf[:n])
			if err != nil && err != io.EOF {
				r.err = err
			}
			r.mu.Unlock()
			if err != nil {
				return
			}
		}
	}()
	return r
}

func (r *reading) now() (status, bytes int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.status, r.got.Len()
}

// settle returns when nothing has come for a while, or after a second of trickling.
func (r *reading) settle() (status, n int) {
	begun := time.Now()
	for same := 0; same < 8 && time.Since(begun) < time.Second; same++ {
		s, b := r.now()
		if s != status || b != n {
			same = 0
		}
		status, n = s, b
		time.Sleep(20 * time.Millisecond)
	}
	return status, n
}

func TestHabitsWithAStream(t *testing.T) {
	const whole = pieces * pieceSize
	never := time.Hour
	for name, c := range map[string]struct {
		habits []Habit
		accept string // Accept-Encoding
		as     string
		status int // while the stream is open
		before int // bytes while it is open; -1: some, not all
		cut    bool
	}{
		"none":               {status: 200, before: whole},
		"hold":               {habits: []Habit{Hold{}}, status: 0, before: 0},
		"hold with status":   {habits: []Habit{Hold{Status: true}}, status: 200, before: 0},
		"hold and trickle":   {habits: []Habit{Hold{Trickle: 30 * time.Millisecond}}, status: 200, before: -1},
		"hold for a time":    {habits: []Habit{Hold{Max: 60 * time.Millisecond}}, status: 504, before: -1},
		"blocks":             {habits: []Habit{Blocks{4096}}, status: 200, before: 4096},
		"blocks, large":      {habits: []Habit{Blocks{64 << 10}}, status: 200, before: 0},
		"preview":            {habits: []Habit{Preview{2048}}, status: 200, before: whole},
		"preview, large":     {habits: []Habit{Preview{8192}}, status: 0, before: 0},
		"one behind":         {habits: []Habit{OneBehind{}}, status: 200, before: whole - pieceSize},
		"gzip not accepted":  {habits: []Habit{Gzip{}}, status: 200, before: whole},
		"gzip":               {habits: []Habit{Gzip{}}, accept: "gzip", status: 0, before: 0},
		"HTTP/1.0":           {habits: []Habit{HTTP10{}}, status: 200, before: whole},
		"HTTP/1.0 in blocks": {habits: []Habit{HTTP10{}, Blocks{2048}}, status: 200, before: 4096},
		"life":               {habits: []Habit{Life{60 * time.Millisecond}}, status: 200, before: whole, cut: true},
		"idle":               {habits: []Habit{Idle{60 * time.Millisecond}}, status: 200, before: whole, cut: true},
		"long idle":          {habits: []Habit{Idle{never}}, status: 200, before: whole},
		"hole":               {habits: []Habit{Hole{never}}, status: 200, before: whole},
		"refused type":       {habits: []Habit{Types{Answers: []string{"text/event-stream"}}}, as: "text/event-stream", status: 403, before: -1},
		"other type":         {habits: []Habit{Types{Answers: []string{"text/event-stream"}}}, as: "application/octet-stream", status: 200, before: whole},
		"block page":         {habits: []Habit{Types{Answers: []string{"text/event-stream"}, Disguise: true}}, as: "text/event-stream", status: 200, before: -1},
		"blocked":            {habits: []Habit{Blocked{}}, status: 403, before: -1},
		"two habits":         {habits: []Habit{OneBehind{}, Blocks{2048}}, status: 200, before: 2048},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := newOrigin(t, nil)
			p := Start(t, Config{Habits: c.habits})
			req, _ := http.NewRequest("GET", o.URL+"/stream?as="+url.QueryEscape(c.as), nil)
			if c.accept != "" {
				req.Header.Set("Accept-Encoding", c.accept)
			}
			r := read(t, through(p, nil), req)
			status, before := r.settle()
			if status != c.status || (c.before >= 0 && before != c.before) || (c.before < 0 && (before == 0 || before >= whole)) {
				t.Errorf("while the stream is open: status %d, %d bytes; want %d, %d", status, before, c.status, c.before)
			}
			close(o.end)
			<-r.done
			if (r.err != nil) != c.cut {
				t.Errorf("it ended with %v; cut: %v", r.err, c.cut)
			}
			if c.cut || c.before < 0 && c.status != 200 || name == "block page" {
				return
			}
			got := r.got.Bytes()
			if c.accept == "gzip" {
				z, err := gzip.NewReader(bytes.NewReader(got))
				if err != nil {
					t.Fatal(err)
				}
				got, _ = io.ReadAll(z)
			}
			if len(got) != whole {
				t.Errorf("%d bytes in the end, want %d", len(got), whole)
			}
			if want := strings.HasPrefix(name, "HTTP/1.0"); (r.proto == "HTTP/1.0") != want {
				t.Errorf("answered in %s", r.proto)
			}
		})
	}
}

// TestHole: what falls in is not seen again, and nobody hears of it.
func TestHole(t *testing.T) {
	t.Parallel()
	o := newOrigin(t, nil)
	p := Start(t, Config{Habits: []Habit{Hole{60 * time.Millisecond}}})
	req, _ := http.NewRequest("GET", o.URL+"/stream", nil)
	r := read(t, through(p, nil), req)
	_, before := r.settle()
	close(o.end)
	if _, after := r.settle(); after != before {
		t.Errorf("%d bytes came out of the hole", after-before)
	}
	select {
	case <-r.done:
		t.Error("the reader was told of the end")
	default:
	}
}

func TestHabitsWithAPost(t *testing.T) {
	type outcome struct {
		status, posts int
		echoed        bool
		asked         string // what the server saw of a header
	}
	fine := outcome{200, 1, true, "x"}
	for name, c := range map[string]struct {
		habits []Habit
		kind   string
		size   int
		user   *url.Userinfo
		want   outcome
	}{
		"none":             {want: fine},
		"hold":             {habits: []Habit{Hold{}}, want: fine},
		"methods":          {habits: []Habit{Methods{[]string{"GET", "POST"}}}, want: fine},
		"no post":          {habits: []Habit{Methods{[]string{"GET"}}}, want: outcome{status: 405}},
		"limit":            {habits: []Habit{Limits{Body: 100}}, size: 100, want: fine},
		"over the limit":   {habits: []Habit{Limits{Body: 100}}, size: 101, want: outcome{status: 413}},
		"long URL":         {habits: []Habit{Limits{URL: 20}}, want: outcome{status: 414}},
		"binary refused":   {habits: []Habit{Types{Bodies: []string{"application/octet-stream"}}}, kind: "application/octet-stream", want: outcome{status: 403}},
		"text passes":      {habits: []Habit{Types{Bodies: []string{"application/octet-stream"}}}, kind: "text/plain", want: fine},
		"no login":         {habits: []Habit{Login{"ann", "x"}}, want: outcome{status: 407}},
		"login":            {habits: []Habit{Login{"ann", "x"}}, user: url.UserPassword("ann", "x"), want: fine},
		"twice":            {habits: []Habit{Twice{}}, want: outcome{200, 2, true, "x"}},
		"headers stripped": {habits: []Habit{Headers{Keep: []string{"Content-Type"}}}, want: outcome{200, 1, true, ""}},
		"HTTP/1.0":         {habits: []Habit{HTTP10{}}, want: fine},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := newOrigin(t, nil)
			p := Start(t, Config{Habits: c.habits})
			body := strings.Repeat("b", max(c.size, 10))
			req, _ := http.NewRequest("POST", o.URL+"/echo", strings.NewReader(body))
			req.Header.Set("Content-Type", c.kind)
			req.Header.Set("X-Ask", "x")
			resp, err := through(p, c.user).Do(req)
			if err != nil {
				t.Fatal(err)
			}
			defer resp.Body.Close()
			got, _ := io.ReadAll(resp.Body)
			have := outcome{resp.StatusCode, int(o.posts.Load()), string(got) == body, resp.Header.Get("X-Asked")}
			if have != c.want {
				t.Errorf("got %+v, want %+v", have, c.want)
			}
		})
	}
}

func get(t *testing.T, c *http.Client, url string) string {
	t.Helper()
	resp, err := c.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, _ := io.ReadAll(resp.Body)
	return string(b)
}

func TestCache(t *testing.T) {
	for name, c := range map[string]struct {
		habit Cache
		want  string
	}{
		"by URL":      {Cache{For: time.Hour}, "1 1 2"},
		"without it":  {Cache{For: time.Hour, BlindPath: true}, "1 1 1"},
		"for no time": {Cache{}, "1 2 3"},
	} {
		t.Run(name, func(t *testing.T) {
			o := newOrigin(t, nil)
			client := through(Start(t, Config{Habits: []Habit{c.habit}}), nil)
			got := fmt.Sprint(get(t, client, o.URL+"/count?n=1"), " ", get(t, client, o.URL+"/count?n=1"), " ", get(t, client, o.URL+"/count?n=2"))
			if got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

// TestConnections: a third request waits until one of two has ended.
func TestConnections(t *testing.T) {
	o := newOrigin(t, nil)
	client := through(Start(t, Config{Habits: []Habit{Connections{Max: 2}}}), nil)
	var streams []*reading
	for range 2 {
		req, _ := http.NewRequest("GET", o.URL+"/stream", nil)
		streams = append(streams, read(t, client, req))
	}
	for _, s := range streams {
		s.settle()
	}
	req, _ := http.NewRequest("GET", o.URL+"/count", nil)
	third := read(t, client, req)
	if status, _ := third.settle(); status != 0 {
		t.Errorf("the third request got %d", status)
	}
	close(o.end)
	<-third.done
	if status, _ := third.now(); status != 200 {
		t.Errorf("in the end the third request got %d, %v", status, third.err)
	}
}

func TestReverse(t *testing.T) {
	o := newOrigin(t, nil)
	p := Start(t, Config{Reverse: o.Listener.Addr().String(), Habits: []Habit{HTTP10{}}})
	if got := get(t, http.DefaultClient, p.URL.String()+"/count"); got != "1" {
		t.Errorf("got %q", got)
	}
}

// TestBecome: the habits change between two requests.
func TestBecome(t *testing.T) {
	o := newOrigin(t, nil)
	p := Start(t, Config{Habits: []Habit{Blocked{Disguise: true}}})
	client := through(p, nil)
	if got := get(t, client, o.URL+"/count"); !strings.Contains(got, "blocked by policy") {
		t.Errorf("got %q", got)
	}
	p.Become()
	if got := get(t, client, o.URL+"/count"); got != "1" {
		t.Errorf("got %q", got)
	}
}

// TestCut: an answer under way breaks off, and the next request gets through.
func TestCut(t *testing.T) {
	o := newOrigin(t, nil)
	p := Start(t, Config{})
	client := through(p, nil)
	req, _ := http.NewRequest("GET", o.URL+"/stream", nil)
	r := read(t, client, req)
	r.settle()
	p.Cut()
	<-r.done
	if r.err == nil {
		t.Error("the stream did not break off")
	}
	if got := get(t, client, o.URL+"/count"); got != "1" {
		t.Errorf("got %q", got)
	}
}

// TestStall: of a long answer only the beginning passes, and nobody is told of the end; a short one passes.
func TestStall(t *testing.T) {
	t.Parallel()
	long := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/octet-stream")
		w.Write(make([]byte, 100))
		http.NewResponseController(w).Flush()
		if r.URL.Path == "/long" {
			w.Write(make([]byte, 100))
		}
	}))
	defer long.Close()
	client := through(Start(t, Config{Habits: []Habit{Stall{After: 120}}}), nil)
	for path, want := range map[string]int{"/short": 100, "/long": 120} {
		req, _ := http.NewRequest("GET", long.URL+path, nil)
		r := read(t, client, req)
		if path == "/short" {
			<-r.done
		}
		if _, n := r.settle(); n != want {
			t.Errorf("%s: %d bytes, want %d", path, n, want)
		}
		select {
		case <-r.done:
			if path == "/long" {
				t.Error("the reader was told of the end")
			}
		default:
		}
	}
}
