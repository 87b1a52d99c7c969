// Package e2ee is the end-to-end encryption of snug: everything that docs/PROTOCOL.md says about bytes, and nothing
// about networks. Its twin in the browser is static/js/crypto; both are held to the vectors in testdata/vectors.
//
// A [Root] is the secret of a room, [Keys] are what follows from it. A [Group] is one member's state in one room: it
// seals what the member says into frames for the relay and opens the frames of the others. [SealJWE] is what a shell
// does that only holds a room's drop key; [Knocker] and [KnockHost] let a stranger in.
//
// Time and randomness are passed in ([Config]); nothing here starts a goroutine, sleeps or does I/O. What has served
// its purpose (chain keys, message keys, retired HPKE keys) is overwritten in place. Go gives no promise about copies
// that the runtime or crypto packages made, so this shortens the life of a key but cannot prove its end.
package e2ee
