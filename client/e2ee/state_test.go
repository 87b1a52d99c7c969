package e2ee

import (
	"errors"
	"strings"
	"testing"
	"time"
)

func TestExportImport(t *testing.T) {
	r := newRoom(t, "alice", "bob")
	one := r.send("alice", "one")
	r.sees("bob", "alice", content("one"), one...)
	late := r.send("alice", "late")[0]
	under := r.send("alice", "under way")[0]
	r.sees("bob", "alice", content("under way"), under)
	shell := must(SealJWE(r.root.Keys().DropPublic(), "", []byte("from a script"), nil))
	if o, err := r.member["bob"].OpenShell(shell); err != nil || o.Kind != KindShell || string(o.Content) != "from a script" {
		t.Fatalf("shell: %+v, %v", o, err)
	}
	sent := r.send("bob", "before")
	r.sees("alice", "bob", content("before"), sent...)

	bob, err := Import(must(r.member["bob"].Export()), Config{Now: r.clock.now})
	if err != nil {
		t.Fatal(err)
	}
	if bob.Self() != idOf("bob") || bob.SafetyCode() != r.member["alice"].SafetyCode() || bob.Root() != r.root || bob.Keys() != r.root.Keys() {
		t.Error("not the same member of the same room")
	}
	r.member["bob"] = bob
	if s := r.member["alice"].Learn(bob.Self(), must(bob.Card())); s != StatusUpdated {
		t.Errorf("card: got %v, want updated", s)
	}
	r.sees("bob", "alice", "repeat", one...)
	r.sees("bob", "alice", "repeat", under)
	r.sees("bob", "alice", content("late"), late)
	if o, _ := bob.OpenShell(shell); o.Kind != KindRepeat {
		t.Errorf("shell post again: %v", o.Kind)
	}
	after := r.send("bob", "after")
	if len(after) != 2 {
		t.Fatal("an imported group went on with its chain")
	}
	r.sees("alice", "bob", content("after"), after...)
	r.sees("bob", "alice", content("go on"), r.send("alice", "go on")...)
}

// An old copy that is imported twice uses no chain number, and so no message key, a second time.
func TestImportOfAnOldCopy(t *testing.T) {
	r := newRoom(t, "alice", "bob")
	old := must(r.member["bob"].Export())
	for range 3 {
		r.clock.pass(time.Second)
		bob, err := Import(old, Config{Now: r.clock.now})
		if err != nil {
			t.Fatal(err)
		}
		r.member["bob"] = bob
		if s := r.member["alice"].Learn(bob.Self(), must(bob.Card())); s != StatusUpdated {
			t.Errorf("card: %v", s)
		}
		r.sees("alice", "bob", content("again"), r.send("bob", "again")...)
	}
}

func TestImportRefuses(t *testing.T) {
	r := newRoom(t, "alice")
	good := string(must(r.member["alice"].Export()))
	for _, bad := range []string{"", "{}", "null", good[:len(good)-1], strings.Replace(good, `"V":1`, `"V":2`, 1), strings.Replace(good, `"Root":"`, `"Root":"AAAA`, 1)} {
		if _, err := Import([]byte(bad), Config{}); !errors.Is(err, ErrMalformed) {
			t.Errorf("got %v, want %v", err, ErrMalformed)
		}
	}
}
