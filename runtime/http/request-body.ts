import type { IncomingMessage } from 'node:http';
import type { Readable, Transform } from 'node:stream';
import { createBrotliDecompress, createGunzip, createInflate } from 'node:zlib';
import { GridError } from '../../grid/errors.ts';
import type { ByteBudget } from '../byte-budget.ts';
import { headerOf } from './request-parameters.ts';

const DECODERS: ReadonlyMap<string, () => Transform> = new Map([
  ['gzip', createGunzip],
  ['x-gzip', createGunzip],
  ['deflate', createInflate],
  ['br', createBrotliDecompress],
]);
/** What a piece of a body costs beside its bytes: a body that comes byte by byte is mostly that. */
const CHUNK_OVERHEAD_BYTES = 128;

/** A request's body, decompressed as it comes. */
export interface RequestBody {
  /** Chunks in order. Leaving the loop early leaves the connection open, so that a reply can still be sent. */
  chunks(): AsyncIterable<Buffer>;
  /** Drops what is left, so that the connection can be used again. */
  discard(): void;
}

/**
 * Opens a request's body according to its Content-Encoding (gzip, deflate, br).
 *
 * @throws GridError `unsupported-media-type` for another encoding, `malformed-request` for several; while reading
 *   `malformed-compression`, and `malformed-request` when the connection ends before the body.
 */
export function openBody(request: IncomingMessage): RequestBody {
  const encoding = (headerOf(request, 'content-encoding') ?? 'identity').trim().toLowerCase();
  // Whoever reads it is told; when nobody does any more, a sender that goes away must not end the process.
  request.on('error', () => undefined);
  if (encoding === 'identity' || encoding === '') {
    return {
      chunks: () => iterate(request),
      discard: () => {
        request.resume();
      },
    };
  }
  const createDecoder = DECODERS.get(encoding);
  if (createDecoder === undefined) {
    throw new GridError(
      'unsupported-media-type',
      `Reading the body: Content-Encoding ${JSON.stringify(encoding.slice(0, 80))} is not known. Send gzip, deflate, br, or no encoding.`,
    );
  }
  const decoder = createDecoder();
  // pipe, not pipeline: a failing decoder must not destroy the request, over whose socket the reply goes.
  request.pipe(decoder);
  request.on('error', (error) => decoder.destroy(error));
  decoder.on('error', () => undefined);
  return {
    chunks: async function* () {
      try {
        yield* iterate(decoder);
      } catch (error) {
        if (isZlibError(error)) {
          throw new GridError(
            'malformed-compression',
            `Reading the body: it is not valid ${encoding}: ${error.message}. Compress it anew, or send it without Content-Encoding.`,
            { cause: error },
          );
        }
        throw error;
      }
    },
    discard: () => {
      request.unpipe(decoder);
      decoder.destroy();
      request.resume();
    },
  };
}

/** The parts of a body that was read whole, and the memory it is accounted with until `release`. */
export interface WholeBody {
  readonly bytes: Buffer;
  release(): void;
}

/**
 * Reads a body whole, counting its decompressed bytes as they come: neither a large body nor a small one that
 * decompresses to a large one takes more memory than the limits.
 *
 * @throws GridError `request-too-large` beyond `maxBytes`; `producer-queue-full` when the requests under way have used up
 *   `budget`; those of {@link openBody}.
 */
export async function readWhole(request: IncomingMessage, maxBytes: number, budget: ByteBudget): Promise<WholeBody> {
  const declared = Number(request.headers['content-length'] ?? 0);
  if (declared > maxBytes) {
    request.resume();
    throw tooLarge(declared, maxBytes);
  }
  const body = openBody(request);
  const chunks: Buffer[] = [];
  let length = 0;
  let taken = 0;
  try {
    for await (const chunk of body.chunks()) {
      length += chunk.length;
      if (length > maxBytes) throw tooLarge(length, maxBytes);
      const held = chunk.length + CHUNK_OVERHEAD_BYTES;
      if (!budget.tryTake(held)) throw busy(budget);
      taken += held;
      chunks.push(chunk);
    }
  } catch (error) {
    budget.give(taken);
    body.discard();
    throw error;
  }
  return {
    bytes: chunks.length === 1 ? (chunks[0] ?? Buffer.alloc(0)) : Buffer.concat(chunks, length),
    release: () => {
      budget.give(taken);
      taken = 0;
    },
  };
}

export function busy(budget: ByteBudget): GridError {
  return new GridError(
    'producer-queue-full',
    `Reading the body: the requests under way hold ${budget.usedBytes} bytes, and more would pass the bound of ${budget.limitBytes}. Send it again later.`,
  );
}

function tooLarge(length: number, maxBytes: number): GridError {
  return new GridError(
    'request-too-large',
    `Reading the body: it has ${length} bytes or more, decompressed; at most ${maxBytes} are allowed. Send it in several requests.`,
  );
}

async function* iterate(stream: Readable): AsyncGenerator<Buffer> {
  try {
    yield* stream.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>;
  } catch (error) {
    if (!isBrokenConnection(error)) throw error;
    throw new GridError(
      'malformed-request',
      'Reading the body: the connection ended before the body did. Send it again, whole.',
      { cause: error },
    );
  }
}

function isBrokenConnection(error: unknown): boolean {
  return (
    error instanceof Error &&
    'code' in error &&
    (error.code === 'ECONNRESET' || error.code === 'EPIPE' || error.code === 'ERR_STREAM_PREMATURE_CLOSE')
  );
}

function isZlibError(error: unknown): error is Error {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' && /^(Z_|ERR__)/.test(error.code);
}
