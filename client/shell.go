package client

import (
	"encoding/hex"
	"fmt"

	"snug/client/e2ee"
)

// Seal makes of a text what a shell posts: a compact JWE to the room's public key, given in hexadecimal. It fails with
// e2ee.ErrMalformed for a key that is none or a text that is not UTF-8.
func Seal(key, text string) (string, error) {
	b, err := hex.DecodeString(key)
	if err != nil || len(b) != 32 {
		return "", fmt.Errorf("public key: %w: want 64 hexadecimal digits", e2ee.ErrMalformed)
	}
	return e2ee.SealJWE([32]byte(b), e2ee.A256CBCHS512, []byte(text), nil)
}

// ShellOf is what a terminal needs to send into the room of a root, on the relay at origin.
func ShellOf(origin string, root e2ee.Root) Shell { return shellOf(origin, root.Keys()) }

func shellOf(origin string, k e2ee.Keys) Shell {
	token, _ := k.Post.MarshalText() // cannot fail
	drop := k.DropPublic()
	return Shell{URL: origin + "/r/" + k.Room.String(), Token: string(token), Key: hex.EncodeToString(drop[:])}
}
