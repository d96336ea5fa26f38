import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startOperationsServer, type OperationsServer } from '../../runtime/http/operations-server.ts';
import { createMetrics } from '../../runtime/metrics.ts';
import { makeEnvelope } from '../support/readings.ts';
import { hostileRequest, type HostileRequest } from './hostile-requests.ts';
import { exchange, type Exchange } from './http-exchange.ts';
import { IngestWorker } from './ingest-worker.ts';
import { SILENT, TopicBed } from './topic-bed.ts';

/** Requests that are under way at once; each is a case, and a run of the property has so many. */
const AT_ONCE = 16;
/** Long beside what anything takes here, short beside what a quadratic reader would. */
const ANSWER_LIMIT_MS = 20_000;
const TEST_LIMIT_MS = 3_600_000;

const asked = process.env['FUZZ_REQUESTS'];
/** Every run of all tests sends the same requests; one that is asked for more sends new ones, and says with which seed. */
const parameters = {
  numRuns: Math.ceil(Number(asked ?? '1600') / AT_ONCE),
  ...(asked === undefined ? { seed: 20_260 } : {}),
  endOnFailure: asked === undefined,
};

const topics = new TopicBed();
const own = {
  TOPIC_INGESTION: topics.name('fuzz'),
  TOPIC_DLQ: topics.name('fuzz-dlq'),
  TOPIC_UNORGANIZED: topics.name('fuzz-raw'),
  TOPIC_AGGREGATES: topics.name('fuzz-agg'),
};
let worker: IngestWorker;
let operations: OperationsServer;

beforeAll(async () => {
  operations = await startOperationsServer({
    host: '127.0.0.1',
    port: 0,
    metrics: createMetrics('fuzz'),
    readiness: () => ({ ready: true, problems: [] }),
    logger: SILENT,
  });
  worker = await IngestWorker.start(own);
  await worker.untilReady();
});
afterAll(async () => {
  await operations.close();
  await worker.process.stop();
  await topics.cleanUp();
});

/** What is wrong with an answer; undefined when nothing is. */
function complaint({ method, isWhole }: HostileRequest, answer: Exchange): string | undefined {
  if (answer.kind === 'silent') return `no answer within ${ANSWER_LIMIT_MS} ms`;
  if (answer.kind === 'closed') return isWhole ? 'the connection was closed without an answer' : undefined;
  if (answer.status >= 500 || Number.isNaN(answer.status)) return `answered with ${answer.status}: ${answer.body}`;
  if (answer.status < 400 || method === 'HEAD') return undefined;
  const told = JSON.parse(answer.body) as { code?: unknown; message?: unknown };
  return typeof told.code === 'string' && typeof told.message === 'string' ? undefined : `no code: ${answer.body}`;
}

async function sendAll(port: number, requests: readonly HostileRequest[]): Promise<void> {
  const complaints = await Promise.all(
    requests.map(async (request) => {
      const answer = await exchange(port, request.bytes, !request.isWhole, ANSWER_LIMIT_MS);
      const wrong = complaint(request, answer);
      return wrong === undefined ? [] : [`${wrong}\n${request.bytes.toString('latin1').slice(0, 4_000)}`];
    }),
  );
  expect(complaints.flat()).toEqual([]);
}

/** A counter's value, summed over its labels. */
async function counted(metric: RegExp): Promise<number> {
  const text = await (await fetch(worker.url('/metrics'))).text();
  const lines = text.split('\n').filter((line) => metric.test(line));
  return lines.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' ') + 1)), 0);
}

describe('whatever is sent', () => {
  const cases: [string, () => number, number][] = [
    ['the gateway', () => worker.ingestPort, 1],
    ['the raw text source', () => worker.rawTextPort, 0.5],
    ['the operations pages', () => operations.port, 0.25],
  ];
  it.each(cases)(
    '%s answers it in time, never with a defect, and lives on',
    async (_what, port, share) => {
      await fc.assert(
        fc.asyncProperty(fc.array(hostileRequest, { minLength: AT_ONCE, maxLength: AT_ONCE }), (requests) =>
          sendAll(port(), requests),
        ),
        { ...parameters, numRuns: Math.ceil(parameters.numRuns * share) },
      );
    },
    TEST_LIMIT_MS,
  );

  it('leaves a worker that has failed at nothing, holds nothing, and has stored what it said it has', async () => {
    expect((await worker.post(makeEnvelope())).body).toMatchObject({ accepted: 1 });
    const text = await fetch(`http://127.0.0.1:${worker.rawTextPort}/`, { method: 'POST', body: 'one\ntwo' });
    expect(await text.json()).toEqual({ lines: 2 });
    expect(worker.process.output).not.toMatch(/"level":(?:50|60)|a request failed/);
    expect(await counted(/^powergrid_ingest_requests_total\{status="5/)).toBe(0);
    expect(await counted(/^powergrid_ingest_memory_bytes/)).toBe(0);
    const accepted = await counted(/^powergrid_ingest_records_total.*result="accepted"/);
    expect(accepted).toBeGreaterThan(100);
    expect((await topics.read(own.TOPIC_INGESTION)).length).toBe(accepted);
    expect((await topics.read(own.TOPIC_UNORGANIZED)).length).toBe(await counted(/^powergrid_raw_text_lines_total/));
  });
});
