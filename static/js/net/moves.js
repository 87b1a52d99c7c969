// @ts-check
// What goes into the ladder and what comes out. Types only; client/ladder.go has the same.

/**
 * Rungs: 0 stream, 0b the same as octet-stream, 1 batch, 2 long poll, 3 short poll.
 * @typedef {'0' | '0b' | '1' | '2' | '3'} Rung
 * @typedef {'live' | 'polling' | 'connecting' | 'offline' | 'blocked'} State
 * @typedef {{state: State, rung: Rung, reason: string}} Status
 */

/**
 * What one network taught, for the next start there; seconds.
 * @typedef {{rung: Rung, hold?: number, hb?: number, life?: number}} Memory
 */

/**
 * What happened. `t` is in milliseconds on a clock that never goes back, `r` random in [0,1). `ch` names the request it happened on; news of a
 * request that was closed is ignored. `age` of the memory and `delay` are milliseconds; `hb` and `retryAfter` seconds.
 *
 *     start stop timer online offline change pageshow visible active rejoined
 *     hello event hb bye   parsed from a stream (bye: from a batch too)
 *     end                  an answer ended or broke off: a stream, or a batch or poll before it was whole
 *     good                 a batch or poll ended as it should, with n events
 *     refused              an answer that is not the relay's, or not of the asked type
 *     error                no answer
 *     relay                the relay's own refusal; status is its HTTP status
 * @typedef {{t: number, in: string, r?: number, ch?: number, memory?: Memory, age?: number, hb?: number, why?: string, delay?: number,
 *   n?: number, status?: number, hint?: string, code?: string, rejoin?: boolean, retryAfter?: number, ok?: boolean}} Input
 */

/**
 * What to do. open: a stream. batch, poll: with hold in seconds. close: end that request. promote: a shadow has taken over. rejoin: join again,
 * then input rejoined. error: tell the session what the relay refused. remember: store for this origin for 24 hours. status: show.
 * @typedef {{do: 'open' | 'batch' | 'poll' | 'close' | 'promote' | 'rejoin' | 'error' | 'remember' | 'status', ch?: number, rung?: Rung,
 *   hb?: number, life?: number, hold?: number, shadow?: boolean, code?: string, state?: State, reason?: string}} Action
 */

/**
 * @typedef {{ch: number, rung: Rung, trial: boolean, opened: number, last: number, event: number, hb: number, hello: boolean}} Stream milliseconds
 * @typedef {'held' | 'refused' | 'outage'} How a stream failed before it carried anything
 */

export {};
