package main

import (
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// goImports says which packages of this module, and which modules of others, each package may import; the standard
// library is free, and so are test files. A new package needs a line here, a new module one in CONTRIBUTING.md too.
var goImports = map[string][]string{
	"snug": {"snug/handlers", "snug/hub", "snug/wire", "snug/client", "snug/client/e2ee", "snug/static",
		"github.com/alecthomas/kong", "github.com/prometheus/client_golang", "github.com/mdp/qrterminal/v3", "github.com/schollz/progressbar/v3", "golang.org/x/term"},
	"snug/handlers": {"snug/hub", "snug/wire",
		"github.com/labstack/echo/v4", "github.com/prometheus/client_golang", "golang.org/x/time", "github.com/r3labs/sse/v2", "github.com/andybalholm/brotli"},
	"snug/client":       {"snug/client/acks", "snug/client/e2ee", "snug/wire", "github.com/r3labs/sse/v2"},
	"snug/client/acks":  {},
	"snug/client/e2ee":  {"snug/wire", "golang.org/x/text"},
	"snug/hub":          {"snug/wire"},
	"snug/hub/hubtest":  {"snug/hub", "snug/wire"},
	"snug/wire":         {},
	"snug/static":       {},
	"snug/e2e/proxies":  {},
	"snug/e2e/products": {"snug/e2e/proxies"},
	"snug/e2e":          {"snug/e2e/proxies", "snug/e2e/products", "snug/handlers", "snug/hub", "snug/wire", "snug/client", "snug/client/e2ee", "snug/static", "github.com/chromedp"},
	"snug/load":         {"snug/client/acks", "snug/wire", "github.com/r3labs/sse/v2"},
}

// jsLayers gives the height of each folder of static/js; imports go down only. net and crypto do not know each other.
var jsLayers = map[string]int{"": 4, "ui": 3, "room": 2, "net": 1, "crypto": 1, "lib": 0}

func TestGoImports(t *testing.T) {
	for name, src := range sources(t, ".go") {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		pkg := path.Join("snug", path.Dir(name))
		allowed, known := goImports[pkg]
		if !known {
			t.Errorf("%s: package %s has no line in goImports", name, pkg)
			continue
		}
		f, err := parser.ParseFile(token.NewFileSet(), name, src, parser.ImportsOnly)
		if err != nil {
			t.Fatal(err)
		}
		for _, spec := range f.Imports {
			to, _ := strconv.Unquote(spec.Path.Value)
			first, _, _ := strings.Cut(to, "/")
			foreign := strings.Contains(first, ".")
			if !foreign && first != "snug" {
				continue // the standard library
			}
			if !slices.ContainsFunc(allowed, func(a string) bool { return to == a || (foreign && strings.HasPrefix(to, a+"/")) }) {
				t.Errorf("%s imports %s; %s may import %v", name, to, pkg, allowed)
			}
		}
	}
}

func TestScriptImports(t *testing.T) {
	files := sources(t, ".js")
	for name, src := range files {
		if !strings.HasPrefix(name, "static/") {
			continue
		}
		for _, spec := range jsImports(src) {
			if !strings.HasPrefix(spec, "./") && !strings.HasPrefix(spec, "../") {
				t.Errorf("%s imports %q; the page has no packages, only files beside it", name, spec)
				continue
			}
			to := path.Join(path.Dir(name), spec)
			if _, ok := files[to]; !ok && !strings.Contains(to, "${") { // of a template, only the folder is known
				t.Errorf("%s imports %q; there is no such file", name, spec)
			}
			from, target := jsLayer(name), jsLayer(to)
			height, known := jsLayers[from]
			below, ok := jsLayers[target]
			if !known || !ok || (from != target && below >= height) {
				t.Errorf("%s imports %s; imports go ui -> room -> {net, crypto} -> lib", name, to)
			}
		}
	}
}

// TestScriptsStayOffThePage: what seals and what talks to the relay cannot reach the document, so it runs in Node too.
func TestScriptsStayOffThePage(t *testing.T) {
	page := regexp.MustCompile(`\bdocument\b|\bwindow\s*\.`)
	for name, src := range sources(t, ".js") {
		if layer := jsLayer(name); strings.HasPrefix(name, "static/js/") && (layer == "net" || layer == "crypto") {
			if found := page.FindString(jsCode(src)); found != "" {
				t.Errorf("%s mentions %s", name, found)
			}
		}
	}
}

// TestPageIsSafeByConstruction refuses the ways in which text becomes code, and everything from another host.
func TestPageIsSafeByConstruction(t *testing.T) {
	scripts := regexp.MustCompile(`\b(innerHTML|outerHTML|insertAdjacentHTML|setHTMLUnsafe|createContextualFragment)\b|` +
		`\bdocument\.write|\beval\s*\(|\bnew\s+Function\b|\bset(Timeout|Interval)\s*\(\s*["'` + "`" + `]|setAttribute\s*\(\s*["']on|javascript:`)
	markup := regexp.MustCompile(`(?i)<[^>]*\s(on[a-z]+|style)\s*=|<style\b|javascript:|<script(\s[^>]*)?>[^<\s]`)
	remote := regexp.MustCompile(`(?i)\b(src|href|srcset|action)\s*=\s*["']?\s*(https?:)?//|url\(\s*["']?(https?:)?//|@import`)
	for name, src := range sources(t, ".js", ".html", ".svg", ".css") {
		if !strings.HasPrefix(name, "static/") {
			continue
		}
		code, bad := src, markup
		if path.Ext(name) == ".js" {
			code, bad = jsCode(src), scripts
		}
		if found := bad.FindString(code); found != "" && path.Ext(name) != ".css" {
			t.Errorf("%s holds %q", name, found)
		}
		if found := remote.FindString(code); found != "" {
			t.Errorf("%s loads from elsewhere: %q", name, found)
		}
	}
}

// TestNobodyElsesCode: third-party code is never committed, nor anything generated from it.
func TestNobodyElsesCode(t *testing.T) {
	foreign := regexp.MustCompile(`(^|/)(node_modules|vendor|third_party|bower_components)/|\.min\.(js|css)$|(^|/)(package|package-lock|yarn|pnpm-lock)\.(json|lock|yaml)$|\.(wasm|map)$`)
	banner := regexp.MustCompile(`(?i)@license|copyright \(c\)|sourceMappingURL`)
	for name, src := range sources(t, "") {
		if foreign.MatchString(name) {
			t.Errorf("%s looks like somebody else's code", name)
		}
		if ext := path.Ext(name); (ext == ".js" || ext == ".css") && banner.MatchString(src) {
			t.Errorf("%s carries a licence banner: %q", name, banner.FindString(src))
		}
	}
}

// firstVisit are the scripts that everybody needs before the first message. A module is a request, so there are few of them and they are long
// (static/visit_test.go counts them); each holds its parts one below the other.
var firstVisit = []string{"crypto/suite.js", "crypto/keys.js", "crypto/chains.js", "crypto/group.js", "net/relay.js", "net/ladder.js", "net/transport.js",
	"room/connection.js", "room/session.js", "room/shared.js", "ui/parts.js", "ui/app.js", "ui/room.js"}

// TestFileLength keeps files readable in one sitting. The one style sheet is one file on purpose, and so is a language.
func TestFileLength(t *testing.T) {
	for name, src := range sources(t, ".go", ".js", ".html") {
		script, _ := strings.CutPrefix(name, "static/js/")
		if slices.Contains(firstVisit, script) || strings.HasPrefix(script, "ui/lang/") {
			continue
		}
		if n := strings.Count(src, "\n"); n > 450 {
			t.Errorf("%s has %d lines", name, n)
		} else if n > 400 {
			t.Logf("%s has %d lines", name, n)
		}
	}
}

// sources reads the files of the tree that end in one of exts, by their slash-separated path.
func sources(t *testing.T, exts ...string) map[string]string {
	t.Helper()
	files := map[string]string{}
	err := filepath.WalkDir(".", func(name string, d fs.DirEntry, err error) error {
		name = filepath.ToSlash(name)
		switch {
		case err != nil:
			return err
		case d.IsDir() && (name == ".git" || name == ".ci/out"):
			return filepath.SkipDir
		case d.IsDir() || !slices.ContainsFunc(exts, func(e string) bool { return strings.HasSuffix(name, e) }):
			return nil
		}
		b, err := os.ReadFile(name)
		files[name] = string(b)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(files) == 0 {
		t.Fatalf("no file ends in %v", exts)
	}
	return files
}

// jsLayer is the folder of static/js that a script lies in, empty for the scripts beside those folders.
func jsLayer(name string) string {
	rest, _ := strings.CutPrefix(name, "static/js/")
	layer, _, ok := strings.Cut(rest, "/")
	if !ok {
		return ""
	}
	return layer
}

var jsImport = regexp.MustCompile(`(?:^|[;}\s])(?:import|export)\s*(?:[\w*{][^;'"()]*?\bfrom\s*)?["']([^"']+)["']|\bimport\s*\(\s*["'` + "`" + `]([^"'` + "`" + `]+)|\bnew\s+(?:Shared)?Worker\s*\(\s*["']([^"']+)`)

// jsImports lists what a script imports, statically, dynamically or as a worker. JSDoc imports are types and do not count.
func jsImports(src string) (specs []string) {
	for _, m := range jsImport.FindAllStringSubmatch(jsCode(src), -1) {
		specs = append(specs, m[1]+m[2]+m[3])
	}
	return specs
}

// jsCode blanks the comments of a script and leaves strings, templates and regular expressions alone.
func jsCode(src string) string {
	out, last := []byte(src), byte('\n') // last is the last byte of code that is not white space
	for i := 0; i < len(src); i++ {
		rest := src[i:]
		switch c := src[i]; {
		case strings.HasPrefix(rest, "//"):
			i = blank(out, i, strings.IndexByte(rest, '\n'))
		case strings.HasPrefix(rest, "/*"):
			i = blank(out, i, strings.Index(rest, "*/")+2)
		case c == '"' || c == '\'' || c == '`' || (c == '/' && strings.IndexByte("\n(,=:[!&|?{};+>", last) >= 0):
			i = skipLiteral(src, i)
			last = c
		case c > ' ':
			last = c
		}
	}
	return string(out)
}

// blank overwrites n bytes from i on, all the rest if n is negative, and returns the last place it wrote, less one.
func blank(out []byte, i, n int) int {
	end := i + n
	if n <= 0 {
		end = len(out)
	}
	for j := i; j < end; j++ {
		if out[j] != '\n' {
			out[j] = ' '
		}
	}
	return end - 1
}

// skipLiteral returns the place of the byte that closes the string, template or regular expression opened at i.
func skipLiteral(src string, i int) int {
	class := false // inside […] of a regular expression a slash is a slash
	for j := i + 1; j < len(src); j++ {
		switch c := src[j]; {
		case c == '\\':
			j++
		case src[i] == '/' && (c == '[' || c == ']'):
			class = c == '['
		case c == src[i] && !class:
			return j
		case c == '\n' && src[i] != '`':
			return j
		}
	}
	return len(src) - 1
}

func TestJSImports(t *testing.T) {
	src := "// import 'no.js'\n/* import x from \"no.js\" */\nimport './a.js';\nimport {b, c as d} from \"./b.js\"\nimport * as e from './c.js';" +
		"export { f } from './d.js'; const u = 'https://x' + await import('./e.js'); const r = /[/'\"]/; import g, { h } from './f.js'\n" +
		"/** @type {import('./no.js').T} */\nnew Worker('./w.js', {type: 'module'}); const s = `// ${1}`.length / 2; /**/import './g.js'"
	want := []string{"./a.js", "./b.js", "./c.js", "./d.js", "./e.js", "./f.js", "./w.js", "./g.js"}
	if got := jsImports(src); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}
