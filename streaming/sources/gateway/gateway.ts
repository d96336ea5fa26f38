import type { FastifyRequest } from 'fastify';
import type { KafkaProducer } from '../../../connectors/kafka/produce/producer.ts';
import { asGridError, GridError } from '../../../grid/errors.ts';
import { ByteBudget } from '../../../runtime/byte-budget.ts';
import type { Logger } from '../../../runtime/logger.ts';
import type { Registry } from '../../../runtime/metrics.ts';
import { checkCharset, contentTypeOf, withoutByteOrderMark } from '../../../runtime/http/content-type.ts';
import { createHttpServer, DetailedError } from '../../../runtime/http/http-server.ts';
import { listen } from '../../../runtime/http/listen.ts';
import { addOperationsRoutes, type Readiness } from '../../../runtime/http/operations-routes.ts';
import { readWhole } from '../../../runtime/http/request-body.ts';
import { headerOf, queryParameterOf } from '../../../runtime/http/request-parameters.ts';
import { within } from '../../../runtime/waiting/time-limit.ts';
import { readRecords, type ReadBody } from './accept.ts';
import { bodyFormat, declaredFormat, firstNonBlank } from './body-format.ts';
import { createGatewayMetrics } from './gateway-metrics.ts';
import { addInfluxdbRoutes } from './influxdb-routes.ts';
import { DEFAULT_PRECISION, PRECISIONS, type Precision } from './line-readings.ts';
import { RecentReadings } from './recent-readings.ts';

export interface GatewayOptions {
  readonly host: string;
  /** 0 takes any free port. */
  readonly port: number;
  readonly producer: KafkaProducer;
  readonly topic: string;
  readonly logger: Logger;
  readonly metrics: Registry;
  readonly envelopeMaxBytes: number;
  readonly maxAheadMs: number;
  /** Largest body, decompressed. */
  readonly maxBodyBytes: number;
  readonly maxRecords: number;
  /** Bytes that all requests under way may hold together. */
  readonly memoryBytes: number;
  /** A request that Kafka has not acknowledged by then is answered with 503. */
  readonly replyTimeoutMs: number;
  readonly dedupReadings: number;
  readonly dedupAgeMs: number;
}

/** What a request to `/ingest` is answered with. */
export interface IngestReply {
  readonly accepted: number;
  readonly duplicates: number;
  readonly rejected: ReadBody['rejected'];
}

export interface Gateway {
  readonly port: number;
  /** Takes no more requests; resolves when those under way are answered. */
  close(): Promise<void>;
}

/** Kafka is given this long to come back before requests are turned away without trying. */
const TROUBLE_PATIENCE_MS = 2_000;
/**
 * What is made of a body of line protocol may be as large as its readings are at most, but for a few that are long, and leaves room for
 * other requests: what can never be taken must not be told to come again.
 */
const USUAL_ENVELOPE_BYTES = 1_024;
const ENVELOPES_MEMORY_SHARE = 0.75;
const MAX_CONNECTIONS = 1_000;
const REQUEST_TIMEOUT_MS = 120_000;
const IDLE_TIMEOUT_MS = 150_000;
const NOTHING: IngestReply = { accepted: 0, duplicates: 0, rejected: [] };
const REFUSING_NOTE = 'Readings are refused with 503 until Kafka answers.';

/**
 * The ingest gateway: takes readings over HTTP and answers when Kafka has acknowledged them on all in-sync replicas.
 *
 * @throws GridError `address-in-use`.
 */
export async function startGateway(options: GatewayOptions): Promise<Gateway> {
  const { producer, topic } = options;
  const metrics = createGatewayMetrics(options.metrics);
  const budget = new ByteBudget(options.memoryBytes, (bytes) => {
    metrics.memory(bytes);
  });
  const recent = new RecentReadings(options.dedupReadings, options.dedupAgeMs);
  const acceptOptions = {
    limits: { maxBytes: options.envelopeMaxBytes, maxAheadMs: options.maxAheadMs },
    maxRecords: options.maxRecords,
    maxEnvelopeBytes: Math.min(USUAL_ENVELOPE_BYTES * options.maxRecords, ENVELOPES_MEMORY_SHARE * options.memoryBytes),
    recent,
    budget,
  };
  let stopping = false;

  async function ingest(request: FastifyRequest, forced: 'line-protocol' | undefined): Promise<IngestReply> {
    const precision = requestedPrecision(request);
    const type = contentTypeOf(headerOf(request.raw, 'content-type'));
    const declared = forced ?? declaredFormat(type);
    turnAwayEarly();
    const body = await readWhole(request.raw, options.maxBodyBytes, budget);
    let takenBytes = 0;
    try {
      const bytes = withoutByteOrderMark(body.bytes);
      checkCharset(type, bytes);
      const format = bodyFormat(declared, bytes);
      metrics.read(format, bytes.length);
      if (firstNonBlank(bytes, 0) === bytes.length) {
        // Some clients of InfluxDB send nothing to see whether they may write.
        if (forced !== undefined) return NOTHING;
        throw new GridError('empty-record', 'Reading the body: it is empty. Send at least one reading.');
      }
      const read = await readRecords(bytes, format, precision, acceptOptions, (taken) => (takenBytes += taken));
      await within(options.replyTimeoutMs, producer.send(topic, read.records), () => tooLate(options.replyTimeoutMs));
      for (const digest of read.digests) recent.add(digest);
      metrics.stored(format, read);
      return { accepted: read.records.length, duplicates: read.duplicates, rejected: read.rejected };
    } finally {
      body.release();
      budget.give(takenBytes);
    }
  }

  function turnAwayEarly(): void {
    if (stopping)
      throw new GridError(
        'shutting-down',
        'Taking readings: the gateway is stopping. Send them again to its successor.',
      );
    const { trouble } = producer;
    if (trouble !== undefined && Date.now() - trouble.sinceMs > TROUBLE_PATIENCE_MS) {
      throw new GridError(
        'kafka-unavailable',
        `Taking readings: Kafka has not acknowledged anything for ${Math.round((Date.now() - trouble.sinceMs) / 1_000)} s (${trouble.message}). Nothing of the request was stored; send it again later.`,
      );
    }
  }

  const server = createHttpServer({
    logger: options.logger,
    requestTimeoutMs: REQUEST_TIMEOUT_MS,
    idleTimeoutMs: IDLE_TIMEOUT_MS,
    maxConnections: MAX_CONNECTIONS,
  });

  server.post('/ingest', async (request, reply) => {
    const answer = await ingest(request, undefined);
    return reply.code(202).send(answer);
  });

  addInfluxdbRoutes(server, {
    write: async (request) => (await ingest(request, 'line-protocol')).rejected,
    readiness,
    budget,
  });
  addOperationsRoutes(server, { metrics: options.metrics, readiness });
  server.addHook('onResponse', async (request, reply) => {
    if (request.method === 'POST') metrics.answered(reply.statusCode, reply.elapsedTime / 1_000);
  });

  async function readiness(): Promise<Readiness> {
    const problems = await readinessProblems();
    return { ready: problems.length === 0, problems };
  }

  async function readinessProblems(): Promise<string[]> {
    if (stopping) return ['The gateway is stopping.'];
    try {
      await producer.check(topic);
      return producer.trouble === undefined ? [] : [`Kafka does not acknowledge: ${producer.trouble.message}.`];
    } catch (error) {
      return [`${asGridError(error, 'Checking Kafka').message} ${REFUSING_NOTE}`];
    }
  }

  const port = await listen(server, options.host, options.port);
  options.logger.info({ url: `http://${options.host}:${port}/ingest`, topic }, 'the ingest gateway listens');
  return {
    port,
    close: async () => {
      stopping = true;
      await server.close();
    },
  };
}

function requestedPrecision(request: FastifyRequest): Precision {
  const name = queryParameterOf(request, 'precision') ?? '';
  const known = PRECISIONS.get(name === '' ? DEFAULT_PRECISION : name);
  if (known !== undefined) return known;
  throw new DetailedError(
    new GridError(
      'malformed-line-protocol',
      `Reading the request: precision=${name.slice(0, 80)} is not known. It is one of: ${[...PRECISIONS.keys()].join(', ')}.`,
    ),
    { field: 'precision' },
  );
}

/** The sender must know where it stands; the records stay queued. */
function tooLate(limitMs: number): GridError {
  return new GridError(
    'not-acknowledged',
    `Storing the readings: Kafka has not acknowledged them within ${limitMs} ms. They may or may not be stored; send them again.`,
  );
}
