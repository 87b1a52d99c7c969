// Package products starts real proxies from Debian packages on loopback ports, with configurations of their own in a temporary folder,
// as anybody would set them up: what they do to streams is what they do in offices and in front of servers.
package products

import (
	"bytes"
	"fmt"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"snug/e2e/proxies"
)

// Product is one set-up of a proxy.
type Product struct {
	Name     string
	Command  string // its program
	Package  string // the Debian package that brings it
	Reverse  bool   // it stands in front of the server; else clients name it as their proxy
	Secure   bool   // meant for https servers
	Inspects bool   // it opens TLS with certificates of Env.Office

	// configure writes the configuration and says how to start the program, which must stay in the foreground.
	configure func(s *site) (args []string)
}

// Env is the surroundings of a product.
type Env struct {
	Server string      // host:port of the server, for reverse proxies
	Office *proxies.CA // whose certificates it inspects TLS with
	Public *proxies.CA // whose certificates servers have
}

// site is where one product runs.
type site struct {
	t    testing.TB
	env  Env
	dir  string
	port int
	envv []string // of the process, beside ours
}

// Start starts a product that runs until the test ends, and returns its address. Without its program it skips the test, saying how to
// get it; with SNUG_TEST_ALL set, as in .ci/run, it fails.
func (p Product) Start(t testing.TB, env Env) *url.URL {
	t.Helper()
	program := find(p.Command)
	if program == "" {
		how := fmt.Sprintf("no %s: install it with `apt-get install %s`", p.Command, p.Package)
		if os.Getenv("SNUG_TEST_ALL") != "" {
			t.Fatal(how)
		}
		t.Skip(how)
	}
	s := &site{t: t, env: env, dir: folder(t), port: freePort(t)}
	s.run(program, p.configure(s)...)
	return &url.URL{Scheme: "http", Host: fmt.Sprint("127.0.0.1:", s.port)}
}

// find looks where Debian has servers as well, which is in root's path only.
func find(command string) string {
	if path, err := exec.LookPath(command); err == nil {
		return path
	}
	if path := filepath.Join("/usr/sbin", command); exec.Command("test", "-x", path).Run() == nil {
		return path
	}
	return ""
}

// folder is a temporary one that products running as another user can use.
func folder(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "snug-product-")
	if err == nil {
		err = os.Chmod(dir, 0o777)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

func freePort(t testing.TB) int {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	return ln.Addr().(*net.TCPAddr).Port
}

// run starts the program and returns when its port is open.
func (s *site) run(program string, args ...string) {
	s.t.Helper()
	var output bytes.Buffer
	c := exec.Command(program, args...)
	c.Dir, c.Stdout, c.Stderr = s.dir, &output, &output
	c.Env = append(os.Environ(), append(s.envv, "HOME="+s.dir)...)
	// A group of its own, for its helpers end with it; and it ends with us, however we end.
	c.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGTERM}
	c.WaitDelay = time.Second // helpers may hold the output open
	if err := c.Start(); err != nil {
		s.t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() { c.Wait(); close(ended) }()
	s.t.Cleanup(func() {
		syscall.Kill(-c.Process.Pid, syscall.SIGTERM)
		select {
		case <-ended:
		case <-time.After(2 * time.Second):
		}
		syscall.Kill(-c.Process.Pid, syscall.SIGKILL) // and its helpers
		<-ended
	})
	for deadline := time.Now().Add(60 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		conn, err := net.Dial("tcp", fmt.Sprint("127.0.0.1:", s.port))
		if err == nil {
			conn.Close()
			return
		}
		select {
		case <-ended:
			s.t.Fatalf("%s ended: %s%s", program, &output, s.logs())
		default:
		}
		if time.Now().After(deadline) {
			syscall.Kill(-c.Process.Pid, syscall.SIGKILL)
			<-ended
			s.t.Fatalf("%s does not listen: %s%s", program, &output, s.logs())
		}
	}
}

// logs are the ends of the log files in its folder.
func (s *site) logs() string {
	var out []byte
	names, _ := filepath.Glob(filepath.Join(s.dir, "*.log"))
	for _, name := range names {
		b, _ := os.ReadFile(name)
		out = append(out, "\n"+filepath.Base(name)+": "...)
		out = append(out, b[max(0, len(b)-2000):]...)
	}
	return string(out)
}

// write puts a file into the folder, in which {dir}, {port} and {server} stand for what they say, and returns its path.
func (s *site) write(name, text string) string {
	s.t.Helper()
	path := filepath.Join(s.dir, name)
	host, port, _ := net.SplitHostPort(s.env.Server)
	for from, to := range map[string]string{"{dir}": s.dir, "{port}": fmt.Sprint(s.port), "{server}": s.env.Server, "{serverhost}": host, "{serverport}": port} {
		text = string(bytes.ReplaceAll([]byte(text), []byte(from), []byte(to)))
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		s.t.Fatal(err)
	}
	return path
}

// office writes the office's authority as one PEM file, certificate and key.
func (s *site) office(name string) string {
	s.t.Helper()
	cert, key, err := s.env.Office.PEM()
	if err != nil {
		s.t.Fatal(err)
	}
	return s.write(name, string(key)+string(cert))
}

// public writes the certificate of the authority that servers have.
func (s *site) public(name string) string {
	s.t.Helper()
	cert, _, err := s.env.Public.PEM()
	if err != nil {
		s.t.Fatal(err)
	}
	return s.write(name, string(cert))
}
