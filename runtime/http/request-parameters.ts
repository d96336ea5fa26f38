import type { IncomingMessage } from 'node:http';
import type { FastifyRequest } from 'fastify';
import { GridError } from '../../grid/errors.ts';

/**
 * The value of a header, undefined when the request has none. Node keeps the first of some headers that come twice and joins
 * others: what they mean would depend on who reads them, so a header that says two things is refused.
 *
 * @param name in lower case
 * @throws GridError `malformed-request` when the header is given with several values.
 */
export function headerOf(request: IncomingMessage, name: string): string | undefined {
  const [value, ...more] = request.headersDistinct[name] ?? [];
  if (more.some((other) => other !== value)) throw ambiguous(`header ${name}`, more.length + 1);
  return value;
}

/**
 * The value of a query parameter, undefined when the request has none.
 *
 * @throws GridError `malformed-request` when it is given several times.
 */
export function queryParameterOf(request: FastifyRequest, name: string): string | undefined {
  const value = (request.query as Readonly<Record<string, string | readonly string[] | undefined>>)[name];
  if (value === undefined || typeof value === 'string') return value;
  throw ambiguous(`query parameter ${name}`, value.length);
}

function ambiguous(what: string, times: number): GridError {
  return new GridError(
    'malformed-request',
    `Reading the request: the ${what} is given ${times} times. Give it once; nothing of the request was stored.`,
  );
}
