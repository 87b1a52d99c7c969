package products

import (
	"crypto/x509"
	"encoding/pem"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

// Documented are reverse proxies with TLS that are set up word for word as a page of the manual says, but for names, ports and files. The page is
// that of docs/OPERATIONS.md; the snippets are its blocks marked nginx, haproxy, caddy and apache.
func Documented(page string) []Product {
	return []Product{
		{Name: "nginx, as the manual says", Command: "nginx", Package: "nginx-light", Reverse: true, configure: func(s *site) []string {
			path := s.write("nginx.conf", "daemon off; worker_processes 1; pid {dir}/nginx.pid; error_log {dir}/error.log; "+asNobody("user nobody nogroup;")+`
events { worker_connections 512; }
http {
	client_body_temp_path {dir}/body; proxy_temp_path {dir}/proxy; fastcgi_temp_path {dir}/f; uwsgi_temp_path {dir}/u; scgi_temp_path {dir}/s;
`+s.snippet(page, "nginx")+"}\n")
			return []string{"-p", s.dir, "-c", path, "-e", filepath.Join(s.dir, "error.log")}
		}},
		{Name: "haproxy, as the manual says", Command: "haproxy", Package: "haproxy", Reverse: true, configure: func(s *site) []string {
			return []string{"-db", "-f", s.write("haproxy.cfg", s.snippet(page, "haproxy"))}
		}},
		{Name: "caddy, as the manual says", Command: "caddy", Package: "caddy", Reverse: true, configure: func(s *site) []string {
			s.envv = []string{"XDG_DATA_HOME=" + s.dir, "XDG_CONFIG_HOME=" + s.dir}
			text := strings.Replace(s.snippet(page, "caddy"), "127.0.0.1 {", "https://127.0.0.1:{port} {\n    tls {dir}/snug.crt {dir}/snug.key", 1)
			return []string{"run", "--adapter", "caddyfile", "--config", s.write("Caddyfile", "{\n admin off\n auto_https disable_redirects\n}\n"+text)}
		}},
		{Name: "apache, as the manual says", Command: "apache2", Package: "apache2-bin", Reverse: true, configure: func(s *site) []string {
			var modules string
			for _, m := range strings.Fields("mpm_event authz_core env setenvif proxy proxy_http ssl") {
				modules += "LoadModule " + m + "_module /usr/lib/apache2/modules/mod_" + m + ".so\n"
			}
			return []string{"-DFOREGROUND", "-f", s.write("apache.conf", modules+`ServerRoot {dir}
ServerName snug
Listen 127.0.0.1:{port}
PidFile {dir}/apache.pid
ErrorLog {dir}/error.log
DefaultRuntimeDir {dir}
Mutex file:{dir} default
`+asNobody("User nobody\nGroup nogroup\n")+s.snippet(page, "apache"))}
		}},
	}
}

// asNobody is what makes a server that root starts become another user.
func asNobody(config string) string {
	if os.Getuid() != 0 {
		return ""
	}
	return config
}

// snippet is a block of the page, with places of this site for those that it names.
func (s *site) snippet(page, kind string) string {
	s.t.Helper()
	_, block, found := strings.Cut(page, "```"+kind+"\n")
	block, _, ends := strings.Cut(block, "\n```")
	if !found || !ends {
		s.t.Fatalf("the manual has no block for %s", kind)
	}
	cert, key := s.certificate()
	s.write("snug.crt", cert)
	s.write("snug.key", key)
	s.write("snug.pem", cert+key)
	block = regexp.MustCompile(`(listen |bind |VirtualHost )[*:]*443`).ReplaceAllString(block, "${1}127.0.0.1:{port}")
	return strings.NewReplacer("snug.example", "127.0.0.1", "/etc/ssl/", "{dir}/", "127.0.0.1:8080", "{server}").Replace(block) + "\n"
}

// certificate is one of the public authority, as PEM.
func (s *site) certificate() (cert, key string) {
	s.t.Helper()
	c, err := s.env.Public.Certificate("127.0.0.1")
	if err != nil {
		s.t.Fatal(err)
	}
	b, err := x509.MarshalPKCS8PrivateKey(c.PrivateKey)
	if err != nil {
		s.t.Fatal(err)
	}
	for _, der := range c.Certificate {
		cert += string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
	}
	return cert, string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: b}))
}
