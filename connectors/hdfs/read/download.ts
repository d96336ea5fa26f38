import http from 'node:http';
import https from 'node:https';
import { pipeline, Transform, type Readable, type TransformCallback } from 'node:stream';
import { GridError } from '../../../grid/errors.ts';
import { orAborted } from '../../../runtime/waiting/abortion.ts';
import { within } from '../../../runtime/waiting/time-limit.ts';
import { errorOfClosing, errorOfConnection, errorOfReply, errorOfSilence, type Attempt } from '../failure.ts';

const MAX_REPLY_BYTES = 64 * 1024;

export interface DownloadOptions {
  /** The DataNode's URL, as the NameNode gave it. */
  readonly url: string;
  readonly attempt: Attempt;
  /** Bytes that have to come; fewer or more are an error. */
  readonly expectedBytes: number;
  /** Longest wait for the reply's head. */
  readonly openTimeoutMs: number;
  readonly idleTimeoutMs: number;
  /** Cuts the stream when aborted. */
  readonly closing: AbortSignal;
}

/**
 * Opens the body of an OPEN at a DataNode; resolves with a stream that ends only after `expectedBytes`.
 *
 * By `node:http`, not by the driver: its read stream ends like a whole one when the connection breaks, gives an error's text
 * as data, and cannot be bounded in time.
 */
export async function openDownload(options: DownloadOptions): Promise<Readable> {
  const { url, attempt, openTimeoutMs, closing } = options;
  const isClosing = (): boolean => closing.aborted;
  if (isClosing()) throw errorOfClosing(attempt);
  const { request } = url.startsWith('https:') ? https : http;
  const get = request(url, { method: 'GET', agent: false });
  const response = new Promise<http.IncomingMessage>((resolve, reject) => {
    get.on('response', resolve);
    get.on('error', (cause) => {
      reject(errorOfConnection(attempt, cause));
    });
  });
  get.end();
  try {
    const body = response.then((reply) => bodyOf(reply, options));
    return await within(openTimeoutMs, orAborted(body, closing), () => errorOfSilence(attempt, openTimeoutMs));
  } catch (error) {
    get.destroy();
    throw isClosing() ? errorOfClosing(attempt) : error;
  }
}

async function bodyOf(response: http.IncomingMessage, options: DownloadOptions): Promise<Readable> {
  if (response.statusCode === 200) return verifiedBody(response, options);
  const text = await readText(response).catch((cause: unknown) => {
    throw errorOfConnection(options.attempt, cause);
  });
  throw errorOfReply(options.attempt, response.statusCode ?? 0, text);
}

/** Passes bytes through, counts them, and turns a short, long, broken or silent body into an error. */
function verifiedBody(response: http.IncomingMessage, options: DownloadOptions): Readable {
  const { attempt, expectedBytes, idleTimeoutMs, closing } = options;
  let bytes = 0;
  const body = new Transform({
    highWaterMark: 256 * 1024,
    transform(chunk: Buffer, _encoding, callback: TransformCallback) {
      bytes += chunk.length;
      if (bytes > expectedBytes) callback(lengthError(attempt, 'more than the', expectedBytes));
      else callback(null, chunk);
    },
    flush(callback: TransformCallback) {
      if (bytes < expectedBytes) callback(lengthError(attempt, `${bytes} of the`, expectedBytes));
      else callback();
    },
    // The pipeline destroys this stream with the raw error of the connection; readers get a typed one.
    destroy(error, callback) {
      callback(error === null || error instanceof GridError ? error : errorOfConnection(attempt, error));
    },
  });
  const { socket } = response;
  const watch = (): void => {
    // A reader that takes its time is not a server that hangs.
    if (body.writableNeedDrain) socket.setTimeout(idleTimeoutMs);
    else body.destroy(errorOfSilence(attempt, idleTimeoutMs, 'no byte came'));
  };
  socket.setTimeout(idleTimeoutMs);
  socket.on('timeout', watch);
  const onClosing = (): void => {
    body.destroy(errorOfClosing(attempt));
  };
  closing.addEventListener('abort', onClosing, { once: true });
  pipeline(response, body, () => {
    closing.removeEventListener('abort', onClosing);
    socket.off('timeout', watch);
    socket.destroy();
  });
  return body;
}

function lengthError(attempt: Attempt, came: string, expectedBytes: number): GridError {
  return new GridError(
    'hdfs-unavailable',
    `${attempt.operation} ${attempt.path} at ${attempt.server} gave ${came} expected ${expectedBytes} bytes. The stream broke off, or the file was rewritten meanwhile; read it again.`,
  );
}

async function readText(response: http.IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of response) {
    if (!(chunk instanceof Buffer)) continue;
    bytes += chunk.length;
    if (bytes > MAX_REPLY_BYTES) break;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}
