import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import { asGridError, GridError } from '../../grid/errors.ts';
import type { Logger } from '../logger.ts';
import { answerClientError, answerConnections } from './connection-answers.ts';

export interface HttpServerOptions {
  readonly logger: Logger;
  /** Longest time for a request to arrive, milliseconds; 0 for no limit (bodies of any length). */
  readonly requestTimeoutMs: number;
  /** A connection on which nothing moves for so long is closed, milliseconds. */
  readonly idleTimeoutMs: number;
  readonly maxConnections: number;
}

/** Seconds after which a sender is asked to try again: soon when it is only pressure, later when a server is away. */
const RETRY_AFTER_S = { pressure: 1, away: 5 } as const;
/** Longest variable part of a path, characters: all of it may be as long as Node lets a request's head be. */
const MAX_PATH_PART = 16_384;
/** What of a request's path stands in a message. */
const SHOWN_PATH = 200;

/**
 * A server whose bodies are left to the handlers as streams, whose errors are all JSON `{code, message}`, and which says when
 * to try again what can be repeated (`Retry-After`). Whatever a request does ends that request alone.
 */
export function createHttpServer(options: HttpServerOptions): FastifyInstance {
  const answer = (error: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply =>
    answerError(error, request, reply, options.logger);
  const server = fastify({
    logger: false,
    requestTimeout: options.requestTimeoutMs,
    connectionTimeout: options.idleTimeoutMs,
    // A stopping server answers by its own hook, with Retry-After.
    return503OnClosing: false,
    routerOptions: { maxParamLength: MAX_PATH_PART },
    frameworkErrors: (error, request, reply) => {
      void answer(error, request, reply);
    },
    clientErrorHandler: answerClientError,
  });
  server.server.maxConnections = options.maxConnections;
  answerConnections(server.server);
  server.removeAllContentTypeParsers();
  server.addContentTypeParser('*', (_request, _payload, done) => {
    done(null);
  });
  server.setErrorHandler(answer);

  const methods = new Map<string, Set<string>>();
  server.addHook('onRoute', ({ url, method }) => {
    const known = methods.get(url) ?? new Set();
    for (const one of [method].flat()) known.add(one);
    methods.set(url, known);
  });
  server.setNotFoundHandler((request, reply) => {
    const path = request.url.split('?', 1)[0] ?? '';
    const allowed = [...(methods.get(path) ?? methods.get('/*') ?? [])];
    const shown = `${request.method} ${shorten(path)}`;
    if (allowed.length === 0) throw new GridError('unknown-route', `${shown}: there is nothing at this path.`);
    reply.header('allow', allowed.join(', '));
    throw new GridError('method-not-allowed', `${shown}: use ${allowed.join(' or ')}.`);
  });
  return server;
}

/** A {@link GridError} whose reply carries more fields than code and message. */
export class DetailedError extends GridError {
  override readonly details: Readonly<Record<string, unknown>>;

  constructor(error: GridError, details: Readonly<Record<string, unknown>>) {
    super(error.code, error.message, { cause: error.cause });
    this.details = details;
  }
}

export function retryAfterSeconds(error: GridError): number {
  return error.httpStatus === 429 || error.code === 'shutting-down' ? RETRY_AFTER_S.pressure : RETRY_AFTER_S.away;
}

function answerError(error: unknown, request: FastifyRequest, reply: FastifyReply, logger: Logger): FastifyReply {
  const known = asKnownError(error);
  // Without the query: some clients put their passwords there.
  const url = shorten(request.url.split('?', 1)[0] ?? '');
  if (known.code === 'defect') logger.error({ err: error, url }, 'a request failed');
  else logger.debug({ code: known.code, url }, known.message);
  if (known.retryable) void reply.header('retry-after', retryAfterSeconds(known));
  const details = known instanceof DetailedError ? known.details : {};
  return reply
    .code(known.httpStatus)
    .type('application/json; charset=utf-8')
    .send({ code: known.code, message: known.message, ...details });
}

function asKnownError(error: unknown): GridError {
  if (error instanceof GridError) return error;
  const status = error instanceof Error && 'statusCode' in error ? error.statusCode : undefined;
  // What fastify itself refuses: a type or length that is none, a path that cannot be decoded.
  if (error instanceof Error && typeof status === 'number' && status >= 400 && status < 500) {
    const code = status === 415 ? 'unsupported-media-type' : status === 413 ? 'request-too-large' : 'malformed-request';
    return new GridError(code, `Reading the request: ${shorten(error.message)}.`, { cause: error });
  }
  return asGridError(error, 'Answering the request');
}

function shorten(text: string): string {
  return text.length > SHOWN_PATH ? `${text.slice(0, SHOWN_PATH)}…` : text;
}
