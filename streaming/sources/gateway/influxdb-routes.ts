import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { asGridError, GridError } from '../../../grid/errors.ts';
import type { ByteBudget } from '../../../runtime/byte-budget.ts';
import { DetailedError } from '../../../runtime/http/http-server.ts';
import { readinessInTime, type Readiness } from '../../../runtime/http/operations-routes.ts';
import { readWhole } from '../../../runtime/http/request-body.ts';
import { headerOf, queryParameterOf } from '../../../runtime/http/request-parameters.ts';
import type { RejectedRecord } from './accept.ts';
import { MAX_QUERY_LENGTH, statementAnswers, type StatementAnswer } from './influxql-statements.ts';

/**
 * The version of InfluxDB whose HTTP API is spoken: the last that has both `/write` and `/api/v2/write`. Senders choose by it
 * what they say.
 */
export const INFLUXDB_VERSION = '1.8.10';
/** Texts of `verbose` that InfluxDB takes for no. */
const NOT_VERBOSE: ReadonlySet<string> = new Set(['', '0', 'false']);
const FORM = 'application/x-www-form-urlencoded';

export interface InfluxdbRoutesOptions {
  /** Stores a body of line protocol; resolves with what was rejected of it. */
  readonly write: (request: FastifyRequest) => Promise<readonly RejectedRecord[]>;
  readonly readiness: () => Promise<Readiness>;
  /** What the bodies of queries are counted against. */
  readonly budget: ByteBudget;
}

/**
 * What Telegraf and the clients of InfluxDB speak, in both generations, as InfluxDB 1.8 answers it (docs.influxdata.com,
 * "InfluxDB API reference"): writing, and what they probe before they write.
 */
export function addInfluxdbRoutes(server: FastifyInstance, options: InfluxdbRoutesOptions): void {
  for (const path of ['/write', '/api/v2/write']) server.post(path, write);
  server.get('/ping', ping);
  server.get('/health', health);
  server.route({ method: ['GET', 'POST'], url: '/query', handler: query });

  async function write(request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
    let rejected: readonly RejectedRecord[];
    try {
      rejected = await options.write(request);
    } catch (error) {
      const known = asGridError(error, 'Storing line protocol');
      // Clients of the first generation read `error`, those of the second `message`.
      throw new DetailedError(known, { ...known.details, error: known.message });
    }
    // They know 204 and 400 only.
    const [first] = rejected;
    if (first === undefined) return versioned(reply).code(204).send();
    const message = `partial write: ${rejected.length} of the fields or lines were rejected, the others are stored. Line ${first.index}: ${first.message}`;
    return versioned(reply).code(400).send({ code: 'invalid', message, error: message, rejected });
  }

  async function ping(request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
    const verbose = queryParameterOf(request, 'verbose') ?? '';
    if (NOT_VERBOSE.has(verbose)) return versioned(reply).code(204).send();
    return versioned(reply).code(200).send({ version: INFLUXDB_VERSION });
  }

  async function health(_request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
    const { ready, problems } = await readinessInTime(options.readiness);
    return versioned(reply)
      .code(ready ? 200 : 503)
      .send({
        name: 'influxdb',
        message: ready ? 'ready for writes' : problems.join(' '),
        status: ready ? 'pass' : 'fail',
        checks: [],
        version: INFLUXDB_VERSION,
      });
  }

  async function query(request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
    const text = queryParameterOf(request, 'q') ?? (request.method === 'POST' ? await queryOfForm(request) : undefined);
    if (text === undefined || text.trim() === '') throw refusedQuery('missing required parameter "q"');
    if (text.length > MAX_QUERY_LENGTH) throw queryTooLong();
    const answers = statementAnswers(text);
    const unknown = answers.find((answer) => answer.kind === 'unknown');
    if (unknown !== undefined) {
      throw refusedQuery(
        `${JSON.stringify(unknown.statement)} cannot be answered: this server takes readings, and nothing can be queried here. Use the serving stores`,
      );
    }
    return versioned(reply)
      .code(200)
      .send({ results: answers.map(queryResult) });
  }

  async function queryOfForm(request: FastifyRequest): Promise<string | undefined> {
    const type = headerOf(request.raw, 'content-type') ?? '';
    const mediaType = (type.split(';', 1)[0] ?? '').trim().toLowerCase();
    if (mediaType !== FORM && mediaType !== '') {
      request.raw.resume();
      throw new GridError(
        'unsupported-media-type',
        `Reading the query: Content-Type ${JSON.stringify(mediaType.slice(0, 80))} is not known. Send ${FORM}.`,
      );
    }
    // Percent-encoded, a character takes up to twelve.
    const body = await readWhole(request.raw, 12 * MAX_QUERY_LENGTH, options.budget);
    try {
      const values = new URLSearchParams(body.bytes.toString('utf8')).getAll('q');
      if (values.length > 1) throw refusedQuery(`parameter "q" is given ${values.length} times`);
      return values[0];
    } finally {
      body.release();
    }
  }
}

function queryResult(answer: StatementAnswer, index: number): object {
  if (answer.kind !== 'databases') return { statement_id: index };
  return { statement_id: index, series: [{ name: 'databases', columns: ['name'] }] };
}

function refusedQuery(why: string): GridError {
  const message = `Reading the query: ${why}.`;
  return new DetailedError(new GridError('malformed-request', message), { error: message });
}

function queryTooLong(): GridError {
  return new GridError('request-too-large', `Reading the query: it is longer than ${MAX_QUERY_LENGTH} characters.`);
}

function versioned(reply: FastifyReply): FastifyReply {
  return reply.header('x-influxdb-version', INFLUXDB_VERSION).header('x-influxdb-build', 'powergrid');
}
