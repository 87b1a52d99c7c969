// Package static is exactly what the browser gets: hand-written ES modules, a style sheet and drawings, with no build
// step between the repository and the page. view-source shows the audited source.
package static

import "embed"

// Files holds the page: index.html and check.html at its root and everything beside it but Go files. It is never changed.
//
//go:embed index.html check.html app.css manifest.webmanifest sw.js icons js
var Files embed.FS
