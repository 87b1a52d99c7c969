//go:build linux

package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"time"
)

var targetNames = []string{"snug-b", "snug-a", "snug-b-acks", "snug-a-acks", "r3labs", "nchan"}

// target is a server under load. It belongs to one turn.
type target struct {
	name  string
	acks  bool
	snug  bool
	args  []string
	addr  *net.TCPAddr
	cmd   *exec.Cmd
	out   *os.File
	watch string // address of snug's metrics
}

// build makes a snug binary if none is given, and a place for files.
func (o *options) build(ctx context.Context) (err error) {
	if o.dir, err = os.MkdirTemp("", "snug-load"); err != nil || o.binary != "" {
		return err
	}
	o.binary = filepath.Join(o.dir, "snug")
	out, err := exec.CommandContext(ctx, "go", "build", "-trimpath", "-o", o.binary, "snug").CombinedOutput()
	if err != nil {
		return fmt.Errorf("building snug: %w: %s", err, out)
	}
	return nil
}

// target returns a server that can be started, nil if it is not installed.
func (o *options) target(name string, s scenario) (*target, error) {
	t := &target{name: name}
	switch {
	case strings.HasPrefix(name, "snug"):
		t.snug, t.acks = true, strings.HasSuffix(name, "-acks")
		watch, err := freeAddr()
		if err != nil {
			return nil, err
		}
		t.watch = watch
		t.args = []string{o.binary, "serve", "--listen", "127.0.0.1:0", "--metrics-listen", watch, "--room-members", fmt.Sprint(max(s.members+2, 256)), "--room-bytes", "512MiB", "--relay-bytes", "4GiB"}
		if sink := strings.Split(name, "-"); len(sink) > 1 {
			t.args = append(t.args, "--sink", map[string]string{"a": "goroutine", "b": "socket"}[sink[1]])
		}
		t.args = append(t.args, strings.Fields(s.flags+" "+o.flags)...)
	case name == "r3labs":
		self, err := os.Executable()
		if err != nil {
			return nil, err
		}
		t.args = []string{self, "-serve", "r3labs"}
	case name == "nchan":
		conf, err := o.nginx(t)
		if err != nil || conf == "" {
			return nil, err
		}
		t.args = []string{"nginx", "-c", conf}
	default:
		return nil, fmt.Errorf("no server %q; there are %s", name, strings.Join(targetNames, " "))
	}
	return t, nil
}

func freeAddr() (string, error) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer ln.Close()
	return ln.Addr().String(), nil
}

// nginx writes a configuration for nginx with nchan: one worker, which is the cheapest, as workers tell each other of
// each message. It returns nothing if they are not installed.
func (o *options) nginx(t *target) (string, error) {
	const module = "/usr/lib/nginx/modules/ngx_nchan_module.so"
	if _, err := exec.LookPath("nginx"); err != nil {
		return "", nil
	}
	if _, err := os.Stat(module); err != nil {
		return "", nil
	}
	addr, err := freeAddr()
	if err != nil {
		return "", err
	}
	if t.addr, err = net.ResolveTCPAddr("tcp", addr); err != nil {
		return "", err
	}
	conf := filepath.Join(o.dir, "nginx.conf")
	return conf, os.WriteFile(conf, fmt.Appendf(nil, `load_module %s;
daemon off;
worker_processes 1;
worker_rlimit_nofile 20000;
pid %s/nginx.pid;
error_log %s/nginx.log warn;
events { worker_connections 19000; }
http {
	access_log off;
	client_body_temp_path %s; proxy_temp_path %s; fastcgi_temp_path %s; uwsgi_temp_path %s; scgi_temp_path %s;
	keepalive_requests 1000000000;
	keepalive_timeout 600;
	nchan_shared_memory_size 512m;
	server {
		listen %s backlog=4096;
		location = /post { nchan_publisher; nchan_channel_id $arg_stream; nchan_message_buffer_length 100; nchan_message_timeout 60s; }
		location = /events { nchan_subscriber eventsource; nchan_channel_id $arg_stream; nchan_subscriber_first_message newest; }
	}
}
`, module, o.dir, o.dir, o.dir, o.dir, o.dir, o.dir, o.dir, addr), 0o600)
}

var listening = regexp.MustCompile(`http://(?:localhost|127\.0\.0\.1):(\d+)`)

// start runs the server and waits until it listens.
func (t *target) start(ctx context.Context, listen string) error {
	args := t.args
	if t.snug && listen != "" {
		args = bytesReplace(args, "127.0.0.1:0", listen)
	}
	t.cmd = exec.CommandContext(ctx, args[0], args[1:]...)
	t.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGTERM}
	t.cmd.Cancel = func() error { return t.cmd.Process.Signal(syscall.SIGTERM) }
	t.cmd.WaitDelay = 5 * time.Second
	t.cmd.Stderr = os.Stderr
	read, write, err := os.Pipe()
	if err != nil {
		return err
	}
	t.out, t.cmd.Stdout = read, write
	if err := t.cmd.Start(); err != nil {
		return err
	}
	write.Close()
	if t.addr == nil || t.snug {
		if err := t.readAddr(read); err != nil {
			return err
		}
	}
	for range 500 {
		c, err := net.DialTCP("tcp", nil, t.addr)
		if err == nil {
			return c.Close()
		}
		time.Sleep(10 * time.Millisecond)
	}
	return errors.New("it does not listen")
}

func bytesReplace(list []string, from, to string) []string {
	out := make([]string, len(list))
	for i, s := range list {
		out[i] = strings.Replace(s, from, to, 1)
	}
	return out
}

func (t *target) readAddr(from *os.File) error {
	line, err := bufio.NewReader(from).ReadString('\n')
	if err != nil {
		return fmt.Errorf("it has not said where it listens: %w", err)
	}
	m := listening.FindStringSubmatch(line)
	if m == nil {
		return fmt.Errorf("it says %q", line)
	}
	t.addr, err = net.ResolveTCPAddr("tcp", "127.0.0.1:"+m[1])
	return err
}

// stop ends the server by its process id and waits for it.
func (t *target) stop() {
	if t.cmd == nil || t.cmd.Process == nil {
		return
	}
	_ = t.cmd.Process.Signal(syscall.SIGTERM)
	ended := make(chan struct{})
	go func() {
		_ = t.cmd.Wait()
		close(ended)
	}()
	select {
	case <-ended:
	case <-time.After(5 * time.Second):
		_ = t.cmd.Process.Kill()
		<-ended
	}
	t.out.Close()
	t.cmd = nil
}

func (t *target) usage() (usage, error) { return usageOf(children(t.cmd.Process.Pid)) }

// metric asks snug for one of its metrics, 0 for other servers.
func (t *target) metric(name string) (value float64) {
	if !t.snug {
		return 0
	}
	resp, err := http.Get("http://" + t.watch + "/metrics")
	if err != nil {
		return 0
	}
	defer resp.Body.Close()
	for lines := bufio.NewScanner(resp.Body); lines.Scan(); {
		if v, ok := strings.CutPrefix(lines.Text(), name+" "); ok {
			_, _ = fmt.Sscan(v, &value)
		}
	}
	return value
}
