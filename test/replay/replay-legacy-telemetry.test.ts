import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadConfig } from '../../runtime/config.ts';
import type { ReplayProgress, ReplayResult } from '../../workflows/replay/contract.ts';
import { DiscoveryBed, sha256 } from '../discovery/discovery-bed.ts';
import { eventually } from '../support/eventually.ts';
import { KafkaTopics } from '../support/kafka-topics.ts';

const topics = new KafkaTopics(loadConfig().KAFKA_BROKERS);
const topic = topics.name('ingestion');
const bed = new DiscoveryBed();
const environment = { TOPIC_INGESTION: topic, CONSUMER_GROUP_PREFIX: `test.${randomUUID().slice(0, 8)}` };
const BEGIN_MS = Date.parse('2016-03-01T00:00:00Z');
const ROWS = 6_000;

/** Readings of three sensors in turn, one a second; the last two cannot be. */
function table(): string {
  const lines = ['timestamp,sensor_id,value,unit'];
  for (let row = 0; row < ROWS; row++) {
    lines.push(
      `${new Date(BEGIN_MS + row * 1_000).toISOString().slice(0, 19)}Z,feeder-${row % 3},${(row % 97) + 100}.50,MW`,
    );
  }
  for (const row of [0, 1]) {
    lines.push(`${new Date(BEGIN_MS + (ROWS + row) * 1_000).toISOString().slice(0, 19)}Z,feeder-9,1e30,MW`);
  }
  return `${lines.join('\n')}\n`;
}

interface Envelope {
  readonly payload: string;
  readonly correlation_id: string;
  readonly created_at: number;
}

async function replayed() {
  const records = await topics.read(topic);
  return records.map(({ key, value, headers }) => {
    const envelope = JSON.parse(value?.toString() ?? '') as Envelope;
    return {
      key: key?.toString(),
      correlationId: envelope.correlation_id,
      createdAt: envelope.created_at,
      payload: envelope.payload,
      header: headers['replayed']?.toString(),
    };
  });
}

let worker = bed.startWorker(environment);

beforeAll(async () => {
  await bed.put('1998/readings.csv', table());
  await bed.put('note.txt', 'No readings are in here, only a line of text.\n');
  expect(await bed.crawl()).toMatchObject({ landed: 2, conserved: true });
});
afterAll(async () => {
  await bed.close();
  await topics.remove();
});

describe('a replay of legacy telemetry', () => {
  const content = sha256(table());

  it('only counts when it is told to', async () => {
    const result = await bed.run<ReplayResult>('replayLegacyTelemetry', { dryRun: true });
    expect(result).toMatchObject({ contents: 1, sent: ROWS, rejected: 2 });
    expect(result.reasons).toMatchObject([{ code: 'not-physical', readings: 2 }]);
    expect(await topics.count(topic)).toBe(0);
  });

  it('sends each reading once, though its worker is killed in the midst of it', async () => {
    const handle = await bed.start({ file: content, readingsPerSecond: 1_000 }, 'replayLegacyTelemetry');
    await eventually('some readings are there', async () => (await topics.count(topic)) > 0);
    await worker.kill();
    worker = bed.startWorker(environment);
    const result = (await handle.result()) as ReplayResult;
    expect(result.sent + result.sentBefore + result.rejected).toBeGreaterThanOrEqual(ROWS);

    const readings = await replayed();
    expect(readings).toHaveLength(ROWS);
    expect(new Set(readings.map(({ correlationId }) => correlationId)).size).toBe(ROWS);
    expect(new Set(readings.map(({ header }) => header))).toEqual(new Set([content]));
    const byTime = readings.sort((one, other) => one.createdAt - other.createdAt);
    for (const [row, { key, createdAt, payload }] of byTime.entries()) {
      expect([key, createdAt, payload]).toEqual([
        `feeder-${row % 3}`,
        BEGIN_MS / 1_000 + row,
        `{"sensor_id": "feeder-${row % 3}", "modality": ${(row % 97) + 100}.50, "unit": "MW", "temporal_aspect": "real_time"}`,
      ]);
    }
  });

  it('adds nothing the second time', async () => {
    const again = await bed.run<ReplayResult>('replayLegacyTelemetry', { query: { path: '**/1998/*.csv' } });
    expect(again).toMatchObject({ contents: 1, sent: 0, sentBefore: ROWS + 2 });
    expect(await replayed()).toHaveLength(ROWS);
    expect(await bed.run<ReplayResult>('replayLegacyTelemetry', { class: 'comtrade' })).toMatchObject({ contents: 0 });
  });

  it('refuses what would double readings, and what has none', async () => {
    const other = { file: content, from: '2016-03-01T00:10:00Z' };
    expect(await bed.failure(other, 'replayLegacyTelemetry')).toMatchObject({ code: 'legacy-conflict' });
    const note = { file: `${bed.share}/note.txt` };
    expect(await bed.failure(note, 'replayLegacyTelemetry')).toMatchObject({ code: 'legacy-not-found' });
    expect(await bed.failure({ speed: -1 }, 'replayLegacyTelemetry')).toMatchObject({ code: 'invalid-input' });
  });

  it('takes only the event times that it is asked for', async () => {
    await bed.put('other.csv', table().replaceAll('feeder', 'line'));
    await bed.crawl();
    const file = `${bed.share}/other.csv`;
    const input = { file, from: '2016-03-01T00:10:00Z', to: '2016-03-01T00:20:00Z' };
    // Where an attempt did not hear the end of its transaction, the next one finds all rows sent before.
    const { sent, outOfRange, rejected, sentBefore } = await bed.run<ReplayResult>('replayLegacyTelemetry', input);
    expect(sent + outOfRange + rejected + sentBefore).toBe(ROWS + 2);
    const times = (await replayed()).filter(({ key }) => key?.startsWith('line')).map(({ createdAt }) => createdAt);
    expect(times).toHaveLength(600);
    expect([Math.min(...times), Math.max(...times)]).toEqual([BEGIN_MS / 1_000 + 600, BEGIN_MS / 1_000 + 1_199]);
  });

  it('tells how it stands', async () => {
    const handle = await bed.start({ dryRun: true }, 'replayLegacyTelemetry');
    await handle.result();
    expect(await handle.query<ReplayProgress>('progress')).toMatchObject({ phase: 'ended', contentsLeft: 0 });
  });
});
