// @ts-check
// What the relay says, as docs/HTTP.md and wire/ have it. Types only. Ids, cursors and binary data are base64url text.

/**
 * @typedef {{id: string, card?: string, away?: boolean, acked?: string}} Member
 * @typedef {{roster: number, members: Member[]}} Roster
 * @typedef {{through: string, expired?: number[]}} Acked
 * @typedef {{messages: number, chunks?: number}} Gap
 * @typedef {{message: number, chunk: number, members: number, roomBytes: number, ttl: number, grace: number, awayAfter: number, near?: boolean}} Limits
 * @typedef {{access: string, secret: string, card: string, cursor?: string, known?: Member[]}} JoinRequest
 * @typedef {{session: string, member: string, cursor: string, roster: number, fresh: boolean, members: Member[], acked: Acked, gap?: Gap, limits: Limits}} Joined
 * @typedef {{id: string, cursor: string, members: number, online: number, duplicate?: boolean}} Posted
 * @typedef {{cursor: string, head: string, roster: number, hb: number, life: number, away: string[], acked: Acked, limits: Limits}} Hello
 * @typedef {{cursor: string, events: {event: string, id?: string, data: any}[], away: string[], acked: Acked, near?: boolean, error?: import('./relay.js').ErrorBody}} Polled
 * @typedef {{secret: string, body?: string, after?: number, hold?: number}} KnockRequest
 * @typedef {{notes: string[]}} KnockAnswers
 */

/**
 * One event as the session gets it, from whatever rung. `data` is the parsed JSON. A poll adds one event of its own after the
 * relay's, named `polled`, with the rest of its answer: `{cursor, away, acked, near}`.
 * @typedef {{event: string, id: string, data: any}} RelayEvent
 */

export {};
