package main

import (
	"fmt"
	"net/url"
	"strings"
)

// relayFlags name a relay and the way to it, for the commands that are about the relay and not about a room.
type relayFlags struct {
	URL   relayURL `arg:"" name:"url" help:"Address of the relay, such as https://snug.example."`
	Proxy proxyURL `placeholder:"URL" help:"Proxy to use. Without it: HTTPS_PROXY, HTTP_PROXY and NO_PROXY."`
}

// relayURL is the address of a relay without a slash at its end: scheme, host and port.
type relayURL string

// UnmarshalText takes a relay's address. A link of a room is one with something behind it; its secret is dropped here.
func (r *relayURL) UnmarshalText(b []byte) error {
	u, err := url.Parse(string(b))
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" || u.User != nil || strings.Trim(u.Path, "/") != "" || u.RawQuery != "" {
		return fmt.Errorf("not the address of a relay; write it like https://snug.example")
	}
	*r = relayURL(u.Scheme + "://" + u.Host)
	return nil
}

// url is the parsed address.
func (r relayURL) url() *url.URL {
	u, err := url.Parse(string(r))
	if err != nil {
		panic("snug: " + err.Error()) // UnmarshalText has passed it
	}
	return u
}

// proxyURL is a proxy as people write it; empty if none is given. It may hold a password, so errors do not quote it.
type proxyURL string

// UnmarshalText reads http://[user:password@]host:port.
func (p *proxyURL) UnmarshalText(b []byte) error {
	u, err := url.Parse(string(b))
	if err != nil || u.Host == "" {
		return fmt.Errorf("not an address; write it like http://proxy.example:3128")
	}
	*p = proxyURL(b)
	return nil
}

// url is the parsed proxy, nil if none is given.
func (p proxyURL) url() *url.URL {
	if p == "" {
		return nil
	}
	u, err := url.Parse(string(p))
	if err != nil {
		panic("snug: a proxy that does not parse") // UnmarshalText has passed it
	}
	return u
}
