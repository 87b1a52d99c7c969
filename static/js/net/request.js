// @ts-check
// One HTTP request: a time-out over all of it, and one of three errors if it fails.

import { BlockedError, NetworkError, RelayError, errorOf, parse } from './errors.js';

/**
 * timeout: milliseconds for the whole answer, 0 for as long as it takes.
 * @typedef {{method?: string, body?: Uint8Array<ArrayBuffer> | string, type?: string, timeout?: number, signal?: AbortSignal, accept?: string}} Request
 */

/**
 * Sends a request and reads its answer. If `read` gives the response itself, a stream, the signal goes on to end that.
 * @template T
 * @param {typeof fetch} fetcher @param {string} url @param {Request} request @param {(response: Response) => Promise<T>} read
 * @returns {Promise<T>}
 */
export async function send(fetcher, url, { method = 'GET', body, type, timeout = 0, signal, accept = 'application/json, application/octet-stream' }, read) {
  signal?.throwIfAborted();
  const ender = new AbortController();
  const end = () => ender.abort(signal?.reason);
  signal?.addEventListener('abort', end, { once: true });
  const timer = timeout ? setTimeout(() => ender.abort(new DOMException('time is up', 'TimeoutError')), timeout) : undefined;
  let done = true;
  try {
    /** @type {Record<string, string>} */
    const headers = type ? { Accept: accept, 'Content-Type': type } : { Accept: accept };
    const response = await fetcher(url, {
      method, body, headers, signal: ender.signal, cache: 'no-store', redirect: 'manual', credentials: 'same-origin', referrerPolicy: 'no-referrer',
    });
    const result = await read(response);
    done = !(result instanceof Response);
    return result;
  } catch (error) {
    const late = ender.signal.aborted;
    ender.abort(); // what is left of an answer that we do not want
    signal?.throwIfAborted();
    if (error instanceof RelayError || error instanceof BlockedError) throw error;
    throw new NetworkError(late ? 'no answer in time' : 'the connection failed', { cause: error, timeout: late });
  } finally {
    clearTimeout(timer);
    if (done) signal?.removeEventListener('abort', end);
  }
}

/**
 * Once more after a broken connection: a POST on one that the other side has just closed fails without having been read, and ids make a repeat harmless.
 * @template T
 * @param {() => Promise<T>} attempt
 */
export async function again(attempt) {
  try {
    return await attempt();
  } catch (error) {
    if (!(error instanceof NetworkError) || error.timeout) throw error;
    return attempt();
  }
}

/** What an answer means that is not what was asked for. A page in place of a stream may never end: only refusals are read. @param {Response} response */
export const unexpected = async (response) => errorOf(response, response.ok ? '' : await response.text());

/** @param {Response} response @param {(answer: any) => boolean} ours tells the relay's answer from a page */
export async function readJSON(response, ours) {
  const text = await response.text();
  const answer = response.ok ? parse(text) : null;
  if (answer && ours(answer)) return answer;
  throw errorOf(response, text);
}
