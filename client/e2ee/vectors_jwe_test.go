package e2ee

import (
	"bytes"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
)

type (
	sealJWECase struct {
		Drop       hx     `json:"drop"`
		DropPublic hx     `json:"dropPublic"`
		Enc        Enc    `json:"enc"`
		Ephemeral  hx     `json:"ephemeral"`
		IV         hx     `json:"iv"`
		Text       string `json:"text"`
		JWE        string `json:"jwe"`
	}
	openJWECase struct {
		Why  string `json:"why"`
		Drop hx     `json:"drop"`
		JWE  string `json:"jwe"`
		Text string `json:"text"`
	}
	refusedJWECase struct {
		Why  string `json:"why"`
		Drop hx     `json:"drop"`
		JWE  string `json:"jwe"`
	}
	kdfCase struct {
		Z    hx  `json:"z"`
		Enc  Enc `json:"enc"`
		APU  hx  `json:"apu"`
		APV  hx  `json:"apv"`
		Size int `json:"size"`
		Key  hx  `json:"key"`
	}
	contentCase struct {
		Enc        Enc `json:"enc"`
		CEK        hx  `json:"cek"`
		IV         hx  `json:"iv"`
		AAD        hx  `json:"aad"`
		Text       hx  `json:"text"`
		Ciphertext hx  `json:"ciphertext"`
		Tag        hx  `json:"tag"`
	}
)

func jweVectors() map[string]vector {
	return map[string]vector{
		"sealJwe":    casesOf(makeSealJWE, checkSealJWE),
		"openJwe":    casesOf(makeOpenJWE, checkOpenJWE),
		"refusedJwe": casesOf(makeRefusedJWE, checkRefusedJWE),
		"concatKdf":  casesOf(makeKDF, checkKDF),
		"content":    casesOf(makeContent, checkContent),
	}
}

func makeSealJWE(*testing.T) (out []sealJWECase) {
	drop := Root(fixed("root")).Keys().Drop
	public, ephemeral, iv := publicX25519(drop), fixed("ephemeral"), fixed("iv")
	for _, text := range []string{"", "disk full on db1", "0123456789abcdef", "Grüße 👋\n", "\ufeffwith a BOM", strings.Repeat("long ", 200)} {
		for _, enc := range []Enc{A256CBCHS512, A256GCM} {
			c := sealJWECase{drop[:], public[:], enc, ephemeral[:], iv[:ivSize(enc)], text, ""}
			c.JWE = sealWith(c)
			out = append(out, c)
		}
	}
	return out
}

func sealWith(c sealJWECase) string {
	iv := append(slices.Clone(c.IV), make([]byte, 32-len(c.IV))...)
	return must(SealJWE([32]byte(c.DropPublic), c.Enc, []byte(c.Text), io.MultiReader(bytes.NewReader(c.Ephemeral), bytes.NewReader(iv))))
}

func checkSealJWE(t *testing.T, c sealJWECase) {
	if got := sealWith(c); got != c.JWE {
		t.Errorf("got %s, want %s", got, c.JWE)
	}
	text, err := OpenJWE([32]byte(c.Drop), c.JWE)
	if err != nil || string(text) != c.Text {
		t.Errorf("got %q, %v, want %q", text, err, c.Text)
	}
}

// rawJWE seals text under any header that names this ephemeral key, or any other.
func rawJWE(header string, enc Enc, apu, apv, text []byte) string {
	drop, ephemeral, iv := Root(fixed("root")).Keys().DropPublic(), fixed("ephemeral"), fixed("iv")
	cek := concatKDF(must(agree(ephemeral, drop[:])), string(enc), apu, apv, cekSize(enc))
	h := b64u.EncodeToString([]byte(header))
	ct, tag := sealContent(enc, cek, iv[:ivSize(enc)], text, []byte(h))
	return strings.Join([]string{h, "", b64u.EncodeToString(iv[:ivSize(enc)]), b64u.EncodeToString(ct), b64u.EncodeToString(tag)}, ".")
}

const epkHole, encHole = "EPK", "ENC"

func fill(header string, enc Enc) string {
	public := publicX25519(fixed("ephemeral"))
	header = strings.ReplaceAll(header, "EPKD", `{"kty":"OKP","crv":"X25519","x":"`+b64u.EncodeToString(public[:])+`","d":"AA"}`)
	header = strings.ReplaceAll(header, epkHole, `{"kty":"OKP","crv":"X25519","x":"`+b64u.EncodeToString(public[:])+`"}`)
	return strings.ReplaceAll(header, encHole, string(enc))
}

func makeOpenJWE(*testing.T) (out []openJWECase) {
	drop := Root(fixed("root")).Keys().Drop
	for _, enc := range []Enc{A256CBCHS512, A256GCM} {
		for _, h := range [][2]string{
			{"members in another order, spaces", ` { "epk" : EPK , "enc":"ENC", "alg":"ECDH-ES" } `},
			{"members that mean nothing here", `{"alg":"ECDH-ES","enc":"ENC","epk":EPK,"kid":"x","typ":"JOSE","cty":"text/plain"}`},
		} {
			out = append(out, openJWECase{h[0], drop[:], rawJWE(fill(h[1], enc), enc, nil, nil, []byte("text")), "text"})
		}
		h := fill(`{"alg":"ECDH-ES","enc":"ENC","apu":"QWxpY2U","apv":"Qm9i","epk":EPK}`, enc)
		out = append(out, openJWECase{"apu and apv", drop[:], rawJWE(h, enc, []byte("Alice"), []byte("Bob"), []byte("text")), "text"})
		h = fill(`{"alg":"ECDH-ES","enc":"ENC","apu":"","apv":"","epk":EPK}`, enc)
		out = append(out, openJWECase{"empty apu and apv", drop[:], rawJWE(h, enc, nil, nil, []byte("text")), "text"})
		h = fill(`{"alg":"ECDH-ES","enc":"ENC","epk":EPK}`, enc)
		for _, text := range notUTF8 {
			out = append(out, openJWECase{"text is not UTF-8", drop[:], rawJWE(h, enc, nil, nil, []byte(text[0])), text[1]})
		}
	}
	return out
}

// notUTF8 are bytes, and what browsers make of them: one U+FFFD for as much as may begin a character, else one for each byte.
var notUTF8 = [][2]string{
	{"caf\xe9 \xff\xfe", "caf\ufffd \ufffd\ufffd"},
	{"cut \xe2\x82", "cut \ufffd"},
	{"cut \xf0\x9f\x98.", "cut \ufffd."},
	{"surrogate \xed\xa0\x80, overlong \xc0\xaf", "surrogate \ufffd\ufffd\ufffd, overlong \ufffd\ufffd"},
	{"\ufeffmark \x80", "\ufeffmark \ufffd"},
}

func checkOpenJWE(t *testing.T, c openJWECase) {
	text, err := OpenJWE([32]byte(c.Drop), c.JWE)
	if err != nil || string(text) != c.Text {
		t.Errorf("%s: got %q, %v, want %q", c.Why, text, err, c.Text)
	}
}

func makeRefusedJWE(*testing.T) (out []refusedJWECase) {
	drop := Root(fixed("root")).Keys().Drop
	add := func(why, jwe string) { out = append(out, refusedJWECase{why, drop[:], jwe}) }
	for _, enc := range []Enc{A256CBCHS512, A256GCM} {
		good := rawJWE(fill(`{"alg":"ECDH-ES","enc":"ENC","epk":EPK}`, enc), enc, nil, nil, []byte("some text"))
		for _, h := range refusedHeaders() {
			add(h[0], rawJWE(fill(h[1], enc), enc, nil, nil, []byte("text")))
		}
		addDamaged(add, good)
	}
	add("empty", "")
	add("four dots and nothing", "....")
	return out
}

func refusedHeaders() [][2]string {
	zero := `{"kty":"OKP","crv":"X25519","x":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"}`
	return [][2]string{
		{"another alg", `{"alg":"ECDH-ES+A256KW","enc":"ENC","epk":EPK}`},
		{"dir", `{"alg":"dir","enc":"ENC","epk":EPK}`},
		{"no alg", `{"enc":"ENC","epk":EPK}`},
		{"name in capitals", `{"ALG":"ECDH-ES","enc":"ENC","epk":EPK}`},
		{"another enc", `{"alg":"ECDH-ES","enc":"A128GCM","epk":EPK}`},
		{"enc is no string", `{"alg":"ECDH-ES","enc":["ENC"],"epk":EPK}`},
		{"zip", `{"alg":"ECDH-ES","enc":"ENC","epk":EPK,"zip":"DEF"}`},
		{"crit", `{"alg":"ECDH-ES","enc":"ENC","epk":EPK,"crit":["exp"],"exp":1}`},
		{"crit that is null", `{"alg":"ECDH-ES","enc":"ENC","epk":EPK,"crit":null}`},
		{"no epk", `{"alg":"ECDH-ES","enc":"ENC"}`},
		{"epk is no object", `{"alg":"ECDH-ES","enc":"ENC","epk":"x"}`},
		{"epk of another curve", `{"alg":"ECDH-ES","enc":"ENC","epk":{"kty":"OKP","crv":"Ed25519","x":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"}}`},
		{"epk of another type", `{"alg":"ECDH-ES","enc":"ENC","epk":{"kty":"EC","crv":"X25519","x":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"}}`},
		{"epk of 31 bytes", `{"alg":"ECDH-ES","enc":"ENC","epk":{"kty":"OKP","crv":"X25519","x":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"}}`},
		{"epk that gives the all-zero secret", `{"alg":"ECDH-ES","enc":"ENC","epk":` + zero + `}`},
		{"epk of order 8", `{"alg":"ECDH-ES","enc":"ENC","epk":{"kty":"OKP","crv":"X25519","x":"4Ot6fDtBuK4WVuP68Z_EatoJjeucMrH9hmIFFl9JuAA"}}`},
		{"epk with a private key", `{"alg":"ECDH-ES","enc":"ENC","epk":EPKD}`},
		{"header of more than 4,096 characters", `{"alg":"ECDH-ES","enc":"ENC","epk":EPK,"kid":"` + strings.Repeat("x", 3000) + `"}`},
		{"apu is no string", `{"alg":"ECDH-ES","enc":"ENC","epk":EPK,"apu":1}`},
		{"apv is no base64url", `{"alg":"ECDH-ES","enc":"ENC","epk":EPK,"apv":"a=="}`},
		{"header is no object", `["ECDH-ES"]`},
		{"header is no JSON", `{"alg":"ECDH-ES","enc":"ENC","epk":EPK`},
		{"something after the header", `{"alg":"ECDH-ES","enc":"ENC","epk":EPK}{}`},
	}
}

// addDamaged adds what can happen to a good one on its way.
func addDamaged(add func(why, jwe string), good string) {
	parts := strings.Split(good, ".")
	with := func(i int, s string) string {
		p := slices.Clone(parts)
		p[i] = s
		return strings.Join(p, ".")
	}
	flip := func(i int) string {
		b, _ := b64u.DecodeString(parts[i])
		b[len(b)-1] ^= 1
		return with(i, b64u.EncodeToString(b))
	}
	add("an encrypted key", with(1, "AAAA"))
	add("a sixth part", good+".AAAA")
	add("four parts", strings.Join(parts[:4], "."))
	add("iv changed", flip(2))
	add("ciphertext changed", flip(3))
	add("tag changed", flip(4))
	add("no tag", with(4, ""))
	add("tag cut short", with(4, parts[4][:len(parts[4])-4]))
	add("iv of another length", with(2, parts[2][:len(parts[2])-4]))
	add("padding of base64", with(4, parts[4]+"="))
	add("a line break", with(3, parts[3][:4]+"\n"+parts[3][4:]))
	add("a space at the end", good+" ")
	add("alphabet of plain base64", with(2, "++++"+parts[2][4:]))
}

func checkRefusedJWE(t *testing.T, c refusedJWECase) {
	if text, err := OpenJWE([32]byte(c.Drop), c.JWE); !errors.Is(err, ErrDamaged) {
		t.Errorf("%s: got %q, %v, want %v", c.Why, text, err, ErrDamaged)
	}
}

func makeKDF(*testing.T) (out []kdfCase) {
	z := fixed("z")
	for _, c := range []kdfCase{{Enc: A256CBCHS512, Size: 64}, {Enc: A256GCM, Size: 32}, {Enc: A256CBCHS512, APU: hx("Alice"), APV: hx("Bob"), Size: 64}, {Enc: "A128GCM", APU: hx("Alice"), APV: hx("Bob"), Size: 16}} {
		c.Z = z[:]
		c.Key = concatKDF(slices.Clone(z[:]), string(c.Enc), c.APU, c.APV, c.Size)
		out = append(out, c)
	}
	return out
}

func checkKDF(t *testing.T, c kdfCase) {
	same(t, "key", concatKDF(slices.Clone(c.Z), string(c.Enc), c.APU, c.APV, c.Size), c.Key)
}

func makeContent(*testing.T) (out []contentCase) {
	a, b, iv := fixed("cek 1"), fixed("cek 2"), fixed("iv")
	for _, enc := range []Enc{A256CBCHS512, A256GCM} {
		for _, n := range []int{0, 15, 16, 40} {
			cek := slices.Concat(a[:], b[:])[:cekSize(enc)]
			c := contentCase{Enc: enc, CEK: cek, IV: iv[:ivSize(enc)], AAD: hx("aad"), Text: slices.Repeat([]byte{7}, n)}
			c.Ciphertext, c.Tag = sealContent(enc, slices.Clone(cek), c.IV, c.Text, c.AAD)
			out = append(out, c)
		}
	}
	return out
}

func checkContent(t *testing.T, c contentCase) {
	ct, tag := sealContent(c.Enc, slices.Clone(c.CEK), c.IV, c.Text, c.AAD)
	same(t, "ciphertext", ct, c.Ciphertext)
	same(t, "tag", tag, c.Tag)
	text, ok := openContent(c.Enc, slices.Clone(c.CEK), c.IV, c.Ciphertext, c.Tag, c.AAD)
	if !ok {
		t.Error("does not open")
	}
	same(t, "text", text, c.Text)
}
