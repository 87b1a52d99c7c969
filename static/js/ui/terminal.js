// @ts-check
/**
 * The text of "send from a terminal": one shell function that seals what it is given for this room and posts it. It makes the JWE of
 * docs/PROTOCOL.md "Shell" (ECDH-ES over X25519, A256CBC-HS512) with POSIX sh, openssl >= 1.1.1 and curl, nothing else.
 *
 * What shaped it: dash's printf knows no \x, so bytes are octal. Interactive zsh takes no comments and interactive bash expands !, so it has
 * neither. `set -e` is off inside `snug_send … || …`, so each step that guards the secret is checked by hand: an empty shared secret
 * would make a key that anybody can compute. A subshell as body keeps names, the trap and the umask out of the caller's shell.
 */
import { b64u } from '../lib/bytes.js';

/** How it is used. */
export const EXAMPLE = 'snug_send "backup done"\nuptime | snug_send';

const NAME = 'snug_send';
const HEAD = '{"alg":"ECDH-ES","enc":"A256CBC-HS512","epk":{"kty":"OKP","crv":"X25519","x":"%s"}}';
const SPKI = 'MCowBQYDK2VuAyEA'; // the 12 bytes before an X25519 public key in SubjectPublicKeyInfo (RFC 8410), in base64

/** A number as 8 bytes, big-endian, in printf's octal. @param {number} n */
const octal64 = (n) => [0, 0, 0, 0, n >>> 24, n >>> 16, n >>> 8, n].map((byte) => `\\${(byte & 255).toString(8).padStart(3, '0')}`).join('');

/** @param {string} hex */
const fromHex = (hex) => Uint8Array.from(hex.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));

/** Refuses what would end a single-quoted word or a line of curl's configuration. @param {string} text */
function safe(text) {
  if (!/^[\x21-\x7e]+$/.test(text) || /['"\\]/.test(text)) throw new RangeError('This address cannot stand in a shell script.');
  return text;
}

/**
 * @param {{url: string, token: string, publicKey: string}} shell publicKey in hex
 * @returns {string} a shell function; paste it, or put it in a file and source it
 */
export function recipe({ url, token, publicKey }) {
  const key = fromHex(publicKey);
  if (key.length !== 32) throw new RangeError('The public key of a room has 32 bytes.');
  const pem = SPKI + b64u(key).replaceAll('-', '+').replaceAll('_', '/') + '=';
  const headBits = 8 * Math.ceil(((HEAD.length - 2 + 43) * 4) / 3);
  return String.raw`${NAME}() (
  umask 077
  d=$(mktemp -d) || exit 1
  trap 'rm -rf "$d"' EXIT
  b64u() { openssl base64 -A | tr '+/' '-_' | tr -d '='; }
  hex() { od -An -v -tx1 | tr -d ' \n'; }
  kdf() { { printf "\\000\\000\\000\\00$1"; cat "$d/z"; printf '\000\000\000\015A256CBC-HS512\000\000\000\000\000\000\000\000\000\000\002\000'; } | openssl dgst -sha256 -binary | hex; }
  fail() { echo "${NAME}: $1" >&2; exit 1; }

  printf '%s\n' '-----BEGIN PUBLIC KEY-----' '${pem}' '-----END PUBLIC KEY-----' > "$d/room"
  openssl genpkey -algorithm X25519 -out "$d/own" &&
  openssl pkeyutl -derive -inkey "$d/own" -peerkey "$d/room" -out "$d/z" || fail 'OpenSSL 1.1.1 or newer is needed'
  x=$(openssl pkey -in "$d/own" -pubout -outform DER | tail -c 32 | b64u)
  openssl rand 16 > "$d/iv"
  mac=$(kdf 1) enc=$(kdf 2) iv=$(hex < "$d/iv")
  [ $(($(wc -c < "$d/z"))) = 32 ] && [ "${'${#x}/${#mac}/${#enc}/${#iv}'}" = 43/64/64/32 ] || fail 'openssl gave no key'

  head=$(printf '${HEAD}' "$x" | b64u)
  if [ $# -gt 0 ]; then printf %s "$*"; else cat; fi | openssl enc -aes-256-cbc -K "$enc" -iv "$iv" > "$d/text" && [ -s "$d/text" ] || fail 'openssl did not seal'
  { printf %s "$head"; cat "$d/iv" "$d/text"; printf '${octal64(headBits)}'; } |
    openssl dgst -sha512 -mac HMAC -macopt "hexkey:$mac" -binary | head -c 32 > "$d/tag"
  printf '%s..%s.%s.%s' "$head" "$(b64u < "$d/iv")" "$(b64u < "$d/text")" "$(b64u < "$d/tag")" > "$d/jwe"

  printf 'header = "%s"\n' 'Authorization: Bearer ${safe(token)}' 'Content-Type: application/jose' 'Expect:' > "$d/curl"
  code=$(curl -sS -o "$d/said" -w '%{http_code}' -K "$d/curl" --data-binary "@$d/jwe" '${safe(url)}') || exit 1
  cat "$d/said"
  case $code in 2*) ;; *) exit 1 ;; esac
)
`;
}
