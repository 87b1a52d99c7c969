package products

import (
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
)

// All are the products that the matrix runs through.
func All() []Product {
	return []Product{
		{Name: "squid", Command: "squid", Package: "squid-openssl", configure: squid("")},
		{Name: "squid, tunnel", Command: "squid", Package: "squid-openssl", Secure: true, configure: squid("")},
		{Name: "squid, ssl-bump", Command: "squid", Package: "squid-openssl", Secure: true, Inspects: true, configure: squidBump},
		{Name: "squid, ICAP antivirus", Command: "squid", Package: "squid-openssl", configure: squidICAP(false)},
		{Name: "squid, ICAP preview", Command: "squid", Package: "squid-openssl", configure: squidICAP(true)},
		{Name: "squid, strict", Command: "squid", Package: "squid-openssl", configure: squid(squidStrict)},
		{Name: "tinyproxy", Command: "tinyproxy", Package: "tinyproxy", configure: tinyproxy},
		{Name: "privoxy", Command: "privoxy", Package: "privoxy", configure: privoxy},
		{Name: "mitmproxy", Command: "mitmdump", Package: "mitmproxy", configure: mitmproxy},
		{Name: "mitmproxy, TLS", Command: "mitmdump", Package: "mitmproxy", Secure: true, Inspects: true, configure: mitmproxy},
		{Name: "nginx", Command: "nginx", Package: "nginx-light", Reverse: true, configure: nginx("", "client_max_body_size 2m;")},
		{Name: "nginx, buffering whatever we say", Command: "nginx", Package: "nginx-light", Reverse: true, configure: nginx("", "proxy_ignore_headers X-Accel-Buffering; client_max_body_size 2m;")},
		{Name: "nginx, gzip", Command: "nginx", Package: "nginx-light", Reverse: true, configure: nginx(nginxGzip, "proxy_ignore_headers X-Accel-Buffering; proxy_http_version 1.1; client_max_body_size 2m;")},
		{Name: "nginx, small bodies", Command: "nginx", Package: "nginx-light", Reverse: true, configure: nginx("", "client_max_body_size 64k; limit_except GET POST { deny all; }")},
		{Name: "haproxy", Command: "haproxy", Package: "haproxy", Reverse: true, configure: haproxy("")},
		{Name: "haproxy, no-delay", Command: "haproxy", Package: "haproxy", Reverse: true, configure: haproxy("option http-no-delay")},
		{Name: "lighttpd", Command: "lighttpd", Package: "lighttpd", Reverse: true, configure: lighttpd},
		{Name: "caddy", Command: "caddy", Package: "caddy", Reverse: true, configure: caddy("")},
		{Name: "caddy, gzip", Command: "caddy", Package: "caddy", Reverse: true, configure: caddy(caddyGzip)},
	}
}

// squidStrict lets GET and POST through, small bodies, and few headers.
const squidStrict = `acl plain method GET POST
http_access deny !plain
request_body_max_size 64 KB
request_header_access Last-Event-ID deny all
request_header_access Authorization deny all
request_header_access Accept allow all
request_header_access Content-Type allow all
request_header_access Content-Length allow all
request_header_access Host allow all
request_header_access User-Agent allow all
request_header_access Connection allow all
request_header_access All deny all
`

func squid(more string) func(*site) []string {
	return func(s *site) []string { return s.squid("http_port 127.0.0.1:{port}\n" + more) }
}

func (s *site) squid(config string) []string {
	return []string{"-N", "-n", "snug" + filepath.Base(s.dir)[len("snug-product-"):], "-f", s.write("squid.conf", config+`
visible_hostname office
pid_filename {dir}/squid.pid
access_log none
cache_log {dir}/cache.log
coredump_dir {dir}

cache_mem 16 MB
shutdown_lifetime 1 seconds
acl loopback dst 127.0.0.0/8
http_access allow loopback
http_access deny all
`)}
}

func squidBump(s *site) []string {
	authority, public := s.office("office.pem"), s.public("public.pem")
	const helper = "/usr/lib/squid/security_file_certgen"
	if out, err := exec.Command(helper, "-c", "-s", filepath.Join(s.dir, "certificates"), "-M", "4MB").CombinedOutput(); err != nil {
		s.t.Fatalf("%s: %v: %s", helper, err, out)
	}
	if os.Getuid() == 0 { // squid becomes the user proxy
		if out, err := exec.Command("chown", "-R", "proxy", s.dir).CombinedOutput(); err != nil {
			s.t.Fatalf("chown: %v: %s", err, out)
		}
	}
	return s.squid(`http_port 127.0.0.1:{port} ssl-bump tls-cert=` + authority + ` generate-host-certificates=on dynamic_cert_mem_cache_size=4MB
sslcrtd_program ` + helper + ` -s {dir}/certificates -M 4MB
sslcrtd_children 2
acl step1 at_step SslBump1
ssl_bump peek step1
ssl_bump bump all
tls_outgoing_options cafile=` + public + "\n")
}

// squidICAP has every answer scanned over ICAP, which is how antivirus engines are attached: as a whole, or its beginning.
func squidICAP(beginning bool) func(*site) []string {
	return func(s *site) []string {
		scanner := startICAP(s.t, beginning)
		return s.squid("http_port 127.0.0.1:{port}\nicap_enable on\nicap_preview_enable on\nicap_preview_size 1024\nicap_service scan respmod_precache icap://" + scanner + "/scan bypass=off\nadaptation_access scan allow all\n")
	}
}

func tinyproxy(s *site) []string {
	return []string{"-d", "-c", s.write("tinyproxy.conf", "Port {port}\nListen 127.0.0.1\nTimeout 600\nLogFile \"{dir}/tiny.log\"\nPidFile \"{dir}/tiny.pid\"\nMaxClients 100\nAllow 127.0.0.1\n")}
}

// privoxy has the filters of its package on, which hold text back.
func privoxy(s *site) []string {
	return []string{"--no-daemon", s.write("config", `confdir /etc/privoxy
templdir /etc/privoxy/templates
logdir {dir}
actionsfile match-all.action
actionsfile default.action
filterfile default.filter
logfile privoxy.log
listen-address 127.0.0.1:{port}
toggle 1
buffer-limit 4096
keep-alive-timeout 5
socket-timeout 300
`)}
}

func mitmproxy(s *site) []string {
	s.office("mitmproxy-ca.pem")
	return []string{"-q", "--listen-host", "127.0.0.1", "-p", strconv.Itoa(s.port),
		"--set", "confdir=" + s.dir, "--set", "ssl_verify_upstream_trusted_ca=" + s.public("public.pem")}
}

const nginxGzip = "gzip on; gzip_proxied any; gzip_types *; gzip_min_length 1;"

func nginx(http, location string) func(*site) []string {
	return func(s *site) []string {
		user := ""
		if os.Getuid() == 0 {
			user = "user nobody nogroup;"
		}
		path := s.write("nginx.conf", `daemon off; worker_processes 1; pid {dir}/nginx.pid; error_log {dir}/error.log; `+user+`
events { worker_connections 512; }
http {
	access_log off; client_body_temp_path {dir}/body; proxy_temp_path {dir}/proxy; fastcgi_temp_path {dir}/f; uwsgi_temp_path {dir}/u; scgi_temp_path {dir}/s;
	`+http+`
	server { listen 127.0.0.1:{port}; location / { proxy_pass http://{server}; `+location+` } }
}
`)
		return []string{"-p", s.dir, "-c", path, "-e", filepath.Join(s.dir, "error.log")}
	}
}

func haproxy(option string) func(*site) []string {
	return func(s *site) []string {
		return []string{"-db", "-f", s.write("haproxy.cfg", `defaults
  mode http
  timeout connect 5s
  timeout client 50s
  timeout server 50s
  `+option+`
frontend front
  bind 127.0.0.1:{port}
  default_backend back
backend back
  server relay {server}
`)}
	}
}

func lighttpd(s *site) []string {
	return []string{"-D", "-f", s.write("lighttpd.conf", `server.modules = ("mod_proxy")
server.document-root = "{dir}"
server.bind = "127.0.0.1"
server.port = {port}
server.errorlog = "{dir}/error.log"
server.upload-dirs = ("{dir}")
proxy.server = ("" => (("host" => "{serverhost}", "port" => {serverport})))
`)}
}

const caddyGzip = "encode gzip {\n minimum_length 1\n match {\n  header Content-Type *\n }\n}"

func caddy(more string) func(*site) []string {
	return func(s *site) []string {
		s.envv = []string{"XDG_DATA_HOME=" + s.dir, "XDG_CONFIG_HOME=" + s.dir}
		return []string{"run", "--adapter", "caddyfile", "--config", s.write("Caddyfile", "{\n admin off\n auto_https off\n}\nhttp://127.0.0.1:{port} {\n"+more+"\nreverse_proxy {server}\n}\n")}
	}
}
