import { CancelledFailure } from '@temporalio/common';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { partFile } from '../../activities/import/staging/paths.ts';
import { splitRecordSchema } from '../../activities/import/plan/work-plan.ts';
import { eventually } from '../support/eventually.ts';
import { ImportBed } from './import-bed.ts';

const ROWS = 12_000;

let bed: ImportBed;
beforeAll(async () => {
  bed = await ImportBed.open();
});
afterEach(() => {
  bed.proxy.reset();
  bed.takeOutcomes();
});
afterAll(() => bed.end());

const withCode = (code: string, split?: number): unknown =>
  expect.objectContaining({ code, ...(split === undefined ? {} : { details: { split } }) });
const times = (count: number, outcome: string): string[] => Array.from({ length: count }, () => outcome);

/** Slow enough to be caught in the middle. */
const SLOW = { maxBytesPerSecond: 120_000 };

describe('the splits of a table', () => {
  it('are its rows as of the snapshot, every one, whatever is written meanwhile', async () => {
    const table = await bed.createTable('copied', ROWS);
    const held = await bed.hold();
    const expected = await bed.expectedLines('copied');
    await bed.insert('copied', ROWS + 1, ROWS + 5_000);
    await bed.sql.query('UPDATE copied SET value = value + 1 WHERE id % 3 = 0; DELETE FROM copied WHERE id % 10 = 1');
    const run = bed.run();

    const { splits } = await bed.plan(run, table, held.snapshot);
    expect(splits).toBeGreaterThan(8);
    const half = Math.floor(splits / 2);
    const stretch = { run, table, skip: [], snapshot: held.snapshot };
    const first = await bed.bring({ ...stretch, from: 0, to: half });
    const second = await bed.bring({ ...stretch, from: half, to: splits });

    expect(await bed.lines(run, table)).toEqual(expected);
    expect(first.rows + second.rows).toBe(ROWS);
    expect(first.textBytes + second.textBytes).toBe(Buffer.byteLength(`${expected.join('\n')}\n`));
    expect(first).toMatchObject({ snapshot: held.snapshot, splits: half, kept: 0 });
    const files = await bed.work(run, table).dataFiles();
    const fileBytes = [...files.values()].reduce((sum, { lengthBytes }) => sum + lengthBytes, 0);
    expect(first.fileBytes + second.fileBytes).toBe(fileBytes);
    expect(await bed.namesIn(bed.work(run, table).attemptsDirectory)).toEqual([]);
    expect(await bed.namesIn(bed.work(run, table).recordsDirectory)).toHaveLength(2);
  });

  it('are copied once: a second call finds them', async () => {
    const table = await bed.createTable('twice', ROWS);
    const { snapshot } = await bed.hold();
    const run = bed.run();
    const stretch = await bed.copy(run, table, snapshot);
    const files = await bed.work(run, table).dataFiles();
    bed.proxy.reset();

    const again = await bed.bring(stretch);

    expect(again.rows).toBe(ROWS);
    expect(again.kept).toBe(0);
    expect(bed.proxy.count({ role: 'datanode', op: 'CREATE' }), 'nothing is written').toBe(0);
    expect(await bed.work(run, table).dataFiles()).toEqual(files);
  });

  it('of an empty table are none, and no file', async () => {
    const table = await bed.createTable('empty', 0);
    const { snapshot } = await bed.hold();
    const run = bed.run();
    const { to } = await bed.copy(run, table, snapshot);
    expect((await bed.work(run, table).dataFiles()).size).toBe(0);
    expect(await bed.bring({ run, table, from: 0, to, snapshot })).toMatchObject({ rows: 0, fileBytes: 0 });
  });

  it('that are parked are left alone', async () => {
    const table = await bed.createTable('parked', ROWS);
    const { snapshot } = await bed.hold();
    const run = bed.run();
    const { splits } = await bed.plan(run, table, snapshot);
    const result = await bed.bring({ run, table, from: 0, to: splits, skip: [2, 5], snapshot });
    expect(result.splits).toBe(splits - 2);
    const files = await bed.work(run, table).dataFiles();
    expect([files.has(1), files.has(2), files.has(5), files.size]).toEqual([true, false, false, splits - 2]);
  });

  it('can be copied without verification', async () => {
    const table = await bed.createTable('trusting', 2_000);
    const { snapshot } = await bed.hold();
    const run = bed.run({ verify: false });
    await bed.copy(run, table, snapshot);
    expect(await bed.lines(run, table)).toEqual(await bed.expectedLines('trusting'));
    const plan = await bed.work(run, table).readPlan();
    const records = await bed.work(run, table).readRecords({ planId: plan?.planId ?? '' });
    expect([...records.values()].map(({ verified }) => verified)).not.toContain(true);
  });
});

describe('an attempt that follows a killed one', () => {
  it('goes on with what its heartbeats told, though nothing else was written down', async () => {
    const table = await bed.createTable('resumed', ROWS);
    const { snapshot } = await bed.hold();
    const run = bed.run();
    const { splits } = await bed.plan(run, table, snapshot);
    const stretch = { run, table, from: 0, to: splits, snapshot };
    let told: unknown;
    await expect(
      bed.bring(
        { ...stretch, ...SLOW },
        {
          onHeartbeat: (details, cancel) => {
            told = details;
            if (bed.outcomes.length >= 3) cancel();
          },
        },
      ),
    ).rejects.toThrow();
    // Killed: it could not write its records.
    await bed.direct.delete(bed.work(run, table).recordsDirectory, { recursive: true });
    await bed.direct.makeDirectory(bed.work(run, table).recordsDirectory);
    const records = splitRecordSchema.array().parse((told as { records: unknown }).records);
    expect(records.length).toBeGreaterThanOrEqual(3);
    bed.takeOutcomes();

    const result = await bed.bring(stretch, { heartbeatDetails: told });

    const found = times(records.length, 'found');
    expect(bed.takeOutcomes()).toEqual([...found, ...times(splits - records.length, 'copied')]);
    expect(result.rows).toBe(ROWS);
    expect(await bed.lines(run, table)).toEqual(await bed.expectedLines('resumed'));
  });

  it('is not misled by heartbeats of another plan, or by nonsense', async () => {
    const table = await bed.createTable('misled', 2_000);
    const { snapshot } = await bed.hold();
    const run = bed.run();
    const { splits } = await bed.plan(run, table, snapshot);
    const stretch = { run, table, from: 0, to: splits, snapshot };
    await bed.bring(stretch, { heartbeatDetails: { planId: 'another', records: [{ split: 0 }] } });
    expect(bed.takeOutcomes()).toEqual(times(splits, 'copied'));
  });
});

describe('splits of an earlier snapshot', () => {
  it('are kept where the database computes the same digest, and copied again where rows have changed', async () => {
    const table = await bed.createTable('repaired', ROWS);
    const first = await bed.hold();
    const run = bed.run();
    await bed.copy(run, table, first.snapshot);
    const before = await bed.work(run, table).dataFiles();
    await bed.sql.query('UPDATE repaired SET value = -value WHERE id BETWEEN 1 AND 10');
    await bed.insert('repaired', ROWS + 1, ROWS + 700);
    const second = await bed.hold();
    const expected = await bed.expectedLines('repaired');
    await first.release();
    bed.takeOutcomes();

    const { splits } = await bed.plan(run, table, second.snapshot);
    const result = await bed.bring({ run, table, from: 0, to: splits, snapshot: second.snapshot });

    const outcomes = bed.takeOutcomes();
    // The first page lost rows, the last split got the new versions and rows.
    expect(outcomes).toEqual(['copied', ...times(splits - 2, 'kept'), 'copied']);
    expect(result).toMatchObject({ kept: splits - 2, rows: ROWS + 700, snapshot: second.snapshot });
    expect(await bed.lines(run, table)).toEqual(expected);
    const after = await bed.work(run, table).dataFiles();
    expect(after.get(1)).toEqual(before.get(1));
    expect(after.get(0)?.fileId).not.toBe(before.get(0)?.fileId);
    const plan = await bed.work(run, table).readPlan();
    const records = await bed.work(run, table).readRecords({ planId: plan?.planId ?? '' });
    expect(new Set([...records.values()].map(({ takenAt }) => takenAt))).toEqual(new Set([second.snapshot.takenAt]));
  });

  it('lose their file when they have no rows any more', async () => {
    const table = await bed.createTable('emptied', 3_000);
    const first = await bed.hold();
    const run = bed.run();
    await bed.copy(run, table, first.snapshot);
    await bed.sql.query('DELETE FROM emptied WHERE id <= 2500');
    const second = await bed.hold();
    await bed.copy(run, table, second.snapshot);
    expect(await bed.lines(run, table)).toEqual(await bed.expectedLines('emptied'));
    expect((await bed.work(run, table).dataFiles()).has(0)).toBe(false);
  });

  it('whose snapshot is gone cannot be brought to it', async () => {
    const table = await bed.createTable('lost', 2_000);
    const held = await bed.hold();
    const run = bed.run();
    const { splits } = await bed.plan(run, table, held.snapshot);
    await held.release();
    await expect(bed.bring({ run, table, from: 0, to: splits, snapshot: held.snapshot })).rejects.toEqual(
      expect.objectContaining({ code: 'snapshot-lost' }),
    );
  });
});

describe('where snapshots are not shared', () => {
  it('all splits are brought to one of their own, and again to another one', async () => {
    const table = await bed.createTable('unshared', ROWS);
    const run = bed.run();
    const { splits } = await bed.plan(run, table, (await bed.hold()).snapshot);
    await bed.insert('unshared', ROWS + 1, ROWS + 50);
    const stretch = { run, table, from: 0, to: splits };
    const first = await bed.bring(stretch);
    expect(first).toMatchObject({ rows: ROWS + 50, kept: 0, splits });
    await bed.sql.query('UPDATE unshared SET value = 0 WHERE id = 1');
    bed.takeOutcomes();

    const second = await bed.bring(stretch);

    expect(bed.takeOutcomes()).toEqual(['copied', ...times(splits - 2, 'kept'), 'copied']);
    expect(second.snapshot.takenAt).not.toBe(first.snapshot.takenAt);
    expect(await bed.lines(run, table)).toEqual(await bed.expectedLines('unshared'));
    const plan = await bed.work(run, table).readPlan();
    const records = await bed.work(run, table).readRecords({ planId: plan?.planId ?? '' });
    expect(new Set([...records.values()].map(({ takenAt }) => takenAt))).toEqual(new Set([second.snapshot.takenAt]));
  });

  it('the moment of a table without splits is told', async () => {
    const table = await bed.createTable('no_splits', 0);
    const run = bed.run();
    await bed.plan(run, table, (await bed.hold()).snapshot);
    const result = await bed.bring({ run, table, from: 0, to: 0 });
    expect(result).toMatchObject({ splits: 0, rows: 0 });
    expect(result.snapshot.position).toMatch(/^\d+:\d+:/);
  });
});

describe('a file in data/', () => {
  it('that was deleted, exchanged or cut short behind our back is copied again', async () => {
    const table = await bed.createTable('tampered', ROWS);
    const { snapshot } = await bed.hold();
    const run = bed.run();
    const stretch = await bed.copy(run, table, snapshot);
    const { dataDirectory } = bed.work(run, table);
    const file = (split: number): string => `${dataDirectory}/${partFile(split)}`;
    await bed.direct.delete(file(1));
    const third = await bed.direct.readFile(file(3), { maxBytes: 1 << 24 });
    await bed.direct.delete(file(3));
    await bed.direct.writeFile(file(3), third);
    await bed.direct.writeFile(file(4), third.subarray(0, 100), { overwrite: true });
    bed.takeOutcomes();

    await bed.bring(stretch);

    const outcomes = bed.takeOutcomes();
    expect(outcomes.map((outcome, split) => (outcome === 'copied' ? split : -1)).filter((split) => split >= 0)).toEqual(
      [1, 3, 4],
    );
    expect(await bed.lines(run, table)).toEqual(await bed.expectedLines('tampered'));
  });
});

describe('a cancelled attempt', () => {
  it.each(['CANCELLED', 'WORKER_SHUTDOWN'] as const)(
    'by %s ends its query, leaves no half file, and keeps what is done',
    async (reason) => {
      const name = `stopped_${reason.toLowerCase()}`;
      const table = await bed.createTable(name, ROWS);
      const { snapshot } = await bed.hold();
      const run = bed.run();
      const { splits } = await bed.plan(run, table, snapshot);
      const stretch = { run, table, from: 0, to: splits, snapshot };
      const sessions = (await bed.sourceSessions()).length;
      const attempt = bed.bring(
        { ...stretch, ...SLOW },
        {
          onHeartbeat: (_, cancel) => {
            if (bed.outcomes.length >= 2) cancel(reason);
          },
        },
      );
      await expect(attempt).rejects.toEqual(
        reason === 'CANCELLED' ? expect.any(CancelledFailure) : withCode('shutting-down'),
      );
      expect(await bed.namesIn(bed.work(run, table).attemptsDirectory)).toEqual([]);
      await eventually(
        'the session of the attempt is gone',
        async () => (await bed.sourceSessions()).length === sessions,
      );

      const done = bed.takeOutcomes().length;
      await bed.bring(stretch);
      expect(bed.takeOutcomes().slice(0, done)).toEqual(times(done, 'found'));
      expect(await bed.lines(run, table)).toEqual(await bed.expectedLines(name));
    },
  );
});

describe('an attempt that was given up but lives on', () => {
  it('changes nothing once its successor has begun', async () => {
    const table = await bed.createTable('zombie', ROWS);
    const { snapshot } = await bed.hold();
    const run = bed.run();
    const { splits } = await bed.plan(run, table, snapshot);
    const stretch = { run, table, from: 0, to: splits, snapshot };
    const zombie = bed.bring({ ...stretch, ...SLOW }).catch((error: unknown) => error);
    await eventually('the zombie is in the middle', () => bed.outcomes.length >= 2);

    const result = await bed.bring(stretch);
    const files = await bed.work(run, table).dataFiles();

    expect(await zombie).toEqual(expect.objectContaining({ code: 'fenced' }));
    expect(await bed.work(run, table).dataFiles()).toEqual(files);
    expect(result.rows).toBe(ROWS);
    expect(await bed.lines(run, table)).toEqual(await bed.expectedLines('zombie'));
    bed.takeOutcomes();
    await bed.bring(stretch);
    expect(bed.takeOutcomes(), 'all of it counts as done').toEqual([]);
  });

  it('finds nothing to do when the work was given up', async () => {
    const table = await bed.createTable('discarded', 2_000);
    const { snapshot } = await bed.hold();
    const run = bed.run();
    const { splits } = await bed.plan(run, table, snapshot);
    const stretch = { run, table, from: 0, to: splits, snapshot };
    const zombie = bed.bring({ ...stretch, maxBytesPerSecond: 20_000 }).catch((error: unknown) => error);
    await eventually('the zombie has begun', () => bed.outcomes.length >= 1);
    await bed.inActivity((activities) => activities.discardWork({ run, tables: [table] }));
    expect(await zombie).toEqual(expect.objectContaining({ code: 'fenced' }));
    await expect(bed.bring(stretch)).rejects.toEqual(expect.objectContaining({ code: 'fenced' }));
    expect(await bed.direct.status(bed.work(run, table).root)).toBeUndefined();
  });
});

describe('when something fails', () => {
  it('at HDFS in the middle of a split, the split is named, and the next attempt does the rest', async () => {
    const table = await bed.createTable('hdfs_fails', ROWS);
    const { snapshot } = await bed.hold();
    const run = bed.run();
    const { splits } = await bed.plan(run, table, snapshot);
    const stretch = { run, table, from: 0, to: splits, snapshot };
    bed.proxy.add({
      role: 'datanode',
      op: 'CREATE',
      path: partFile(3),
      fault: { kind: 'cut-request', afterBytes: 1_000 },
    });
    await expect(bed.bring(stretch)).rejects.toEqual(withCode('hdfs-unavailable', 3));
    expect(await bed.namesIn(bed.work(run, table).attemptsDirectory)).toEqual([]);
    expect(bed.takeOutcomes()).toEqual(times(3, 'copied'));
    bed.proxy.reset();

    await bed.bring(stretch);

    expect(bed.takeOutcomes()).toEqual([...times(3, 'found'), ...times(splits - 3, 'copied')]);
    expect(await bed.lines(run, table)).toEqual(await bed.expectedLines('hdfs_fails'));
  });

  it('and the answer to the renaming of a file is lost, the file is found in its place', async () => {
    const table = await bed.createTable('rename_lost', 3_000);
    const { snapshot } = await bed.hold();
    const run = bed.run();
    const { splits } = await bed.plan(run, table, snapshot);
    bed.proxy.add({ op: 'RENAME', path: partFile(1), fault: { kind: 'cut-afterwards' } });
    await bed.bring({ run, table, from: 0, to: splits, snapshot });
    expect(bed.takeOutcomes()).toEqual(times(splits, 'copied'));
    expect(await bed.lines(run, table)).toEqual(await bed.expectedLines('rename_lost'));
  });

  it('with what lies in HDFS, the split is copied again, and after the third time given up', async () => {
    const table = await bed.createTable('corrupted', 5_000);
    const { snapshot } = await bed.hold();
    const run = bed.run();
    const { splits } = await bed.plan(run, table, snapshot);
    const stretch = { run, table, from: 0, to: splits, snapshot };
    const fault = { kind: 'corrupt-request', atByte: 700 } as const;
    bed.proxy.add({ role: 'datanode', op: 'CREATE', path: partFile(1), times: 2, fault });
    await bed.bring(stretch);
    expect(bed.verificationFailures).toBe(2);
    expect(await bed.lines(run, table)).toEqual(await bed.expectedLines('corrupted'));

    const other = bed.run();
    await bed.plan(other, table, snapshot);
    bed.proxy.reset();
    bed.proxy.add({ role: 'datanode', op: 'CREATE', path: partFile(1), fault });
    await expect(bed.bring({ ...stretch, run: other })).rejects.toEqual(withCode('split-unverifiable', 1));
    expect(bed.verificationFailures).toBe(5);
    expect(await bed.namesIn(bed.work(other, table).attemptsDirectory)).toEqual([]);
  });

  it('since the table was dropped, or altered, or the right was taken away, it is said so', async () => {
    const run = bed.run();
    const begin = async (name: string) => {
      const table = await bed.createTable(name, 2_000);
      const { snapshot } = await bed.hold();
      const { splits } = await bed.plan(run, table, snapshot);
      return { run, table, from: 0, to: splits, snapshot };
    };
    const [dropped, truncated, denied] = [await begin('dropped'), await begin('truncated'), await begin('denied')];
    await bed.sql.query('DROP TABLE dropped; TRUNCATE truncated');
    bed.role = await bed.createRole('without_rights');
    await expect(bed.bring(denied)).rejects.toEqual(expect.objectContaining({ code: 'source-denied' }));
    bed.role = undefined;
    await expect(bed.bring(dropped)).rejects.toEqual(expect.objectContaining({ code: 'unknown-table' }));
    await expect(bed.bring(truncated)).rejects.toEqual(expect.objectContaining({ code: 'table-changed' }));
  });

  it('at the source in the middle of a split, the next attempt does the rest', async () => {
    const table = await bed.createTable('source_fails', ROWS);
    const { snapshot } = await bed.hold();
    const run = bed.run();
    const { splits } = await bed.plan(run, table, snapshot);
    const stretch = { run, table, from: 0, to: splits, snapshot };
    const attempt = bed.bring({ ...stretch, ...SLOW }).catch((error: unknown) => error);
    await eventually('it is in the middle', () => bed.outcomes.length >= 2);
    const done = bed.outcomes.length;
    await bed.terminateSessions();
    expect(await attempt).toEqual(expect.objectContaining({ code: 'source-unavailable' }));
    expect(await bed.namesIn(bed.work(run, table).attemptsDirectory)).toEqual([]);
    bed.takeOutcomes();

    // The keeper's session is gone as well.
    const again = await bed.hold();
    await bed.bring({ ...stretch, snapshot: again.snapshot });
    expect(bed.takeOutcomes().slice(0, done)).toEqual(times(done, 'kept'));
    expect(await bed.lines(run, table)).toEqual(await bed.expectedLines('source_fails'));
  });
});
