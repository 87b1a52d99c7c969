package client

import (
	"testing"

	"snug/wire"
)

func TestChunkSize(t *testing.T) {
	var (
		is413   = &BlockedError{Status: 413}
		is403   = &BlockedError{Status: 403}
		late    = &NetworkError{Timeout: true}
		relay   = &RelayError{Code: wire.CodeTooLarge, HTTP: 413}
		gateway = &BlockedError{Status: 502}
		slow    = &RelayError{Code: wire.CodeBodyLate, HTTP: 408}
	)
	type try struct {
		size int
		err  error // nil: it got through
		want bool  // smaller may do
	}
	tests := []struct {
		name   string
		asText bool
		tries  []try
		want   int
	}{
		{"413", false, []try{{1 << 20, is413, true}}, 256 << 10},
		{"to the end", false, []try{{1 << 20, is413, true}, {256 << 10, is413, true}, {64 << 10, relay, true}, {16 << 10, late, true}, {4 << 10, is413, false}}, 4 << 10},
		{"too slow for the relay", false, []try{{1 << 20, slow, true}, {256 << 10, nil, false}, {256 << 10, slow, false}}, 256 << 10},
		{"no size", false, []try{{1 << 20, gateway, false}}, 1 << 20},
		{"403 for what passed before", false, []try{{256 << 10, nil, false}, {256 << 10, is403, false}, {256 << 10, late, false}, {256 << 10, is413, true}}, 64 << 10},
		{"two at a time", false, []try{{1 << 20, is413, true}, {1 << 20, is413, true}}, 256 << 10},
		{"a small one", false, []try{{10 << 10, is413, true}}, 4 << 10},
		{"as text", true, []try{{768 << 10, is413, true}, {192 << 10, is413, true}, {48 << 10, is413, true}, {12 << 10, is413, true}, {3 << 10, is413, false}}, 3 << 10},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var c chunkSize
			for i, try := range test.tries {
				if try.err == nil {
					c.pass(try.size)
				} else if got := c.refused(try.size, try.err, test.asText); got != try.want {
					t.Errorf("%d: got %v", i, got)
				}
			}
			if got := c.size(test.asText); got != test.want {
				t.Errorf("got %d, want %d", got, test.want)
			}
		})
	}
}
