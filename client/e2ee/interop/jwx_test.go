// Package interop holds e2ee to what other people's libraries make of the same standards. It is a directory of its own so that
// their modules are needed by its tests alone.
package interop

import (
	"crypto/ecdh"
	"crypto/rand"
	"testing"

	"github.com/lestrrat-go/jwx/v3/jwa"
	"github.com/lestrrat-go/jwx/v3/jwe"

	"snug/client/e2ee"
)

var encryptions = map[e2ee.Enc]jwa.ContentEncryptionAlgorithm{
	e2ee.A256CBCHS512: jwa.A256CBC_HS512(),
	e2ee.A256GCM:      jwa.A256GCM(),
}

var texts = []string{"", "disk full on db1", "0123456789abcdef", "Grüße 👋\n"}

func TestOtherLibraryOpensOurs(t *testing.T) {
	key, err := ecdh.X25519().GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	for enc := range encryptions {
		for _, text := range texts[1:] { // jwx 3.3.0 opens no empty text, not even its own
			ours, err := e2ee.SealJWE([32]byte(key.PublicKey().Bytes()), enc, []byte(text), nil)
			if err != nil {
				t.Fatal(err)
			}
			got, err := jwe.Decrypt([]byte(ours), jwe.WithKey(jwa.ECDH_ES(), key))
			if err != nil || string(got) != text {
				t.Errorf("%s: got %q, %v, want %q", enc, got, err, text)
			}
		}
	}
}

func TestWeOpenTheirs(t *testing.T) {
	key, err := ecdh.X25519().GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	for enc, theirs := range encryptions {
		for _, text := range texts {
			sealed, err := jwe.Encrypt([]byte(text), jwe.WithKey(jwa.ECDH_ES(), key.PublicKey()), jwe.WithContentEncryption(theirs))
			if err != nil {
				t.Fatal(err)
			}
			got, err := e2ee.OpenJWE([32]byte(key.Bytes()), string(sealed))
			if err != nil || string(got) != text {
				t.Errorf("%s: got %q, %v, want %q", enc, got, err, text)
			}
		}
	}
}
