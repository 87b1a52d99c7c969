package main

import (
	"fmt"
	"strings"
	"time"

	"snug/client"
)

// said remembers the beginnings of the newest messages, so that answers, changes and reactions can say what they are about.
type said struct {
	words map[client.Ref]string
	order []client.Ref
}

const (
	maxSaid  = 1000
	maxWords = 40 // characters of each
)

func (a *said) note(ref client.Ref, text string) {
	text, _, cut := strings.Cut(strings.TrimSpace(text), "\n")
	if r := []rune(text); len(r) > maxWords {
		text, cut = string(r[:maxWords]), true
	}
	if cut {
		text += "…"
	}
	if a.words == nil {
		a.words = make(map[client.Ref]string)
	}
	if _, known := a.words[ref]; !known {
		if len(a.order) == maxSaid {
			delete(a.words, a.order[0])
			a.order = a.order[1:]
		}
		a.order = append(a.order, ref)
	}
	a.words[ref] = printable(text)
}

// about says what a reference means.
func (a *said) about(ref client.Ref) string {
	if words, ok := a.words[ref]; ok {
		return "“" + words + "”"
	}
	return "an earlier message"
}

// message is what a member said or did to what was said.
func (a *said) message(e client.Event, alias string) string {
	switch e.Kind {
	case client.KindText:
		line := alias + a.answering(e) + ": " + body(e.Body)
		if e.Me {
			line = "* " + alias + " " + body(e.Body) + a.answering(e)
		}
		a.note(client.Ref{From: e.From, ID: e.ID}, e.Body)
		return line + vanishes(e.TTL)
	case client.KindFile:
		line := fmt.Sprintf("%s%s sends %s (%s)", alias, a.answering(e), printable(e.File.Name), bytesText(e.File.Size))
		if e.Body != "" {
			line += ": " + body(e.Body)
		}
		a.note(e.File.Ref, e.File.Name)
		return line + vanishes(e.TTL)
	case client.KindEdit:
		line := "-- " + alias + " changed " + a.about(e.Of) + " to: " + body(e.Body)
		a.note(e.Of, e.Body)
		return line
	case client.KindDelete:
		return "-- " + alias + " deleted " + a.about(e.Of)
	case client.KindStop:
		return "-- " + alias + " does not send " + a.about(e.Of) + " any more"
	case client.KindReact:
		if e.Off {
			return "-- " + alias + " took back " + printable(e.Emoji) + " from " + a.about(e.Of)
		}
		return "-- " + alias + " put " + printable(e.Emoji) + " on " + a.about(e.Of)
	}
	if e.TTL == 0 {
		return "-- " + alias + " lets messages stay"
	}
	return "-- " + alias + " lets messages disappear after " + ttlText(e.TTL)
}

func (a *said) answering(e client.Event) string {
	if e.Re == (client.Ref{}) {
		return ""
	}
	return " (to " + a.about(e.Re) + ")"
}

// vanishes reminds that what a terminal shows stays there, against the wish of who said it.
func vanishes(ttl client.Seconds) string {
	if ttl == 0 {
		return ""
	}
	return " [to disappear after " + ttlText(ttl) + "]"
}

func ttlText(ttl client.Seconds) string {
	const day = 24 * time.Hour
	if d := ttl.Duration(); d >= day && d%day == 0 {
		return plural(int(d/day), "day")
	}
	return ttl.Duration().String()
}

// bytesText is a size for people.
func bytesText(n int64) string {
	for _, u := range sizeUnits[:3] { // GiB, MiB, KiB
		if n >= u.bytes {
			return fmt.Sprintf("%.1f %s", float64(n)/float64(u.bytes), u.name)
		}
	}
	return plural(int(n), "byte")
}
