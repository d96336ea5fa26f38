import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { afterAll, describe, expect, it } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { makeEnvelope } from '../support/readings.ts';
import { WorkerProcess } from '../support/worker-process.ts';
import { IngestWorker, Load } from './ingest-worker.ts';
import { TopicBed } from './topic-bed.ts';

const topics = new TopicBed();
afterAll(() => topics.cleanUp());

/** Topics of a worker's own, which it has to make itself. */
function ownTopics(): { TOPIC_INGESTION: string; TOPIC_UNORGANIZED: string } & Record<string, string> {
  return {
    TOPIC_INGESTION: topics.name('worker'),
    TOPIC_DLQ: topics.name('worker-dlq'),
    TOPIC_UNORGANIZED: topics.name('worker-raw'),
    TOPIC_AGGREGATES: topics.name('worker-agg'),
  };
}

describe('the ingest worker', () => {
  it('makes the topics it needs, takes readings and text, and ends with 0 when it is told to stop', async () => {
    const own = ownTopics();
    const worker = await IngestWorker.start({ ...own, TOPIC_PARTITIONS: '3' });
    await worker.untilReady();
    const envelope = makeEnvelope();
    expect((await worker.post(envelope)).status).toBe(202);
    const text = await fetch(`http://127.0.0.1:${worker.rawTextPort}/`, { method: 'POST', body: 'one\ntwo' });
    expect(await text.json()).toEqual({ lines: 2 });
    expect(await worker.process.stop()).toEqual({ code: 0, signal: null });
    expect(await topics.values(own.TOPIC_INGESTION)).toEqual([envelope]);
    expect(await topics.values(own.TOPIC_UNORGANIZED)).toEqual(['one', 'two']);
    expect((await topics.describe(own.TOPIC_INGESTION)).partitions).toBe(3);
  });

  it('told to stop under load answers what is under way, and has stored all that it acknowledged', async () => {
    const own = ownTopics();
    const worker = await IngestWorker.start(own);
    await worker.untilReady();
    const load = new Load(worker, 8, 200);
    await eventually('readings are taken', () => load.acknowledged.length > 5_000);
    // They go on sending to the end.
    expect(await worker.process.stop()).toEqual({ code: 0, signal: null });
    await load.stop();
    const stored = await topics.values(own.TOPIC_INGESTION);
    expect(load.acknowledged.length).toBeGreaterThan(1_000);
    expect(missing(load.acknowledged, stored)).toEqual([]);
    expect(new Set(stored).size).toBe(stored.length);
    // Nobody was cut off: whoever got no 202 was told so, or found nobody listening.
    expect(load.refused.filter((status) => status !== 503 && status !== 0)).toEqual([]);
  });

  it('killed under load has stored all that it acknowledged', async () => {
    const own = ownTopics();
    const worker = await IngestWorker.start(own);
    await worker.untilReady();
    const load = new Load(worker, 8, 200);
    await eventually('readings are taken', () => load.acknowledged.length > 2_000);
    await worker.process.kill();
    await load.stop();
    expect(load.acknowledged.length).toBeGreaterThan(2_000);
    expect(missing(load.acknowledged, await topics.values(own.TOPIC_INGESTION))).toEqual([]);
  });

  it('passes text on that is larger than its memory', async () => {
    const own = ownTopics();
    const worker = await IngestWorker.start(own);
    await worker.untilReady();
    const before = worker.peakResidentMiB();
    const line = Buffer.from(`${'raw text '.repeat(400)}\n`);
    const lines = 140_000;
    let sent = 0;
    const body = new Readable({
      read() {
        const count = Math.min(20, lines - sent);
        sent += count;
        this.push(count === 0 ? null : Buffer.concat(Array<Buffer>(count).fill(line)));
      },
    });
    const response = await fetch(`http://127.0.0.1:${worker.rawTextPort}/`, {
      method: 'POST',
      body: Readable.toWeb(body) as ReadableStream,
      duplex: 'half',
    });
    expect(await response.json()).toEqual({ lines });
    // 500 MB went through.
    expect(worker.peakResidentMiB() - before).toBeLessThan(200);
    await worker.process.stop();
  });

  it('stops with one sentence for a file of sources that is wrong, and for a port that is taken', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'ingest-'));
    const file = join(directory, 'sources.json');
    await writeFile(file, '{"sources":[{"name":"x"}]}');
    const wrong = new WorkerProcess('workers/ingest.ts', { ...ownTopics(), PULL_SOURCES_FILE: file });
    expect(await wrong.ended).toMatchObject({ code: 1 });
    expect(wrong.output).toContain('sources.0.url');
    await rm(directory, { recursive: true });

    const first = await IngestWorker.start(ownTopics());
    const second = new WorkerProcess('workers/ingest.ts', { ...ownTopics(), INGEST_PORT: String(first.ingestPort) });
    expect(await second.ended).toMatchObject({ code: 1 });
    expect(second.output).toContain('the port is taken by another program');
    await first.process.stop();
  });
});

function missing(acknowledged: readonly string[], stored: readonly string[]): string[] {
  const present = new Set(stored);
  return acknowledged.filter((envelope) => !present.has(envelope));
}
