package client

import (
	"fmt"
	"strings"

	"snug/wire"
)

// Verdict says in plain words what a report means for snug, the most important first.
func (r CheckReport) Verdict() []string {
	if !r.Reach.OK {
		return []string{"The relay cannot be reached from here: " + strings.TrimPrefix(r.Reach.Why, unreached) + "."}
	}
	return append([]string{r.receiving()}, append(r.sending(), r.rest()...)...)
}

// Fine tells whether messages can pass both ways.
func (r CheckReport) Fine() bool {
	receives := r.Stream.Live || r.Octets.Live || r.Batch.OK || r.Poll.OK
	return r.Reach.OK && receives && max(r.Posts.Octets, r.Posts.Text) > 0
}

func (r CheckReport) receiving() string {
	switch {
	case r.Stream.Live:
		return "Live streams work here: messages arrive at once."
	case r.Octets.Live:
		return "Event streams are held back or refused here, but the same as plain bytes works: messages arrive at once."
	case r.Batch.OK:
		return "This network holds streams back; snug asks for answers that end at once: messages take a moment longer."
	case r.Poll.OK:
		return "This network holds streams back; snug will poll: messages take about a second."
	}
	return "Neither streams nor polls get through here: messages cannot be received."
}

func (r CheckReport) sending() (said []string) {
	most := max(r.Posts.Octets, r.Posts.Text)
	switch {
	case most == 0:
		return []string{"POSTs are refused here: nothing can be sent."}
	case r.Posts.Octets == 0:
		said = append(said, "Binary POSTs are refused here; snug sends as text.")
	}
	if most < wire.MaxCheckBody {
		said = append(said, fmt.Sprintf("POSTs above %d KiB are refused; files go in small pieces.", most>>10))
	}
	return said
}

func (r CheckReport) rest() (said []string) {
	if r.Altered {
		said = append(said, "Something in between changes pages on their way. Use snug ui, so that it cannot change snug's.")
	}
	if r.Cached {
		said = append(said, "Something in between answers for the relay out of a cache; snug makes every address a new one.")
	}
	if len(r.Lost) > 0 {
		said = append(said, "Headers are stripped on the way ("+strings.Join(r.Lost, ", ")+"); snug needs none of them.")
	}
	if w := r.Watch; w != nil && w.Cut > 0 {
		said = append(said, fmt.Sprintf("Streams are cut after about %d s; snug opens the next one in time.", w.Cut))
	} else if w != nil && w.Idle > 0 {
		said = append(said, fmt.Sprintf("Silent streams are cut after about %d s; snug's say something every 10 s.", w.Idle))
	}
	return said
}
