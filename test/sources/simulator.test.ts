import { afterAll, describe, expect, test } from 'vitest';
import { decodeEnvelope } from '../../grid/envelope.ts';
import { loadConfig } from '../../runtime/config.ts';
import { eventually } from '../support/eventually.ts';
import { KafkaTopics, type ReadRecord } from '../support/kafka-topics.ts';
import { WorkerProcess } from '../support/worker-process.ts';
import { reportsOf } from './run-report.ts';

const config = loadConfig();
const topics = new KafkaTopics(config.KAFKA_BROKERS);
const limits = { maxBytes: config.ENVELOPE_MAX_BYTES, maxAheadMs: config.EVENT_TIME_MAX_AHEAD_SECONDS * 1_000 };
const workers: WorkerProcess[] = [];

afterAll(async () => {
  await Promise.all(workers.map((worker) => worker.kill()));
  await topics.remove();
});

function simulate(environment: Readonly<Record<string, string>>): { worker: WorkerProcess; topic: string } {
  const topic = topics.name(`readings-${workers.length}`);
  const worker = new WorkerProcess('workers/simulator.ts', {
    TOPIC_INGESTION: topic,
    TOPIC_UNORGANIZED: topics.name(`text-${workers.length}`),
    SIMULATOR_METRICS_PORT: '0',
    FILE_SOURCE_MAPPING: '',
    ...environment,
  });
  workers.push(worker);
  return { worker, topic };
}

/** What lies in the topic, counted as the report counts it but from the bytes alone. */
function countRecords(records: readonly ReadRecord[]): Record<string, number> {
  const counts: Record<string, number> = { total: 0 };
  const count = (kind: string): void => {
    counts[kind] = (counts[kind] ?? 0) + 1;
  };
  const decodedRecords = records.map(({ value, timestampMs }) => decodeEnvelope(value, timestampMs, limits));
  // Late is hours, and a run of these tests covers minutes.
  const endMs = Math.max(...decodedRecords.map((decoded) => (decoded.ok ? decoded.reading.eventTimeMs : 0)));
  const seen = new Set<string>();
  const newest = new Map<string, number>();
  for (const decoded of decodedRecords) {
    count('total');
    if (!decoded.ok) {
      count('malformed');
      count(`malformed.${decoded.rejection.code}`);
      continue;
    }
    const { reading } = decoded;
    if (seen.has(reading.correlationId)) {
      count('duplicate');
      continue;
    }
    seen.add(reading.correlationId);
    const newestMs = newest.get(reading.sensorId) ?? 0;
    if (reading.eventTimeMs < endMs - 1_800_000) count('late');
    else if (Number(reading.createdAt) * 1_000 < newestMs) count('out-of-order');
    else count('regular');
    newest.set(reading.sensorId, Math.max(newestMs, Number(reading.createdAt) * 1_000));
  }
  return counts;
}

describe('a simulator that sends a fixed number of records', () => {
  test('ends by itself, and what it reports of each kind is what lies in the topic', async () => {
    const { worker, topic } = simulate({
      SIMULATOR_SENSORS: '300',
      SIMULATOR_COUNT: '40000',
      SIMULATOR_DUPLICATE_SHARE: '0.05',
      SIMULATOR_OUT_OF_ORDER_SHARE: '0.05',
      SIMULATOR_LATE_SHARE: '0.02',
      SIMULATOR_MALFORMED_SHARE: '0.03',
    });
    expect(await worker.ended, worker.output).toEqual({ code: 0, signal: null });
    const report = reportsOf(worker).get('simulator');
    expect(report).toMatchObject({ outcome: 'finished', unacknowledged: 0, acknowledged: { total: 40_000 } });
    const { real_time: realTime = 0, edge_prediction: predictions = 0, ...kinds } = report?.acknowledged ?? {};
    expect(realTime + predictions).toBe(40_000);

    const records = await topics.read(topic);
    expect(countRecords(records)).toEqual(kinds);
    expect(kinds['duplicate']).toBeGreaterThan(1_500);
    expect(kinds['out-of-order']).toBeGreaterThan(1_500);
    expect(kinds['late']).toBeGreaterThan(500);
    expect(kinds['malformed']).toBeGreaterThan(800);
  });

  test('sends the very same records for the same seed and start', async () => {
    const environment = {
      SIMULATOR_SENSORS: '50',
      SIMULATOR_COUNT: '5000',
      SIMULATOR_SEED: '77',
      SIMULATOR_START: '2024-03-01T00:00:00Z',
      SIMULATOR_DUPLICATE_SHARE: '0.1',
    };
    const runs = [simulate(environment), simulate(environment)];
    for (const { worker } of runs) expect(await worker.ended, worker.output).toEqual({ code: 0, signal: null });
    const [first, second] = await Promise.all(
      runs.map(async ({ topic }) => (await topics.read(topic)).map(({ value }) => value?.toString()).sort()),
    );
    expect(first).toHaveLength(5_000);
    expect(first).toEqual(second);
  });
});

describe('a simulator in real time', () => {
  test('ends cleanly on SIGTERM: every record it reports lies in the topic, and no other', async () => {
    const { worker, topic } = simulate({ SIMULATOR_SENSORS: '200', SIMULATOR_RATE_HZ: '20' });
    await eventually('the start', () => worker.output.includes('"started"'));
    await eventually('readings in Kafka', async () => (await topics.count(topic)) > 2_000);
    expect(await worker.stop(), worker.output).toEqual({ code: 0, signal: null });
    const report = reportsOf(worker).get('simulator');
    expect(report).toMatchObject({ outcome: 'stopped', unacknowledged: 0, resentBatches: 0 });
    const records = await topics.read(topic);
    expect(records.length).toBeGreaterThan(0);
    expect(records).toHaveLength(report?.acknowledged['total'] ?? -1);
    expect(countRecords(records)).toEqual({ total: records.length, regular: records.length });
  });

  test('says so while it waits for Kafka, and can be stopped meanwhile', async () => {
    const { worker } = simulate({ KAFKA_BROKERS: '127.0.0.1:9' });
    await eventually('the line', () => worker.output.includes('waiting for Kafka'));
    expect(await worker.stop(), worker.output).toEqual({ code: 0, signal: null });
  });
});

test('with nothing to send it says what to set', async () => {
  const { worker } = simulate({ SIMULATOR_SENSORS: '0' });
  expect(await worker.ended).toEqual({ code: 1, signal: null });
  expect(worker.output).toContain('FILE_SOURCE_MAPPING');
});
