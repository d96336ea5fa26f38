import { STATUS_CODES, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import type { ErrorCode } from '../../grid/errors.ts';

/** What is answered to bytes that never became a request. */
interface ConnectionAnswer {
  readonly status: number;
  readonly code: ErrorCode;
  readonly message: string;
}

const MALFORMED: ConnectionAnswer = {
  status: 400,
  code: 'malformed-request',
  message: 'Reading the request: it is not valid HTTP/1.1.',
};
/** By Node's codes for what its HTTP parser refused. */
const ANSWERS: ReadonlyMap<string, ConnectionAnswer> = new Map([
  [
    'HPE_HEADER_OVERFLOW',
    {
      status: 431,
      code: 'request-too-large',
      message: 'Reading the request: its path and headers are longer than 16 KiB. Send less in them.',
    },
  ],
  [
    'HPE_CHUNK_EXTENSIONS_OVERFLOW',
    {
      status: 413,
      code: 'request-too-large',
      message: 'Reading the body: the extensions of a chunk are longer than 16 KiB. Send none.',
    },
  ],
  [
    'ERR_HTTP_REQUEST_TIMEOUT',
    {
      status: 408,
      code: 'malformed-request',
      message: 'Reading the request: it did not arrive in time. Send it again, whole.',
    },
  ],
]);

/** Answers what no route and no error handler ever sees, in the same form as all errors: JSON `{code, message}`. */
export function answerConnections(server: Server): void {
  server.on('checkExpectation', (_request: IncomingMessage, response: ServerResponse) => {
    const body = JSON.stringify({
      code: 'malformed-request',
      message: 'Reading the request: the only Expect that is met is 100-continue.',
    });
    response.writeHead(417, {
      'content-type': 'application/json; charset=utf-8',
      'content-length': Buffer.byteLength(body),
      connection: 'close',
    });
    response.end(body);
  });
  server.on('connect', (_request: IncomingMessage, socket: Duplex) => {
    // Whatever becomes of the connection is no affair of the process.
    socket.on('error', () => undefined);
    answer(socket, {
      status: 405,
      code: 'method-not-allowed',
      message: 'CONNECT: this server is no proxy.',
    });
  });
}

/** Node's `clientError`: bytes that are no HTTP, a request that never ends, a connection that broke. */
export function answerClientError(error: Error & { code?: string }, socket: Duplex): void {
  if (error.code === 'ECONNRESET' || !socket.writable || hasBegunToAnswer(socket)) {
    socket.destroy();
    return;
  }
  answer(socket, ANSWERS.get(error.code ?? '') ?? MALFORMED);
}

function answer(socket: Duplex, { status, code, message }: ConnectionAnswer): void {
  const body = JSON.stringify({ code, message });
  const head = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}`,
    'content-type: application/json; charset=utf-8',
    `content-length: ${Buffer.byteLength(body)}`,
    'connection: close',
  ];
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`, () => {
    socket.destroy();
  });
}

/** Whether a reply is on its way over the connection: a second one would be read as part of it. */
function hasBegunToAnswer(socket: Duplex): boolean {
  const { _httpMessage: reply } = socket as { _httpMessage?: { readonly headersSent: boolean } | null };
  return reply?.headersSent === true;
}
