package client_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"snug/client"
	"snug/e2e/proxies"
	"snug/handlers"
	"snug/hub"
)

// TestCheckNetwork: what a proxy does is what the check says.
func TestCheckNetwork(t *testing.T) {
	memory := hub.NewMemory(hub.Limits{})
	h, err := handlers.New(handlers.Config{Hub: memory})
	if err != nil {
		t.Fatal(err)
	}
	web := httptest.NewServer(h)
	t.Cleanup(func() { web.Close(); memory.Close() })
	tests := []struct {
		name   string
		habits []proxies.Habit
		fine   bool
		says   []string
	}{
		{"nothing", nil, true, []string{"Live streams work here: messages arrive at once."}},
		{"holds", []proxies.Habit{proxies.Hold{}}, true, []string{"This network holds streams back; "}},
		{"one behind", []proxies.Habit{proxies.OneBehind{}}, true, []string{"Live streams work here"}},
		{"small bodies", []proxies.Habit{proxies.Limits{Body: 64 << 10}}, true, []string{"Live streams work", "POSTs above 64 KiB are refused; files go in small pieces."}},
		{"no event streams", []proxies.Habit{proxies.Types{Answers: []string{"text/event-stream"}}}, true, []string{"the same as plain bytes works"}},
		{"no binary posts", []proxies.Habit{proxies.Types{Bodies: []string{"application/octet-stream"}}}, true, []string{"Live streams work", "snug sends as text"}},
		{"no posts", []proxies.Habit{proxies.Methods{Allow: []string{"GET"}}}, false, []string{"Live streams work", "nothing can be sent"}},
		{"a block page", []proxies.Habit{proxies.Blocked{Disguise: true}}, false, []string{"The relay cannot be reached from here: a page instead of the relay's answer (200)."}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			p := proxies.Start(t, proxies.Config{Habits: test.habits, Reverse: strings.TrimPrefix(web.URL, "http://")})
			r := client.CheckNetwork(t.Context(), &http.Client{Transport: client.Transport(nil)}, p.URL.String(), 0, func(string) {})
			got := r.Verdict()
			if r.Fine() != test.fine || len(got) != len(test.says) {
				t.Fatalf("got %v %q from %+v", r.Fine(), got, r)
			}
			for i, want := range test.says {
				if !strings.Contains(got[i], want) {
					t.Errorf("got %q, want %q", got[i], want)
				}
			}
		})
	}
}
