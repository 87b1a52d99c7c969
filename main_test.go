package main

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"
)

func get(t *testing.T, client *http.Client, url string) (*http.Response, string) {
	t.Helper()
	resp, err := client.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp, string(body)
}

func TestServesThePage(t *testing.T) {
	r := start(t, 1, nil, "--listen", "127.0.0.1:0")
	if !strings.HasPrefix(r.url, "http://127.0.0.1:") {
		t.Errorf("start line names %s", r.url)
	}
	resp, body := get(t, http.DefaultClient, r.url+"/")
	if resp.StatusCode != 200 || !strings.Contains(body, "<title>snug</title>") {
		t.Errorf("got %d %.80s", resp.StatusCode, body)
	}
	if csp := resp.Header.Get("Content-Security-Policy"); !strings.Contains(csp, "default-src 'none'") {
		t.Errorf("content security policy %q", csp)
	}
	if resp, _ := get(t, http.DefaultClient, r.url+"/metrics"); resp.StatusCode != 404 {
		t.Errorf("metrics on the main listener: %d", resp.StatusCode)
	}
}

func TestRefusedStarts(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	_, port, _ := net.SplitHostPort(taken.Addr().String())
	tests := []struct {
		name string
		env  []string
		args []string
		code int
		says string
	}{
		{"port taken", nil, []string{"--listen", taken.Addr().String()}, 1, "port " + port + " is taken; stop what uses it or choose another with --listen"},
		{"metrics port taken", nil, []string{"--listen", "127.0.0.1:0", "--metrics-listen", taken.Addr().String()}, 1, "port " + port + " is taken; stop what uses it or choose another with --metrics-listen"},
		{"not our address", nil, []string{"--listen", "192.0.2.1:0"}, 1, "--listen 192.0.2.1:0 is not an address of this machine"},
		{"port alone", nil, []string{"--listen", "8080"}, 2, `--listen: "8080" is not an address; write it like :8080 or 127.0.0.1:8080`},
		{"size", nil, []string{"serve", "--room-bytes", "lots"}, 2, `--room-bytes: "lots" is not a size; write it like 64MiB`},
		{"size by variable", []string{"SNUG_ROOM_BYTES=lots"}, nil, 2, `--room-bytes: "lots" is not a size; write it like 64MiB (from SNUG_ROOM_BYTES="lots")`},
		{"time", nil, []string{"--grace=-1h"}, 2, `--grace: "-1h" is not a time span; write it like 90s or 12h`},
		{"number", nil, []string{"--room-members", "0"}, 2, `--room-members: "0" is not a number above zero`},
		{"public URL", nil, []string{"--public-url", "snug.example"}, 2, `--public-url: "snug.example" is not an address for people; write it like https://snug.example`},
		{"public URL with a path", nil, []string{"--public-url", "https://x/chat"}, 2, `--public-url: "https://x/chat" is not an address for people; write it like https://snug.example`},
		{"budgets", nil, []string{"--relay-bytes", "1MiB"}, 2, "--room-bytes 64MiB and --room-chunk-bytes 64MiB must fit into --relay-bytes 1MiB"},
		{"heartbeat", nil, []string{"--heartbeat", "1m"}, 2, "--heartbeat 1m0s must lie between 5s and 25s"},
		{"half a pair", nil, []string{"--tls-cert", "cert.pem"}, 2, "--tls-cert and --tls-key go together"},
		{"no certificate", nil, []string{"--tls-cert", "none.pem", "--tls-key", "none.pem"}, 1, "the certificate cannot be used: stat none.pem: no such file or directory"},
		{"log level", []string{"SNUG_LOG_LEVEL=loud"}, nil, 2, `--log-level: "loud" is not a level; write debug, info, warn or error (from SNUG_LOG_LEVEL="loud")`},
		{"unknown flag", nil, []string{"--lisen", ":80"}, 2, `unknown flag --lisen, did you mean "--listen"?`},
		{"unknown command", nil, []string{"srve"}, 2, "unexpected argument srve"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			cmd := command(t, test.env, test.args...)
			var stdout, stderr bytes.Buffer
			cmd.Stdout, cmd.Stderr = &stdout, &stderr
			var exit *exec.ExitError
			if err := cmd.Run(); !errors.As(err, &exit) || exit.ExitCode() != test.code {
				t.Errorf("got %v, want exit status %d", err, test.code)
			}
			if got, want := stderr.String(), "snug: "+test.says+"\n"; got != want {
				t.Errorf("stderr\n got %q\nwant %q", got, want)
			}
			if stdout.Len() > 0 {
				t.Errorf("stdout %q", stdout.String())
			}
		})
	}
}

func TestVersionAndHelp(t *testing.T) {
	out, err := command(t, nil, "--version").Output()
	if err != nil || !strings.HasPrefix(string(out), "snug ") || !strings.Contains(string(out), "\npage sha256:") || strings.Count(string(out), "\n") != 2 {
		t.Errorf("--version: %v %q", err, out)
	}
	out, err = command(t, nil, "serve", "--help").Output()
	if err != nil || !strings.Contains(string(out), "SNUG_LISTEN") || !strings.Contains(string(out), "--tls-self-signed") {
		t.Errorf("--help: %v %s", err, out)
	}
}

func TestVariables(t *testing.T) {
	addr := freeAddress(t)
	env := []string{"SNUG_LISTEN=" + addr, "SNUG_LOG_JSON=true", "SNUG_PUBLIC_URL=https://snug.example/", "SNUG_ROOM_BYTES=", "SNUG_HEARTBEAT=7s"}
	r := start(t, 1, env, "--heartbeat", "6s")
	if r.url != "https://snug.example" {
		t.Errorf("start line names %s", r.url)
	}
	m := join(t, "http://"+addr)
	hello, stream := m.stream(t, http.DefaultClient)
	defer stream.Close()
	if hello.HB != 6 || hello.Limits.RoomBytes != 64<<20 {
		t.Errorf("heartbeat %d s, want the flag's 6; room bytes %d, want the default", hello.HB, hello.Limits.RoomBytes)
	}
	r.cmd.Process.Signal(syscall.SIGTERM)
	r.wait(t)
	var line struct{ Msg string }
	logged, _, _ := strings.Cut(r.stderr.String(), "\n")
	if err := json.Unmarshal([]byte(logged), &line); err != nil || line.Msg != "started" {
		t.Errorf("log line %q: %v", logged, err)
	}
}

// TestStopSaysBye: TERM ends open streams with bye and the process within 2 s, an upload that hangs or not.
func TestStopSaysBye(t *testing.T) {
	r := start(t, 1, nil, "--listen", "127.0.0.1:0")
	m := join(t, r.url)
	_, stream := m.stream(t, http.DefaultClient)
	defer stream.Close()
	hang(t, r.url)

	begun := time.Now()
	r.cmd.Process.Signal(syscall.SIGTERM)
	rest, err := io.ReadAll(stream)
	if err != nil || !strings.Contains(string(rest), "event: bye\ndata: {\"why\":\"shutdown\"") {
		t.Errorf("the stream ended with %q, %v", rest, err)
	}
	if took := time.Since(begun); took > time.Second {
		t.Errorf("bye after %v", took)
	}
	if code := r.wait(t); code != 0 {
		t.Errorf("exit code %d", code)
	}
	if took := time.Since(begun); took > 2*time.Second {
		t.Errorf("stopped after %v", took)
	}
}

func TestSecondSignalEndsAtOnce(t *testing.T) {
	r := start(t, 1, nil, "--listen", "127.0.0.1:0")
	hang(t, r.url)
	begun := time.Now()
	r.cmd.Process.Signal(syscall.SIGINT)
	for conn := error(nil); conn == nil; { // the listener closes when the first signal has been taken
		var c net.Conn
		if c, conn = net.Dial("tcp", strings.TrimPrefix(r.url, "http://")); conn == nil {
			c.Close()
		}
	}
	r.cmd.Process.Signal(syscall.SIGINT)
	if code, took := r.wait(t), time.Since(begun); code != -1 || took > stopTime {
		t.Errorf("exit code %d after %v, want the end by signal", code, took)
	}
}

func TestSelfSigned(t *testing.T) {
	r := start(t, 3, nil, "--listen", ":0", "--tls-self-signed")
	u, err := url.Parse(r.url)
	if err != nil || u.Scheme != "https" || u.Hostname() != "localhost" {
		t.Fatalf("start line names %s", r.url)
	}
	conn, err := tls.Dial("tcp", net.JoinHostPort("127.0.0.1", u.Port()), &tls.Config{InsecureSkipVerify: true})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	cert := conn.ConnectionState().PeerCertificates[0]
	if got := fingerprint(tls.Certificate{Certificate: [][]byte{cert.Raw}}); got != r.hello[2] {
		t.Errorf("fingerprint %s printed, %s served", r.hello[2], got)
	}
	roots := x509.NewCertPool()
	roots.AddCert(cert)
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}, ForceAttemptHTTP2: true}}
	for _, host := range []string{"localhost", "127.0.0.1"} {
		resp, body := get(t, client, "https://"+net.JoinHostPort(host, u.Port())+"/healthz")
		if resp.StatusCode != 200 || resp.ProtoMajor != 2 {
			t.Errorf("%s: %s %s %s", host, resp.Proto, resp.Status, body)
		}
	}
	m := join(t, r.url, client)
	_, stream := m.stream(t, client)
	r.cmd.Process.Signal(syscall.SIGTERM)
	if rest, _ := io.ReadAll(stream); !strings.Contains(string(rest), "event: bye") {
		t.Errorf("the stream over HTTP/2 ended with %q", rest)
	}
	if code := r.wait(t); code != 0 {
		t.Errorf("exit code %d", code)
	}
}

// TestTellsNothing: with metrics and the most talkative log, neither says who talks where.
func TestTellsNothing(t *testing.T) {
	metrics := freeAddress(t)
	r := start(t, 1, nil, "--listen", "127.0.0.1:0", "--metrics-listen", metrics, "--log-level", "debug")
	m := join(t, r.url)
	_, stream := m.stream(t, http.DefaultClient)
	stream.Close()
	if resp, _ := get(t, http.DefaultClient, r.url+"/r/"+m.room.String()+"/members?s=canary-session"); resp.StatusCode != 400 {
		t.Errorf("a malformed session: %d", resp.StatusCode)
	}
	_, shown := get(t, http.DefaultClient, "http://"+metrics+"/metrics")
	if !strings.Contains(shown, "snug_members 1") {
		t.Errorf("metrics show no member:\n%.400s", shown)
	}
	r.cmd.Process.Signal(syscall.SIGTERM)
	r.wait(t)
	logged := r.stderr.String()
	if !strings.Contains(logged, "/r/:room/join") {
		t.Errorf("no line for the join in the log:\n%s", logged)
	}
	secrets := []string{m.room.String(), m.Member.String(), m.Session.String(), m.card, "canary", stripPort(m.from)}
	for _, secret := range secrets {
		for place, text := range map[string]string{"log": withoutStart(logged), "metrics": shown} {
			if strings.Contains(text, secret) {
				t.Errorf("%s in the %s", secret, place)
			}
		}
	}
}

func stripPort(addr string) string { host, _, _ := net.SplitHostPort(addr); return host }

// withoutStart leaves out the line that names the relay's own address.
func withoutStart(logged string) string {
	var rest []string
	for line := range strings.Lines(logged) {
		if !strings.Contains(line, "msg=started") {
			rest = append(rest, line)
		}
	}
	return strings.Join(rest, "")
}
