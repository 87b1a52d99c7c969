// @ts-check
/**
 * When to tell the relay what was handled. Pure: the session says what happened and when, and asks when the next ack is due.
 *
 * A POST costs the relay about six deliveries, so a steady flow is acked in bulk; a lone message is acked soon, because its
 * sender is looking at the ticks.
 */

const LONE = 300; // ms: one more message of the same thought still fits in, and the sender sees ✓✓ at once
const BULK = 5000; // ms between two acks under a steady flow
const FLOW = 10; // messages within one BULK that make a flow
const IDLE = 20_000; // ms: two may be lost before the relay counts a member as away, after 45 s

export class Acks {
  #recent = /** @type {number[]} */ ([]);
  #owed = false;
  #due = 0;
  #last = 0;

  /** @param {number} now */
  constructor(now) {
    this.#last = now;
  }

  /**
   * A message was handled.
   * @param {number} now
   * @param {boolean} [urgent] the room is near its budget, or nobody is looking at the page any more
   */
  handled(now, urgent = false) {
    this.#recent = this.#recent.filter((at) => now - at < BULK);
    if (this.#recent.length < FLOW) this.#recent.push(now);
    const due = urgent ? now : this.#recent.length < FLOW ? now + LONE : Math.max(now, this.#last + BULK);
    this.#due = this.#owed ? Math.min(this.#due, due) : due;
    this.#owed = true;
  }

  /** An ack was sent, or a poll or join that acks as well. @param {number} now */
  sent(now) {
    this.#owed = false;
    this.#last = now;
  }

  /** Makes what is owed due at once: the page is being hidden. @param {number} now */
  hurry(now) {
    if (this.#owed) this.#due = now;
  }

  /** When the next ack is due, in ms of the session's clock. There is always one, since an idle member acks to show that it is here. */
  get due() {
    const idle = this.#last + IDLE;
    return this.#owed ? Math.min(this.#due, idle) : idle;
  }
}
