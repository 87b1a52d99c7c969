// Package client is a member of snug's rooms: it joins by link or passphrase, sends, receives, and stays in through
// restarts of the relay, changes of the network and moves of the room. Everything it sends is end-to-end encrypted
// (package e2ee, docs/PROTOCOL.md); the relay sees what docs/THREAT-MODEL.md lists and no more.
//
// [Join] gives a [Session]. [Session.Send] queues a message and gives a [Letter] that tells its fate; [Session.Next] gives
// what happens in the room, one [Event] at a time. [Session.SendFile] sends a file of any size, [Session.Fetch] takes one. [Seal] is
// for those who only send and hold no more than a room's drop key.
//
// A session goes on for ever: it climbs down a ladder of ways to receive (stream, the same as plain bytes, batches, long
// polls, short polls) and up again, as docs/HTTP.md and the measurements behind it want it. Proxies are taken from
// HTTPS_PROXY, HTTP_PROXY and NO_PROXY unless [Config] says otherwise.
package client
