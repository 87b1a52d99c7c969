package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"snug/client"
	"snug/handlers"
	"snug/static"
)

const (
	verifyTime = 20 * time.Second // one file over a slow proxy
	maxAsset   = 4 << 20          // far above the largest file of the page
)

// verifyCmd fetches the page as a browser would and compares it with the one embedded here. It shows what this machine is given now;
// a relay that means ill may give somebody else another page, which is what snug ui is for.
type verifyCmd struct {
	relayFlags
	JSON bool `name:"json" env:"-" help:"Print JSON."`
}

// verdict is what snug verify --json prints.
type verdict struct {
	Relay    string       `json:"relay"`
	OK       bool         `json:"ok"`
	Assets   string       `json:"assets"` // hash of the page in this program
	Files    int          `json:"files"`
	Problems []difference `json:"problems"`
}

// difference is one file that is not as it is here.
type difference struct {
	Path string `json:"path"`
	Kind string `json:"kind"` // changed, missing or policy
	Text string `json:"text"`
}

// Run compares. Errors: a relay that is not reached; a page that differs, after the list of what does.
func (c *verifyCmd) Run(out *output) error {
	ctx, stop := interrupted()
	defer stop()
	v, err := verify(ctx, string(c.URL), client.Transport(c.Proxy.url()))
	switch {
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case err != nil:
		return err
	}
	if err := c.report(out, v); err != nil {
		return err
	}
	if !v.OK {
		return fmt.Errorf("%s does not serve the page of this program", c.URL)
	}
	return nil
}

func (c *verifyCmd) report(out io.Writer, v verdict) error {
	if c.JSON {
		return printJSON(out, v)
	}
	for _, d := range v.Problems {
		fmt.Fprintf(out, "%-8s %s: %s\n", d.Kind, d.Path, d.Text)
	}
	if !v.OK {
		_, err := fmt.Fprintf(out, "%d of %d files; the page of this program is %s\n", len(v.Problems), v.Files, v.Assets)
		return err
	}
	_, err := fmt.Fprintf(out, "OK: all %d files are those of this program, %s\n", v.Files, v.Assets)
	return err
}

// verify compares every file. Errors: those of client for a way that is closed.
func verify(ctx context.Context, origin string, way http.RoundTripper) (verdict, error) {
	v := verdict{Relay: origin, Assets: static.Hash(), Problems: []difference{}}
	hc := &http.Client{Transport: way, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	for _, name := range static.Names() {
		want, err := static.Files.ReadFile(name)
		if err != nil {
			return v, err
		}
		for _, path := range pathsOf(name) {
			d, err := compare(ctx, hc, origin+path, want)
			if err != nil {
				return v, err
			}
			v.Files++
			if d.Kind != "" {
				d.Path = path
				v.Problems = append(v.Problems, d)
			}
		}
	}
	v.OK = len(v.Problems) == 0
	return v, nil
}

// pathsOf lists where the browser finds a file: index.html is also the root, and x.html is also /x.
func pathsOf(name string) []string {
	bare, isHTML := strings.CutSuffix(name, ".html")
	switch {
	case name == "index.html":
		return []string{"/", "/index.html"}
	case isHTML:
		return []string{"/" + bare, "/" + name}
	}
	return []string{"/" + name}
}

// compare fetches one file. The zero difference: it is the same, with the policy that forbids all other code.
func compare(ctx context.Context, hc *http.Client, url string, want []byte) (difference, error) {
	ctx, cancel := context.WithTimeout(ctx, verifyTime)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return difference{}, err
	}
	req.Header.Set("Accept", "text/html,*/*")
	req.Header.Set("User-Agent", "Mozilla/5.0") // who wants to give browsers another page does not know us by our name
	resp, err := hc.Do(req)
	if err != nil {
		return difference{}, client.NetworkFailure(err)
	}
	defer resp.Body.Close()
	got, err := io.ReadAll(io.LimitReader(resp.Body, maxAsset))
	if err != nil {
		return difference{}, client.NetworkFailure(err)
	}
	return judge(resp, got, want), nil
}

func judge(resp *http.Response, got, want []byte) difference {
	switch policy := resp.Header.Get("Content-Security-Policy"); {
	case resp.StatusCode == http.StatusNotFound:
		return difference{Kind: "missing", Text: "the relay does not have it"}
	case resp.StatusCode != http.StatusOK:
		return difference{Kind: "missing", Text: "the answer is " + resp.Status}
	case !bytes.Equal(got, want):
		return difference{Kind: "changed", Text: fmt.Sprintf("%d bytes, %d in this program", len(got), len(want))}
	case policy != handlers.PagePolicy():
		return difference{Kind: "policy", Text: "the Content-Security-Policy is another one"}
	}
	return difference{}
}
