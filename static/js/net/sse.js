// @ts-check
// Reads the WHATWG event stream from bytes as they arrive, however the network has cut them.

/**
 * One event. `id` is the event's own id field, empty where it had none: a heartbeat must not carry the cursor of the message before it.
 * @typedef {{event: string, id: string, data: string}} StreamEvent
 */

/** Thrown by push when one event is larger than the reader takes. */
export class EventTooLarge extends Error {
  /** @override */
  name = 'EventTooLarge';
}

const MAX_EVENT = 4 << 20; // far above the largest frame in base64url, far below what would hurt a phone

/** Parser of one stream; a new connection needs a new one. After it has thrown it is of no further use. */
export class EventStreamParser {
  #decoder = new TextDecoder(); // strips one byte order mark, keeps a character that is split over two chunks
  #max;
  #rest = ''; // the line that has not ended yet
  #size = 0; // of the event so far
  #afterCR = false; // an LF that comes first belongs to the CR before it
  /** @type {string[]} */ #data = [];
  #event = '';
  #id = '';

  /** The last id field of the stream, as EventSource keeps it. */
  lastId = '';
  /** The last retry field in milliseconds, -1 if there was none. */
  retry = -1;

  /** @param {{max?: number}} [options] max: characters one event may have */
  constructor({ max = MAX_EVENT } = {}) {
    this.#max = max;
  }

  /**
   * Takes the next bytes and returns the events that they complete. What is unfinished when the stream ends is dropped, as the standard asks.
   * @param {Uint8Array} bytes
   * @returns {StreamEvent[]}
   */
  push(bytes) {
    let text = this.#decoder.decode(bytes, { stream: true });
    if (text === '') return [];
    if (this.#afterCR && text[0] === '\n') text = text.slice(1);
    this.#afterCR = text === '' ? false : text.endsWith('\r');
    /** @type {StreamEvent[]} */
    const events = [];
    let from = 0;
    for (const end of text.matchAll(/\r\n|\r|\n/g)) {
      this.#line(this.#rest + text.slice(from, end.index), events);
      this.#rest = '';
      from = end.index + end[0].length;
    }
    this.#rest += text.slice(from);
    this.#bound(this.#rest.length);
    return events;
  }

  /** @param {string} line @param {StreamEvent[]} events */
  #line(line, events) {
    if (line === '') return this.#dispatch(events);
    this.#bound(line.length);
    const colon = line.indexOf(':');
    if (colon === 0) return; // a comment
    this.#size += line.length;
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? '' : line.slice(line[colon + 1] === ' ' ? colon + 2 : colon + 1);
    switch (field) {
      case 'data':
        this.#data.push(value);
        break;
      case 'event':
        this.#event = value;
        break;
      case 'id':
        if (!value.includes('\0')) this.lastId = this.#id = value;
        break;
      case 'retry':
        if (/^[0-9]+$/.test(value)) this.retry = Number(value);
    }
  }

  /** @param {StreamEvent[]} events */
  #dispatch(events) {
    if (this.#data.length > 0) {
      events.push({ event: this.#event || 'message', id: this.#id, data: this.#data.join('\n') });
    }
    this.#data = [];
    this.#event = this.#id = '';
    this.#size = 0;
  }

  /** @param {number} more */
  #bound(more) {
    if (this.#size + more > this.#max) throw new EventTooLarge(`an event of more than ${this.#max} characters`);
  }
}
