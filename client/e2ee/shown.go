package e2ee

import (
	"strings"
	"unicode"
)

// shownAlias is an alias as people see it. A card is valid with any name, so that old ones stay so, but nobody is shown
// what has no shape or turns the text around it. The page does the same in static/js/crypto/keys.js.
func shownAlias(alias string) string {
	shown := strings.TrimSpace(strings.Map(func(r rune) rune {
		if unicode.Is(unicode.C, r) {
			return -1
		}
		return r
	}, alias))
	if alias != "" && !strings.ContainsFunc(shown, visible) { // one that is not known yet stays so
		return "?"
	}
	return shown
}

// brailleBlank is a symbol by its category, and a space to the eye.
const brailleBlank = '\u2800'

func visible(r rune) bool {
	return r != brailleBlank && !unicode.In(r, unicode.M, unicode.Z, unicode.Other_Default_Ignorable_Code_Point)
}
