import { createHash, type Hash } from 'node:crypto';
import { GridError } from '../../grid/errors.ts';
import { BlockParser, type BlockHeader } from './block-parser.ts';

/** Text is handed on in chunks of at least this, the last one excepted. */
const CHUNK_BYTES = 512 << 10;

export interface BlockStreamOptions {
  readonly verify: boolean;
  /** `split 3 of public.readings (PostgreSQL at …)`, for messages. */
  readonly where: string;
  readonly write: (chunk: Buffer) => Promise<void>;
}

/**
 * Receives the blocks of a split, over as many statements as it takes: checks each block's text against its digest, hands the
 * text on in chunks, and adds up what the split is.
 */
export class BlockStream {
  readonly #options: BlockStreamOptions;
  readonly #splitDigest: Hash = createHash('md5');
  #parser = new BlockParser({ begin: () => undefined, text: () => undefined, end: () => undefined });
  #blockDigest: Hash | undefined;
  #pieces: Buffer[] = [];
  #heldBytes = 0;
  #last: BlockHeader | undefined;
  #inBlock = false;
  #rows = 0;
  #textBytes = 0;

  constructor(options: BlockStreamOptions) {
    this.#options = options;
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
        if (this.#options.verify) this.#blockDigest = createHash('md5');
      },
      text: (piece) => {
        this.#blockDigest?.update(piece);
        this.#textBytes += piece.length;
        this.#pieces.push(piece);
        this.#heldBytes += piece.length;
      },
      end: (block) => {
        this.#endBlock(block);
      },
    });
  }

  /** Takes bytes of the statement; what it returns must be waited for. */
  push(piece: Buffer): Promise<void> | undefined {
    this.#parser.push(piece);
    return this.#heldBytes >= CHUNK_BYTES ? this.flush() : undefined;
  }

  /** The statement ended without an error. */
  endStatement(): void {
    if (!this.#parser.isFinished) throw this.#endedEarly();
  }

  async flush(): Promise<void> {
    const pieces = this.#pieces;
    const bytes = this.#heldBytes;
    this.#pieces = [];
    this.#heldBytes = 0;
    const [only] = pieces;
    if (only === undefined) return;
    await this.#options.write(pieces.length === 1 ? only : Buffer.concat(pieces, bytes));
  }

  #endBlock(block: BlockHeader): void {
    this.#inBlock = false;
    this.#last = block;
    if (block.rows === 0) return;
    this.#rows += block.rows;
    this.#splitDigest.update(block.digest);
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
