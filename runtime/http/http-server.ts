import fastify, { type FastifyInstance } from 'fastify';
import { asGridError, GridError } from '../../grid/errors.ts';
import type { Logger } from '../logger.ts';

export interface HttpServerOptions {
  readonly logger: Logger;
  /** Longest time for a request to arrive, milliseconds; 0 for no limit (bodies of any length). */
  readonly requestTimeoutMs: number;
  /** A connection on which nothing moves for so long is closed, milliseconds. */
  readonly idleTimeoutMs: number;
  readonly maxConnections: number;
}

/** Methods that a path may know when it does not know the one that was used. */
const METHODS = ['GET', 'POST', 'PUT'] as const;
/** Seconds after which a sender is asked to try again: soon when it is only pressure, later when a server is away. */
const RETRY_AFTER_S = { pressure: 1, away: 5 } as const;

/**
 * A server for machines that send data: bodies are left to the handlers as streams, every error is JSON
 * `{code, message}`, and what can be repeated says when (`Retry-After`).
 */
export function createHttpServer(options: HttpServerOptions): FastifyInstance {
  const server = fastify({
    logger: false,
    requestTimeout: options.requestTimeoutMs,
    connectionTimeout: options.idleTimeoutMs,
    // A stopping server answers by its own hook, with Retry-After.
    return503OnClosing: false,
  });
  server.server.maxConnections = options.maxConnections;
  server.removeAllContentTypeParsers();
  server.addContentTypeParser('*', (_request, _payload, done) => {
    done(null);
  });

  server.setErrorHandler((error: Error & { statusCode?: number }, request, reply) => {
    const known = asKnownError(error);
    if (known.code === 'defect') options.logger.error({ err: error, url: request.url }, 'a request failed');
    else options.logger.debug({ code: known.code, url: request.url }, known.message);
    if (known.retryable) reply.header('retry-after', retryAfterSeconds(known));
    const details = error instanceof DetailedError ? error.details : {};
    return reply.code(known.httpStatus).send({ code: known.code, message: known.message, ...details });
  });

  server.setNotFoundHandler((request, reply) => {
    const path = request.url.split('?', 1)[0] ?? '';
    const allowed = METHODS.filter((method) => server.hasRoute({ url: path, method }));
    if (allowed.length === 0) {
      throw new GridError('unknown-route', `${request.method} ${path}: there is nothing at this path.`);
    }
    reply.header('allow', allowed.join(', '));
    throw new GridError('method-not-allowed', `${request.method} ${path}: use ${allowed.join(' or ')}.`);
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

function asKnownError(error: Error & { statusCode?: number }): GridError {
  if (error instanceof GridError) return error;
  if (error.statusCode === 415) {
    return new GridError('unsupported-media-type', `Reading the request: ${error.message}.`, { cause: error });
  }
  if (error.statusCode === 413) {
    return new GridError('request-too-large', `Reading the request: ${error.message}.`, { cause: error });
  }
  return asGridError(error, 'Answering the request');
}
