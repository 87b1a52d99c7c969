package main

import (
	"fmt"
	"os"

	"snug/client"
	"snug/wire"
)

// sealCmd encrypts stdin for a room, for a curl that posts it. It needs no more than the room's public key, and no network.
type sealCmd struct {
	Key string `required:"" placeholder:"HEX" help:"The room's public key, as the page's terminal panel and snug room new show it."`
}

// Run prints the JWE.
func (c *sealCmd) Run(out *output) error {
	text, err := readText(nil, os.Stdin)
	if err != nil {
		return err
	}
	jwe, err := client.Seal(c.Key, text)
	if err != nil {
		return err
	}
	if len(jwe) > wire.MaxShell {
		return usage("the text is too long for one post")
	}
	_, err = fmt.Fprintln(out, jwe)
	return err
}
