import { createHash } from 'node:crypto';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { readingPlacer } from '../../streaming/sinks/hdfs/placement.ts';
import { batchOf, LIMITS, routesOf } from '../support/partitions.ts';
import { makeEnvelope } from '../support/readings.ts';
import { TOPIC, WriterBed } from './writer-bed.ts';

const bed = new WriterBed();
const STORED = { ...LIMITS, stored: true };
const DAY = 'dt=2026-01-01';
const reading = (fields: { sensorId?: string; unit?: string }): string =>
  makeEnvelope({ createdAt: String(Date.UTC(2026, 0, 1) / 1_000), ...fields });

/** Writes readings by a path template, and gives the data files: path below the topic's directory → lines. */
async function write(hdfsPath: string, values: readonly string[]): Promise<Map<string, readonly string[]>> {
  const writer = bed.writer({ placer: readingPlacer(routesOf({ default: { hdfsPath } }), STORED) });
  await writer.open();
  await writer.process(batchOf(TOPIC, values));
  await writer.close({ kind: 'stopped' });
  const { files } = await bed.masterData();
  const below = `${bed.topicsDirectory}/${TOPIC}/`;
  return new Map([...files].map(([path, lines]) => [path.replace(below, ''), lines]));
}

const digestOf = (text: string): string => createHash('sha256').update(text).digest('hex').slice(0, 32);

afterEach(() => bed.clear());
afterAll(() => bed.close());

describe('the directories of readings', () => {
  it('take what lies in Kafka already, however long, and of whatever characters', async () => {
    const cases: [string, string][] = [
      ['u'.repeat(300), `unit=${'u'.repeat(216)}%~${digestOf(`unit=${'u'.repeat(300)}`)}`],
      [`${'u'.repeat(299)}v`, `unit=${'u'.repeat(216)}%~${digestOf(`unit=${'u'.repeat(299)}v`)}`],
      [':'.repeat(128), `unit=${'%3A'.repeat(72)}%~${digestOf(`unit=${'%3A'.repeat(128)}`)}`],
      ['\ud800', 'unit=%uD800'],
      ['\udfff', 'unit=%uDFFF'],
      ['M\u0000W', 'unit=M%00W'],
      ['..', 'unit=%2E%2E'],
      ['', 'unit=__HIVE_DEFAULT_PARTITION__'],
      ['😀 m²', 'unit=😀 m²'],
    ];
    const values = cases.map(([unit]) => reading({ unit }));
    const files = await write('unit={unit}/dt={event_day}', values);
    expect(files).toEqual(
      new Map(cases.map(([, directory], at) => [`${directory}/${DAY}/${TOPIC}+0+${at}+${at}.json`, [values[at]]])),
    );
  });

  it('take ids of 128 characters of four bytes', async () => {
    const id = '😀'.repeat(64);
    const value = reading({ sensorId: id });
    const files = await write('sensor_id={sensor_id}/{sensor_id}', [value, reading({ sensorId: 'Ж'.repeat(128) })]);
    expect(files.size).toBe(2);
    expect([...files.keys()].sort()[1]).toBe(
      `sensor_id=${'😀'.repeat(52)}%~${digestOf(`sensor_id=${id}`)}/${'😀'.repeat(55)}%~${digestOf(id)}/${TOPIC}+0+0+0.json`,
    );
  });

  it('are seen by every reader of Hadoop, and are never those of the commit log', async () => {
    const ids = ['_spare1', '.aux', '_commits', '.tmp', '_', '.', '..', 'plain_1.x'];
    const values = ids.map((sensorId) => reading({ sensorId }));
    const files = await write('{sensor_id}/0', values);
    expect([...files.keys()].map((path) => path.split('/')[0])).toEqual(
      expect.arrayContaining(['%5Fspare1', '%2Eaux', '%5Fcommits', '%2Etmp', '%5F', '%2E', '%2E%2E', 'plain_1.x']),
    );
    expect([...files.values()].flat().sort()).toEqual(values.sort());
    for await (const { name } of bed.hdfs.list(bed.layout.commitsDirectory)) expect(name).toMatch(/^\d{20}\.json$/);
  });

  it('leave what was published under older names where it is, and go on behind it', async () => {
    const old = `${bed.topicsDirectory}/${TOPIC}/_spare1/${TOPIC}+0+0+0.json`;
    const before = reading({ sensorId: '_spare1' });
    const after = reading({ sensorId: '_spare1' });
    await bed.commitByHand([{ path: old, lines: [before] }]);
    const writer = bed.writer({
      placer: readingPlacer(routesOf({ default: { hdfsPath: '{sensor_id}' } }), LIMITS),
    });
    expect(await writer.open()).toBe(1);
    await writer.process(batchOf(TOPIC, [after], 1));
    await writer.close({ kind: 'stopped' });
    expect((await bed.masterData()).files).toEqual(
      new Map([
        [old, [before]],
        [`${bed.topicsDirectory}/${TOPIC}/%5Fspare1/${TOPIC}+0+1+1.json`, [after]],
      ]),
    );
  });

  it('are made before anything is committed: what HDFS has against one stands in no commit record', async () => {
    await bed.hdfs.writeFile(`${bed.topicsDirectory}/${TOPIC}/in-the-way`, Buffer.from('x'), { createParent: true });
    const placerOf = (hdfsPath: string) => readingPlacer(routesOf({ default: { hdfsPath } }), LIMITS);
    const value = reading({});
    const writer = bed.writer({ placer: placerOf('in-the-way/{event_day}'), rotateBytes: 1 });
    await writer.open();
    await expect(writer.process(batchOf(TOPIC, [value]))).rejects.toMatchObject({
      code: expect.stringMatching(/^hdfs-(?:refused|already-exists)$/) as string,
    });
    await writer.close({ kind: 'stopped' });
    expect(await bed.commits()).toEqual([]);

    // With another route the same record flows.
    const next = bed.writer({ placer: placerOf('dt={event_day}') });
    expect(await next.open()).toBe(0);
    await next.process(batchOf(TOPIC, [value]));
    await next.close({ kind: 'stopped' });
    expect((await bed.commits()).map(({ lastOffset }) => lastOffset)).toEqual([0]);
  });
});
