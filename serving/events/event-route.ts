import type { FastifyInstance, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { GridError } from '../../grid/errors.ts';
import { headerOf } from '../../runtime/http/request-parameters.ts';
import type { DescribedRoute } from '../api/api-route.ts';
import { sensorId } from '../api/parameters.ts';
import type { EventFeed } from './event-feed.ts';
import type { NumberedEvent } from './event-table.ts';

const MOST_SENSORS = 1_000;
const KINDS = ['reading', 'window', 'alarm'] as const satisfies readonly NumberedEvent['kind'][];

const eventQuery = z.strictObject({
  sensors: z
    .string()
    .max(MOST_SENSORS * 130)
    .optional()
    .describe('Sensor ids, separated by commas; without it all'),
  kinds: z
    .string()
    .regex(
      /^(?:reading|window|alarm)(?:,(?:reading|window|alarm)){0,2}$/,
      'must be of reading, window, alarm, with commas between',
    )
    .default('reading,window')
    .describe('What to be told of'),
  lastEventId: z.string().max(64).optional().describe('As the header Last-Event-ID, which wins over it'),
});

/** What the OpenAPI document tells of it. */
export const EVENT_ROUTE: DescribedRoute = {
  method: 'GET',
  path: '/api/events',
  summary: 'Server-sent events: newest values and windows as they come, the newest of each some times a second',
  tag: 'events',
  role: 'read',
  params: z.strictObject({}),
  query: eventQuery,
  body: undefined,
  answer: z.string(),
  hasRows: false,
  mediaType: 'text/event-stream',
};

/**
 * Adds `/api/events`: server-sent events of newest values (`reading`), windows (`window`) and, where it is asked for, alarms (`alarm`). `reset` says that events were missed: ask for the whole
 * anew. `ready` and `heartbeat` carry ids alone.
 */
export function addEventRoute(
  server: FastifyInstance,
  feed: EventFeed,
  authorize: (request: FastifyRequest) => void,
): void {
  server.get('/api/events', { compress: false }, (request, reply) => {
    authorize(request);
    const query = eventQuery.safeParse(request.query);
    if (!query.success) {
      const [issue] = query.error.issues;
      throw new GridError(
        'malformed-request',
        `Reading the query of the request: ${issue?.path.join('.') ?? ''} ${issue?.message ?? ''}. See /docs.`,
      );
    }
    const { sensors, kinds, lastEventId } = query.data;
    const wanted = {
      sensors: sensors === undefined ? undefined : sensorsOf(sensors),
      kinds: new Set(KINDS.filter((kind) => kinds.includes(kind))),
    };
    const last = headerOf(request.raw, 'last-event-id') ?? lastEventId;
    feed.checkRoom();
    const response = reply.raw;
    const headers = reply.getHeaders();
    reply.hijack();
    request.raw.socket.setTimeout(0);
    request.raw.socket.setKeepAlive(true, 30_000);
    request.raw.socket.setNoDelay(true);
    for (const [name, value] of Object.entries(headers)) if (value !== undefined) response.setHeader(name, value);
    response.writeHead(200, {
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-store',
      // Proxies such as nginx would hold events back.
      'x-accel-buffering': 'no',
    });
    const leave = feed.add(response, wanted, last === '' ? undefined : last);
    response.on('error', () => undefined);
    response.on('close', leave);
  });
}

function sensorsOf(text: string): ReadonlySet<string> {
  const ids = text.split(',').filter((id) => id !== '');
  if (ids.length === 0 || ids.length > MOST_SENSORS || ids.some((id) => !sensorId.safeParse(id).success)) {
    throw new GridError(
      'malformed-request',
      `Reading the query of the request: sensors must be 1 to ${MOST_SENSORS} sensor ids, separated by commas.`,
    );
  }
  return new Set(ids);
}
