import { getRandomValues, hash } from 'node:crypto';

const WORDS = 4;
/** Lower-case hexadecimal digits with hyphens, as UUIDs are written. */
const UUID_CHARACTERS = 36;
/** Where its groups of four digits begin. */
const GROUPS_AT = [0, 4, 9, 14, 19, 24, 28, 32] as const;
const HYPHENS_AT = [8, 13, 18, 23] as const;
const HYPHEN = 0x2d;
/** The value of a lower-case hexadecimal digit by its code; 255 for any other. */
const DIGITS = new Uint8Array(128).fill(255);
for (let digit = 0; digit < 16; digit++) DIGITS[digit.toString(16).charCodeAt(0)] = digit;

/**
 * Tells whether a correlation id occurred among the last so many offsets of a partition: a function of the log alone, so that whoever reads
 * these offsets again decides alike. An id takes 16 bytes, a UUID's own or those of a SHA-256, in arrays that never grow.
 *
 * A place in a ring belongs to each offset; a hash table (open addressing, half full at most) finds the place of an id. Where ids lie in it
 * depends on a secret of the process, so that nobody can send such as collide.
 */
export class RecentIds {
  readonly #horizon: number;
  /** By place: the id, and its offset; negative for none. */
  readonly #words: Uint32Array;
  readonly #offsets: Float64Array;
  /** A place + 1; 0 is free. */
  readonly #table: Int32Array;
  readonly #mask: number;
  readonly #secret = getRandomValues(new Int32Array(WORDS)).map((word) => word | 1);
  readonly #id = new Uint32Array(WORDS);

  /** @param horizon offsets that it looks back */
  constructor(horizon: number) {
    this.#horizon = horizon;
    this.#words = new Uint32Array(WORDS * horizon);
    this.#offsets = new Float64Array(horizon).fill(-1);
    const size = 2 ** Math.ceil(Math.log2(2 * Math.max(1, horizon)));
    this.#table = new Int32Array(size);
    this.#mask = size - 1;
  }

  /** Takes note of the id at an offset, each higher than the one before; whether it occurred less than a horizon before. */
  add(offset: number, id: string): boolean {
    if (this.#horizon === 0) return false;
    readId(id, this.#id);
    const place = offset % this.#horizon;
    if ((this.#offsets[place] ?? -1) >= 0) this.#remove(place);
    let at = this.#home(this.#id, 0);
    let wasSeen = false;
    for (let entry = this.#table[at] ?? 0; entry !== 0; entry = this.#table[at] ?? 0) {
      if (this.#isAt(entry - 1)) {
        wasSeen = (this.#offsets[entry - 1] ?? -1) > offset - this.#horizon;
        this.#offsets[entry - 1] = -1;
        break;
      }
      at = (at + 1) & this.#mask;
    }
    this.#table[at] = place + 1;
    for (let word = 0; word < WORDS; word++) this.#words[place * WORDS + word] = this.#id[word] ?? 0;
    this.#offsets[place] = offset;
    return wasSeen;
  }

  #isAt(place: number): boolean {
    for (let word = 0; word < WORDS; word++) {
      if (this.#words[place * WORDS + word] !== this.#id[word]) return false;
    }
    return true;
  }

  #home(words: Uint32Array, from: number): number {
    let mixed = 0;
    for (let word = 0; word < WORDS; word++) {
      mixed = (mixed + Math.imul(words[from + word] ?? 0, this.#secret[word] ?? 1)) | 0;
      mixed ^= mixed >>> 15;
    }
    return mixed & this.#mask;
  }

  /** Frees a place, and closes the gap in the table, so that what was put behind it is still found. */
  #remove(place: number): void {
    let gap = this.#home(this.#words, place * WORDS);
    while (this.#table[gap] !== place + 1) gap = (gap + 1) & this.#mask;
    for (let at = (gap + 1) & this.#mask; this.#table[at] !== 0; at = (at + 1) & this.#mask) {
      const home = this.#home(this.#words, ((this.#table[at] ?? 1) - 1) * WORDS);
      // Whether its home lies, going round, between the gap and where it is: then it stays.
      if (((at - home) & this.#mask) < ((at - gap) & this.#mask)) continue;
      this.#table[gap] = this.#table[at] ?? 0;
      gap = at;
    }
    this.#table[gap] = 0;
    this.#offsets[place] = -1;
  }
}

/** The 16 bytes that stand for an id. */
function readId(id: string, into: Uint32Array): void {
  if (id.length !== UUID_CHARACTERS || !readUuid(id, into)) {
    const digest = hash('sha256', id, 'buffer');
    for (let word = 0; word < WORDS; word++) into[word] = digest.readUInt32LE(word * 4);
  }
}

function readUuid(id: string, into: Uint32Array): boolean {
  for (const at of HYPHENS_AT) if (id.charCodeAt(at) !== HYPHEN) return false;
  let wrong = 0;
  let word = 0;
  for (let group = 0; group < 8; group++) {
    const at = GROUPS_AT[group] ?? 0;
    for (let digitAt = at; digitAt < at + 4; digitAt++) {
      // The code of a character is behind the table's end when it is no ASCII.
      const digit = DIGITS[id.charCodeAt(digitAt)] ?? 255;
      wrong |= digit & 0xf0;
      word = (word << 4) | digit;
    }
    if (group % 2 === 1) into[group >> 1] = word;
  }
  return wrong === 0;
}
