// @ts-check

/**
 * @typedef {object} StreamEvent
 * @property {string} kind
 * @property {string} data
 */

/** An event that is longer is none of ours. */
const LONGEST = 1 << 20;

/** Takes a stream of server-sent events apart, however it was cut into pieces. */
export class EventStreamParser {
  #rest = '';
  #kind = '';
  /** @type {string[]} */
  #data = [];

  /** Id of the newest event. */
  lastId = '';

  /**
   * @param {string} text
   * @returns {StreamEvent[]} the events that it completes
   */
  take(text) {
    const lines = (this.#rest + text).split(/\r\n|\n|\r(?!$)/);
    this.#rest = lines.pop() ?? '';
    if (this.#rest.length > LONGEST) throw new Error('the stream has an event without an end');
    /** @type {StreamEvent[]} */
    const events = [];
    for (const line of lines) {
      if (line !== '') {
        this.#field(line);
        continue;
      }
      if (this.#data.length > 0) events.push({ kind: this.#kind || 'message', data: this.#data.join('\n') });
      this.#kind = '';
      this.#data = [];
    }
    return events;
  }

  /** @param {string} line */
  #field(line) {
    const colon = line.indexOf(':');
    if (colon === 0) return;
    const name = colon === -1 ? line : line.slice(0, colon);
    const value = colon === -1 ? '' : line.slice(colon + 1).replace(/^ /, '');
    if (name === 'event') this.#kind = value;
    else if (name === 'data') this.#data.push(value);
    else if (name === 'id' && !value.includes('\0')) this.lastId = value;
  }
}
