import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ImportRun, PlannedTable } from '../../workflows/import/activity-contract.ts';
import type { ImportInput, TelemetryMapping } from '../../workflows/import/input.ts';
import type { TableId } from '../../grid/history/sql-source.ts';
import { CommitLog, readNewestCommit } from '../../activities/import/publish/commit-log.ts';
import { ImportBed } from './import-bed.ts';

let bed: ImportBed;
beforeAll(async () => {
  bed = await ImportBed.open();
});
afterAll(() => bed.end());

function tableCalled(name: string): TableId {
  return { schema: 'public', name };
}

/** Plans at a new snapshot. */
async function plan(table: TableId, input: Partial<ImportInput>): Promise<PlannedTable> {
  const held = await bed.hold();
  try {
    return await bed.inActivity((activities) =>
      activities.planTable({ run: bed.run(input), table, snapshot: held.snapshot }),
    );
  } finally {
    await held.release();
  }
}

async function publish(table: TableId, input: Partial<ImportInput> = {}): Promise<ImportRun> {
  const run = bed.run(input);
  const held = await bed.hold();
  const { snapshot } = held;
  const { splits, publishAs } = await bed.plan(run, table, snapshot);
  await bed.bring({ run, table, from: 0, to: splits, snapshot });
  await bed.inActivity((activities) => activities.publishTable({ run, table, snapshot, publishAs }));
  await held.release();
  return run;
}

/** What Hive and PostgreSQL say of the table, each value as text. */
async function bothShow(name: string, expressions: string): Promise<void> {
  const { hive, options } = bed.deps;
  const inHive = await hive.rows(`SELECT ${expressions} FROM ${options.hiveDatabasePrefix}_postgres.${name}`);
  const { rows } = await bed.sql.query<string[]>({ text: `SELECT ${expressions} FROM ${name}`, rowMode: 'array' });
  const sorted = (lists: readonly unknown[]): string[] => lists.map((row) => JSON.stringify(row)).sort();
  expect(sorted(inHive)).toEqual(sorted(rows));
}

const whole = (reason: RegExp): unknown =>
  expect.objectContaining({ publishAs: 'full', notes: [expect.stringMatching(reason) as unknown] });
const refused = (reason: RegExp): unknown =>
  expect.objectContaining({ code: 'append-impossible', message: expect.stringMatching(reason) as unknown });

describe('a table that is another one than was imported', () => {
  it('since it was swapped by renaming is imported whole, or refused, though it has as many, older rows', async () => {
    const { sql } = bed;
    await sql.query(`CREATE TABLE swapped (id int PRIMARY KEY, v int); INSERT INTO swapped SELECT n, 1 FROM generate_series(1, 1000) n;
      CREATE TABLE other (id int PRIMARY KEY, v int); INSERT INTO other SELECT n, 2 FROM generate_series(1, 1000) n`);
    const table = tableCalled('swapped');
    await publish(table);
    expect(await plan(table, { mode: 'merge' })).toEqual({ kind: 'unchanged', rows: 1_000 });
    await sql.query('ALTER TABLE swapped RENAME TO former; ALTER TABLE other RENAME TO swapped');
    expect(await plan(table, { mode: 'merge' })).toEqual(whole(/not the one that was imported last/));
    expect(await plan(table, { mode: 'merge', reconcile: true })).toEqual(whole(/not the one that was imported last/));
    await expect(plan(table, { mode: 'incremental' })).rejects.toEqual(refused(/another one was renamed to it/));
    await publish(table, { mode: 'merge' });
    await bothShow('swapped', 'CAST(sum(v) AS varchar(20))');
  });

  it('in one of its partitions takes over the rows of the one that was put there', async () => {
    const { sql } = bed;
    await sql.query(`CREATE TABLE exchanged (day int, id int, v int, PRIMARY KEY (day, id)) PARTITION BY LIST (day);
      CREATE TABLE exchanged_1 PARTITION OF exchanged FOR VALUES IN (1); CREATE TABLE exchanged_2 PARTITION OF exchanged FOR VALUES IN (2);
      INSERT INTO exchanged SELECT d, n, 1 FROM generate_series(1, 2) d, generate_series(1, 100) n;
      CREATE TABLE corrected (LIKE exchanged INCLUDING ALL); INSERT INTO corrected SELECT 2, n, 5 FROM generate_series(1, 100) n`);
    const table = tableCalled('exchanged');
    await publish(table);
    await sql.query(
      'ALTER TABLE exchanged DETACH PARTITION exchanged_2; ALTER TABLE exchanged ATTACH PARTITION corrected FOR VALUES IN (2)',
    );
    expect(await plan(table, { mode: 'merge', reconcile: true })).toEqual(whole(/100 rows .* updated or deleted/));
    await expect(plan(table, { mode: 'incremental' })).rejects.toEqual(refused(/100 rows were updated or deleted/));
    expect(await plan(table, { mode: 'merge' })).toMatchObject({ publishAs: 'merge', estimatedRows: 100 });
    await publish(table, { mode: 'merge' });
    await bothShow('exchanged', 'CAST(count(*) AS varchar(20)), CAST(sum(v) AS varchar(20))');
    expect(await plan(table, { mode: 'merge' })).toEqual({ kind: 'unchanged', rows: 200 });
  });

  it('by a partition of old rows, attached while others were updated, misses neither', async () => {
    const { sql } = bed;
    await sql.query(`CREATE TABLE grown (day int, id int, v int, PRIMARY KEY (day, id)) PARTITION BY LIST (day);
      CREATE TABLE grown_1 PARTITION OF grown FOR VALUES IN (1); INSERT INTO grown SELECT 1, n, 1 FROM generate_series(1, 1000) n;
      CREATE TABLE archive (LIKE grown INCLUDING ALL); INSERT INTO archive SELECT 2, n, 7 FROM generate_series(1, 100) n`);
    const table = tableCalled('grown');
    await publish(table);
    await sql.query(
      'ALTER TABLE grown ATTACH PARTITION archive FOR VALUES IN (2); UPDATE grown SET v = 3 WHERE day = 1 AND id <= 150',
    );
    expect(await plan(table, { mode: 'merge' })).toMatchObject({ publishAs: 'merge', estimatedRows: 250 });
    await publish(table, { mode: 'merge' });
    await bothShow('grown', 'CAST(count(*) AS varchar(20)), CAST(sum(v) AS varchar(20))');
    // The ordinary case: a partition for the days to come.
    await sql.query(
      'CREATE TABLE grown_3 PARTITION OF grown FOR VALUES IN (3); INSERT INTO grown SELECT 3, n, 1 FROM generate_series(1, 10) n',
    );
    expect(await plan(table, { mode: 'incremental' })).toMatchObject({ publishAs: 'append', estimatedRows: 10 });
    await sql.query('ALTER TABLE grown DETACH PARTITION archive');
    await expect(plan(table, { mode: 'incremental' })).rejects.toEqual(refused(/100 rows were updated or deleted/));
  });
});

describe('a record of an import that kept nothing of what the table was', () => {
  it('is gone on from, and the next import makes it good although nothing has changed', async () => {
    const table = await bed.createTable('recorded', 100);
    await publish(table);
    const { importsDirectory } = bed;
    const newest = await readNewestCommit(bed.direct, importsDirectory, 'postgres', table);
    if (newest === undefined) throw new Error('nothing was committed');
    const { origin, ...earlier } = newest;
    expect(origin).toMatchObject({ definitions: [] });
    const log = new CommitLog(bed.direct, importsDirectory, 'postgres', table);
    await bed.direct.delete(log.directory, { recursive: true });
    expect(await log.commit(earlier, `${importsDirectory}/.tmp`)).toBe(true);

    expect(await plan(table, { mode: 'merge' })).toMatchObject({ publishAs: 'append', estimatedRows: 0 });
    await publish(table, { mode: 'merge' });
    expect((await log.newest())?.origin).toEqual(origin);
    expect(await plan(table, { mode: 'merge' })).toEqual({ kind: 'unchanged', rows: 100 });
    await bothShow('recorded', 'CAST(count(*) AS varchar(20))');
  });
});

describe('values that read otherwise though no row was touched', () => {
  it('are imported whole: labels that were renamed, attributes that were added or dropped, in types of every kind', async () => {
    const { sql } = bed;
    await sql.query(`CREATE TYPE quality AS ENUM ('good', 'poor'); CREATE TYPE grade AS ENUM ('a', 'b');
      CREATE TYPE state AS ENUM ('on', 'off'); CREATE DOMAIN checked AS state; CREATE TYPE grades AS RANGE (subtype = grade);
      CREATE TYPE spot AS (x int, y int); CREATE TABLE shape (a int, b int);
      CREATE TABLE typed (id int PRIMARY KEY, an_enum quality, an_array checked[], a_range grades, a_spot spot, a_row shape);
      INSERT INTO typed VALUES (1, 'poor', '{on,off}', '[a,b]', '(1,2)', '(1,2)'), (2, NULL, NULL, NULL, NULL, NULL)`);
    const table = tableCalled('typed');
    await publish(table);
    expect(await plan(table, { mode: 'merge' })).toEqual({ kind: 'unchanged', rows: 2 });
    // The first column that was altered is named, so the last one is altered first.
    const alterations = [
      ['a_row', 'ALTER TABLE shape DROP COLUMN b'],
      ['a_spot', 'ALTER TYPE spot ADD ATTRIBUTE z int CASCADE'],
      ['a_range', `ALTER TYPE grade RENAME VALUE 'b' TO 'z'`],
      ['an_array', `ALTER TYPE state RENAME VALUE 'off' TO 'idle'`],
      ['an_enum', `ALTER TYPE quality RENAME VALUE 'poor' TO 'bad'`],
    ] as const;
    for (const [column, alteration] of alterations) {
      await sql.query(alteration);
      expect(await plan(table, { mode: 'merge' })).toEqual(whole(new RegExp(`"${column}" was altered since`)));
    }
    await expect(plan(table, { mode: 'incremental' })).rejects.toEqual(refused(/"an_enum" was altered/));
    await publish(table, { mode: 'merge' });
    await bothShow(
      'typed',
      ['an_enum', 'an_array', 'a_range', 'a_spot', 'a_row'].map((name) => `CAST(${name} AS varchar(20))`).join(),
    );
    expect(await plan(table, { mode: 'merge' })).toEqual({ kind: 'unchanged', rows: 2 });
  });

  it('are no reason when an enum only gets a further label', async () => {
    await bed.sql.query(`CREATE TYPE level AS ENUM ('low', 'high'); CREATE TABLE levelled (id int PRIMARY KEY, v level);
      INSERT INTO levelled VALUES (1, 'low')`);
    const table = tableCalled('levelled');
    await publish(table);
    await bed.sql.query(`ALTER TYPE level ADD VALUE 'middle' BEFORE 'high'`);
    expect(await plan(table, { mode: 'merge' })).toEqual({ kind: 'unchanged', rows: 1 });
    await bed.sql.query(`INSERT INTO levelled VALUES (2, 'middle')`);
    expect(await plan(table, { mode: 'incremental' })).toMatchObject({ publishAs: 'append', estimatedRows: 1 });
  });

  it.each(['regclass', 'regtype[]'])(
    'are imported whole each time when they are names of the catalogue: %s',
    async (type) => {
      const name = `named_${type.replace(/\W/g, '')}`;
      const value = type === 'regclass' ? `'${name}'` : `'{int4,text}'`;
      await bed.sql.query(
        `CREATE TABLE ${name} (id int PRIMARY KEY, v ${type}); INSERT INTO ${name} VALUES (1, ${value})`,
      );
      await publish(tableCalled(name));
      expect(await plan(tableCalled(name), { mode: 'merge' })).toEqual(whole(/holds names of the catalogue/));
      await expect(plan(tableCalled(name), { mode: 'incremental' })).rejects.toEqual(refused(/names of the catalogue/));
    },
  );
});

describe('a parent whose heirs have the same keys', () => {
  it('loses no row to a merge, and its readings keep their own ids', async () => {
    await bed.sql.query(`CREATE TABLE parent (id int PRIMARY KEY, v int, t timestamp NOT NULL DEFAULT '2024-01-01');
      CREATE TABLE heir () INHERITS (parent); INSERT INTO parent VALUES (1, 10); INSERT INTO heir VALUES (1, 20), (2, 10)`);
    const table = tableCalled('parent');
    const mapping: TelemetryMapping = {
      sensorId: { column: 'id' },
      time: { column: 't' },
      zone: 'UTC',
      value: { column: 'v' },
      unit: { constant: 'MW' },
      aspect: { constant: 'real_time' },
    };
    const telemetry = { parent: mapping };
    await publish(table, { telemetry });
    await bed.sql.query('UPDATE heir SET v = 11 WHERE id = 2');
    expect(await plan(table, { mode: 'merge', telemetry })).toEqual(
      whole(/inherit from it, which may have the same keys/),
    );
    await publish(table, { mode: 'merge', telemetry });
    await bothShow('parent', 'CAST(id AS varchar(20)), CAST(v AS varchar(20))');
    const { hive, options } = bed.deps;
    const ids = await hive.rows(
      `SELECT DISTINCT correlation_id FROM ${options.hiveDatabasePrefix}_postgres.parent__readings`,
    );
    expect(ids).toHaveLength(3);
    // Without heirs the key is one.
    await bed.sql.query('DROP TABLE heir');
    const planned = await bed.reading((reader) =>
      reader.plan(table, { splitRows: 10, onUnsupported: 'refuse' }, AbortSignal.timeout(60_000)),
    );
    expect(planned.key).toEqual(['id']);
  });
});
