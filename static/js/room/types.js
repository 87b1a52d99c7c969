// @ts-check
/** What the page shows of a room, for the type checker; no page fetches it. */

/** @typedef {'joined' | 'left' | 'removed' | 'changed' | 'renamed' | 'moved' | 'back'} Coming */
/** @typedef {Coming | 'stands' | 'locked' | 'opened' | 'admitted' | 'letin' | 'waits' | 'passed' | 'held' | 'heldread' | 'timer'} Happening */
/** @typedef {{emoji: string, by: {id: string, alias: string}[]}} Reaction */

/**
 * @typedef {object} Item
 * @property {string} key stays the same while the item changes; of what a member said "MEMBERID CONTENTID", by which others refer to it
 * @property {'text' | 'file' | 'shell' | 'system' | 'failed' | 'gap'} kind
 * @property {number} at ms since 1970
 * @property {string} [from] member id
 * @property {string} [alias] as it was at the time
 * @property {boolean} [own]
 * @property {string} [body]
 * @property {import('./connection.js').State} [state] of an own message
 * @property {string} [reason] for people
 * @property {Happening} [event]
 * @property {number} [count] of a gap, -1 if nobody knows; of messages that are held, or may not be read; of a timer that was set: its seconds
 * @property {string} [place] of an own message in the log, once the relay has it
 * @property {string} [re] key of the item that it answers
 * @property {boolean} [me] it says what its author does
 * @property {boolean} [edited]
 * @property {boolean} [gone] its author took it back; nothing is left of what it said
 * @property {Reaction[]} [reactions]
 * @property {number} [ttl] seconds from being read until it vanishes
 * @property {number} [until] ms since 1970 when it vanishes
 * @property {import('./files.js').Picture} [file]
 * @property {import('./files.js').Transfer} [transfer] how it goes on with the file
 * @property {boolean} [saved] the file is where the person wanted it, and nowhere else
 * @property {string} [why] for people, of a transfer that ended badly
 */

/**
 * @typedef {object} MemberRow
 * @property {string} id
 * @property {string} alias
 * @property {boolean} self
 * @property {boolean} away
 * @property {boolean} changed
 * @property {boolean} waiting not let in yet
 * @property {boolean} verified somebody here has compared its fingerprint
 * @property {string} key identity key, base64url
 * @property {string} [newAlias]
 * @property {string} [newKey]
 */

/** @typedef {import('./connection.js').State} State */
/** @typedef {import('./connection.js').Frame} Frame */

/**
 * @typedef {object} Post what the outbox needs of the session
 * @property {(id: string, frame: Uint8Array, roster: number | null) => Promise<import('../net/relay.js').Posted>} post
 * @property {(content: object) => Promise<Frame[]>} seal
 * @property {() => number} roster
 * @property {() => number} read the place up to which we know that nobody has moved the room
 * @property {() => string} epoch the life of the room in which places count
 * @property {(roster: import('../net/relay.js').Roster) => Promise<void>} learn
 * @property {(ids: string[]) => Promise<void>} owe they need the keys again: the frame that had them will never be posted
 * @property {() => Promise<void>} rejoin
 * @property {(key: string, state: State, reason: string, posted?: import('../net/relay.js').Posted) => void} tell how it goes on with an item
 * @property {(content: object, place: string) => void} posted content lies at a place of the log, for the first time
 * @property {() => Promise<void>} sealed called before the first byte leaves, for a room kept on this device
 */

/**
 * @typedef {object} InboxRoom what the inbox may do to the session
 * @property {import('../crypto/group.js').Group} group
 * @property {import('./session.js').Timeline} timeline
 * @property {(id: string) => string} aliasOf
 * @property {(content: {k: string} & Record<string, any>) => void} whisper sends something that is not a message to read
 * @property {(does: (gate: import('./lock.js').Gatekeeper) => unknown) => Promise<void>} gate what a locked room needs
 * @property {() => string | null} cursor what was read of the log
 * @property {(head: import('./talk.js').Head, content: {k: string} & Record<string, any>) => Promise<void>} change does to what was said what its author, or a reader, wants done
 * @property {() => Promise<import('../net/types.js').Roster>} refresh asks for the list of members again
 * @property {() => void} membersChanged
 * @property {(move: {root: import('../lib/bytes.js').Bytes | null, removed: string[], by: string}, at: string) => Promise<void>} moved at a place of the log
 * @property {(knock: {id: string, body: string}) => void} knock
 * @property {(head: {from: string, at: number, alias: string}, content: {k: string} & Record<string, any>) => Promise<void>} file a message about a file
 * @property {() => void} unread a message could not be opened
 * @property {() => boolean} over the room has moved on without what comes now
 * @property {(id: string) => void} settled a member has shown a card in this room, or is no longer in it
 */

/**
 * @typedef {object} StayHost what a stay tells the session
 * @property {(key: string, state: import('./connection.js').State, reason: string, posted?: import('../net/relay.js').Posted) => void} told how it goes on with a message
 * @property {(head: import('./talk.js').Head, content: {k: string} & Record<string, any>) => Promise<void>} change
 * @property {() => void} members
 * @property {() => void} knocks
 * @property {(status: import('../net/transport.js').Status) => void} status
 * @property {() => Promise<void>} saved
 * @property {(move: import('./session.js').Move & {root: import('../lib/bytes.js').Bytes}) => Promise<void>} moved the stay is over, the room goes on elsewhere
 * @property {(by: string) => Promise<void>} removed the stay is over
 * @property {InboxRoom['file']} file
 * @property {() => void} anew the relay began a new life of the room
 * @property {() => void} unread a message could not be opened
 * @property {InboxRoom['settled']} settled
 * @property {(content: any, place: string) => void} posted something of ours lies in the log
 */

/**
 * @typedef {object} Handler what the room does with its line
 * @property {() => Promise<Uint8Array>} card
 * @property {() => {id: string, card: string}[]} known members to bring back if the relay has forgotten them
 * @property {(joined: import('../net/types.js').Joined, anew: boolean) => Promise<void>} joined anew: the relay began a new life of the room, posts must be repeated
 * @property {(event: import('../net/types.js').RelayEvent) => Promise<void>} event never rejects for what is in it
 * @property {(through: number, expired: number[]) => void} acked
 * @property {(ids: string[]) => void} away
 * @property {(status: import('../net/transport.js').Status) => void} status
 * @property {() => Promise<void>} saved what was handled is kept where it has to be; only then is it acked
 */

export {};
