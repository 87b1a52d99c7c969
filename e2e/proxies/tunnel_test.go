package proxies

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"
)

func tlsConfig(c *tls.Certificate) *tls.Config {
	return &tls.Config{Certificates: []tls.Certificate{*c}}
}

func tlsTrust(p *Proxy) *tls.Config {
	pool := p.conf.Servers
	if p.conf.Inspect != nil {
		pool = p.conf.Inspect.Pool()
	}
	return &tls.Config{RootCAs: pool}
}

func newCA(t *testing.T, name string) *CA {
	t.Helper()
	ca, err := NewCA(name)
	if err != nil {
		t.Fatal(err)
	}
	return ca
}

func TestTunnels(t *testing.T) {
	servers := newCA(t, "servers")
	soon := 150 * time.Millisecond
	for name, c := range map[string]struct {
		tunnel Tunnel
		err    string // of the request
		cut    bool
		silent bool
	}{
		"plain":   {},
		"idle":    {tunnel: Tunnel{Idle: soon}, cut: true},
		"life":    {tunnel: Tunnel{Life: soon}, cut: true},
		"hole":    {tunnel: Tunnel{Hole: soon}, silent: true},
		"refused": {tunnel: Tunnel{Refuse: true}, err: "Forbidden"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := newOrigin(t, servers)
			p := Start(t, Config{Tunnel: c.tunnel, Servers: servers.Pool()})
			req, _ := http.NewRequest("GET", o.URL+"/stream", nil)
			r := read(t, through(p, nil), req)
			status, n := r.settle()
			if c.err != "" {
				<-r.done
				if r.err == nil || !strings.Contains(r.err.Error(), c.err) {
					t.Errorf("got %d, %v", status, r.err)
				}
				return
			}
			if status != 200 || n != pieces*pieceSize {
				t.Errorf("got %d and %d bytes", status, n)
			}
			time.Sleep(2 * soon)
			if !c.cut {
				close(o.end)
				r.settle()
			}
			over := false
			select {
			case <-r.done:
				over = true
			case <-time.After(10 * soon):
			}
			if over == c.silent || (over && (r.err != nil) != c.cut) {
				t.Errorf("over: %v, %v; want cut %v, silent %v", over, r.err, c.cut, c.silent)
			}
		})
	}
}

// TestInspection: the client sees a certificate of the proxy, and the habits apply inside.
func TestInspection(t *testing.T) {
	servers, office := newCA(t, "servers"), newCA(t, "office")
	o := newOrigin(t, servers)
	p := Start(t, Config{Inspect: office, Servers: servers.Pool(), Habits: []Habit{Hold{}}})
	client := through(p, nil)
	resp, err := client.Get(o.URL + "/count")
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if got := resp.TLS.PeerCertificates[0].Issuer.CommonName; got != "office" {
		t.Errorf("the certificate is from %q", got)
	}
	req, _ := http.NewRequest("GET", o.URL+"/stream", nil)
	r := read(t, client, req)
	if status, n := r.settle(); status != 0 || n != 0 {
		t.Errorf("through a hold came %d and %d bytes", status, n)
	}
	close(o.end)
	<-r.done
	if r.got.Len() != pieces*pieceSize || r.err != nil {
		t.Errorf("in the end %d bytes, %v", r.got.Len(), r.err)
	}
	stranger := &http.Client{Transport: &http.Transport{Proxy: http.ProxyURL(p.URL), TLSClientConfig: &tls.Config{RootCAs: servers.Pool()}}}
	var unknown x509.UnknownAuthorityError
	if _, err = stranger.Get(o.URL + "/count"); !errors.As(err, &unknown) {
		t.Errorf("who does not know the office gets %v", err)
	}
}
