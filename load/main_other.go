//go:build !linux

// Command load measures what a relay costs. It reads /proc and runs on Linux only.
package main

import "log"

func main() { log.Fatal("load: it reads /proc, so it runs on Linux only") }
