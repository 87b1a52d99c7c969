package hub_test

import (
	"testing"

	"snug/hub"
	"snug/hub/hubtest"
)

func TestMemory(t *testing.T) {
	hubtest.Run(t, func(*testing.T) hub.Hub { return hub.NewMemory(hub.Limits{}) })
}
