import { createConnection, type Socket } from 'node:net';

/** What came back over one connection. */
export type Exchange =
  | {
      readonly kind: 'answered';
      readonly status: number;
      readonly headers: ReadonlyMap<string, string>;
      readonly body: string;
    }
  /** The connection ended without a whole answer. */
  | { readonly kind: 'closed'; readonly received: string }
  | { readonly kind: 'silent'; readonly received: string };

/**
 * Sends bytes as they are, which no HTTP client would, and reads one answer.
 *
 * @param cut ends the sending side behind the bytes, as a sender does that goes away.
 */
export async function exchange(port: number, bytes: Buffer, cut: boolean, limitMs: number): Promise<Exchange> {
  const socket = createConnection({ port, host: '127.0.0.1', allowHalfOpen: true });
  try {
    return await new Promise<Exchange>((resolve, reject) => {
      let received = Buffer.alloc(0);
      const timer = setTimeout(() => {
        resolve({ kind: 'silent', received: received.toString('latin1') });
      }, limitMs);
      const end = (): void => {
        clearTimeout(timer);
        resolve(answerIn(received, true) ?? { kind: 'closed', received: received.toString('latin1') });
      };
      socket.on('connect', () => {
        send(socket, bytes, cut);
      });
      socket.on('data', (chunk) => {
        received = Buffer.concat([received, chunk]);
        const answer = answerIn(received, false);
        if (answer === undefined) return;
        clearTimeout(timer);
        resolve(answer);
      });
      socket.on('end', end);
      socket.on('close', end);
      socket.on('error', (error: Error & { code?: string }) => {
        if (error.code === 'ECONNRESET' || error.code === 'EPIPE') end();
        else reject(error);
      });
    });
  } finally {
    socket.destroy();
  }
}

function send(socket: Socket, bytes: Buffer, cut: boolean): void {
  if (cut) socket.end(bytes);
  else socket.write(bytes);
}

/** The first answer that is no interim one, once it is there as a whole. */
function answerIn(received: Buffer, ended: boolean): Exchange | undefined {
  const text = received.toString('latin1');
  let start = 0;
  for (;;) {
    const headEnd = text.indexOf('\r\n\r\n', start);
    if (headEnd < 0) return undefined;
    const [statusLine = '', ...lines] = text.slice(start, headEnd).split('\r\n');
    const status = Number(statusLine.split(' ', 2)[1]);
    start = headEnd + 4;
    if (status >= 100 && status < 200) continue;
    const headers = new Map(
      lines.map((line) => {
        const colon = line.indexOf(':');
        return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()] as const;
      }),
    );
    const length = headers.get('content-length');
    const rest = received.subarray(start);
    // The answer to HEAD declares a length and has no body: its connection is closed, which the sender asks for.
    if (length !== undefined && rest.length < Number(length) && !ended) return undefined;
    const isChunked = length === undefined && headers.get('transfer-encoding') === 'chunked';
    if (isChunked && !ended && !rest.toString('latin1').endsWith('0\r\n\r\n')) return undefined;
    const body = isChunked ? withoutChunks(rest) : rest;
    return { kind: 'answered', status, headers, body: body.toString('utf8') };
  }
}

function withoutChunks(bytes: Buffer): Buffer {
  const pieces: Buffer[] = [];
  let at = 0;
  for (;;) {
    const lineEnd = bytes.indexOf('\r\n', at);
    const length = lineEnd < 0 ? 0 : Number.parseInt(bytes.toString('latin1', at, lineEnd), 16);
    if (!(length > 0)) return Buffer.concat(pieces);
    pieces.push(bytes.subarray(lineEnd + 2, lineEnd + 2 + length));
    at = lineEnd + 2 + length + 2;
  }
}
