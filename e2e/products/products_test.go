package products

import (
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"snug/e2e/proxies"
)

// TestProducts starts each, one after the other, and sends a POST through; without this, a matrix that fails would not tell whom to blame.
func TestProducts(t *testing.T) {
	office, public := newCA(t, "office"), newCA(t, "public")
	echo := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body) // first, since net/http reads no further once an answer has begun
		w.Header().Set("Content-Type", "application/json")
		w.Write(body)
	})
	plain, secure := httptest.NewServer(echo), httptest.NewUnstartedServer(echo)
	cert, err := public.Certificate("127.0.0.1")
	if err != nil {
		t.Fatal(err)
	}
	secure.TLS = &tls.Config{Certificates: []tls.Certificate{*cert}}
	secure.StartTLS()
	t.Cleanup(plain.Close)
	t.Cleanup(secure.Close)
	for _, p := range All() {
		t.Run(p.Name, func(t *testing.T) {
			server := plain
			if p.Secure {
				server = secure
			}
			begun := time.Now()
			at := p.Start(t, Env{Server: server.Listener.Addr().String(), Office: office, Public: public})
			started := time.Since(begun)
			base := server.URL
			tr := &http.Transport{Proxy: http.ProxyURL(at), TLSClientConfig: &tls.Config{RootCAs: public.Pool()}}
			if p.Inspects {
				tr.TLSClientConfig.RootCAs = office.Pool()
			}
			if p.Reverse {
				base, tr.Proxy = at.String(), nil
			}
			defer tr.CloseIdleConnections()
			body := strings.Repeat("x", 3000)
			resp, err := (&http.Client{Transport: tr, Timeout: 20 * time.Second}).Post(base+"/?q="+url.QueryEscape("ü"), "text/plain", strings.NewReader(body))
			if err != nil {
				t.Fatal(err)
			}
			defer resp.Body.Close()
			got, err := io.ReadAll(resp.Body)
			if err != nil || resp.StatusCode != 200 || string(got) != body {
				t.Errorf("got %d, %d bytes, %v", resp.StatusCode, len(got), err)
			}
			t.Logf("listens after %v", started.Round(time.Millisecond))
		})
	}
}

func newCA(t *testing.T, name string) *proxies.CA {
	t.Helper()
	ca, err := proxies.NewCA(name)
	if err != nil {
		t.Fatal(err)
	}
	return ca
}

// TestScanner: the scanner lets go of what it was given, and only when it has all of it.
func TestScanner(t *testing.T) {
	conn, err := net.Dial("tcp", startICAP(t, false))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	head := "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\n"
	io.WriteString(conn, "RESPMOD icap://x/scan ICAP/1.0\r\nHost: x\r\nEncapsulated: res-hdr=0, res-body=45\r\n\r\n"+head+"5\r\nhello\r\n")
	conn.SetReadDeadline(time.Now().Add(100 * time.Millisecond))
	buf := make([]byte, 1000)
	if n, err := conn.Read(buf); err == nil {
		t.Fatalf("it let go of %q before the end", buf[:n])
	}
	conn.SetReadDeadline(time.Now().Add(10 * time.Second))
	io.WriteString(conn, "0\r\n\r\n")
	n, err := conn.Read(buf)
	if got := string(buf[:n]); err != nil || !strings.HasPrefix(got, "ICAP/1.0 200") || !strings.HasSuffix(got, head+"5\r\nhello\r\n0\r\n\r\n") {
		t.Errorf("got %q, %v", got, err)
	}
}
