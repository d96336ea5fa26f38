import { closeSync, openSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { crc32 } from 'node:zlib';
import type { Budget, Member, Refusal } from '../identifier.ts';

/** Above so many bytes an archive may not give more than so many for each of its own. */
const RATIO_FROM_BYTES = 1 << 20;
const HIGHEST_RATIO = 100;
/** A library may wait for ever for bytes that never come. */
const IDLE_MS = 20_000;

export interface Expected {
  /** Undefined: not declared. */
  readonly bytes?: number | undefined;
  readonly crc?: number | undefined;
}

class Refused extends Error {
  readonly refusal: Refusal;
  constructor(refusal: Refusal, message: string) {
    super(message);
    this.refusal = refusal;
  }
}

/** Takes members out of an archive, within what is left of the budget; what is declared is never believed. */
export class MemberSink {
  readonly members: Member[] = [];
  readonly #directory: string;
  readonly #budget: Budget;
  readonly #ratioBytes: number;
  #bytes = 0;
  #entries = 0;
  #files = 0;

  /** @param archiveBytes length of the archive itself */
  constructor(directory: string, budget: Budget, archiveBytes: number) {
    this.#directory = directory;
    this.#budget = budget;
    this.#ratioBytes = Math.max(RATIO_FROM_BYTES, archiveBytes * HIGHEST_RATIO);
  }

  get used(): Budget {
    return { depth: this.#entries > 0 ? 1 : 0, bytes: this.#bytes, entries: this.#entries };
  }

  /** Counts a member; whether the budget has room for it. */
  count(): boolean {
    this.#entries++;
    return this.#entries <= this.#budget.entries;
  }

  refuse(name: string, refused: Refusal, detail?: string, modifiedMs?: number): void {
    this.members.push({ name, refused, ...(detail === undefined ? {} : { detail }), ...sane(modifiedMs) });
  }

  /** Whether nothing at all can be taken out any more. */
  get isSpent(): boolean {
    return this.#budget.depth <= 0 || this.#bytes >= this.#limit || this.#entries > this.#budget.entries;
  }

  get #limit(): number {
    return Math.min(this.#budget.bytes, this.#ratioBytes);
  }

  /** Writes a member to a file; a stream that fails, is too long or is not what its checksum says leaves none. */
  async take(name: string, open: () => Readable, expected: Expected, modifiedMs?: number): Promise<void> {
    if (this.isSpent) {
      this.refuse(name, 'budget', this.#spentDetail(), modifiedMs);
      return;
    }
    const path = join(this.#directory, `member-${++this.#files}`);
    const descriptor = openSync(path, 'wx', 0o600);
    let [bytes, crc] = [0, 0];
    try {
      for await (const chunk of withIdleLimit(open())) {
        bytes += chunk.length;
        this.#bytes += chunk.length;
        if (this.#bytes > this.#limit) throw new Refused('budget', this.#spentDetail());
        if (expected.bytes !== undefined && bytes > expected.bytes)
          throw new Refused('size', `more bytes than the ${expected.bytes} declared`);
        crc = crc32(chunk, crc);
        for (let at = 0; at < chunk.length;) at += writeSync(descriptor, chunk, at);
      }
      if (expected.bytes !== undefined && bytes !== expected.bytes)
        throw new Refused('size', `${bytes} bytes instead of the ${expected.bytes} declared`);
      if (expected.crc !== undefined && crc !== expected.crc)
        throw new Refused('crc', 'its bytes are not those that its checksum was made of');
      this.members.push({ name, path, ...sane(modifiedMs) });
    } catch (error) {
      rmSync(path, { force: true });
      if (error instanceof Refused) this.refuse(name, error.refusal, error.message, modifiedMs);
      else this.refuse(name, 'damaged', detailOf(error), modifiedMs);
    } finally {
      closeSync(descriptor);
    }
  }

  #spentDetail(): string {
    if (this.#budget.depth <= 0) return 'archives lie too deep in each other';
    if (this.#entries > this.#budget.entries) return 'too many members';
    return this.#ratioBytes < this.#budget.bytes
      ? `more than ${HIGHEST_RATIO} bytes for each of the archive`
      : 'too many bytes in all';
  }
}

const sane = (modifiedMs: number | undefined): { readonly modifiedMs?: number } =>
  modifiedMs === undefined || !Number.isFinite(modifiedMs) ? {} : { modifiedMs };

export function detailOf(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).slice(0, 200);
}

async function* withIdleLimit(stream: Readable): AsyncGenerator<Buffer> {
  let timer: NodeJS.Timeout | undefined;
  const restart = (): void => {
    clearTimeout(timer);
    timer = setTimeout(() => stream.destroy(new Error('it ends within the member')), IDLE_MS);
  };
  restart();
  try {
    for await (const chunk of stream as AsyncIterable<Buffer>) {
      restart();
      yield chunk;
    }
  } finally {
    clearTimeout(timer);
    stream.destroy();
  }
}
