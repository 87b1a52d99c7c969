// @ts-check
// The three ways a request can fail. Who answers decides: the relay, some box in between, or nobody.

/**
 * @typedef {import('./types.js').Roster} Roster
 * @typedef {{code: string, http: number, error: string, link?: string, rejoin?: boolean, retryAfter?: number, roster?: Roster}} ErrorBody wire.Error
 */

/** The relay refused. `code` is one of the codes of wire/http.go and never changes its meaning; `retryAfter` is in seconds, 0 if it did not say. */
export class RelayError extends Error {
  /** @override */
  name = 'RelayError';

  /** @param {ErrorBody} body @param {number} [retryAfter] what the header says, for an answer whose body does not */
  constructor(body, retryAfter = 0) {
    super(body.error || body.code);
    this.code = body.code;
    this.http = body.http;
    this.link = body.link ?? '';
    this.rejoin = body.rejoin === true;
    this.retryAfter = body.retryAfter ?? retryAfter;
    /** @type {Roster | undefined} */
    this.roster = body.roster;
  }
}

/** An answer that is not the relay's: a proxy, a block page, a captive portal. `hint` says in words which. */
export class BlockedError extends Error {
  /** @override */
  name = 'BlockedError';

  /** @param {{status: number, contentType?: string, hint: string, retryAfter?: number}} what status 0: a redirect that the browser hides */
  constructor({ status, contentType = '', hint, retryAfter = 0 }) {
    super(hint);
    this.status = status;
    this.contentType = contentType;
    this.hint = hint;
    this.retryAfter = retryAfter;
  }
}

/** No answer: fetch threw, the connection broke, or the time was up (`timeout`). */
export class NetworkError extends Error {
  /** @override */
  name = 'NetworkError';

  /** @param {string} message @param {{cause?: unknown, timeout?: boolean}} [options] */
  constructor(message, { cause, timeout = false } = {}) {
    super(message, { cause });
    this.timeout = timeout;
  }
}

/** @param {Response} response the answer's type in lower case, without parameters */
export const typeOf = (response) => (response.headers.get('content-type') ?? '').split(';')[0].trim().toLowerCase();

/** @param {Response} response Retry-After in seconds, 0 if there is none */
export function retryAfterOf(response) {
  const value = response.headers.get('retry-after');
  if (!value) return 0;
  if (/^\d+$/.test(value)) return Number(value);
  const at = Date.parse(value);
  return Number.isNaN(at) ? 0 : Math.max(0, Math.ceil((at - Date.now()) / 1000));
}

/**
 * The error that an answer other than the expected one stands for.
 * @param {Response} response
 * @param {string} text its body, or the beginning of it
 */
export function errorOf(response, text) {
  const retryAfter = retryAfterOf(response);
  const body = response.ok ? null : errorBody(text);
  if (body) return new RelayError(body, retryAfter);
  const contentType = typeOf(response);
  return new BlockedError({ status: response.status, contentType, hint: hint(response, contentType), retryAfter });
}

/** @param {string} text @returns {ErrorBody | null} */
export function errorBody(text) {
  const body = parse(text);
  return body && typeof body.code === 'string' && typeof body.http === 'number' && typeof body.error === 'string' ? body : null;
}

/** @param {string} text @returns {any} an object, or null */
export function parse(text) {
  try {
    const value = JSON.parse(text);
    return typeof value === 'object' ? value : null;
  } catch {
    return null; // not JSON, so not ours: the caller says what it is instead
  }
}

/** @param {Response} response @param {string} contentType */
function hint(response, contentType) {
  const { status, type } = response;
  if (type === 'opaqueredirect' || (status >= 300 && status < 400)) return 'the network sends us to another page, perhaps to log in';
  if (status === 407) return 'the proxy asks for a login (407)';
  if (status === 511) return 'the network asks for a login (511)';
  if (status === 413) return 'too big for the network (413)';
  if (status === 502 || status === 503 || status === 504) return `the way to the relay is broken (${status})`;
  if (status === 401 || status === 403 || status === 451) return `the network refuses this (${status})`;
  if (contentType === 'text/html') return `a page instead of the relay's answer (${status})`;
  return `an answer that is not the relay's (${status})`;
}
