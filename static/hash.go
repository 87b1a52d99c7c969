package static

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"slices"
	"sync"
)

// Names lists the files of the page, sorted, with slashes. The caller may change the list.
func Names() []string {
	var names []string
	err := fs.WalkDir(Files, ".", func(name string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			names = append(names, name)
		}
		return err
	})
	if err != nil {
		panic("static: read what is embedded: " + err.Error())
	}
	slices.Sort(names) // WalkDir has lang/en.js before lang.js
	return names
}

// Hash names the page as a whole: "sha256:" and the SHA-256 of the lines "HASH  NAME" of its files, sorted by name, as
// sha256sum would print them in this folder.
var Hash = sync.OnceValue(func() string {
	all := sha256.New()
	for _, name := range Names() {
		b, err := Files.ReadFile(name)
		if err != nil {
			panic("static: read what is embedded: " + err.Error())
		}
		fmt.Fprintf(all, "%x  %s\n", sha256.Sum256(b), name)
	}
	return "sha256:" + hex.EncodeToString(all.Sum(nil))
})
