package wire

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"os"
	"testing"
)

// TestTokenChain runs the vectors that both encryptions share: the relay must come to the same room.
func TestTokenChain(t *testing.T) {
	raw, err := os.ReadFile("../testdata/vectors/root.json")
	if err != nil {
		t.Fatal(err)
	}
	var vectors struct {
		RoomKeys []struct{ Access, Post, RoomID string }
		MemberID []struct{ Secret, ID string }
	}
	if err := json.Unmarshal(raw, &vectors); err != nil {
		t.Fatal(err)
	}
	if len(vectors.RoomKeys) == 0 || len(vectors.MemberID) == 0 {
		t.Fatal("no vectors")
	}
	for _, v := range vectors.RoomKeys {
		access, post := AccessToken(unhex(t, v.Access)), PostToken(unhex(t, v.Post))
		if got := access.Post(); got != post {
			t.Errorf("post token of %s is %x, want %x", v.Access, got, post)
		}
		if got := post.Room().String(); got != v.RoomID {
			t.Errorf("room of %s is %s, want %s", v.Post, got, v.RoomID)
		}
		room, err := ParseRoomID(v.RoomID)
		if err != nil || !access.Opens(room) || !post.Opens(room) {
			t.Errorf("the tokens of %s do not open it (%v)", v.RoomID, err)
		}
	}
	for _, v := range vectors.MemberID {
		if got := MemberSecret(unhex(t, v.Secret)).Member().String(); got != v.ID {
			t.Errorf("member of %s is %s, want %s", v.Secret, got, v.ID)
		}
	}
}

func unhex(t *testing.T, s string) [32]byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil || len(b) != 32 {
		t.Fatalf("vector %q: %v", s, err)
	}
	return [32]byte(b)
}

// TestTokensOpenNothingElse: a post token is no access token, a room id is no token, and no token opens another room.
func TestTokensOpenNothingElse(t *testing.T) {
	access := AccessToken(sha256.Sum256([]byte("a room")))
	room := access.Post().Room()
	if AccessToken(access.Post()).Opens(room) {
		t.Error("a post token joins")
	}
	if PostToken(access).Opens(room) {
		t.Error("an access token posts")
	}
	var padded PostToken
	copy(padded[:], room[:])
	if padded.Opens(room) {
		t.Error("a room id posts")
	}
	for bit := range 256 {
		spoiled := access
		spoiled[bit/8] ^= 1 << (bit % 8)
		if spoiled.Opens(room) {
			t.Fatalf("a token with bit %d flipped opens the room", bit)
		}
	}
}

func TestCheckFrame(t *testing.T) {
	frame := make([]byte, MinFrame)
	frame[0] = 1
	if err := CheckFrame(frame); err != nil {
		t.Errorf("the smallest frame: %v", err)
	}
	for name, bad := range map[string][]byte{"nil": nil, "short": frame[:MinFrame-1], "text": []byte("hello"), "another version": append([]byte{2}, frame...)} {
		if CheckFrame(bad) == nil {
			t.Errorf("%s is taken for a frame", name)
		}
	}
}

func jwe(header string) string {
	return base64.RawURLEncoding.EncodeToString([]byte(header)) + "..AAAA.AAAA.AAAA"
}

func TestCheckJWE(t *testing.T) {
	for _, good := range []string{jwe(`{"alg":"ECDH-ES","enc":"A256GCM"}`), jwe(`{"alg":"ECDH-ES","enc":"A256CBC-HS512","epk":{}}`)} {
		if err := CheckJWE([]byte(good)); err != nil {
			t.Errorf("CheckJWE(%s): %v", good, err)
		}
	}
	ok := jwe(`{"alg":"ECDH-ES","enc":"A256GCM"}`)
	for _, bad := range []string{
		"", "hello", "....", ok + ".", ok + "\n", ok + "=", ok[1:], jwe(`{"alg":"dir","enc":"A256GCM"}`), jwe(`{"alg":"ECDH-ES","enc":"none"}`),
		jwe(`{}`), jwe(`[]`), jwe(`{"alg":"ECDH-ES","enc":"A256GCM"`), "AAAA.AAAA.AAAA.AAAA.AAAA",
	} {
		if CheckJWE([]byte(bad)) == nil {
			t.Errorf("CheckJWE(%q) passes", bad)
		}
	}
}

// FuzzCheckJWE: what passes goes into an event as it is, so it must hold nothing that could end a JSON string or a line.
func FuzzCheckJWE(f *testing.F) {
	f.Add(jwe(`{"alg":"ECDH-ES","enc":"A256GCM"}`))
	f.Add("a.b.c.d.e")
	f.Fuzz(func(t *testing.T, s string) {
		if CheckJWE([]byte(s)) != nil {
			return
		}
		data := Framed(AppendMsg(nil, Msg{JWE: s})).Data()
		var m Msg
		if err := json.Unmarshal(data, &m); err != nil || m.JWE != s {
			t.Errorf("a JWE that passed comes back as %q, %v", m.JWE, err)
		}
	})
}
