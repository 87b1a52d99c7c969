//go:build !race

package e2e

const slow = false
