package wire

import (
	"bytes"
	"encoding/json"
	"fmt"
)

// CheckFrame tells whether b looks like a frame of snug/1: the version byte and the smallest size are all that the
// relay can see. It keeps unencrypted bodies out; it proves nothing else.
func CheckFrame(b []byte) error {
	if len(b) < MinFrame {
		return fmt.Errorf("frame: %w: %d bytes, the smallest frame has %d", ErrMalformed, len(b), MinFrame)
	}
	if b[0] != 1 {
		return fmt.Errorf("frame: %w: version %d, this relay carries 1", ErrMalformed, b[0])
	}
	return nil
}

// CheckJWE tells whether b is shaped like a compact JWE with direct key agreement: five base64url parts, the second
// empty, and a protected header that says ECDH-ES. The relay cannot open it.
func CheckJWE(b []byte) error {
	parts := bytes.Split(b, []byte("."))
	if len(parts) != 5 || len(parts[1]) != 0 || len(parts[2]) == 0 || len(parts[4]) == 0 {
		return fmt.Errorf("jwe: %w: want five base64url parts, the second empty", ErrMalformed)
	}
	for _, p := range parts {
		if _, err := encoding.AppendDecode(nil, p); err != nil || bytes.ContainsAny(p, "\r\n") {
			return fmt.Errorf("jwe: %w: not base64url without padding", ErrMalformed)
		}
	}
	head, _ := encoding.AppendDecode(nil, parts[0]) // decoded without error just above
	var h struct{ Alg, Enc string }
	if err := json.Unmarshal(head, &h); err != nil || h.Alg != "ECDH-ES" || (h.Enc != "A256CBC-HS512" && h.Enc != "A256GCM") {
		return fmt.Errorf("jwe: %w: want alg ECDH-ES and enc A256CBC-HS512 or A256GCM", ErrMalformed)
	}
	return nil
}
