import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ImportRun, PlannedTable } from '../../workflows/import/activity-contract.ts';
import type { ImportInput } from '../../workflows/import/input.ts';
import type { TableId } from '../../grid/history/sql-source.ts';
import { ImportBed } from './import-bed.ts';

let bed: ImportBed;
beforeAll(async () => {
  bed = await ImportBed.open();
});
afterAll(() => bed.end());

/** Plans at a new snapshot. */
async function plan(table: TableId, input: Partial<ImportInput>, run = bed.run(input)): Promise<PlannedTable> {
  const held = await bed.hold();
  try {
    return await bed.inActivity((activities) => activities.planTable({ run, table, snapshot: held.snapshot }));
  } finally {
    await held.release();
  }
}

/** Imports and publishes. */
async function publish(table: TableId, input: Partial<ImportInput> = {}, run = bed.run(input)): Promise<ImportRun> {
  const { snapshot } = await bed.hold();
  const { splits, publishAs } = await bed.plan(run, table, snapshot);
  await bed.bring({ run, table, from: 0, to: splits, snapshot });
  await bed.inActivity((activities) => activities.publishTable({ run, table, snapshot, publishAs }));
  return run;
}

const refused = (message: RegExp): unknown =>
  expect.objectContaining({ code: 'append-impossible', message: expect.stringMatching(message) as unknown });

describe('a table that was imported before', () => {
  it('is shown by Hive even if the run that committed it came no further and nothing has changed since', async () => {
    const table = await bed.createTable('hidden', 10);
    await publish(table);
    const { hive, options } = bed.deps;
    const view = `${options.hiveDatabasePrefix}_postgres.hidden`;
    await hive.execute(`DROP VIEW ${view}`);
    expect(await plan(table, { mode: 'merge' })).toEqual({ kind: 'unchanged', rows: 10 });
    expect(await hive.rows(`SELECT CAST(count(*) AS STRING) FROM ${view}`)).toEqual([['10']]);
  });

  it('is planned by what has become of it since', async () => {
    const table = await bed.createTable('followed', 3_000);
    const { sql } = bed;
    expect(await plan(table, { mode: 'incremental' })).toMatchObject({ kind: 'planned', publishAs: 'full' });
    await publish(table);
    expect(await plan(table, { mode: 'incremental' })).toEqual({ kind: 'unchanged', rows: 3_000 });
    expect(await plan(table, { mode: 'merge', reconcile: true })).toEqual({ kind: 'unchanged', rows: 3_000 });
    expect(await plan(table, { mode: 'full' })).toMatchObject({ kind: 'planned', publishAs: 'full' });

    await bed.insert('followed', 3_001, 3_100);
    expect(await plan(table, { mode: 'incremental' })).toMatchObject({ publishAs: 'append', estimatedRows: 100 });
    await publish(table, { mode: 'incremental' });
    expect(await plan(table, { mode: 'incremental' })).toEqual({ kind: 'unchanged', rows: 3_100 });

    await sql.query('UPDATE followed SET value = 0 WHERE id <= 20');
    expect(await plan(table, { mode: 'merge' })).toMatchObject({ publishAs: 'merge', estimatedRows: 20 });
    expect(await plan(table, { mode: 'merge', reconcile: true })).toMatchObject({ publishAs: 'full' });
    await expect(plan(table, { mode: 'incremental' })).rejects.toEqual(refused(/20 rows were updated or deleted/));
    await publish(table, { mode: 'merge' });
    expect(await plan(table, { mode: 'merge' })).toEqual({ kind: 'unchanged', rows: 3_100 });
    // Deleted rows might have been among the replaced ones.
    expect(await plan(table, { mode: 'merge', reconcile: true })).toMatchObject({ publishAs: 'full' });

    await sql.query('ALTER TABLE followed DROP COLUMN note');
    expect(await plan(table, { mode: 'merge' })).toMatchObject({
      publishAs: 'full',
      notes: [expect.stringContaining('without note') as unknown],
    });
    await expect(plan(table, { mode: 'incremental' })).rejects.toEqual(refused(/columns have changed/));
  });

  it('and finished by the very run that asks, is published, and whatever its publication lacked is made good', async () => {
    const table = await bed.createTable('finished', 1_000);
    const run = await publish(table);
    const again = await plan(table, {}, run);
    expect(again).toMatchObject({ kind: 'published', result: { rows: 1_000, publishedAs: 'full' } });
  });
});

describe('a plan of before', () => {
  it('is kept at another snapshot, with what was done, while the table is the same', async () => {
    const table = await bed.createTable('kept', 3_000);
    const run = bed.run();
    const first = await bed.hold();
    await bed.copy(run, table, first.snapshot);
    const before = await bed.work(run, table).readPlan();
    await bed.insert('kept', 3_001, 6_000);
    const { splits } = await bed.plan(run, table, (await bed.hold()).snapshot);
    const after = await bed.work(run, table).readPlan();
    expect(after?.planId).toBe(before?.planId);
    expect(splits).toBe(before?.plan.splits.length);
    expect((await bed.work(run, table).dataFiles()).size).toBe(splits);
    expect(after?.plannedAt).not.toEqual(before?.plannedAt);
  });

  it('is dropped with its work when the table was rewritten or altered', async () => {
    const table = await bed.createTable('altered', 3_000);
    const run = bed.run();
    await bed.copy(run, table, (await bed.hold()).snapshot);
    await bed.sql.query('ALTER TABLE altered ADD COLUMN extra int');
    const { snapshot } = await bed.hold();
    await bed.plan(run, table, snapshot);
    expect((await bed.work(run, table).dataFiles()).size).toBe(0);
    expect((await bed.work(run, table).readPlan())?.plan.columns.map(({ name }) => name)).toContain('extra');
  });

  it('of appended rows is confirmed, or given up, when they are read at another snapshot', async () => {
    const table = await bed.createTable('appended', 2_000);
    await publish(table);
    await bed.insert('appended', 2_001, 2_100);
    const run = bed.run({ mode: 'merge' });
    const { splits, publishAs } = await bed.plan(run, table, (await bed.hold()).snapshot);
    expect(publishAs).toBe('append');

    await bed.insert('appended', 2_101, 2_150);
    const { snapshot } = await bed.hold();
    await bed.bring({ run, table, from: 0, to: splits, snapshot });
    const confirmed = await bed.work(run, table).readPlan();
    expect(confirmed).toMatchObject({ plannedAt: snapshot, sourceRows: 2_150 });
    expect(await bed.lines(run, table)).toHaveLength(150);

    await bed.sql.query('UPDATE appended SET value = 1 WHERE id = 7');
    const later = await bed.hold();
    await expect(bed.bring({ run, table, from: 0, to: splits, snapshot: later.snapshot })).rejects.toEqual(
      expect.objectContaining({ code: 'table-changed' }),
    );
    expect(await bed.plan(run, table, later.snapshot)).toMatchObject({ publishAs: 'merge' });
  });
});

describe('a table that cannot be imported', () => {
  it('is refused for its columns before anything is written', async () => {
    await bed.sql.query(`CREATE TABLE odd (id int PRIMARY KEY, day date); INSERT INTO odd VALUES (1, 'infinity')`);
    const table = { schema: 'public', name: 'odd' };
    const run = bed.run({ onUnsupported: 'refuse' });
    const attempt = plan(table, {}, run);
    await expect(attempt).rejects.toEqual(
      expect.objectContaining({ code: 'unsupported-column', message: expect.stringContaining('day') as unknown }),
    );
    expect(await bed.direct.status(bed.work(run, table).root)).toBeUndefined();
  });

  it('since it is not there is said so', async () => {
    await expect(plan({ schema: 'public', name: 'nowhere' }, {})).rejects.toEqual(
      expect.objectContaining({ code: 'unknown-table' }),
    );
  });

  it('as telemetry by columns that it has not is said so before anything is written', async () => {
    const table = await bed.createTable('mapped', 100);
    const column = { column: 'nothing_like_it' };
    const telemetry = {
      mapped: { sensorId: column, time: column, zone: 'UTC', value: column, unit: column, aspect: column },
    };
    const run = bed.run({ telemetry });
    await expect(plan(table, {}, run)).rejects.toEqual(expect.objectContaining({ code: 'unknown-column' }));
    expect(await bed.direct.status(bed.work(run, table).root)).toBeUndefined();
  });
});
