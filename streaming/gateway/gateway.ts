import type { FastifyRequest } from 'fastify';
import type { KafkaProducer } from '../../connectors/kafka/produce/producer.ts';
import { asGridError, GridError } from '../../grid/errors.ts';
import { ByteBudget } from '../../runtime/byte-budget.ts';
import type { Logger } from '../../runtime/logger.ts';
import type { Registry } from '../../runtime/metrics.ts';
import { listen } from '../../runtime/operations-server.ts';
import { createHttpServer, DetailedError } from '../http/http-server.ts';
import { readWhole } from '../http/request-body.ts';
import { readRecords, type ReadBody } from './accept.ts';
import { bodyFormat, declaredFormat, withoutByteOrderMark } from './body-format.ts';
import { createGatewayMetrics } from './gateway-metrics.ts';
import { PRECISIONS, type Precision } from './line-readings.ts';
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
const MAX_CONNECTIONS = 1_000;
const REQUEST_TIMEOUT_MS = 120_000;
const IDLE_TIMEOUT_MS = 150_000;
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
    recent,
    budget,
  };
  let stopping = false;

  async function ingest(request: FastifyRequest, forced: 'line-protocol' | undefined): Promise<IngestReply> {
    const precision = requestedPrecision(request);
    const declared = forced ?? declaredFormat(request.headers['content-type']);
    turnAwayEarly();
    const body = await readWhole(request.raw, options.maxBodyBytes, budget);
    let takenBytes = 0;
    try {
      const bytes = withoutByteOrderMark(body.bytes);
      const format = bodyFormat(declared, bytes);
      metrics.read(format, bytes.length);
      const read = await readRecords(bytes, format, precision, acceptOptions, (taken) => (takenBytes += taken));
      await acknowledged(producer.send(topic, read.records), options.replyTimeoutMs);
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

  // What Telegraf and the InfluxDB clients speak, in both generations; they know 204 and 400 only.
  for (const path of ['/write', '/api/v2/write']) {
    server.post(path, async (request, reply) => {
      const { rejected } = await ingest(request, 'line-protocol');
      const [first] = rejected;
      if (first === undefined) return reply.code(204).send();
      const message = `partial write: ${rejected.length} of the fields or lines were rejected, the others are stored. Line ${first.index}: ${first.message}`;
      return reply.code(400).send({ code: 'invalid', message, error: message, rejected });
    });
  }
  server.get('/ping', (_request, reply) => reply.code(204).send());

  server.get('/healthz', () => ({ status: 'up' }));
  server.get('/readyz', async (_request, reply) => {
    const problems = await readinessProblems();
    return reply.code(problems.length === 0 ? 200 : 503).send({ ready: problems.length === 0, problems });
  });
  server.get('/metrics', async (_request, reply) =>
    reply.header('content-type', options.metrics.contentType).send(await options.metrics.metrics()),
  );
  server.addHook('onResponse', async (request, reply) => {
    if (request.method === 'POST') metrics.answered(reply.statusCode, reply.elapsedTime / 1_000);
  });

  async function readinessProblems(): Promise<string[]> {
    if (stopping) return ['The gateway is stopping.'];
    try {
      await producer.check(topic);
      return producer.trouble === undefined ? [] : [`Kafka does not acknowledge: ${producer.trouble.message}.`];
    } catch (error) {
      return [`${asGridError(error, 'Checking Kafka').message} ${REFUSING_NOTE}`];
    }
  }

  await listen(server, options.host, options.port);
  const address = server.server.address();
  const port = typeof address === 'object' && address !== null ? address.port : options.port;
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
  const { precision = 'ns' } = request.query as Readonly<Record<string, string | undefined>>;
  const known = PRECISIONS[precision];
  if (known !== undefined) return known;
  throw new DetailedError(
    new GridError(
      'malformed-line-protocol',
      `Reading the request: precision=${precision} is not known. It is one of: ${Object.keys(PRECISIONS).join(', ')}.`,
    ),
    { field: 'precision' },
  );
}

/** Waits for Kafka, but not for ever: the sender must know where it stands. The records stay queued. */
async function acknowledged(sending: Promise<void>, timeoutMs: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => {
      reject(
        new GridError(
          'not-acknowledged',
          `Storing the readings: Kafka has not acknowledged them within ${timeoutMs} ms. They may or may not be stored; send them again.`,
        ),
      );
    }, timeoutMs);
  });
  try {
    await Promise.race([sending, late]);
  } finally {
    clearTimeout(timer);
  }
}
