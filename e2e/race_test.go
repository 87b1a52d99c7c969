//go:build race

package e2e

// slow: the race detector makes everything several times slower.
const slow = true
