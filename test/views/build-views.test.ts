import { randomUUID } from 'node:crypto';
import { addUpReadings } from '../../activities/views/add-up.ts';
import { discardBuild } from '../../activities/views/discard-build.ts';
import { planViews } from '../../activities/views/plan-views.ts';
import { publishViews } from '../../activities/views/publish-views.ts';
import { readReadings } from '../../activities/views/read-readings.ts';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { viewsInput, type ViewsProgress, type ViewsResult } from '../../workflows/views/contract.ts';
import { TOPIC } from '../hdfs-sink/writer-bed.ts';
import { eventually } from '../support/eventually.ts';
import { makeEnvelope } from '../support/readings.ts';
import { publishedWindows, windowsOf } from './independent-views.ts';
import { oddReadings } from './odd-readings.ts';
import { ViewsBed } from './views-bed.ts';

let bed: ViewsBed;

beforeAll(async () => {
  bed = await ViewsBed.open();
});
beforeEach(() => bed.clear());
afterAll(() => bed.close());

const at = (iso: string): string => (Date.parse(iso) / 1_000).toFixed(3);
const readingsOf = (day: string, count: number, sensorId = '6'): string[] =>
  Array.from({ length: count }, (_, index) =>
    makeEnvelope({
      sensorId,
      modality: `${index}.50`,
      createdAt: at(`${day}T00:${String(index % 60).padStart(2, '0')}:07.5Z`),
    }),
  );

describe('batch views', () => {
  it('hold what an independent computation says, to the digit, whatever the readings look like', async () => {
    const envelopes = oddReadings(600);
    const half = Math.floor(envelopes.length / 2);
    await bed.commit(envelopes.slice(0, half));
    await bed.commit(envelopes.slice(half), 0, 'sensor_id={sensor_id}');
    const result = await bed.build();

    const windows = windowsOf(envelopes);
    const published = await publishedWindows(bed.serving);
    expect(Object.keys(published).sort()).toEqual(Object.keys(windows).sort());
    for (const [name, window] of Object.entries(windows)) expect([name, published[name]]).toEqual([name, window]);
    expect(result).toMatchObject({
      outcome: 'published',
      readings: envelopes.length,
      unreadable: 0,
      boundary: [{ topic: TOPIC, partition: 0, lastOffset: envelopes.length - 1 }],
      windows: { computed: Object.keys(windows).length, new: Object.keys(windows).length, changed: 0, gone: 0 },
      mended: 0,
    });
    expect(result.otherForms).toBeGreaterThan(100);
    expect(result.duplicates).toBeGreaterThan(50);
    expect(result.inexact).toBeGreaterThan(10);
    expect(await bed.leftovers()).toEqual([]);
  });

  it('are added to: only days that new readings touch are computed, and nothing new changes nothing', async () => {
    const first = [...readingsOf('2024-03-01', 40), ...readingsOf('2024-03-05', 40)];
    await bed.commit(first);
    const other = readingsOf('2024-03-05', 10, '7');
    await bed.commit(other, 1);
    await bed.build();
    const late = [...readingsOf('2024-03-05', 5), first[41] ?? ''];
    await bed.commit(late);
    const second = await bed.build();
    expect(second).toMatchObject({
      days: [{ first: '2024-03-05', last: '2024-03-05' }],
      files: 3,
      readings: 56,
      duplicates: 1,
      boundary: [
        { partition: 0, previousOffset: 79, lastOffset: 85 },
        { partition: 1, previousOffset: 9, lastOffset: 9 },
      ],
      windows: { new: 0, changed: 7, gone: 0 },
      mended: 0,
    });
    const everything = await publishedWindows(bed.serving);
    expect(everything).toEqual(windowsOf([...first, ...other, ...late]));

    const third = await bed.build();
    expect(third).toMatchObject({ outcome: 'up-to-date', files: 0 });
    expect(await bed.serving.query(`SELECT count(*)::integer AS n FROM ${bed.serving.schema}.batch_build`)).toEqual([
      { n: 2 },
    ]);

    // What a wrong release might leave: a sum, a window too many, and one that is missing.
    const { schema } = bed.serving;
    await bed.serving.query(
      `UPDATE ${schema}.batch_view SET value_sum = value_sum + 1 WHERE resolution = 'day' AND sensor_id = '6'`,
    );
    await bed.serving.query(`DELETE FROM ${schema}.batch_view WHERE resolution = 'hour' AND sensor_id = '7'`);
    await bed.serving.query(
      `UPDATE ${schema}.batch_view SET sensor_id = 'ghost' WHERE resolution = 'day' AND sensor_id = '7'`,
    );
    const rebuilt = await bed.build({ rebuild: true });
    expect(rebuilt).toMatchObject({ windows: { new: 2, changed: 2, gone: 1 }, mended: 5, readings: 96 });
    expect(rebuilt.examples[0]).toMatchObject({ change: 'changed', resolution: 'day', sensorId: '6' });
    expect(await publishedWindows(bed.serving)).toEqual(everything);
    expect(await bed.leftovers()).toEqual([]);
  });

  it('of a time that is asked for are computed anew up to the boundary there was', async () => {
    const envelopes = [...readingsOf('2024-03-01', 3), ...readingsOf('2024-03-02', 3)];
    await bed.commit(envelopes);
    expect(await bed.failure({ from: '2024-03-01', to: '2024-03-02' })).toEqual({
      code: 'invalid-input',
      message: expect.stringContaining('readings from 2024-03-01 to 2024-03-02') as string,
    });
    await bed.build();
    await bed.commit(readingsOf('2024-03-02', 2));
    await bed.serving.query(`UPDATE ${bed.serving.schema}.batch_view SET reading_count = 99`);
    const result = await bed.build({ from: '2024-03-01T05:00:00Z', to: '2024-03-01T06:00:00Z', resolutions: ['day'] });
    expect(result).toMatchObject({
      boundary: [{ lastOffset: 5, previousOffset: 5 }],
      windows: { computed: 1, new: 0, changed: 1, gone: 0 },
      examples: [{ before: { count: 99 }, after: { count: 3 } }],
    });
  });

  it('cover a partition up to where the windows of the speed layer can be added', async () => {
    const { schema } = bed.serving;
    const envelopes = readingsOf('2024-03-01', 30);
    for (let index = 0; index < 30; index += 10) {
      await bed.commit(envelopes.slice(index, index + 10));
      await bed.commit(envelopes.slice(index, index + 10), 1);
    }
    // In partition 0 the sink has got into a second segment, in partition 1 it is far behind.
    await bed.serving.query(
      `INSERT INTO ${schema}.speed_position (topic, partition, next_offset, segment_first_offset, segment_number)
       VALUES ($1, 0, 33, 20, 7), ($1, 1, 4, 0, 7)`,
      [TOPIC],
    );
    await bed.serving.query(`INSERT INTO ${schema}.speed_segment VALUES ($1, 0, 0, 19)`, [TOPIC]);
    const { boundary } = await bed.build();
    expect(boundary.map(({ lastOffset }) => lastOffset)).toEqual([19, 29]);
    expect(
      await bed.serving.query(
        `SELECT partition, next_offset, segment_first_offset FROM ${schema}.speed_position ORDER BY partition`,
      ),
    ).toEqual([
      { partition: 0, next_offset: '33', segment_first_offset: '20' },
      { partition: 1, next_offset: '30', segment_first_offset: '30' },
    ]);
    expect(await bed.serving.query(`SELECT partition, last_offset FROM ${schema}.batch_boundary ORDER BY 1`)).toEqual([
      { partition: 0, last_offset: '19' },
      { partition: 1, last_offset: '29' },
    ]);
  });

  it('are planned again when the windows of the speed layer get beyond their boundary meanwhile', async () => {
    const { schema } = bed.serving;
    await bed.commit(readingsOf('2024-03-01', 10));
    await bed.commit(readingsOf('2024-03-01', 10));
    await bed.serving.query(
      `INSERT INTO ${schema}.speed_position (topic, partition, next_offset, segment_first_offset, segment_number) VALUES ($1, 0, 5, 0, 7)`,
      [TOPIC],
    );
    const handle = await bed.start();
    await eventually('Hive reads', async () => (await handle.query<ViewsProgress>('progress')).phase === 'reading');
    await bed.serving.query(`UPDATE ${schema}.speed_position SET next_offset = 23, segment_first_offset = 10`);
    await bed.serving.query(`INSERT INTO ${schema}.speed_segment VALUES ($1, 0, 0, 9)`, [TOPIC]);
    const result = (await handle.result()) as ViewsResult;
    expect(result.boundary).toEqual([{ topic: TOPIC, partition: 0, lastOffset: 9 }]);
    expect(result.counted).toBe(10);
  });
});

describe('a build', () => {
  it('goes on although the connection to Hive is cut within a statement', async () => {
    const envelopes = readingsOf('2024-03-01', 500);
    await bed.commit(envelopes);
    const handle = await bed.start();
    for (const phase of ['reading', 'adding up'] as const) {
      await eventually(`Hive is at ${phase}`, async () => {
        const progress = await handle.query<ViewsProgress>('progress');
        return progress.phase === phase && bed.proxy.open > 0;
      });
      bed.proxy.cut();
    }
    await handle.result();
    expect(await publishedWindows(bed.serving)).toEqual(windowsOf(envelopes));
    expect(await bed.leftovers()).toEqual([]);
  });

  it('that is cancelled leaves nothing behind, and no view', async () => {
    await bed.commit(readingsOf('2024-03-01', 500));
    const handle = await bed.start();
    await eventually('Hive reads', async () => (await handle.query<ViewsProgress>('progress')).phase === 'reading');
    await handle.cancel();
    await expect(handle.result()).rejects.toThrow();
    expect(await bed.leftovers()).toEqual([]);
    expect(await publishedWindows(bed.serving)).toEqual({});
  });

  it('refuses master data that are not what the commit log says', async () => {
    await bed.commit(readingsOf('2024-03-01', 5));
    await bed.commit(readingsOf('2024-03-01', 5));
    const path = `${bed.files.topicsDirectory}/${TOPIC}/dt=2024-03-01/${TOPIC}+0+0+4.json`;
    await bed.hdfs.writeFile(path, Buffer.from(`${makeEnvelope()}\n`), { overwrite: true });
    expect(await bed.failure({})).toEqual({
      code: 'master-data-incomplete',
      message: expect.stringContaining('Hive found 6 readings') as string,
    });
    expect(await bed.leftovers()).toEqual([]);
  });

  it('are what one try has made, whatever another that was given up goes on doing', async () => {
    const envelopes = [...readingsOf('2024-03-01', 60), ...readingsOf('2024-03-02', 60)];
    await bed.commit(envelopes);
    const run = {
      buildId: `tries_${randomUUID().slice(0, 8)}`,
      runId: randomUUID(),
      input: viewsInput.parse({ rebuild: true }),
    };
    const { signal } = new AbortController();
    const deps = bed.dependencies;
    const [first, second] = await Promise.all([
      planViews(deps, { run, cautious: false }, signal),
      planViews(deps, { run, cautious: false }, signal),
    ]);
    const [readFirst, readSecond] = await Promise.all([
      readReadings(deps, { run, plan: first.plan }, signal),
      readReadings(deps, { run, plan: second.plan }, signal),
    ]);
    const [windows] = await Promise.all([
      addUpReadings(deps, { run, plan: first.plan, read: readFirst.read }, signal),
      addUpReadings(deps, { run, plan: second.plan, read: readSecond.read }, signal),
    ]);
    const result = await publishViews(
      deps,
      { run, plan: first.plan, windows: windows.windows, read: readFirst, startedMs: Date.now() },
      signal,
    );
    expect(result).toMatchObject({ outcome: 'published', readings: first.readings, counted: envelopes.length });
    await discardBuild(deps, { run, isInterrupted: false }, signal);
    expect(await bed.leftovers()).toEqual([]);
  });

  it('clears away what builds have left that were terminated long ago', async () => {
    const builds = `${bed.files.topicsDirectory}-analysis/views`;
    await bed.hive.execute(`CREATE DATABASE IF NOT EXISTS ${bed.hiveDatabase}`);
    await bed.hive.execute(`CREATE TABLE ${bed.hiveDatabase}.views_readings_old_read_0123abcd (a INT)`);
    await bed.serving.query(`CREATE TABLE ${bed.serving.schema}.views_parts_old (a integer)`);
    await bed.hdfs.makeDirectory(`${builds}/old/read_0123abcd`);
    await bed.hdfs.makeDirectory(`${builds}/young`);
    await bed.setModified(`${builds}/old`, Date.now() - 40 * 86_400_000);
    await bed.build();
    expect(await bed.leftovers()).toEqual([`${builds}/young`]);
    await bed.hdfs.delete(`${builds}/young`, { recursive: true });
  });

  it('of nothing publishes nothing, and bad inputs are told in one sentence', async () => {
    expect(await bed.build()).toMatchObject({ outcome: 'up-to-date', boundary: [] });
    for (const [input, sentence] of [
      [{ from: 'yesterday' }, 'from: must be a date'],
      [{ from: '2024-13-01' }, 'from: '],
      [{ from: '2024-03-02', to: '2024-03-01' }, 'to: must be later than from'],
      [{ rebuild: true, from: '2024-03-02' }, 'leave out from and to'],
      [{ resolutions: ['week'] }, 'resolutions.0: '],
      [{ since: 1 }, 'since'],
    ] as const) {
      expect(await bed.failure(input)).toMatchObject({
        code: 'invalid-input',
        message: expect.stringContaining(sentence) as string,
      });
    }
  });
});
