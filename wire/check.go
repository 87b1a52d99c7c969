package wire

import "time"

// Bounds of the network check.
const (
	MaxCheckTime  = 95 * time.Second // of one stream: longer than the idle limits in common use
	MaxCheckBytes = 512 << 10        // of one stream: larger than the buffers in common use
	MaxCheckBody  = 1 << 20          // of one post: the largest chunk of a file
)

// CheckEcho answers GET /check/echo. Answer is a new random text each time, so two answers with the same came out of a cache.
type CheckEcho struct {
	Answer   string   `json:"answer"`
	Protocol string   `json:"protocol"`
	Headers  []string `json:"headers"` // names of those that have arrived, sorted
	Via      string   `json:"via,omitempty"`
	Page     string   `json:"page"` // what GET /check/page answers
}

// CheckPosted answers POST /check/post: what has arrived.
type CheckPosted struct {
	Bytes   int  `json:"bytes"`
	Intact  bool `json:"intact"`  // every byte is CheckByte of its place
	Chunked bool `json:"chunked"` // without Content-Length
}

// CheckPiece is the data of one piece of GET /check/stream.
type CheckPiece struct {
	N  int   `json:"n"`
	At int64 `json:"at"` // milliseconds since the stream began
}

// CheckByte is what the body of POST /check/post holds at a place: letters, so that it is text as well.
func CheckByte(place int) byte { return 'a' + byte((place+place>>8)%26) }
