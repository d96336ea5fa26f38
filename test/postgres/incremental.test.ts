import type { Client } from 'pg';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import type { RowCounts, SourceSnapshot } from '../../grid/history/sql-source.ts';
import { withCode } from '../hdfs/test-bed.ts';
import { copyAll, FULL, never, openSourceBed, rowsOf, type SourceBed } from './source-bed.ts';

let bed: SourceBed;
let other: Client;
const table = { schema: 'public', name: 'readings' };

beforeAll(async () => {
  bed = await openSourceBed();
  other = await bed.session();
});

afterAll(async () => {
  await bed.end();
});

beforeEach(async () => {
  await rowsOf(other, 'ROLLBACK').catch(() => undefined);
  await bed.sql(`
    DROP TABLE IF EXISTS readings; CREATE TABLE readings (id bigserial PRIMARY KEY, v text) WITH (autovacuum_enabled = off, fillfactor = 50);
    INSERT INTO readings (v) SELECT 'old ' || n FROM generate_series(1, 500) AS n`);
});

/** What an import at a new snapshot leaves for the next: where it was, and how many rows there were. */
async function imported(): Promise<{ readonly snapshot: SourceSnapshot; readonly rows: number }> {
  const held = await bed.source.hold(never);
  const reader = await bed.source.read(held.snapshot, never);
  const plan = await reader.plan(table, FULL, never);
  const { rows } = await reader.count(plan, never);
  const { lines } = await copyAll(reader, plan);
  expect(lines).toHaveLength(rows);
  await reader.close();
  await held.release();
  return { snapshot: held.snapshot, rows };
}

/** What an incremental import would read now: the values of column v. */
async function changesSince({ snapshot }: { readonly snapshot: SourceSnapshot }): Promise<{
  readonly values: string[];
  readonly counts: RowCounts;
}> {
  const { fingerprint } = await bed.source.identify(never);
  const reader = await bed.reader();
  const plan = await reader.plan(table, { ...FULL, since: { position: snapshot.position, fingerprint } }, never);
  const { lines, splits } = await copyAll(reader, plan);
  expect(await reader.digest(plan, 0, never)).toEqual(splits[0]);
  const counts = await reader.count(plan, never);
  expect(plan.estimatedRows).toBe(lines.length);
  expect(counts.chosen).toBe(lines.length);
  await reader.close();
  return { values: lines.map((line) => line.split('\t')[1] ?? '').toSorted(), counts };
}

test('an unchanged table has no changes', async () => {
  const before = await imported();
  expect(await changesSince(before)).toEqual({ values: [], counts: { rows: 500, chosen: 0 } });
});

test('a row whose transaction drew its number before the snapshot and commits after it is a change', async () => {
  const [[number] = []] = await rowsOf(other, `BEGIN; SELECT nextval('readings_id_seq')`);
  await bed.sql(`INSERT INTO readings (v) VALUES ('later number, earlier commit')`);
  const before = await imported();
  await rowsOf(other, `INSERT INTO readings VALUES (${number ?? ''}, 'late commit'); COMMIT`);
  const { values, counts } = await changesSince(before);
  expect(values).toEqual(['late commit']);
  expect(counts.rows).toBe(before.rows + counts.chosen);
});

test('a transaction that was open over two imports is a change of the third', async () => {
  await rowsOf(other, `BEGIN; INSERT INTO readings (v) VALUES ('long')`);
  const first = await imported();
  await bed.sql(`INSERT INTO readings (v) VALUES ('short')`);
  const second = await imported();
  expect((await changesSince(first)).values).toEqual(['short']);
  expect((await changesSince(second)).values).toEqual([]);
  await rowsOf(other, `INSERT INTO readings (v) VALUES ('long 2'); COMMIT`);
  expect((await changesSince(second)).values).toEqual(['long', 'long 2']);
});

test('rows of subtransactions are told apart from committed ones beside them', async () => {
  // Xids: the transaction's, then those of its savepoints, with others in between that commit before the snapshot.
  await rowsOf(
    other,
    `BEGIN; INSERT INTO readings (v) VALUES ('top'); SAVEPOINT a; INSERT INTO readings (v) VALUES ('sub a')`,
  );
  await bed.sql(`INSERT INTO readings (v) VALUES ('beside 1')`);
  await rowsOf(
    other,
    `RELEASE a; SAVEPOINT b; INSERT INTO readings (v) VALUES ('sub b'); SAVEPOINT c; INSERT INTO readings (v) VALUES ('sub c')`,
  );
  await bed.sql(`INSERT INTO readings (v) VALUES ('beside 2')`);
  await rowsOf(other, `ROLLBACK TO c; SAVEPOINT d; INSERT INTO readings (v) VALUES ('sub d')`);
  await bed.sql(`INSERT INTO readings (v) VALUES ('beside 3')`);
  const before = await imported();
  expect(before.rows).toBe(503);
  await rowsOf(other, `SAVEPOINT e; INSERT INTO readings (v) VALUES ('sub e'); COMMIT`);
  const { values, counts } = await changesSince(before);
  expect(values).toEqual(['sub a', 'sub b', 'sub d', 'sub e', 'top']);
  expect(counts.rows).toBe(before.rows + counts.chosen);
});

test('more subtransactions than a position lists, and than the server keeps in memory, are none of them missed', async () => {
  await rowsOf(
    other,
    `BEGIN; DO $$ BEGIN FOR n IN 1..1500 LOOP BEGIN INSERT INTO public.readings (v) VALUES ('sub'); EXCEPTION WHEN division_by_zero THEN NULL; END; END LOOP; END $$`,
  );
  await bed.sql(`INSERT INTO readings (v) VALUES ('beside')`);
  const before = await imported();
  expect(before.rows).toBe(501);
  expect(before.snapshot.position.length).toBeLessThan(30_000);
  await rowsOf(other, 'COMMIT');
  const { counts } = await changesSince(before);
  // The row beside counts as a change as well, since its transaction is later than those that the position still lists.
  expect(counts).toEqual({ rows: 2001, chosen: 1501 });
});

test('positions are exact while many transactions with savepoints commit', async () => {
  const clients = await Promise.all([bed.session(), bed.session(), bed.session()]);
  let ended = false;
  const writers = clients.map(async (client) => {
    while (!ended) {
      await rowsOf(
        client,
        `BEGIN; INSERT INTO readings (v) VALUES ('w'); SAVEPOINT a; INSERT INTO readings (v) VALUES ('w'); SAVEPOINT b; INSERT INTO readings (v) VALUES ('w'); COMMIT`,
      );
    }
  });
  const before: { readonly snapshot: SourceSnapshot; readonly rows: number }[] = [];
  for (let index = 0; index < 10; index++) before.push(await imported());
  ended = true;
  await Promise.all(writers);
  for (const earlier of before) {
    const { counts } = await changesSince(earlier);
    expect(counts.rows, earlier.snapshot.position).toBe(earlier.rows + counts.chosen);
  }
  expect(before.at(-1)?.rows).toBeGreaterThan(500);
});

test('updated and deleted rows make the counts disagree', async () => {
  const before = await imported();
  // The first fits on its page (HOT), the second changes the key.
  await bed.sql(`UPDATE readings SET v = 'hot' WHERE id = 3`);
  await bed.sql(`UPDATE readings SET id = 100000, v = 'moved' WHERE id = 4`);
  const updated = await changesSince(before);
  expect(updated.values).toEqual(['hot', 'moved']);
  expect(updated.counts).toEqual({ rows: 500, chosen: 2 });
  const middle = await imported();
  await bed.sql(`DELETE FROM readings WHERE id = 5`);
  expect(await changesSince(middle)).toEqual({ values: [], counts: { rows: 499, chosen: 0 } });
  await bed.sql(`INSERT INTO readings (v) VALUES ('in its place')`);
  const { counts } = await changesSince(middle);
  expect(counts.rows).not.toBe(middle.rows + counts.chosen);
});

test('aborted rows, row locks, freezing and rewriting are no changes', async () => {
  const before = await imported();
  await rowsOf(
    other,
    `BEGIN; INSERT INTO readings (v) VALUES ('aborted'); UPDATE readings SET v = 'aborted' WHERE id = 1; ROLLBACK`,
  );
  await rowsOf(other, `BEGIN; SELECT * FROM readings FOR UPDATE; COMMIT`);
  await bed.sql('VACUUM (FREEZE) readings');
  expect(await changesSince(before)).toEqual({ values: [], counts: { rows: 500, chosen: 0 } });
  await bed.sql('VACUUM FULL readings');
  expect(await changesSince(before)).toEqual({ values: [], counts: { rows: 500, chosen: 0 } });
  await bed.sql(`INSERT INTO readings (v) VALUES ('new')`);
  await bed.sql('VACUUM (FREEZE) readings');
  expect((await changesSince(before)).values).toEqual(['new']);
  await bed.sql('VACUUM FULL readings');
  expect((await changesSince(before)).values).toEqual(['new']);
});

test('a table that was truncated and filled again has changed as a whole', async () => {
  const before = await imported();
  await bed.sql(
    `CREATE TABLE kept AS SELECT * FROM readings; TRUNCATE readings; INSERT INTO readings SELECT * FROM kept; DROP TABLE kept`,
  );
  const { counts } = await changesSince(before);
  expect(counts).toEqual({ rows: 500, chosen: 500 });
});

test('a plan for changes takes in what comes until it is read at a later snapshot', async () => {
  const before = await imported();
  const { fingerprint } = await bed.source.identify(never);
  const since = { position: before.snapshot.position, fingerprint };
  await bed.sql(`INSERT INTO readings (v) VALUES ('planned')`);
  const first = await bed.reader();
  const plan = await first.plan(table, { ...FULL, since }, never);
  await first.close();
  await bed.sql(`INSERT INTO readings (v) VALUES ('came later')`);
  const second = await bed.reader();
  const { lines } = await copyAll(second, plan);
  expect(lines.map((line) => line.split('\t')[1])).toEqual(['planned', 'came later']);
  await second.close();
});

test.each([
  ['another database', { fingerprint: 'postgres:1:2:00000001' }, /another database/],
  ['a position that is none', { position: '0x0001' }, /not one of PostgreSQL's/],
  ['a position of the future', { position: '9999999999:9999999999:' }, /restored from a backup/],
])('%s cannot be appended to', async (_, changed, sentence) => {
  const { snapshot } = await imported();
  const { fingerprint } = await bed.source.identify(never);
  const reader = await bed.reader();
  const since = { position: snapshot.position, fingerprint, ...changed };
  await expect(reader.plan(table, { ...FULL, since }, never)).rejects.toThrow(withCode('append-impossible'));
  await expect(reader.plan(table, { ...FULL, since }, never)).rejects.toThrow(sentence);
  await reader.close();
});
