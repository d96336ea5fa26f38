import { randomUUID } from 'node:crypto';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { KafkaProducer } from '../../../connectors/kafka/produce/producer.ts';
import { asGridError, GridError } from '../../../grid/errors.ts';
import { ByteBudget } from '../../../runtime/byte-budget.ts';
import type { Logger } from '../../../runtime/logger.ts';
import { Counter, type Registry } from '../../../runtime/metrics.ts';
import {
  checkCharset,
  contentTypeOf,
  withoutByteOrderMark,
  type ContentType,
} from '../../../runtime/http/content-type.ts';
import { createHttpServer, DetailedError } from '../../../runtime/http/http-server.ts';
import { listen } from '../../../runtime/http/listen.ts';
import { openBody, readWhole } from '../../../runtime/http/request-body.ts';
import { headerOf } from '../../../runtime/http/request-parameters.ts';
import { flumeEvents } from './flume-events.ts';
import { LineCutter } from './line-cutter.ts';
import { TextWriter } from './text-writer.ts';

export interface RawTextOptions {
  readonly host: string;
  /** 0 takes any free port. */
  readonly port: number;
  readonly producer: KafkaProducer;
  readonly topic: string;
  readonly logger: Logger;
  readonly metrics: Registry;
  /** A longer line is kept in several records. */
  readonly maxLineBytes: number;
  /** Largest body of JSON events; plain text may be of any length. */
  readonly maxEventsBytes: number;
}

export interface RawTextSource {
  readonly port: number;
  /** Takes no more requests; resolves when those under way are answered. */
  close(): Promise<void>;
}

/** Kafka is given this long to come back before requests are turned away without trying. */
const TROUBLE_PATIENCE_MS = 2_000;
/** Requests at once: each holds two batches and a piece of a line. */
const MAX_CONNECTIONS = 64;
const IDLE_TIMEOUT_MS = 180_000;
const MAX_EVENTS_MEMORY = 4;
const MAX_EVENTS = 50_000;
const MAX_HEADER_BYTES = 4_096;
/** All lines' headers together may be so many times as large as the largest body. */
const HEADERS_PER_BODY = 8;

/**
 * The raw text source: every line of a posted body becomes one record of the topic, its bytes as they came. The lines of one
 * request keep their order (they share a key, and so a partition); requests spread over the partitions.
 *
 * @throws GridError `address-in-use`.
 */
export async function startRawTextSource(options: RawTextOptions): Promise<RawTextSource> {
  const { producer, topic } = options;
  const registers = [options.metrics];
  const lines = new Counter({ name: 'powergrid_raw_text_lines_total', help: 'Lines stored', registers });
  const bytes = new Counter({ name: 'powergrid_raw_text_bytes_total', help: 'Bytes of stored lines', registers });
  const budget = new ByteBudget(MAX_EVENTS_MEMORY * options.maxEventsBytes);
  const eventLimits = {
    maxEvents: MAX_EVENTS,
    maxHeaderBytes: MAX_HEADER_BYTES,
    maxAllHeaderBytes: HEADERS_PER_BODY * options.maxEventsBytes,
  };
  let stopping = false;

  const server = createHttpServer({
    logger: options.logger,
    requestTimeoutMs: 0,
    idleTimeoutMs: IDLE_TIMEOUT_MS,
    maxConnections: MAX_CONNECTIONS,
  });

  async function store(request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
    turnAwayEarly();
    const type = contentTypeOf(headerOf(request.raw, 'content-type'));
    const writer = new TextWriter(producer, topic, randomUUID());
    try {
      if (type.mediaType === 'application/json') await storeEvents(request, type, writer);
      else await storeText(request, writer);
      await writer.finish();
      return await reply.code(200).send({ lines: writer.storedLines });
    } catch (error) {
      await writer.settle();
      const known = asGridError(error, 'Storing the text');
      const stored = writer.storedLines;
      const message = `${known.message} Of this request the first ${stored} lines are stored.`;
      throw new DetailedError(new GridError(known.code, message, { cause: error }), { lines: stored });
    } finally {
      lines.inc(writer.storedLines);
      bytes.inc(writer.bytes);
    }
  }

  async function storeText(request: FastifyRequest, writer: TextWriter): Promise<void> {
    const body = openBody(request.raw);
    const cutter = new LineCutter(options.maxLineBytes);
    try {
      for await (const chunk of body.chunks()) {
        for (const line of cutter.push(chunk)) await writer.write(line);
      }
      for (const line of cutter.end()) await writer.write(line);
    } catch (error) {
      body.discard();
      throw error;
    }
  }

  async function storeEvents(request: FastifyRequest, type: ContentType, writer: TextWriter): Promise<void> {
    const body = await readWhole(request.raw, options.maxEventsBytes, budget);
    try {
      const bytes = withoutByteOrderMark(body.bytes);
      checkCharset(type, bytes);
      for (const event of flumeEvents(bytes, eventLimits)) {
        const cutter = new LineCutter(options.maxLineBytes);
        const headers = Object.keys(event.headers).length === 0 ? undefined : event.headers;
        for (const line of cutter.push(Buffer.from(event.body))) await writer.write(line, headers);
        for (const line of cutter.end()) await writer.write(line, headers);
      }
      await writer.finish();
    } finally {
      body.release();
    }
  }

  function turnAwayEarly(): void {
    if (stopping) {
      throw new GridError('shutting-down', 'Taking text: the process is stopping. Send it again to its successor.');
    }
    const { trouble } = producer;
    if (trouble !== undefined && Date.now() - trouble.sinceMs > TROUBLE_PATIENCE_MS) {
      throw new GridError(
        'kafka-unavailable',
        `Taking text: Kafka does not acknowledge (${trouble.message}). Nothing was stored; send it again later.`,
      );
    }
  }

  for (const path of ['/', '/*']) server.route({ method: ['POST', 'PUT'], url: path, handler: store });

  const port = await listen(server, options.host, options.port);
  options.logger.info({ url: `http://${options.host}:${port}/`, topic }, 'the raw text source listens');
  return {
    port,
    close: async () => {
      stopping = true;
      await server.close();
    },
  };
}
