import { afterAll, beforeAll, expect, test } from 'vitest';
import type { SnapshotReader, TablePlan } from '../../grid/history/sql-source.ts';
import { withCode } from '../hdfs/test-bed.ts';
import { copyAll, FULL, never, openSourceBed, rowsOf, type SourceBed } from './source-bed.ts';

let bed: SourceBed;

beforeAll(async () => {
  bed = await openSourceBed();
});

afterAll(async () => {
  await bed.end();
});

const table = (name: string, schema = 'public') => ({ schema, name });

/** Plans and copies a table at a snapshot of its own. */
async function imported(
  name: string,
  options = FULL,
): Promise<{ plan: TablePlan; lines: string[]; reader: SnapshotReader }> {
  const reader = await bed.reader();
  const plan = await reader.plan(table(name), options, never);
  const { lines, splits } = await copyAll(reader, plan);
  const digests = [];
  for (let split = 0; split < plan.splits.length; split++) digests.push(await reader.digest(plan, split, never));
  expect(digests, 'digests without the text').toEqual(splits);
  const counts = await reader.count(plan, never);
  expect(counts.chosen).toBe(lines.length);
  await reader.close();
  return { plan, lines, reader };
}

test('the tables of a database are listed, with what may be read of them', async () => {
  await bed.sql(`
    CREATE SCHEMA "Odd Schema"; CREATE TABLE "Odd Schema"."Tab.le" (a int);
    CREATE TABLE plain (a int); CREATE VIEW seen AS SELECT * FROM plain;
    CREATE MATERIALIZED VIEW filled AS SELECT 1 AS one; CREATE MATERIALIZED VIEW unfilled AS SELECT 1 AS one WITH NO DATA;
    CREATE TABLE parts (a int) PARTITION BY RANGE (a); CREATE TABLE parts_1 PARTITION OF parts FOR VALUES FROM (0) TO (9);
    CREATE TEMP TABLE passing (a int); CREATE TABLE secret (a int); CREATE TABLE filtered (a int);
    ALTER TABLE filtered ENABLE ROW LEVEL SECURITY;
    CREATE EXTENSION file_fdw; CREATE SERVER files FOREIGN DATA WRAPPER file_fdw;
    CREATE FOREIGN TABLE elsewhere (a text) SERVER files OPTIONS (filename '/dev/null');
    CREATE ROLE reader_${bed.database} LOGIN; GRANT SELECT ON plain, parts, filtered TO reader_${bed.database}`);
  try {
    const all = await bed.source.tables(never);
    expect(all.map(({ schema, name }) => `${schema}.${name}`)).toEqual([
      'Odd Schema.Tab.le',
      ...['public.filled', 'public.filtered', 'public.parts', 'public.plain', 'public.secret'],
    ]);
    expect(all.every(({ readable }) => readable)).toBe(true);

    const url = new URL(bed.url);
    url.username = `reader_${bed.database}`;
    const limited = bed.sourceWith({ url: url.toString() });
    const readable = (await limited.tables(never)).filter((listed) => listed.readable).map(({ name }) => name);
    expect(readable).toEqual(['parts', 'plain']);
    const reader = await bed.reader(limited);
    await expect(reader.plan(table('secret'), FULL, never)).rejects.toThrow(withCode('source-denied'));
    await expect(reader.plan(table('filtered'), FULL, never)).rejects.toThrow(/row-level security/);
    await expect(reader.plan(table('Tab.le', 'Odd Schema'), FULL, never)).rejects.toThrow(withCode('source-denied'));
    await expect(reader.plan(table('parts'), FULL, never)).rejects.toThrow(/public\.parts_1/);
    expect((await reader.plan(table('plain'), FULL, never)).columns).toHaveLength(1);
    await reader.close();
  } finally {
    await bed.sql(`DROP OWNED BY reader_${bed.database}; DROP ROLE reader_${bed.database}`);
  }
});

test.each([
  ['nowhere', 'there is no table public.nowhere'],
  ['PLAIN', 'There is public.plain'],
  ['seen', 'a view'],
  ['elsewhere', 'a foreign table'],
  ['unfilled', 'REFRESH'],
])('%s is refused with a sentence that says why', async (name, sentence) => {
  const reader = await bed.reader();
  await expect(reader.plan(table(name), FULL, never)).rejects.toThrow(withCode('unknown-table'));
  await expect(reader.plan(table(name), FULL, never)).rejects.toThrow(sentence);
  await reader.close();
});

test('a partitioned table is read from all its leaves, whatever the order of their columns', async () => {
  await bed.sql(`
    CREATE TABLE readings (id int, day date, value text, PRIMARY KEY (id, day)) PARTITION BY RANGE (day);
    CREATE TABLE readings_1 PARTITION OF readings FOR VALUES FROM ('2020-01-01') TO ('2021-01-01');
    CREATE TABLE readings_2 (gone int, value text, day date NOT NULL, id int NOT NULL); ALTER TABLE readings_2 DROP COLUMN gone;
    ALTER TABLE readings ATTACH PARTITION readings_2 FOR VALUES FROM ('2021-01-01') TO ('2022-01-01');
    CREATE TABLE readings_rest PARTITION OF readings DEFAULT PARTITION BY HASH (id);
    CREATE TABLE readings_r0 PARTITION OF readings_rest FOR VALUES WITH (MODULUS 2, REMAINDER 0);
    CREATE TABLE readings_r1 PARTITION OF readings_rest FOR VALUES WITH (MODULUS 2, REMAINDER 1);
    INSERT INTO readings SELECT n, '2020-01-01'::date + n, 'v' || n FROM generate_series(0, 2999) AS n`);
  const { plan, lines } = await imported('readings');
  expect(plan.key).toEqual(['id', 'day']);
  expect(new Set(plan.splits.map((split) => split['name'])).size).toBe(4);
  const expected = await bed.sql(`SELECT concat_ws(E'\\t', id, day, value) FROM readings`);
  expect(lines.toSorted()).toEqual(expected.map(([line]) => line).toSorted());
});

test('an inheritance parent is read with its heirs', async () => {
  await bed.sql(`
    CREATE TABLE cities (name text); CREATE TABLE capitals (of text) INHERITS (cities);
    INSERT INTO cities VALUES ('Bonn'); INSERT INTO capitals VALUES ('Berlin', 'Germany')`);
  expect((await imported('cities')).lines.toSorted()).toEqual(['Berlin', 'Bonn']);
  expect((await imported('capitals')).lines).toEqual(['Berlin\tGermany']);
});

test('parts whose rows are not in pages of their own are refused, not passed over', async () => {
  await bed.sql(`
    CREATE TABLE metrics (a int); CREATE SCHEMA _timescaledb_internal; CREATE TABLE _timescaledb_internal.chunk () INHERITS (metrics);
    CREATE TABLE halves (a int) PARTITION BY LIST (a); CREATE TABLE halves_1 PARTITION OF halves FOR VALUES IN (1);
    CREATE FOREIGN TABLE halves_2 PARTITION OF halves FOR VALUES IN (2) SERVER files OPTIONS (filename '/dev/null')`);
  const reader = await bed.reader();
  await expect(reader.plan(table('metrics'), FULL, never)).rejects.toThrow(/TimescaleDB/);
  await expect(reader.plan(table('halves'), FULL, never)).rejects.toThrow(/public\.halves_2 is a foreign table/);
  await reader.close();
});

test('odd tables: no rows, dropped and generated columns, odd names, more columns than a function takes arguments', async () => {
  const wide = Array.from({ length: 250 }, (_, index) => `c${index} int DEFAULT ${index}`);
  await bed.sql(`
    CREATE TABLE empty (a int);
    CREATE TABLE odd ("we ""ird" int, gone text, "Spalte ä 中" int GENERATED ALWAYS AS ("we ""ird" * 2) STORED, "a'b\\" text);
    ALTER TABLE odd DROP COLUMN gone; INSERT INTO odd ("we ""ird", "a'b\\") VALUES (21, 'x');
    CREATE TABLE wide (${wide.join(', ')}); INSERT INTO wide DEFAULT VALUES;
    CREATE TABLE nothing (); INSERT INTO nothing DEFAULT VALUES;
    CREATE TABLE bare (gone int); ALTER TABLE bare DROP COLUMN gone`);
  const empty = await imported('empty');
  expect(empty.lines).toEqual([]);
  expect(empty.plan.splits).toHaveLength(1);
  const odd = await imported('odd');
  expect(odd.plan.columns.map(({ name }) => name)).toEqual(['we "ird', 'Spalte ä 中', `a'b\\`]);
  expect(odd.lines).toEqual(['21\t42\tx']);
  expect((await imported('wide')).lines).toEqual([Array.from({ length: 250 }, (_, index) => index).join('\t')]);
  await expect(imported('nothing')).rejects.toThrow(withCode('unsupported-column'));
  await expect(imported('bare')).rejects.toThrow(withCode('unsupported-column'));
});

test('values that Hive cannot hold are refused all at once, kept as text, or left out', async () => {
  await bed.sql(`
    CREATE TABLE beyond (id int PRIMARY KEY, d date, t timestamp, z timestamptz, n numeric(5,2), good timestamp, old date);
    CREATE INDEX ON beyond (d);
    INSERT INTO beyond VALUES (1, '2020-01-01', '2020-01-01', '2020-01-01', 1.5, '2020-01-01', '0044-03-15 BC'),
      (2, 'infinity', '10000-01-01', '-infinity', 'NaN', NULL, NULL)`);
  const reader = await bed.reader();
  const refused: unknown = await reader.plan(table('beyond'), FULL, never).catch((error: unknown) => error);
  expect(refused).toMatchObject({ code: 'unsupported-column' });
  // By reason.
  expect(String(refused)).toMatch(/ d \(date\).* old \(date\): it holds infinity/);
  expect(String(refused)).toMatch(/ t \(timestamp without.* z \(timestamp with.*: it holds infinity/);
  expect(String(refused)).toMatch(/ n \(numeric\(5,2\)\): it holds NaN/);
  await reader.close();
  const asText = await imported('beyond', { ...FULL, onUnsupported: 'text' });
  expect(asText.lines).toEqual([
    '1\t2020-01-01\t2020-01-01 00:00:00\t2020-01-01 00:00:00+00\t1.50\t2020-01-01 00:00:00\t0044-03-15 BC',
    '2\tinfinity\t10000-01-01 00:00:00\t-infinity\tNaN\t\\N\t\\N',
  ]);
  const remarks = asText.plan.remarks.map(({ column, done }) => `${column}: ${done}`).toSorted();
  expect(remarks).toEqual(['d', 'n', 'old', 't', 'z'].map((column) => `${column}: kept as text`));
  expect(asText.plan.columns.filter(({ hiveType }) => hiveType === 'STRING')).toHaveLength(5);
  const skipped = await imported('beyond', { ...FULL, onUnsupported: 'skip' });
  expect(skipped.plan.columns.map(({ name }) => name)).toEqual(['id', 'good']);
});

test('a value that Hive cannot hold and that comes after the plan stops the copy instead of turning to NULL', async () => {
  await bed.sql(`CREATE TABLE later (d date, n numeric(5,2)); INSERT INTO later VALUES ('2020-01-01', 1)`);
  const first = await bed.reader();
  const plan = await first.plan(table('later'), FULL, never);
  await first.close();
  await bed.sql(`INSERT INTO later VALUES ('infinity', 2)`);
  const second = await bed.reader();
  await expect(copyAll(second, plan)).rejects.toThrow(withCode('unsupported-column'));
  await expect(copyAll(second, plan)).rejects.toThrow(/d cannot be kept.*infinity/);
  await second.close();
  await bed.sql(`UPDATE later SET d = '2020-01-02', n = 'NaN' WHERE n = 2`);
  const third = await bed.reader();
  await expect(copyAll(third, plan)).rejects.toThrow(/n cannot be kept.*NaN/);
  await third.close();
});

test('splits and blocks cover a table with holes, large rows and pages that were never analyzed', async () => {
  await bed.sql(`
    CREATE TABLE holes (id int, filler text) WITH (autovacuum_enabled = off);
    INSERT INTO holes SELECT n, repeat('x', 200) FROM generate_series(1, 20000) AS n;
    DELETE FROM holes WHERE id BETWEEN 3000 AND 15000;
    ALTER TABLE holes ALTER filler SET STORAGE EXTERNAL;
    INSERT INTO holes SELECT n, repeat(md5(n::text), 2000) FROM generate_series(20001, 20100) AS n`);
  const { plan, lines } = await imported('holes');
  expect(plan.splits.length).toBeGreaterThan(5);
  const ids = lines.map((line) => Number(line.split('\t')[0])).toSorted((a, b) => a - b);
  expect(ids).toEqual((await bed.sql('SELECT id FROM holes ORDER BY 1')).map(([id]) => Number(id)));
  expect(plan.estimatedRows).toBeGreaterThan(4_000);
  expect(plan.estimatedRows).toBeLessThan(16_000);
});

test('the highest value of a column is given as text, and a cursor that does not exist is a mistake', async () => {
  await bed.sql(`
    CREATE TABLE cursors (id bigint, at timestamptz, u uuid, j json);
    INSERT INTO cursors VALUES (9007199254740993, '2020-01-01 00:00:00.000001+00', '00000000-0000-0000-0000-000000000001', '1'), (NULL, NULL, NULL, NULL)`);
  const reader = await bed.reader();
  await expect(reader.plan(table('cursors'), { ...FULL, cursor: 'nope' }, never)).rejects.toThrow(
    withCode('unknown-column'),
  );
  const plan = await reader.plan(table('cursors'), { ...FULL, cursor: 'id' }, never);
  expect(await reader.highest(plan, 'id', never)).toBe('9007199254740993');
  expect(await reader.highest(plan, 'at', never)).toBe('2020-01-01 00:00:00.000001+00');
  expect(await reader.highest(plan, 'u', never)).toBe('00000000-0000-0000-0000-000000000001');
  await expect(reader.highest(plan, 'nope', never)).rejects.toThrow(withCode('unknown-column'));
  await expect(reader.highest(plan, 'j', never)).rejects.toThrow(withCode('unknown-column'));
  await bed.sql('TRUNCATE cursors');
  await reader.close();
  const other = await bed.reader();
  const empty = await other.plan(table('cursors'), FULL, never);
  expect(await other.highest(empty, 'id', never)).toBeUndefined();
  await other.close();
});

test.each([
  ['TRUNCATE moving', 'table-changed'],
  ['DROP TABLE moving', 'unknown-table'],
  ['ALTER TABLE moving ALTER b TYPE bigint', 'table-changed'],
  ['ALTER TABLE moving DROP COLUMN b', 'table-changed'],
  [
    'ALTER TABLE moving RENAME a TO x; ALTER TABLE moving RENAME b TO a; ALTER TABLE moving RENAME x TO b',
    'table-changed',
  ],
  ['VACUUM FULL moving', 'table-changed'],
  ['CREATE TABLE moving_2 (LIKE moving); DROP TABLE moving; ALTER TABLE moving_2 RENAME TO moving', 'unknown-table'],
])('%s between plan and copy is no silent loss', async (change, code) => {
  await bed.sql(
    `DROP TABLE IF EXISTS moving; CREATE TABLE moving (a int, b int); INSERT INTO moving SELECT n, n FROM generate_series(1, 9) AS n`,
  );
  const reader = await bed.reader();
  const plan = await reader.plan(table('moving'), FULL, never);
  // It is not held up by the reader, whose transaction goes on.
  for (const statement of change.split('; ')) await bed.sql(statement);
  await expect(copyAll(reader, plan)).rejects.toThrow(withCode(code as 'table-changed'));
  await expect(reader.count(plan, never)).rejects.toThrow(withCode(code as 'table-changed'));
  await expect(reader.plan(table('moving'), FULL, never)).rejects.toThrow(withCode(code as 'table-changed'));
  await reader.close();
  // At a later snapshot the plan is that of another table.
  const later = await bed.reader();
  await expect(copyAll(later, plan)).rejects.toThrow(
    withCode(change.startsWith('DROP') ? 'unknown-table' : 'table-changed'),
  );
  await later.close();
});

test('columns and constraints that are added between plan and copy change nothing of the snapshot', async () => {
  await bed.sql(`CREATE TABLE growing (a int); INSERT INTO growing VALUES (1)`);
  const reader = await bed.reader();
  const plan = await reader.plan(table('growing'), FULL, never);
  await bed.sql(
    `ALTER TABLE growing ADD COLUMN b int DEFAULT 7; ALTER TABLE growing RENAME TO grown; CREATE INDEX ON grown (a)`,
  );
  expect((await copyAll(reader, plan)).lines).toEqual(['1']);
  await reader.close();
});

test('a partition that was attached after the plan makes the plan void at a later snapshot', async () => {
  await bed.sql(`
    CREATE TABLE months (a int) PARTITION BY LIST (a); CREATE TABLE months_1 PARTITION OF months FOR VALUES IN (1);
    INSERT INTO months VALUES (1)`);
  const before = await bed.reader();
  const plan = await before.plan(table('months'), FULL, never);
  await bed.sql(`CREATE TABLE months_2 PARTITION OF months FOR VALUES IN (2); INSERT INTO months VALUES (2)`);
  expect((await copyAll(before, plan)).lines).toEqual(['1']);
  await before.close();
  const after = await bed.reader();
  await expect(copyAll(after, plan)).rejects.toThrow(withCode('table-changed'));
  await after.close();
});

test('an error of one split leaves the reader usable, and no lock outlives a reading', async () => {
  await bed.sql(`CREATE TABLE steady (a int); INSERT INTO steady VALUES (1)`);
  const reader = await bed.reader();
  const plan = await reader.plan(table('steady'), FULL, never);
  await expect(
    reader.copy(plan, 0, () => Promise.reject(new Error('the disk is full')), { verify: true, signal: never }),
  ).rejects.toThrow('the disk is full');
  await expect(
    copyAll(reader, { ...plan, columns: plan.columns.map((column) => ({ ...column, expression: `(1/0)::text` })) }),
  ).rejects.toThrow(withCode('source-refused'));
  expect((await copyAll(reader, plan)).lines).toEqual(['1']);
  const session = await bed.session();
  await rowsOf(session, `SET lock_timeout = '1s'; ALTER TABLE steady ADD COLUMN b int`);
  expect((await copyAll(reader, plan)).lines).toEqual(['1']);
  await reader.close();
});

test('a refusal names all columns, and says what to do before a list that may be cut', async () => {
  const names = Array.from({ length: 14 }, (_, index) => `measured_on_a_day_with_a_long_name_${index + 1}`);
  await bed.sql(
    `DROP TABLE IF EXISTS refused; CREATE TABLE refused (id int, ${names.map((name) => `${name} date`).join(', ')});
     INSERT INTO refused SELECT 1, ${names.map(() => `'infinity'::date`).join(', ')}`,
  );
  const reader = await bed.reader();
  const failure: unknown = await reader
    .plan({ schema: 'public', name: 'refused' }, FULL, never)
    .catch((error: unknown) => error);
  await reader.close();
  const message = String(failure);
  for (const name of names) expect(message).toContain(`${name} (date)`);
  expect(message.slice(0, 600)).toMatch(/14 columns .*onUnsupported "text".*"skip"/);
  // The reason that all share stands there once.
  expect(message.split('infinity')).toHaveLength(2);
});
