import { createHash, type Hash } from 'node:crypto';
import { GridError } from '../../../grid/errors.ts';
import { WriteBehind } from '../../../runtime/write-behind.ts';
import { BlockParser, type BlockHeader } from './block-parser.ts';

/** Text is handed on in chunks of this, the last one excepted. */
const CHUNK_BYTES = 512 << 10;
/** That are being written or wait for it, while one more is filled. */
const CHUNKS_BEHIND = 2;

export interface BlockStreamOptions {
  readonly verify: boolean;
  /** `split 3 of public.readings (PostgreSQL at …)`, for messages. */
  readonly where: string;
  /** Called with one chunk at a time; the chunk's memory is used again when it resolves. */
  readonly write: (chunk: Buffer) => Promise<void>;
}

/**
 * Receives the blocks of a split, over as many statements as it takes: checks each block's text against its digest, hands the
 * text on in chunks, and adds up what the split is.
 * The chunks' memory is used again and again.
 */
export class BlockStream {
  readonly #options: BlockStreamOptions;
  readonly #splitDigest: Hash = createHash('sha256');
  readonly #behind: WriteBehind<Buffer>;
  /** Memory for chunks. */
  readonly #free: Buffer[] = [];
  #parser = new BlockParser({ begin: () => undefined, text: () => undefined, end: () => undefined });
  #blockDigest: Hash | undefined;
  #chunk: Buffer | undefined;
  #filledBytes = 0;
  #last: BlockHeader | undefined;
  #inBlock = false;
  #rows = 0;
  #textBytes = 0;

  constructor(options: BlockStreamOptions) {
    this.#options = options;
    this.#behind = new WriteBehind(async (chunk) => {
      await options.write(chunk);
      this.#free.push(Buffer.from(chunk.buffer));
    }, CHUNKS_BEHIND);
  }

  /** The last block of the present statement that came whole. */
  get lastBlock(): BlockHeader | undefined {
    return this.#last;
  }

  get rows(): number {
    return this.#rows;
  }

  get textBytes(): number {
    return this.#textBytes;
  }

  /** The split's digest; once, at the end. */
  digest(): string {
    return this.#rows === 0 ? '' : this.#splitDigest.digest('hex');
  }

  /** Another statement begins. */
  startStatement(): void {
    // The server makes a block before it sends the first byte of it, so an error comes between two.
    if (this.#inBlock) throw this.#endedEarly();
    this.#last = undefined;
    this.#parser = new BlockParser({
      begin: () => {
        this.#inBlock = true;
        if (this.#options.verify) this.#blockDigest = createHash('sha256');
      },
      text: (piece) => {
        this.#blockDigest?.update(piece);
        this.#textBytes += piece.length;
        this.#store(piece);
      },
      end: (block) => {
        this.#endBlock(block);
      },
    });
  }

  /** Takes bytes of the statement, whose memory is not needed afterwards; what it returns must be waited for. */
  push(piece: Buffer): Promise<void> | undefined {
    this.#parser.push(piece);
    return this.#behind.room();
  }

  /** The statement ended without an error. */
  endStatement(): void {
    if (!this.#parser.isFinished) throw this.#endedEarly();
  }

  /** Resolves when all text is written. */
  async flush(): Promise<void> {
    this.#handOn();
    await this.#behind.end();
  }

  /** Waits for the statements that give the text; see {@link WriteBehind.while}. */
  while(reading: Promise<void>, signal: AbortSignal): Promise<void> {
    return this.#behind.while(reading, signal);
  }

  #store(piece: Buffer): void {
    for (let at = 0; at < piece.length;) {
      const chunk = (this.#chunk ??= this.#free.pop() ?? Buffer.allocUnsafeSlow(CHUNK_BYTES));
      const bytes = piece.copy(chunk, this.#filledBytes, at);
      at += bytes;
      this.#filledBytes += bytes;
      if (this.#filledBytes === chunk.length) this.#handOn();
    }
  }

  #handOn(): void {
    if (this.#chunk === undefined) return;
    void this.#behind.add(this.#chunk.subarray(0, this.#filledBytes));
    this.#chunk = undefined;
    this.#filledBytes = 0;
  }

  #endBlock(block: BlockHeader): void {
    this.#inBlock = false;
    this.#last = block;
    if (block.rows === 0) return;
    this.#rows += block.rows;
    this.#splitDigest.update(block.digest, 'hex');
    const digest = this.#blockDigest?.digest('hex');
    if (digest !== undefined && digest !== block.digest) {
      throw new GridError(
        'import-verification-failed',
        `${this.#options.where}: the block at ${block.start} has the digest ${block.digest} at the server, but what arrived has ${digest}. It is tried again.`,
      );
    }
  }

  #endedEarly(): GridError {
    return new GridError(
      'import-verification-failed',
      `${this.#options.where}: the rows ended early. It is tried again.`,
    );
  }
}
