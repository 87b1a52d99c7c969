package client

import "testing"

// TestNearOfHeartbeats: a heartbeat says that the room is near its budget, and the next one may say that it is not any more.
func TestNearOfHeartbeats(t *testing.T) {
	var st stay
	for _, beat := range []struct {
		data string
		near bool
	}{{`{}`, false}, {`{"near":true}`, true}, {`{"near":true}`, true}, {`{}`, false}} {
		if _, err := st.controlLocked(event{name: "hb", data: []byte(beat.data)}); err != nil || st.near != beat.near {
			t.Errorf("after %s: near %v, %v", beat.data, st.near, err)
		}
	}
}
