import { Readable } from 'node:stream';
import compress from '@fastify/compress';
import etag from '@fastify/etag';
import helmet from '@fastify/helmet';
import rateLimit from '@fastify/rate-limit';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { z } from 'zod';
import { GridError } from '../../grid/errors.ts';
import { ByteBudget } from '../../runtime/byte-budget.ts';
import { contentTypeOf, checkCharset } from '../../runtime/http/content-type.ts';
import { createHttpServer } from '../../runtime/http/http-server.ts';
import { readWhole } from '../../runtime/http/request-body.ts';
import { headerOf } from '../../runtime/http/request-parameters.ts';
import type { Logger } from '../../runtime/logger.ts';
import type { AccessSettings } from '../access/access-settings.ts';
import type { AuditLog } from '../access/audit.ts';
import { checkRole, checkSite, identify } from '../access/identify.ts';
import type { Identity, Role } from '../access/roles.ts';
import type { ApiAnswer, ApiRequest, ApiRoute } from './api-route.ts';
import { asJson, asText, formatOf, MEDIA_TYPES, type Format } from './rows.ts';
import { WorkSlots } from './work-slots.ts';

/** How many answers are being worked on, all routes together. */
export interface ApiLoad {
  busy: number;
}

export interface ApiServerOptions {
  readonly logger: Logger;
  readonly access: AccessSettings;
  readonly audit: AuditLog;
  readonly requestsPerSecond: number;
  readonly maxBodyBytes: number;
  readonly maxConnections: number;
  /** Answers of one route that are worked on at once. */
  readonly slotsOfRoute: number;
  /** Counts all of them. */
  readonly load: ApiLoad;
}

const REQUEST_TIMEOUT_MS = 30_000;
const IDLE_TIMEOUT_MS = 120_000;
/** Bodies that are being read hold this much together. */
const BODIES_MEMORY = 8;
const RATE_WINDOW_MS = 1_000;
/** Requests that wait for a slot; each is only a socket and some text. */
const WAITING_PER_SLOT = 64;

/**
 * A server with what all routes share: who asks, how often they may, headers that keep browsers from doing harm, gzip and ETag. Nothing on a page of it may come
 * from another host, nor stand in the page itself.
 */
export async function createApiServer(options: ApiServerOptions): Promise<FastifyInstance> {
  const server = createHttpServer({
    logger: options.logger,
    requestTimeoutMs: REQUEST_TIMEOUT_MS,
    idleTimeoutMs: IDLE_TIMEOUT_MS,
    maxConnections: options.maxConnections,
  });
  await server.register(helmet, {
    contentSecurityPolicy: {
      useDefaults: false,
      directives: {
        defaultSrc: ["'none'"],
        scriptSrc: ["'self'"],
        styleSrc: ["'self'"],
        imgSrc: ["'self'", 'data:'],
        fontSrc: ["'self'"],
        connectSrc: ["'self'"],
        manifestSrc: ["'self'"],
        baseUri: ["'none'"],
        formAction: ["'none'"],
        frameAncestors: ["'none'"],
      },
    },
    // It listens without TLS; a proxy in front that has it sets this.
    strictTransportSecurity: false,
    referrerPolicy: { policy: 'no-referrer' },
  });
  await server.register(rateLimit, {
    max: options.requestsPerSecond,
    timeWindow: RATE_WINDOW_MS,
    keyGenerator: ({ ip }) => ip,
    errorResponseBuilder: () =>
      new GridError(
        'too-many-requests',
        `Taking the request: this address has sent more than ${options.requestsPerSecond} requests within a second. Send fewer.`,
      ),
  });
  await server.register(compress, {
    global: true,
    encodings: ['gzip', 'deflate', 'identity'],
    globalDecompression: false,
  });
  await server.register(etag);
  server.addHook('onRequest', (request, _reply, done) => {
    checkSite(request.raw, options.access, request.method !== 'GET' && request.method !== 'HEAD');
    done();
  });
  return server;
}

/** Who sends a request, if they have the role for it. @throws GridError `not-authenticated`, `not-allowed` */
export function authorized(request: FastifyRequest, access: AccessSettings, role: Role): Identity {
  const identity = identify(request.raw, access);
  checkRole(identity, role, `${request.method} ${request.routeOptions.url ?? ''}`);
  return identity;
}

/** Adds routes of the API to a server. */
export function addApiRoutes(server: FastifyInstance, routes: readonly ApiRoute[], options: ApiServerOptions): void {
  const bodies = new ByteBudget(options.maxBodyBytes * BODIES_MEMORY);
  for (const route of routes) {
    // Each route has its own: those that wait for a store that hangs take nothing from the others.
    const slots = new WorkSlots(options.slotsOfRoute, options.slotsOfRoute * WAITING_PER_SLOT);
    server.route({
      method: route.method,
      url: route.path.replaceAll(/\{(\w+)\}/g, ':$1'),
      handler: async (request, reply) => {
        const identity = authorized(request, options.access, route.role);
        let target = '';
        const audited = (outcome: string): void => {
          if (route.method === 'GET') return;
          options.audit.write(identity, request.ip, { action: `${route.method} ${route.path}`, target, outcome });
        };
        try {
          const asked: ApiRequest<unknown, unknown, unknown> = {
            params: checked(route.params, request.params, 'path'),
            query: checked(route.query, request.query, 'query'),
            body:
              route.body === undefined
                ? undefined
                : checked(route.body, await bodyOf(request, options.maxBodyBytes, bodies), 'body'),
            identity,
            target: (name) => {
              target = name;
            },
          };
          const answer = await slots.within(async () => {
            options.load.busy++;
            try {
              return await route.answerTo(asked as ApiRequest<never, never, never>);
            } finally {
              options.load.busy--;
            }
          });
          audited('done');
          return await send(answer, request, reply, asked.query);
        } catch (error) {
          audited(error instanceof GridError ? error.code : 'defect');
          throw error;
        }
      },
    });
  }
}

async function send(
  answer: ApiAnswer,
  request: FastifyRequest,
  reply: FastifyReply,
  query: unknown,
): Promise<FastifyReply> {
  if (answer.kind === 'value') {
    return reply
      .code(answer.status ?? 200)
      .type(MEDIA_TYPES.json)
      .send(JSON.stringify(answer.value));
  }
  const { format: parameter, limit } = query as { readonly format?: Format; readonly limit?: number };
  const format = formatOf(parameter, headerOf(request.raw, 'accept'));
  const { rows } = answer;
  void reply.type(MEDIA_TYPES[format]).header('vary', 'accept');
  if (format === 'json') return reply.send(asJson(rows));
  const isWhole = limit === undefined;
  if (rows.next !== undefined && !isWhole) void reply.header('x-next-cursor', rows.next);
  if (!isWhole || rows.next === undefined) {
    const parts: string[] = [];
    for await (const part of asText(rows, format, false)) parts.push(part);
    return reply.send(parts.join(''));
  }
  return reply.send(Readable.from(asText(rows, format, true), { objectMode: false }));
}

/** @throws GridError `malformed-request`: each bad field, and what is wrong with it */
function checked<Schema extends z.ZodType>(schema: Schema, given: unknown, where: string): z.output<Schema> {
  const parsed = schema.safeParse(given ?? {});
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues
    .slice(0, 10)
    .map(
      ({ path, message }) =>
        `${path.length === 0 ? where : path.map(String).join('.').slice(0, 100)}: ${message.slice(0, 300)}`,
    );
  throw new GridError('malformed-request', `Reading the ${where} of the request: ${problems.join('; ')}. See /docs.`);
}

async function bodyOf(request: FastifyRequest, maxBytes: number, budget: ByteBudget): Promise<unknown> {
  const type = contentTypeOf(headerOf(request.raw, 'content-type'));
  if (type.mediaType !== 'application/json') {
    throw new GridError('unsupported-media-type', 'Reading the body: send JSON, with Content-Type: application/json.');
  }
  const body = await readWhole(request.raw, maxBytes, budget);
  try {
    checkCharset(type, body.bytes);
    return JSON.parse(body.bytes.toString('utf8')) as unknown;
  } catch (error) {
    if (error instanceof GridError) throw error;
    throw new GridError(
      'malformed-json',
      `Reading the body: ${error instanceof Error ? error.message.slice(0, 200) : 'it is no JSON'}.`,
    );
  } finally {
    body.release();
  }
}
