import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { planCompaction } from '../../activities/compaction/plan-compaction.ts';
import { ReadingsDirectory } from '../../activities/readings/readings-directory.ts';
import { Snapshots } from '../../activities/readings/snapshot/snapshots.ts';
import { sweepReadings } from '../../activities/readings/snapshot/sweep-readings.ts';
import type { CompactionProgress, CompactionResult } from '../../workflows/compaction/contract.ts';
import { TOPIC } from '../hdfs-sink/writer-bed.ts';
import { eventually } from '../support/eventually.ts';
import { makeEnvelope } from '../support/readings.ts';
import { isFull } from '../support/test-size.ts';
import { oddReadings } from '../views/odd-readings.ts';
import { CompactionBed } from './compaction-bed.ts';
import { differences, once, readingsIn, rowText, same } from './independent-readings.ts';

let bed: CompactionBed;

beforeAll(async () => {
  bed = await CompactionBed.open();
});
beforeEach(() => bed.clear());
afterAll(() => bed.close());

const signal = new AbortController().signal;
const readingsOf = (day: string, count: number): string[] =>
  Array.from({ length: count }, (_, index) =>
    makeEnvelope({
      sensorId: String(index % 7),
      modality: `${index}.50`,
      createdAt: (Date.parse(`${day}T00:00:07.5Z`) / 1_000 + index).toFixed(3),
    }),
  );

/** The views must say what the files of master data say, all of which are committed. */
async function expectAll(): Promise<void> {
  const readings = readingsIn((await bed.files.masterData()).files);
  const [lines, each] = [readings.map(rowText), once(readings).map(rowText)];
  expect(differences(await bed.shown('readings_raw'), lines)).toEqual(same(lines));
  expect(differences(await bed.shown('readings_all'), each)).toEqual(same(each));
}

describe('a compaction', () => {
  it.runIf(isFull)(
    'shows each reading once before, during and after it, whatever they look like; late ones rewrite only their days',
    async () => {
      const odd = oddReadings(200);
      const half = Math.floor(odd.length / 2);
      await bed.commit(odd.slice(0, half));
      await bed.commit(readingsOf('2024-02-10', 300), 1);
      const first = await bed.compact();
      expect(first).toMatchObject({
        outcome: 'compacted',
        topic: TOPIC,
        boundary: [
          { partition: 0, lastOffset: half - 1 },
          { partition: 1, lastOffset: 299 },
        ],
        readings: half + 300,
        unreadable: 0,
        days: ['2024-02-10', '2024-02-28', '2024-02-29', '2024-03-01'],
        rewritten: { days: 4, files: 4 },
      });
      expect(first.otherForms).toBeGreaterThan(20);
      expect(first.compacted.readings).toBe(half + 300 - first.duplicates);
      await expectAll();

      // Duplicates of what is compacted come, in the same partition and in one whose offsets are less.
      await bed.commit(odd.slice(half));
      await bed.commit(odd.slice(0, 20), 2);
      await bed.refresh();
      await expectAll();
      const second = await bed.compact();
      expect(second).toMatchObject({
        days: ['2024-02-28', '2024-02-29', '2024-03-01'],
        rewritten: { days: 3 },
        compacted: { days: 4, files: 4 },
      });
      expect(second.duplicates).toBeGreaterThan(20);
      const order = await bed.hive.rows(
        `SELECT sensor_id, event_ms FROM ${bed.database}.readings_all WHERE event_day = '2024-02-10'`,
      );
      expect(order).toHaveLength(300);
      expect(order).toEqual([...order].sort(([a, t], [b, u]) => Number(a) - Number(b) || Number(t) - Number(u)));

      expect(await bed.compact()).toMatchObject({ outcome: 'up-to-date', snapshot: second.snapshot, files: 0 });
      // What the first compaction wrote, and the second did not take over, goes when no query reads it any more.
      await sweepReadings({ ...bed.deps, graceMs: 0 }, signal);
      expect(await bed.tables()).toEqual([
        'readings_all',
        expect.stringMatching(/^readings_covered_\w+$/),
        expect.stringMatching(/^readings_covered_others_\w+$/),
        expect.stringMatching(/^readings_days_\w+$/),
        'readings_offsets',
        'readings_raw',
        'readings_tail',
      ]);
      await expectAll();
    },
  );

  it.runIf(isFull)(
    'that was put in place but not shown is shown by the next refresh, and of two at once the slower builds upon the quicker',
    async () => {
      await bed.commit(readingsOf('2024-03-01', 50));
      const handles = await Promise.all([bed.start(), bed.start()]);
      const results = (await Promise.all(handles.map((handle) => handle.result()))) as CompactionResult[];
      expect(results.map(({ outcome }) => outcome).sort()).toEqual(['compacted', 'up-to-date']);
      await expectAll();

      // As if a worker had died between the two: the newest snapshot is not what the views show.
      const snapshots = new Snapshots(bed.hdfs, new ReadingsDirectory(bed.deps));
      const newest = await snapshots.newest();
      const unshown = { ...newest, number: newest.number + 1, id: 'unshown' };
      expect(await snapshots.put(unshown)).toBe(true);
      expect(await snapshots.put({ ...unshown, id: 'late' })).toBe(false);
      expect(await bed.refresh()).toMatchObject({ snapshot: unshown.number, newFiles: 0 });
      expect(await bed.offsets()).toEqual([['0', '49', '49', String(unshown.number)]]);
      await expectAll();
    },
  );

  it('goes on although the connection to Hive is cut within a statement, and one that is cancelled leaves nothing behind', async () => {
    await bed.commit(readingsOf('2024-03-01', 50));
    await bed.refresh();
    const cancelled = await bed.start();
    const isAt = async (handle: typeof cancelled, phase: CompactionProgress['phase']) =>
      (await handle.query<CompactionProgress>('progress')).phase === phase;
    await eventually('Hive reads', () => isAt(cancelled, 'reading'));
    await cancelled.cancel();
    await expect(cancelled.result()).rejects.toThrow();
    expect(await bed.tables()).toEqual(['readings_all', 'readings_offsets', 'readings_raw', 'readings_tail']);

    const cut = await bed.start();
    await eventually('Hive reads', async () => (await isAt(cut, 'writing days')) && bed.proxy.open > 0);
    bed.proxy.cut();
    expect(await cut.result()).toMatchObject({ outcome: 'compacted', rewritten: { readings: 50 } });
    await expectAll();
  });

  it('refuses master data that are not what the commit log says, bad inputs, and what is too little', async () => {
    await bed.commit(readingsOf('2024-03-01', 5));
    expect(await bed.compact({ minFiles: 2 })).toMatchObject({ outcome: 'up-to-date', boundary: [] });
    expect(await bed.failure({ minFiles: 0 })).toMatchObject({ code: 'invalid-input' });
    await bed.commit(readingsOf('2024-03-01', 5));
    const path = `${bed.files.topicsDirectory}/${TOPIC}/dt=2024-03-01/${TOPIC}+0+0+4.json`;
    await bed.hdfs.writeFile(path, Buffer.from(`${makeEnvelope()}\n`), { overwrite: true });
    expect(await bed.failure({})).toEqual({
      code: 'master-data-incomplete',
      message: expect.stringContaining('the commit log names 10') as string,
    });
    expect(await planCompaction(bed.deps, { id: 'look', input: { minFiles: 1 } }, signal)).toMatchObject({ files: 2 });
  });
});
