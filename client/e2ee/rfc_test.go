package e2ee

import (
	"crypto/ecdh"
	"crypto/ed25519"
	"crypto/hkdf"
	"crypto/hpke"
	"crypto/pbkdf2"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"slices"
	"testing"
)

// The published vectors show that what this package is built from is what the RFCs say, and is called the right way.

func TestRFC5869(t *testing.T) {
	ikm := slices.Repeat([]byte{0x0b}, 22)
	for _, c := range []struct{ name, salt, info, okm string }{
		{"A.1", "000102030405060708090a0b0c", "f0f1f2f3f4f5f6f7f8f9", "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865"},
		{"A.3", "", "", "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8"},
	} {
		got, err := hkdf.Key(sha256.New, ikm, unhex(t, c.salt), string(unhex(t, c.info)), 42)
		if err != nil {
			t.Fatal(err)
		}
		same(t, c.name, got, unhex(t, c.okm))
	}
}

// RFC 8018 has no vectors for SHA-512; these are the ones in common use, made for the inputs of RFC 6070.
func TestPBKDF2(t *testing.T) {
	got, err := pbkdf2.Key(sha512.New, "password", []byte("salt"), 1, 64)
	if err != nil {
		t.Fatal(err)
	}
	same(t, "key", got, unhex(t, "867f70cf1ade02cff3752599a3a53dc4af34c7a669815ae5d513554e1c8cf252c02d470a285a0501bad999bfe943c08f050235d7d68b1da55e63f73b60a57fce"))
}

func TestRFC8032(t *testing.T) {
	for _, c := range []struct{ name, seed, public, message, sig string }{
		{"test 1", "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60", "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "",
			"e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b"},
		{"test 2", "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb", "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", "72",
			"92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"},
	} {
		id := Identity{Seed: [32]byte(unhex(t, c.seed))}
		public := id.Public()
		same(t, c.name+" public", public[:], unhex(t, c.public))
		sig := ed25519.Sign(ed25519.NewKeyFromSeed(id.Seed[:]), unhex(t, c.message))
		same(t, c.name+" signature", sig, unhex(t, c.sig))
	}
}

// The vector of the CFRG's test-vectors.json for exactly our suite: base mode, kem 32, kdf 1, aead 2, first encryption.
func TestRFC9180(t *testing.T) {
	kem := hpke.DHKEM(ecdh.X25519())
	private, err := kem.NewPrivateKey(unhex(t, "497b4502664cfea5d5af0b39934dac72242a74f8480451e1aee7d6a53320333d"))
	if err != nil {
		t.Fatal(err)
	}
	same(t, "pkRm", private.PublicKey().Bytes(), unhex(t, "430f4b9859665145a6b1ba274024487bd66f03a2dd577d7753c68d7d7d00c00c"))
	kdf, aead := suite()
	if kem.ID() != 32 || kdf.ID() != 1 || aead.ID() != 2 {
		t.Errorf("suite %d/%d/%d, want 32/1/2", kem.ID(), kdf.ID(), aead.ID())
	}
	r, err := hpke.NewRecipient(unhex(t, "6c93e09869df3402d7bf231bf540fadd35cd56be14f97178f0954db94b7fc256"), private, kdf, aead, []byte("Ode on a Grecian Urn"))
	if err != nil {
		t.Fatal(err)
	}
	got, err := r.Open([]byte("Count-0"), unhex(t, "e5d84cd531cfb583096e7cfa9641bd3079cf3a91cda813c52deb5f512be9931980a41de125a925cdad859d5b7a"))
	if err != nil {
		t.Fatal(err)
	}
	same(t, "pt", got, []byte("Beauty is truth, truth beauty"))
}

func TestRFC7748(t *testing.T) {
	alice := [32]byte(unhex(t, "77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a"))
	public := publicX25519(alice)
	same(t, "public", public[:], unhex(t, "8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a"))
	z, err := agree(alice, unhex(t, "de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f"))
	if err != nil {
		t.Fatal(err)
	}
	same(t, "shared", z, unhex(t, "4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742"))
}

func TestRFC7518AppendixB3(t *testing.T) {
	cek := make([]byte, 64)
	for i := range cek {
		cek[i] = byte(i)
	}
	text := []byte("A cipher system must not be required to be secret, and it must be able to fall into the hands of the enemy without inconvenience")
	aad, iv := []byte("The second principle of Auguste Kerckhoffs"), unhex(t, "1af38c2dc2b96ffdd86694092341bc04")
	ct, tag := sealContent(A256CBCHS512, slices.Clone(cek), iv, text, aad)
	same(t, "E", ct, unhex(t, "4affaaadb78c31c5da4b1b590d10ffbd3dd8d5d302423526912da037ecbcc7bd822c301dd67c373bccb584ad3e9279c2e6d12a1374b77f077553df829410446b36ebd97066296ae6427ea75c2e0846a11a09ccf5370dc80bfecbad28c73f09b3a3b75e662a2594410ae496b2e2e6609e31e6e02cc837f053d21f37ff4f51950bbe2638d09dd7a4930930806d0703b1f6"))
	same(t, "T", tag, unhex(t, "4dd3b4c088a7f45c216839645b2012bf2e6269a8c56a816dbc1b267761955bc5"))
	got, ok := openContent(A256CBCHS512, cek, iv, ct, tag, aad)
	if !ok {
		t.Fatal("does not open")
	}
	same(t, "P", got, text)
}

func TestRFC7518AppendixC(t *testing.T) {
	raw := func(s string) []byte { return must(base64.RawURLEncoding.DecodeString(s)) }
	alice, err := ecdh.P256().NewPrivateKey(raw("0_NxaRPUMQoAJt50Gz8YiTr8gRTwyEaCumd-MToTmIo"))
	if err != nil {
		t.Fatal(err)
	}
	bob, err := ecdh.P256().NewPublicKey(slices.Concat([]byte{4}, raw("weNJy2HscCSM6AEDTDg04biOvhFhyyWvOHQfeF_PxMQ"), raw("e8lnCO-AlStT-NJVX-crhB7QRYhiix03illJOVAOyck")))
	if err != nil {
		t.Fatal(err)
	}
	z, err := alice.ECDH(bob)
	if err != nil {
		t.Fatal(err)
	}
	same(t, "derived key", concatKDF(z, "A128GCM", []byte("Alice"), []byte("Bob"), 16), raw("VqqN6vgjbSBcIijNcacQGg"))
}
